"""DFC109: two builds at once would fight over the lock in a shared cache mount."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.fixes.remount import lock_mount
from dfcache.model.build import Build, RunStep
from dfcache.model.caches import mount_of


@check_for("DFC109", on=RunStep)
def check(step: RunStep, build: Build) -> Iterator[Report]:
    said: set[int] = set()
    for use in step.uses:
        for cache in use.caches:
            mount = mount_of(step, cache)
            if mount is None or id(mount) in said or cache.cache.sharing != "locked":
                continue
            if mount.sharing == "shared":
                said.add(id(mount))
                plan = lock_mount(mount)
                yield Report(
                    mount.mount.flag.span,
                    f"`{use.title}` fails when two builds use this mount at once: it is not locked",
                    plan.fix("add sharing=locked"),
                    plan.notes(),
                )
