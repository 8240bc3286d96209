"""DFC104: the user of the step can't write to the cache mount, or root refuses it."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.fixes.remount import own_mount
from dfcache.model.build import Build, RunStep
from dfcache.model.caches import mount_of
from dfcache.model.mounts import StepMount
from dfcache.model.usedcaches import CacheUse
from dfcache.model.uses import ToolUse


@check_for("DFC104", on=RunStep)
def check(step: RunStep, build: Build) -> Iterator[Report]:
    said: set[int] = set()
    for use in step.uses:
        for cache in use.caches:
            mount = mount_of(step, cache)
            if mount is None or id(mount) in said or not _refused(use, cache, mount):
                continue
            said.add(id(mount))
            plan = own_mount(build, step, mount, use)
            result = "fails" if cache.cache.unwritable == "fails" else "goes on without its cache"
            owner = "root" if mount.uid == 0 else f"uid {mount.uid}"
            mode = ", and mode= does not change that" if mount.mount.mode else ""
            yield Report(
                mount.mount.flag.span,
                f"`{use.title}` runs as {use.user.name}, but the mount belongs to {owner}{mode}: "
                f"it {result}",
                plan.fix(f"give the mount to {use.user.name}"),
                plan.notes(),
            )


def _refused(use: ToolUse, cache: CacheUse, mount: StepMount) -> bool:
    user = use.user
    if mount.uid < 0 or mount.mount.source is not None or not user.sure:
        return False
    if user.root:
        return mount.uid != 0 and cache.cache.root_owned
    return mount.uid == 0 if user.uid is None else mount.uid != user.uid
