"""Who else works on the files that a cache mount takes out of the image."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from dfcache.fixes.plan import Plan
from dfcache.model.build import Build, CopyStep, RunStep
from dfcache.model.effects import makes_parents, run_effects, within
from dfcache.model.invocations import Invocation

# Programs that, given a folder above the mount, leave what is in it alone.
_HARMLESS = frozenset("cd mkdir ls echo test [ export set rm find printf du stat pushd env".split())


# Programs that write nothing below a home's .cache.
CALM = frozenset(
    "exit umask : cd mkdir ls echo printf test [ export set rm cp mv ln chmod chown touch cat"
    " sed grep true source . apt-get apt apk yum dnf curl wget tar unzip python python3"
    " virtualenv sh bash sleep whoami id".split()
)


# Of those, the ones that run code, which may cache as it likes.
_RUNS_CODE = frozenset(("python", "python3", "sh", "bash"))
# Programs that go through all that a folder holds.
_DEEP = frozenset("chown chmod chgrp cp rsync tar zip mkdir".split())


def _is_harmless(made: Invocation) -> bool:
    """Whether a command leaves a mount and what is in it alone, wherever it works."""
    return makes_parents(made) if made.program == "mkdir" else made.program in _HARMLESS


def is_known(step: RunStep, made: Invocation) -> bool:
    return made.program in CALM or any(use.invocation is made for use in step.uses)


def refuse_touched(build: Build, step: RunStep, targets: Sequence[str], plan: Plan) -> None:
    """Refuse where another command or step needs what the mount takes out of the image."""
    for made in step.invocations:
        if made.cwd is not None and any(_near(made.cwd, target) for target in targets):
            plan.refuse(f"`{made.program}` works in {made.cwd}, where the mount is")
        if _is_harmless(made) or any(u.invocation is made for u in step.uses):
            continue
        deep = made.program in _DEEP
        paths = list(named_paths(made))
        if made.program in ("cp", "rsync", "mv"):
            paths = paths[:-1]  # what is copied, not where to
        for path in paths:
            if any(_near(path, t) or (deep and within(t, path)) for t in targets):
                plan.refuse(f"`{made.program}` works on {path}, where the mount is")
        if made.program in ("useradd", "adduser", "git"):
            homes = run_effects([made], []).writes
            if any(within(t, home) for t in targets for home in homes):
                plan.refuse(f"`{made.program}` makes the folder that the mount is in")
    heirs = build.heirs(step.stage)
    for stage in build.stages:
        for other in stage.steps:
            if isinstance(other, CopyStep) and other.origin in heirs and other.files:
                for source in other.files.sources:
                    if any(_near(posixpath.join("/", source), target) for target in targets):
                        plan.refuse(f"a later COPY takes {source}, which would be empty")
            elif (
                isinstance(other, RunStep)
                and stage.index in heirs
                and (stage.index, other.index) > (step.stage, step.index)
            ):
                _refuse_later(other, targets, plan)


def _refuse_later(step: RunStep, targets: Sequence[str], plan: Plan) -> None:
    for made in step.invocations:
        if made.program in ("mkdir", "find", "cd", "echo", "export", "set"):
            continue
        flags = "".join(a.value or "" for a in made.args if (a.value or "").startswith("-"))
        if made.program == "rm" and "f" in flags:
            continue
        if any(u.invocation is made for u in step.uses):
            continue
        for path in named_paths(made):
            if any(_near(path, target) for target in targets):
                plan.refuse(f"a later `{made.program}` works on {path}, which the mount takes away")


def named_paths(made: Invocation) -> Iterator[str]:
    """The absolute paths among the arguments of a command."""
    for argument in made.args:
        value = argument.value
        if value is None or value.startswith("-"):
            continue
        if value.startswith("/"):
            yield posixpath.normpath(value)
        elif made.cwd is not None and value.startswith("."):
            yield posixpath.normpath(posixpath.join(made.cwd, value))


def _near(path: str, target: str) -> bool:
    """Whether ``path`` is the mount, in it, or a folder above it that exists for caches only."""
    path = path.rstrip("/*") or "/"
    if path == target or path.startswith(target + "/"):
        return True
    above = target.startswith(path + "/")
    return above and posixpath.basename(path).startswith(".cache")


def doubt_foreign_parents(step: RunStep, flags: Sequence[str], plan: Plan) -> None:
    """The folder above a user's mount belongs to root: others in the step can't write to it."""
    if not any("uid=" in flag for flag in flags):
        return
    used = {id(use.invocation) for use in step.uses}
    for made in step.invocations:
        if id(made) in used:
            continue
        caches = any("/.cache" in path for path in named_paths(made))
        if made.program not in CALM - _RUNS_CODE or caches:
            plan.doubt(
                f"`{made.program}` may write to ~/.cache, "
                "which belongs to root while the mount is there"
            )
