"""A second reader, written by other people, that must agree with ours about a file.

dockerfile-parse knows nothing of our parser's mistakes. It has its own, so it is asked
only about files within its competence; those are more than 97 of 100.
"""

from __future__ import annotations

import logging

from dfcache.parser.tree import Dockerfile, Instruction

_SPACE = "\t\n\r "
# Blanks to one of the readers and not to the other.
_ODD = frozenset("\v\f\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | {
    chr(code) for code in range(0x2000, 0x200B)
}


def contradicts(dockerfile: Dockerfile) -> str | None:
    """What the second reader reads otherwise, or None: it agrees, or isn't competent."""
    if not competent(dockerfile):
        return None
    ours = [(each.name, each.start_line - 1, _squeezed(each)) for each in dockerfile.instructions]
    theirs = _structure(dockerfile.source)
    for mine, other in zip(ours, theirs, strict=False):
        if mine != other:
            return (
                f"the second parser reads {other[0]} {other[2]!r} in line {other[1] + 1}, "
                f"ours {mine[0]} {mine[2]!r} in line {mine[1] + 1}"
            )
    if len(ours) != len(theirs):
        return f"the second parser finds {len(theirs)} instructions, ours {len(ours)}"
    return None


def competent(dockerfile: Dockerfile) -> bool:
    """Whether dockerfile-parse reads such a file as BuildKit does.

    Not with: bytes that are no UTF-8, a byte order mark, here-documents, blank lines in a
    continued instruction, a doubled escape at a line's end, ``check`` beside ``escape``, unusual
    blanks, an instruction without arguments, a keyword broken over lines, a last line that
    continues.
    """
    source = dockerfile.source
    if dockerfile.problems or dockerfile.warnings or source.startswith("\ufeff"):
        return False
    if any("\ud800" <= char <= "\udfff" or char in _ODD for char in set(source)):
        return False
    if source.count("\r") != source.count("\r\n"):
        return False
    names = [each.name for each in dockerfile.directives]
    if "check" in names and "escape" in names:
        return False
    return all(_plain(source, each, dockerfile.escape) for each in dockerfile.instructions)


def _plain(source: str, each: Instruction, escape: str) -> bool:
    text = source[each.span.start : each.span.end]
    head = text.lstrip(_SPACE)[: len(each.keyword)]
    if each.heredocs or (each.child and each.child.heredocs) or head != each.keyword:
        return False
    lines = [line.rstrip(_SPACE) for line in text.rstrip(_SPACE).split("\n")]
    comment = [line.lstrip(_SPACE).startswith("#") for line in lines]
    bare = [line for line, skip in zip(lines, comment, strict=True) if not skip]
    first = bare[0].lstrip(_SPACE)
    return (
        each.keyword.isascii()
        and first[len(head) : len(head) + 1] in (" ", "\t")
        and bool(first[len(head) :].strip(_SPACE))
        and all(bare)
        and not bare[-1].endswith(escape)
        and not any(line.endswith(escape * 2) for line in bare)
    )


def _squeezed(each: Instruction) -> str:
    """The text after the keyword; runs of blanks count as one."""
    return " ".join(each.original.lstrip(_SPACE)[len(each.keyword) :].split())


def _structure(source: str) -> list[tuple[str, int, str]]:
    from io import BytesIO

    from dockerfile_parse import DockerfileParser  # type: ignore[import-untyped]

    logging.getLogger("dockerfile_parse").setLevel(logging.CRITICAL)
    parser = DockerfileParser(fileobj=BytesIO(source.encode("utf-8")))
    return [
        (each["instruction"], each["startline"], " ".join(each["value"].split()))
        for each in parser.structure
        if each["instruction"] != "COMMENT"
    ]
