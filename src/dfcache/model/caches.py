"""For what a step downloads: is it kept, or lost?"""

from __future__ import annotations

from dfcache.model.build import Build, RunStep
from dfcache.model.mounts import StepMount
from dfcache.model.usedcaches import CacheUse
from dfcache.model.uses import ToolUse


def cache_mounts(step: RunStep) -> tuple[StepMount, ...]:
    """The cache mounts of a step that can be written to."""
    return tuple(mount for mount in step.mounts if mount.type == "cache" and not mount.readonly)


def mount_of(step: RunStep, cache: CacheUse) -> StepMount | None:
    """The cache mount that a cache directory lies in; the last wins, as in BuildKit."""
    if cache.path is None:
        return None
    found = [mount for mount in cache_mounts(step) if mount.covers(cache.path)]
    return found[-1] if found else None


def is_kept(step: RunStep, use: ToolUse) -> bool:
    """Whether the packages that a command downloads go to a cache mount.

    Where the user is a guess, so is the place: a mount that is meant for the tool counts.
    """
    if not use.user.sure and any(_meant_for(mount, use) for mount in cache_mounts(step)):
        return True
    return bool(use.caches) and mount_of(step, use.caches[0]) is not None


def missing_mounts(step: RunStep, use: ToolUse) -> tuple[StepMount, ...]:
    """Cache mounts that were meant for a command, as it seems, but that no command uses.

    Meant for it is a mount with the tool's name, or its cache's, in target or id.
    """
    if not use.downloads or is_kept(step, use):
        return ()
    used = [
        mount for other in step.uses for cache in other.caches if (mount := mount_of(step, cache))
    ]
    return tuple(
        mount for mount in cache_mounts(step) if mount not in used and _meant_for(mount, use)
    )


def _meant_for(mount: StepMount, use: ToolUse) -> bool:
    text = f"{mount.mount.target} {mount.mount.id or ''}".lower()
    tails = {cache.cache.default.rsplit("/", 1)[-1].lstrip(".") for cache in use.caches}
    parts = text.replace("-", "/").replace("_", "/").replace(".", "/").replace(" ", "/").split("/")
    return bool({use.tool.name, *tails} & set(parts)) or mount.mount.target in (
        "~/.cache",
        "$HOME/.cache",
        "${HOME}/.cache",
        "/root/.cache",
    )


def lost(build: Build, step: RunStep) -> list[ToolUse]:
    """The commands of a step whose downloads no mount keeps, and none is meant to."""
    if build.wishes.builder in ("classic", "kaniko"):
        return []
    return [
        use
        for use in step.uses
        if use.downloads and use.caches and not is_kept(step, use) and not missing_mounts(step, use)
    ]


def mounted_elsewhere(build: Build, step: RunStep, use: ToolUse) -> RunStep | None:
    """Another step of the stage that does keep the downloads of the same tool, or None."""
    for other in build.stages[step.stage].steps:
        if isinstance(other, RunStep) and other is not step:
            for one in other.uses:
                if one.tool is use.tool and one.downloads and is_kept(other, one):
                    return other
    return None
