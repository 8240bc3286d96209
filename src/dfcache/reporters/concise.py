"""One line a finding: ``path:line:column: severity code name: message [safe]``."""

from __future__ import annotations

from dfcache.diagnostics import Finding
from dfcache.engine.run import Outcome
from dfcache.reporters import Write
from dfcache.reporters.printable import printable
from dfcache.reporters.summary import Tally
from dfcache.text import Lines


class ConciseReporter:
    """For editors, grep and test files; no summary."""

    def __init__(self, write: Write, color: bool) -> None:
        self._write = write

    def start(self, files: int) -> None:
        """Nothing to say before the first finding."""

    def outcome(self, outcome: Outcome) -> None:
        """A line for each finding."""
        if outcome.findings:
            lines = Lines(outcome.fixed)
            for finding in outcome.findings:
                self._write(concise(outcome.path, lines, finding) + "\n")

    def finish(self, tally: Tally, quiet: bool) -> None:
        """Every line is a finding: nothing to add."""


def concise(path: str, lines: Lines, finding: Finding) -> str:
    """A finding in one line; the mark at the end tells how safe its fix is."""
    line, column = lines.position(finding.span.start)
    mark = f" [{finding.fix.safety.name.lower()}]" if finding.fix else ""
    return (
        f"{printable(path)}:{line}:{column}: {finding.severity.name.lower()} "
        f"{finding.code} {finding.name}: {printable(finding.message)}{mark}"
    )
