"""What a step does with a package manager: the command, its caches, what it reads."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from dfcache.knowledge.records import Index, Tool, ToolCommand
from dfcache.model.invocations import Argument, Invocation
from dfcache.model.options import Option, leading, split
from dfcache.model.scope import ROOT, Scope, User
from dfcache.model.usedcaches import TRUE, CacheUse, Switch, cache_use, linked, switches
from dfcache.model.usedfiles import Read, given_reads
from dfcache.record import record
from dfcache.text import Span

_PYTHON = re.compile(r"(python|pypy)(\d+(\.\d+)*)?$")


_PYTHON_VALUES = frozenset({"-X", "-W", "--check-hash-based-pycs"})


@record
class ToolUse:
    """One command of a package manager, understood.

    ``user`` is who runs it and ``home`` their HOME. ``options`` are all of its options, also those
    in front of the subcommand, and ``env`` the variables it sees (None: set to what can't be
    known). ``offline`` tells that it asks no network.
    ``linked`` names what makes the installation point into the cache, or is "". ``operands`` are
    the arguments that name packages or local paths; ``sure`` is False where some arguments could
    not be known. ``elsewhere`` is True where it is told to install into a folder of its own;
    ``leaves`` are image paths that it writes in its working directory. ``environments`` are virtual
    environments that it may install into. ``own_code`` tells that it may install or run the project
    there.
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
    options: tuple[Option, ...]
    env: Mapping[str, str | None]

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


def is_unread(tool: Tool, made: Invocation) -> bool:
    """Whether ``made`` runs ``tool``, and what it asks of it can't be told: ``pip $FLAGS …``."""
    args = _arguments(tool, made)
    if args is None:
        return False
    return not _subcommand(tool, args)[0] and any(each.value is None for each in args)


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
    env = environment(made, scope)
    return ToolUse(
        tool=tool,
        spec=spec,
        invocation=made,
        user=user,
        home=home,
        caches=tuple(
            cache_use(cache, options, env, home)
            for cache in tool.caches
            if not spec.caches or cache.name in spec.caches
        ),
        off=tuple(switches(tool, options, made, scope)),
        offline=bool(names & spec.offline) or _is_offline(tool.index, env),
        linked=linked(tool, options, env),
        reads=tuple(given_reads(tool, spec, options, operands, made)),
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
        options=options,
        env=env,
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


def _is_offline(index: Index, env: Mapping[str, str | None]) -> bool:
    """Whether a variable tells the tool to ask no network."""
    return any((env.get(name) or "").lower() in TRUE for name in index.offline_env)


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


def environment(made: Invocation, scope: Scope) -> dict[str, str | None]:
    """Known variables of the command; None means set to something unknown."""
    env: dict[str, str | None] = {}
    if not {"sudo"} & set(made.wrappers):
        env = {name: variable.value for name, variable in scope.variables.items()}
    return env | dict(made.env)
