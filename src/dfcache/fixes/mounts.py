"""Putting mounts on a RUN."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from dfcache.fixes.layout import indentation, newline_of
from dfcache.parser.mounts import Mount
from dfcache.parser.tree import Dockerfile, Instruction
from dfcache.text import Edit, Span

PLAIN_PATH = re.compile(r"/[A-Za-z0-9_.@+/-]+$")
"""A path that needs no quotes in a mount."""


def cache_mount(
    target: str,
    *,
    id: str | None = None,
    sharing: str = "shared",
    uid: int | None = None,
    gid: int | None = None,
) -> str:
    """The text of a cache mount flag; what equals BuildKit's default is left out."""
    fields = ["type=cache"]
    if id is not None:
        fields.append(f"id={id}")
    fields.append(f"target={target}")
    if sharing != "shared":
        fields.append(f"sharing={sharing}")
    if uid:
        fields.append(f"uid={uid}")
    if gid:
        fields.append(f"gid={gid}")
    return "--mount=" + ",".join(fields)


def add_flags(dockerfile: Dockerfile, instruction: Instruction, flags: Sequence[str]) -> Edit:
    """Put ``flags`` behind the keyword or the flags that are there, each on a line of its own."""
    source = dockerfile.source
    at = instruction.flags[-1].span.end if instruction.flags else instruction.keyword_span.end
    fold = f" {dockerfile.escape}{newline_of(source)}{indentation(dockerfile, instruction)}"
    end = at
    while end < len(source) and source[end] in " \t":
        end += 1
    text = fold.join(flags)
    if instruction.flags and _begins_line(source, end, dockerfile.escape):
        return Edit(Span(at, at), fold + text)  # the author already gives each flag a line
    if _begins_line(source, end, dockerfile.escape):
        return Edit(Span(at, at), " " + text)
    if instruction.heredocs and instruction.rest.value.startswith(tuple("0123456789<")):
        return Edit(Span(at, end), f" {text} ")
    return Edit(Span(at, end), f" {text}{fold}")


def _begins_line(source: str, at: int, escape: str) -> bool:
    """Whether the command stands on the next line: only a continuation follows."""
    line = source[at : source.find("\n", at) if "\n" in source[at:] else len(source)]
    return line.rstrip(" \t\r") == escape


def change_mount(
    mount: Mount, changes: Mapping[str, str], without: Sequence[str] = ()
) -> tuple[Edit, str] | None:
    """The flag with fields set to new values or taken out, and its new text.

    New fields go to the end. None where quotes or continuations stand in the flag.
    """
    flag = mount.flag
    plain = f"--mount={flag.value}"
    if flag.text != plain or len(flag.span) != len(plain) or '"' in plain:
        return None
    left = dict(changes)
    fields = []
    for field in mount.fields:
        if field.key in without:
            continue
        name = field.written.partition("=")[0]
        fields.append(f"{name}={left.pop(field.key)}" if field.key in left else field.written)
    fields += [f"{key}={value}" for key, value in left.items()]
    text = "--mount=" + ",".join(fields)
    return Edit(flag.span, text), text
