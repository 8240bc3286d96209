"""A build: its stages and steps, with what each step runs in and uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Concatenate, ParamSpec, TypeVar

from dfcache.knowledge.records import BaseImage
from dfcache.model.context import Context
from dfcache.model.globbing import CopySpec
from dfcache.model.invocations import Invocation
from dfcache.model.mounts import StepMount
from dfcache.model.scope import Scope
from dfcache.model.uses import ToolUse
from dfcache.model.wishes import Wishes
from dfcache.parser import CopySpec as WrittenCopy
from dfcache.parser import Pair
from dfcache.parser.script import Script
from dfcache.parser.tree import Dockerfile, Instruction
from dfcache.record import record


@record
class Step:
    """One instruction of a stage, and the scope it runs in.

    ``instruction`` is the child of an ONBUILD, which runs in the images built on this
    one (``triggered``); ``outer`` is the instruction as it stands in the file.
    """

    instruction: Instruction
    outer: Instruction
    stage: int
    index: int
    scope: Scope

    @property
    def triggered(self) -> bool:
        """Whether it runs not in this build, but in builds on top of its image."""
        return self.outer is not self.instruction


@record
class RunStep(Step):
    """A RUN: its script, the programs it starts, its mounts, its uses of package managers."""

    script: Script
    mounts: tuple[StepMount, ...]
    invocations: tuple[Invocation, ...]
    uses: tuple[ToolUse, ...]


@record
class CopyStep(Step):
    """A COPY or ADD.

    ``written`` is what the instruction says, ``files`` the same with its variables expanded; None
    where one can't be known or a build argument may change it. ``origin`` is None for the build
    context, else the stage's number or the image's name. ``plain`` is False for what no COPY of
    files does: addresses, archives that are unpacked, here-documents.
    """

    written: WrittenCopy | None
    files: CopySpec | None
    origin: int | str | None
    plain: bool


@record
class VariableStep(Step):
    """An ENV, ARG or LABEL with its pairs."""

    pairs: tuple[Pair, ...]


@record
class Stage:
    """From a FROM to the next.

    ``base`` is the reference it is built from, expanded with the defaults of the global ARGs
    (None where that leaves it open), ``image`` what is known of it. ``parent`` is the number
    of the stage it is built from, ``end`` the scope after its last step.
    """

    index: int
    name: str | None
    base: str | None
    image: BaseImage | None
    parent: int | None
    steps: tuple[Step, ...]
    end: Scope


@record
class Build:
    """A Dockerfile and its context, understood.

    ``wishes`` are what the project asks of it; ``memo`` is where ``per_build`` keeps its answers.
    """

    dockerfile: Dockerfile
    stages: tuple[Stage, ...]
    context: Context
    memo: dict[object, Any]
    wishes: Wishes = Wishes()

    def subjects(self, kind: type) -> Iterator[object]:
        """Everything of the build that is a ``kind``: itself, its stages, their steps."""
        if kind is Build:
            yield self
        for stage in self.stages:
            if kind is Stage:
                yield stage
            yield from (step for step in stage.steps if isinstance(step, kind))

    def runs(self) -> Iterator[RunStep]:
        """Every RUN, in the order of the file."""
        for stage in self.stages:
            yield from (step for step in stage.steps if isinstance(step, RunStep))

    def lineage(self, stage: int) -> tuple[int, ...]:
        """The stage and those it is built from, the first of them first."""
        found: list[int] = []
        at: int | None = stage
        while at is not None and at not in found:
            found.append(at)
            at = self.stages[at].parent
        return tuple(reversed(found))

    def heirs(self, stage: int) -> tuple[int, ...]:
        """The stage and those built from it, directly or not."""
        return tuple(s.index for s in self.stages if stage in self.lineage(s.index))


P = ParamSpec("P")
R = TypeVar("R")


def per_build(answer: Callable[Concatenate[Build, P], R]) -> Callable[Concatenate[Build, P], R]:
    """Answer each question about a build once: several checks ask the same.

    Arguments behind the build are told apart by identity.
    """

    def remembered(build: Build, /, *args: P.args, **kwargs: P.kwargs) -> R:
        key = (answer, *map(id, args))
        if key not in build.memo:
            build.memo[key] = answer(build, *args, **kwargs)
        found: R = build.memo[key]
        return found

    return remembered
