"""What a ``setup.py`` reads and declares, found without running it.

Imported only where there is a ``setup.py``: libcst takes longer to load than all the rest.
Paths are relative to the folder of the script, in which pip runs it, so ``__file__`` is
``setup.py`` and its folder is "".
"""

from __future__ import annotations

import copy
import posixpath
from collections.abc import Callable, Iterator, Sequence

import libcst as cst

from dfcache.model.requirements import read_requirements
from dfcache.model.setup_values import (
    Function,
    Opened,
    Parsed,
    Read,
    Value,
    added,
    attribute,
    builtin,
    comparison,
    item,
    lines_of,
    merged,
    method,
    operation,
)
from dfcache.record import record

_MOST_CALLS = 2000
_MOST_STEPS = 50_000
_FIRST = frozenset(("open", "parse_requirements", "run_path", "execfile", "read_configuration"))
_SECOND = frozenset(("spec_from_file_location", "load_source", "SourceFileLoader"))
_METHODS = frozenset(("read_text", "read_bytes"))
_COMPUTED = "setup.py computes {}"


@record
class SetupScript:
    """What is certain of a ``setup.py``; ``unsure`` says what is not, in sentences.

    ``modules`` are the imported ones by their full names, the project's own among them.
    ``dependencies`` are the lines of ``install_requires`` as setuptools takes them, ``needs`` those
    of ``setup_requires``. ``unknown`` says of what only a run could tell: its key is "" for the
    dependencies (which are None then), the name of an extra, or "*" for all extras.
    ``declares`` is whether it calls ``setup`` at all, and ``pbr`` whether pbr reads the
    dependencies.
    """

    files: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    dependencies: tuple[str, ...] | None = ()
    extras: tuple[tuple[str, tuple[str, ...]], ...] = ()
    needs: tuple[str, ...] = ()
    uses_git: bool = False
    pbr: bool = False
    declares: bool = False
    unsure: tuple[str, ...] = ()
    unknown: tuple[tuple[str, str], ...] = ()


def read_setup(source: str, read: Read = lambda path: None) -> SetupScript:
    """Read the source of a ``setup.py``; what does not parse is unsure as a whole.

    ``read`` gives the text of a file of the project, or None.
    """
    reader = _Reader(read)
    try:
        reader.run(cst.parse_module(source).body, {"__name__": "__main__"})
        if not reader.declares:
            reader.unknown[""] = reader.unknown["*"] = "no call of setup() is seen in setup.py"
    except (cst.ParserSyntaxError, RecursionError, ValueError):
        reason = "setup.py can't be parsed"
        return SetupScript(dependencies=None, unsure=(reason,), unknown=(("", reason),))
    except _TooLongError:
        reason = "setup.py can't be followed"
        return SetupScript(
            tuple(reader.files),
            tuple(reader.modules),
            None,
            unsure=(reason,),
            unknown=(("", reason), ("*", reason)),
        )
    return SetupScript(
        tuple(reader.files),
        tuple(reader.modules),
        None if "" in reader.unknown else reader.dependencies,
        tuple(reader.extras.items()),
        reader.needs,
        reader.uses_git,
        reader.pbr,
        reader.declares,
        tuple(reader.unsure),
        tuple(reader.unknown.items()),
    )


class _TooLongError(Exception):
    pass


@record
class _Left:
    """Why a block is left before its end: "return", "raise", "break", "continue" or "?"."""

    how: str
    value: Value = None


class _Reader:
    """Walks the script in the order it runs in, as far as that shows in the text."""

    def __init__(self, read: Read) -> None:
        self.files: dict[str, None] = {}
        self.modules: dict[str, None] = {}
        self.unsure: dict[str, None] = {}
        self.unknown: dict[str, str] = {}
        self.dependencies: tuple[str, ...] = ()
        self.extras: dict[str, tuple[str, ...]] = {}
        self.needs: tuple[str, ...] = ()
        self.uses_git = False
        self.pbr = False
        self.declares = False
        self._read = read
        self._within: list[cst.FunctionDef] = []
        self._yields: list[list[Value]] = []
        self._calls = 0
        self._steps = 0
        self._doubt = 0

    # Statements

    def run(self, body: Sequence[cst.CSTNode], names: dict[str, Value]) -> _Left | None:
        """Follow the statements; what ended them early, if anything did."""
        for node in body:
            left = self.statement(node, names)
            if left is not None:
                return left
        return None

    def statement(self, node: cst.CSTNode, names: dict[str, Value]) -> _Left | None:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise _TooLongError
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
                return _Left("return", self.value(node.value, names) if node.value else None)
            case cst.Raise():
                return _Left("raise")
            case cst.Break():
                return _Left("break")
            case cst.Continue():
                return _Left("continue")
            case cst.ClassDef():
                pass
            case _:
                return self._simple(node, names)
        return None

    def _simple(self, node: cst.CSTNode, names: dict[str, Value]) -> _Left | None:
        match node:
            case cst.Assign():
                value = self.value(node.value, names)
                for target in node.targets:
                    self._bind(target.target, value, names)
            case cst.AnnAssign() if node.value is not None:
                self._bind(node.target, self.value(node.value, names), names)
            case cst.AugAssign():
                self._augment(node, names)
            case cst.Import() | cst.ImportFrom():
                self._import(node)
            case cst.Expr():
                self.value(node.value, names)
                if isinstance(node.value, cst.Call) and _dotted(node.value.func) in _EXITS:
                    return _Left("raise")
            case cst.Del():
                self._bind(node.target, None, names)
            case _:
                for child in node.children:
                    if isinstance(child, cst.BaseExpression):
                        self.value(child, names)
        return None

    def _bind(self, target: cst.BaseExpression, value: Value, names: dict[str, Value]) -> None:
        if isinstance(target, cst.Name):
            names[target.value] = value
        elif isinstance(target, cst.Tuple | cst.List):
            known = isinstance(value, list) and len(value) == len(target.elements)
            for at, element in enumerate(target.elements):
                self._bind(element.value, value[at] if known else None, names)
        elif isinstance(target, cst.Subscript):
            base, key = self.value(target.value, names), self._index(target, names)
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
            self._bind(node.target, added(old, more) if plus else None, names)

    def _if(self, node: cst.If, names: dict[str, Value]) -> _Left | None:
        test = self.value(node.test, names)
        if isinstance(test, Opened | Function):
            test = None
        if test is not None:
            if test:
                return self.statement(node.body, names)
            return self.statement(node.orelse, names) if node.orelse else None
        other = copy.deepcopy(names)
        self._doubt += 1
        first = self.statement(node.body, names)
        second = self.statement(node.orelse, other) if node.orelse else None
        self._doubt -= 1
        return _either(first, second, names, other)

    def _maybe(
        self, run: Callable[[dict[str, Value]], _Left | None], names: dict[str, Value]
    ) -> _Left | None:
        """Statements that run any number of times: what they change can't be told."""
        before = copy.deepcopy(names)
        self._doubt += 1
        run(names)
        self._doubt -= 1
        _set(names, merged(before, names))
        return None

    def _for(self, node: cst.For, names: dict[str, Value]) -> _Left | None:
        items = lines_of(self.value(node.iter, names), self._read)
        if items is None:
            self._bind(node.target, None, names)
            return self._maybe(lambda after: self.statement(node.body, after), names)
        for each in items:
            self._bind(node.target, each, names)
            left = self.statement(node.body, names)
            if left is not None and left.how == "break":
                return None
            if left is not None and left.how == "?":
                _spoil(node.body, names)
                return None
            if left is not None and left.how != "continue":
                return left
        return self.statement(node.orelse, names) if node.orelse else None

    def _with(self, node: cst.With, names: dict[str, Value]) -> _Left | None:
        for each in node.items:
            value = self.value(each.item, names)
            if each.asname is not None:
                self._bind(each.asname.name, value, names)
        return self.statement(node.body, names)

    def _try(self, node: cst.Try | cst.TryStar, names: dict[str, Value]) -> _Left | None:
        """The body runs through, unless an import in it may fail or what it does is unknown."""
        before = copy.deepcopy(names)
        left = self.statement(node.body, names)
        if node.orelse and left is None:
            left = self.statement(node.orelse, names)
        certain = left is None or left.how == "return"
        self._doubt += 1
        for handler in node.handlers:
            other = copy.deepcopy(before)
            self.statement(handler.body, other)
            changed = [name for name in other if other[name] != before.get(name)]
            if _imports(node.body) or not certain or any(names.get(n) is None for n in changed):
                _set(names, merged(names, other))
        self._doubt -= 1
        if node.finalbody:
            left = self.statement(node.finalbody, names) or left
        return None if left is not None and left.how == "raise" else left

    def _import(self, node: cst.Import | cst.ImportFrom) -> None:
        if isinstance(node, cst.Import):
            found = [_dotted(alias.name) for alias in node.names]
        else:
            found = [_dotted(node.module)] if node.module is not None else []
        for name in found:
            self.modules[name] = None
            self.uses_git = self.uses_git or name == "versioneer"

    # Expressions

    def value(self, node: cst.BaseExpression, names: dict[str, Value]) -> Value:
        """What an expression is worth; what it opens and calls is followed."""
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise _TooLongError
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
                return attribute(self.value(node.value, names), node.attr.value, _dotted(node))
            case cst.Subscript():
                return item(self.value(node.value, names), self._index(node, names))
            case cst.ListComp() | cst.GeneratorExp() | cst.SetComp():
                return self._comprehension(node.elt, node.for_in, names)
            case cst.Yield():
                return self._yield(node, names)
            case cst.Call():
                return self._call(node, names)
            case cst.NamedExpr():
                value = self.value(node.value, names)
                self._bind(node.target, value, names)
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

    def _index(self, node: cst.Subscript, names: dict[str, Value]) -> Value:
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
            self._bind(loop.target, each, inner)
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
            if self._yields:
                self._yields[-1] += [None] if more is None else more
            return
        if node.value is not None:
            value = self.value(node.value, names)
        if self._yields:
            self._yields[-1].append(value)

    # Calls

    def _call(self, node: cst.Call, names: dict[str, Value]) -> Value:
        dotted = _dotted(node.func)
        name = dotted.rpartition(".")[2]
        if name == "setup":
            self._setup(node, names)
            return None
        base = None
        if isinstance(node.func, cst.Attribute):
            base = self.value(node.func.value, names)
        elif isinstance(node.func, cst.Name) and isinstance(names.get(name), Function):
            return self._enter(names[name].node, node, names)
        else:
            self.value(node.func, names)
        if name in ("map", "filter") and isinstance(node.func, cst.Name) and len(node.args) == 2:
            return self._over(name, node, names)
        args = list(self._arguments(node, names))
        for arg in node.args:
            if arg.keyword is not None:
                self.value(arg.value, names)
        opened = self._open(name, dotted, base, node, names, args)
        if opened is not None:
            return self._content(name, opened)
        if isinstance(node.func, cst.Attribute) and base is not None:
            if isinstance(base, dict) and name == "update":
                for arg in node.args:
                    if arg.keyword is not None:
                        base[arg.keyword.value] = self.value(arg.value, names)
            known, value = method(base, name, args, self._read)
            if known:
                return value
        if name == "dict" and not args:
            return {
                arg.keyword.value if arg.keyword else "*": self.value(arg.value, names)
                for arg in node.args
            }
        return builtin(name, args, self._read)[1]

    def _content(self, name: str, path: str) -> Value:
        """What a call that reads the file at ``path`` hands back."""
        if name == "open":
            return Opened(path)
        if name == "parse_requirements":
            found = read_requirements(self._read, path)
            if not found.files or found.missing or found.problems or found.remote:
                return None
            return [Parsed(entry.text) for entry in found.entries if not entry.constraint]
        if name == "read_text":
            text = self._read(path)
            return None if text is None else text.replace("\r\n", "\n")
        return None

    def _over(self, name: str, node: cst.Call, names: dict[str, Value]) -> Value:
        """``map(f, items)`` and ``filter(f, items)``."""
        function = node.args[0].value
        items = lines_of(self.value(node.args[1].value, names), self._read)
        found: list[Value] = []
        for each in items or ():
            value = self._applied(function, each, names)
            if name == "map":
                found.append(value)
            elif value is None:
                return None
            elif value:
                found.append(each)
        return None if items is None else found

    def _applied(self, function: cst.BaseExpression, one: Value, names: dict[str, Value]) -> Value:
        if isinstance(function, cst.Lambda) and len(function.params.params) == 1:
            inner = {**names, function.params.params[0].name.value: one}
            return self.value(function.body, inner)
        if isinstance(function, cst.Name) and function.value in ("None", "bool"):
            return one if isinstance(one, str | list | int) else None
        dotted = _dotted(function)
        if dotted.startswith("str."):
            return method(one, dotted[4:], (), self._read)[1]
        if dotted == "str":
            return str(one) if isinstance(one, str | int) else None
        called = names.get(dotted)
        if isinstance(called, Function):
            return self._follow(called.node, [one], {}, names)
        return None

    def _arguments(self, node: cst.Call, names: dict[str, Value]) -> Iterator[Value]:
        for arg in node.args:
            if arg.keyword is None and arg.star != "**":
                value = self.value(arg.value, names)
                if arg.star == "*" and isinstance(value, list):
                    yield from value
                else:
                    yield value

    def _enter(self, function: cst.FunctionDef, node: cst.Call, names: dict[str, Value]) -> Value:
        values = list(self._arguments(node, names))
        given = {
            arg.keyword.value: self.value(arg.value, names)
            for arg in node.args
            if arg.keyword is not None
        }
        return self._follow(function, values, given, names)

    def _follow(
        self,
        function: cst.FunctionDef,
        values: list[Value],
        given: dict[str, Value],
        names: dict[str, Value],
    ) -> Value:
        """Read the body of a function of the script with the arguments of one call."""
        self._calls += 1
        if self._calls > _MOST_CALLS or function in self._within:
            self.unsure["setup.py calls functions that can't be followed"] = None
            return None
        inner = dict(names)
        for parameter in function.params.params:
            first = values.pop(0) if values else None
            default = self.value(parameter.default, names) if parameter.default else None
            inner[parameter.name.value] = default if first is None else first
        inner.update(given)
        star = function.params.star_arg
        if isinstance(star, cst.Param):
            inner[star.name.value] = values if None not in values else None
        self._within.append(function)
        self._yields.append([])
        left = self.statement(function.body, inner)
        self._within.pop()
        yielded = self._yields.pop()
        if left is not None and left.how == "?":
            _spoil(function.body, inner)
            return None
        if yielded:
            return yielded
        return left.value if left is not None and left.how == "return" else None

    def _open(
        self,
        name: str,
        dotted: str,
        base: Value,
        node: cst.Call,
        names: dict[str, Value],
        args: list[Value],
    ) -> str | None:
        """Note the file that a call reads, if it is one that reads; its path, where it is known."""
        is_method = isinstance(node.func, cst.Attribute)
        keyed = {arg.keyword.value: arg.value for arg in node.args if arg.keyword is not None}
        path: str | Value = None
        opens = name == "open" and dotted not in ("io.open", "codecs.open")
        if is_method and (opens or name in _METHODS):
            path = base
        elif name in _FIRST:
            path = args[0] if args else None
            if not args and "file" in keyed:
                path = self.value(keyed["file"], names)
            mode = args[1] if len(args) > 1 else None
            if name == "open" and isinstance(mode, str) and any(char in mode for char in "wax"):
                return None
            if name == "parse_requirements" and isinstance(path, Opened | list):
                return str(path.path) if isinstance(path, Opened) else None
            if name == "parse_requirements" and isinstance(path, str) and "\n" in path:
                return None
        elif name in _SECOND:
            path = args[1] if len(args) > 1 else None
            if len(args) < 2 and "location" in keyed:
                path = self.value(keyed["location"], names)
        elif name == "read" and is_method and len(args) == 1 and isinstance(args[0], str):
            path = args[0]  # a configuration parser; ``file.read(size)`` looks the same
        else:
            return None
        if isinstance(path, str) and path:
            path = posixpath.normpath(path)
            self.files[path] = None
            return path
        self.unsure["setup.py opens a file whose name isn't certain"] = None
        return None

    # setup()

    def _setup(self, node: cst.Call, names: dict[str, Value]) -> None:
        given: dict[str, Value] = {}
        for arg in node.args:
            value = self.value(arg.value, names)
            if arg.keyword is not None:
                given[arg.keyword.value] = value
            elif arg.star == "**" and isinstance(value, dict):
                given.update(value)
            elif arg.star == "**":
                given["*"] = None
        if self._doubt or self.declares or "*" in given:
            self.unknown[""] = self.unknown["*"] = _COMPUTED.format("what it hands to setup()")
        self.declares = True
        self._dependencies(given)
        self._extras(given)
        self.needs = _taken(given.get("setup_requires")) or ()
        tools = ("setuptools_scm", "setuptools-scm", "pbr")
        scm = any(need.startswith(tools) for need in self.needs)
        self.uses_git = self.uses_git or scm or "use_scm_version" in given or "pbr" in given
        self.pbr = "pbr" in given

    def _dependencies(self, given: dict[str, Value]) -> None:
        wanted = given.get("install_requires", [])
        found = _taken(wanted)
        if found is None:
            self.unknown[""] = _COMPUTED.format("install_requires")
        else:
            self.dependencies = found

    def _extras(self, given: dict[str, Value]) -> None:
        wanted = given.get("extras_require", {})
        if not isinstance(wanted, dict) or "*" in wanted:
            self.unknown["*"] = _COMPUTED.format("extras_require")
            wanted = wanted if isinstance(wanted, dict) else {}
        for key, value in wanted.items():
            lines = _taken(value)
            name, colon, marker = key.partition(":")
            if lines is None:
                self.unknown[name if name or not colon else ""] = _COMPUTED.format(
                    f"the extra {name}" if name else "a condition on install_requires"
                )
                continue
            if colon:
                lines = tuple(_marked(line, marker.strip()) for line in lines)
            if name:
                self.extras[name] = (*self.extras.get(name, ()), *lines)
            else:
                self.dependencies = (*self.dependencies, *lines)


_EXITS = frozenset(("sys.exit", "exit", "os._exit", "quit"))
_CONSTANTS = {"True": True, "False": False, "__file__": "setup.py"}


def _taken(value: Value) -> tuple[str, ...] | None:
    """Requirements as setuptools takes them: a text or a list of texts, less comments.

    None where they can't be told, or where a line is none: the build fails on it.
    source: setuptools' pkg_resources (yield_lines, drop_comment)
    """
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        return None
    found = []
    for part in parts:
        for line in part.splitlines():
            text = line.strip().partition(" #")[0].strip()
            if text.startswith("-"):
                return None
            if text and not text.startswith("#"):
                found.append(text)
    return tuple(found)


def _marked(line: str, marker: str) -> str:
    head, _, own = line.partition(";")
    return f"{head.strip()}; ({own.strip()}) and ({marker})" if own else f"{head.strip()}; {marker}"


def _either(
    first: _Left | None, second: _Left | None, names: dict[str, Value], other: dict[str, Value]
) -> _Left | None:
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
        return _Left(first.how, first.value if same else None)
    return _Left("?")


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


def _spoil(body: cst.CSTNode, names: dict[str, Value]) -> None:
    """Forget what a block names: how far it ran can't be told."""
    for child in body.children:
        _spoil(child, names)
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
            found = [_dotted(alias.name) for alias in child.names]
        elif isinstance(child, cst.ImportFrom):
            found = [_dotted(child.module)] if child.module is not None else []
        else:
            found = []
            if _imports(child):
                return True
        if any(name.split(".")[0] not in _PACKAGING for name in found):
            return True
    return False


_PACKAGING = frozenset("setuptools distutils pkg_resources pip os sys io re codecs pathlib".split())


def _dotted(node: cst.CSTNode) -> str:
    """``a.b.c``; of anything that is no plain name, only the last part."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        head = _dotted(node.value)
        return f"{head}.{node.attr.value}" if head else node.attr.value
    return ""
