"""What makes the install run again: the order of layers, and the files that it reads."""

from __future__ import annotations

from lab.cases import Bump, Case
from parts import APP, BETA, BETA_BUMP, BULK_CUT, INDEX, REQUIREMENTS

_SETUP = """\
from setuptools import setup

setup(name="{name}", version="1.0", py_modules=["{name}"], install_requires=[{requires}])
"""
_PROJECT = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "service"
readme = "README.md"
dynamic = ["version"]
dependencies = ["lab-alpha==1.0", "lab-beta==1.0", "lab-bulk==1.0"]

[tool.setuptools]
packages = ["service"]

[tool.setuptools.dynamic]
version = {attr = "service.__version__"}
"""
_READING_SETUP = """\
from pathlib import Path

from setuptools import setup

here = Path(__file__).parent
setup(
    name="reading",
    version=(here / "VERSION").read_text().strip(),
    long_description=open("README.md").read(),
    py_modules=["app"],
    install_requires=(here / "requirements.txt").read_text().split("\\n"),
)
"""

ORDER = (
    Case(
        name="nested-requirements-in-the-parent-folder",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -r requirements/prod/all.txt -c constraints.txt
""",
        install="pip install",
        files={
            "app.py": "print('first')\n",
            "requirements/prod/all.txt": "--requirement=../base.txt\nlab-bulk==1.0\n",
            "requirements/base.txt": "# base\n-r ../more.txt\nlab-alpha==1.0 # one\n",
            "more.txt": "lab-beta\n",
            "constraints.txt": "lab-beta==1.0\n",
        },
        bump=Bump(frozenset({BETA}), files={"constraints.txt": "lab-beta==1.1\n"}),
    ),
    Case(
        name="local-and-editable-paths",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -r requirements.txt
""",
        install="pip install",
        files={
            "app.py": "print('first')\n",
            "requirements.txt": "./libs/foo\n-e ./libs/bar\nlab-alpha==1.0\n",
            "libs/foo/setup.py": _SETUP.format(name="foo", requires='"lab-beta==1.0"'),
            "libs/foo/foo.py": "",
            "libs/bar/setup.py": _SETUP.format(name="bar", requires='"lab-bulk==1.0"'),
            "libs/bar/bar.py": "",
        },
        bump=Bump(
            frozenset({BETA}),
            files={"libs/foo/setup.py": _SETUP.format(name="foo", requires='"lab-beta==1.1"')},
        ),
        lane=True,
    ),
    Case(
        name="ignored-but-for-some",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -r requirements.txt
""",
        install="pip install",
        files={
            **APP,
            ".dockerignore": "*\n!requirements.txt\n!app.py\n!*/keep\nb/keep\n",
            "secret.txt": "no\n",
            "a/keep": "a\n",
            "b/keep": "b\n",
        },
        bump=BETA_BUMP,
        lane=True,
    ),
    Case(
        name="included-file-is-ignored-in-part",
        dockerfile="""\
FROM python:3.11-slim
COPY . /app/
WORKDIR /app
RUN pip install --no-cache-dir -r requirements/all.txt
""",
        install="pip install",
        files={
            "app.py": "",
            ".dockerignore": "**/*.txt\n!requirements/*.txt\nDockerfile\n",
            "requirements/all.txt": "-r base.txt\nlab-bulk==1.0\n",
            "requirements/base.txt": "lab-beta==1.0\n",
            "docs/notes.txt": "no\n",
        },
        bump=Bump(frozenset({BETA}), files={"requirements/base.txt": "lab-beta==1.1\n"}),
    ),
    Case(
        name="project-with-readme-and-dynamic-version",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir --no-build-isolation .
""",
        install="pip install",
        files={
            "pyproject.toml": _PROJECT,
            "README.md": "# service\n",
            "service/__init__.py": '__version__ = "1.0"\n',
            "service/main.py": "print('first')\n",
        },
        edit=("service/main.py", "print('edited')\n"),
        bump=Bump(
            frozenset({BETA}),
            files={"pyproject.toml": _PROJECT.replace("beta==1.0", "beta==1.1")},
        ),
        reruns=True,
    ),
    Case(
        name="setup-script-that-opens-files",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir .
""",
        install="pip install",
        files={
            **APP,
            "setup.py": _READING_SETUP,
            "README.md": "# reading\n",
            "VERSION": "1.0\n",
        },
        bump=BETA_BUMP,
        reruns=True,
        lane=True,
    ),
    Case(
        name="editable-project-then-source",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -e .
""",
        install="pip install",
        files={**APP, "setup.py": _READING_SETUP, "README.md": "# r\n", "VERSION": "1.0\n"},
        bump=BETA_BUMP,
        reruns=True,
    ),
    Case(
        name="build-argument-moved",
        dockerfile="""\
FROM python:3.11-slim
ARG VCS_REF
ARG BUILD_DATE
LABEL org.opencontainers.image.revision=$VCS_REF
ENV APP_REVISION=$VCS_REF
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -r requirements.txt
""",
        install="pip install",
        files=APP,
        bump=BETA_BUMP,
        arguments=(("VCS_REF=a1", "BUILD_DATE=1"), ("VCS_REF=b2", "BUILD_DATE=2")),
        lane=True,
    ),
    Case(
        name="chmod-between",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . /app
RUN chmod +x start.sh
RUN pip install --no-cache-dir -r requirements.txt
""",
        install="pip install",
        files={**APP, "start.sh": "#!/bin/sh\n"},
        bump=BETA_BUMP,
    ),
    Case(
        name="step-between-that-needs-the-source",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN python app.py > /seen
RUN pip install --no-cache-dir -r requirements.txt
""",
        install="pip install",
        files=APP,
        bump=BETA_BUMP,
        reruns=True,
        fix="part",
    ),
    Case(
        name="workdir-and-more-between",
        dockerfile="""\
FROM python:3.11-slim
COPY . /usr/src/app
EXPOSE 8000
WORKDIR /usr/src/app
ENV PYTHONPATH=/usr/src/app
RUN mkdir -p /data
RUN pip install --no-cache-dir -r requirements.txt
""",
        install="pip install",
        files=APP,
        bump=BETA_BUMP,
    ),
    Case(
        name="several-installs",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir wheel==0.44.0
RUN pip install --no-cache-dir -r requirements.txt
RUN pip install --no-cache-dir -r dev.txt
""",
        install="-r requirements.txt",
        files={**APP, "dev.txt": "lab-source==1.0\n"},
        bump=BETA_BUMP,
    ),
    Case(
        name="manifest-beside-source",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY requirements.txt app.py start.sh ./
RUN pip install --no-cache-dir -r requirements.txt
""",
        install="pip install",
        files={**APP, "start.sh": "#!/bin/sh\n"},
        bump=BETA_BUMP,
    ),
    Case(
        name="manifest-by-pattern-beside-source",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY --chown=33:33 *.txt *.py conf/ ./
RUN pip install --no-cache-dir -r requirements.txt
""",
        install="pip install",
        files={**APP, "conf/a.ini": "a\n"},
        bump=BETA_BUMP,
    ),
    Case(
        name="modes-and-owners",
        dockerfile="""\
FROM python:3.11-slim
RUN useradd -u 1000 -m app
WORKDIR /app
COPY --chown=app:app --chmod=750 . .
RUN pip install --no-cache-dir -r requirements.txt
USER app
""",
        install="pip install",
        files=APP,
        bump=BETA_BUMP,
    ),
    Case(
        name="folder-of-the-source-elsewhere",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /srv/site
COPY site /srv/site
COPY common ../common
RUN pip install --no-cache-dir -r requirements.txt -r ../common/requirements.txt
""",
        install="pip install",
        files={
            "site/app.py": "",
            "site/requirements.txt": "lab-alpha==1.0\n",
            "common/requirements.txt": "lab-beta==1.0\n",
            "common/util.py": "",
        },
        edit=("site/app.py", "print('edited')\n"),
        bump=Bump(frozenset({BETA}), files={"common/requirements.txt": "lab-beta==1.1\n"}),
    ),
    Case(
        name="target-folder-in-the-source",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir --target vendor -r requirements.txt
""",
        install="pip install",
        files={**APP, "vendor/lab_beta.py": "PATCHED = True\n"},
        bump=BETA_BUMP,
        reruns=True,
        fix="part",
    ),
    Case(
        name="source-copied-from-a-stage",
        dockerfile="""\
FROM debian:bookworm AS source
COPY . /src
RUN rm -f /src/Dockerfile

FROM python:3.11-slim
WORKDIR /app
COPY --from=source /src .
RUN pip install --no-cache-dir -r requirements.txt
""",
        install="pip install",
        files=APP,
        bump=BETA_BUMP,
        cut=BULK_CUT,
        reruns=True,
    ),
    Case(
        name="manifest-edited-before-the-install",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN sed -i '/bulk/d' requirements.txt
RUN pip install --no-cache-dir -r requirements.txt
""",
        install="pip install",
        files={**APP, "requirements.txt": REQUIREMENTS},
        bump=BETA_BUMP,
        reruns=True,
        fix="part",
    ),
    Case(
        name="pip-settings-in-the-project",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
ENV PIP_CONFIG_FILE=/app/pip.conf
RUN pip install --no-cache-dir -r requirements.txt
""",
        install="pip install",
        files={
            **APP,
            "pip.conf": (
                f"[global]\nindex-url = {INDEX}/simple/\n"
                "trusted-host = 127.0.0.1\nconstraint = /app/constraints.txt\n"
            ),
            "constraints.txt": "lab-gamma==1.0\n",
        },
        bump=BETA_BUMP,
        reruns=True,
        fix="part",
    ),
)
