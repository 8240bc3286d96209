"""The build context of a file, and what a guessed one is good for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dfcache.diagnostics import Finding, Safety
from dfcache.model.context import Context, DirectoryContext, NoContext
from dfcache.record import record, replace

if TYPE_CHECKING:
    from dfcache.engine.lint import Examined
    from dfcache.engine.settings import Settings


@record
class Chosen:
    """A context; ``doubt`` says in words what it was taken for where that is a guess.

    ``root`` is its folder, None where there is none.
    """

    context: Context
    doubt: str | None = None
    root: Path | None = None


def context_of(path: str | None, source: str, settings: Settings) -> Chosen:
    """The context for the text ``source`` of the file ``path``; None is standard input."""
    if settings.context is not None:
        folder = Path(settings.context)
        context = DirectoryContext(folder, Path(path) if path is not None else None)
        return Chosen(context, root=folder)
    if path is None or not os.path.isdir(os.path.dirname(path) or "."):
        return Chosen(NoContext())
    from dfcache.model.contexts import find_context

    found = find_context(
        Path(path),
        root=Path.cwd(),
        sources=_sources(source),
        installed=lambda: _installed(source, settings),
    )
    context = DirectoryContext(found.path, Path(path), found.sure)
    doubt = None if found.sure else f"{os.path.relpath(found.path)} ({found.how})"
    return Chosen(context, doubt, found.path)


def examine_in(chosen: Chosen, examine: Callable[[Context], Examined]) -> Examined:
    """What ``examine`` says in the context.

    Where that is a guess, a fix that would not be safe without any context is unsafe.
    """
    examined = examine(chosen.context)
    safe = [each for each in examined.findings if each.fix and each.fix.safety is Safety.SAFE]
    if chosen.doubt is None or not safe:
        return examined
    blind = examine(NoContext()).findings
    # A file of the context is never known without it.
    own = (each for each in blind if each.elsewhere is None)
    sure = {_key(each) for each in own if each.fix and each.fix.safety is Safety.SAFE}
    findings = [
        each if each not in safe or _key(each) in sure else _doubted(each, chosen.doubt)
        for each in examined.findings
    ]
    return replace(examined, findings=findings)


def _key(finding: Finding) -> tuple[object, ...]:
    edits = finding.fix.edits if finding.fix else ()
    return finding.code, finding.span, finding.elsewhere, edits


def _doubted(finding: Finding, doubt: str) -> Finding:
    if finding.fix is None:
        return finding
    note = (
        f"check before you apply the fix: the build context is taken to be {doubt}; see --context"
    )
    fix = replace(finding.fix, safety=Safety.UNSAFE)
    return replace(finding, fix=fix, notes=(*finding.notes, note))


def _sources(source: str) -> tuple[str, ...]:
    """What a Dockerfile copies from its context."""
    from dfcache.engine.lint import tree
    from dfcache.parser import copy_spec

    specs = [copy_spec(each) for each in tree(source).instructions]
    return tuple(
        word.value for spec in specs if spec and spec.from_ is None for word in spec.sources
    )


def _installed(source: str, settings: Settings) -> tuple[str, ...]:
    """The requirements files that installs read, as paths of the context they are copied from."""
    from dfcache.engine.lint import all_rules, tree
    from dfcache.model.globbing import origin
    from dfcache.model.reads import copies_before
    from dfcache.model.variables import is_loose

    build = all_rules().understand(tree(source), NoContext(), settings)
    found = []
    for step in build.runs():
        copies = [copy.files for copy in copies_before(build, step) if copy.files is not None]
        for read in (read for use in step.uses for read in use.reads):
            loose = is_loose(read.argument.word.raw, step.scope)
            if read.kind == "requirements" and read.path is not None and not loose:
                found.append(origin(read.path, copies, NoContext()))
    return tuple(sorted({each.path for each in found if each is not None}))
