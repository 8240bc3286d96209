"""Which steps can change places: moving a COPY behind an install."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence

from dfcache.model.build import (
    Build,
    CopyStep,
    RunStep,
    Stage,
    Step,
    VariableStep,
    per_build,
)
from dfcache.model.effects import SYSTEM, Effects, above, commute, overlap, run_effects, within
from dfcache.model.globbing import STANDARD_FOLDERS, destination, is_glob, placed
from dfcache.model.mounts import StepMount

_METADATA = frozenset(
    "LABEL EXPOSE CMD ENTRYPOINT STOPSIGNAL HEALTHCHECK MAINTAINER ONBUILD".split()
)
# Configuration that package managers read unasked, wherever it is put.
_CONFIGURATION = frozenset(
    "pip.conf .pypirc .netrc .npmrc .yarnrc .yarnrc.yml uv.toml .condarc sources.list"
    " .gitconfig .curlrc .wgetrc".split()
)
_HOME_FILES = tuple(
    ".ssh .netrc .config/pip .pip .pypirc .pydistutils.cfg .git-credentials .gitconfig .npmrc"
    " .config/uv .cargo .condarc .aws .docker".split()
)
# Programs an install may start by name: a COPY that brings one of them must stay before it.
_PROGRAMS = tuple(
    "python pip gcc cc c++ g++ git make cmake cargo rustc sh bash node npm uv apt curl wget"
    " pg_config mysql_config".split()
)


@per_build
def brings(build: Build, copy: CopyStep) -> Mapping[str, str]:
    """What a COPY brings: image paths to the context's files; nothing where that isn't known."""
    if copy.files is None or not build.context.known:
        return {}
    return placed(build.context, copy.files)


@per_build
def tree(build: Build, copy: CopyStep) -> frozenset[str]:
    """The image paths that a COPY writes, as closely as is known."""
    if copy.files is None:
        return frozenset("/")
    if copy.origin is None and build.context.known:
        return frozenset(placed(build.context, copy.files))
    return frozenset({destination(copy.files)})


@per_build
def folders_made(build: Build, copy: CopyStep) -> frozenset[str]:
    """The folders that a COPY makes, but for those that are there before it."""
    if copy.files is None:
        return frozenset()
    made: set[str] = set()
    for path in tree(build, copy):
        for folder in above(path):
            if folder in made:
                break
            made.add(folder)
    if copy.origin is not None or not build.context.known:
        made.add(destination(copy.files))
    return frozenset(made - set(above(posixpath.join(copy.scope.workdir or "/", "x"))))


@per_build
def configures(build: Build, copy: CopyStep) -> bool:
    """Whether a COPY brings what a package manager may read unasked, or what it may start."""
    if copy.files is None:
        return True
    dest = destination(copy.files)
    if any(within(dest, folder) for folder in SYSTEM if folder != "/usr/share"):
        return True
    home = (copy.scope.home or "/root").rstrip("/")
    private = tuple(f"{home}/{dot}" for dot in _HOME_FILES)
    for path in brings(build, copy) or [posixpath.join(dest, s) for s in copy.files.sources]:
        folder, _, name = path.rstrip("/").rpartition("/")
        if path.startswith("/etc/") or "-packages/" in path:
            return True
        if path.startswith(private) and any(within(path, dot) for dot in private):
            return True
        if name in _CONFIGURATION and (not within(folder, copy.files.workdir) or folder == home):
            return True
        if folder.endswith("/bin") and name.rstrip("0123456789.") in _PROGRAMS:
            return True
    return False


def passes(build: Build, step: Step, moving: Sequence[Step]) -> str:
    """Whether ``moving`` can go behind ``step``.

    "" if it can, "joins" if ``step`` must go along, else the reason why it can't.
    """
    name, line = step.instruction.name, step.outer.start_line
    runs = [one for one in moving if isinstance(one, RunStep)]
    copies = [one for one in moving if isinstance(one, CopyStep)]
    if name in _METADATA:
        return ""
    if name in ("ENV", "ARG"):
        return _passes_variables(step, moving)
    if name == "WORKDIR":
        return _passes_workdir(step, copies, runs, build)
    if name in ("USER", "SHELL"):
        return f"line {line} changes what line {runs[0].outer.start_line} runs in" if runs else ""
    if name == "VOLUME":
        paths = [word.value for word in step.instruction.words]
        written = frozenset().union(*(tree(build, one) for one in copies))
        return f"line {line} makes a volume of it" if overlap(paths, written) else ""
    if not isinstance(step, RunStep | CopyStep):
        return f"line {line} can't be judged"
    effects = step_effects(build, step)
    if all(_commute(build, effects, step, one) for one in moving):
        return ""
    if effects.unknown:
        return f"line {line} may need it: {effects.unknown}"
    return "joins"


def _commute(build: Build, effects: Effects, step: Step, other: Step) -> bool:
    if isinstance(step, CopyStep) and isinstance(other, CopyStep):
        mine, theirs = brings(build, step), brings(build, other)
        plain = step.plain and other.plain
        if plain and mine and theirs and step.origin is None and other.origin is None:
            if owner_of(step) == owner_of(other):
                return all(theirs[path] == mine[path] for path in mine.keys() & theirs.keys())
            if not mine.keys().isdisjoint(theirs):
                return False
    if _makes_as_another(build, step, other) or _makes_as_another(build, other, step):
        return False
    return commute(effects, step_effects(build, other))


def _makes_as_another(build: Build, copy: Step, other: Step) -> bool:
    """Whether a COPY gives an owner to folders that another step would make as well."""
    if not isinstance(copy, CopyStep) or not any(owner_of(copy)):
        return False
    theirs = step_effects(build, other)
    makes = theirs.makes | {folder for path in theirs.writes for folder in above(path)}
    return bool((folders_made(build, copy) - STANDARD_FOLDERS).difference(SYSTEM) & makes)


def owner_of(step: CopyStep) -> tuple[str | None, str | None]:
    """The owner and mode that a COPY gives, None for the defaults."""
    return (step.written.chown, step.written.chmod) if step.written else (None, None)


def _passes_variables(step: Step, moving: Sequence[Step]) -> str:
    names = [pair.name for pair in step.pairs] if isinstance(step, VariableStep) else []
    for one in moving:
        text = one.instruction.original
        for name in names:
            if f"${name}" in text or f"${{{name}" in text:
                line = one.outer.start_line
                return f"line {step.outer.start_line} sets {name}, which line {line} uses"
            if name in ("PATH", "HOME", "LD_LIBRARY_PATH") and isinstance(one, RunStep):
                return f"line {step.outer.start_line} sets {name}"
    return ""


def _passes_workdir(step: Step, copies: list[CopyStep], runs: list[RunStep], build: Build) -> str:
    line = step.outer.start_line
    after = step.scope.path(step.instruction.rest.value)
    if after is not None and after == step.scope.workdir:
        return ""
    if runs:
        return f"line {line} changes the working directory of line {runs[0].outer.start_line}"
    for copy in copies:
        if copy.files is None or not copy.files.dest.startswith("/"):
            return f"line {line} changes what the destination of line {copy.outer.start_line} means"
        owned = copy.written is not None and (copy.written.chown or copy.written.chmod)
        made = {destination(copy.files), *above(destination(copy.files))} - STANDARD_FOLDERS
        if owned and after is not None and any(within(after, folder) for folder in made):
            return f"line {line} would make the folder that line {copy.outer.start_line} makes"
    return ""


def _shows_packages(step: RunStep, mount: StepMount) -> bool:
    """Whether a bind mount is a folder of packages of the context, which nothing writes to."""
    links = [read.path for use in step.uses for read in use.reads if read.kind == "links"]
    return mount.mount.from_ is None and mount.mount.read_only and mount.target in links


@per_build
def step_effects(build: Build, step: Step) -> Effects:
    """What a RUN or a COPY reads and writes."""
    if isinstance(step, RunStep):
        if step.script.opaque or (not step.invocations and step.instruction.rest.value):
            return Effects(unknown="its script could not be read")
        if any(m.type == "bind" and not _shows_packages(step, m) for m in step.mounts):
            return Effects(unknown="it mounts files")
        return run_effects(step.invocations, step.uses)
    if isinstance(step, CopyStep):
        if step.files is None or not step.plain:
            return Effects(unknown="what it copies can't be told")
        if any(is_glob(source) for source in step.files.sources) and not build.context.known:
            return Effects(unknown="what it copies can't be told")
        return Effects(writes=tree(build, step), makes=folders_made(build, step))
    return Effects()


def installs(stage: Stage) -> Iterator[RunStep]:
    """The steps of a stage that download packages in this build."""
    return (step for step in stage.steps if isinstance(step, RunStep) and is_install(step))


def is_install(step: RunStep) -> bool:
    """Whether a step installs packages, and not only for a program that it starts."""
    return not step.triggered and any(
        use.downloads and use.spec.operands != "program" for use in step.uses
    )
