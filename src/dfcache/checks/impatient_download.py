"""DFC309: a package manager gives up sooner than a bad network deserves."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.fixes.arguments import declare_arguments
from dfcache.fixes.plan import Plan
from dfcache.model.build import Build, Stage
from dfcache.model.patience import PATIENCE, impatient, old_pip


@check_for("DFC309", on=Stage)
def check(stage: Stage, build: Build) -> Iterator[Report]:
    found = impatient(build, stage)
    if found is None:
        return
    plan = Plan()
    declare_arguments(build, found.step, {each.name: each.value for each in found.missing}, plan)
    notes = []
    old = old_pip(build, stage)
    if old:
        notes.append(f"pip {old} does not resume a download that breaks off; 25.2 does")
    names = ", ".join(each.name for each in found.missing)
    yield Report(
        found.use.span,
        f"`{found.use.title}` {PATIENCE[found.use.tool.name].usual}: little for a bad network",
        plan.fix(f"declare {names}"),
        (*notes, *plan.notes()),
    )
