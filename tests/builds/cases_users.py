"""Whose cache it is: users with and without a uid, homes and cache folders that are moved."""

from __future__ import annotations

from lab.cases import Bump, Case
from parts import APP, BETA_BUMP, BULK_CUT, LEFT, npm

USERS = (
    Case(
        name="user-without-uid",
        dockerfile="""\
FROM python:3.11-slim
RUN useradd --create-home app
USER app
WORKDIR /home/app/src
COPY --chown=app:app requirements.txt ./
RUN pip install --user --no-cache-dir -r requirements.txt
COPY --chown=app:app . .
""",
        install="pip install",
        files=APP,
        bump=BETA_BUMP,
        cut=BULK_CUT,
        fix="unsafe",
        lane=True,
    ),
    Case(
        name="user-of-a-group-with-its-gid",
        dockerfile="""\
FROM python:3.11-slim
RUN groupadd -g 2000 team \\
 && useradd -m -u 1500 -g team -d /srv/app app
USER app:team
COPY --chown=app:team . /srv/app/code/
RUN cd /srv/app/code && python -m pip install --user --no-cache-dir -r requirements.txt
""",
        install="pip install",
        files=APP,
        bump=BETA_BUMP,
        caches=("/srv/app/.cache",),
    ),
    Case(
        name="user-by-build-argument",
        dockerfile="""\
FROM python:3.11-slim
ARG UID=1000
RUN useradd --create-home --uid $UID app
USER app
WORKDIR /home/app
COPY --chown=app requirements.txt ./
RUN pip install --user --no-cache-dir -r requirements.txt
COPY --chown=app . .
""",
        install="pip install",
        files=APP,
        bump=BETA_BUMP,
        fix="none",
    ),
    Case(
        name="user-of-a-script",
        dockerfile="""\
FROM python:3.11-slim
COPY users.sh /tmp/
RUN sh /tmp/users.sh
USER someone
WORKDIR /home/someone
COPY --chown=someone requirements.txt ./
RUN pip install --user --no-cache-dir -r requirements.txt
COPY --chown=someone . .
""",
        install="pip install",
        files={**APP, "users.sh": "useradd -m -u 1234 someone\n"},
        bump=BETA_BUMP,
        fix="none",
        lane=True,
    ),
    Case(
        name="user-back-to-root",
        dockerfile="""\
FROM python:3.11-slim
RUN adduser --disabled-password --gecos "" --uid 1001 app
USER app
WORKDIR /home/app
COPY --chown=1001 . .
USER root
RUN pip3 install --no-cache-dir -r requirements.txt
USER app
""",
        install="pip3 install",
        files=APP,
        bump=BETA_BUMP,
    ),
    Case(
        name="home-moved",
        dockerfile="""\
FROM python:3.11-slim
ENV HOME=/srv/home LANG=C.UTF-8
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -r requirements.txt
""",
        install="pip install",
        files=APP,
        bump=BETA_BUMP,
        lane=True,
    ),
    Case(
        name="xdg-cache-home-moved",
        dockerfile="""\
FROM python:3.11-slim
ENV XDG_CACHE_HOME=/var/lib/app/cache
WORKDIR /app
COPY . .
RUN pip install -r requirements.txt --no-cache-dir && rm -rf ~/.cache
""",
        install="pip install",
        files=APP,
        bump=BETA_BUMP,
    ),
    Case(
        name="pip-cache-dir-moved",
        dockerfile="""\
FROM python:3.11-slim
ENV PIP_CACHE_DIR=/opt/pip-cache \\
    PIP_NO_CACHE_DIR=yes
WORKDIR /app
COPY . .
RUN pip install -r requirements.txt
""",
        install="pip install",
        files=APP,
        bump=BETA_BUMP,
    ),
    Case(
        name="cache-dir-option-and-purge",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install --cache-dir=/opt/cache -r requirements.txt && rm -rf /opt/cache
""",
        install="pip install",
        files=APP,
        bump=BETA_BUMP,
        cut=BULK_CUT,
    ),
    Case(
        name="mount-that-misses-and-mount-of-root",
        dockerfile="""\
FROM python:3.11-slim AS one
WORKDIR /app
COPY requirements.txt .
RUN --mount=type=cache,target=~/.cache/pip pip install -r requirements.txt

FROM one
RUN useradd -m -u 1000 app
USER 1000:1000
WORKDIR /home/app
COPY requirements.txt app.py ./
RUN --mount=type=cache,target=/home/app/.cache/pip pip install --user -I -r requirements.txt
""",
        install="pip install --user",
        files=APP,
        bump=BETA_BUMP,
    ),
    Case(
        name="npm-cache-moved",
        dockerfile="""\
FROM node:20-slim
ENV NODE_ENV=production npm_config_cache=/tmp/npm-cache
WORKDIR /usr/src/app
COPY package*.json app.py ./
RUN npm ci --omit=dev && rm -rf /tmp/npm-cache
""",
        install="npm ci",
        files={"app.py": "", **npm("1.0.0")},
        bump=Bump(frozenset({LEFT}), files=npm("1.1.0")),
    ),
    Case(
        name="uv-user-and-switch",
        dockerfile="""\
FROM python:3.11-slim
ENV UV_NO_CACHE=1
RUN useradd -m -u 1000 app && mkdir /venv && chown app /venv
USER app
RUN python -m venv /venv/app
ENV VIRTUAL_ENV=/venv/app PATH=/venv/app/bin:$PATH
WORKDIR /home/app
COPY --chown=app . .
RUN uv pip install -r requirements.txt
""",
        install="uv pip install",
        files=APP,
        bump=BETA_BUMP,
    ),
)
