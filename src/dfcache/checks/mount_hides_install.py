"""DFC110: a cache mount takes something out of the image that belongs in it."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.fixes.remount import copy_packages, move_mount
from dfcache.model.build import Build, RunStep
from dfcache.model.caches import mount_of


@check_for("DFC110", on=RunStep)
def check(step: RunStep, build: Build) -> Iterator[Report]:
    for use in step.uses:
        for cache in use.caches:
            mount = mount_of(step, cache)
            if mount is None:
                continue
            if use.linked and use.downloads:
                plan = copy_packages(build, step, use)
                yield Report(
                    mount.mount.flag.span,
                    f"{use.linked} makes packages links into this mount: the image won't have them",
                    plan.fix("copy the packages"),
                    plan.notes(),
                )
                return
            hidden = next((p for p in cache.cache.keep_out if mount.covers(p)), None)
            if hidden is not None:
                plan = move_mount(build, step, mount, use, cache)
                yield Report(
                    mount.mount.flag.span,
                    f"this mount takes {hidden} out of the image, and shares it with other builds",
                    plan.fix(f"mount {cache.path} only"),
                    plan.notes(),
                )
                return
