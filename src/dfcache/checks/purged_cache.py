"""DFC105: a step empties the cache it mounts, or fails because it removes the mount point."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.fixes.purging import spare_caches
from dfcache.model.build import Build, RunStep
from dfcache.model.caches import cache_mounts
from dfcache.model.purges import purges


@check_for("DFC105", on=RunStep)
def check(step: RunStep, build: Build) -> Iterator[Report]:
    targets = [mount.target for mount in cache_mounts(step) if mount.target is not None]
    found = [p for p in purges(step.invocations, step.uses, targets) if p.operand or p.certain]
    if not found:
        return
    worst = next((purge for purge in found if purge.breaks), found[0])
    plan = spare_caches(build, step, targets)
    span = worst.operand.span if worst.operand else worst.invocation.command.span
    what = worst.operand.raw if worst.operand else worst.invocation.program
    if worst.breaks:
        message = f"removing {what} fails the build: the cache mount at {worst.path} is busy"
    else:
        message = f"`{what}` empties the cache at {worst.path} for every build that shares it"
    yield Report(span, message, plan.fix("leave the cache alone"), plan.notes())
