"""What a step does with a package manager: the command, its caches, what it reads."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from dfcache.knowledge.records import CacheDir, Index, Tool, ToolCommand
from dfcache.model.invocations import Argument, Invocation
from dfcache.model.options import Option, leading, split
from dfcache.model.scope import ROOT, Scope, User
from dfcache.record import record
from dfcache.text import Span

_PYTHON = re.compile(r"(python|pypy)(\d+(\.\d+)*)?$")
_PYTHON_VALUES = frozenset({"-X", "-W", "--check-hash-based-pycs"})
_BOOLEANS = frozenset("1 true t yes y on 0 false f no n off".split())
_TRUE = frozenset(["1", "true", "t", "yes", "y", "on"])


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


@record
class Read:
    """A file or folder that an install is told to read.

    ``kind`` is "requirements", "constraints", "project" or "links"; ``path`` is where
    it is in the image, None where it can't be told; ``word`` is the argument.
    """

    kind: str
    path: str | None
    argument: Argument


@record
class ToolUse:
    """One command of a package manager, understood.

    ``user`` is who runs it and ``home`` their HOME. ``offline`` tells that it asks no network.
    ``linked`` names what makes the installation point into the cache, or is "". ``operands`` are
    the arguments that name packages or local paths; ``sure`` is False where some arguments could
    not be known. ``plain_indexes`` are the hosts of indexes over plain http that are not trusted,
    so that nothing of them is cached. ``elsewhere`` is True where it is told to install into a
    folder of its own; ``leaves`` are image paths that it writes in its working directory.
    ``environments`` are virtual environments
    that it may install into. ``own_code`` tells that it may install or run the project there.
    """

    tool: Tool
    spec: ToolCommand
    invocation: Invocation
    user: User
    home: str | None
    caches: tuple[CacheUse, ...]
    off: tuple[Switch, ...]
    offline: bool
    linked: str
    reads: tuple[Read, ...]
    operands: tuple[Argument, ...]
    elsewhere: bool
    leaves: tuple[str, ...]
    environments: tuple[str, ...]
    own_code: bool
    sure: bool
    plain_indexes: tuple[str, ...]

    @property
    def downloads(self) -> bool:
        """Whether it fetches packages over the network."""
        return self.spec.effect == "downloads" and not self.offline

    @property
    def span(self) -> Span:
        """From the program to its subcommand: what a finding underlines."""
        command = self.invocation.command
        words = command.words
        first = words[0].span
        last = next((w for w in words[1:] if w.value == self.spec.words[-1]), words[0])
        return Span(first.start, max(first.end, last.span.end))

    @property
    def title(self) -> str:
        """How to name the command in a message: ``pip install``."""
        program = self.invocation.program or ""
        name = program if is_program(self.tool.programs, program) else self.tool.name
        return " ".join((name, *self.spec.words))


@cache
def is_program(pattern: str, program: str) -> bool:
    """Whether the last part of a program's path is one of a tool's (``Tool.programs``)."""
    return re.fullmatch(pattern, program) is not None


def tool_uses(made: Sequence[Invocation], scope: Scope, tools: Sequence[Tool]) -> Iterator[ToolUse]:
    """The uses of package managers among ``made``."""
    for invocation in made:
        for tool in tools:
            args = _arguments(tool, invocation)
            if args is not None:
                use = _use(tool, invocation, args, scope)
                if use is not None:
                    yield use
                break


def _arguments(tool: Tool, made: Invocation) -> tuple[Argument, ...] | None:
    """The arguments behind the tool's own name, or None where another program runs."""
    if made.program is None:
        return None
    if is_program(tool.programs, made.program):
        return made.args
    if made.program in tool.shorthands:
        word = made.command.words[0]
        return (*(Argument(w, word) for w in tool.shorthands[made.program]), *made.args)
    if not tool.modules or not _PYTHON.fullmatch(made.program):
        return None
    at = 0
    while at < len(made.args):
        value = made.args[at].value
        if value == "-m":
            module = made.args[at + 1].value if at + 1 < len(made.args) else None
            return made.args[at + 2 :] if module in tool.modules else None
        if value is None or not value.startswith("-") or value == "-c":
            return None
        at += 2 if value in _PYTHON_VALUES else 1
    return None


def _use(tool: Tool, made: Invocation, args: tuple[Argument, ...], scope: Scope) -> ToolUse | None:
    words, at = _subcommand(tool, args)
    spec = _spec(tool, words)
    if spec is None:
        return None
    behind = split(args[at + len(spec.words) :], spec.values | tool.values)
    options = (*split(args[:at], tool.values).options, *behind.options)
    names = {option.name for option in options}
    operands = behind.operands
    user, home = _who(made, scope)
    env = _environment(made, scope)
    return ToolUse(
        tool=tool,
        spec=spec,
        invocation=made,
        user=user,
        home=home,
        caches=tuple(
            _cache(cache, options, env, home)
            for cache in tool.caches
            if not spec.caches or cache.name in spec.caches
        ),
        off=tuple(_switches(tool, options, made, scope)),
        offline=bool(names & spec.offline),
        linked=_linked(tool, options, env),
        reads=tuple(_reads(spec, options, operands, made)),
        operands=operands,
        elsewhere=bool(names & set(spec.writes))
        or (made.cwd is None and any(not path.startswith("-") for path in spec.writes)),
        leaves=tuple(
            posixpath.normpath(posixpath.join(made.cwd, path))
            for path in spec.writes
            if made.cwd is not None and not path.startswith("-")
        ),
        environments=tuple(_environments(made, env)),
        own_code=spec.project is not None and not names & set(spec.project),
        sure=behind.sure,
        plain_indexes=tuple(_plain_indexes(tool.index, options, env)),
    )


def _environments(made: Invocation, env: Mapping[str, str | None]) -> Iterator[str]:
    """Folders that an installation may go to, by the program's own path and by variables."""
    found = [env.get(name) for name in ("VIRTUAL_ENV", "PYTHONUSERBASE", "CONDA_PREFIX")]
    programs = [f"{entry}/" for entry in (env.get("PATH") or "").split(":")]
    if made.cwd is not None and "$" not in made.path and "/" in made.path:
        programs.append(posixpath.join(made.cwd, made.path))
    found += [path.rpartition("/bin/")[0] for path in programs if "/bin/" in path]
    for folder in found:
        if folder and folder.startswith("/") and folder not in ("/usr", "/usr/local"):
            yield posixpath.normpath(folder)


def _plain_indexes(
    index: Index, options: Sequence[Option], env: Mapping[str, str | None]
) -> Iterator[str]:
    """The hosts of http indexes whose answers the tool does not cache."""
    urls = [option.value or "" for option in options if option.name in index.options]
    urls += [url for name in index.env for url in (env.get(name) or "").split()]
    trusted = {option.value for option in options if option.name in index.trusted_options}
    trusted |= {host for name in index.trusted_env for host in (env.get(name) or "").split()}
    for url in urls:
        if url.startswith("http://"):
            host = url[7:].partition("/")[0].rpartition("@")[2]
            if not {host, host.partition(":")[0]} & trusted:
                yield host


def _subcommand(tool: Tool, args: tuple[Argument, ...]) -> tuple[list[str], int]:
    """The words that stand together from the subcommand on, and at which argument."""
    at = leading(args, tool.values)
    words: list[str] = []
    for argument in args[at:]:
        if argument.value is None or argument.value.startswith("-"):
            break
        words.append(argument.value)
    return words, at


def _spec(tool: Tool, words: Sequence[str]) -> ToolCommand | None:
    """The longest subcommand of ``tool`` that ``words`` begin with."""
    fitting = [spec for spec in tool.commands if tuple(words[: len(spec.words)]) == spec.words]
    return max(fitting, key=lambda spec: len(spec.words), default=None)


def _who(made: Invocation, scope: Scope) -> tuple[User, str | None]:
    if made.user is None:
        return scope.user, made.env.get("HOME", scope.home)
    user = ROOT if made.user in ("root", "0") else scope.users.get(made.user)
    user = user or User(made.user, None, None, None, sure=False)
    return user, user.home


def _environment(made: Invocation, scope: Scope) -> dict[str, str | None]:
    """Known variables of the command; None means set to something unknown."""
    env: dict[str, str | None] = {}
    if not {"sudo"} & set(made.wrappers):
        env = {name: variable.value for name, variable in scope.variables.items()}
    return env | dict(made.env)


def _cache(
    cache: CacheDir, options: Sequence[Option], env: Mapping[str, str | None], home: str | None
) -> CacheUse:
    """Where ``cache`` is for a command with these options and variables."""
    for option in reversed(options):
        if option.name in cache.options:
            return CacheUse(cache, _absolute(option.value, home), option.name)
    lower = {name.lower(): name for name in env}
    for name in cache.env:
        actual = name if name in env else lower.get(name) if name.islower() else None
        if actual is not None and env[actual] != "":
            return CacheUse(cache, _absolute(env[actual], home), actual)
    if cache.xdg is not None and env.get("XDG_CACHE_HOME", "") != "":
        base = _absolute(env["XDG_CACHE_HOME"], home)
        return CacheUse(cache, base and posixpath.join(base, cache.xdg), "XDG_CACHE_HOME")
    return CacheUse(cache, _absolute(cache.default, home), "")


def _absolute(path: str | None, home: str | None) -> str | None:
    if path is None:
        return None
    if path == "~" or path.startswith("~/"):
        if home is None:
            return None
        path = home.rstrip("/") + path[1:]
    return "/" + posixpath.normpath(path).lstrip("/") if path.startswith("/") else None


def _switches(
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
        return value.lower() in _TRUE
    return True


def _linked(tool: Tool, options: Sequence[Option], env: Mapping[str, str | None]) -> str:
    for name, value in tool.symlinks:
        if name.startswith("-"):
            if any(option.name == name and option.value == value for option in options):
                return f"{name} {value}"
        elif env.get(name) == value:
            return f"{name}={value}"
    return ""


_LOCAL = re.compile(r"(\.{1,2}$|\.{0,2}/|file:|.*[/\\]|.*\.(whl|zip|tar\.gz|tar\.bz2|tgz)$)")


def _reads(
    spec: ToolCommand, options: Sequence[Option], operands: Sequence[Argument], made: Invocation
) -> Iterator[Read]:
    for option in options:
        kind = spec.reads.get(option.name)
        if kind is not None:
            argument = option.given or option.argument
            path = option.value
            if kind == "project" and path is not None and not is_local(path):
                continue  # -e git+https://…
            if path is not None and "://" in path and not path.startswith("file:"):
                continue  # -r https://…, --find-links https://…
            yield Read(kind, _in(made.cwd, path), argument)
    if spec.operands == "files":
        for operand in operands:
            yield Read("requirements", _in(made.cwd, operand.value), operand)
    if spec.operands == "requirements":
        for operand in operands:
            if operand.value is None or is_local(operand.value):
                yield Read("project", _in(made.cwd, operand.value), operand)


def is_local(requirement: str) -> bool:
    """Whether pip would take the argument for a path: it looks like one and is no URL."""
    requirement = re.sub(r"\[[^\]]*\]$", "", requirement)  # extras: .[dev]
    name, at, url = requirement.partition("@")
    if at and url.strip().startswith("file:"):
        return True
    if "://" in requirement:
        return requirement.startswith("file:")
    return bool(_LOCAL.match(name if at and " " in requirement else requirement))


def _in(cwd: str | None, path: str | None) -> str | None:
    if path is None:
        return None
    if "file:" in path:
        path = path[path.index("file:") + 5 :]
        path = "/" + path.lstrip("/") if path.startswith("//") else path
    path = re.sub(r"\[[^\]]*\]$", "", path)  # extras: .[dev]
    if path.startswith("/"):
        return posixpath.normpath(path)
    return None if cwd is None else posixpath.normpath(posixpath.join(cwd, path))
