"""What pip's configuration says where a step runs: by ``pip config set`` and ``pip.conf``.

source: pip's src/pip/_internal/configuration.py (get_configuration_files)
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from dfcache.knowledge.records import Tool
from dfcache.model.build import Build, RunStep
from dfcache.model.invocations import Invocation
from dfcache.model.origins import origin_of
from dfcache.model.uses import ToolUse, is_program
from dfcache.record import record

_SECTIONS = ("global", "install", "download", "wheel")


@record
class Setting:
    """A key of the configuration ("index-url"), one of its values, and who says so."""

    key: str
    value: str
    where: str


def configuration(build: Build, step: RunStep, use: ToolUse) -> tuple[Setting, ...]:
    """The settings in force for a command of pip, as far as the Dockerfile and its context tell.

    Of a key that is set again, only the last counts.
    """
    found: dict[str, tuple[Setting, ...]] = {}
    for setting in (*_files(build, step, use), *_commands(build, step, use)):
        values = tuple(Setting(setting.key, v, setting.where) for v in setting.value.split())
        found[setting.key] = values
    return tuple(each for values in found.values() for each in values)


def _commands(build: Build, step: RunStep, use: ToolUse) -> Iterator[Setting]:
    """From ``pip config set`` in the steps before, and before it in its own."""
    for number in build.lineage(step.stage):
        for other in build.stages[number].steps:
            if number == step.stage and other.index > step.index:
                return
            for made in other.invocations if isinstance(other, RunStep) else ():
                if made is use.invocation:
                    return
                yield from _set(use.tool, made, f"line {other.outer.start_line}")


def _set(pip: Tool, made: Invocation, where: str) -> Iterator[Setting]:
    """The setting that ``pip config --user set global.key value`` makes."""
    if made.program is None or "config" not in (argument.value for argument in made.args):
        return
    words = [each.value or "" for each in made.args if not (each.value or "").startswith("-")]
    if not is_program(pip.programs, made.program):
        words = words[1:] if words[0] in pip.modules else []
    if len(words) == 4 and words[:2] == ["config", "set"] and words[3]:
        section, _, key = words[2].partition(".")
        if section in _SECTIONS:
            yield Setting(key.replace("_", "-"), words[3], where)


def _files(build: Build, step: RunStep, use: ToolUse) -> Iterator[Setting]:
    """From files of the build context, the weakest first."""
    home = use.home or "/root"
    environment = use.env.get("VIRTUAL_ENV")
    places = ["/etc/xdg/pip/pip.conf", "/etc/pip.conf"]
    places += [f"{home}/.pip/pip.conf", f"{home}/.config/pip/pip.conf"]
    places += [f"{environment}/pip.conf"] if environment else []
    named = use.env.get("PIP_CONFIG_FILE")
    places += [named] if named and named.startswith("/") else []
    for place in places:
        path = origin_of(build, step, posixpath.normpath(place)).path
        text = build.context.read(path) if path is not None else None
        if path is not None and text is not None:
            yield from _parsed(text, path)


def _parsed(text: str, path: str) -> Iterator[Setting]:
    from configparser import Error, RawConfigParser

    parser = RawConfigParser()
    try:
        parser.read_string(text)
    except Error:
        return
    for section in _SECTIONS:
        for key, value in parser.items(section) if parser.has_section(section) else ():
            yield Setting(key.replace("_", "-"), value, path)
