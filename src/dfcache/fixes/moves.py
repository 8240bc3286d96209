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

PLAIN = re.compile(r"[A-Za-z0-9_.@+/~-]+$")


def block(dockerfile: Dockerfile, instruction: Instruction) -> Span:
    """The lines of an instruction with the comment lines that stand right above it."""
    start = instruction.span.start
    for item in reversed(dockerfile.items):
        if item.span.end == start and isinstance(item, Gap) and item.kind is Trivia.COMMENT:
            if "dfcache:" in dockerfile.source[item.span.start : item.span.end]:
                break
            start = item.span.start
    return Span(start, instruction.span.end)


class Moving:
    """Instructions on their way behind ``target``, and new ones for the places they leave."""

    def __init__(self, dockerfile: Dockerfile, target: Instruction, plan: Plan) -> None:
        self.dockerfile = dockerfile
        self.source = dockerfile.source
        self.newline = newline_of(dockerfile.source)
        self.target = target
        self.plan = plan
        self.texts: list[str] = []
        self.gap = ""

    def take(self, step: Step, instead: Sequence[str] = (), without: Sequence[Span] = ()) -> None:
        """Move a step, leaving ``instead`` in its place; it loses the words ``without``.

        Where the comment above it speaks of what is left, the comment stays.
        """
        span = block(self.dockerfile, step.outer)
        head = self.source[span.start : step.outer.span.start]
        if instead and _INSTALL.search(head):
            span = step.outer.span
        text = self.without(step, span, without)
        if not self.texts:
            behind = self.source[span.end : self.source.find("\n", span.end) + 1]
            self.gap = self.newline if "\n" in behind and is_blank(behind) else ""
        self.texts.append(text if text.endswith("\n") else text + self.newline)
        left = "".join(line + self.newline for line in instead)
        gone = span if instead else with_gap(self.dockerfile, span)
        self.plan.edits.append(Edit(gone, left))
        self.plan.moved.append(step.outer.span)
        self.plan.added += instead

    def without(self, step: Step, span: Span, words: Sequence[Span]) -> str:
        text = self.source[span.start : span.end]
        for word in sorted(words, reverse=True):
            edits = cut(self.source, word, step.outer.span, self.dockerfile.escape)
            if edits is None:
                self.plan.refuse("a comment stands among the words of the COPY")
                return text
            for edit in sorted(edits, reverse=True):
                first, last = edit.span.start - span.start, edit.span.end - span.start
                text = text[:first] + edit.text + text[last:]
            self.plan.dropped.append(word)
        return text

    def put_before(self, instruction: Instruction, lines: Sequence[str]) -> None:
        """Add instructions before another one and its comments."""
        at = block(self.dockerfile, instruction).start
        text = "".join(line + self.newline for line in lines)
        self.plan.edits.append(Edit(Span(at, at), text))
        self.plan.added += lines

    def put_down(self) -> None:
        """Add what was taken behind the target, parted by a blank line where the author did so."""
        at = self.target.span.end
        text = self.gap + "".join(self.texts)
        if at and self.source[at - 1] != "\n":
            # The file ends without a line end, and so it does afterwards.
            text = (self.newline + text).removesuffix(self.newline)
        self.plan.edits.append(Edit(Span(at, at), text))


# A comment about installing belongs to the manifests that take the place of a moved COPY.
_INSTALL = re.compile(r"install|requirement|dependenc|packages", re.IGNORECASE)


def with_gap(dockerfile: Dockerfile, span: Span) -> Span:
    """``span`` and the blank line behind it, where one stands before it as well."""
    source = dockerfile.source
    before = line_around(source, Span(span.start - 1, span.start - 1)) if span.start else None
    blank_before = before is None or is_blank(source[before.start : before.end])
    end = source.find("\n", span.end)
    if blank_before and end >= 0 and is_blank(source[span.end : end]):
        return Span(span.start, end + 1)
    return span


def manifest_copies(
    copy: CopyStep, wanted: Mapping[str, str], folders: Mapping[str, str], workdir: str | None
) -> list[str] | None:
    """COPY instructions that bring ``wanted`` (image path to context file) as ``copy`` would.

    ``folders`` are brought with all that is in them; ``workdir`` is the working directory where
    they will stand. None where a path can't be written plainly.
    """
    if copy.written is None or copy.files is None or copy.files.parents or copy.files.exclude:
        return None
    groups: dict[tuple[str, str], list[str]] = {}
    for path, where in wanted.items():
        folder, name = posixpath.split(path)
        rename = "" if posixpath.basename(where) == name else name
        groups.setdefault((folder, rename), []).append(where)
    keyword = "copy" if copy.instruction.keyword.islower() else "COPY"
    flags = [f.text for f in copy.instruction.flags if f.name in ("chown", "chmod", "link")]
    lines = []
    for (folder, rename), files in groups.items():
        dest = _written_dest(copy, folder, workdir, single=len(files) == 1 and not rename) + rename
        lines.append(" ".join([keyword, *flags, *files, dest]))
    for path, where in sorted(folders.items()):
        dest = _written_dest(copy, path, workdir, single=False)
        lines.append(" ".join([keyword, *flags, where, dest]))
    plain = all(PLAIN.match(p) for p in (*wanted, *wanted.values(), *folders, *folders.values()))
    return lines if plain else None


def _written_dest(copy: CopyStep, folder: str, workdir: str | None, single: bool) -> str:
    """The image folder ``folder``, written as the author writes the destination of ``copy``."""
    assert copy.files is not None
    written = copy.written.dest.value if copy.written else copy.files.dest
    if "'" in written or '"' in written:
        written = copy.files.dest
    root = destination(copy.files)
    same_place = written.startswith(("/", "$")) or workdir == copy.files.workdir
    if not same_place or (folder != root and not folder.startswith(root.rstrip("/") + "/")):
        return folder.rstrip("/") + "/"
    rest = posixpath.relpath(folder, root)
    if rest == ".":
        return written if written == "." and single else written.rstrip("/") + "/"
    if written in (".", "./", ""):
        return rest + "/"
    return written.rstrip("/") + "/" + rest + "/"
