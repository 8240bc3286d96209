"""Build arguments that change with every build, and what is made from them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dfcache.model.build import Build, RunStep, Stage, Step, VariableStep
from dfcache.model.invocations import Invocation
from dfcache.model.order import installs, step_effects
from dfcache.model.reads import reads
from dfcache.parser import Pair
from dfcache.record import record
from dfcache.text import Span

# Names that a CI fills: a commit, a date, a number of the build. Not CACHEBUST and its like,
# which are there to run the next step again.
_VOLATILE = re.compile(
    r"(.*_)?(GIT_?(SHA|COMMIT|HASH|REV(ISION)?|REF|DESCRIBE)|COMMIT(_?(SHA|HASH|ID|REF))?"
    r"|REVISION|VCS_?(REF|SHA|REVISION)|SOURCE_COMMIT|BUILD_?(DATE|TIME(STAMP)?|NUMBER|NUM|ID|REV"
    r"|SHA|REF)|TIMESTAMP)$",
    re.IGNORECASE,
)
# Names of what is built, filled at each release; with a value of their own they may be a tool's.
_RELEASE = re.compile(
    r"((APP|IMAGE|RELEASE|PROJECT|PACKAGE|SERVICE|BUILD)_?(VERSION|TAG|SHA)|VERSION|RELEASE|SHA"
    r"|GIT_?(TAG|BRANCH))$",
    re.IGNORECASE,
)
_NO_VALUE = frozenset(
    ("", "dev", "latest", "unknown", "local", "none", "0", "0.0.0", "snapshot", "n/a")
)
# Read by build backends from the environment: not to be taken from an install.
_READ_BY_BUILDS = ("SETUPTOOLS_SCM", "PBR_VERSION", "POETRY_", "PIP_", "UV_", "SOURCE_DATE_EPOCH")


@record
class Volatile:
    """An ARG that a CI fills, before an install that does not use it.

    ``span`` is where it is declared. ``steps`` are the ARG and the ENVs and LABELs made from it,
    up to the install. ``refused`` says why they can't go behind it, or is "".
    """

    name: str
    span: Span
    steps: tuple[Step, ...]
    install: RunStep
    refused: str


def volatile_arguments(build: Build) -> Iterator[Volatile]:
    """The volatile ARGs of every stage, each with the first install that it runs again."""
    for stage in build.stages:
        for step in stage.steps:
            if isinstance(step, VariableStep) and step.instruction.name == "ARG":
                found = _volatile(build, stage, step)
                if found is not None:
                    yield found


def _is_volatile(name: str, pair: Pair) -> bool:
    if _VOLATILE.match(name):
        return True
    value = pair.value.value.strip("\"'").lower() if pair.value else ""
    return value in _NO_VALUE and _RELEASE.match(name) is not None


def _volatile(build: Build, stage: Stage, step: VariableStep) -> Volatile | None:
    names = {pair.name for pair in step.pairs}
    if len(names) != 1 or step.triggered:
        return None
    name = names.pop()
    if any(i.name == "FROM" and name in i.original for i in build.dockerfile.instructions):
        return None  # a new value is a new base image anyway
    if not _is_volatile(name, step.pairs[0]) or name.startswith(_READ_BY_BUILDS):
        return None
    install = next((s for s in installs(stage) if s.index > step.index and not s.triggered), None)
    if install is None:
        return None
    span = step.pairs[0].span
    moving: list[Step] = [step]
    for other in stage.steps[step.index + 1 : install.index + 1]:
        used = next((n for n in names | {name} if _uses(other, n)), None)
        if used is None:
            continue
        if not isinstance(other, VariableStep) or other.instruction.name == "ARG":
            return None  # a step in between needs it, so it stands where it must
        if len(other.pairs) > 1:
            return Volatile(
                name, span, (), install, f"line {other.outer.start_line} sets other variables too"
            )
        moving.append(other)
        names |= {pair.name for pair in other.pairs}
    return Volatile(
        name, span, tuple(moving), install, _implicit(build, stage, step, install, name)
    )


_SHOWS = frozenset(("env", "printenv", "set", "export", "declare"))


def _shows_all(made: Invocation) -> bool:
    """``env``, ``set`` and their kin without arguments print every variable."""
    return all((argument.value or "") == "-p" for argument in made.args)


def _uses(step: Step, name: str) -> bool:
    """Whether the text of a step names a variable (any mention counts)."""
    texts = [step.instruction.original, *(heredoc.body for heredoc in step.instruction.heredocs)]
    return any(re.search(rf"\b{re.escape(name)}\b", text) for text in texts)


def _implicit(build: Build, stage: Stage, step: Step, install: RunStep, name: str) -> str:
    """Why a step up to the install may read the variable without naming it, or ""."""
    for other in stage.steps[step.index + 1 : install.index + 1]:
        if not isinstance(other, RunStep):
            continue
        if any(made.program in _SHOWS and _shows_all(made) for made in other.invocations):
            return f"line {other.outer.start_line} shows all variables"
        effects = step_effects(build, other)
        if effects.unknown:
            return f"line {other.outer.start_line} may read it: {effects.unknown}"
        read = reads(build, other)
        if name in read.variables or read.unknown:
            return f"line {other.outer.start_line} may read it from a file"
        if read.folders:
            return f"line {other.outer.start_line} builds a project, which may read it"
    return ""
