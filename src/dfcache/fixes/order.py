"""Copying what an install reads first, and the rest behind it."""

from __future__ import annotations

from collections.abc import Mapping

from dfcache.fixes.moves import Moving, manifest_copies
from dfcache.fixes.plan import Plan
from dfcache.model.build import Build, CopyStep
from dfcache.model.effects import overlap
from dfcache.model.late import Late, named_sources
from dfcache.model.order import owner_of, tree
from dfcache.model.shift import Need, Shift, shift
from dfcache.text import Span


def copy_manifests_first(build: Build, late: Late) -> Plan:
    """Move the COPY behind the installs, and what must go along; copy their manifests first."""
    plan = Plan()
    found = shift(build, late.copy)
    if found.refused or found.behind is None:
        plan.refuse(found.refused or "nothing can be moved")
        return plan
    if not build.context.known:
        plan.doubt("the build context is not at hand: requirements may include other files")
    moving = Moving(build.dockerfile, found.behind.outer, plan)
    for step in found.steps:
        needs = [need for need in found.needs if need.copy is step]
        first = needs[0] if needs else None
        lines = _lines(first, plan) if first and _in_place(found, first) else []
        files = {path: where for need in needs for path, where in need.files.items()}
        words = _spared(build, found, step, files) if isinstance(step, CopyStep) else ()
        moving.take(step, lines, words)
    for need in found.needs:
        if not _in_place(found, need):
            moving.put_before(need.install.outer, _lines(need, plan))
    moving.put_down()
    return plan


def _spared(
    build: Build, found: Shift, step: CopyStep, files: Mapping[str, str]
) -> tuple[Span, ...]:
    """The sources that ``step`` need not copy again: no other moved COPY gives them to another."""
    for other in found.steps:
        if not isinstance(other, CopyStep) or owner_of(other) == owner_of(step):
            continue
        if overlap(tree(build, other), files):
            return ()
    return named_sources(step, files)


def _in_place(found: Shift, need: Need) -> bool:
    """Whether the manifests take the place of the COPY: nothing runs between it and the install."""
    return not found.crossed and need.install is found.first


def _lines(need: Need, plan: Plan) -> list[str]:
    lines = manifest_copies(need.copy, need.files, need.folders, need.install.scope.workdir)
    if lines is None:
        plan.refuse("the manifests can't be copied on their own")
    return lines or []
