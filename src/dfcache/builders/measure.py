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
    changes: dict[str, Change] = {}
    skipped: dict[str, str] = {}
    with workspace(project.context, project.dockerfile) as space, _names(docker) as names:
        original = _Side("original", names[0], project.original, space, docker, tell)
        before = {COLD: original.build("first build")}
        edit = source_edit(build, space.read, names[0].split("-")[1])
        if edit is not None:
            changes[EDIT] = edit
            before[EDIT] = original.change(EDIT, edit)
        else:
            skipped[EDIT] = "no COPY brings a source file that could be edited"
        bump = _bump(original, bumps(build, space.read, _printed(before[COLD])))
        if isinstance(bump, str):
            skipped[BUMP] = bump or why_none(build)
        else:
            changes[BUMP], before[BUMP] = bump
        space.restore()
        fixed = _Side("fixed", names[1], project.fixed, space, docker, tell)
        after = {COLD: fixed.build("first build")}
        after |= {name: fixed.change(name, change) for name, change in changes.items()}
    said = {COLD: "all caches empty"} | {name: change.what for name, change in changes.items()}
    scenarios = (
        Scenario(name, said[name], cost(built), cost(after[name]))
        for name, built in before.items()
        if cold or name != COLD
    )
    return Measurement(tuple(scenarios), tuple(skipped.items()))


def cost(built: Built) -> Cost:
    """What a build cost."""
    ran = tuple(step.name for step in built.steps if step.ran)
    steps = tuple(step.name for step in built.steps)
    return Cost(built.seconds, steps, ran, downloads(built.steps))


def saves(scenario: Scenario) -> bool:
    """Whether the fix makes a scenario cheaper; seconds count only where all else is equal."""
    sides = (scenario.original, scenario.fixed)
    for one, other in (
        [side.downloads.size for side in sides],
        [side.downloads.packages for side in sides],
        [sum(name.startswith("RUN") for name in side.ran) for side in sides],
    ):
        if one is not None and other is not None and one != other:
            return other < one
    before, after = (side.seconds for side in sides)
    # The same build takes a second more or less each time.
    return before - after > max(1.0, 0.2 * before)


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


def _bump(side: _Side, candidates: Iterator[Change]) -> tuple[Change, Built] | str:
    """The first candidate that can be built, and its build; else what the last one failed with."""
    why = ""
    for change in candidates:
        try:
            built = side.change(BUMP, change)
            return named(change, _printed(built)), built
        except BuilderError as error:
            said = [line for line in error.log.split("\n") if "error" in line.lower()]
            why = f"{change.what} does not build: {said[-1] if said else error}"
            side.undo(change)
    return why


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
