"""Trees of Dockerfiles to measure with: realistic ones from a seed, or those of a corpus."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from string import Template

SHAPES = (
    """\
FROM python:$python-slim

ENV PYTHONUNBUFFERED=1 \\
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -r requirements.txt
EXPOSE $port
CMD ["gunicorn", "--bind", "0.0.0.0:$port", "$name.wsgi"]
""",
    """\
FROM python:$python
# $comment
WORKDIR /srv/$name
COPY requirements.txt .
RUN pip install --upgrade pip && pip install -r requirements.txt
COPY . .
CMD python -m $name --port $port
""",
    """\
FROM python:$python-slim AS build
RUN apt-get update && \\
    apt-get install -y --no-install-recommends gcc $system && \\
    rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY requirements.txt ./
RUN python -m venv /opt/venv && /opt/venv/bin/pip install -r requirements.txt

FROM python:$python-slim
ARG GIT_SHA
LABEL org.opencontainers.image.revision=$$GIT_SHA
RUN useradd --create-home --uid 1000 app
COPY --from=build /opt/venv /opt/venv
USER app
COPY --chown=app . /home/app
ENTRYPOINT ["/opt/venv/bin/python", "-m", "$name"]
""",
    """\
# syntax=docker/dockerfile:1
FROM python:$python-slim
WORKDIR /app
COPY requirements.txt .
RUN --mount=type=cache,target=/root/.cache/pip \\
    pip install -r requirements.txt
COPY . .
HEALTHCHECK --interval=30s CMD curl -f http://localhost:$port/ || exit 1
CMD ["python", "-m", "$name"]
""",
    """\
FROM debian:bookworm-slim
LABEL maintainer="$name@example.com"
ENV DEBIAN_FRONTEND=noninteractive
RUN set -eux; \\
    apt-get update; \\
    # $comment
    apt-get install -y --no-install-recommends \\
        ca-certificates \\
        curl \\
        $system \\
        python3-pip \\
    ; \\
    rm -rf /var/lib/apt/lists/*
RUN curl -fsSL https://example.com/$name-$version.tar.gz | tar -xz -C /opt \\
 && ln -s /opt/$name-$version/bin/$name /usr/local/bin/$name
COPY . /opt/work
RUN cd /opt/work && pip3 install --no-cache-dir --break-system-packages $package==$version
CMD ["$name"]
""",
    """\
FROM node:$node-alpine AS assets
WORKDIR /web
COPY package*.json ./
RUN npm ci
COPY . .
RUN npm run build

FROM nginx:1.27
COPY --from=assets /web/dist /usr/share/nginx/html
EXPOSE 80
""",
    """\
FROM golang:1.23 AS build
WORKDIR /go/src/$name
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -ldflags "-X main.version=$version" -o /$name ./cmd/$name

FROM scratch
COPY --from=build /$name /$name
ENTRYPOINT ["/$name"]
""",
    """\
FROM python:$python-slim
COPY --from=ghcr.io/astral-sh/uv:0.5 /uv /bin/
WORKDIR /app
ENV UV_COMPILE_BYTECODE=1
COPY . .
RUN uv pip install --system --no-cache -r requirements.txt
RUN uv pip install --system $package==$version
CMD ["python", "-m", "$name"]
""",
    """\
FROM alpine:3.20
RUN apk add --no-cache bash curl $system python3 py3-pip
COPY entrypoint.sh /
RUN chmod +x /entrypoint.sh && if [ "$$(uname -m)" = x86_64 ]; then \\
      curl -fsSLo /usr/local/bin/$name "https://example.com/$name?v=$version"; \\
    else \\
      echo "no $name for $$(uname -m)" >&2; exit 1; \\
    fi
ENTRYPOINT ["/entrypoint.sh"]
CMD ["--port", "$port"]
""",
    """\
ARG PYTHON=$python
FROM python:$${PYTHON}-slim
ARG DEBIAN_FRONTEND=noninteractive
RUN <<EOF
set -e
apt-get update
apt-get install -y $system
EOF
COPY requirements.txt app.py /app/
WORKDIR /app
RUN python -m pip install --no-cache-dir -r requirements.txt \\
    && python -m pip install $package==$version \\
    && rm -rf /root/.cache
VOLUME /data
STOPSIGNAL SIGINT
CMD ["python", "app.py"]
""",
)
WORDS = {
    "python": ("3.9", "3.10", "3.11", "3.12", "3.13"),
    "node": ("18", "20", "22"),
    "port": ("80", "5000", "8000", "8080"),
    "name": ("shop", "worker", "gateway", "reports", "search", "mailer", "billing"),
    "system": ("git", "libpq-dev", "libxml2-dev libxslt1-dev", "build-essential", "ffmpeg"),
    "package": ("flask", "django", "numpy", "requests", "celery[redis]", "uvicorn"),
    "version": ("1.0", "2.3.1", "0.9", "4.2.16"),
    "comment": ("pinned: see the wiki", "TLS needs these", "the big ones first", "keep sorted"),
}
REQUIREMENTS = "flask==3.1.0\nsqlalchemy==2.0.36\ngunicorn==23.0.0\n"


def generated(seed: int = 1) -> Iterator[str]:
    """Dockerfiles without end, the same for the same seed."""
    chance = random.Random(seed)
    while True:
        words = {key: chance.choice(values) for key, values in WORDS.items()}
        yield Template(chance.choice(SHAPES)).substitute(words)


def recorded(corpus: Path) -> Iterator[str]:
    """The field ``text`` of the records of a gzipped file of JSON lines."""
    with gzip.open(corpus, "rt", encoding="utf-8", newline="") as lines:
        for line in lines:
            record = json.loads(line)
            if "text" in record:
                yield record["text"]


def plant(folder: Path, count: int, corpus: Path | None) -> list[Path]:
    """Write ``count`` projects below ``folder``, ten to a folder; their Dockerfiles.

    A generated one has a small build context; fewer are written where the corpus is short.
    """
    sources = generated() if corpus is None else recorded(corpus)
    planted = []
    for number, source in enumerate(islice(sources, count)):
        project = folder / f"team{number // 10:04}" / f"project{number:05}"
        project.mkdir(parents=True)
        if corpus is None:
            (project / "requirements.txt").write_text(REQUIREMENTS)
            (project / "app.py").write_text("print('up')\n")
        planted.append(project / "Dockerfile")
        planted[-1].write_bytes(source.encode())
    return planted
