"""Text as a row of words, blind to layout: what ``verify`` compares before and after a fix.

The words here are cruder than a shell's on purpose, and read without the shell
parser: blanks, quotes, operators and brackets part them wherever they stand. A reader that
knows so little can't make the mistake that made a fix wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise

from dfcache.parser.tree import Text
from dfcache.record import record
from dfcache.text import Span

_BLANKS = frozenset(" \t\v\f\r")
_QUOTES = frozenset("\"'`")
_OPERATORS = frozenset("&|;()\n")
_DOUBLE = frozenset(("&&", "||", ";;", "|&"))
_BINARY = frozenset(("&&", "||", "|", "|&"))
_ADDED = ""
"""Stands for a declared new word among operators."""
_GONE = "-"
"""Stands for words that were dropped there: what is on its two sides was not together."""


@record
class Token:
    """A word or operator. ``glued`` is True where no blank stands before it."""

    text: str
    glued: bool
    operator: bool
    dropped: bool = False


def tokens(text: Text, dropped: Iterable[Span] = (), lines: bool = False) -> list[Token]:
    """The tokens of ``text``; those within a span of ``dropped`` (places in the file) are marked.

    A newline is an operator where ``lines`` is True, and a blank otherwise.
    """
    spans = tuple(dropped)
    found = []
    last = 0
    for start, end in _split(text.value, lines):
        place = text.span(start, end)
        value = text.value[start:end]
        operator = value[0] in _OPERATORS
        gone = any(span.covers(place) for span in spans)
        found.append(Token(value, start == last and start > 0, operator, gone))
        last = end
    return found


def words(text: str) -> list[str]:
    """The words of a text that stands nowhere, without operators."""
    return [text[a:b] for a, b in _split(text, True) if text[a] not in _OPERATORS]


def compare(before: list[Token], after: list[Token], pool: Counter[str]) -> str | None:
    """What differs but for dropped tokens of ``before`` and words out of ``pool``; None if nothing.

    Words that are used up are taken out of ``pool``. A word of ``after`` that is marked stands in
    text that an edit put there: it comes out of ``pool`` if it can, even where the word expected
    next is the same. Where nothing was dropped or added
    between two words, the operators there are the same; elsewhere there are fewer or
    more of them, and never two in a row that need a command between them.
    """
    reader = _Reader(before)
    stretch: list[str] = []
    quotes: set[str] = set()
    for token in after:
        if token.operator:
            stretch.append(token.text)
            continue
        expected = reader.word
        new = token.dropped and pool[token.text] > 0
        if new or expected is None or expected.text != token.text:
            if pool[token.text] <= 0:
                wanted = f" where {expected.text!r} is expected" if expected else ""
                return f"{token.text!r} appears{wanted}"
            pool[token.text] -= 1
            stretch.append(_ADDED)
            continue
        closing = token.text in quotes  # as after sh -c "…: the end of a script within
        wrong = _operators(reader.stretch, stretch, reader.dropped, reader.at_start, closing)
        if wrong:
            return f"{wrong} before {token.text!r}"
        quiet = not (stretch or reader.stretch or reader.dropped)
        if quiet and expected.glued != token.glued:
            return f"blanks come or go before {token.text!r}"
        stretch = []
        quotes ^= {token.text} & _QUOTES
        reader.advance(at_start=token.text in quotes)
    if reader.word is not None:
        return f"{reader.word.text!r} is gone"
    wrong = _operators(reader.stretch, stretch, reader.dropped, reader.at_start, True)
    return f"{wrong} at the end" if wrong else None


class _Reader:
    """Walks over the words that stay; knows what stands between them."""

    __slots__ = ("_rest", "at_start", "dropped", "stretch", "word")

    def __init__(self, row: list[Token]) -> None:
        self._rest = iter(row)
        self.at_start = True
        self._next()

    def advance(self, at_start: bool) -> None:
        self.at_start = at_start
        self._next()

    def _next(self) -> None:
        self.stretch: list[str] = []
        self.dropped = False
        self.word: Token | None = None
        for token in self._rest:
            if token.operator and not token.dropped:
                self.stretch.append(token.text)
            elif token.dropped:
                self.dropped = True
                self.stretch.append(_GONE)
            else:
                self.word = token
                return


def _operators(
    before: list[str], after: list[str], dropped: bool, start: bool, end: bool
) -> str | None:
    """What is wrong with the operators between two words that stay, ``_ADDED`` for others."""
    old = [each for each in _plain(before) if each != _GONE]
    new = _plain(after)
    added = _ADDED in new
    if (start or end) and dropped:  # there, a line end without a command means nothing
        old, new = ([each for each in row if each != "\n"] for row in (old, new))
    if not dropped and not added:
        return None if old == new else f"{''.join(old)!r} became {''.join(new)!r}"
    if dropped and not added and not _within(new, old):
        return f"{''.join(new)!r} appears"
    if added and not dropped and not _within(old, new):
        return f"{''.join(old)!r} is gone"
    if not (start or end) and old and not set(new) - {_ADDED}:
        return f"{''.join(old)!r} is gone"
    if start and new and new[0] in _BINARY:
        return f"{new[0]!r} appears"
    if end and new and new[-1] in _BINARY:
        return f"{new[-1]!r} is left over"
    if any(a in _BINARY | {"("} and b in _BINARY | {")", ";"} for a, b in pairwise(new)):
        return f"{''.join(new)!r} has nothing in it"
    return None


def _plain(operators: list[str]) -> list[str]:
    """Without the newlines that mean nothing: blank lines, and those after ``&&`` and its like."""
    kept: list[str] = []
    for each in operators:
        if each == "\n" and kept and kept[-1] not in (")", _GONE, _ADDED):
            continue
        kept.append(each)
    return kept


def _within(part: list[str], whole: list[str]) -> bool:
    rest = iter(whole)
    return all(each in rest for each in part)


def _split(text: str, lines: bool) -> Iterator[tuple[int, int]]:
    at, end = 0, len(text)
    while at < end:
        char = text[at]
        start = at
        at += 1
        if char in _BLANKS or (char == "\n" and not lines):
            continue
        if char == "\\" and text[at : at + 2].lstrip("\r")[:1] == "\n":
            at = text.index("\n", at) + 1  # the shell joins the lines
            continue
        if char in _QUOTES:
            yield start, at
        elif char in _OPERATORS:
            if text[start : start + 2] in _DOUBLE:
                at += 1
            yield start, at
        else:
            while at < end and text[at] not in _BLANKS | _QUOTES | _OPERATORS:
                at += 1
            yield start, at
