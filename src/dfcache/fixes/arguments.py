"""Declaring build arguments: they reach a RUN as variables, and stay out of the image."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dfcache.fixes.layout import newline_of
from dfcache.fixes.plan import Plan
from dfcache.model.build import Build, Step
from dfcache.parser import pairs
from dfcache.parser.tree import Dockerfile, Gap, Instruction, Trivia
from dfcache.text import Edit, Span

# What a default may hold so that it needs no quotes and stands for itself, in any shell too.
_PLAIN = re.compile(r"[A-Za-z0-9_.:/+,=@%~^-]+$")


def declare_arguments(
    build: Build, before: Step, arguments: Mapping[str, str | None], plan: Plan
) -> None:
    """Add an ARG for each of ``arguments`` (name to default) right before a step.

    The comments above the step stay with it. A default of None takes that of the ARG before the
    first FROM, and so does one whose name is declared there: the project has chosen already. It is
    for the caller to leave out what is in force. Steps behind it, in the same stage and in
    those built from it, run again once.
    """
    if before.triggered:
        plan.refuse("an ARG is not in force in the builds that run an ONBUILD")
        return
    chosen = global_arguments(build.dockerfile)
    lines = []
    for name, default in arguments.items():
        _refuse_where_read(build, before, name, plan)
        if default is not None and not _PLAIN.match(default):
            plan.refuse(f"{default!r} can't be written as the default of {name} without quotes")
            return
        given = "" if default is None or name in chosen else f"={default}"
        keyword = "arg" if before.outer.keyword.islower() else "ARG"
        lines.append(f"{keyword} {name}{given}")
    at = _top(build.dockerfile, before.outer)
    source = build.dockerfile.source
    start = before.outer.span.start
    indent = source[start : len(source) - len(source[start:].lstrip(" \t"))]
    newline = newline_of(source)
    plan.edits.append(Edit(Span(at, at), "".join(f"{indent}{line}{newline}" for line in lines)))
    plan.added += lines


def global_arguments(dockerfile: Dockerfile) -> set[str]:
    """The names of the ARGs before the first FROM."""
    found: set[str] = set()
    for instruction in dockerfile.instructions:
        if instruction.name == "FROM":
            break
        found |= {pair.name for pair in pairs(instruction)}
    return found


def _refuse_where_read(build: Build, before: Step, name: str, plan: Plan) -> None:
    """A step that names the variable, other than to declare it, means something else by it."""
    for stage in build.heirs(before.stage):
        for step in build.stages[stage].steps:
            read = step.outer
            if read.name == "ARG" or (stage == before.stage and step.index < before.index):
                continue
            texts = [read.original, *(heredoc.body for heredoc in read.heredocs)]
            if any(re.search(rf"\b{re.escape(name)}\b", text) for text in texts):
                plan.refuse(f"line {read.start_line} names {name}")


def _top(dockerfile: Dockerfile, instruction: Instruction) -> int:
    """Where the comments that stand right above an instruction begin, dfcache's own too."""
    at = instruction.span.start
    for item in reversed(dockerfile.items):
        if item.span.end == at and isinstance(item, Gap) and item.kind is Trivia.COMMENT:
            at = item.span.start
    return at
