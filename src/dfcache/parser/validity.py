"""What BuildKit refuses after parsing: instructions that make no sense, and their order.

The second of BuildKit's three levels; it stops at the first refusal, and so does this.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dfcache.parser.chars import SPACE, lower, upper
from dfcache.parser.go import did_you_mean, quote
from dfcache.parser.tree import Instruction, Problem

NO_STAGE = "no build stage in current context"
NO_STAGES = "dockerfile contains no stages to build"

_TEXT, _SWITCH, _MANY = "text", "switch", "many"
_COPIES = {"chown": _TEXT, "chmod": _TEXT, "link": _SWITCH, "exclude": _MANY}
FLAGS: dict[str, dict[str, str]] = {
    "FROM": {"platform": _TEXT},
    "COPY": {**_COPIES, "from": _TEXT, "parents": _SWITCH},
    "ADD": {**_COPIES, "keep-git-dir": _SWITCH, "checksum": _TEXT, "unpack": _SWITCH},
    "RUN": {"mount": _MANY, "network": _TEXT, "security": _TEXT, "device": _MANY},
    "HEALTHCHECK": {
        "interval": _TEXT,
        "timeout": _TEXT,
        "start-period": _TEXT,
        "start-interval": _TEXT,
        "retries": _TEXT,
    },
}


class _Refusal(Exception):
    pass


def first_refusal(instructions: Sequence[Instruction]) -> Problem | None:
    """What BuildKit refuses first, if anything."""
    staged = False
    for instruction in instructions:
        message = refusal(instruction)
        if message is None:
            if instruction.name == "FROM":
                staged = True
            elif not staged and instruction.name != "ARG":
                message = NO_STAGE
        if message is not None:
            return _problem(message, instruction)
    return None if staged else _problem(NO_STAGES, instructions[-1])


def _problem(message: str, instruction: Instruction) -> Problem:
    lines = tuple(range(instruction.start_line, instruction.end_line + 1))
    return Problem(message, instruction.span, "instruction", lines)


def refusal(instruction: Instruction) -> str | None:
    """Why BuildKit refuses this instruction, if it does."""
    check = _CHECKS.get(instruction.name)
    try:
        if check is None:
            raise _Refusal(_unknown(instruction.keyword))
        check(instruction)
    except _Refusal as problem:
        return str(problem)
    return None


def _unknown(keyword: str) -> str:
    return did_you_mean(f"unknown instruction: {keyword}", keyword, sorted(_CHECKS), any_case=True)


def _flags(instruction: Instruction) -> None:
    """Refuse flags that the instruction doesn't have or that are used wrongly."""
    if not instruction.flags:
        return
    known = FLAGS.get(instruction.name, {})
    used = set()
    for flag in instruction.flags:
        name = f"--{flag.name}"
        kind = known.get(flag.name)
        if kind is None:
            raise _Refusal(did_you_mean(f"unknown flag: {name}", flag.name, sorted(known)))
        if flag.name in used and kind is not _MANY:
            raise _Refusal(f"duplicate flag specified: {name}")
        used.add(flag.name)
        if kind is _SWITCH:
            if flag.value == "":
                raise _Refusal(f"missing a value on flag: {name}")
            if lower(flag.value or "true") not in ("true", "false"):
                raise _Refusal(f"expecting boolean value for flag {name}, not: {flag.value}")
        elif flag.value is None:
            raise _Refusal(f"missing a value on flag: {name}")


def _at_least_one(instruction: Instruction) -> None:
    if not instruction.words:
        raise _Refusal(f"{instruction.name} requires at least one argument")


def _just_one(instruction: Instruction) -> None:
    if len(instruction.words) != 1:
        raise _Refusal(f"{instruction.name} requires exactly one argument")


def _single(instruction: Instruction) -> None:
    _just_one(instruction)
    _flags(instruction)


def _pairs(instruction: Instruction) -> None:
    _flags(instruction)
    _at_least_one(instruction)
    # In the legacy form, whose first word lacks "=", the name can't be blank.
    words = [word.value for word in instruction.words]
    if "=" in words[0] and any(word.startswith("=") for word in words):
        raise _Refusal(f"{instruction.name} names can not be blank")


def _arg(instruction: Instruction) -> None:
    _at_least_one(instruction)
    if any(word.value.startswith("=") for word in instruction.words):
        raise _Refusal("ARG names can not be blank")


def _copy(instruction: Instruction) -> None:
    if len(instruction.words) < 2:
        raise _Refusal(
            f"{instruction.name} requires at least two arguments, but only one was provided. "
            "Destination could not be determined"
        )
    _flags(instruction)
    if "<<" in instruction.words[-1].value:
        from dfcache.parser.copy import heredoc_name

        if heredoc_name(instruction.words[-1].value) is not None:
            raise _Refusal(f"{instruction.name} cannot accept a heredoc as a destination")


def _from(instruction: Instruction) -> None:
    words = instruction.words
    if len(words) == 3 and lower(words[1].value) == "as":
        name = lower(words[2].value)
        if not _is_stage_name(name):
            raise _Refusal(
                f"invalid name for build stage: {quote(words[2].value)}, "
                "name can't start with a number or contain symbols"
            )
    elif len(words) != 1:
        raise _Refusal("FROM requires either one or three arguments")
    _flags(instruction)


def _is_stage_name(name: str) -> bool:
    if not name.isascii() or not name[:1].isalpha():
        return False
    return name.translate({ord("-"): "a", ord("_"): "a", ord("."): "a"}).isalnum()


def _onbuild(instruction: Instruction) -> None:
    child = instruction.child
    if child is None:
        raise _Refusal("ONBUILD requires at least one argument")
    _flags(instruction)
    trigger = upper(child.keyword)
    if trigger == "ONBUILD":
        raise _Refusal("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if trigger in ("MAINTAINER", "FROM"):
        raise _Refusal(f"{trigger} isn't allowed as an ONBUILD trigger")


def _run(instruction: Instruction) -> None:
    if not instruction.flags:
        return
    _flags(instruction)
    _devices(instruction)
    from dfcache.parser.mounts import parse_refusal

    for flag in instruction.flags:
        if flag.name == "mount":
            message = parse_refusal(flag.value or "")
            if message:
                raise _Refusal(message)
    _one_of(instruction, "network", ("default", "none", "host"), "invalid network mode {}")
    _one_of(instruction, "security", ("sandbox", "insecure"), "security {} is not valid")


def _devices(instruction: Instruction) -> None:
    values = [flag.value or "" for flag in instruction.flags if flag.name == "device"]
    if values:
        from dfcache.parser.mounts import device_refusal

        for value in values:
            message = device_refusal(value)
            if message:
                raise _Refusal(message)


def _one_of(instruction: Instruction, name: str, allowed: tuple[str, ...], message: str) -> None:
    flag = instruction.flag(name)
    if flag and flag.value not in allowed:
        raise _Refusal(message.format(quote(flag.value or "")))


def _health(instruction: Instruction) -> None:
    _at_least_one(instruction)
    kind = upper(instruction.words[0].value)
    if kind == "NONE":
        if len(instruction.words) > 1:
            raise _Refusal("HEALTHCHECK NONE takes no arguments")
        return
    _flags(instruction)
    if kind != "CMD":
        raise _Refusal(f"Unknown type {quote(kind)} in HEALTHCHECK (try CMD)")
    if len(instruction.words) < 2:
        raise _Refusal("Missing command after HEALTHCHECK CMD")
    if instruction.flags:
        from dfcache.parser.durations import health_refusal

        message = health_refusal({flag.name: flag.value or "" for flag in instruction.flags})
        if message:
            raise _Refusal(message)


def _volume(instruction: Instruction) -> None:
    _at_least_one(instruction)
    _flags(instruction)
    if any(not word.value.strip(SPACE) for word in instruction.words):
        raise _Refusal("VOLUME specified can not be an empty string")


def _expose(instruction: Instruction) -> None:
    _at_least_one(instruction)
    _flags(instruction)


def _shell(instruction: Instruction) -> None:
    _flags(instruction)
    _at_least_one(instruction)
    if instruction.form != "exec":
        raise _Refusal("SHELL requires the arguments to be in JSON form")


_CHECKS: dict[str, Callable[[Instruction], None]] = {
    "ADD": _copy,
    "ARG": _arg,
    "CMD": _flags,
    "COPY": _copy,
    "ENTRYPOINT": _flags,
    "ENV": _pairs,
    "EXPOSE": _expose,
    "FROM": _from,
    "HEALTHCHECK": _health,
    "LABEL": _pairs,
    "MAINTAINER": _single,
    "ONBUILD": _onbuild,
    "RUN": _run,
    "SHELL": _shell,
    "STOPSIGNAL": _just_one,
    "USER": _single,
    "VOLUME": _volume,
    "WORKDIR": _single,
}
