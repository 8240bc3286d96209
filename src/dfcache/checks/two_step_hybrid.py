"""DFC306: the index in one step, the folder of packages in the next, the failure between hidden."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.diagnostics import Severity
from dfcache.fixes.onestep import in_one_step
from dfcache.model.build import Build
from dfcache.model.twosteps import TwoSteps, two_steps


@check_for("DFC306", on=Build)
def check(build: Build, _: Build) -> Iterator[Report]:
    for pair in two_steps(build):
        plan = in_one_step(build, pair)
        trap = pair.swallowed and pair.first is pair.online
        yield Report(
            pair.first.use.span,
            _message(pair, trap),
            plan.fix("try both in one step"),
            plan.notes(),
            severity=None if trap else Severity.WARNING,
        )


def _message(pair: TwoSteps, trap: bool) -> str:
    name = f"`{pair.first.use.title}`"
    line = pair.second.step.outer.start_line
    if trap:
        return (
            f"{name} hides its failure, which no later build mends: "
            f"from then on all has to come from {pair.place.value}, in line {line}"
        )
    if pair.first is pair.online:
        return (
            f"{name} fails the build where the index is out of reach: "
            f"line {line} installs the same from {pair.place.value}, and never gets that far"
        )
    return (
        f"{name} hides that {pair.place.value} lacks packages, and line {line} gets them "
        "from the index: one step can do both, and says which has failed"
    )
