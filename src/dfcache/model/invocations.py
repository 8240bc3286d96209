"""Programs that a script really starts: behind sudo, env, exec, variables and ``cd``."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from dfcache.model.scope import Scope
from dfcache.parser.expansion import expand
from dfcache.parser.script import Assignment, Command, Script, ShellWord
from dfcache.record import record, replace


@record
class Argument:
    """One argument of a program: ``value`` is None where it can't be known.

    ``word`` is where it is written; several arguments share one word where a variable
    holds them.
    """

    value: str | None
    word: ShellWord


@record
class Invocation:
    """A program with its arguments, as a script starts it.

    ``program`` is the last part of its path, None where that is unknown; ``path`` is as
    written. ``env`` are the variables the script itself set for it (None: unset), on top of
    the step's. ``cwd`` is its working directory, None where unknown. ``wrappers`` are the
    programs in front of it (sudo, env, conda run). ``user`` is the name of the user a
    wrapper changes to. ``home_kept`` is True where it may still have the caller's HOME:
    sudo without -H, by the distribution's sudoers.
    """

    command: Command
    program: str | None
    path: str
    args: tuple[Argument, ...]
    env: Mapping[str, str | None]
    assignments: tuple[Assignment, ...]
    cwd: str | None
    wrappers: tuple[str, ...] = ()
    user: str | None = None
    home_kept: bool = False


# Wrappers: options with a value; everything else with a dash stands alone.
_WRAPPERS: Mapping[str, frozenset[str]] = {
    "sudo": frozenset("-u -g -C -h -p -r -t -T -U -D -R --user --group".split()),
    "env": frozenset({"-u", "--unset", "-C", "--chdir"}),
    "exec": frozenset({"-a"}),
    "time": frozenset({"-f", "-o"}),
    "command": frozenset(),
    "builtin": frozenset(),
    "nohup": frozenset(),
    "nice": frozenset({"-n"}),
    "ionice": frozenset({"-c", "-n"}),
    "stdbuf": frozenset({"-i", "-o", "-e"}),
    "timeout": frozenset({"-k", "-s", "--signal", "--kill-after"}),
    "gosu": frozenset(),
    "su-exec": frozenset(),
    "chronic": frozenset(),
    "eatmydata": frozenset(),
    "runuser": frozenset({"-u", "--user", "-g", "-G"}),
    "xvfb-run": frozenset({"-n", "-s", "-f", "-e", "-p", "-w", "--server-args"}),
    "xargs": frozenset("-n -L -I -P -d -a -s -E --max-args --max-procs --delimiter".split()),
}
# How many operands of its own a wrapper takes before the program.
_OPERANDS = {"timeout": 1, "gosu": 1, "su-exec": 1}
# Programs whose subcommand starts another program in an environment of theirs.
_RUNNERS: Mapping[str, tuple[str, frozenset[str]]] = {
    name: ("run", frozenset({"-n", "--name", "-p", "--prefix", "--cwd", "-C", "--directory"}))
    for name in ("conda", "mamba", "micromamba", "poetry", "pipenv")
} | {"pyenv": ("exec", frozenset())}


def invocations(script: Script, scope: Scope) -> tuple[Invocation, ...]:
    """What the commands of ``script`` start, in order."""
    return tuple(_Walk(scope).all(script))


class _Walk:
    """Follows ``cd``, ``export`` and assignments from command to command."""

    def __init__(self, scope: Scope) -> None:
        self.cwd = scope.workdir
        self.env: dict[str, str | None] = {
            name: variable.value
            for name, variable in scope.variables.items()
            if variable.value is not None
        }
        if scope.home is not None:
            self.env.setdefault("HOME", scope.home)
        self.changed: dict[str, str | None] = {}

    def all(self, script: Script) -> Iterator[Invocation]:
        for command in script.commands:
            made = self.one(command)
            if made is not None:
                yield made
                self.follow(made)

    def one(self, command: Command) -> Invocation | None:
        if not command.words:
            for assignment in command.assignments:
                self.assign(assignment.name, self.value(assignment), bool(command.context))
            return None
        args = tuple(self.arguments(command))
        env = dict(self.changed)
        for assignment in command.assignments:
            env[assignment.name] = self.value(assignment)
        # In the script of `su -c` or `sudo sh -c`: somebody else, who is not followed.
        user = "?" if "user" in command.context else None
        made = Invocation(command, None, "", args, env, command.assignments, self.cwd, user=user)
        return _unwrap(made)

    def value(self, assignment: Assignment) -> str | None:
        got = expand(assignment.value, self.env, split=False)
        return None if got is None or assignment.append else got[0]

    def arguments(self, command: Command) -> Iterator[Argument]:
        for word in command.words:
            got = (word.value,) if word.literal else expand(word, self.env)
            if got is None:
                yield Argument(None, word)
            else:
                yield from (Argument(value, word) for value in got)

    def assign(self, name: str, value: str | None, uncertain: bool) -> None:
        """Set a variable for the commands that follow; inside a construct, it may not run."""
        self.changed[name] = None if uncertain else value
        if value is None or uncertain:
            self.env.pop(name, None)
        else:
            self.env[name] = value

    def follow(self, made: Invocation) -> None:
        """Take over what a builtin does to the shell that runs it."""
        nested = any(part in ("subshell", "substitution", "shell") for part in made.command.context)
        doubtful = any(part != "group" for part in made.command.context)
        if made.program in ("cd", "pushd", "popd"):
            target = made.args[0].value if len(made.args) == 1 else None
            if not nested:
                self.cwd = None if doubtful else _join(self.cwd, target)
            elif made.command.context[-1] in ("subshell", "shell"):
                self.cwd = None  # only until its end: too fine to follow
        elif made.program in ("export", "declare", "typeset", "readonly"):
            for argument in made.args:
                text = argument.value if argument.value is not None else argument.word.value
                name, has, value = text.partition("=")
                if has:
                    known = value if argument.value is not None else None
                    self.assign(name, known, bool(made.command.context))
        elif made.program == "read":
            for argument in made.args:
                self.assign(argument.value or "", None, uncertain=True)
        elif made.program == "unset":
            for argument in made.args:
                if argument.value:
                    self.changed[argument.value] = None
                    self.env.pop(argument.value, None)


def _join(cwd: str | None, target: str | None) -> str | None:
    if target is None or target == "-":
        return None
    if target.startswith("/"):
        return posixpath.normpath(target)
    return None if cwd is None else posixpath.normpath(posixpath.join(cwd, target))


def _basename(argument: Argument) -> tuple[str | None, str]:
    """The program's name and its path as written, also behind ``$VIRTUAL_ENV/bin/``."""
    path = argument.value if argument.value is not None else argument.word.value
    name = path.rpartition("/")[2]
    if argument.value is None and ("$" in name or "`" in name):
        return None, path
    return name, path


def _unwrap(made: Invocation) -> Invocation:
    """Take wrappers off until the program itself is in front."""
    for _ in range(8):
        if not made.args:
            return made
        program, path = _basename(made.args[0])
        rest = made.args[1:]
        inner = None
        if program is not None and program in _WRAPPERS:
            inner = _behind_wrapper(made, program, rest)
        elif program is not None and program in _RUNNERS:
            inner = _behind_runner(made, program, rest)
        if inner is None:
            return replace(made, program=program, path=path, args=rest)
        made = inner
    return made


def _behind_wrapper(made: Invocation, name: str, rest: tuple[Argument, ...]) -> Invocation | None:
    values = _WRAPPERS[name]
    env = dict(made.env)
    user, kept, cwd = made.user, made.home_kept, made.cwd
    operands = _OPERANDS.get(name, 0)
    preserved = False
    at = 0
    if name == "sudo":
        user, kept = "root", True
    while at < len(rest):
        value = rest[at].value
        if value is None:
            break
        if value == "--":
            at += 1
        elif value.startswith("-") and len(value) > 1:
            option, has_value, glued = value.partition("=")
            if name in ("sudo", "runuser") and has_value and option == "--user":
                user = glued
            elif name in ("sudo", "runuser") and value[:2] == "-u" and len(value) > 2:
                user = value[2:]
            elif value in values:
                given = rest[at + 1].value if at + 1 < len(rest) else None
                if name in ("sudo", "runuser") and value in ("-u", "--user"):
                    user = given
                elif name == "env" and value in ("-C", "--chdir"):
                    cwd = _join(cwd, given)
                at += 1
            elif name == "sudo" and value in ("-E", "--preserve-env"):
                preserved = True
            elif name == "sudo" and value in ("-H", "--set-home", "-i", "--login"):
                kept = False
            elif name == "env" and value in ("-i", "--ignore-environment"):
                return replace(made, program=None, args=())  # it can't be followed
            at += 1
        elif name in ("env", "sudo") and "=" in value:
            key, _, text = value.partition("=")
            env[key] = text
            at += 1
        elif operands:
            if name in ("gosu", "su-exec"):
                user = value
            operands -= 1
            at += 1
        else:
            break
    if at >= len(rest):
        return None
    return replace(
        made,
        args=rest[at:],
        env=env,
        user=user,
        home_kept=kept,
        cwd=cwd,
        wrappers=(*made.wrappers, "sudo -E" if preserved else name),
    )


def _behind_runner(made: Invocation, name: str, rest: tuple[Argument, ...]) -> Invocation | None:
    subcommand, values = _RUNNERS[name]
    if not rest or rest[0].value != subcommand:
        return None
    cwd = made.cwd
    at = 1
    while at < len(rest):
        value = rest[at].value
        if value is None or not value.startswith("-"):
            break
        option, has, text = value.partition("=")
        if option in values:
            given = text if has else rest[at + 1].value if at + 1 < len(rest) else None
            if option in ("--cwd", "-C", "--directory"):
                cwd = _join(cwd, given)
            at += 0 if has else 1
        at += 1
    if at >= len(rest):
        return None
    return replace(made, args=rest[at:], cwd=cwd, wrappers=(*made.wrappers, f"{name} {subcommand}"))
