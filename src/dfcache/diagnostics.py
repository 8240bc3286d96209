"""What dfcache says: findings, and the fixes that would mend them."""

from __future__ import annotations

from enum import IntEnum

from dfcache.record import record
from dfcache.text import Edit, Span


class Severity(IntEnum):
    """How bad it is: could be better; downloads are lost; the build is broken or caches nothing."""

    INFO = 1
    WARNING = 2
    ERROR = 3


class Safety(IntEnum):
    """Who may apply a fix: nobody (it is shown), ``--unsafe``, everybody."""

    DISPLAY = 1
    UNSAFE = 2
    SAFE = 3


@record
class Declared:
    """What a fix says it changes, so that ``verify`` can hold it to that.

    ``dropped`` are spans of whole shell words, flags or ENV words of the text
    before the fix which are gone after it; ``moved`` are spans of instructions
    that stand elsewhere afterwards; ``added`` are the new shell words, flags or
    instructions, as BuildKit reads them (joined, without line breaks).
    """

    dropped: frozenset[Span] = frozenset()
    moved: frozenset[Span] = frozenset()
    added: tuple[str, ...] = ()


@record
class Fix:
    """A change to one file: all of its edits are applied, or none."""

    title: str
    edits: tuple[Edit, ...]
    safety: Safety
    declared: Declared = Declared()


@record
class Elsewhere:
    """A place in a file of the build context: its path there, and the span in its text."""

    file: str
    span: Span


@record
class Finding:
    """One thing to say about one place of a Dockerfile, or of a file that one of its steps reads.

    ``elsewhere`` is that file's place; then ``span`` is the argument that names the file, by which
    comments in the Dockerfile silence the finding, and the edits of ``fix`` are of that file.
    """

    code: str
    name: str
    severity: Severity
    span: Span
    message: str
    fix: Fix | None = None
    notes: tuple[str, ...] = ()
    elsewhere: Elsewhere | None = None
