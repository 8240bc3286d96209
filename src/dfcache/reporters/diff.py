"""What a fix would change, as a unified diff that ``patch`` and ``git apply`` take."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.engine.run import Outcome
from dfcache.reporters import Write
from dfcache.reporters.printable import printable
from dfcache.reporters.summary import Tally

_COLORS = {"+": "32", "-": "31", "@": "36"}


class DiffReporter:
    """In colour it is for a terminal: then control characters are shown escaped."""

    def __init__(self, write: Write, color: bool) -> None:
        self._write = write
        self._color = color

    def start(self, files: int) -> None:
        """Nothing to say before the first difference."""

    def outcome(self, outcome: Outcome) -> None:
        """The differences of one file."""
        if outcome.fixed != outcome.source:
            for line in diff(outcome.path, outcome.source, outcome.fixed):
                self._write(self._line(line))

    def finish(self, tally: Tally, quiet: bool) -> None:
        """A diff has no last line."""

    def _line(self, line: str) -> str:
        if not self._color:
            return line
        text = printable(line.rstrip("\r\n"))
        code = "1" if line.startswith(("---", "+++")) else _COLORS.get(line[0])
        return f"\x1b[{code}m{text}\x1b[0m\n" if code else text + "\n"


def diff(path: str, before: str, after: str) -> Iterator[str]:
    """The lines of a unified diff, each with its own line end."""
    from difflib import unified_diff

    name = path.replace("\\", "/").lstrip("/")
    rows = unified_diff(_lines(before), _lines(after), f"a/{name}", f"b/{name}")
    for row in rows:
        if row.endswith("\n"):
            yield row
        else:
            yield row + "\n\\ No newline at end of file\n"


def _lines(text: str) -> list[str]:
    """The lines of a text with their ends; only a line feed ends one."""
    rows = [row + "\n" for row in text.split("\n")]
    last = rows.pop()[:-1]
    return [*rows, last] if last else rows
