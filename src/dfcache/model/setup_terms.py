"""What the expressions of a ``setup.py`` are worth."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from dfcache.model.setup_flow import Flow, dotted_name
from dfcache.model.setup_values import (
    Read,
    Value,
    added,
    attribute,
    comparison,
    item,
    lines_of,
    operation,
)


class Terms(Flow):
    """Evaluates expressions; calls are up to who knows functions."""

    def __init__(self, read: Read) -> None:
        super().__init__(read)
        self.yields: list[list[Value]] = []

    def call(self, node: cst.Call, names: dict[str, Value]) -> Value:
        """What a call hands back."""
        raise NotImplementedError

    def value(self, node: cst.BaseExpression, names: dict[str, Value]) -> Value:
        """What an expression is worth; what it opens and calls is followed."""
        self.step()
        match node:
            case cst.SimpleString():
                return self._string(node)
            case cst.Integer():
                return node.evaluated_value
            case cst.ConcatenatedString():
                return added(self.value(node.left, names), self.value(node.right, names))
            case cst.FormattedString():
                return self._formatted(node, names)
            case cst.Name():
                return _CONSTANTS.get(node.value, names.get(node.value))
            case cst.List() | cst.Tuple() | cst.Set():
                return self._list(node.elements, names)
            case cst.Dict():
                return self._dict(node, names)
            case cst.BinaryOperation():
                left = self.value(node.left, names)
                return operation(node.operator, left, self.value(node.right, names))
            case cst.BooleanOperation():
                return self._boolean(node, names)
            case cst.UnaryOperation():
                value = self.value(node.expression, names)
                if isinstance(node.operator, cst.Minus):
                    return -value if isinstance(value, int) else None
                return None if value is None else not value
            case cst.Comparison() if len(node.comparisons) == 1:
                left = self.value(node.left, names)
                right = self.value(node.comparisons[0].comparator, names)
                return comparison(node.comparisons[0].operator, left, right)
            case cst.IfExp():
                return self._choice(node, names)
            case cst.Attribute():
                return attribute(self.value(node.value, names), node.attr.value, dotted_name(node))
            case cst.Subscript():
                return item(self.value(node.value, names), self.index(node, names))
            case cst.ListComp() | cst.GeneratorExp() | cst.SetComp():
                return self._comprehension(node.elt, node.for_in, names)
            case cst.Yield():
                return self._yield(node, names)
            case cst.Call():
                return self.call(node, names)
            case cst.NamedExpr():
                value = self.value(node.value, names)
                self.bind(node.target, value, names)
                return value
            case cst.Lambda():
                return None
        for child in node.children:
            if isinstance(child, cst.BaseExpression):
                self.value(child, names)
        return None

    def _string(self, node: cst.SimpleString) -> Value:
        value = node.evaluated_value
        if not isinstance(value, str):
            return None
        self.uses_git = self.uses_git or value == "git" or value.startswith("git ")
        return value

    def _formatted(self, node: cst.FormattedString, names: dict[str, Value]) -> Value:
        text: str | None = ""
        for part in node.parts:
            if isinstance(part, cst.FormattedStringText):
                text = added(text, part.value)
            elif isinstance(part, cst.FormattedStringExpression):
                value = self.value(part.expression, names)
                text = added(text, str(value) if isinstance(value, int) else value)
        return text

    def _list(self, elements: Sequence[cst.BaseElement], names: dict[str, Value]) -> list[Value]:
        found: list[Value] = []
        for element in elements:
            value = self.value(element.value, names)
            if isinstance(element, cst.StarredElement):
                more = lines_of(value, self._read)
                found += [None] if more is None else more
            else:
                found.append(value)
        return found

    def _dict(self, node: cst.Dict, names: dict[str, Value]) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for element in node.elements:
            if isinstance(element, cst.DictElement):
                key = self.value(element.key, names)
                found[key if isinstance(key, str) else "*"] = self.value(element.value, names)
            else:
                more = self.value(element.value, names)
                found.update(more if isinstance(more, dict) else {"*": None})
        return found

    def _boolean(self, node: cst.BooleanOperation, names: dict[str, Value]) -> Value:
        left = self.value(node.left, names)
        ends = isinstance(node.operator, cst.Or)
        if left is not None and bool(left) is ends:
            return left
        right = self.value(node.right, names)
        if left is not None:
            return right
        return right if right is not None and bool(right) is ends and ends is False else None

    def _choice(self, node: cst.IfExp, names: dict[str, Value]) -> Value:
        test = self.value(node.test, names)
        if test is not None:
            return self.value(node.body if test else node.orelse, names)
        one, two = self.value(node.body, names), self.value(node.orelse, names)
        return one if one == two else None

    def index(self, node: cst.Subscript, names: dict[str, Value]) -> Value:
        if len(node.slice) != 1:
            return None
        inner = node.slice[0].slice
        if isinstance(inner, cst.Index):
            return self.value(inner.value, names)
        if isinstance(inner, cst.Slice) and inner.step is None:
            ends = [self.value(e, names) if e else None for e in (inner.lower, inner.upper)]
            given = [inner.lower, inner.upper]
            known = all(
                isinstance(end, int) or node is None for end, node in zip(ends, given, strict=True)
            )
            return slice(*ends) if known else None
        return None

    def _comprehension(
        self, elt: cst.BaseExpression, loop: cst.CompFor, names: dict[str, Value]
    ) -> list[Value] | None:
        found: list[Value] | None = []
        items = lines_of(self.value(loop.iter, names), self._read)
        inner = dict(names)
        for each in [None] if items is None else items:
            self.bind(loop.target, each, inner)
            tests = [self.value(one.test, inner) for one in loop.ifs]
            if any(test is not None and not test for test in tests):
                continue
            if loop.inner_for_in is not None:
                value = self._comprehension(elt, loop.inner_for_in, inner)
            else:
                value = [self.value(elt, inner)]
            if found is not None:
                sure = value is not None and None not in tests
                found = found + value if sure and value is not None else None
        return None if items is None else found

    def _yield(self, node: cst.Yield, names: dict[str, Value]) -> None:
        value = None
        if isinstance(node.value, cst.From):
            more = lines_of(self.value(node.value.item, names), self._read)
            if self.yields:
                self.yields[-1] += [None] if more is None else more
            return
        if node.value is not None:
            value = self.value(node.value, names)
        if self.yields:
            self.yields[-1].append(value)


_CONSTANTS = {"True": True, "False": False, "__file__": "setup.py"}
