"""Gathering edits into one fix, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from dfcache.diagnostics import Declared, Fix, Safety
from dfcache.fixes.cut import cut, merged
from dfcache.text import Edit, Span


class Plan:
    """Edits of one fix while it is made.

    ``refused`` says in words what stands in the way: then there is no fix. ``doubts`` are
    what dfcache can't see and someone should check: then it is unsafe.
    """

    def __init__(self) -> None:
        self.edits: list[Edit] = []
        self.dropped: list[Span] = []
        self.moved: list[Span] = []
        self.added: list[str] = []
        self.cuts: list[tuple[Span, Span, str]] = []
        self.refused: list[str] = []
        self.doubts: list[str] = []

    def refuse(self, reason: str) -> None:
        """Give up, for ``reason``."""
        if reason not in self.refused:
            self.refused.append(reason)

    def doubt(self, reason: str) -> None:
        """Go on, but only for those who looked at ``reason``."""
        if reason not in self.doubts:
            self.doubts.append(reason)

    def take_out(self, within: Span, region: Span | None, declared: Span, what: str) -> None:
        """Have ``region`` of the instruction ``within`` cut out by ``settle``; None refuses."""
        if region is None:
            self.refuse(f"{what} can't be taken out without touching a comment or another command")
            return
        self.dropped.append(declared)
        self.cuts.append((within, region, what))

    def settle(self, source: str, escape: str) -> None:
        """Make the cuts, those beside each other as one, so that their edits agree."""
        for within in dict.fromkeys(each[0] for each in self.cuts):
            mine = [each for each in self.cuts if each[0] == within]
            for region in merged(source, [each[1] for each in mine], escape):
                edits = cut(source, region, within, escape)
                if edits is None:
                    what = next(each[2] for each in mine if region.covers(each[1]))
                    self.refuse(f"{what} can't be taken out: a comment stands beside it")
                self.edits += edits or ()
        self.cuts.clear()

    def drop(self, span: Span, edits: Iterable[Edit] | None, what: str) -> None:
        """Take out the word at ``span`` by ``edits``; None refuses."""
        if edits is None:
            self.refuse(f"{what} can't be taken out without touching a comment or another command")
            return
        self.dropped.append(span)
        self.edits += edits

    def fix(self, title: str) -> Fix | None:
        """The fix, or None where it was refused or changes nothing."""
        edits = tuple(sorted(set(self.edits)))
        if _disagree(edits):
            self.refuse("two of the changes are at one place")
        if self.refused or not edits:
            return None
        declared = Declared(frozenset(self.dropped), frozenset(self.moved), tuple(self.added))
        safety = Safety.UNSAFE if self.doubts else Safety.SAFE
        return Fix(title, edits, safety, declared)

    def notes(self) -> tuple[str, ...]:
        """What stands in the way of a (safe) fix, for the finding."""
        if self.refused:
            return tuple(f"not fixed: {reason}" for reason in self.refused)
        return tuple(f"check before you apply the fix: {reason}" for reason in self.doubts)


def _disagree(edits: tuple[Edit, ...]) -> bool:
    """Whether two edits overlap, or insert different texts at one place."""
    return any(
        later.span.start < earlier.span.end or later.span == earlier.span
        for earlier, later in pairwise(edits)
    )
