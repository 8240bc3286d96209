"""What the user configured: ``[tool.dfcache]`` in pyproject.toml, or dfcache.toml.

The configuration nearest to a Dockerfile wins and the others are not read: the search
goes from the file's folder upwards. In one folder dfcache.toml beats pyproject.toml,
and a pyproject.toml without ``[tool.dfcache]`` is passed over.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping
from typing import Any

from dfcache.diagnostics import Severity
from dfcache.model.wishes import PATTERNS, Wishes
from dfcache.record import record, replace

BUILDERS = ("buildkit", "buildah", "kaniko", "classic")
FAIL_LEVELS = ("info", "warning", "error")
_CHOICES = {
    "builder": BUILDERS,
    "pattern": PATTERNS,
    "fail-level": FAIL_LEVELS,
}
_LISTS = ("select", "extend-select", "ignore", "exclude")
_KEYS = (*_LISTS, "context", "packages", "index-url", *_CHOICES)


class SettingsError(Exception):
    """A configuration that can't be used: ``str()`` says what is wrong and what to do.

    ``path`` is the file it stands in ("" for the command line), ``line`` its line from
    1, or 0 where that is not known; ``column`` likewise.
    """

    def __init__(self, path: str, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.path = path
        self.line = line
        self.column = column


@record
class Settings:
    """How dfcache works on a file.

    ``select`` and ``ignore`` hold codes, names and beginnings of codes (``DFC1``); an empty
    ``select`` means every rule but those that run on request, which ``extend_select`` adds.
    ``builder``, ``pattern``, ``packages`` and ``index_url`` are those of Wishes. ``exclude`` are
    patterns over paths relative to ``root``, the folder of the configuration file. ``context``
    is a folder (absolute), or None where it is to be found. ``overrides`` are
    (patterns, changed values) pairs for single paths, in order; ``for_path`` applies them.
    ``source`` is the configuration file.
    """

    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    context: str | None = None
    builder: str = "buildkit"
    pattern: str | None = None
    packages: str = "pip_packages"
    index_url: str | None = None
    fail_level: Severity = Severity.WARNING
    root: str = ""
    source: str | None = None
    overrides: tuple[tuple[tuple[str, ...], Mapping[str, Any]], ...] = ()

    def for_path(self, path: str) -> Settings:
        """These settings with the overrides whose pattern matches ``path`` (the later one wins)."""
        changed: dict[str, Any] = {}
        for patterns, values in self.overrides:
            if matches(path, self.root, patterns):
                changed.update(values)
        return replace(self, **changed) if changed else self

    @property
    def wishes(self) -> Wishes:
        """What decides which fixes are right."""
        return Wishes(self.builder, self.pattern, self.packages, self.index_url)

    def wants(self, code: str, name: str, on_request: bool = False) -> bool:
        """Whether the rule is selected and not ignored; ``on_request`` ones are named in full."""
        if _named(code, name, self.ignore):
            return False
        if on_request or self.extend_select:
            named = (code, name)
            if any(each.upper() == code or each in named for each in self.extend_select):
                return True
            if on_request:
                return any(each.upper() == code or each == name for each in self.select)
        return not self.select or _named(code, name, self.select)


def load(path: str) -> Settings:
    """The settings of the configuration file ``path``. Raises SettingsError."""
    import tomllib

    try:
        with open(path, "rb") as file:
            data = tomllib.load(file)
    except OSError as error:
        raise SettingsError(path, f"cannot read the configuration: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        line, column = _toml_place(str(error))
        raise SettingsError(path, f"not valid TOML: {error}", line, column) from None
    if os.path.basename(path) == "pyproject.toml":
        tool = data.get("tool")
        data = tool.get("dfcache", {}) if isinstance(tool, dict) else {}
    if not isinstance(data, dict):
        raise SettingsError(path, "tool.dfcache must be a table")
    root = os.path.dirname(os.path.abspath(path))
    overrides = data.pop("overrides", [])
    settings = replace(Settings(root=root, source=path), **_values(path, root, data, _KEYS))
    return replace(settings, overrides=_overrides(path, root, overrides))


class Finder:
    """Finds the settings for files; each folder is looked at once."""

    __slots__ = ("_fixed", "_folders")

    def __init__(self, config: str | None = None) -> None:
        """``config`` is a file to use for everything. Raises SettingsError if it is no good."""
        self._fixed = load(config) if config is not None else None
        self._folders: dict[str, Settings | SettingsError] = {}

    def near(self, folder: str) -> Settings:
        """The settings for files in ``folder``. Raises SettingsError."""
        if self._fixed is not None:
            return self._fixed
        found = self._folder(os.path.abspath(folder))
        if isinstance(found, SettingsError):
            raise found
        return found

    def _folder(self, folder: str) -> Settings | SettingsError:
        climbed = []
        found: Settings | SettingsError | None = None
        while found is None:
            found = self._folders.get(folder)
            if found is None:
                climbed.append(folder)
                found = _in_folder(folder)
                above = os.path.dirname(folder)
                if found is None and above == folder:
                    found = Settings(root=os.getcwd())
                folder = above
        for each in climbed:
            self._folders[each] = found
        return found


def matches(path: str, root: str, patterns: tuple[str, ...]) -> bool:
    """Whether ``path`` or a folder it lies in matches one of ``patterns``.

    A pattern with a ``/`` in it is matched from ``root`` on, one without at any depth.
    """
    if not patterns:
        return False
    from fnmatch import fnmatch

    relative = os.path.relpath(os.path.abspath(path), root or os.getcwd()).replace(os.sep, "/")
    parts = relative.split("/")
    heads = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    for pattern in patterns:
        plain = pattern.strip("/").removeprefix("./").removesuffix("/**")
        anchored = "/" in pattern.rstrip("/")
        if any(fnmatch(each, plain) for each in (heads if anchored else parts)):
            return True
        if plain.startswith("**/") and any(fnmatch(head, plain[3:]) for head in heads):
            return True
    return False


def _named(code: str, name: str, selectors: tuple[str, ...]) -> bool:
    return any(
        each == name or (each[:3].upper() == "DFC" and code.startswith(each.upper()))
        for each in selectors
    )


def _in_folder(folder: str) -> Settings | SettingsError | None:
    path = os.path.join(folder, "dfcache.toml")
    try:
        if os.path.isfile(path):
            return load(path)
        path = os.path.join(folder, "pyproject.toml")
        if os.path.isfile(path):
            with open(path, "rb") as file:
                mentioned = b"dfcache" in file.read()
            if mentioned and _has_table(path):
                return load(path)
    except SettingsError as error:
        return error
    except OSError as error:
        return SettingsError(path, f"cannot read the configuration: {error.strerror}")
    return None


def _has_table(path: str) -> bool:
    """Whether a pyproject.toml has ``[tool.dfcache]``; a broken one counts, so that it is named."""
    import tomllib

    with open(path, "rb") as file:
        try:
            data = tomllib.load(file)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            return True
    tool = data.get("tool")
    return isinstance(tool, dict) and "dfcache" in tool


def _values(
    path: str, root: str, data: Mapping[str, Any], known: tuple[str, ...]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in data.items():
        if key not in known:
            raise SettingsError(path, _unknown("key", key, known))
        if key in _LISTS:
            values[key.replace("-", "_")] = _texts(path, key, value)
        elif not isinstance(value, str):
            raise SettingsError(path, f"{key} must be a text, not {value!r}")
        elif key == "context":
            values[key] = os.path.join(root, value)
        elif key == "packages":
            values[key] = _folder(path, value)
        elif key == "index-url":
            values["index_url"] = _index(path, value)
        elif value not in _CHOICES[key]:
            raise SettingsError(path, _unknown(f"value of {key}:", value, _CHOICES[key]))
        elif key == "fail-level":
            values["fail_level"] = Severity[value.upper()]
        else:
            values[key] = value
    return values


def _overrides(
    path: str, root: str, data: object
) -> tuple[tuple[tuple[str, ...], Mapping[str, Any]], ...]:
    if not isinstance(data, list) or not all(isinstance(each, dict) for each in data):
        raise SettingsError(path, "overrides must be an array of tables: [[overrides]]")
    known = tuple(key for key in _KEYS if key not in ("exclude", "fail-level"))
    found = []
    for table in data:
        if "paths" not in table:
            raise SettingsError(path, 'an overrides table needs paths = ["…"]')
        rest = {key: value for key, value in table.items() if key != "paths"}
        patterns = _texts(path, "paths", table["paths"])
        found.append((patterns, _values(path, root, rest, known)))
    return tuple(found)


def _folder(path: str, value: str) -> str:
    """A folder of the build context, normalised."""
    found = posixpath.normpath(value.replace("\\", "/")) if value else "."
    if found.startswith(("/", "..")) or found == ".":
        raise SettingsError(path, f"packages must be a folder in the build context, not {value!r}")
    return found


def _index(path: str, value: str) -> str:
    scheme, _, rest = value.partition("://")
    if scheme not in ("http", "https") or not rest:
        raise SettingsError(path, "index-url must start with https:// or http://")
    if "@" in rest.partition("/")[0]:
        raise SettingsError(
            path,
            "index-url must hold no user or password: it would stay in the history of every image;"
            " pass them as a secret",
        )
    return value


def _texts(path: str, key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise SettingsError(path, f'{key} must be a list of texts, as in {key} = ["…"]')
    return tuple(value)


def _unknown(what: str, word: str, known: tuple[str, ...]) -> str:
    near = closest(word, known)
    hint = f"did you mean {near}?" if near else f"known are {', '.join(known)}"
    return f"unknown {what} {word}; {hint}"


def closest(word: str, known: tuple[str, ...]) -> str | None:
    """The entry of ``known`` that ``word`` was most likely meant to be."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, known, 1)), None)


def _toml_place(message: str) -> tuple[int, int]:
    """Line and column out of a message of tomllib: ``… (at line 1, column 3)``."""
    _, found, place = message.rpartition("(at line ")
    line, _, column = place.rstrip(")").partition(", column ")
    return (int(line), int(column)) if found and line.isdigit() and column.isdigit() else (0, 0)
