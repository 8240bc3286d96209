"""The cases: small projects that throw downloads away, for `dfcache fix` to mend."""

from __future__ import annotations

from cases_commands import COMMANDS
from cases_held import HELD
from cases_order import ORDER
from cases_project import PROJECT
from cases_switches import SWITCHES
from cases_users import USERS
from lab.cases import Bump, Case, Cut
from parts import APP, BETA, BETA_BUMP, BULK, BULK_CUT, LEFT, SOURCE, npm

CORE = (
    Case(
        name="pip-root",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -r requirements.txt
CMD ["python", "app.py"]
""",
        install="pip install",
        files=APP,
        bump=BETA_BUMP,
        cut=BULK_CUT,
    ),
    Case(
        name="pip-environment-switch",
        dockerfile="""\
FROM python:3.11-slim
ENV PIP_NO_CACHE_DIR=1 PYTHONUNBUFFERED=1
WORKDIR /app
COPY requirements.txt ./
RUN python -m pip install -r requirements.txt && rm -rf ~/.cache
COPY . .
""",
        install="pip install",
        files=APP,
        bump=BETA_BUMP,
        cut=BULK_CUT,
    ),
    Case(
        name="pip-user",
        dockerfile="""\
FROM python:3.11-slim
RUN useradd --create-home --uid 1000 app
USER app
WORKDIR /home/app/src
COPY --chown=app:app . .
RUN pip install --user -r requirements.txt --no-cache-dir
""",
        install="pip install",
        files=APP,
        bump=BETA_BUMP,
        cut=BULK_CUT,
    ),
    Case(
        name="pip-uid-without-entry",
        dockerfile="""\
FROM python:3.11-slim
RUN python -m venv /venv && chown -R 1000 /venv
ENV PATH=/venv/bin:$PATH
USER 1000
COPY . /srv/
RUN pip install --no-cache-dir -r /srv/requirements.txt
""",
        install="pip install",
        files=APP,
        bump=BETA_BUMP,
        cut=BULK_CUT,
    ),
    Case(
        name="pip-stages",
        dockerfile="""\
FROM python:3.11-slim AS build
WORKDIR /src
COPY . .
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir -r requirements.txt

FROM python:3.11-slim
COPY --from=build /venv /venv
COPY app.py /app/
""",
        install="pip install",
        files=APP,
        bump=BETA_BUMP,
        cut=BULK_CUT,
    ),
    Case(
        name="pip-names-in-the-command",
        dockerfile="""\
FROM python:3.11-slim
COPY app.py /app/
RUN pip3 install --no-cache-dir \\
    # the big one
    lab-bulk==1.0 \\
    lab-source==1.0
""",
        install="pip3 install",
        files=APP,
        bump=Bump(frozenset({SOURCE}), dockerfile=("source==1.0", "source==1.1")),
        cut=Cut("lab_bulk", missing=frozenset({BULK, "lab_source-1.0.tar.gz"})),
    ),
    Case(
        name="pip-included-requirements",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -r requirements/dev.txt
""",
        install="pip install",
        files={
            "app.py": "print('first')\n",
            "requirements/dev.txt": "-r base.txt\n-c constraints.txt\nlab-beta\n",
            "requirements/base.txt": "lab-alpha==1.0\nlab-bulk==1.0\n",
            "requirements/constraints.txt": "lab-beta==1.0\n",
        },
        bump=Bump(frozenset({BETA}), files={"requirements/constraints.txt": "lab-beta==1.1\n"}),
    ),
    Case(
        name="pip-heredoc",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN <<EOF
set -e
pip install --no-cache-dir -r requirements.txt
mkdir -p /data
EOF
""",
        install="<<EOF",
        files=APP,
        bump=BETA_BUMP,
        cut=BULK_CUT,
    ),
    Case(
        name="uv-pip",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN uv pip install --system --no-cache -r requirements.txt
""",
        install="uv pip install",
        files=APP,
        bump=BETA_BUMP,
        # uv downloads side by side: what was finished when the cut came is not certain.
    ),
    Case(
        name="apt-get",
        dockerfile="""\
FROM debian:bookworm
COPY . /app
RUN apt-get update && apt-get install -y --no-install-recommends lab-tool lab-heavy \\
 && rm -rf /var/lib/apt/lists/*
""",
        install="apt-get",
        files=APP,
        bump=Bump(
            frozenset({"lab-other_1.0_all.deb"}), dockerfile=("lab-heavy", "lab-heavy lab-other")
        ),
        cut=Cut("lab-heavy", missing=frozenset({"lab-heavy_1.0_all.deb"})),
    ),
    Case(
        name="apt",
        dockerfile="""\
FROM debian:bookworm
COPY . /app
RUN apt update && apt install -y lab-tool lab-heavy && apt clean && rm -rf /var/lib/apt/lists/*
""",
        install="apt update",
        files=APP,
        bump=Bump(
            frozenset({"lab-other_1.0_all.deb"}), dockerfile=("lab-heavy", "lab-heavy lab-other")
        ),
        cut=Cut("lab-heavy", missing=frozenset({"lab-heavy_1.0_all.deb"})),
    ),
    Case(
        name="npm-ci",
        dockerfile="""\
FROM node:20-slim
WORKDIR /app
COPY . .
RUN npm ci && npm cache clean --force
""",
        install="npm ci",
        files={"app.py": "", **npm("1.0.0")},
        bump=Bump(frozenset({LEFT}), files=npm("1.1.0")),
    ),
    Case(
        name="npm-user",
        dockerfile="""\
FROM node:20-slim
USER node
WORKDIR /home/node/app
COPY --chown=node:node . .
RUN npm ci
""",
        install="npm ci",
        files={"app.py": "", **npm("1.0.0")},
        bump=Bump(frozenset({LEFT}), files=npm("1.1.0")),
    ),
)

MORE = (*USERS, *SWITCHES, *COMMANDS, *ORDER, *PROJECT, *HELD)
CASES = (*CORE, *MORE)
# Every kind of case, for CI.
LANE = (*CORE, *(case for case in MORE if case.lane))
