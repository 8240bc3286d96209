"""Applies fixes until nothing is left to apply."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from dfcache.diagnostics import Finding, Fix, Safety
from dfcache.record import record
from dfcache.text import Edit, Span, apply

if TYPE_CHECKING:
    from dfcache.engine.lint import Examined
    from dfcache.parser.tree import Dockerfile

MAX_PASSES = 10


class CircleError(Exception):
    """The fixes of ``names`` never come to rest: a bug of dfcache. The source stays as it was."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(f"the fixes of {', '.join(names)} undo each other")
        self.names = names


@record
class Pass:
    """One round: the tree before, the findings whose fixes were applied, the tree after."""

    before: Dockerfile
    applied: tuple[Finding, ...]
    after: Dockerfile

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """The fixes that were applied."""
        return tuple(each.fix for each in self.applied if each.fix is not None)


@record
class Fixed:
    """A source with nothing left to fix, how it got there, and what remains to be said."""

    source: str
    passes: tuple[Pass, ...]
    remaining: list[Finding]

    @property
    def applied(self) -> tuple[Finding, ...]:
        """Every finding whose fix was applied, in the order of application."""
        return tuple(finding for each in self.passes for finding in each.applied)


def fix(source: str, examine: Callable[[str], Examined], least: Safety = Safety.SAFE) -> Fixed:
    """Apply every fix at least as safe as ``least``, look again, and so on until none is left.

    Raises CircleError where a text comes back that was there before, or ``MAX_PASSES``
    passes are not enough.
    """
    seen = {source}
    passes: list[Pass] = []
    examined = examine(source)
    while taken := choose(examined.findings, least):
        source = apply(source, (edit for each in taken if each.fix for edit in each.fix.edits))
        after = examine(source)
        passes.append(Pass(examined.dockerfile, taken, after.dockerfile))
        if source in seen or len(passes) > MAX_PASSES:
            raise CircleError(_culprits(passes, source))
        seen.add(source)
        examined = after
    return Fixed(source, tuple(passes), examined.findings)


def choose(findings: Iterable[Finding], least: Safety) -> tuple[Finding, ...]:
    """The findings whose fixes can be applied together.

    Those that start first come first, then by code. A fix with an edit that touches a
    taken one waits for the next pass, unless the two edits are the same; so does one that moves
    what a taken one moves or drops, or drops what one moves. Findings about other files have no
    part in it.
    """
    fixable = [
        each
        for each in findings
        if each.fix
        and each.fix.edits
        and each.fix.safety >= max(least, Safety.UNSAFE)
        and each.elsewhere is None
    ]
    taken: list[Finding] = []
    edits: set[Edit] = set()
    moved: set[Span] = set()
    dropped: set[Span] = set()
    for finding in sorted(fixable, key=_order):
        assert finding.fix is not None
        new = set(finding.fix.edits) - edits
        away = set(finding.fix.declared.moved)
        gone = set(finding.fix.declared.dropped)
        if away & (moved | dropped) or gone & moved:
            continue
        if any(one.span.touches(other.span) for one in new for other in edits):
            continue
        taken.append(finding)
        edits |= new
        moved |= away
        dropped |= gone
    return tuple(taken)


def _order(finding: Finding) -> tuple[int, str]:
    starts = [edit.span.start for edit in finding.fix.edits] if finding.fix else []
    return min(starts, default=finding.span.start), finding.code


def _culprits(passes: list[Pass], source: str) -> tuple[str, ...]:
    """The rules at work since ``source`` was there first; all, if it never was."""
    since = next((at for at, each in enumerate(passes) if each.before.source == source), 0)
    return tuple(sorted({each.name for step in passes[since:] for each in step.applied}))
