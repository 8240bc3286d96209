"""Wheels made in a container: of sources, by the tools of the stage that will install them."""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from dfcache.builders.docker import Docker, Tell
from dfcache.model.build import Build, RunStep
from dfcache.parser import encode
from dfcache.record import record

_OUT = "/dfcache-wheels"
_IN = "/dfcache-sources"
_CONF = "/dfcache-pip.conf"


@record
class Place:
    """Where wheels are made: in the stage of ``step``, as it is before that."""

    build: Build
    step: RunStep
    context: str
    platform: str


def make_wheels(
    docker: Docker,
    place: Place,
    wanted: Sequence[str],
    sources: Path,
    to: Path,
    settings: Mapping[str, str],
    tell: Tell,
) -> tuple[Path, ...]:
    """Build a wheel of each of ``wanted``, without its dependencies; the wheels, in ``to``.

    They are names of files in the folder ``sources``, or what else pip takes. ``settings`` are for
    pip's configuration; they may hold passwords, and get into no layer. Raises BuilderError.
    """
    before = set(os.listdir(to))
    with tempfile.TemporaryDirectory(prefix="dfcache-") as folder:
        dockerfile = os.path.join(folder, "Dockerfile")
        Path(dockerfile).write_bytes(encode(dockerfile_for(place, wanted, sources)))
        _ignore_file(place, dockerfile)
        conf = os.path.join(folder, "pip.conf")
        lines = ["[global]", *(f"{name} = {value}" for name, value in settings.items())]
        Path(conf).write_text("\n".join(lines) + "\n", encoding="utf-8")
        os.chmod(conf, 0o600)
        options = (
            f"--build-context=dfcache-sources={sources}",
            f"--secret=id=dfcache-pip,src={conf}",
            f"--platform={place.platform}",
        )
        docker.export(str(to), place.context, dockerfile, options, tell)
    return tuple(sorted(to / n for n in set(os.listdir(to)) - before if n.endswith(".whl")))


def dockerfile_for(place: Place, wanted: Sequence[str], sources: Path) -> str:
    """The Dockerfile up to the step, with the making of the wheels behind."""
    source = place.build.dockerfile.source
    newline = "\r\n" if "\r\n" in source else "\n"
    head = source[: place.step.outer.span.start]
    operands = " ".join(
        shlex.quote(f"{_IN}/{each}" if (sources / each).is_file() else each) for each in wanted
    )
    command = (
        f"PIP_CONFIG_FILE={_CONF} {_pip(place.step)} wheel --no-deps --disable-pip-version-check "
        f"--wheel-dir={_OUT} {operands}"
    )
    lines = [
        "USER 0",
        # Names of folders are looked for in the working directory first.
        f"WORKDIR {_OUT}",
        "RUN --mount=type=cache,id=dfcache-vendor,target=/root/.cache/pip "
        f"--mount=type=bind,from=dfcache-sources,target={_IN} "
        f"--mount=type=secret,id=dfcache-pip,target={_CONF} " + _words("/bin/sh", "-c", command),
        "FROM scratch",
        f"COPY --from={place.step.stage} {_OUT} /",
    ]
    return head + newline.join(lines) + newline


def _pip(step: RunStep) -> str:
    """How the step calls pip; where it uses uv, the pip of the image's Python."""
    for use in step.uses:
        if use.tool.name == "pip" and use.invocation.path:
            program = use.invocation.path
            name = program.rpartition("/")[2]
            return f"{program} -m pip" if name.startswith("python") else program
    return "python3 -m pip"


def _words(*words: str) -> str:
    import json

    return json.dumps(list(words), ensure_ascii=False)


def _ignore_file(place: Place, dockerfile: str) -> None:
    """Give the copy of the Dockerfile the ignore file that the Dockerfile has."""
    own = Path(place.context, ".dockerignore")
    if own.is_file():
        Path(f"{dockerfile}.dockerignore").write_bytes(own.read_bytes())
