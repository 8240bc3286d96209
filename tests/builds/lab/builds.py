"""Running one build, and reading which of its steps ran and which came from the cache."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.engine import Engine


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a build as BuildKit names it, such as `RUN pip install -r requirements.txt`."""

    name: str
    cached: bool
    error: str
    output: str


@dataclass(frozen=True, slots=True)
class Build:
    """A finished build. `ok` tells whether it worked; `log` is all it printed."""

    ok: bool
    steps: tuple[Step, ...]
    log: str

    def ran(self, text: str) -> bool:
        """Whether a step with this text in its name really ran; KeyError if there is none."""
        return any(not step.cached for step in self._of(text))

    def output(self, text: str) -> str:
        return "".join(step.output for step in self._of(text))

    def _of(self, text: str) -> list[Step]:
        found = [step for step in self.steps if text in step.name]
        if not found:
            raise KeyError(f"no step has {text!r}: {[step.name for step in self.steps]}")
        return found


@dataclass(slots=True)
class Builder:
    """Builds of one case. Another `name` shares no layer and no cache mount with this one.

    A name is in no file of the image: it is the namespace of the cache mounts, and a line of
    /etc/hosts while steps run, which BuildKit counts among what a step depends on.
    """

    engine: Engine
    images: Mapping[str, str]
    name: str
    options: list[str] = field(default_factory=list)

    def build(
        self,
        context: Path,
        dockerfile: str | None = None,
        tar: Path | None = None,
        options: Sequence[str] = (),
    ) -> Build:
        """Build `context`, with the text of another Dockerfile if given, to a tar if given."""
        command = [self.engine.docker, "buildx", "build", "--progress=rawjson", "--network=host"]
        command += [f"--build-arg=BUILDKIT_CACHE_MOUNT_NS={self.name}"]
        command += [f"--add-host={self.name}:127.0.0.1"]
        command += [
            f"--build-context={public}=docker-image://{image}"
            for public, image in self.images.items()
        ]
        if tar is not None:
            command += [f"--output=type=tar,dest={tar}"]
        command += [*self.options, *options]
        if dockerfile is not None:
            command += ["--file=-"]
        done = subprocess.run(
            [*command, str(context)],
            input=dockerfile or "",
            capture_output=True,
            text=True,
            env={**os.environ, **self.engine.env},
            timeout=900,
            check=False,
        )
        return _read(done.returncode == 0, done.stderr)


def _read(ok: bool, printed: str) -> Build:
    """Gather BuildKit's stream of status messages (`--progress=rawjson`) by step."""
    vertexes: dict[str, dict[str, Any]] = {}
    outputs: dict[str, str] = {}
    rest = ""
    decoder = json.JSONDecoder()
    at = 0
    while at < len(printed):
        if printed[at] != "{":
            end = printed.find("\n", at)
            end = len(printed) if end < 0 else end + 1
            rest += printed[at:end]
            at = end
            continue
        message, at = decoder.raw_decode(printed, at)
        for vertex in message.get("vertexes", ()):
            vertexes.setdefault(vertex["digest"], {}).update(vertex)
        for log in message.get("logs", ()):
            text = base64.b64decode(log["data"]).decode(errors="replace")
            outputs[log["vertex"]] = outputs.get(log["vertex"], "") + text
    steps = tuple(
        Step(
            name=_plain(vertex["name"]),
            cached=bool(vertex.get("cached")) or "started" not in vertex,
            error=vertex.get("error", ""),
            output=outputs.get(digest, ""),
        )
        for digest, vertex in vertexes.items()
        if not vertex["name"].startswith("[internal]")
    )
    log = "".join(f"{s.name}\n{s.output}{s.error}\n" for s in steps) + rest
    return Build(ok, steps, log)


def _plain(name: str) -> str:
    """`[stage-0 2/4] RUN x` -> `RUN x`."""
    return name.split("] ", 1)[1] if name.startswith("[") and "] " in name else name
