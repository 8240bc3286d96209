"""DFC103: a cache mount is not where the package manager caches."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.fixes.patterns import goes_offline
from dfcache.fixes.remount import move_mount
from dfcache.model.build import Build, RunStep
from dfcache.model.caches import missing_mounts
from dfcache.model.mounts import StepMount
from dfcache.model.usedcaches import CacheUse


@check_for("DFC103", on=RunStep)
def check(step: RunStep, build: Build) -> Iterator[Report]:
    said: set[int] = set()
    for use in step.uses:
        for mount in missing_mounts(step, use):
            if id(mount) in said or goes_offline(build, step, use):
                continue
            said.add(id(mount))
            cache = _meant(mount, use.caches)
            plan = move_mount(build, step, mount, use, cache)
            where = cache.path or "a place that this file doesn't tell"
            yield Report(
                mount.mount.flag.span,
                f"`{use.title}` caches in {where}, not in this mount{_because(mount, cache)}",
                plan.fix(f"mount {where}"),
                plan.notes(),
            )


def _meant(mount: StepMount, caches: tuple[CacheUse, ...]) -> CacheUse:
    """The cache whose default has most of the mount's words in it."""
    parts = set((mount.mount.target or "").replace("$HOME", "~").split("/"))
    return max(caches, key=lambda cache: len(parts & set(cache.cache.default.split("/"))))


def _because(mount: StepMount, cache: CacheUse) -> str:
    target = mount.mount.target or ""
    if target.startswith("~"):
        return ": `~` is not expanded here"
    if mount.unset:
        return f": ${mount.unset[0]} is not set here, so it is empty"
    return f": {cache.moved_by} moves it" if cache.moved_by else ""
