"""Whether a build argument decides which package index an install asks."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from dfcache.model.asked import asked
from dfcache.model.build import Build, RunStep, Step, VariableStep, per_build
from dfcache.model.origins import origin_of
from dfcache.model.uses import ToolUse
from dfcache.model.variables import is_loose
from dfcache.record import record

VARIABLES: Mapping[str, tuple[str, ...]] = {
    "pip": ("PIP_INDEX_URL",),
    # UV_DEFAULT_INDEX is read since 0.4.23; UV_INDEX_URL by all up to 0.13, though it is
    # deprecated (tried with 0.1.45, 0.4.22, 0.4.23, 0.13.9).
    "uv": ("UV_DEFAULT_INDEX", "UV_INDEX_URL"),
}
"""The variables that name the package index, the one to set first."""

_INDEX_OPTIONS = ("-i", "--index-url", "--pypi-url", "--default-index")
_OLD_UV = re.compile(r"\buv(?:==|:|@)v?0\.(\d+)\.(\d+)\b")
_SETTINGS = {
    "pip": re.compile(r"\bpip\.conf\b|\bPIP_CONFIG_FILE\b|\bpip3?\s+config\s.*index-url"),
    "uv": re.compile(r"\buv\.toml\b|\bUV_CONFIG_FILE\b"),
}
# They write the address of every package into uv.lock, or take it from there.
_PROJECT = frozenset({"sync", "add", "remove", "run", "lock", "build"})


@record
class Fixed:
    """An install whose index no build argument decides.

    ``because`` says what decides it instead, as a reason not to add one; "" where nothing does, so
    that it asks the index of its package manager's makers.
    """

    step: RunStep
    use: ToolUse
    because: str


@per_build
def fixed_indexes(build: Build, stage: int) -> tuple[Fixed, ...]:
    """The first install of pip and of uv in a stage whose index is fixed, plain ones first.

    Left out is a stage that is built from one with a plain one: it inherits what is declared there.
    """
    *parents, _ = build.lineage(stage)
    above = {
        each.use.tool.name for p in parents for each in fixed_indexes(build, p) if _plain(each)
    }
    found: dict[str, Fixed] = {}
    runs = (step for step in build.stages[stage].steps if isinstance(step, RunStep))
    for step in runs:
        for use in step.uses:
            name = use.tool.name
            if name in above or name not in VARIABLES or not use.downloads or not use.sure:
                continue
            if _declared(build, step, name) or _asks_none(build, step, use):
                continue
            because = _decided(build, step, use)
            if because is None:
                continue
            if name not in found or (found[name].because and not because):
                found[name] = Fixed(step, use, because)
    return tuple(found.values())


def _plain(found: Fixed) -> bool:
    return not found.because and not found.step.triggered


def _declared(build: Build, step: RunStep, tool: str) -> bool:
    """Whether a build argument may set the index for ``step``."""
    if step.triggered:
        names = {name for each in _triggers(build, step) for name in each}
        return not names.isdisjoint(VARIABLES[tool])
    variables = (step.scope.variables.get(name) for name in VARIABLES[tool])
    return any(variable is not None and not variable.fixed for variable in variables)


def _triggers(build: Build, step: Step) -> Iterator[set[str]]:
    """What each ``ONBUILD ARG`` before a trigger declares."""
    for each in build.stages[step.stage].steps[: step.index]:
        if each.triggered and isinstance(each, VariableStep) and each.instruction.name == "ARG":
            yield {pair.name for pair in each.pairs}


def _asks_none(build: Build, step: RunStep, use: ToolUse) -> bool:
    """Whether it asks no index at all, whatever it is called with."""
    return any(each.use is use and not each.needs_index for each in asked(build, step))


def _decided(build: Build, step: RunStep, use: ToolUse) -> str | None:
    """What decides which index it asks, "" for nothing; None where that may be a build argument."""
    tool = use.tool.name
    for option in use.options:
        if option.name in _INDEX_OPTIONS:
            given = option.given or option.argument
            if option.value is None or is_loose(given.word.raw, step.scope):
                return None
            return f"{option.name} of the command beats it"
    for name in VARIABLES[tool]:
        if name in use.env:
            variable = step.scope.variables.get(name)
            if step.triggered and variable is not None and not variable.env:
                continue  # this stage's ARG is not that of the builds that run the trigger
            if use.env[name] is None:
                return None
            return f"{'ENV' if variable and variable.env else 'the command'} sets {name}"
    if any(
        mount.type == "secret" and _holds_index(mount.mount.flag.text, tool)
        for mount in step.mounts
    ):
        return None
    if {"sudo", "su", "doas"} & set(use.invocation.wrappers):
        return "sudo starts the command without the variables of the build"
    for each in asked(build, step):
        files = [given.where for given in each.given if given.kind == "index"]
        files = [where for where in files if where not in ("option", "env")]
        if each.use is use and files:
            return f"{files[0]} names the index itself"
    if tool == "uv" and use.spec.words[0] in _PROJECT:
        return "uv.lock names the index of every package: lock with that of the mirror first"
    if tool == "uv" and (file := _project_index(build, step, use)):
        return f"{file} names the index itself"
    line = _configured(build, step, tool)
    return f"line {line} may name an index of its own" if line else ""


def _project_index(build: Build, step: RunStep, use: ToolUse) -> str:
    """The file of uv's settings in its working directory that names an index, "" for none."""
    for name in ("uv.toml", "pyproject.toml") if use.invocation.cwd else ():
        path = origin_of(build, step, posixpath.join(use.invocation.cwd or "", name)).path
        text = build.context.read(path) if path is not None else None
        if text and re.search(r"^\s*(\[\[(tool\.uv\.)?index\]\]|index-url\s*=)", text, re.M):
            return path or name
    return ""


def _holds_index(text: str, tool: str) -> bool:
    return any(name in text for name in (*VARIABLES[tool], "pip.conf", "uv.toml"))


def _configured(build: Build, step: RunStep, tool: str) -> int | None:
    """The line of a step up to this one that has to do with the tool's configuration file."""
    for stage in build.lineage(step.stage):
        for each in build.stages[stage].steps:
            if stage == step.stage and each.index > step.index:
                break
            read = each.outer
            texts = [read.original, *(heredoc.body for heredoc in read.heredocs)]
            if any(_SETTINGS[tool].search(text) for text in texts):
                return read.start_line
    return None


def index_variable(build: Build, tool: str) -> str:
    """The variable to name an index with: an old one where the file asks for an old uv."""
    if tool == "uv":
        for instruction in build.dockerfile.instructions:
            for minor, patch in _OLD_UV.findall(instruction.original):
                if (int(minor), int(patch)) < (4, 23):
                    return "UV_INDEX_URL"
    return VARIABLES[tool][0]
