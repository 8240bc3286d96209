"""Where what lies at a path of the image comes from."""

from __future__ import annotations

import posixpath

from dfcache.model.build import Build, CopyStep, RunStep
from dfcache.model.context import NoContext
from dfcache.model.effects import within
from dfcache.model.globbing import clean, destination, origin
from dfcache.model.mounts import StepMount
from dfcache.model.reads import copies_before
from dfcache.record import record


@record
class Origin:
    """``how`` it gets to where a step sees it.

    "mount": a bind mount of the build context; "copy": a COPY from it; "stage": a COPY or a mount
    from another stage or image; "cache": a cache mount; "": by none of these, so that a step
    made it, or it is part of the base image, or is not there.
    ``path`` is its path in the context ("" is the context itself), None where it is not of the
    context. ``mount`` and ``copy`` are what brings it. ``there`` is False where the context is
    known and holds nothing under ``path``, or hides it; such a COPY or mount fails the build if it
    names the path itself, and brings nothing if it names a folder above.
    """

    how: str = ""
    path: str | None = None
    mount: StepMount | None = None
    copy: CopyStep | None = None
    there: bool = True


def origin_of(build: Build, step: RunStep, path: str) -> Origin:
    """Where the image's absolute ``path`` comes from, as ``step`` sees it."""
    mount = next((each for each in reversed(step.mounts) if each.covers(path)), None)
    if mount is not None:
        return _mounted(build, mount, path)
    copied = _copied(build, step, path)
    return copied or _from_stage(build, step, path) or Origin()


def _mounted(build: Build, mount: StepMount, path: str) -> Origin:
    if mount.type != "bind":
        return Origin("cache" if mount.type == "cache" else "", mount=mount)
    if mount.mount.from_ is not None:
        return Origin("stage", mount=mount)
    source = mount.mount.source or ""
    if "$" in source or mount.target is None:
        return Origin("mount", mount=mount)
    found = clean(posixpath.join(source.lstrip("/"), posixpath.relpath(path, mount.target)))
    return Origin("mount", found, mount, there=_there(build, found))


def _copied(build: Build, step: RunStep, path: str) -> Origin | None:
    steps = copies_before(build, step)
    specs = [each.files for each in steps if each.files is not None]
    found = origin(path, specs, build.context)
    if found is not None:
        return Origin("copy", found.path, copy=steps[found.by])
    if build.context.known:
        # By the names alone: it would come from there if it were there.
        guess = origin(path, specs, NoContext())
        if guess is not None and not _there(build, guess.path):
            return Origin("copy", guess.path, copy=steps[guess.by], there=False)
    return None


def _from_stage(build: Build, step: RunStep, path: str) -> Origin | None:
    for number in reversed(build.lineage(step.stage)):
        for other in reversed(build.stages[number].steps):
            if number == step.stage and other.index >= step.index:
                continue
            if isinstance(other, CopyStep) and other.origin is not None and other.files:
                dest = destination(other.files)
                if within(path, dest) or within(dest, path):
                    return Origin("stage", copy=other)
    return None


def _there(build: Build, path: str) -> bool:
    context = build.context
    return not context.known or not path or context.is_file(path) or context.is_dir(path)
