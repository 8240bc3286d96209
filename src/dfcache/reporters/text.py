"""For people: every finding with the line it is about."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.diagnostics import Finding, Safety, Severity
from dfcache.engine.links import page_url
from dfcache.engine.run import Outcome
from dfcache.model.credentials import masked
from dfcache.reporters import Write
from dfcache.reporters.printable import printable, width
from dfcache.reporters.summary import Tally, checked
from dfcache.text import Lines

_LONGEST = 160
_COLORS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36"}
_SAFETY = {
    Safety.SAFE: "fix",
    Safety.UNSAFE: "fix (unsafe: needs --unsafe)",
    Safety.DISPLAY: "suggestion (never applied)",
}


class TextReporter:
    """Headline, source line with an underline, notes, fix, link."""

    def __init__(self, write: Write, color: bool) -> None:
        self._write = write
        self._color = color

    def start(self, files: int) -> None:
        """Nothing to say before the first finding."""

    def outcome(self, outcome: Outcome) -> None:
        """One paragraph for each finding."""
        if outcome.findings:
            lines = Lines(outcome.fixed)
            for finding in outcome.findings:
                self._write("\n".join(self._finding(outcome.path, lines, finding)) + "\n\n")

    def finish(self, tally: Tally, quiet: bool) -> None:
        """The summary."""
        if not quiet:
            self._write(checked(tally) + "\n")

    def _finding(self, path: str, lines: Lines, finding: Finding) -> Iterator[str]:
        line, column = lines.position(finding.span.start)
        severity = self._paint(_COLORS[finding.severity], finding.severity.name.lower())
        place = self._paint("1", f"{printable(path)}:{line}:{column}")
        what = printable(finding.message)
        yield f"{place}: {severity} {self._paint('1', finding.code)} {finding.name}: {what}"
        number = str(line)
        bar = self._paint("34", "|")
        margin = " " * len(number)
        source, under = _excerpt(lines, finding, line, column)
        yield f"{margin} {bar}"
        yield f"{number} {bar} {source}".rstrip()
        yield f"{margin} {bar} {self._paint(_COLORS[finding.severity], under)}"
        for note in finding.notes:
            yield f"{margin} = note: {printable(note)}"
        if finding.fix:
            yield f"{margin} = {_SAFETY[finding.fix.safety]}: {printable(finding.fix.title)}"
        yield f"{margin} = see {page_url(finding.code, finding.name)}"

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._color else text


def _excerpt(lines: Lines, finding: Finding, line: int, column: int) -> tuple[str, str]:
    """The finding's first line, cut to a readable length, and the underline for it."""
    text = masked(lines.line(line), "")  # logs are read by many
    start = min(column - 1, len(text))
    end = min(len(text), max(start + len(finding.span), start + 1))
    first = max(0, start - _LONGEST // 2) if len(text) > _LONGEST else 0
    head = "…" if first else ""
    tail = "…" if len(text) > first + _LONGEST else ""
    shown = text[first : first + _LONGEST]
    marked = text[start : min(end, first + _LONGEST)].rstrip(" \t\\")
    blank = " " * (len(head) + width(text[first:start]))
    return head + printable(shown) + tail, blank + "^" * max(1, width(marked))
