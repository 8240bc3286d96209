"""The cache switched off, in every spelling that pip takes."""

from __future__ import annotations

from lab.cases import Bump, Case
from parts import APP, BETA_BUMP, NOT_KEPT


def _case(name: str, dockerfile: str, bump: Bump = BETA_BUMP, lane: bool = False) -> Case:
    return Case(
        name=f"switch-{name}",
        dockerfile=dockerfile,
        install="pip install",
        files=APP,
        bump=bump,
        fix="part" if bump is NOT_KEPT else "safe",
        lane=lane,
    )


SWITCHES = (
    _case(
        "env-alone-legacy-form",
        """\
FROM python:3.11-slim
ENV PIP_NO_CACHE_DIR 1
WORKDIR /app
COPY . .
RUN pip install -r requirements.txt
""",
    ),
    _case(
        "env-first-line",
        """\
FROM python:3.11-slim
ENV PIP_NO_CACHE_DIR=off \\
    PYTHONUNBUFFERED=1 \\
    PYTHONPATH="/app:/srv"
WORKDIR /app
COPY . .
RUN pip install -r requirements.txt && echo "$PYTHONPATH $PYTHONUNBUFFERED" > /seen
""",
    ),
    _case(
        "env-middle-line",
        """\
FROM python:3.11-slim
ENV PYTHONUNBUFFERED=1 \\
    # no cache, please
    PIP_NO_CACHE_DIR=1 \\

    GREETING="a   b"
WORKDIR /app
COPY . .
RUN pip install -r requirements.txt && echo "$GREETING" > /seen
""",
        lane=True,
    ),
    _case(
        "env-last-line",
        """\
FROM python:3.11-slim
ENV PYTHONDONTWRITEBYTECODE=1 \\
    PIP_DISABLE_PIP_VERSION_CHECK=on \\
    PIP_NO_CACHE_DIR="true"

COPY . /app
WORKDIR /app
RUN pip install -r requirements.txt
""",
    ),
    _case(
        "argument",
        """\
FROM python:3.11-slim
ARG PIP_NO_CACHE_DIR=1
WORKDIR /app
COPY . .
RUN pip install -r requirements.txt
""",
        lane=True,
    ),
    _case(
        "assignment",
        """\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN PIP_NO_CACHE_DIR=1 PYTHONHASHSEED=0 pip install -r requirements.txt
""",
    ),
    _case(
        "export",
        """\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN export PIP_NO_CACHE_DIR=1 && pip install -r requirements.txt
""",
        NOT_KEPT,
    ),
    _case(
        "export-of-several",
        """\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN export PIP_NO_CACHE_DIR=1 GREETING="a   b" \\
 && pip install -r requirements.txt \\
 && echo "$GREETING" > /seen
""",
        NOT_KEPT,
    ),
    _case(
        "env-program",
        """\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN env PIP_NO_CACHE_DIR=1 pip install -r requirements.txt
""",
        NOT_KEPT,
    ),
    Case(
        name="switch-inherited-by-stages",
        dockerfile="""\
FROM python:3.11-slim AS base
ENV PIP_NO_CACHE_DIR=1 LANG=C.UTF-8
WORKDIR /app

FROM base AS build
COPY . .
RUN pip install --prefix=/out -r requirements.txt

FROM base
COPY --from=build /out /usr/local
RUN python3 -m pip install lab-source==1.0
COPY app.py .
""",
        install="--prefix=/out",
        files=APP,
        bump=BETA_BUMP,
        reruns=True,
        fix="part",
    ),
)
