"""DFC203: a build argument that changes with every build stands before an install."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.fixes.moves import Moving
from dfcache.fixes.plan import Plan
from dfcache.model.build import Build
from dfcache.model.volatile import volatile_arguments


@check_for("DFC203", on=Build)
def check(build: Build, _: Build) -> Iterator[Report]:
    for found in volatile_arguments(build):
        use = next(use for use in found.install.uses if use.downloads)
        line = found.install.outer.start_line
        plan = Plan()
        if found.refused:
            plan.refuse(found.refused)
        else:
            moving = Moving(build.dockerfile, found.install.outer, plan)
            for step in found.steps:
                moving.take(step)
            moving.put_down()
        yield Report(
            found.span,
            f"`{use.title}` in line {line} runs again whenever {found.name} changes",
            plan.fix(f"declare {found.name} behind line {line}"),
            plan.notes(),
        )
