"""The line at the end: how many files, findings and fixes."""

from __future__ import annotations

from dfcache.diagnostics import Safety
from dfcache.engine.run import Outcome


class Tally:
    """Counts over a run. ``safe`` and ``unsafe`` count findings by what their fix is."""

    def __init__(self) -> None:
        self.files = 0
        self.findings = 0
        self.safe = 0
        self.unsafe = 0
        self.applied = 0
        self.failed = 0
        self.changed = 0

    def count(self, outcome: Outcome, companion: bool = False) -> None:
        """Add one file; one that a Dockerfile's steps read is not counted beside it."""
        self.files += not companion
        self.findings += len(outcome.findings)
        safeties = [each.fix.safety for each in outcome.findings if each.fix]
        self.safe += safeties.count(Safety.SAFE)
        self.unsafe += safeties.count(Safety.UNSAFE)
        self.failed += outcome.trouble is not None
        self.applied += len(outcome.applied)
        self.changed += outcome.fixed != outcome.source


def checked(tally: Tally) -> str:
    """The last line of a check: ``12 files, 7 findings, 5 fixable with fix --write``."""
    files = number(tally.files, "file")
    failed = f", {tally.failed} not done" if tally.failed else ""
    if not tally.findings:
        return f"{files}, no findings{failed}"
    parts = [files, number(tally.findings, "finding")]
    if tally.safe:
        parts.append(f"{tally.safe} fixable with fix --write")
    if tally.unsafe:
        more = " more" if tally.safe else ""
        parts.append(f"{tally.unsafe}{more} with --unsafe")
    if not tally.safe and not tally.unsafe:
        parts.append("none fixable")
    return ", ".join(parts) + failed


def fixed(tally: Tally, written: bool) -> str:
    """The last line of a fix, written or shown."""
    files = number(tally.files, "file")
    if tally.failed:
        files += f", {tally.failed} not done"
    if not tally.changed:
        return f"{files}, nothing to fix{_left(tally)}"
    done = f"{number(tally.applied, 'finding')} {'fixed' if written else 'fixable'}"
    where = f"in {tally.changed}" if tally.files != tally.changed else "in all"
    where = "" if tally.files == 1 else f" {where}"
    return f"{files}, {done}{where}{_left(tally)}"


def number(count: int, thing: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _left(tally: Tally) -> str:
    if not tally.findings:
        return ""
    unsafe = f", {tally.unsafe} fixable with --unsafe" if tally.unsafe else ""
    return f"; {number(tally.findings, 'finding')} left{unsafe}"
