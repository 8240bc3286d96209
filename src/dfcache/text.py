"""Places in a text, and changes to it.

Offsets count characters of the decoded text, half open. Positions for people
count lines and columns from 1. A line ends at a line feed and nowhere else:
that is how BuildKit counts, and ``str.splitlines`` is not.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from dfcache.record import record


@record
class Span:
    """The half-open range ``start`` to ``end`` of a text."""

    start: int
    end: int

    def __lt__(self, other: Span) -> bool:
        return (self.start, self.end) < (other.start, other.end)

    def __len__(self) -> int:
        return self.end - self.start

    def covers(self, other: Span) -> bool:
        """Whether ``other`` lies within this span."""
        return self.start <= other.start and other.end <= self.end

    def touches(self, other: Span) -> bool:
        """Whether the spans overlap or meet, so that edits to both could disagree."""
        return self.start <= other.end and other.start <= self.end


@record
class Edit:
    """Put ``text`` where ``span`` is; an empty span inserts, an empty text deletes."""

    span: Span
    text: str

    def __lt__(self, other: Edit) -> bool:
        return (self.span.start, self.span.end, self.text) < (
            other.span.start,
            other.span.end,
            other.text,
        )


def apply(source: str, edits: Iterable[Edit]) -> str:
    """Return ``source`` with ``edits`` applied; equal edits count once.

    Raises ValueError if two different edits overlap or insert at one place.
    """
    done: list[str] = []
    at = 0
    last: Edit | None = None
    for edit in sorted(set(edits)):
        if last is not None and (edit.span.start < at or edit.span == last.span):
            raise ValueError(f"edits overlap: {last} and {edit}")
        done += (source[at : edit.span.start], edit.text)
        at = edit.span.end
        last = edit
    done.append(source[at:])
    return "".join(done)


class Lines:
    """Turns offsets of one text into lines and columns, and back."""

    __slots__ = ("_starts", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        starts = [0]
        at = source.find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = source.find("\n", at + 1)
        self._starts = starts

    def position(self, offset: int) -> tuple[int, int]:
        """The line and column of ``offset``, both from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of line ``number`` (from 1) without its line end."""
        start = self._starts[number - 1]
        end = self._starts[number] if number < len(self._starts) else len(self.source)
        return self.source[start:end].rstrip("\r\n")

    def start(self, number: int) -> int:
        """The offset at which line ``number`` (from 1) begins."""
        return self._starts[number - 1]
