"""How the author lays out a file: line ends, indentation, lines."""

from __future__ import annotations

from dfcache.parser.tree import Dockerfile, Instruction
from dfcache.text import Span

_BLANKS = " \t\r\n\f\v"


def newline_of(source: str) -> str:
    """The line end of the file: that of its first line, a line feed where it has none."""
    at = source.find("\n")
    return "\r\n" if at > 0 and source[at - 1] == "\r" else "\n"


def line_around(source: str, span: Span) -> Span:
    """The physical lines that hold ``span``, without the last line end."""
    start = source.rfind("\n", 0, span.start) + 1
    end = source.find("\n", span.end)
    end = len(source) if end < 0 else end
    if end > start and source[end - 1] == "\r":
        end -= 1
    return Span(start, end)


def is_blank(text: str) -> bool:
    """Whether a part of a line holds nothing."""
    return not text.strip(_BLANKS)


def is_comment(line: str) -> bool:
    """Whether a physical line is a comment."""
    return line.lstrip(_BLANKS).startswith("#")


def continues(line: str, escape: str) -> bool:
    """Whether a physical line ends in a continuation, as BuildKit takes it."""
    bare = line.rstrip("\r\n").rstrip(" \t")
    return bare.endswith(escape) and not bare.endswith(escape * 2)


def indentation(dockerfile: Dockerfile, instruction: Instruction) -> str:
    """The indentation of continued lines: the instruction's, else the file's, else four blanks."""
    own = _continued_indent(dockerfile, instruction)
    if own is not None:
        return own
    for other in dockerfile.instructions:
        if other.name == "RUN" and not other.heredocs:
            found = _continued_indent(dockerfile, other)
            if found:
                return found
    return "    "


def _continued_indent(dockerfile: Dockerfile, instruction: Instruction) -> str | None:
    if instruction.heredocs:
        return None
    text = dockerfile.source[instruction.span.start : instruction.span.end]
    lines = [x for x in text.split("\n")[1:] if not is_blank(x) and not is_comment(x)]
    return min(
        (line[: len(line) - len(line.lstrip(_BLANKS))] for line in lines), key=len, default=None
    )
