"""The files that set up a shared mirror with devpi, and lead builds, pip and uv to it."""

from __future__ import annotations

from collections.abc import Mapping

from dfcache.record import record

DEVPI = "6.20.3"
"""The version of devpi-server that the mirror runs; the tests start this one."""

PYTHON = "3.13"
"""The Python of the mirror's image."""

PATH = "/root/pypi/+simple/"
"""Where devpi has its mirror of the package index."""


@record
class Recipe:
    """Where others find the mirror: the name of its host, and the port.

    ``index`` is the address that the project has for it already, "" where it has none.
    """

    host: str = "localhost"
    port: int = 3141
    index: str = ""

    @property
    def url(self) -> str:
        """The address of its index."""
        return self.index or f"http://{self.host}:{self.port}{PATH}"

    def files(self) -> Mapping[str, str]:
        """The text of each file by its name."""
        return {
            "compose.yaml": self._filled(_COMPOSE),
            "Dockerfile": self._filled(_DOCKERFILE),
            "pip.conf": self._filled(_PIP_CONF),
            "uv.toml": self._filled(_UV_TOML),
            "README.md": self._filled(_README),
        }

    def _filled(self, text: str) -> str:
        values = {"host": self.host, "port": str(self.port), "url": self.url}
        values |= {"devpi": DEVPI, "python": PYTHON}
        values["trusted"] = f"trusted-host = {self.host}\n" * self.url.startswith("http://")
        for name, value in values.items():
            text = text.replace(f"@{name}@", value)
        return text


def is_ours(dockerfile: str) -> bool:
    """Whether a Dockerfile is that of a mirror: it can't ask itself for what it is made of."""
    return dockerfile.replace("\r\n", "\n").startswith(_FIRST)


_FIRST = "# devpi, a mirror of the package index that keeps what was ever asked for.\n"
_DOCKERFILE = (
    _FIRST
    + """\
FROM python:@python@-slim
RUN useradd --uid 1000 devpi && install -d -o devpi /data
# Only for building this image itself behind a mirror.
ARG PIP_INDEX_URL
ARG PIP_TRUSTED_HOST
RUN --mount=type=cache,target=/root/.cache/pip \\
    pip install devpi-server==@devpi@
USER devpi
"""
)

_COMPOSE = """\
# Start it with: docker compose up --detach --wait
name: mirror
services:
  devpi:
    build: .
    # The password of root is one that nobody knows: whoever reaches the port can install, but
    # neither upload nor change anything.
    command:
      - sh
      - -ec
      - |
        test -d /data/server || {
          rm -rf /data/new
          devpi-init --serverdir /data/new --root-passwd "$$(head -c 24 /dev/urandom | base64)"
          mv /data/new /data/server
        }
        exec devpi-server --serverdir /data/server --host 0.0.0.0 --port 3141 \\
          --restrict-modify root --request-timeout 30
    environment:
      # Any text: serve what is there, and ask nobody.
      DEVPISERVER_OFFLINE_MODE: "${DEVPISERVER_OFFLINE_MODE:-}"
    volumes:
      - packages:/data
    ports:
      - "@port@:3141"
    restart: unless-stopped
    healthcheck:
      test:
        - CMD
        - python
        - -c
        - from urllib.request import urlopen; urlopen("http://127.0.0.1:3141/+api", timeout=5)
      interval: 5s
      timeout: 10s
      retries: 6
      # At the first start it fetches the names of all projects before it answers: about a minute,
      # more on a slow line.
      start_period: 10m
volumes:
  packages:
"""

_PIP_CONF = """\
# ~/.config/pip/pip.conf, or the file that PIP_CONFIG_FILE names.
[global]
index-url = @url@
@trusted@"""

_UV_TOML = """\
# ~/.config/uv/uv.toml, or the file that UV_CONFIG_FILE names. Plain http needs no more; behind
# https with a certificate of your own: allow-insecure-host = ["@host@:@port@"]
[[index]]
url = "@url@"
default = true
"""

_README = """\
# A mirror of the package index

devpi keeps every package that was asked for once, and hands it out when the package index is slow,
down or out of reach. In this folder:

    docker compose up --detach --wait
    dfcache mirror --check @url@ ..

The first start takes a minute or more: devpi fetches the names of all projects. `--check` tells
whether it answers, and whether it has all that the Dockerfiles of the project ask for.

## In Dockerfiles

Before the first install of each stage, and never as ENV, which would stay in the image:

    ARG PIP_INDEX_URL
    ARG PIP_TRUSTED_HOST

For uv it is `ARG UV_DEFAULT_INDEX` (up to uv 0.4.22 `UV_INDEX_URL`); it needs no trusted host.
`dfcache fix` adds them, with the address as default, where the configuration has

    index-url = "@url@"

That address has to be right for everybody: in a build `localhost` is not this machine, unless it
runs with `--network=host`. `dfcache mirror --host NAME` says all of this for a machine with a name.

## How a build reaches it

    docker build --build-arg PIP_INDEX_URL=http://HOST:@port@/root/pypi/+simple/ \\
      --build-arg PIP_TRUSTED_HOST=HOST .

| the mirror runs | HOST | further options |
|---|---|---|
| on a machine with a name | that name | |
| where the build runs | `host.docker.internal` | `--add-host=host.docker.internal:host-gateway` |
| there, on Linux | `127.0.0.1` | `--network=host` |
| in the network of this compose file | `devpi`, port 3141 | `--builder mirrored --load` |

For the last one, a builder in that network:
`docker buildx create --name mirrored --driver-opt network=mirror_default`.

In a compose file the same goes under `build`: `args`, `extra_hosts`, `network: host`. With uv:
`--build-arg UV_DEFAULT_INDEX=…`.

The trusted host is not only needed for pip to take plain http: without it, pip caches nothing of
what it downloads from there.

## Outside of builds

`pip.conf` and `uv.toml` in this folder say the same to pip and uv on a machine. What `uv.lock`
holds are addresses: lock with the mirror as the index, or `uv sync` goes past it.

## Without a network

    DEVPISERVER_OFFLINE_MODE=1 docker compose up --detach --wait

serves what it has, without waiting for an index that can't be reached.

## With a password

If the mirror stands behind a login, the address with user and password is a secret: a build
argument can be read in the history of the image.

    RUN --mount=type=secret,id=index,env=PIP_INDEX_URL \\
        pip install -r requirements.txt

    PIP_INDEX_URL=https://user:password@… docker build --secret id=index,env=PIP_INDEX_URL .

Builders older than Dockerfile 1.10 mount a whole file instead:
`--mount=type=secret,id=pip,target=/root/.config/pip/pip.conf`.
"""
