"""The joined line of an instruction, and where in the file it came from."""

from __future__ import annotations

from bisect import bisect_right

from dfcache.parser.tree import Piece, Text
from dfcache.text import Span


class Joined:
    """A joined line while it is read: cheaper than ``Text``, which it makes parts of.

    ``starts`` and ``offsets`` are of equal length: the text from ``starts[n]`` on stands
    in the file from ``offsets[n]`` on.
    """

    __slots__ = ("offsets", "starts", "value")

    def __init__(self, value: str, starts: list[int], offsets: list[int]) -> None:
        self.value = value
        self.starts = starts
        self.offsets = offsets

    def offset(self, index: int) -> int:
        """The place in the file of the character at ``index``."""
        if len(self.starts) == 1:
            return self.offsets[0] + index
        at = bisect_right(self.starts, index) - 1
        return self.offsets[at] + index - self.starts[at]

    def span(self, start: int, end: int) -> Span:
        """The file span of ``value[start:end]``, with the continuations in it."""
        first = self.offset(start)
        return Span(first, self.offset(end - 1) + 1 if end > start else first)

    def text(self, start: int, end: int) -> Text:
        """The part from ``start`` to ``end``, with its places."""
        value = self.value[start:end]
        if len(self.starts) == 1 or start == end:
            return Text(value, (Piece(0, self.offset(start), end - start),))
        pieces = []
        at = bisect_right(self.starts, start) - 1
        here = start
        while here < end:
            following = self.starts[at + 1] if at + 1 < len(self.starts) else end
            stop = min(following, end)
            if stop > here:
                where = self.offsets[at] + here - self.starts[at]
                pieces.append(Piece(here - start, where, stop - here))
            here = max(here, stop)
            at += 1
        return Text(value, tuple(pieces))
