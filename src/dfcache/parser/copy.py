"""What a COPY or ADD copies, as written."""

from __future__ import annotations

from typing import NamedTuple

from dfcache.parser.heredocs import opening_of
from dfcache.parser.lexer import LexError
from dfcache.parser.tree import Heredoc, Instruction, Word


class CopySpec(NamedTuple):
    """The parts of a COPY or ADD, unexpanded.

    ``sources`` are paths, patterns or (ADD) addresses; a here-document among the sources
    is in ``heredocs`` instead, None where BuildKit finds no body and writes an empty file.
    Options that ADD alone has (``checksum``, ``keep_git_dir``, ``unpack``) are None or
    False elsewhere; ``unpack`` and ``keep_git_dir`` are None where they aren't given.
    """

    sources: tuple[Word, ...]
    dest: Word
    heredocs: tuple[tuple[Word, Heredoc | None], ...]
    from_: str | None
    chown: str | None
    chmod: str | None
    link: bool
    parents: bool
    excludes: tuple[str, ...]
    checksum: str | None
    keep_git_dir: bool | None
    unpack: bool | None


def copy_spec(instruction: Instruction) -> CopySpec | None:
    """The parts of a COPY or ADD; None for others and where the destination is missing."""
    if instruction.name not in ("COPY", "ADD") or len(instruction.words) < 2:
        return None
    bodies = {heredoc.name: heredoc for heredoc in instruction.heredocs}
    sources: list[Word] = []
    heredocs: list[tuple[Word, Heredoc | None]] = []
    for word in instruction.words[:-1]:
        name = heredoc_name(word.value)
        if name is None:
            sources.append(word)
        else:
            heredocs.append((word, bodies.get(name)))
    return CopySpec(
        sources=tuple(sources),
        dest=instruction.words[-1],
        heredocs=tuple(heredocs),
        from_=_text(instruction, "from"),
        chown=_text(instruction, "chown"),
        chmod=_text(instruction, "chmod"),
        link=bool(_switch(instruction, "link")),
        parents=bool(_switch(instruction, "parents")),
        excludes=tuple(flag.value or "" for flag in instruction.flags if flag.name == "exclude"),
        checksum=_text(instruction, "checksum"),
        keep_git_dir=_switch(instruction, "keep-git-dir"),
        unpack=_switch(instruction, "unpack"),
    )


def heredoc_name(word: str) -> str | None:
    """The name of the here-document that ``word`` stands for, if it does."""
    if "<<" not in word:
        return None
    try:
        opening = opening_of(word)
    except LexError:
        return None
    return opening.name if opening else None


def _text(instruction: Instruction, name: str) -> str | None:
    flag = instruction.flag(name)
    return flag.value if flag else None


def _switch(instruction: Instruction, name: str) -> bool | None:
    flag = instruction.flag(name)
    return None if flag is None else (flag.value or "true").lower() == "true"
