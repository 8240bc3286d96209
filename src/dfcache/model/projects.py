"""What a Python project's metadata depends on, and what it asks for.

``pip install .`` builds the project, and a build backend fails when a file that the metadata
names is not there: the README, a version file, a license. Nothing here is run.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from dfcache.model.context import Context
from dfcache.model.globbing import clean, is_glob, roots
from dfcache.model.requirements import (
    Requirement,
    normalised,
    parse_requirement,
    read_requirements,
)
from dfcache.record import EMPTY, record

if TYPE_CHECKING:
    from dfcache.model.setup_script import SetupScript

_BACKENDS = {
    "setuptools": "setuptools",
    "hatchling": "hatchling",
    "poetry": "poetry-core",
    "flit_core": "flit",
    "flit": "flit",
    "pdm": "pdm-backend",
    "uv_build": "uv_build",
    "maturin": "maturin",
    "scikit_build_core": "scikit-build-core",
    "mesonpy": "meson-python",
    "pbr": "pbr",
    "whey": "whey",
}
# What pip has for the build of a project that names nothing.
# source: pip's src/pip/_internal/pyproject.py; wheel is what setuptools before 70.1 asks for
_NEEDS = ("setuptools>=40.8.0", "wheel")
_GIT_TOOLS = (
    "setuptools-scm", "setuptools_scm", "setuptools-git-versioning", "hatch-vcs", "versioningit",
    "poetry-dynamic-versioning", "uv-dynamic-versioning", "versioneer", "pbr",
)  # fmt: skip

# Those whose own tables are read, if there is no standard one.
_TABLES = ("", "poetry-core", "flit", "pbr")

Table = Mapping[str, object]


@record
class Project:
    """A folder of the context that pip can install; paths are of the context.

    ``manifests`` are the files that its metadata is made of, the declaring one first; what
    of them is named but not there is in ``missing``. ``uses_git`` says that the version comes
    from the repository. ``unsure`` says, in sentences, why the manifests may not be all.

    ``dependencies`` is None where only a run of the build could tell; ``unknown`` says why: its
    keys are "" for them, the name of an extra, or "*" for all extras. ``sources`` are, by the same
    keys, the requirements files that the manifests take the lines from. ``build_requires`` is
    what has to be there for the build. ``standard`` is whether the standard table of
    pyproject.toml has all the dependencies and extras, so that no build is needed to read them.
    """

    folder: str
    name: str = ""
    backend: str = ""
    manifests: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    dynamic: tuple[str, ...] = ()
    dependencies: tuple[str, ...] | None = ()
    extras: Mapping[str, tuple[str, ...]] = EMPTY
    dependency_groups: Mapping[str, tuple[str, ...]] = EMPTY
    path_dependencies: tuple[str, ...] = ()
    workspace: tuple[str, ...] = ()
    uses_git: bool = False
    unsure: tuple[str, ...] = ()
    sources: Mapping[str, tuple[str, ...]] = EMPTY
    unknown: Mapping[str, str] = EMPTY
    build_requires: tuple[str, ...] = ()
    standard: bool = False

    @property
    def installable(self) -> bool:
        """Whether pip would take the folder for a project."""
        return bool(self.backend)


def project(context: Context, folder: str) -> Project:
    """The project in ``folder`` of the context, or one with no backend. Never raises."""
    maker = _Maker(context, clean(folder))
    maker.pyproject()
    maker.setup_cfg()
    maker.setup_py()
    return maker.project()


class _Maker:
    def __init__(self, context: Context, folder: str) -> None:
        self._context = context
        self._folder = folder
        self._files: dict[str, None] = {}
        self._missing: dict[str, None] = {}
        self._paths: dict[str, None] = {}
        self._workspace: dict[str, None] = {}
        self._unsure: dict[str, None] = {}
        self._name = ""
        self._backend = ""
        self._dynamic: tuple[str, ...] = ()
        self._dependencies: tuple[str, ...] | None = ()
        self._extras: dict[str, tuple[str, ...]] = {}
        self._groups: dict[str, tuple[str, ...]] = {}
        self._git = False
        self._sources: dict[str, tuple[str, ...]] = {}
        self._unknown: dict[str, str] = {}
        self._needs: tuple[str, ...] = ()
        self._static = False
        self._standard = False
        self._declares = False

    def project(self) -> Project:
        if self._backend == "setuptools":
            self._file("MANIFEST.in", optional=True)
        elif self._backend not in _TABLES and not self._declares and not self._dependencies:
            self._give_up("", f"how {self._backend} declares the dependencies is not known")
        for line in self._all_dependencies():
            self._path_of(parse_requirement(line))
        return Project(
            self._folder,
            self._name,
            self._backend,
            tuple(self._files),
            tuple(self._missing),
            self._dynamic,
            self._dependencies,
            self._extras,
            self._groups,
            tuple(self._paths),
            tuple(self._workspace),
            self._git,
            tuple(self._unsure),
            self._sources,
            self._unknown,
            self._needs,
            self._standard,
        )

    def _all_dependencies(self) -> Iterator[str]:
        for group in (
            self._dependencies or (),
            *self._extras.values(),
            *self._groups.values(),
        ):
            for line in group:
                # pdm's and hatch's names for the project's folder.
                line = line.replace("file:///${PROJECT_ROOT}/", "file:")
                yield line.replace("{root:uri}/", "file:").replace("{root:parent:uri}", "file:..")

    def _path_of(self, requirement: Requirement | None) -> None:
        path = requirement.path if requirement is not None else None
        if path is not None and not path.startswith("/"):
            self._paths[self._at(path)] = None

    def _at(self, path: str) -> str:
        return clean(posixpath.join(self._folder, path))

    def _file(self, path: str, optional: bool = False) -> None:
        place = self._at(path)
        if self._context.is_file(place):
            self._files[place] = None
        elif not optional:
            self._missing[place] = None

    def _glob(self, pattern: str, optional: bool = False) -> None:
        if not is_glob(pattern):
            self._file(pattern, optional)
            return
        for path in roots(self._context, self._at(pattern)):
            if self._context.is_file(path):
                self._files[path] = None

    def _read(self, name: str) -> str | None:
        """The text of a manifest of the folder, if it is there."""
        place = self._at(name)
        text = self._context.read(place)
        if text is None and self._context.is_file(place):
            self._unsure[f"{place} can't be read"] = None
        return text

    # pyproject.toml

    def pyproject(self) -> None:
        text = self._read("pyproject.toml")
        if text is None:
            return
        import tomllib

        self._file("pyproject.toml")
        try:
            data = tomllib.loads(text.replace("\r\n", "\n"))
        except (tomllib.TOMLDecodeError, RecursionError):
            self._unsure[f"{self._at('pyproject.toml')} is not valid TOML"] = None
            return
        tool = _table(data, "tool")
        self._build_system(data, tool)
        self._declares = "project" in data
        dynamic = _strings(_table(data, "project").get("dynamic"))
        self._standard = self._declares and not any("dependencies" in name for name in dynamic)
        self._declared(_table(data, "project"))
        self._dependency_groups(_table(data, "dependency-groups"))
        self._setuptools(_table(tool, "setuptools"))
        self._poetry(_table(tool, "poetry"))
        self._flit(_table(_table(tool, "flit"), "metadata"))
        self._hatch(_table(tool, "hatch"))
        self._pdm(_table(tool, "pdm"))
        self._uv(_table(tool, "uv"))
        if self._backend == "maturin":
            self._file(_text(_table(tool, "maturin"), "manifest-path") or "Cargo.toml")
        if self._backend == "flit" and {"version", "description"} & set(self._dynamic):
            name = _text(_table(_table(tool, "flit"), "module"), "name") or self._name
            self._module(name.replace("-", "_"))

    def _build_system(self, data: Table, tool: Table) -> None:
        system = _table(data, "build-system")
        backend = _text(system, "build-backend")
        if backend:
            known = _BACKENDS.get(backend.split(".")[0].split(":")[0])
            self._backend = known or backend
            if known is None:
                self._unsure[f"the build backend {backend} is not known"] = None
        elif system or "project" in data or "poetry" in tool:
            self._backend = "setuptools"
        self._needs = tuple(_strings(system.get("requires"))) or _NEEDS
        for need in _strings(system.get("requires")):
            self._git = self._git or need.startswith(_GIT_TOOLS)
        for path in _strings(system.get("backend-path")):
            self._unsure[f"the build backend is in {self._at(path) or 'the project'}"] = None

    def _declared(self, table: Table) -> None:
        """The standard ``[project]`` table."""
        self._name = _text(table, "name")
        self._dynamic = tuple(_strings(table.get("dynamic")))
        readme = table.get("readme")
        for path in _file_names(readme):
            self._file(path)
        licence = table.get("license")
        if isinstance(licence, dict):
            for path in _file_names(licence):
                self._file(path)
        for pattern in _strings(table.get("license-files")):
            self._glob(pattern)
        if "dependencies" in table:
            self._static = True
            self._dependencies = tuple(_strings(table.get("dependencies")))
        elif "dependencies" in self._dynamic:
            self._give_up("", "the build of the project declares the dependencies")
        self._extras = _lists(_table(table, "optional-dependencies"))
        if "optional-dependencies" in self._dynamic:
            self._give_up("*", "the build of the project declares the extras")

    def _give_up(self, key: str, reason: str) -> None:
        """Note that the lines of ``key`` can't be told (see Project.unknown)."""
        self._unknown[key] = reason
        if not key:
            self._dependencies = None
        else:
            self._extras.pop(key, None)

    def _take(self, key: str, lines: tuple[str, ...], sources: Iterable[str] = ()) -> None:
        """Note the lines of ``key``, and the requirements files that they come from."""
        self._unknown.pop(key, None)
        if key:
            self._extras[key] = lines
        else:
            self._dependencies = lines
        self._sources.pop(key, None)
        if sources:
            self._sources[key] = tuple(self._at(path) for path in sources)

    def _from_files(self, key: str, files: list[str]) -> None:
        """Take the lines of ``key`` from requirements files, as setuptools and others do."""
        lines: list[str] = []
        for path in files:
            text = self._context.read(self._at(path))
            if text is None:
                self._give_up(key, f"{self._at(path)} can't be read")
                return
            found = [line.strip() for line in text.splitlines()]
            lines += [line for line in found if line and not line.startswith("#")]
        option = next((line for line in lines if line.startswith("-")), None)
        if option is not None:
            self._give_up(key, f"{self._at(files[0])} has options, which no manifest can take over")
            return
        plain = tuple(line.partition(" #")[0].strip() for line in lines)
        self._take(key, plain, files if self._said_by(files, plain) else ())

    def _said_by(self, files: Iterable[str], lines: Iterable[str]) -> bool:
        """Whether ``pip install -r`` of ``files`` asks for just what ``lines`` do."""
        asked: set[object] = set()
        for path in files:
            found = read_requirements(self._context.read, self._at(path))
            settings = found.options or found.variables
            if found.missing or found.remote or found.problems or settings or not found.files:
                return False
            for entry in found.entries:
                if entry.constraint or entry.path is not None or entry.hashes:
                    return False
                asked.add(_essence(entry))
        wanted = [parse_requirement(line) for line in lines]
        return asked == {_essence(entry) for entry in wanted if entry is not None}

    def _dependency_groups(self, table: Table) -> None:
        for name in table:
            self._groups[name] = tuple(_group(table, name, ()))

    def _setuptools(self, table: Table) -> None:
        dynamic = _table(table, "dynamic")
        extras = _table(dynamic, "optional-dependencies")
        if "dependencies" in dynamic and "dependencies" in self._dynamic:
            self._from_files("", _file_names(dynamic["dependencies"]))
        for name, extra in extras.items():
            self._from_files(name, _file_names(extra))
        if extras:
            self._unknown.pop("*", None)
        for item in [*dynamic.values(), *extras.values()]:
            if isinstance(item, dict):
                for path in _file_names(item):
                    self._file(path)
                if _text(item, "attr"):
                    self._module(_text(item, "attr").rpartition(".")[0])
        for pattern in _strings(table.get("license-files")):
            self._glob(pattern, optional=True)

    def _poetry(self, table: Table) -> None:
        if not table:
            return
        self._name = self._name or _text(table, "name")
        for path in _strings(table.get("readme")):
            self._file(path)
        if "dependencies" in table and not self._static:
            main = _table(table, "dependencies")
            for path in self._poetry_paths(main):
                self._paths[self._at(path)] = None
            self._poetry_main(main, _lists(_table(table, "extras")))
        groups = {"dev": table.get("dev-dependencies")}
        for name, group in _table(table, "group").items():
            groups[name] = _table(group, "dependencies")
        for name, wanted in groups.items():
            if isinstance(wanted, dict):
                for path in self._poetry_paths(wanted):
                    self._paths[self._at(path)] = None
                self._groups.setdefault(name, self._poetry_group(wanted))

    def _poetry_main(self, table: Table, extras: Mapping[str, tuple[str, ...]]) -> None:
        from dfcache.model.poetry_versions import requirements

        self._standard = False
        lines, optional, unknown = requirements(table)
        self._take("", tuple(lines))
        if unknown:
            self._give_up("", f"what poetry makes of its {unknown[0]} can't be told")
        self._unknown.pop("*", None)
        for name, packages in extras.items():
            if any(package in unknown for package in packages):
                self._give_up(name, f"what poetry makes of its {unknown[0]} can't be told")
            else:
                self._take(name, tuple(optional[p] for p in packages if p in optional))

    def _poetry_paths(self, table: Table) -> Iterator[str]:
        for wanted in table.values():
            for one in wanted if isinstance(wanted, list) else [wanted]:
                path = _text(one, "path") if isinstance(one, dict) else ""
                if path:
                    yield path

    def _poetry_group(self, table: Table) -> tuple[str, ...]:
        from dfcache.model.poetry_versions import requirements

        lines, optional, _ = requirements(table)
        return (*lines, *optional.values())

    def _flit(self, table: Table) -> None:
        """The table that flit had before the standard one."""
        if table and not self._declares:
            self._name = self._name or _text(table, "dist-name") or _text(table, "module")
            self._take("", tuple(_strings(table.get("requires"))))
            for name, lines in _lists(_table(table, "requires-extra")).items():
                self._take(name, lines)

    def _hatch(self, table: Table) -> None:
        version = _table(table, "version")
        if _text(version, "path"):
            self._file(_text(version, "path"))
        self._git = self._git or _text(version, "source") == "vcs"
        hooks = _table(_table(table, "metadata"), "hooks")
        files = _table(hooks, "requirements_txt")
        main = _strings(files.get("files")) + _strings(files.get("filename"))
        if main and "dependencies" in self._dynamic:
            self._from_files("", main)
        more = _lists(_table(files, "optional-dependencies"))
        for name, paths in more.items():
            self._from_files(name, list(paths))
        if more:
            self._unknown.pop("*", None)
        for path in (*main, *(path for paths in more.values() for path in paths)):
            self._file(path)
        for fragment in _items(_table(hooks, "fancy-pypi-readme").get("fragments")):
            for path in _strings(fragment.get("path") if isinstance(fragment, dict) else None):
                self._file(path)
        build = _table(_table(table, "build"), "hooks")
        if "custom" in build or "custom" in hooks:
            custom = {**_table(build, "custom"), **_table(hooks, "custom")}
            self._file(_text(custom, "path") or "hatch_build.py")
            self._unsure["the build runs a hook of the project"] = None

    def _pdm(self, table: Table) -> None:
        version = _table(table, "version")
        if _text(version, "path"):
            self._file(_text(version, "path"))
        self._git = self._git or _text(version, "source") == "scm"
        for name, lines in _lists(_table(table, "dev-dependencies")).items():
            self._groups.setdefault(name, lines)

    def _uv(self, table: Table) -> None:
        for source in _table(table, "sources").values():
            for one in _items(source):
                path = _text(one, "path") if isinstance(one, dict) else ""
                if path:
                    self._paths[self._at(path)] = None
        lines = tuple(_strings(table.get("dev-dependencies")))
        if lines:
            self._groups["dev"] = (*self._groups.get("dev", ()), *lines)
        workspace = _table(table, "workspace")
        left_out: set[str] = set()
        for pattern in _strings(workspace.get("exclude")):
            left_out.update(roots(self._context, self._at(pattern)))
        for pattern in _strings(workspace.get("members")):
            for member in roots(self._context, self._at(pattern)):
                if member not in left_out and self._context.is_dir(member):
                    self._workspace[member] = None

    def _module(self, dotted: str) -> None:
        """Add the file that a module of the project is in; ``src`` is where it may be too."""
        path = dotted.replace(".", "/")
        for root in ("", "src/"):
            for place in (f"{root}{path}.py", f"{root}{path}/__init__.py"):
                if self._context.is_file(self._at(place)):
                    self._file(place)
                    return
        self._missing[self._at(f"{path}.py")] = None

    # setup.cfg and setup.py

    def setup_cfg(self) -> None:
        text = self._read("setup.cfg")
        if text is None:
            return
        import configparser

        self._file("setup.cfg")
        parser = configparser.RawConfigParser()
        try:
            parser.read_string(text)
        except configparser.Error:
            self._unsure[f"{self._at('setup.cfg')} can't be parsed"] = None
            return
        metadata = dict(parser["metadata"]) if parser.has_section("metadata") else {}
        options = dict(parser["options"]) if parser.has_section("options") else {}
        self._name = self._name or metadata.get("name", "")
        for value in (*metadata.values(), *options.values()):
            self._cfg_value(value)
        if "install_requires" in options and not self._static:
            self._cfg_lines("", options["install_requires"])
        if parser.has_section("options.extras_require"):
            for name, value in parser["options.extras_require"].items():
                self._cfg_value(value)
                if name not in self._extras:
                    self._cfg_lines(name, value)
            self._unknown.pop("*", None)
        for pattern in _cfg_list(metadata.get("license_files", metadata.get("license_file", ""))):
            self._glob(pattern, optional=True)

    def _cfg_lines(self, key: str, value: str) -> None:
        files = _cfg_file(value)
        if files:
            self._from_files(key, files)
        elif not key.partition(":")[2]:
            # On a single line, semicolons part the requirements.
            # source: setuptools' config/setupcfg.py, _parse_list_semicolon
            lines = _cfg_list(value if "\n" in value else value.replace(";", "\n"))
            plain = (line.partition(" #")[0].strip() for line in lines)
            self._take(key, tuple(line for line in plain if line and not line.startswith("#")))

    def _cfg_value(self, value: str) -> None:
        for path in _cfg_file(value):
            self._file(path)
        if value.strip().startswith("attr:"):
            self._module(value.strip()[5:].strip().rpartition(".")[0])

    def setup_py(self) -> None:
        text = self._read("setup.py")
        if text is None:
            return
        from dfcache.model.setup_script import read_setup

        self._file("setup.py")
        script = read_setup(text, lambda path: self._context.read(self._at(path)))
        self._backend = self._backend or "setuptools"
        self._needs = (*(self._needs or _NEEDS), *script.needs)
        self._git = self._git or script.uses_git
        for path in script.files:
            if not path.startswith("/"):
                self._file(path)
        for module in script.modules:
            self._own_module(module)
        for reason in script.unsure:
            self._unsure[reason] = None
        if self._backend in ("setuptools", "pbr"):
            self._script(script)

    def _script(self, script: SetupScript) -> None:
        """Take what ``setup()`` is given; it is asked before setup.cfg, and behind pyproject."""
        unknown = dict(script.unknown)
        if not self._static:
            if script.dependencies is None:
                self._give_up("", unknown.get("", "setup.py computes install_requires"))
            elif script.pbr and self._context.is_file(self._at("requirements.txt")):
                self._file("requirements.txt")
                self._from_files("", ["requirements.txt"])
            elif script.dependencies:
                if self._declares:
                    self._give_up("", "pyproject.toml and setup.py both declare the project")
                else:
                    files = self._sources_of(script.files, script.dependencies)
                    self._take("", script.dependencies, files)
        for name, lines in script.extras:
            if name not in self._extras:
                self._take(name, lines, self._sources_of(script.files, lines))
        for name, reason in unknown.items():
            if name and name not in self._extras:
                self._give_up(name, reason)

    def _sources_of(self, files: Iterable[str], lines: tuple[str, ...]) -> list[str]:
        """Those of the files that a script opens that the lines come from, if all of them do."""
        texts = [path for path in files if path.endswith((".txt", ".in", ".pip"))]
        for path in texts:
            if self._said_by([path], lines):
                return [path]
        wanted = {_essence(entry) for entry in map(parse_requirement, lines) if entry}
        parts = []
        for path in texts:
            found = read_requirements(self._context.read, self._at(path))
            if found.entries and {_essence(entry) for entry in found.entries} <= wanted:
                parts.append(path)
        return parts if parts and self._said_by(parts, lines) else []

    def _own_module(self, name: str) -> None:
        """Add an imported module if it is one of the project; what that imports is unknown."""
        path = name.replace(".", "/")
        for place in (f"{path}.py", f"{path}/__init__.py"):
            if self._context.is_file(self._at(place)):
                self._file(place)
                if name != "versioneer":
                    self._unsure[f"setup.py imports {name} of the project"] = None


def _essence(entry: Requirement) -> object:
    """What a requirement asks for, however it is written."""
    url = "".join(entry.url.split()) if entry.url else entry.path
    clauses = frozenset(
        "".join(clause.split()) for clause in entry.specifier.strip("() ").split(",") if clause
    )
    extras = frozenset(normalised(extra) for extra in entry.extras)
    return entry.name, clauses, extras, "".join(entry.marker.replace("'", '"').split()), url


def _table(table: object, name: str) -> dict[str, object]:
    value = table.get(name) if isinstance(table, dict) else None
    return value if isinstance(value, dict) else {}


def _text(table: Table, name: str) -> str:
    value = table.get(name)
    return value if isinstance(value, str) else ""


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _strings(value: object) -> list[str]:
    return [item for item in _items(value) if isinstance(item, str)]


def _lists(table: Table) -> dict[str, tuple[str, ...]]:
    return {name: tuple(_strings(value)) for name, value in table.items()}


def _file_names(value: object) -> list[str]:
    """The files in ``"README.md"``, ``{file = "README.md"}`` and ``{file = [...]}``."""
    return _strings(value.get("file")) if isinstance(value, dict) else _strings(value)


def _group(table: Table, name: str, within: tuple[str, ...]) -> Iterable[str]:
    """A dependency group, with the groups that it includes."""
    if name in within:
        return
    for item in _items(table.get(name)):
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            yield from _group(table, _text(item, "include-group"), (*within, name))


def _cfg_file(value: str) -> list[str]:
    value = value.strip()
    if not value.startswith("file:"):
        return []
    return [path.strip() for path in value[5:].replace("\n", ",").split(",") if path.strip()]


def _cfg_list(value: str) -> list[str]:
    if _cfg_file(value):
        return []
    return [line.strip() for line in value.split("\n") if line.strip()]
