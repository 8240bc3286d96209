"""Where the characters of a shell text stand in the file, also through quotes and escapes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from dfcache.parser.tree import Text
from dfcache.text import Span

Run = tuple[int, int, int, int]
"""(start, place, length, width): ``length`` characters from ``start`` on stand at ``place``.

``width`` is what they take there; it differs from ``length`` only for a single
character that is written as an escape.
"""


class Places:
    """Maps ranges of a text to spans of the file."""

    __slots__ = ("_base", "_runs", "_starts")

    def __init__(self, runs: list[Run]) -> None:
        self._runs = runs
        self._starts = [run[0] for run in runs]
        plain = len(runs) == 1 and runs[0][2] == runs[0][3]
        self._base = runs[0][1] - runs[0][0] if plain else None

    @classmethod
    def of(cls, text: Text) -> Places:
        """The places of ``text``."""
        return cls([(p.start, p.offset, p.length, p.length) for p in text.pieces] or [(0, 0, 0, 0)])

    def span(self, start: int, end: int) -> Span:
        """The file span of the range; an empty one stands right behind the character before it."""
        base = self._base
        if base is not None:
            return Span(base + start, base + end)
        if start < end:
            return Span(self._start(start), self._end(end - 1))
        at = self._end(start - 1) if start else self._start(0)
        return Span(at, at)

    def within(self, runs: Iterable[Run]) -> Places:
        """The places of a text which stands, as ``runs`` tell, inside the text of these places."""
        inner: list[Run] = []
        for start, outer, length, width in runs:
            if length != width:
                place = self._start(outer)
                inner.append((start, place, length, self._end(outer + width - 1) - place))
            else:
                inner += self._cut(start, outer, length)
        return Places(inner or [(0, self._start(0), 0, 0)])

    def _cut(self, start: int, outer: int, length: int) -> Iterable[Run]:
        """One run of an inner text, cut where the outer text is cut."""
        shift = start - outer
        end = outer + length
        at = max(bisect_right(self._starts, outer) - 1, 0)
        for first, place, size, width in self._runs[at:]:
            low, high = max(first, outer), min(first + size, end)
            if first >= end:
                break
            if low < high:
                delta = low - first
                wide = width if width != size else high - low
                yield low + shift, place + delta, high - low, wide

    def _start(self, index: int) -> int:
        start, place, _, _ = self._runs[max(bisect_right(self._starts, index) - 1, 0)]
        return place + index - start

    def _end(self, index: int) -> int:
        start, place, length, width = self._runs[max(bisect_right(self._starts, index) - 1, 0)]
        return place + width if width != length else place + index - start + 1
