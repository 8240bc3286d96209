"""What expressions of a ``setup.py`` are worth, as far as their text and the files they read tell.

A value is a string, a number, a truth value, a list (for tuples, sets and generators too), a
dictionary, a file that was opened, a function of the script, or None: it can't be told. Paths are
strings. Nothing is run; what a function of Python returns is computed here.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import libcst as cst

from dfcache.record import record

Value = Any
Read = Callable[[str], str | None]


@record
class Opened:
    """A file that the script has open for reading."""

    path: str


@record
class Function:
    """A function of the script."""

    node: cst.FunctionDef


class Version:
    """``sys.version_info``, or its first ``parts``: 2.7 or anything newer."""

    def __init__(self, parts: int = 5) -> None:
        self.parts = parts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and other.parts == self.parts

    __hash__ = None  # type: ignore[assignment]

    def compared(self, other: Value, equal: bool) -> bool | None:
        """Whether it is less than ``other`` (or ``equal``), where that goes for all Pythons."""
        given = [other] if isinstance(other, int) else other
        if not isinstance(given, list) or not all(isinstance(each, int) for each in given):
            return None
        oldest = [2, 7][: self.parts]
        return False if given < oldest or (given == oldest and not equal) else None


class Parsed(str):
    """A requirement as pip's or setuptools' parser hands it to the script."""


_STRING_METHODS = frozenset(
    "strip lstrip rstrip lower upper replace startswith endswith split rsplit splitlines partition"
    " rpartition removeprefix removesuffix title find count isspace isalpha isdigit".split()
)
_SAME = frozenset(("abspath", "realpath", "normpath", "Path", "PurePath", "str", "fspath"))
_SAME_METHODS = frozenset(("resolve", "absolute", "as_posix", "expanduser"))
# Images are built on Linux.
_CONSTANTS = {
    "os.curdir": ".",
    "os.sep": "/",
    "os.path.sep": "/",
    "os.name": "posix",
    "os.linesep": "\n",
    "sys.platform": "linux",
}
_COPIES = frozenset(("list", "tuple", "iter", "yield_lines"))


def is_path_call(name: str) -> bool:
    """Whether a call by this name hands back the path that it is given."""
    return name in _SAME


def added(left: Value, right: Value) -> Value:
    """``left + right``, also of paths."""
    if isinstance(left, str) and isinstance(right, str):
        return str(left) + str(right)
    if isinstance(left, list) and isinstance(right, list):
        return left + right
    return None


def lines_of(value: Value, read: Read) -> list[Value] | None:
    """What a loop over ``value`` goes through."""
    if isinstance(value, list):
        return list(value)
    if isinstance(value, dict):
        return list(value)
    if isinstance(value, Opened):
        text = read(value.path)
        return None if text is None else text.replace("\r\n", "\n").splitlines(keepends=True)
    return None


def operation(operator: cst.BaseBinaryOp, left: Value, right: Value) -> Value:
    """The value of ``left operator right``."""
    if isinstance(operator, cst.Add):
        return added(left, right)
    if isinstance(operator, cst.Divide) and isinstance(left, str) and isinstance(right, str):
        return posixpath.join(left, right)
    if isinstance(operator, cst.Modulo) and isinstance(left, str):
        given = right if isinstance(right, list) else [right]
        if all(isinstance(each, str | int) for each in given):
            try:
                return left % tuple(given)
            except (TypeError, ValueError):
                return None
    return None


def comparison(operator: cst.BaseCompOp, left: Value, right: Value) -> bool | None:
    """The value of ``left operator right``, or None."""
    if left is None or right is None:
        return None
    match operator:
        case cst.LessThan() | cst.LessThanEqual() if isinstance(left, Version):
            return left.compared(right, isinstance(operator, cst.LessThanEqual))
        case cst.GreaterThan() | cst.GreaterThanEqual() if isinstance(left, Version):
            less = left.compared(right, isinstance(operator, cst.GreaterThan))
            return None if less is None else not less
        case cst.Equal() | cst.NotEqual() if isinstance(left, Version):
            return None
        case cst.Equal():
            return bool(left == right)
        case cst.NotEqual():
            return bool(left != right)
        case cst.In() | cst.NotIn() if isinstance(right, str | list | dict):
            if isinstance(right, str) and not isinstance(left, str):
                return None
            if isinstance(right, list) and None in right:
                return None
            return (left in right) is isinstance(operator, cst.In)
    return None


def item(value: Value, index: Value) -> Value:
    """``value[index]``."""
    if isinstance(value, Version):
        if index == 0:
            return Version(1)
        stop = index.stop if isinstance(index, slice) and not index.start else None
        return Version(stop) if isinstance(stop, int) else None
    try:
        if isinstance(value, list | str) and isinstance(index, int | slice):
            return value[index]
        if isinstance(value, dict) and isinstance(index, str):
            return value.get(index)
    except IndexError:
        return None
    return None


def method(base: Value, name: str, args: Sequence[Value], read: Read) -> tuple[bool, Value]:
    """``base.name(*args)``, with False in front where that is no method known here."""
    if isinstance(base, Opened):
        return _of_file(base, name, read)
    if isinstance(base, list):
        return _of_list(base, name, args, read)
    if isinstance(base, dict):
        return _of_dict(base, name, args)
    if isinstance(base, str):
        return _of_string(base, name, args, read)
    return False, None


def _of_file(base: Opened, name: str, read: Read) -> tuple[bool, Value]:
    if name in ("readlines", "__enter__"):
        return True, lines_of(base, read) if name == "readlines" else base
    if name == "read":
        text = read(base.path)
        return True, None if text is None else text.replace("\r\n", "\n")
    return name == "close", None


def _of_list(base: list[Value], name: str, args: Sequence[Value], read: Read) -> tuple[bool, Value]:
    if name == "append" and len(args) == 1:
        base.append(args[0])
    elif name in ("extend", "update") and len(args) == 1:
        more = lines_of(args[0], read)
        base.extend([None] if more is None else more)
    elif name == "insert" and len(args) == 2 and isinstance(args[0], int):
        base.insert(args[0], args[1])
    elif name == "add" and len(args) == 1:
        base.append(args[0])
    elif name == "copy":
        return True, list(base)
    elif name == "remove" and len(args) == 1 and args[0] in base:
        base.remove(args[0])
    elif name in ("pop", "clear", "remove", "sort", "reverse", "insert"):
        base.append(None)  # from here on nothing is certain of it
    else:
        return False, None
    return True, None


def _of_dict(base: dict[str, Value], name: str, args: Sequence[Value]) -> tuple[bool, Value]:
    if name == "update" and len(args) == 1:
        base.update(args[0] if isinstance(args[0], dict) else dict.fromkeys(base, None))
        return True, None
    if name == "get" and args and isinstance(args[0], str):
        return True, base.get(args[0], args[1] if len(args) > 1 else None)
    if name in ("values", "keys"):
        return True, list(base.values() if name == "values" else base)
    if name == "items":
        return True, [[key, value] for key, value in base.items()]
    if name == "setdefault" and len(args) == 2 and isinstance(args[0], str):
        return True, base.setdefault(args[0], args[1])
    if name == "copy":
        return True, dict(base)
    return False, None


def _of_string(base: str, name: str, args: Sequence[Value], read: Read) -> tuple[bool, Value]:
    if name in _SAME_METHODS:
        return True, base
    if name == "joinpath":
        return True, joined([base, *args])
    if name in ("exists", "is_file"):
        return True, True if read(base) is not None else None
    if name == "open":
        return True, Opened(posixpath.normpath(base))
    if name == "read_text":
        text = read(posixpath.normpath(base))
        return True, None if text is None else text.replace("\r\n", "\n")
    if name == "join" and len(args) == 1:
        parts = args[0]
        known = isinstance(parts, list) and all(isinstance(each, str) for each in parts)
        return True, base.join(parts) if known else None
    if name == "format":
        if args and all(isinstance(each, str | int) for each in args):
            try:
                return True, base.format(*args)
            except (IndexError, KeyError, ValueError):
                return True, None
        return True, None
    if name in _STRING_METHODS:
        if any(not isinstance(each, str | int | list) for each in args):
            return True, None
        try:
            got = getattr(base, name)(*(tuple(a) if isinstance(a, list) else a for a in args))
        except (TypeError, ValueError):
            return True, None
        return True, list(got) if isinstance(got, tuple) else got
    return False, None


def builtin(name: str, args: Sequence[Value], read: Read) -> tuple[bool, Value]:
    """The value of a call of a function of Python, with False in front for any other."""
    one = args[0] if len(args) == 1 else None
    if name in ("getcwd", "cwd"):
        return True, ""
    if name == "system" and not args:
        return True, "Linux"  # platform.system()
    if name == "join" or (name in ("Path", "PurePath") and len(args) > 1):
        return True, joined(args)
    if name in ("Path", "PurePath") and not args:
        return True, ""
    if name == "dirname":
        return True, posixpath.dirname(one) if isinstance(one, str) else None
    if name in ("exists", "isfile"):
        return True, True if isinstance(one, str) and read(posixpath.normpath(one)) else None
    if name in ("list", "tuple", "set", "frozenset", "dict") and not args:
        return True, {} if name == "dict" else []
    if name in _COPIES and len(args) == 1:
        return True, lines_of(one, read) if not isinstance(one, str) else one
    if name in ("set", "frozenset", "sorted") and len(args) == 1:
        found = lines_of(one, read)
        if found is None or not all(isinstance(each, str) for each in found):
            return True, None
        return True, sorted(found) if name == "sorted" else list(dict.fromkeys(found))
    if name == "dict" and isinstance(one, dict):
        return True, dict(one)
    if name == "filter" and len(args) == 2 and args[0] == "None":
        found = lines_of(args[1], read)
        return True, None if found is None or None in found else [x for x in found if x]
    if name == "len" and isinstance(one, str | list | dict):
        return True, len(one)
    if name in _SAME and len(args) == 1:
        return True, str(one) if isinstance(one, str | int) else None
    return False, None


def joined(values: Sequence[Value]) -> str | None:
    """The path that ``os.path.join`` makes of ``values``."""
    known = [value for value in values if isinstance(value, str)]
    return posixpath.join(*known) if known and len(known) == len(values) else None


def attribute(base: Value, name: str, dotted: str) -> Value:
    """``base.name``; ``dotted`` is how the script writes it."""
    if isinstance(base, Parsed):
        # pip takes the marker off what it calls ``req``, and leaves it on ``requirement``.
        # source: pip's src/pip/_internal/req/constructors.py, parse_req_from_line
        if name == "requirement":
            return str(base)
        return base.partition(";")[0].strip() if name == "req" else None
    if dotted == "sys.version_info":
        return Version()
    if isinstance(base, Version):
        return Version(1) if name == "major" else None
    if isinstance(base, str):
        known = {"parent": posixpath.dirname(base), "name": posixpath.basename(base)}
        return known.get(name)
    return _CONSTANTS.get(dotted)


def merged(first: Mapping[str, Value], second: Mapping[str, Value]) -> dict[str, Value]:
    """The names after one of two ways was taken: what differs can't be told."""
    found: dict[str, Value] = {}
    for name in (*first, *(name for name in second if name not in first)):
        one, two = first.get(name), second.get(name)
        found[name] = one if type(one) is type(two) and one == two else None
    return found
