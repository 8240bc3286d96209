"""What a ``setup.py`` reads and declares, found without running it.

Imported only where there is a ``setup.py``: libcst takes longer to load than all the rest.
Paths are relative to the folder of the script, in which pip runs it, so ``__file__`` is
``setup.py`` and its folder is "".
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

import libcst as cst

from dfcache.model.requirements import read_requirements
from dfcache.model.setup_flow import TooLongError, dotted_name, spoil
from dfcache.model.setup_terms import Terms
from dfcache.model.setup_values import (
    Function,
    Opened,
    Parsed,
    Read,
    Value,
    builtin,
    lines_of,
    method,
)
from dfcache.record import record

_MOST_CALLS = 2000
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
    except TooLongError:
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


class _Reader(Terms):
    """Knows the calls: files that are opened, functions of the script, and ``setup`` itself."""

    def __init__(self, read: Read) -> None:
        super().__init__(read)
        self.files: dict[str, None] = {}
        self.unsure: dict[str, None] = {}
        self.unknown: dict[str, str] = {}
        self.dependencies: tuple[str, ...] = ()
        self.extras: dict[str, tuple[str, ...]] = {}
        self.needs: tuple[str, ...] = ()
        self.pbr = False
        self.declares = False
        self._within: list[cst.FunctionDef] = []
        self._calls = 0

    def call(self, node: cst.Call, names: dict[str, Value]) -> Value:
        dotted = dotted_name(node.func)
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
        dotted = dotted_name(function)
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
        self.yields.append([])
        left = self.statement(function.body, inner)
        self._within.pop()
        yielded = self.yields.pop()
        if left is not None and left.how == "?":
            spoil(function.body, inner)
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
        if self.doubt or self.declares or "*" in given:
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
