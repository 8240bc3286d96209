"""Upgrades of what installs packages, to whatever version is the newest on the day of the build."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dfcache.model.asked import Asked, asked
from dfcache.model.build import Build, RunStep
from dfcache.model.invocations import Invocation
from dfcache.model.pins import TOOLCHAIN
from dfcache.model.requirements import Requirement
from dfcache.parser.script import Command
from dfcache.record import record
from dfcache.text import Span

_GET_PIP = "get-pip.py"


@record
class Upgrade:
    """``what`` is upgraded by ``command``, as messages name it; ``span`` asks for that."""

    what: tuple[str, ...]
    command: str
    span: Span


def upgrades(build: Build, step: RunStep) -> Iterator[Upgrade]:
    """The upgrades of pip, setuptools, wheel and uv in a step for which no version is named."""
    for one in asked(build, step):
        found = [entry for entry in one.wanted if _is_open(one, entry)]
        if found and "upgrade" in one.flags and one.needs_index:
            names = tuple(dict.fromkeys(entry.name for entry in found))
            span = Span(found[0].span.start, found[-1].span.end)
            yield Upgrade(names, f"{one.use.title} --upgrade", span)
    # Those of https://bootstrap.pypa.io/pip/3.8/ and the like bring the last pip for an old Python.
    last = re.search(r"/pip/\d\.\d+/get-pip\.py", build.dockerfile.source) is not None
    for made in step.invocations:
        yield from (each for each in _by_itself(step, made) if not last or each.command != _GET_PIP)


def _is_open(one: Asked, entry: Requirement) -> bool:
    held = any(each.name == entry.name and each.specifier for each in one.constraints)
    plain = not entry.specifier and entry.url is None and entry.path is None and not entry.hashes
    return not entry.file and entry.name in TOOLCHAIN and plain and not held


def _by_itself(step: RunStep, made: Invocation) -> Iterator[Upgrade]:
    """What upgrades without an install: ``uv self update``, ``get-pip.py``, ``venv``."""
    values = [argument.value for argument in made.args]
    if None in values or made.program is None:
        return
    words = [value for value in values if value is not None]
    span = made.command.span
    if made.program == "uv" and words == ["self", "update"]:
        yield Upgrade(("uv",), "uv self update", span)
    elif made.program.startswith("python"):
        if words[:2] == ["-m", "venv"] and "--upgrade-deps" in words:
            yield Upgrade(("pip", "setuptools"), "venv --upgrade-deps", span)
        elif words and words[0].rpartition("/")[2] == _GET_PIP:
            if not any(word.startswith("pip") or word == "--no-index" for word in words[1:]):
                yield Upgrade(("pip",), _GET_PIP, span)
        elif words in ([], ["-"]) and _piped_from(step, made.command):
            yield Upgrade(("pip",), _GET_PIP, span)


def _piped_from(step: RunStep, command: Command) -> bool:
    """Whether the script comes through a pipe from the address of ``get-pip.py``."""
    before = command.before
    if before is None or before.operator != "|":
        return False
    source = next(
        (c for c in step.script.commands if c.after and c.after.span == before.span), None
    )
    return source is not None and any(word.value.endswith(_GET_PIP) for word in source.words)
