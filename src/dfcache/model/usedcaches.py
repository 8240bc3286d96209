"""Where a command of a package manager caches, and what turns that off."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence

from dfcache.knowledge.records import CacheDir, Tool
from dfcache.model.invocations import Invocation
from dfcache.model.options import Option
from dfcache.model.scope import Scope
from dfcache.record import record
from dfcache.text import Span

_BOOLEANS = frozenset("1 true t yes y on 0 false f no n off".split())


TRUE = frozenset(["1", "true", "t", "yes", "y", "on"])


@record
class Switch:
    """One thing that turns a cache off.

    ``kind`` is "option", "assignment" (before the command), "variable" (ENV or ARG; ``span`` is
    then the pair, or None where the base image sets it), "export" or "config". ``text`` is how to
    name it. ``removable`` is False where taking it away takes more than deleting ``span``.
    """

    kind: str
    text: str
    span: Span | None
    removable: bool = True


@record
class CacheUse:
    """A cache directory as one command uses it: ``path`` is None where it can't be told.

    ``moved_by`` names what moved it from its default, "" if nothing did.
    """

    cache: CacheDir
    path: str | None
    moved_by: str


def cache_use(
    cache: CacheDir, options: Sequence[Option], env: Mapping[str, str | None], home: str | None
) -> CacheUse:
    """Where ``cache`` is for a command with these options and variables."""
    for option in reversed(options):
        if option.name in cache.options:
            return CacheUse(cache, absolute(option.value, home), option.name)
    lower = {name.lower(): name for name in env}
    for name in cache.env:
        actual = name if name in env else lower.get(name) if name.islower() else None
        if actual is not None and env[actual] != "":
            return CacheUse(cache, absolute(env[actual], home), actual)
    if cache.xdg is not None and env.get("XDG_CACHE_HOME", "") != "":
        base = absolute(env["XDG_CACHE_HOME"], home)
        return CacheUse(cache, base and posixpath.join(base, cache.xdg), "XDG_CACHE_HOME")
    return CacheUse(cache, absolute(cache.default, home), "")


def absolute(path: str | None, home: str | None) -> str | None:
    if path is None:
        return None
    if path == "~" or path.startswith("~/"):
        if home is None:
            return None
        path = home.rstrip("/") + path[1:]
    return "/" + posixpath.normpath(path).lstrip("/") if path.startswith("/") else None


def switches(
    tool: Tool, options: Sequence[Option], made: Invocation, scope: Scope
) -> Iterator[Switch]:
    """All that turns the cache off for a command, the weakest first."""
    cache_options = {name for cache in tool.caches for name in cache.options}
    if any(option.name in cache_options for option in options):
        last = [o for o in options if o.name in cache_options or o.name in tool.off.options][-1]
        if last.name in cache_options:
            return  # --cache-dir behind --no-cache-dir, and beside the variable, wins
    else:
        yield from _variable_switches(tool, made, scope)
    for option in options:
        if option.name in tool.off.options:
            word = option.argument.word
            alone = option.argument.value == word.value == option.name
            yield Switch("option", option.name, word.span, alone)


def _variable_switches(tool: Tool, made: Invocation, scope: Scope) -> Iterator[Switch]:
    for name, how in tool.off.env.items():
        own = next((a for a in made.assignments if a.name == name), None)
        if own is not None:
            if switches_off(how, made.env.get(name)):
                yield Switch("assignment", name, own.span)
        elif name in made.env:
            if switches_off(how, made.env[name]):
                yield Switch("export", name, None, removable=False)
        elif "sudo" in made.wrappers:
            continue  # sudo resets the environment
        elif name in scope.variables:
            variable = scope.variables[name]
            if switches_off(how, variable.value):
                yield Switch("variable", name, variable.span, variable.span is not None)


def switches_off(how: str, value: str | None) -> bool:
    """Whether ``value`` of a variable turns a cache off; see ``SwitchedOff.env``."""
    if value is None or value == "":
        return False
    if how == "boolean":
        return value.lower() in _BOOLEANS
    if how == "true":
        return value.lower() in TRUE
    return True


def linked(tool: Tool, options: Sequence[Option], env: Mapping[str, str | None]) -> str:
    for name, value in tool.symlinks:
        if name.startswith("-"):
            if any(option.name == name and option.value == value for option in options):
                return f"{name} {value}"
        elif env.get(name) == value:
            return f"{name}={value}"
    return ""
