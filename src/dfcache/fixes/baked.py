"""Taking a folder of packages out of the layers of an image."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

from dfcache.fixes.folders import bind_mount
from dfcache.fixes.frontend import raise_frontend
from dfcache.fixes.mounts import PLAIN_PATH, add_flags
from dfcache.fixes.moves import with_gap
from dfcache.fixes.plan import Plan
from dfcache.fixes.purging import drop_purges
from dfcache.model.build import Build, CopyStep, RunStep, Step
from dfcache.model.effects import within
from dfcache.model.globbing import clean, destination
from dfcache.model.invocations import Invocation
from dfcache.text import Edit, Span

_ALL = ("/*", "/*.whl")


def folder_of(copy: CopyStep) -> str | None:
    """The folder of the build context of which a COPY brings all packages, and nothing else."""
    if copy.files is None or copy.origin is not None or copy.files.parents or copy.triggered:
        return None
    if len(copy.files.sources) != 1:
        return None
    source = copy.files.sources[0]
    for end in _ALL:
        source = source.removesuffix(end)
    return None if any(char in source for char in "*?[") else clean(source) or None


def mount_instead(build: Build, copy: CopyStep, steps: Iterable[RunStep], folder: str) -> Plan:
    """Show the folder to the steps that install from it, and take the COPY out."""
    plan = Plan()
    assert copy.files is not None
    target = posixpath.normpath(destination(copy.files))
    flag = bind_mount(folder, target)
    if not PLAIN_PATH.match(target) or not PLAIN_PATH.match("/" + folder):
        plan.refuse(f"{folder} and {target} can't stand in a mount without quotes")
    if copy.written is not None and (copy.written.chmod or copy.files.exclude):
        plan.refuse("the COPY changes what is copied")
    _refuse_shared(build, copy, target, plan)
    removed = any(_only_removing(build, copy, target))
    for step in steps:
        if any(mount.covers(target) for mount in step.mounts):
            plan.refuse(f"another mount is at {target}")
        if any(made.cwd is not None and within(made.cwd, target) for made in step.invocations):
            plan.refuse(f"line {step.outer.start_line} works in {target}")
        before = len(plan.cuts)
        drop_purges(build, step, [target], plan)
        removed |= len(plan.cuts) > before
        plan.edits.append(add_flags(build.dockerfile, step.instruction, [flag]))
        plan.added.append(flag)
    raise_frontend(build.dockerfile, [flag], plan)
    _remove(build, copy, target, plan)
    plan.settle(build.dockerfile.source, build.dockerfile.escape)
    if not removed and build.wishes.pattern not in ("offline", "hybrid"):
        plan.doubt(f"the image then has no {target}, also for who looks into it later")
    return plan


def remove_copy(build: Build, copy: CopyStep) -> Plan:
    """Take out a COPY that nothing installs from."""
    plan = Plan()
    assert copy.files is not None
    _remove(build, copy, posixpath.normpath(destination(copy.files)), plan)
    plan.settle(build.dockerfile.source, build.dockerfile.escape)
    return plan


def leave_out(build: Build, copy: CopyStep, folder: str) -> Plan:
    """Have a COPY of a folder above leave the folder of packages out."""
    plan = Plan()
    assert copy.files is not None
    sources = copy.files.sources
    if len(sources) != 1 or any(char in sources[0] for char in "*?["):
        plan.refuse("the COPY names several things")
        return plan
    flag = f"--exclude={posixpath.relpath(folder, clean(sources[0]) or '.')}"
    instruction = copy.instruction
    at = instruction.flags[-1].span.end if instruction.flags else instruction.keyword_span.end
    plan.edits.append(Edit(Span(at, at), f" {flag}"))
    plan.added.append(flag)
    plan.doubt(
        "the builder has to know `COPY --exclude`: BuildKit 0.25, as in Docker 29;"
        " `.dockerignore` is no way, as it would hide the folder from the mount as well"
    )
    return plan


def _refuse_shared(build: Build, copy: CopyStep, target: str, plan: Plan) -> None:
    """Something else is put where the folder is: a mount would hide it."""
    for stage in build.heirs(copy.stage):
        for step in build.stages[stage].steps:
            if not isinstance(step, CopyStep) or step is copy or step.files is None:
                continue
            if within(posixpath.normpath(destination(step.files)), target):
                plan.refuse(f"line {step.outer.start_line} copies to {target} as well")
    if target in ("/", copy.scope.workdir):
        plan.refuse(f"{target} holds more than the packages")


def _remove(build: Build, copy: CopyStep, target: str, plan: Plan) -> None:
    gone = [copy.outer, *(step.outer for step in _only_removing(build, copy, target))]
    for instruction in gone:
        span = with_gap(build.dockerfile, instruction.span)
        plan.drop(instruction.span, (Edit(span, ""),), instruction.keyword)
    for step in _later(build, copy):
        if step.outer not in gone and _names(build, step, target):
            plan.doubt(f"line {step.outer.start_line} names {target}")


def _later(build: Build, copy: CopyStep) -> Iterator[Step]:
    heirs = build.heirs(copy.stage)
    for stage in build.stages:
        for step in stage.steps:
            if (stage.index, step.index) <= (copy.stage, copy.index):
                continue
            if stage.index in heirs or (isinstance(step, CopyStep) and step.origin in heirs):
                yield step


def _only_removing(build: Build, copy: CopyStep, target: str) -> Iterator[RunStep]:
    """The later steps that do nothing but remove the folder."""
    for step in _later(build, copy):
        if isinstance(step, RunStep) and not step.script.opaque and not step.triggered:
            made = step.invocations
            if len(made) == len(step.script.commands) == 1 and _removes(made[0], target):
                yield step


def _removes(made: Invocation, target: str) -> bool:
    values = [argument.value or "$" for argument in made.args]
    paths = [value for value in values if not value.startswith("-")]
    flags = "".join(value for value in values if value.startswith("-"))
    at = [_absolute(made, path) for path in paths]
    return made.program == "rm" and "f" in flags and bool(at) and set(at) <= {target}


def _absolute(made: Invocation, path: str) -> str:
    return posixpath.normpath(posixpath.join(made.cwd or "", path.removesuffix("/*")))


def _names(build: Build, step: Step, target: str) -> bool:
    """Whether a step says the folder's name for something else than installing from it."""
    name = re.compile(rf"(?<![\w.-]){re.escape(posixpath.basename(target))}(?![\w-])")
    if not isinstance(step, RunStep):
        return bool(name.search(step.instruction.rest.value))
    used = {id(use.invocation) for use in step.uses}
    return any(
        name.search(argument.word.value)
        for made in step.invocations
        if id(made) not in used and not (made.program == "rm" and _removes(made, target))
        for argument in made.args
    )
