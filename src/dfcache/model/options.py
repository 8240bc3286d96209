"""The command line of a package manager, split into options and operands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dfcache.model.invocations import Argument
from dfcache.record import record


@record
class Option:
    """One option: ``argument`` is where it is written.

    ``given`` is the argument that holds its value (``argument`` itself in ``--r=f`` and ``-rf``),
    ``value`` that value; both are None where it has none, ``value`` also where that can't be known.
    """

    name: str
    argument: Argument
    given: Argument | None = None
    value: str | None = None


@record
class Split:
    """Options and operands; ``sure`` is False where an argument can't be known."""

    options: tuple[Option, ...]
    operands: tuple[Argument, ...]
    sure: bool


def leading(args: Sequence[Argument], values: frozenset[str]) -> int:
    """How many arguments come before the subcommand."""
    at = 0
    while at < len(args):
        value = args[at].value
        if value is None or not value.startswith("-"):
            break
        at += 2 if value in values else 1
    return min(at, len(args))


def split(args: Sequence[Argument], values: frozenset[str]) -> Split:
    """Split arguments; ``values`` are the options that take a value."""
    options: list[Option] = []
    operands: list[Argument] = []
    sure = True
    rest = list(args)
    while rest:
        argument = rest.pop(0)
        value = argument.value
        if value is None:
            sure = False
            text = argument.word.value
            if text.startswith("-"):
                options.append(Option(text.partition("=")[0], argument, argument))
            else:
                operands.append(argument)
        elif value == "--":
            operands += rest
            break
        elif value == "-" or not value.startswith("-"):
            operands.append(argument)
        else:
            options += _read(argument, value, rest, values)
    return Split(tuple(options), tuple(operands), sure)


def _read(
    argument: Argument, value: str, rest: list[Argument], values: frozenset[str]
) -> Iterator[Option]:
    """The options of one argument; takes a value from ``rest`` where one is due."""
    name, has, text = value.partition("=")
    if name in values or name.startswith("--") or len(name) == 2:
        if name not in values or has:
            yield Option(name, argument, argument if has else None, text if has else None)
        else:
            given = rest.pop(0) if rest else None
            yield Option(name, argument, given, given.value if given else None)
        return
    yield Option(name, argument)  # -qq, -yqq: as it stands
    for at in range(1, len(value)):  # bundled, the last one with its value: -Ur f, -Urf
        short = "-" + value[at]
        if short not in values:
            yield Option(short, argument)
            continue
        if at + 1 < len(value):
            yield Option(short, argument, argument, value[at + 1 :].removeprefix("="))
        else:
            given = rest.pop(0) if rest else None
            yield Option(short, argument, given, given.value if given else None)
        return
