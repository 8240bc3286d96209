"""Finding the here-documents of an instruction."""

from __future__ import annotations

from typing import NamedTuple

from dfcache.parser.lexer import LexError, raw_words

# What ``\s`` stands for in a Go expression.
_SPACE = "\t\n\f\r "
_LARGEST = 2**64 - 1


class Opening(NamedTuple):
    """The ``<<NAME`` of a here-document, from ``start`` to ``end`` of the joined line."""

    name: str
    fd: int
    expand: bool
    chomp: bool
    start: int
    end: int


def openings(line: str) -> list[Opening]:
    """The here-documents announced in a joined line.

    Raises LexError where BuildKit refuses the file for the name of one.
    """
    try:
        found = raw_words(line, quotes=True, escapes=True)
    except LexError:
        return []
    opened = []
    for word in found:
        opening = opening_of(word.value)
        if opening is not None:
            opened.append(opening._replace(start=word.start, end=word.end))
    return opened


def opening_of(word: str) -> Opening | None:
    """The here-document a single word announces, if it does. Raises LexError."""
    digits, arrows, rest = word.partition("<<")
    if not arrows or digits.strip("0123456789"):
        return None
    chomp = rest.startswith("-")
    rest = rest[chomp:].lstrip(_SPACE)
    if not rest or "<" in rest:
        return None
    names = raw_words(rest, quotes=False, escapes=False)
    if len(names) != 1:
        return None
    quoted = raw_words(rest, quotes=True, escapes=False)
    name = names[0].value
    expand = _quotes(name) == _quotes(quoted[0].value)
    return Opening(name, min(int(digits or "0"), _LARGEST), expand, chomp, 0, len(word))


def _quotes(text: str) -> int:
    return text.count("'") + text.count('"')
