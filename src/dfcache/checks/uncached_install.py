"""DFC101: an install without a cache mount."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.fixes.caching import use_caches
from dfcache.fixes.patterns import goes_offline
from dfcache.model.build import Build, RunStep
from dfcache.model.caches import lost, mounted_elsewhere


@check_for("DFC101", on=RunStep)
def check(step: RunStep, build: Build) -> Iterator[Report]:
    uses = [
        use
        for use in lost(build, step)
        if not mounted_elsewhere(build, step, use) and not goes_offline(build, step, use)
    ]
    if not uses:
        return
    first = uses[0]
    names = list(dict.fromkeys(f"`{use.title}`" for use in uses))
    path = next((cache.path for cache in first.caches if cache.path), None)
    where = f" at {path}" if path and len(names) == 1 else ""
    off = next((s.text for use in uses for s in use.off if s.kind == "option"), None)
    why = f", and {off} turns the cache off" if off else ""
    verb = "downloads" if len(names) == 1 else "download"
    plan = use_caches(build, step, uses)
    yield Report(
        first.span,
        f"{' and '.join(names)} {verb} everything again whenever this step runs: "
        f"there is no cache mount{where}{why}",
        plan.fix("mount the cache" if len(uses) == 1 else "mount the caches"),
        plan.notes(),
    )
