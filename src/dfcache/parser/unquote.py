"""What is left of shell text after one round of quote removal, and where it stood.

Needed for text that is read a second time: ``sh -c "…"``, backquotes, here-documents
given to a shell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from dfcache.parser.places import Run
from dfcache.record import record

_ACTIVE = re.compile(r'[\\$`"]').search


@record
class Inner:
    """A text inside another one.

    ``runs`` place it in the outer text. ``live`` maps starts to ends of what the outer
    shell expands, so that the inner one gets something unknown there. ``escaped`` is True where
    the text passed through an escape, or was put together from parts quoted differently.
    """

    value: str
    runs: list[Run]
    live: dict[int, int]
    escaped: bool


class _Builder:
    """Collects the parts of an inner text."""

    def __init__(self, text: str, expansions: Mapping[int, int]) -> None:
        self.text = text
        self.expansions = expansions
        self.parts: list[str] = []
        self.runs: list[Run] = []
        self.live: dict[int, int] = {}
        self.escaped = False
        self.length = 0

    def copy(self, start: int, end: int) -> None:
        """Take ``text[start:end]`` as it is."""
        size = end - start
        if not size:
            return
        if self.runs:
            first, place, length, width = self.runs[-1]
            if length == width and place + length == start:
                self.runs[-1] = (first, place, length + size, length + size)
            else:
                self.runs.append((self.length, start, size, size))
        else:
            self.runs.append((self.length, start, size, size))
        self.parts.append(self.text[start:end])
        self.length += size

    def escape(self, start: int, end: int, char: str) -> None:
        """Take ``char`` for the escape ``text[start:end]``."""
        self.runs.append((self.length, start, 1, end - start))
        self.parts.append(char)
        self.length += 1
        self.escaped = True

    def expansion(self, start: int) -> int:
        """Take an expansion as written; return its end (one on where there is none)."""
        end = self.expansions.get(start)
        if end is not None:
            self.live[self.length] = self.length + end - start
        self.copy(start, end or start + 1)
        return end or start + 1

    def done(self) -> Inner:
        return Inner("".join(self.parts), self.runs, self.live, self.escaped)


def backquoted(text: str, start: int, end: int, quoted: bool) -> Inner:
    """The command text of the backquotes around ``text[start:end]``."""
    builder = _Builder(text, {})
    special = '$`\\"' if quoted else "$`\\"
    at = start
    while (found := text.find("\\", at, end)) >= 0:
        builder.copy(at, found)
        at = found + 2
        char = text[found + 1 : at]
        if at <= end and char and char in special:
            builder.escape(found, at, char)
        else:
            at = min(at, end)
            builder.copy(found, at)
    builder.copy(at, end)
    return builder.done()


def body(text: str, lines: list[tuple[int, int]], expansions: Mapping[int, int] | None) -> Inner:
    """A here-document of the given lines; ``expansions`` is None where its name was quoted."""
    builder = _Builder(text, expansions or {})
    resume = 0
    for start, end in lines:
        at = max(start, resume)
        if expansions is not None:
            at = _double_quoted(builder, at, end, "$`\\")
            resume = at
        else:
            builder.copy(at, end)
    return builder.done()


def word(text: str, start: int, end: int, expansions: Mapping[int, int]) -> Inner | None:
    """What a program gets for the word ``text[start:end]``; None for ``$'…'``."""
    builder = _Builder(text, expansions)
    at = start
    while at < end:
        char = text[at]
        if char == "'":
            close = text.index("'", at + 1)
            builder.escaped |= at > start
            builder.copy(at + 1, close)
            at = close + 1
        elif char == '"':
            builder.escaped |= at > start
            close = _double_quoted(builder, at + 1, end, '$`\\"', '"')
            at = close + 1
        elif char == "\\":
            if text[at + 1 : at + 2] != "\n":
                builder.escape(at, at + 2, text[at + 1 : at + 2])
            at += 2
        elif char == "$" and text.startswith("'", at + 1):
            return None
        elif char in "$`":
            at = builder.expansion(at)
        else:
            builder.copy(at, at + 1)
            at += 1
    return builder.done()


def _double_quoted(builder: _Builder, at: int, end: int, special: str, close: str = "") -> int:
    """Take text up to ``close`` or ``end`` as within double quotes; return where it ends."""
    text = builder.text
    while at < end:
        match = _ACTIVE(text, at, end)
        stop = match.start() if match else end
        builder.copy(at, stop)
        if not match:
            return end
        at = stop
        char = match[0]
        if char == close:
            return at
        if char == "\\":
            following = text[at + 1 : at + 2]
            if following and following in special:
                builder.escape(at, at + 2, following)
            elif following != "\n":
                builder.copy(at, at + 1)
                at += 1
                continue
            at += 2
        elif char in "$`":
            at = builder.expansion(at)
        else:
            builder.copy(at, at + 1)
            at += 1
    return at
