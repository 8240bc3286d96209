"""Small values: what a frozen, slotted dataclass is, without its price at start-up.

The standard dataclass compiles half a dozen methods for every class: 0.8 ms each, which for
the classes of this package is longer than checking a file. A record compiles ``__init__``
alone and shares the rest. It is frozen for the type checker; nothing enforces it at run time, which
also makes records quick to make.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast, dataclass_transform

T = TypeVar("T")

EMPTY: Mapping[Any, Any] = {}
"""The default of a field that is a mapping: shared, so never to be changed."""


@dataclass_transform(frozen_default=True)
def record(cls: type[T]) -> type[T]:
    """Make a class with annotated fields a record; fields of its bases come first.

    Defaults are the values given in the class and have to be immutable. Records are equal if their
    class and all fields are.
    """
    body = dict(cls.__dict__)
    own = tuple(body.get("__annotations__", ()))
    names: tuple[str, ...] = (*getattr(cls, "__match_args__", ()), *own)
    defaults = dict(getattr(cls, "_defaults", {}))
    defaults |= {name: body.pop(name) for name in own if name in body}
    for name in ("__dict__", "__weakref__"):
        body.pop(name, None)
    body["__slots__"] = own
    body["__match_args__"] = names
    body["_defaults"] = defaults
    body["__init__"] = _init(names, defaults)
    body.setdefault("__eq__", _eq)
    if body.get("__hash__") is None:
        body["__hash__"] = _hash
    body.setdefault("__repr__", _repr)
    made: Any = type(cls.__name__, cls.__bases__, body)
    return cast("type[T]", made)


def replace(value: T, **changes: Any) -> T:
    """A copy of a record with some fields changed."""
    cls = type(value)
    for name in cls.__match_args__:  # type: ignore[attr-defined]
        if name not in changes:
            changes[name] = getattr(value, name)
    return cls(**changes)


def _init(names: tuple[str, ...], defaults: Mapping[str, Any]) -> Any:
    given = [f"{name}=_d[{name!r}]" if name in defaults else name for name in names]
    lines = [f"def __init__(self, {', '.join(given)}):"]
    lines += [f" self.{name} = {name}" for name in names] or [" pass"]
    space: dict[str, Any] = {"_d": defaults}
    exec("\n".join(lines), space)
    return space["__init__"]


def _fields(value: Any) -> tuple[Any, ...]:
    return tuple(getattr(value, name) for name in value.__match_args__)


def _eq(self: Any, other: Any) -> Any:
    if type(self) is not type(other):
        return NotImplemented
    return self is other or _fields(self) == _fields(other)


def _hash(self: Any) -> int:
    return hash(_fields(self))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
    return f"{type(self).__name__}({shown})"
