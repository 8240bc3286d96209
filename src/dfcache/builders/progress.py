"""What a build says while it runs: ``docker buildx build --progress=rawjson`` and ``=plain``.

rawjson, known to buildx from 0.13 on, is a stream of BuildKit's status messages
(``client.SolveStatus``): some versions print each on many lines, others on one. Everything
else that comes is the client's own, such as the error at the end.
"""

from __future__ import annotations

import re
from typing import Any, Protocol

from dfcache.record import record

_STEP = r"\[(?:([^\]]*) )?(\d+)/\d+\] (.*)"
_PLAIN = r"#(\d+) (.*)"
_LOG = r"\d+\.\d+ ?(.*)"
_DONE = r"DONE (\d+\.\d+)s"


@record
class Step:
    """A step of a build, such as ``RUN pip install flask``: an instruction that makes a layer.

    ``ran`` is False where it came from the cache, or was never reached. ``output`` is what it
    printed, ``error`` what made it fail, "" if nothing did.
    """

    name: str
    ran: bool
    output: str
    error: str


class Progress(Protocol):
    """Reads what a build prints, line by line."""

    def line(self, text: str) -> None:
        """Take the next line, without its end."""

    def current(self) -> str:
        """The step that started last, or ""."""

    def steps(self) -> tuple[Step, ...]:
        """The steps so far in the order of their stages; no base images, none of the builder."""

    def pulling(self) -> float:
        """The seconds that it took to get the base image that took longest."""

    def rest(self) -> str:
        """What the client printed itself."""


class _Vertex:
    """What is known of one part of a build."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.started = False
        self.cached = False
        self.seconds = 0.0
        self.error = ""
        self.output: list[str] = []

    def instruction(self) -> str | None:
        """The instruction it is, or None where the builder made it up."""
        found = re.match(_STEP, self.name)
        return found[3] if found else None

    def place(self) -> tuple[str, int]:
        """Its stage, and its number there."""
        found = re.match(_STEP, self.name)
        return (found[1] or "", int(found[2])) if found else ("", 0)


class _Base:
    def __init__(self) -> None:
        self._vertexes: dict[str, _Vertex] = {}
        self._rest: list[str] = []
        self._current = ""

    def current(self) -> str:
        return self._current

    def steps(self) -> tuple[Step, ...]:
        found = []
        stages = list(dict.fromkeys(each.place()[0] for each in self._vertexes.values()))

        def place(vertex: _Vertex) -> tuple[int, int]:
            stage, number = vertex.place()
            return stages.index(stage), number

        for each in sorted(self._vertexes.values(), key=place):
            name = each.instruction()
            if name is not None and not name.startswith("FROM "):
                ran = each.started and not each.cached
                found.append(Step(name, ran, "".join(each.output), each.error))
        return tuple(found)

    def pulling(self) -> float:
        bases = (
            each.seconds
            for each in self._vertexes.values()
            if (each.instruction() or "").startswith("FROM ")
        )
        return max(bases, default=0.0)

    def rest(self) -> str:
        return "\n".join(self._rest)

    def _note(self, vertex: _Vertex) -> None:
        self._current = vertex.instruction() or self._current


class RawJson(_Base):
    """Reads ``--progress=rawjson``."""

    def __init__(self) -> None:
        super().__init__()
        self._open: list[str] = []

    def line(self, text: str) -> None:
        """See Progress. A message ends with the brace that stands where it began."""
        text = text.rstrip("\r")
        if not self._open and not text.startswith("{"):
            if text:
                self._rest.append(text)
            return
        self._open.append(text)
        if text == "}" or (len(self._open) == 1 and text.endswith("}")):
            self._message("\n".join(self._open))
            self._open = []

    def _message(self, text: str) -> None:
        import json

        try:
            message = json.loads(text)
        except ValueError:
            self._rest.append(text)
            return
        for vertex in message.get("vertexes") or ():
            self._vertex(vertex)
        for log in message.get("logs") or ():
            self._log(log)

    def _vertex(self, told: dict[str, Any]) -> None:
        vertex = self._vertexes.setdefault(told["digest"], _Vertex(told.get("name", "")))
        vertex.cached = vertex.cached or bool(told.get("cached"))
        vertex.error = told.get("error") or vertex.error
        if told.get("started"):
            vertex.started = True
            self._note(vertex)
            if told.get("completed"):
                vertex.seconds = _between(told["started"], told["completed"])

    def _log(self, log: dict[str, Any]) -> None:
        import base64

        vertex = self._vertexes.get(log["vertex"])
        if vertex is not None:
            vertex.output.append(base64.b64decode(log["data"]).decode("utf-8", "replace"))


class Plain(_Base):
    """Reads ``--progress=plain``: ``#7 [2/4] RUN …``, ``#7 0.312 its output``, ``#7 DONE 1.2s``."""

    def line(self, text: str) -> None:
        """See Progress."""
        text = text.rstrip("\r")
        found = re.fullmatch(_PLAIN, text)
        if found is None:
            if text:
                self._rest.append(text)
            return
        number, said = found.groups()
        vertex = self._vertexes.get(number)
        if vertex is None:
            vertex = self._vertexes[number] = _Vertex(said)
            vertex.started = True
            self._note(vertex)
            return
        self._said(vertex, said)

    def _said(self, vertex: _Vertex, said: str) -> None:
        log = re.fullmatch(_LOG, said)
        done = re.fullmatch(_DONE, said)
        if said == "CACHED":
            vertex.cached = True
        elif said == "CANCELED":
            vertex.started = False
        elif said.startswith("ERROR: "):
            vertex.error = said.removeprefix("ERROR: ")
        elif done:
            vertex.seconds = float(done[1])
        elif log:
            vertex.output.append(log[1] + "\n")


def _between(start: str, end: str) -> float:
    """The seconds between two times as BuildKit writes them, in UTC with nanoseconds."""
    from datetime import datetime

    times = [datetime.fromisoformat(each[:19]) for each in (start, end)]
    parts = [float("0" + (re.match(r"\.\d+", each[19:]) or ["0"])[0]) for each in (start, end)]
    return max(0.0, (times[1] - times[0]).total_seconds() + parts[1] - parts[0])
