"""DFC203: a build argument that changes with every build stands before an install."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.fixes.moves import Moving
from dfcache.fixes.plan import Plan
from dfcache.model.build import Build
from dfcache.model.volatile import Volatile, volatile_arguments


@check_for("DFC203", on=Build)
def check(build: Build, _: Build) -> Iterator[Report]:
    volatile = tuple(volatile_arguments(build))
    for found in volatile:
        use = next(use for use in found.install.uses if use.downloads)
        line = found.install.outer.start_line
        plan = Plan()
        if found.refused:
            plan.refuse(found.refused)
        else:
            _move(build, [v for v in volatile if v.install is found.install], plan)
        yield Report(
            found.span,
            f"`{use.title}` in line {line} runs again whenever {found.name} changes",
            plan.fix(f"declare {found.name} behind line {line}"),
            plan.notes(),
        )


def _move(build: Build, group: list[Volatile], plan: Plan) -> None:
    """Move all that can go behind the install at once, so that they keep their order."""
    steps = {step.index: step for one in group if not one.refused for step in one.steps}
    moving = Moving(build.dockerfile, group[0].install.outer, plan)
    for _, step in sorted(steps.items()):
        moving.take(step)
    moving.put_down()
