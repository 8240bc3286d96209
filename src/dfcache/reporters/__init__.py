"""How findings are shown. A reporter gets one outcome after the other and keeps none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dfcache.engine.run import Outcome
    from dfcache.reporters.summary import Tally

Write = Callable[[str], object]
FORMATS = ("text", "concise", "json")


class Reporter(Protocol):
    """Shows outcomes as they come."""

    def start(self, files: int) -> None:
        """Before the first outcome; ``files`` is how many there will be."""

    def outcome(self, outcome: Outcome) -> None:
        """Show one file's findings."""

    def finish(self, tally: Tally, quiet: bool) -> None:
        """After the last outcome."""


def reporter(name: str, write: Write, color: bool) -> Reporter:
    """The reporter called ``name``, one of ``FORMATS`` or "diff"; raises KeyError for others."""
    from importlib import import_module

    known = {"text": "TextReporter", "concise": "ConciseReporter", "json": "JsonReporter"}
    kind = {**known, "diff": "DiffReporter"}[name]
    module = import_module(f"dfcache.reporters.{name}")
    made: Reporter = getattr(module, kind)(write, color)
    return made
