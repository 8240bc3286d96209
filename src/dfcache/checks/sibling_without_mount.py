"""DFC106: another step of the stage mounts the cache, this one doesn't."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.fixes.caching import use_caches
from dfcache.fixes.patterns import goes_offline
from dfcache.model.build import Build, RunStep
from dfcache.model.caches import lost, mounted_elsewhere


@check_for("DFC106", on=RunStep)
def check(step: RunStep, build: Build) -> Iterator[Report]:
    uses = [
        use
        for use in lost(build, step)
        if mounted_elsewhere(build, step, use) and not goes_offline(build, step, use)
    ]
    if not uses:
        return
    other = mounted_elsewhere(build, step, uses[0])
    line = other.outer.start_line if other else 0
    plan = use_caches(build, step, uses)
    yield Report(
        uses[0].span,
        f"`{uses[0].title}` downloads without the cache mount that line {line} has",
        plan.fix("mount the cache here too"),
        plan.notes(),
    )
