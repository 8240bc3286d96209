"""Fixes that dfcache holds back, each because a real build proved it wrong."""

from __future__ import annotations

from lab.cases import Bump, Case
from parts import APP, BETA, BETA_BUMP, NOT_KEPT

_BAR = """\
from setuptools import setup

setup(name="bar", version={version}, install_requires={requires})
"""

HELD = (
    Case(
        name="other-files-in-the-users-cache",
        dockerfile="""\
FROM python:3.11-slim
RUN useradd -m -u 1000 app
USER app
WORKDIR /home/app
COPY --chown=app . .
RUN pip install --user --no-cache-dir -r requirements.txt && mkdir -p ~/.cache/models
""",
        install="pip install",
        files=APP,
        bump=NOT_KEPT,
        fix="part",
    ),
    Case(
        name="other-files-in-the-users-cache-of-the-step",
        dockerfile="""\
FROM python:3.11-slim
RUN useradd -m -u 1000 app
USER app
WORKDIR /home/app
COPY --chown=app requirements.txt .
RUN pip install --user --no-cache-dir -r requirements.txt && mkdir -p ~/.cache/models
COPY --chown=app . .
""",
        install="pip install",
        files=APP,
        bump=NOT_KEPT,
        fix="doubted",
        lane=True,
    ),
    Case(
        name="program-of-the-project-writes-to-the-users-cache",
        dockerfile="""\
FROM python:3.11-slim
RUN useradd -m -u 1000 app
USER app
WORKDIR /home/app
COPY --chown=app . .
RUN pip install --user --no-cache-dir -r requirements.txt && python download.py
""",
        install="pip install",
        files={
            **APP,
            "download.py": "import os\nos.makedirs(os.path.expanduser('~/.cache/models'))\n",
        },
        bump=BETA_BUMP,
        fix="doubted",
    ),
    Case(
        name="home-made-in-the-step",
        dockerfile="""\
FROM python:3.11-slim
ENV HOME=/home/app
WORKDIR /src
COPY requirements.txt .
RUN useradd -m -d /home/app -u 1000 app && pip install --no-cache-dir -r requirements.txt
COPY . .
""",
        install="pip install",
        files=APP,
        bump=NOT_KEPT,
        fix="none",
    ),
    Case(
        name="cache-removed-with-what-others-left",
        dockerfile="""\
FROM python:3.11-slim
RUN mkdir -p /root/.cache/x && touch /root/.cache/x/y
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt && rm -rf /root/.cache
COPY . .
""",
        install="pip install",
        files=APP,
        bump=BETA_BUMP,
        fix="doubted",
    ),
    Case(
        name="library-that-reads-above-itself",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -r requirements.txt
""",
        install="pip install",
        files={
            **APP,
            "requirements.txt": "-e libs/bar\nlab-beta==1.0\n",
            "libs/bar/setup.py": _BAR.format(
                version="open('../../VERSION').read().strip()", requires=[]
            ),
            "VERSION": "1.0\n",
        },
        bump=Bump(frozenset({BETA}), files={"requirements.txt": "-e libs/bar\nlab-beta==1.1\n"}),
        fix="part",
        reruns=True,
        lane=True,
    ),
    Case(
        name="library-that-requires-another-by-path",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -r requirements.txt
""",
        install="pip install",
        files={
            **APP,
            "requirements.txt": "./libs/bar\nlab-beta==1.0\n",
            "libs/bar/setup.py": _BAR.format(
                version="'1'", requires=["foo @ file:///app/libs/foo"]
            ),
            "libs/foo/setup.py": "from setuptools import setup\nsetup(name='foo', version='1')\n",
        },
        bump=Bump(frozenset({BETA}), files={"requirements.txt": "./libs/bar\nlab-beta==1.1\n"}),
        fix="part",
        reruns=True,
    ),
    Case(
        name="uv-venv-with-the-switch-in-env",
        dockerfile="""\
FROM python:3.11-slim
ENV UV_NO_CACHE=1
RUN useradd -m -u 1000 app && mkdir /venv && chown app /venv
USER app
RUN uv venv /venv/app
ENV VIRTUAL_ENV=/venv/app PATH=/venv/app/bin:$PATH
WORKDIR /home/app
COPY --chown=app . .
RUN uv pip install -r requirements.txt
""",
        install="uv pip install",
        files=APP,
        bump=NOT_KEPT,
        fix="part",
    ),
    Case(
        name="pip-config-in-the-step",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip config set global.no-cache-dir true && pip install -r requirements.txt
""",
        install="pip install",
        files=APP,
        bump=NOT_KEPT,
        fix="part",
    ),
    Case(
        name="switch-beside-pip-with-unknown-words",
        dockerfile="""\
FROM python:3.11-slim
ARG FLAGS
ENV PIP_NO_CACHE_DIR=1
WORKDIR /app
COPY requirements.txt .
RUN pip install -r requirements.txt
RUN pip3 $FLAGS install lab-source==1.0
COPY . .
""",
        install="-r requirements.txt",
        files=APP,
        bump=BETA_BUMP,
        fix="doubted",
        lane=True,
    ),
)
