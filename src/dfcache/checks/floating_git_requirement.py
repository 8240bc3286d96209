"""DFC312: what is built of a git repository is what its branch holds on the day of the build."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.diagnostics import Elsewhere, Fix
from dfcache.fixes.pinning import fix_commit, pin_word, with_commit
from dfcache.fixes.plan import Plan
from dfcache.model.asked import Asked, all_asked
from dfcache.model.build import Build
from dfcache.model.credentials import masked
from dfcache.model.pins import commit, floating, of_project
from dfcache.model.requirements import Requirement
from dfcache.text import Span


@check_for("DFC312", on=Build)
def check(build: Build, _: Build) -> Iterator[Report]:
    told: set[tuple[str, Span]] = set()
    for one in all_asked(build):
        for entry in one.entries:
            branch = floating(entry)
            if branch is not None and (entry.file, entry.span) not in told:
                told.add((entry.file, entry.span))
                yield _report(build, one, entry, branch)


def _report(build: Build, one: Asked, entry: Requirement, branch: str) -> Report:
    url = masked(entry.url or "").partition("#")[0]
    shown = f"{url} of {entry.file}" if of_project(entry) else url
    holds = branch or "its default branch"
    own = entry.file and not of_project(entry)
    fix, notes = (None, ()) if of_project(entry) else _fix(build, one, entry)
    if not fix and url.startswith("git+"):
        bare = url.removeprefix("git+").removesuffix(f"@{branch}" if branch else "")
        notes = (*notes, f"`git ls-remote {bare} {branch or 'HEAD'}` tells which commit it is now")
    return Report(
        one.naming(entry.file) if entry.file else entry.span,
        f"{shown} names no commit: {one.use.tool.name} builds whatever {holds} holds",
        fix,
        notes,
        elsewhere=Elsewhere(entry.file, entry.span) if own else None,
    )


def _fix(build: Build, one: Asked, entry: Requirement) -> tuple[Fix | None, tuple[str, ...]]:
    proved = commit(build, one, entry)
    plan = Plan()
    if proved and entry.file:
        edit = fix_commit(build.context.read(entry.file) or "", entry, proved.value)
        plan.edits += [edit] if edit else []
    elif proved:
        edited = with_commit(entry.text, proved.value)
        why = pin_word(build.dockerfile.source, one, entry, edited, plan) if edited else ""
        if why:
            plan.refuse(why)
    if proved and plan.edits:
        plan.doubt(f"builds may take another commit today than {proved.source} holds")
        return plan.fix(f"name the commit of {proved.source}"), plan.notes()
    return None, plan.notes()
