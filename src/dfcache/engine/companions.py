"""Findings in the files that a Dockerfile's steps read, and their fixes.

Such a file is a requirements file. A fix of it may say more exactly what is asked for, and
nothing else: ``contradiction`` holds it to that.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from dfcache.diagnostics import Finding, Fix, Safety
from dfcache.engine.fix import choose
from dfcache.engine.write import read
from dfcache.model.context import Context
from dfcache.model.requirements import Requirement, Requirements, read_requirements
from dfcache.parser.chars import BOM
from dfcache.record import record, replace
from dfcache.text import Edit, Span, apply

_COMMIT = r"@[0-9a-f]{40}(#|$)"


@record
class Companion:
    """One such file, ``file`` in the context and ``path`` on disk, with what was found and fixed.

    ``findings`` belong to ``source``, of which ``fixed`` is the text after ``applied``. ``shift``
    is the length of a byte order mark, which these texts have and that of the context has not.
    ``refused`` says why no fix was applied although there are some, or is "".
    """

    file: str
    path: str
    source: str
    fixed: str
    findings: list[Finding]
    applied: tuple[Finding, ...] = ()
    shift: int = 0
    refused: str = ""


def own(findings: Iterable[Finding]) -> list[Finding]:
    """The findings about the Dockerfile itself."""
    return [each for each in findings if each.elsewhere is None]


def about(findings: Iterable[Finding], file: str, shift: int = 0) -> list[Finding]:
    """The findings about one file of the context, with their places in it, ``shift`` later."""
    found = [
        replace(
            each,
            span=_moved(each.elsewhere.span, shift),
            fix=_moved_fix(each.fix, shift),
            elsewhere=None,
        )
        for each in findings
        if each.elsewhere is not None and each.elsewhere.file == file
    ]
    return sorted(found, key=lambda each: (each.span, each.code))


def companions(
    findings: Iterable[Finding], context: Context, root: Path | None, least: Safety | None
) -> Iterator[Companion]:
    """The files that findings are about; with ``least``, fixes at least as safe are applied."""
    findings = list(findings)
    for file in sorted({each.elsewhere.file for each in findings if each.elsewhere is not None}):
        text = context.read(file)
        if text is not None:
            yield _companion(file, text, findings, root, least)


def _companion(
    file: str, text: str, findings: list[Finding], root: Path | None, least: Safety | None
) -> Companion:
    path = os.path.relpath(root / file) if root is not None else file
    source = text if root is None else _source(path, text)
    if source is None:  # in an encoding of its own, which an edit would have to know
        bare = [replace(each, fix=None) for each in about(findings, file)]
        return Companion(file, path, text, text, bare)
    shift = len(source) - len(text)
    found = about(findings, file, shift)
    taken = choose(found, least) if least is not None and root is not None else ()
    if not taken:
        return Companion(file, path, source, source, found, shift=shift)
    fixed = apply(source, (edit for each in taken if each.fix for edit in each.fix.edits))
    wrong = contradiction(file, text, fixed[shift:])
    if wrong:
        return Companion(file, path, source, source, found, (), shift, wrong)
    return Companion(file, path, source, fixed, found, taken, shift)


def _source(path: str, text: str) -> str | None:
    """What is on disk, where that is ``text``, perhaps behind a byte order mark; else None."""
    try:
        source = read(path)
    except OSError:
        return None
    return source if source in (text, f"{BOM}{text}") else None


def _moved(span: Span, by: int) -> Span:
    return Span(span.start + by, span.end + by)


def _moved_fix(fix: Fix | None, by: int) -> Fix | None:
    if fix is None or not by:
        return fix
    return replace(fix, edits=tuple(Edit(_moved(each.span, by), each.text) for each in fix.edits))


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
    if one.url is not None and other.url is not None and one.url != other.url:
        return _bare(one.url) == _bare(other.url) and re.search(_COMMIT, other.url) is not None
    if one.url != other.url:
        return False
    return one.specifier == other.specifier or _narrows(one.specifier, other.specifier)


def _bare(url: str) -> tuple[str, str]:
    """The URL of a git requirement without the branch, tag or commit, and what stands behind."""
    address, _, fragment = url.partition("#")
    host, slash, path = address.partition("://")[2].partition("/")
    scheme = address.partition("://")[0]
    return f"{scheme}://{host}{slash}{path.partition('@')[0]}", fragment


def _narrows(before: str, after: str) -> bool:
    """Whether ``after`` names one version, and ``before`` admits it."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    version = after.removeprefix("==").strip(" \t")
    try:
        wide = SpecifierSet(before.strip("() \t"))
        return after.startswith("==") and wide.contains(version, prereleases=True)
    except InvalidSpecifier:
        return False


def _read(file: str, text: str) -> Requirements:
    """The entries of one file alone."""
    return read_requirements(lambda path: text if path == os.path.normpath(file) else None, file)
