"""Moving instructions, and copying manifests ahead of the rest."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence

from dfcache.fixes.cut import cut
from dfcache.fixes.layout import is_blank, line_around, newline_of
from dfcache.fixes.plan import Plan
from dfcache.model.build import CopyStep, Step
from dfcache.model.globbing import destination
from dfcache.parser.tree import Dockerfile, Gap, Instruction, Trivia
from dfcache.text import Edit, Span

_PLAIN = re.compile(r"[A-Za-z0-9_.@+/~-]+$")


def block(dockerfile: Dockerfile, instruction: Instruction) -> Span:
    """The lines of an instruction with the comment lines that stand right above it."""
    start = instruction.span.start
    for item in reversed(dockerfile.items):
        if item.span.end == start and isinstance(item, Gap) and item.kind is Trivia.COMMENT:
            if "dfcache:" in dockerfile.source[item.span.start : item.span.end]:
                break
            start = item.span.start
    return Span(start, instruction.span.end)


def move_after(
    dockerfile: Dockerfile,
    steps: Sequence[Step],
    target: Instruction,
    plan: Plan,
    *,
    instead: Sequence[str] = (),
    without: Mapping[Span, Sequence[Span]] | None = None,
) -> None:
    """Put ``steps`` behind ``target``; ``instead`` are instructions for the place of the first.

    ``without`` maps the span of an instruction to words that it loses on the way.
    """
    source, newline = dockerfile.source, newline_of(dockerfile.source)
    texts: list[str] = []
    for at, step in enumerate(steps):
        span = block(dockerfile, step.outer)
        text = source[span.start : span.end]
        for word in (without or {}).get(step.outer.span, ()):
            edits = cut(source, word, step.outer.span, dockerfile.escape)
            if edits is None:
                plan.refuse("a comment stands among the words of the COPY")
                return
            for edit in sorted(edits, reverse=True):
                first, last = edit.span.start - span.start, edit.span.end - span.start
                text = text[:first] + edit.text + text[last:]
            plan.dropped.append(word)
        texts.append(text if text.endswith("\n") else text + newline)
        placed = "".join(line + newline for line in instead) if at == 0 else ""
        plan.edits.append(Edit(span if placed else _with_gap(dockerfile, span), placed))
        plan.moved.append(step.outer.span)
    plan.added += instead
    plan.edits.append(_insertion(dockerfile, block(dockerfile, steps[0].outer), target, texts))


def _with_gap(dockerfile: Dockerfile, span: Span) -> Span:
    """``span`` and the blank line behind it, where one stands before it as well."""
    source = dockerfile.source
    before = line_around(source, Span(span.start - 1, span.start - 1)) if span.start else None
    blank_before = before is None or is_blank(source[before.start : before.end])
    end = source.find("\n", span.end)
    if blank_before and end >= 0 and is_blank(source[span.end : end]):
        return Span(span.start, end + 1)
    return span


def _insertion(
    dockerfile: Dockerfile, moved: Span, target: Instruction, texts: Sequence[str]
) -> Edit:
    """The moved lines behind ``target``, parted by blank lines where the author did so."""
    source, newline = dockerfile.source, newline_of(dockerfile.source)
    at = target.span.end
    text = "".join(texts)
    gap = source[moved.end : source.find("\n", moved.end) + 1]
    if "\n" in gap and is_blank(gap):
        text = newline + text
    if at and source[at - 1] != "\n":
        text = newline + text
        text = text.removesuffix(newline)  # the file ends without a line end, as it did
    return Edit(Span(at, at), text)


def manifest_copies(
    copy: CopyStep, wanted: Mapping[str, str], folders: Mapping[str, str]
) -> list[str] | None:
    """COPY instructions that bring ``wanted`` (image path to context file) as ``copy`` would.

    ``folders`` are brought with all that is in them. None where a path can't be written plainly.
    """
    assert copy.files is not None
    if copy.written is None or copy.files.parents or copy.files.exclude:
        return None
    groups: dict[tuple[str, str], list[str]] = {}
    for path, where in wanted.items():
        folder, name = posixpath.split(path)
        rename = "" if posixpath.basename(where) == name else name
        groups.setdefault((folder, rename), []).append(where)
    lines = []
    flags = [
        flag.text for flag in copy.instruction.flags if flag.name in ("chown", "chmod", "link")
    ]
    for (folder, rename), files in groups.items():
        dest = _written_dest(copy, folder, single=len(files) == 1 and not rename) + rename
        lines.append(" ".join(["COPY", *flags, *files, dest]))
    for path, where in sorted(folders.items()):
        lines.append(" ".join(["COPY", *flags, where, _written_dest(copy, path, single=False)]))
    keyword = copy.instruction.keyword
    if keyword.islower():
        lines = ["copy" + line[4:] for line in lines]
    plain = all(_PLAIN.match(p) for p in (*wanted, *wanted.values(), *folders, *folders.values()))
    return lines if plain else None


def _written_dest(copy: CopyStep, folder: str, single: bool) -> str:
    """The image folder ``folder``, written as the author writes the destination of ``copy``."""
    assert copy.files is not None
    written = copy.written.dest.value if copy.written else copy.files.dest
    root = destination(copy.files)
    rest = posixpath.relpath(folder, root)
    if folder != root and not folder.startswith(root.rstrip("/") + "/"):
        return folder.rstrip("/") + "/"
    if rest == ".":
        return written if written == "." and single else written.rstrip("/") + "/"
    if written in (".", "./", ""):
        return rest + "/"
    return written.rstrip("/") + "/" + rest + "/"
