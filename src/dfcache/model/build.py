"""A build: its stages and steps, with what each step runs in, uses and depends on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dfcache.model.context import Context
from dfcache.parser.tree import Dockerfile, Instruction


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction of a stage."""

    instruction: Instruction
    stage: int
    index: int


@dataclass(frozen=True, slots=True)
class Stage:
    """From a FROM to the next."""

    index: int
    name: str | None
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Build:
    """A Dockerfile and its context, understood."""

    dockerfile: Dockerfile
    stages: tuple[Stage, ...]
    context: Context

    def subjects(self, kind: type) -> Iterator[object]:
        """Everything of the build that is a ``kind``: itself, its stages, their steps."""
        if kind is Build:
            yield self
        for stage in self.stages:
            if kind is Stage:
                yield stage
            yield from (step for step in stage.steps if isinstance(step, kind))
