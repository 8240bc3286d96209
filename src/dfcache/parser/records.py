"""Commands while they are read, and the values they become."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from dfcache.parser.places import Places
from dfcache.parser.script import Assignment, Command, Opaque, Redirect, Separator, ShellWord
from dfcache.parser.shellwords import Part
from dfcache.text import Span

Mark = tuple[str, int, int]
"""A separator: (operator, start, end)."""


class Origin(Protocol):
    """The parser of the text in which a command stands."""

    pos: int
    places: Places
    context: tuple[str, ...]
    rewritable: bool


class Record:
    """A command while it is read; places are those of its own text."""

    __slots__ = (
        "after", "assignments", "before", "context", "end", "list_id", "negated", "parser",
        "prefixes", "redirects", "start", "words",
    )  # fmt: skip

    def __init__(self, parser: Origin, list_id: int, before: Mark | None) -> None:
        self.parser = parser
        self.start = parser.pos
        self.end = -1
        self.words: list[Part] = []
        self.assignments: list[tuple[str, Part, bool, int, int]] = []
        self.redirects: list[tuple[str, Part | None, int, int]] = []
        self.before = before
        self.after: Mark | None = None
        self.context = parser.context
        self.list_id = list_id
        self.negated = False
        self.prefixes: tuple[tuple[int, int], ...] = ()


class Output:
    """What is read of a script and of all scripts inside it."""

    __slots__ = ("lists", "opaque", "records")

    def __init__(self, first_list: int) -> None:
        self.records: list[Record] = []
        self.opaque: list[Opaque] = []
        self.lists = first_list


class Heredoc:
    """A here-document whose body comes after the next line end."""

    __slots__ = ("chomp", "context", "expand", "name", "owner", "start")

    def __init__(self, start: int, name: str, owner: Record | None) -> None:
        self.start = start
        self.name = name
        self.owner = owner
        self.chomp = False
        self.expand = True
        self.context: tuple[str, ...] = ()


def command(record: Record) -> Command:
    """The value of a record."""
    span = record.parser.places.span
    before, after = record.before, record.after
    return Command(
        span(record.start, record.end),
        tuple([_word(word, span) for word in record.words]),
        tuple(
            [
                Assignment(name, _word(value, span), append, span(start, end))
                for name, value, append, start, end in record.assignments
            ]
        ),
        tuple(
            [
                Redirect(operator, target and _word(target, span), span(start, end))
                for operator, target, start, end in record.redirects
            ]
        ),
        before and Separator(before[0], span(before[1], before[2])),
        after and Separator(after[0], span(after[1], after[2])),
        record.context,
        record.list_id,
        record.negated,
        record.parser.rewritable,
        tuple([span(start, end) for start, end in record.prefixes]),
    )


def _word(word: Part, span: Callable[[int, int], Span]) -> ShellWord:
    start, end, value, raw, literal = word
    place = span(start, end)
    return ShellWord(value, raw, literal, place, len(place) == len(raw))
