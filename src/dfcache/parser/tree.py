"""The lossless tree of a Dockerfile: plain values, no behaviour.

A Dockerfile is a row of items that tile its text: every character belongs to
exactly one. What an instruction means to BuildKit (its joined text) is a
``Text``, which knows where in the file each part of it came from.
"""

from __future__ import annotations

from bisect import bisect_right
from enum import Enum

from dfcache.record import record
from dfcache.text import Span


@record
class Piece:
    """``length`` characters of a text from ``start`` on stand in the file at ``offset``."""

    start: int
    offset: int
    length: int


@record
class Text:
    """Text as its reader gets it (joined, unescaped), and where it stands in the file.

    The pieces are in order, lie in the file in order, and cover ``value``. A
    piece whose file text is longer than its value (an escape) has ``length``
    as in ``value``; the next piece tells where the file goes on.
    """

    value: str
    pieces: tuple[Piece, ...]

    def offset(self, index: int) -> int:
        """The place in the file of the character at ``index``; at the end, the place after it."""
        if not self.pieces:
            return 0
        at = bisect_right(self.pieces, index, key=lambda piece: piece.start) - 1
        piece = self.pieces[max(at, 0)]
        return piece.offset + index - piece.start

    def span(self, start: int, end: int) -> Span:
        """The file span from the first to the last character of ``value[start:end]``.

        It covers every continuation in between.
        """
        if start == end:
            return Span(self.offset(start), self.offset(start))
        return Span(self.offset(start), self.offset(end - 1) + 1)

    def contiguous(self, start: int, end: int) -> bool:
        """Whether ``value[start:end]`` stands in the file unbroken."""
        return len(self.span(start, end)) == end - start

    def slice(self, start: int, end: int) -> Text:
        """The text ``value[start:end]``, with its places."""
        pieces = []
        for piece in self.pieces:
            first = max(piece.start, start)
            last = min(piece.start + piece.length, end)
            if first < last:
                where = piece.offset + first - piece.start
                pieces.append(Piece(first - start, where, last - first))
        if not pieces:
            pieces.append(Piece(0, self.offset(start), 0))
        return Text(self.value[start:end], tuple(pieces))


@record
class Word:
    """One word of an instruction: as BuildKit splits it, quotes kept."""

    value: str
    span: Span


@record
class Flag:
    """``--name=value`` before the arguments; ``value`` is None without ``=``.

    ``value`` has its quotes and escapes removed, ``text`` is the flag as the
    instruction has it (joined, quotes kept); ``span`` covers ``text``.
    """

    name: str
    value: str | None
    text: str
    span: Span


@record
class Heredoc:
    """A here-document: ``body`` is its raw text without the closing line.

    ``word_span`` is the ``<<NAME`` word, ``end_span`` the closing line without its
    line end. ``chomp`` is ``<<-``; ``expand`` is False when the name was quoted.
    """

    name: str
    fd: int
    expand: bool
    chomp: bool
    body: str
    word_span: Span
    body_span: Span
    end_span: Span


@record
class Problem:
    """What BuildKit refuses, in its words, and where.

    ``stage`` is "parse" where it refuses to parse the file, and "instruction"
    where it parses but refuses an instruction or the order of instructions.
    ``lines`` are the lines (from 1) that BuildKit names.
    """

    message: str
    span: Span
    stage: str
    lines: tuple[int, ...]


class Trivia(Enum):
    """What an item is that is no instruction."""

    BOM = "bom"
    DIRECTIVE = "directive"
    COMMENT = "comment"
    BLANK = "blank"
    UNREAD = "unread"  # what stands after the place where BuildKit stops reading


@record
class Gap:
    """A byte order mark, or one line that is no part of an instruction; ends after its line end."""

    kind: Trivia
    span: Span


@record
class Directive:
    """A parser directive: ``# name=value``; ``name`` in lower case."""

    name: str
    value: str
    span: Span


@record
class Instruction:
    """One instruction, from its first line to the end of its last.

    ``span`` covers whole lines with the last line end (also comments and blank
    lines within, and heredocs); ``keyword_span`` just the keyword. ``keyword`` is as
    written and ``name`` in upper case. ``original`` is the joined line as BuildKit
    prints it. ``rest`` is what follows keyword and flags, with its places;
    ``words`` are its arguments where it is split into words (JSON elements unescaped).
    ``form`` is "exec" where a JSON array was read, else "shell". ``child`` is the
    instruction inside ONBUILD. ``comments`` are those BuildKit hands to the instruction.
    ``opaque`` tells, where it isn't None, why the arguments could not be read for sure
    (non-ASCII flags that BuildKit garbles): such an instruction is reported, never edited.
    """

    span: Span
    keyword: str
    keyword_span: Span
    name: str
    original: str
    flags: tuple[Flag, ...]
    rest: Text
    words: tuple[Word, ...]
    form: str
    heredocs: tuple[Heredoc, ...]
    child: Instruction | None
    comments: tuple[str, ...]
    start_line: int
    end_line: int
    opaque: str | None = None

    def flag(self, name: str) -> Flag | None:
        """The first flag called ``name``, or None."""
        return next((flag for flag in self.flags if flag.name == name), None)


Item = Gap | Instruction


@record
class Dockerfile:
    """A whole file: ``items`` tile ``source``.

    Where BuildKit refuses the file, ``problems`` is not empty and the tree is as
    complete as it can be. ``warnings`` are (line, message) pairs as BuildKit gives them.
    """

    source: str
    escape: str
    directives: tuple[Directive, ...]
    items: tuple[Item, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[tuple[int, str], ...] = ()

    @property
    def instructions(self) -> tuple[Instruction, ...]:
        """The instructions, in order."""
        return tuple(item for item in self.items if isinstance(item, Instruction))
