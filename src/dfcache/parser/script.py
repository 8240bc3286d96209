"""The commands of a RUN: what a shell runs, and where it stands in the file."""

from __future__ import annotations

from enum import Enum

from dfcache.record import record
from dfcache.text import Span


class Dialect(Enum):
    """Which language the text of a RUN is in."""

    POSIX = "posix"  # sh, bash, dash, ash, zsh, ksh: read
    POWERSHELL = "powershell"  # recognised and left alone, as are the next two
    CMD = "cmd"
    OTHER = "other"


@record
class ShellWord:
    """One word of a command.

    ``raw`` is the word as the shell gets it, quotes kept (continuations gone);
    ``value`` is the word with quotes and escapes removed, expansions as written.
    ``literal`` is True where ``value`` is exactly what the program gets: no
    expansion, substitution or glob in it. ``span`` is its place in the file;
    ``contiguous`` is False where a continuation stands within it.
    """

    value: str
    raw: str
    literal: bool
    span: Span
    contiguous: bool = True


@record
class Assignment:
    """``name=value`` before a command or alone; ``append`` for ``+=``."""

    name: str
    value: ShellWord
    append: bool
    span: Span


@record
class Redirect:
    """``> target`` and its kin; ``target`` is None for a here-document.

    ``operator`` is as written, with a leading file descriptor: ``>``, ``2>``, ``>&``.
    """

    operator: str
    target: ShellWord | None
    span: Span


@record
class Separator:
    """What stands between two commands of a list: ``&&  ||  ;  |  |&  &`` or a newline."""

    operator: str
    span: Span


@record
class Command:
    """A simple command.

    ``before`` and ``after`` are the separators on its two sides within its own list
    (None at the ends of the list). ``context`` names the constructs around it from
    the outermost in: "if" (a condition), "then", "else", "while" (a condition), "loop"
    (a body), "case", "subshell", "group", "function", "substitution", "shell" (text given
    to a nested ``sh -c``), "user" (before "shell" where that may run as another user),
    "background". ``list_id`` is equal for the commands of one list. ``negated`` is ``!``
    before its pipeline. ``prefixes`` are the spans of the words ``time`` and ``!`` before
    the command itself; ``span`` does not cover them.
    ``rewritable`` is False where the text passes through an escape on its way here
    (a quoted ``sh -c`` with escapes in it): its words may be deleted, not rewritten.
    """

    span: Span
    words: tuple[ShellWord, ...]
    assignments: tuple[Assignment, ...]
    redirects: tuple[Redirect, ...]
    before: Separator | None
    after: Separator | None
    context: tuple[str, ...]
    list_id: int
    negated: bool = False
    rewritable: bool = True
    prefixes: tuple[Span, ...] = ()

    @property
    def joiner(self) -> str:
        """The operator before the command, "" at the start of its list."""
        return self.before.operator if self.before else ""


@record
class Opaque:
    """Shell text that was not understood from ``span.start`` on, and why: no commands there."""

    span: Span
    reason: str


@record
class Script:
    """All the commands of a RUN in the order of the text, nested ones included."""

    commands: tuple[Command, ...]
    dialect: Dialect
    opaque: tuple[Opaque, ...] = ()
