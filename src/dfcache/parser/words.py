"""The words of ENV, ARG and LABEL, and the pairs they make."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from dfcache.parser.chars import SPACE
from dfcache.parser.tree import Instruction, Word
from dfcache.text import Span

# One run of what separates words where only ASCII blanks do.
BLANKS = re.compile(r"[\t\v\f\r ]+")


@cache
def _pattern(escape: str) -> re.Pattern[str]:
    mark = re.escape(escape)
    # An escape as the very last character is dropped, also within quotes.
    return re.compile(
        rf"""(?:[^{SPACE}'"{mark}]|{mark}.|'[^']*'?|"(?:[^"{mark}]|{mark}.)*+(?:"|{mark}?$))+""",
        re.DOTALL,
    )


def word_spans(text: str, escape: str) -> list[tuple[int, int]]:
    """Where the words of ``text`` stand; quotes and escapes group and are part of the word."""
    found = []
    for match in _pattern(escape).finditer(text):
        start, end = match.span()
        if end == len(text) and _ends_in_escape(text, start, escape):
            end -= 1
        found.append((start, end))
    return found


def _ends_in_escape(text: str, start: int, escape: str) -> bool:
    """Whether the last word, which begins at ``start``, ends in a lone escape inside quotes."""
    if not text.endswith(escape):
        return False
    quote = ""
    at = start
    while at < len(text):
        char = text[at]
        if char == escape and quote != "'":
            if at + 1 == len(text):
                return True
            at += 1
        elif char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        at += 1
    return False


def words(text: str, escape: str) -> tuple[str, ...]:
    """The words of ``text`` as ENV, ARG and LABEL split it, quotes and escapes kept."""
    return tuple(text[start:end] for start, end in word_spans(text, escape))


class Pair(NamedTuple):
    """A name with its value, both as written; ``value`` is None for ``ARG name``.

    ``span`` covers the whole, ``legacy`` is ``ENV name value`` without an equals sign.
    """

    name: str
    name_span: Span
    value: Word | None
    span: Span
    legacy: bool = False


def pairs(instruction: Instruction) -> tuple[Pair, ...]:
    """The pairs of an ENV, LABEL or ARG; none for other instructions."""
    if instruction.name not in ("ENV", "LABEL", "ARG"):
        return ()
    if instruction.name != "ARG" and instruction.words and "=" not in instruction.words[0].value:
        return _legacy(instruction)
    found = []
    at = 0
    text = instruction.rest
    for word in instruction.words:
        start = text.value.index(word.value, at)
        at = start + len(word.value)
        name, equals, value = word.value.partition("=")
        if not equals:
            found.append(Pair(name, word.span, None, word.span))
            continue
        middle = start + len(name)
        value_word = Word(value, text.span(middle + 1, at))
        if not value:
            value_word = Word("", Span(word.span.end, word.span.end))
        found.append(Pair(name, text.span(start, middle), value_word, word.span))
    return tuple(found)


def _legacy(instruction: Instruction) -> tuple[Pair, ...]:
    text = instruction.rest
    blanks = BLANKS.search(text.value)
    if blanks is None:
        return ()
    size = len(text.value)
    return (
        Pair(
            text.value[: blanks.start()],
            text.span(0, blanks.start()),
            Word(text.value[blanks.end() :], text.span(blanks.end(), size)),
            text.span(0, size),
            legacy=True,
        ),
    )
