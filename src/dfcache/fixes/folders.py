"""Bringing the folder of packages to a step, and taking it away again."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from dfcache.fixes.mounts import PLAIN_PATH
from dfcache.fixes.plan import Plan
from dfcache.model.asked import Given
from dfcache.model.build import Build, RunStep
from dfcache.model.effects import within
from dfcache.model.globbing import clean, destination
from dfcache.model.mounts import StepMount
from dfcache.model.reads import copied_to, copies_before
from dfcache.text import Span


def bind_mount(source: str, target: str) -> str:
    """The text of a mount that shows a folder of the build context to one step."""
    return f"--mount=type=bind,source={source},target={target}"


def place_in(build: Build, step: RunStep, plan: Plan) -> tuple[str, str]:
    """Where ``step`` sees the folder of packages, and the mount that it needs for that, or "".

    A mount or a COPY that brings it already is used.
    """
    folder = build.wishes.packages
    mount = mount_of_folder(step, folder)
    if mount is not None and mount.target is not None:
        return mount.target, ""
    copied = copied_to(build, step, folder)
    if copied is not None:
        return copied, ""
    target = "/" + posixpath.basename(folder)
    text = bind_mount(folder, target)
    if build.wishes.builder in ("classic", "kaniko"):
        plan.refuse(f"{build.wishes.builder} has no bind mounts: copy {folder} in a step before")
    if not PLAIN_PATH.match("/" + folder):
        plan.refuse(f"the folder {folder!r} can't stand in a mount without quotes")
    if any(m.target is not None and within(m.target, target) for m in step.mounts):
        plan.refuse(f"another mount is at {target}")
    if _in_the_way(build, step, target):
        plan.refuse(f"an earlier step makes {target}")
    if step.triggered:
        plan.doubt(f"the builds that run this ONBUILD need the folder {folder}")
    return target, text


def mount_of_folder(step: RunStep, folder: str) -> StepMount | None:
    """The bind mount that brings a folder of the build context whole."""
    for mount in step.mounts:
        if mount.type == "bind" and mount.mount.from_ is None:
            source = mount.mount.source
            if source is not None and "$" not in source and clean(source) == clean(folder):
                return mount
    return None


def _in_the_way(build: Build, step: RunStep, target: str) -> bool:
    """Whether an earlier COPY puts something else where the mount would be."""
    return any(
        copy.files is not None and within(destination(copy.files), target)
        for copy in copies_before(build, step)
    )


def drop_mount(build: Build, step: RunStep, given: Given, plan: Plan) -> None:
    """Take out the mount that brings a folder of packages, if nothing else in the step uses it."""
    mount = given.origin.mount if given.origin else None
    if mount is None or mount.target is None or mount.target == "/":
        return
    if step.script.opaque or _named(step, mount.target, plan.dropped):
        return
    flag = mount.mount.flag
    plan.take_out(step.outer.span, flag.span, flag.span, "the mount")


def _named(step: RunStep, target: str, gone: Sequence[Span]) -> bool:
    """Whether a word that stays names the mount."""
    commands = step.script.commands
    words = [word for command in commands for word in command.words]
    words += [one.value for command in commands for one in command.assignments]
    for word in words:
        script = any(word.span.covers(each.span) for each in commands)  # of sh -c '…'
        if target in word.value and not script and not any(s.covers(word.span) for s in gone):
            return True
    return any(made.cwd is not None and within(made.cwd, target) for made in step.invocations)
