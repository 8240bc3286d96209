"""Findings in the files that a Dockerfile's steps read, and their fixes.

Such a file is a requirements file. A fix of it may say more exactly what is asked for, and
nothing else: ``contradiction`` holds it to that.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from dfcache.diagnostics import Finding, Safety
from dfcache.engine.fix import choose
from dfcache.engine.write import read
from dfcache.model.context import Context
from dfcache.model.requirements import Requirement, Requirements, read_requirements
from dfcache.record import record, replace
from dfcache.text import apply


@record
class Companion:
    """One such file: where it is, its text before and after fixes, what was fixed and what is left.

    ``refused`` says why no fix was applied although there are some, or is "".
    """

    path: str
    source: str
    fixed: str
    findings: list[Finding]
    applied: tuple[Finding, ...]
    refused: str = ""


def own(findings: Iterable[Finding]) -> list[Finding]:
    """The findings about the Dockerfile itself."""
    return [each for each in findings if each.elsewhere is None]


def companions(
    findings: Iterable[Finding], context: Context, root: Path | None, least: Safety | None
) -> Iterator[Companion]:
    """The files that findings are about; with ``least``, fixes at least as safe are applied."""
    by_file: dict[str, list[Finding]] = {}
    for each in findings:
        if each.elsewhere is not None:
            moved = replace(each, span=each.elsewhere.span, elsewhere=None)
            by_file.setdefault(each.elsewhere.file, []).append(moved)
    for file, about in sorted(by_file.items()):
        text = context.read(file)
        if text is not None:
            yield _companion(file, text, sorted(about, key=_order), root, least)


def _companion(
    file: str, text: str, findings: list[Finding], root: Path | None, least: Safety | None
) -> Companion:
    path = os.path.relpath(root / file) if root is not None else file
    if least is None:
        return Companion(path, text, text, findings, ())
    taken = tuple(each for each in choose(findings, least))
    if not taken or root is None:
        return Companion(path, text, text, findings, ())
    if not _as_read(path, text):
        bare = [replace(each, fix=None) for each in findings]
        return Companion(path, text, text, bare, ())
    fixed = apply(text, (edit for each in taken if each.fix for edit in each.fix.edits))
    wrong = contradiction(file, text, fixed)
    if wrong:
        return Companion(path, text, text, findings, (), wrong)
    # What is left stands where the text before had it, and the reader sees the text after.
    left = [each for each in findings if each not in taken]
    return Companion(path, text, fixed, [_shifted(each, taken) for each in left], taken)


def _as_read(path: str, text: str) -> bool:
    """Whether the file's bytes are that text; it may have an encoding of its own."""
    try:
        return read(path) == text
    except OSError:
        return False


def _shifted(finding: Finding, taken: Iterable[Finding]) -> Finding:
    by = sum(
        len(edit.text) - len(edit.span)
        for each in taken
        if each.fix
        for edit in each.fix.edits
        if edit.span.end <= finding.span.start
    )
    span = type(finding.span)(finding.span.start + by, finding.span.end + by)
    return replace(finding, span=span, fix=None)


def contradiction(file: str, before: str, after: str) -> str:
    """What a fix of a requirements file did besides naming versions and commits, or ""."""
    old, new = (_read(file, text) for text in (before, after))
    if (old.options, old.missing, old.remote, old.variables) != (
        new.options,
        new.missing,
        new.remote,
        new.variables,
    ):
        return "it changes options"
    if len(old.entries) != len(new.entries) or new.problems != old.problems:
        return "it changes which packages are asked for"
    if before.count("\n") != after.count("\n"):
        return "it changes the number of lines"
    for one, other in zip(old.entries, new.entries, strict=True):
        if not _same(one, other):
            return f"it makes {other.text!r} of {one.text!r}"
    return ""


def _same(one: Requirement, other: Requirement) -> bool:
    """Whether the entries ask for the same thing, the second perhaps for one version of it."""
    kept = ("name", "extras", "marker", "hashes", "path", "editable", "constraint", "line")
    if any(getattr(one, key) != getattr(other, key) for key in kept):
        return False
    if one.url != other.url:
        bare = (one.url or "").partition("#")[0].rpartition("@")[0] or (one.url or "")
        return other.pinned and (other.url or "").startswith(bare.partition("#")[0])
    return one.specifier == other.specifier or other.pinned


def _read(file: str, text: str) -> Requirements:
    """The entries of one file alone."""
    return read_requirements(lambda path: text if path == os.path.normpath(file) else None, file)


def _order(finding: Finding) -> tuple[int, str]:
    return finding.span.start, finding.code
