"""Builds for the tests of the model, from text."""

from __future__ import annotations

from collections.abc import Mapping

from dfcache.knowledge import load
from dfcache.model.assemble import build
from dfcache.model.build import Build, RunStep
from dfcache.model.context import MemoryContext, NoContext
from dfcache.model.wishes import Wishes
from dfcache.parser import parse


def built(
    source: str, files: Mapping[str, str] | None = None, wishes: Wishes | None = None
) -> Build:
    """What ``source`` builds; ``files`` are its context, None where that is not at hand."""
    context = NoContext() if files is None else MemoryContext(files)
    return build(parse(source), context, load(), wishes)


def last_run(source: str, files: Mapping[str, str] | None = None) -> RunStep:
    """The last RUN of a file."""
    return list(built(source, files).runs())[-1]


def run(script: str, before: str = "") -> RunStep:
    """A RUN of an image with Python, root and the working directory /app."""
    return last_run(f"FROM python:3.12-slim\nWORKDIR /app\n{before}RUN {script}\n")
