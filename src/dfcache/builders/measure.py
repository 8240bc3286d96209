"""Builds a project as it is and as it would be fixed, and compares what the builds cost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dfcache.builders.changes import Change, bumps, named, source_edit, why_none
from dfcache.builders.docker import BuilderError, Built, Docker, Tell
from dfcache.builders.downloads import Downloads, downloads
from dfcache.builders.workspace import Workspace, workspace
from dfcache.knowledge import load
from dfcache.model.assemble import build as build_of
from dfcache.model.build import Build
from dfcache.model.context import DirectoryContext
from dfcache.parser import parse
from dfcache.record import record

COLD, EDIT, BUMP = "cold", "source edit", "dependency bumped"


class FixError(BuilderError):
    """The fixed text doesn't build although the original does: a bug of dfcache."""


@record
class Cost:
    """Of one build: seconds; the steps it has and those of them that ran; what it downloaded."""

    seconds: float
    steps: tuple[str, ...]
    ran: tuple[str, ...]
    downloads: Downloads


@record
class Scenario:
    """What a change cost; ``changed`` says what it was."""

    name: str
    changed: str
    original: Cost
    fixed: Cost


@record
class Measurement:
    """The scenarios that were built, and those that were not with the reason why."""

    scenarios: tuple[Scenario, ...]
    skipped: tuple[tuple[str, str], ...]


@record
class Project:
    """What is measured: a build context, the path of its Dockerfile, that one's texts."""

    context: str
    dockerfile: str
    original: str
    fixed: str


def measure(project: Project, docker: Docker, cold: bool, tell: Tell) -> Measurement:
    """Build everything; ``tell`` gets a word on what goes on.

    The first build of either text is cold: its caches are its own, and empty. It is reported if
    ``cold``. Raises BuilderError where a build fails (FixError where it is one of the fixed text),
    OSError where the context can't be copied.
    """
    tell("copying the build context")
    build = _understood(project)
    with workspace(project.context, project.dockerfile) as space, _names(docker) as names:
        edit = source_edit(build, space.read, names[0].split("-")[1])
        original = _Side("original", names[0], project.original, space, docker, tell)
        fixed = _Side("fixed", names[1], project.fixed, space, docker, tell)
        scenarios, skipped = [], []
        first = original.build("first build")
        edited = original.change(EDIT, edit) if edit else None
        bump, bumped, why = _bump(original, bumps(build, space.read, _printed(first)))
        space.restore()
        fixed_first = fixed.build("first build")
        if cold:
            scenarios.append(Scenario(COLD, "all caches empty", cost(first), cost(fixed_first)))
        if edit is not None and edited is not None:
            after = fixed.change(EDIT, edit)
            scenarios.append(Scenario(EDIT, edit.what, cost(edited), cost(after)))
        else:
            skipped.append((EDIT, "no COPY brings a source file that could be edited"))
        if bump is not None and bumped is not None:
            after = fixed.change(BUMP, bump)
            scenarios.append(Scenario(BUMP, bump.what, cost(bumped), cost(after)))
        else:
            skipped.append((BUMP, why or why_none(build)))
    return Measurement(tuple(scenarios), tuple(skipped))


def cost(built: Built) -> Cost:
    """What a build cost."""
    ran = tuple(step.name for step in built.steps if step.ran)
    steps = tuple(step.name for step in built.steps)
    return Cost(built.seconds, steps, ran, downloads(built.steps))


def saves(scenario: Scenario) -> bool:
    """Whether the fix makes a scenario cheaper; seconds count only where nothing else is told."""
    one, other = scenario.original.downloads, scenario.fixed.downloads
    if one.size is not None and other.size is not None and one.size != other.size:
        return other.size < one.size
    if one.packages is not None and other.packages is not None:
        if one.packages != other.packages:
            return other.packages < one.packages
        if one.size is not None and other.size is not None:
            return False
    runs = [
        sum(name.startswith("RUN") for name in side.ran)
        for side in (scenario.original, scenario.fixed)
    ]
    if runs[0] != runs[1]:
        return runs[1] < runs[0]
    return scenario.fixed.seconds < 0.8 * scenario.original.seconds


class _Side:
    """The builds of one of the two texts."""

    def __init__(
        self, title: str, name: str, text: str, space: Workspace, docker: Docker, tell: Tell
    ) -> None:
        self._title = title
        self._failure = FixError if title == "fixed" else BuilderError
        self._name = name
        self._dockerfile = space.dockerfile(text)
        self._space = space
        self._docker = docker
        self._tell = tell

    def change(self, scenario: str, change: Change) -> Built:
        """Build with a changed file, besides those changed before."""
        self._space.change({change.path: change.text})
        return self.build(scenario)

    def undo(self, change: Change) -> None:
        """Give a changed file its text back."""
        self._space.restore(change.path)

    def build(self, scenario: str) -> Built:
        """Build the context as it is now."""
        what = f"{self._title}: {scenario}"
        self._tell(what)

        def step(name: str) -> None:
            self._tell(f"{what}: {name}")

        try:
            return self._docker.build(self._name, self._space.context, self._dockerfile, step)
        except BuilderError as error:
            raise self._failure(f"{what} fails: {error}", error.log) from error


def _bump(side: _Side, candidates: Iterator[Change]) -> tuple[Change | None, Built | None, str]:
    """The first candidate that can be built, its build, and else what the last one failed with."""
    why = ""
    for change in candidates:
        try:
            built = side.change(BUMP, change)
            return named(change, _printed(built)), built, ""
        except BuilderError as error:
            said = [line for line in error.log.split("\n") if "error" in line.lower()]
            why = f"{change.what} does not build: {said[-1] if said else error}"
            side.undo(change)
    return None, None, why


def _understood(project: Project) -> Build:
    context = DirectoryContext(Path(project.context), Path(project.dockerfile))
    return build_of(parse(project.original), context, load())


def _printed(built: Built) -> str:
    return "".join(step.output for step in built.steps)


@contextmanager
def _names(docker: Docker) -> Iterator[tuple[str, str]]:
    """Names for the builders of both texts; their cache mounts are deleted in the end."""
    from secrets import token_hex

    token = token_hex(4)
    names = (f"dfcache-{token}-original", f"dfcache-{token}-fixed")
    try:
        yield names
    finally:
        docker.forget(names)
