"""The order in which a ``setup.py`` runs, as far as that shows in its text."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import libcst as cst

from dfcache.model.setup_values import Function, Opened, Read, Value, added, lines_of, merged
from dfcache.record import record

_MOST_STEPS = 50_000


class TooLongError(Exception):
    """The script takes too many steps."""


@record
class Left:
    """Why a block is left before its end: "return", "raise", "break", "continue" or "?"."""

    how: str
    value: Value = None


class Flow:
    """Follows statements; what they are made of is up to who knows expressions.

    ``doubt`` is above 0 where it is not certain that a statement is reached.
    """

    def __init__(self, read: Read) -> None:
        self.modules: dict[str, None] = {}
        self.uses_git = False
        self.doubt = 0
        self._read = read
        self._steps = 0

    def step(self) -> None:
        """Count one step of the script; raises TooLongError."""
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise TooLongError

    def value(self, node: cst.BaseExpression, names: dict[str, Value]) -> Value:
        """What an expression is worth; what it opens and calls is followed."""
        raise NotImplementedError

    def index(self, node: cst.Subscript, names: dict[str, Value]) -> Value:
        """What stands between the brackets."""
        raise NotImplementedError

    def run(self, body: Sequence[cst.CSTNode], names: dict[str, Value]) -> Left | None:
        """Follow the statements; what ended them early, if anything did."""
        for node in body:
            left = self.statement(node, names)
            if left is not None:
                return left
        return None

    def statement(self, node: cst.CSTNode, names: dict[str, Value]) -> Left | None:
        self.step()
        match node:
            case cst.SimpleStatementLine() | cst.SimpleStatementSuite() | cst.IndentedBlock():
                return self.run(node.body, names)
            case cst.Else() | cst.Finally():
                return self.statement(node.body, names)
            case cst.FunctionDef():
                names[node.name.value] = Function(node)
            case cst.If():
                return self._if(node, names)
            case cst.For():
                return self._for(node, names)
            case cst.While():
                self.value(node.test, names)
                return self._maybe(lambda after: self.statement(node.body, after), names)
            case cst.With():
                return self._with(node, names)
            case cst.Try() | cst.TryStar():
                return self._try(node, names)
            case cst.Return():
                return Left("return", self.value(node.value, names) if node.value else None)
            case cst.Raise():
                return Left("raise")
            case cst.Break():
                return Left("break")
            case cst.Continue():
                return Left("continue")
            case cst.ClassDef():
                pass
            case _:
                return self._simple(node, names)
        return None

    def _simple(self, node: cst.CSTNode, names: dict[str, Value]) -> Left | None:
        match node:
            case cst.Assign():
                value = self.value(node.value, names)
                for target in node.targets:
                    self.bind(target.target, value, names)
            case cst.AnnAssign() if node.value is not None:
                self.bind(node.target, self.value(node.value, names), names)
            case cst.AugAssign():
                self._augment(node, names)
            case cst.Import() | cst.ImportFrom():
                self._import(node)
            case cst.Expr():
                self.value(node.value, names)
                if isinstance(node.value, cst.Call) and dotted_name(node.value.func) in _EXITS:
                    return Left("raise")
            case cst.Del():
                self.bind(node.target, None, names)
            case _:
                for child in node.children:
                    if isinstance(child, cst.BaseExpression):
                        self.value(child, names)
        return None

    def bind(self, target: cst.BaseExpression, value: Value, names: dict[str, Value]) -> None:
        if isinstance(target, cst.Name):
            names[target.value] = value
        elif isinstance(target, cst.Tuple | cst.List):
            known = isinstance(value, list) and len(value) == len(target.elements)
            for at, element in enumerate(target.elements):
                self.bind(element.value, value[at] if known else None, names)
        elif isinstance(target, cst.Subscript):
            base, key = self.value(target.value, names), self.index(target, names)
            if isinstance(base, dict):
                if isinstance(key, str):
                    base[key] = value
                else:
                    base.update(dict.fromkeys(base, None))
                    base["*"] = None
            elif isinstance(base, list):
                base.append(None)

    def _augment(self, node: cst.AugAssign, names: dict[str, Value]) -> None:
        old, more = self.value(node.target, names), self.value(node.value, names)
        if isinstance(node.operator, cst.AddAssign) and isinstance(old, list):
            found = lines_of(more, self._read)
            old.extend([None] if found is None else found)
        else:
            plus = isinstance(node.operator, cst.AddAssign)
            self.bind(node.target, added(old, more) if plus else None, names)

    def _if(self, node: cst.If, names: dict[str, Value]) -> Left | None:
        test = self.value(node.test, names)
        if isinstance(test, Opened | Function):
            test = None
        if test is not None:
            if test:
                return self.statement(node.body, names)
            return self.statement(node.orelse, names) if node.orelse else None
        other = copy.deepcopy(names)
        self.doubt += 1
        first = self.statement(node.body, names)
        second = self.statement(node.orelse, other) if node.orelse else None
        self.doubt -= 1
        return _either(first, second, names, other)

    def _maybe(
        self, run: Callable[[dict[str, Value]], Left | None], names: dict[str, Value]
    ) -> Left | None:
        """Statements that run any number of times: what they change can't be told."""
        before = copy.deepcopy(names)
        self.doubt += 1
        run(names)
        self.doubt -= 1
        _set(names, merged(before, names))
        return None

    def _for(self, node: cst.For, names: dict[str, Value]) -> Left | None:
        items = lines_of(self.value(node.iter, names), self._read)
        if items is None:
            self.bind(node.target, None, names)
            return self._maybe(lambda after: self.statement(node.body, after), names)
        for each in items:
            self.bind(node.target, each, names)
            left = self.statement(node.body, names)
            if left is not None and left.how == "break":
                return None
            if left is not None and left.how == "?":
                spoil(node.body, names)
                return None
            if left is not None and left.how != "continue":
                return left
        return self.statement(node.orelse, names) if node.orelse else None

    def _with(self, node: cst.With, names: dict[str, Value]) -> Left | None:
        for each in node.items:
            value = self.value(each.item, names)
            if each.asname is not None:
                self.bind(each.asname.name, value, names)
        return self.statement(node.body, names)

    def _try(self, node: cst.Try | cst.TryStar, names: dict[str, Value]) -> Left | None:
        """The body runs through, unless an import in it may fail or what it does is unknown."""
        before = copy.deepcopy(names)
        left = self.statement(node.body, names)
        if node.orelse and left is None:
            left = self.statement(node.orelse, names)
        certain = left is None or left.how == "return"
        self.doubt += 1
        for handler in node.handlers:
            other = copy.deepcopy(before)
            self.statement(handler.body, other)
            changed = [name for name in other if other[name] != before.get(name)]
            if _imports(node.body) or not certain or any(names.get(n) is None for n in changed):
                _set(names, merged(names, other))
        self.doubt -= 1
        if node.finalbody:
            left = self.statement(node.finalbody, names) or left
        return None if left is not None and left.how == "raise" else left

    def _import(self, node: cst.Import | cst.ImportFrom) -> None:
        if isinstance(node, cst.Import):
            found = [dotted_name(alias.name) for alias in node.names]
        else:
            found = [dotted_name(node.module)] if node.module is not None else []
        for name in found:
            self.modules[name] = None
            self.uses_git = self.uses_git or name == "versioneer"


_EXITS = frozenset(("sys.exit", "exit", "os._exit", "quit"))


def _either(
    first: Left | None, second: Left | None, names: dict[str, Value], other: dict[str, Value]
) -> Left | None:
    """How it goes on behind two ways of which one was taken; what ends the build was not."""
    if first is not None and first.how == "raise":
        _set(names, other)
        return second
    if second is not None and second.how == "raise":
        return first
    _set(names, merged(names, other))
    if first is None and second is None:
        return None
    if first is not None and second is not None and first.how == second.how:
        same = type(first.value) is type(second.value) and first.value == second.value
        return Left(first.how, first.value if same else None)
    return Left("?")


def _set(names: dict[str, Value], to: dict[str, Value]) -> None:
    """Make ``names`` hold what ``to`` does; lists that others hold as well keep their identity."""
    for name, value in to.items():
        old = names.get(name)
        if isinstance(old, list) and isinstance(value, list):
            old[:] = value
        elif isinstance(old, list) and value is None:
            old.append(None)
            names[name] = None
        else:
            names[name] = value


def spoil(body: cst.CSTNode, names: dict[str, Value]) -> None:
    """Forget what a block names: how far it ran can't be told."""
    for child in body.children:
        spoil(child, names)
        if isinstance(child, cst.Name) and child.value in names:
            value = names[child.value]
            if isinstance(value, list):
                value.append(None)
            elif isinstance(value, dict):
                value["*"] = None
            elif not isinstance(value, Function):
                names[child.value] = None


def _imports(body: cst.CSTNode) -> bool:
    """Whether a block imports what may not be there: anything but packaging tools."""
    for child in body.children:
        if isinstance(child, cst.Import):
            found = [dotted_name(alias.name) for alias in child.names]
        elif isinstance(child, cst.ImportFrom):
            found = [dotted_name(child.module)] if child.module is not None else []
        else:
            found = []
            if _imports(child):
                return True
        if any(name.split(".")[0] not in _PACKAGING for name in found):
            return True
    return False


_PACKAGING = frozenset("setuptools distutils pkg_resources pip os sys io re codecs pathlib".split())


def dotted_name(node: cst.CSTNode) -> str:
    """``a.b.c``; of anything that is no plain name, only the last part."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        head = dotted_name(node.value)
        return f"{head}.{node.attr.value}" if head else node.attr.value
    return ""
