"""Whether ``set -e`` or ``pipefail`` is in force where a command of a RUN runs."""

from __future__ import annotations

from collections.abc import Sequence

from dfcache.model.build import RunStep
from dfcache.parser.script import Command, Script


def starter(script: Script, command: Command) -> Command | None:
    """The command that runs the nested script which ``command`` stands in (``sh -c "…"``)."""
    around = [
        each
        for each in script.commands
        if each is not command
        and each.span.covers(command.span)
        and len(each.context) < len(command.context)
    ]
    return max(around, key=lambda each: len(each.context), default=None)


def shell_option(step: RunStep, name: str, command: Command) -> bool | None:
    """Whether "errexit" or "pipefail" is on where ``command`` runs; None where nobody says.

    By the flags of SHELL, of ``bash -c`` and of a here-document's first line, and by ``set``.
    """
    outer = _shell_around(step.script, command)
    state: bool | None = None
    if outer is not None:
        state = _by_flags(name, [word.value for word in outer.words[1:]]) or None
    elif step.instruction.form != "exec":
        state = _by_flags(name, step.scope.shell) or _by_first_line(name, step) or None
    for each in step.script.commands:
        if each is command:
            break
        visible = command.context[: len(each.context)] == each.context
        same = outer is None or outer.span.covers(each.span)
        if visible and same and each.words and each.words[0].value == "set":
            state = _by_set(name, [word.value for word in each.words[1:]], state)
    return state


def _shell_around(script: Script, command: Command) -> Command | None:
    depth = command.context.count("shell")
    outer = starter(script, command) if depth else None
    while outer is not None and outer.context.count("shell") >= depth:
        outer = starter(script, outer)
    return outer


def _by_first_line(name: str, step: RunStep) -> bool:
    lines = [each.body.partition("\n")[0].rstrip("\r") for each in step.instruction.heredocs]
    return any(line.startswith("#!") and _by_flags(name, line.split(" ")[1:]) for line in lines)


def _by_flags(name: str, words: Sequence[str]) -> bool:
    """Whether the arguments of a shell turn an option on; micromamba's shell sets ``pipefail``."""
    if name in words:
        return True
    if name == "pipefail":
        return "_dockerfile_shell.sh" in "".join(words[:1])
    flags = (word[1:] for word in words if word[:1] == "-")
    return any("e" in flag and flag.isalpha() for flag in flags)


def _by_set(name: str, words: Sequence[str], state: bool | None) -> bool | None:
    for at, word in enumerate(words):
        short = name == "errexit" and "e" in word[1:] and word[:1] in "-+" and word[1:2] != "-"
        named = word == name and at > 0 and words[at - 1][:1] in "-+"
        if short or named:
            state = (word if short else words[at - 1]).startswith("-")
    return state
