"""What a ``setup.py`` reads and declares, found without running it.

Imported only where there is a ``setup.py``: libcst takes longer to load than all the rest.
Paths are relative to the folder of the script, in which pip runs it, so ``__file__`` is
``setup.py`` and its folder is "".
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence

import libcst as cst

from dfcache.record import record

Value = str | list[str] | dict[str, object] | None

_MOST_CALLS = 200
_SAME = frozenset(("abspath", "realpath", "normpath", "Path", "PurePath", "str", "fspath", "list"))
_SAME_METHODS = frozenset(("resolve", "absolute", "as_posix", "expanduser", "strip", "open"))
_FIRST = frozenset(("open", "parse_requirements", "run_path", "execfile", "read_configuration"))
_SECOND = frozenset(("spec_from_file_location", "load_source", "SourceFileLoader"))
_METHODS = frozenset(("read_text", "read_bytes"))


@record
class SetupScript:
    """What is certain of a ``setup.py``; ``unsure`` says what is not, in sentences.

    ``modules`` are the imported ones by their full names, the project's own among them.
    ``dependencies`` is None where ``install_requires`` is not spelt out.
    """

    files: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    dependencies: tuple[str, ...] | None = ()
    extras: tuple[tuple[str, tuple[str, ...]], ...] = ()
    uses_git: bool = False
    unsure: tuple[str, ...] = ()


def read_setup(source: str) -> SetupScript:
    """Read the source of a ``setup.py``; what does not parse is unsure as a whole."""
    reader = _Reader()
    try:
        module = cst.parse_module(source)
        reader.functions_of(module)
        reader.visit(module, {})
    except (cst.ParserSyntaxError, RecursionError, ValueError):
        return SetupScript(dependencies=None, unsure=("setup.py can't be parsed",))
    return SetupScript(
        tuple(reader.files),
        tuple(reader.modules),
        reader.dependencies,
        tuple(reader.extras.items()),
        reader.uses_git,
        tuple(reader.unsure),
    )


class _Reader:
    """Walks the script in the order it runs in, as far as that shows in the text."""

    def __init__(self) -> None:
        self.files: dict[str, None] = {}
        self.modules: dict[str, None] = {}
        self.unsure: dict[str, None] = {}
        self.dependencies: tuple[str, ...] | None = ()
        self.extras: dict[str, tuple[str, ...]] = {}
        self.uses_git = False
        self._functions: dict[str, cst.FunctionDef] = {}
        self._within: list[cst.FunctionDef] = []
        self._calls = 0

    def functions_of(self, module: cst.Module) -> None:
        for statement in module.body:
            if isinstance(statement, cst.FunctionDef):
                self._functions[statement.name.value] = statement

    def visit(self, node: cst.CSTNode, names: dict[str, Value]) -> None:
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            return
        if isinstance(node, cst.For) and self._loop(node, names):
            return
        for child in node.children:
            self.visit(child, names)
        if isinstance(node, cst.Assign):
            self._assign(node, names)
        elif isinstance(node, cst.Call):
            self._call(node, names)
        elif isinstance(node, cst.Import | cst.ImportFrom):
            self._import(node)
        elif isinstance(node, cst.SimpleString) and str(node.evaluated_value).startswith("git"):
            text = str(node.evaluated_value)
            self.uses_git = self.uses_git or text == "git" or text.startswith("git ")

    def _assign(self, node: cst.Assign, names: dict[str, Value]) -> None:
        value = _value(node.value, names)
        for target in node.targets:
            if isinstance(target.target, cst.Name):
                names[target.target.value] = value

    def _loop(self, node: cst.For, names: dict[str, Value]) -> bool:
        items = _value(node.iter, names)
        if not isinstance(items, list) or not isinstance(node.target, cst.Name):
            return False
        for item in items:
            names[node.target.value] = item
            self.visit(node.body, names)
        return True

    def _import(self, node: cst.Import | cst.ImportFrom) -> None:
        if isinstance(node, cst.Import):
            found = [_dotted(alias.name) for alias in node.names]
        else:
            found = [_dotted(node.module)] if node.module is not None else []
        for name in found:
            self.modules[name] = None
            self.uses_git = self.uses_git or name == "versioneer"

    def _call(self, node: cst.Call, names: dict[str, Value]) -> None:
        name = _dotted(node.func).rpartition(".")[2]
        if name == "setup":
            self._setup(node, names)
        elif name in self._functions and isinstance(node.func, cst.Name):
            self._enter(self._functions[name], node, names)
        else:
            self._open(name, node, names)

    def _enter(self, function: cst.FunctionDef, node: cst.Call, names: dict[str, Value]) -> None:
        """Read the body of a function of the script with the arguments of one call."""
        self._calls += 1
        if self._calls > _MOST_CALLS or function in self._within:
            self.unsure["setup.py calls functions that can't be followed"] = None
            return
        values = [_value(arg.value, names) for arg in node.args if arg.keyword is None]
        inner = dict(names)
        for parameter in function.params.params:
            given = values.pop(0) if values else None
            default = _value(parameter.default, names) if parameter.default else None
            inner[parameter.name.value] = default if given is None else given
        for arg in node.args:
            if arg.keyword is not None:
                inner[arg.keyword.value] = _value(arg.value, names)
        star = function.params.star_arg
        if isinstance(star, cst.Param):
            known = [value for value in values if isinstance(value, str)]
            inner[star.name.value] = known if len(known) == len(values) else None
        self._within.append(function)
        self.visit(function.body, inner)
        self._within.pop()

    def _open(self, name: str, node: cst.Call, names: dict[str, Value]) -> None:
        """Note the file that a call reads, if it is one that reads."""
        positional = [arg.value for arg in node.args if arg.keyword is None and not arg.star]
        path: cst.BaseExpression | None = None
        method = isinstance(node.func, cst.Attribute)
        if name in _METHODS and isinstance(node.func, cst.Attribute):
            path = node.func.value
        elif name == "open" and method and _dotted(node.func) not in ("io.open", "codecs.open"):
            path = node.func.value if isinstance(node.func, cst.Attribute) else None
        elif name in _FIRST:
            path = positional[0] if positional else _keyword(node, "file")
            if name == "open" and len(positional) > 1 and _writes(positional[1], names):
                return
        elif name in _SECOND:
            path = positional[1] if len(positional) > 1 else _keyword(node, "location")
        elif name == "read" and method and len(positional) == 1:
            # A configuration parser; ``file.read(size)`` looks the same but for the text.
            path = positional[0] if isinstance(_value(positional[0], names), str) else None
        if path is not None:
            self._file(_value(path, names))

    def _file(self, path: Value) -> None:
        if isinstance(path, str) and path:
            self.files[posixpath.normpath(path)] = None
        else:
            self.unsure["setup.py opens a file whose name isn't certain"] = None

    def _setup(self, node: cst.Call, names: dict[str, Value]) -> None:
        given: dict[str, object] = {}
        for arg in node.args:
            value = _value(arg.value, names)
            if arg.keyword is not None:
                given[arg.keyword.value] = value
            elif arg.star == "**" and isinstance(value, dict):
                given.update(value)
            elif arg.star == "**":
                self.dependencies = None
        if "install_requires" in given:
            wanted = given["install_requires"]
            wanted = wanted.splitlines() if isinstance(wanted, str) else wanted
            self.dependencies = _strings(wanted) if isinstance(wanted, list) else None
        extras = given.get("extras_require")
        if isinstance(extras, dict):
            self.extras = {key: _strings(value) for key, value in extras.items()}
        needs = _strings(given.get("setup_requires"))
        scm = any(need.startswith(("setuptools_scm", "setuptools-scm", "pbr")) for need in needs)
        self.uses_git = self.uses_git or scm or "use_scm_version" in given or "pbr" in given


def _strings(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _keyword(node: cst.Call, name: str) -> cst.BaseExpression | None:
    for arg in node.args:
        if arg.keyword is not None and arg.keyword.value == name:
            return arg.value
    return None


def _writes(mode: cst.BaseExpression, names: Mapping[str, Value]) -> bool:
    value = _value(mode, names)
    return isinstance(value, str) and any(char in value for char in "wax")


def _dotted(node: cst.CSTNode) -> str:
    """``a.b.c``; of anything that is no plain name, only the last part."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        head = _dotted(node.value)
        return f"{head}.{node.attr.value}" if head else node.attr.value
    return ""


def _value(node: cst.BaseExpression, names: Mapping[str, Value]) -> Value:
    """What an expression is, where its text tells: a string, a path as a string, a list, a dict."""
    match node:
        case cst.SimpleString():
            value = node.evaluated_value
            return value if isinstance(value, str) else None
        case cst.ConcatenatedString():
            return _added(_value(node.left, names), _value(node.right, names))
        case cst.FormattedString():
            return _formatted(node, names)
        case cst.Name():
            return "setup.py" if node.value == "__file__" else names.get(node.value)
        case cst.List() | cst.Tuple() | cst.Set():
            return _list(node.elements, names)
        case cst.Dict():
            return _dict(node, names)
        case cst.BinaryOperation():
            return _operation(node, names)
        case cst.Attribute():
            return _attribute(node, names)
        case cst.Call():
            return _call_value(node, names)
    return None


def _added(left: Value, right: Value) -> Value:
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    if isinstance(left, list) and isinstance(right, list):
        return left + right
    return None


def _formatted(node: cst.FormattedString, names: Mapping[str, Value]) -> Value:
    text = ""
    for part in node.parts:
        if isinstance(part, cst.FormattedStringText):
            text += part.value
        elif isinstance(part, cst.FormattedStringExpression):
            value = _value(part.expression, names)
            if not isinstance(value, str):
                return None
            text += value
    return text


def _list(elements: Sequence[cst.BaseElement], names: Mapping[str, Value]) -> Value:
    found: list[str] = []
    for element in elements:
        value = _value(element.value, names)
        if isinstance(element, cst.StarredElement) and isinstance(value, list):
            found += value
        elif isinstance(value, str):
            found.append(value)
        else:
            return None
    return found


def _dict(node: cst.Dict, names: Mapping[str, Value]) -> Value:
    found: dict[str, object] = {}
    for element in node.elements:
        if isinstance(element, cst.DictElement):
            key = _value(element.key, names)
            if isinstance(key, str):
                found[key] = _value(element.value, names)
    return found


def _operation(node: cst.BinaryOperation, names: Mapping[str, Value]) -> Value:
    left, right = _value(node.left, names), _value(node.right, names)
    if isinstance(node.operator, cst.Add):
        return _added(left, right)
    if isinstance(node.operator, cst.Divide) and isinstance(left, str) and isinstance(right, str):
        return posixpath.join(left, right)
    return None


def _attribute(node: cst.Attribute, names: Mapping[str, Value]) -> Value:
    if node.attr.value == "parent":
        value = _value(node.value, names)
        return posixpath.dirname(value) if isinstance(value, str) else None
    return {"os.curdir": ".", "os.sep": "/", "os.path.sep": "/"}.get(_dotted(node))


def _call_value(node: cst.Call, names: Mapping[str, Value]) -> Value:
    """The value of a call that makes a path of paths, or a list of a list."""
    name = _dotted(node.func).rpartition(".")[2]
    values = _arguments(node, names)
    if name in ("getcwd", "cwd"):
        return ""
    if isinstance(node.func, cst.Attribute) and name in (*_SAME_METHODS, "joinpath"):
        base = _value(node.func.value, names)
        if isinstance(base, str):
            return _joined([base, *values]) if name == "joinpath" else base
    if name in ("join", "Path") and len(values) > 1:
        return _joined(values)
    if len(values) != 1:
        return "" if name == "Path" and not node.args else None
    if name == "dirname" and isinstance(values[0], str):
        return posixpath.dirname(values[0])
    return values[0] if name in _SAME else None


def _arguments(node: cst.Call, names: Mapping[str, Value]) -> list[Value]:
    values: list[Value] = []
    for arg in node.args:
        value = _value(arg.value, names)
        if arg.star == "*" and isinstance(value, list):
            values += value
        else:
            values.append(value)
    return values


def _joined(values: Sequence[Value]) -> Value:
    known = [value for value in values if isinstance(value, str)]
    return posixpath.join(*known) if len(known) == len(values) else None
