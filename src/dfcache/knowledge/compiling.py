"""Reads a rules folder into plain values, and says where it is wrong.

The build of a wheel uses this, and the loader where there is no wheel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dfcache.knowledge.loader import KnowledgeError
from dfcache.knowledge.pages import read_page

_REQUIRED: Any = object()


def compile_folder(folder: Path) -> dict[str, Any]:
    """The pages, tools and images of ``folder``, as JSON can hold them. Raises KnowledgeError."""
    pages = [read_page(path, path.name) for path in sorted(folder.glob("DFC*.md"))]
    _unique(((page["code"], f"{page['code']}-{page['name']}.md") for page in pages), "code")
    _unique(((page["name"], f"{page['code']}-{page['name']}.md") for page in pages), "name")
    tools = []
    seen: dict[str, str] = {}
    for path in sorted((folder / "tools").glob("*.yaml")):
        entry = _Entry(_yaml(path), f"tools/{path.name}", 1)
        tool = _tool(entry)
        if tool["name"] in seen:
            raise entry.wrong("name", f"tool {tool['name']} is in {seen[tool['name']]} already")
        seen[tool["name"]] = entry.file
        tools.append(tool)
    return {"pages": pages, "tools": tools, **_image_file(folder / "images.yaml")}


def _unique(named: Iterator[tuple[str, str]], what: str) -> None:
    seen: dict[str, str] = {}
    for value, file in named:
        if value in seen:
            raise KnowledgeError(f"{file}:1: {what} {value} is taken by {seen[value]}")
        seen[value] = file


def _yaml(path: Path) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError

    try:
        return YAML().load(path.read_text("utf-8"))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise KnowledgeError(f"{path.name}:{line}: {error.problem}") from None


class _Entry:
    """A mapping of a YAML file, read key by key; knows where a mistake is."""

    def __init__(self, data: Any, file: str, line: int) -> None:
        self.file = file
        self.line = line
        if not isinstance(data, Mapping):
            raise KnowledgeError(f"{file}:{line}: expected keys and values")
        self.data: Any = data
        self.left = {key for key in data if key != "source" and not key.startswith("x-")}

    def wrong(self, key: str, message: str) -> KnowledgeError:
        line = self.data.lc.key(key)[0] + 1 if key in self.data else self.line
        return KnowledgeError(f"{self.file}:{line}: {message}")

    def take(self, key: str, default: Any) -> Any:
        self.left.discard(key)
        if key in self.data:
            return self.data[key]
        if default is _REQUIRED:
            raise self.wrong(key, f"{key} is missing")
        return default

    def text(self, key: str, default: Any = _REQUIRED, among: tuple[str, ...] = ()) -> Any:
        value = self.take(key, default)
        if not (isinstance(value, str) or (value is None and default is None)):
            raise self.wrong(key, f"{key} has to be text, not {value!r}")
        if among and value not in among:
            raise self.wrong(key, f"{key} has to be one of {', '.join(among)}, not {value}")
        return value if value is None else str(value)

    def flag(self, key: str) -> bool:
        value = self.take(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, f"{key} has to be true or false, not {value!r}")
        return value

    def number(self, key: str, default: int | None) -> int | None:
        value = self.take(key, default)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise self.wrong(key, f"{key} has to be a number or null, not {value!r}")
        return value if value is None else int(value)

    def texts(self, key: str, default: Any = ()) -> list[str]:
        """A text, or a list of texts; a list in the list (an anchor's) counts as its items."""
        found = list(_flat(self.take(key, default)))
        for value in found:
            if not isinstance(value, str):
                raise self.wrong(key, f"{key} has to hold text, not {value!r}")
        return [str(value) for value in found]

    def table(self, key: str, among: tuple[str, ...] = ()) -> dict[str, str]:
        value = self.take(key, {})
        if not isinstance(value, Mapping):
            raise self.wrong(key, f"{key} has to be keys and values")
        for name, text in value.items():
            if not isinstance(text, str) or (among and text not in among):
                what = f"one of {', '.join(among)}" if among else "text"
                raise self.wrong(key, f"{key}: {name} has to be {what}, not {text!r}")
        return {str(name): str(text) for name, text in value.items()}

    def entries(self, key: str) -> list[_Entry]:
        value = self.take(key, [])
        if not isinstance(value, list):
            raise self.wrong(key, f"{key} has to be a list")
        lines = getattr(value, "lc", None)
        return [
            _Entry(item, self.file, lines.item(at)[0] + 1 if lines and lines.data else self.line)
            for at, item in enumerate(value)
        ]

    def entry(self, key: str) -> _Entry:
        value = self.take(key, {})
        line = self.data.lc.key(key)[0] + 1 if key in self.data else self.line
        return _Entry(value, self.file, line)

    def done(self) -> None:
        """Complain of a key that nothing asked for."""
        for key in self.data:
            if key in self.left:
                raise self.wrong(key, f"{key} is not a key of this place")


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _flat(item)
    else:
        yield value


# --- Tools ---------------------------------------------------------------------------------


_INDEX = ("options", "trusted_options", "offline_env")


def _tool(entry: _Entry) -> dict[str, Any]:
    off, index = entry.entry("off"), entry.entry("index")
    tool = {
        "name": entry.text("name"),
        "title": entry.text("title"),
        "programs": _expression(entry, "programs"),
        "modules": entry.texts("modules"),
        "values": entry.texts("values"),
        "commands": [_command(each) for each in entry.entries("commands")],
        "caches": [_cache_dir(each) for each in entry.entries("caches")],
        "off": {
            "options": off.texts("options"),
            "env": off.table("env", among=("boolean", "true", "set")),
            "config": off.texts("config"),
        },
        "symlinks": _pairs(entry, "symlinks"),
        "keep": _lists(entry, "keep"),
        "emptied_by": entry.text("emptied_by", None),
        "url": entry.text("url"),
        "shorthands": entry.table("shorthands"),
        "index": {key: index.texts(key) for key in _INDEX},
    }
    off.done()
    index.done()
    entry.done()
    names = {cache["name"] for cache in tool["caches"]}
    for command in tool["commands"]:
        for name in command["caches"]:
            if name not in names:
                raise entry.wrong("commands", f"{command['words'][0]}: there is no cache {name}")
    return tool


def _expression(entry: _Entry, key: str) -> Any:
    import re

    value = entry.text(key)
    try:
        re.compile(value)
    except re.error as error:
        raise entry.wrong(key, f"{key} is not a regular expression: {error}") from None
    return value


def _pairs(entry: _Entry, key: str) -> list[list[str]]:
    value = entry.take(key, [])
    pairs = [list(_flat(pair)) for pair in value]
    if any(len(pair) != 2 for pair in pairs):
        raise entry.wrong(key, f"{key} has to hold pairs of texts")
    return [[str(name), str(text)] for name, text in pairs]


def _lists(entry: _Entry, key: str) -> dict[str, list[str]]:
    value = entry.take(key, {})
    if not isinstance(value, Mapping):
        raise entry.wrong(key, f"{key} has to be keys and lists")
    return {str(name): [str(word) for word in _flat(words)] for name, words in value.items()}


_READS = ("requirements", "constraints", "project", "links", "group", "file", "workdir")


def _command(entry: _Entry) -> dict[str, Any]:
    command = {
        "words": entry.texts("words", _REQUIRED),
        "effect": entry.text("effect", among=("downloads", "fills", "purges", "reads")),
        "values": entry.texts("values"),
        "reads": entry.table("reads", among=_READS),
        "operands": entry.text(
            "operands", "none", ("requirements", "packages", "files", "program", "none")
        ),
        "offline": entry.texts("offline"),
        "writes": entry.texts("writes"),
        "manifests": entry.texts("manifests"),
        "project": entry.texts("project") if "project" in entry.data else None,
        "caches": entry.texts("caches"),
    }
    entry.done()
    return command


def _cache_dir(entry: _Entry) -> dict[str, Any]:
    cache = {
        "name": entry.text("name"),
        "default": entry.text("default"),
        "xdg": entry.text("xdg", None),
        "env": entry.texts("env"),
        "options": entry.texts("options"),
        "sharing": entry.text("sharing", among=("shared", "locked", "private")),
        "unwritable": entry.text("unwritable", among=("ignored", "fails")),
        "root_owned": entry.flag("root_owned"),
        "filled_by": entry.texts("filled_by"),
        "libc": entry.flag("libc"),
        "keep_out": entry.texts("keep_out"),
    }
    entry.done()
    if not cache["default"].startswith(("/", "~/")):
        raise entry.wrong("default", "default has to begin with / or ~/")
    return cache


# --- Images ------------------------------------------------------------------------------


def _image_file(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {"mirrors": [], "architectures": {}, "images": [], "systems": [], "pythons": []}
    entry = _Entry(_yaml(path), path.name, 1)
    made = {
        "mirrors": entry.texts("mirrors"),
        "architectures": entry.table("architectures"),
        "images": [image for each in entry.entries("images") for image in _image(each)],
        "systems": [_system(each) for each in entry.entries("systems")],
        "pythons": [_python(each) for each in entry.entries("pythons")],
    }
    entry.done()
    return made


def _system(entry: _Entry) -> dict[str, Any]:
    import re

    libc = entry.text("libc")
    if not re.fullmatch(r"(glibc|musl) \d+\.\d+", libc):
        raise entry.wrong("libc", f"libc has to be like glibc 2.36, not {libc}")
    made = {
        "image": entry.texts("image", "*"),
        "tag": entry.texts("tag", "*"),
        "libc": libc,
        "python": _version(entry),
    }
    entry.done()
    return made


def _python(entry: _Entry) -> dict[str, Any]:
    made = {
        "image": entry.texts("image", _REQUIRED),
        "tag": entry.texts("tag", "*"),
        "python": _version(entry),
    }
    for image in made["image"]:
        for tag in made["tag"]:
            if (image + tag).count("{python}") != (not made["python"]):
                message = f"{image}:{tag} has to have one {{python}}, or python its version"
                raise entry.wrong("image", message)
    entry.done()
    return made


def _version(entry: _Entry) -> Any:
    import re

    version = entry.text("python", "")
    if not re.fullmatch(r"(3\.\d+)?", version):
        raise entry.wrong("python", f'python has to be like "3.11", not {version}')
    return version


def _image(entry: _Entry) -> Iterator[dict[str, Any]]:
    """The variants of an image, narrow to wide: the first that fits a tag is taken."""
    names = entry.texts("image", _REQUIRED)
    variants = entry.entries("variants")
    plain = {
        "image": names,
        "tag": entry.texts("tag", "*"),
        "user": "root",
        "uid": 0,
        "gid": 0,
        "home": "/root",
        "libc": "glibc",
        "os": "linux",
        "env": {},
        "users": {},
    }
    plain = _image_fields(entry, plain)
    for variant in variants:
        yield _image_fields(variant, {**plain, "tag": variant.texts("tag", _REQUIRED)})
    yield plain


def _image_fields(entry: _Entry, base: dict[str, Any]) -> dict[str, Any]:
    made = {
        **base,
        "user": entry.text("user", base["user"]),
        "uid": entry.number("uid", base["uid"]),
        "gid": entry.number("gid", base["gid"]),
        "home": entry.text("home", base["home"]),
        "libc": entry.text("libc", None if "libc" in entry.data else base["libc"]),
        "os": entry.text("os", base["os"], ("linux", "windows")),
        "env": entry.table("env") if "env" in entry.data else base["env"],
        "users": _users(entry) if "users" in entry.data else base["users"],
    }
    if made["libc"] not in ("glibc", "musl", None):
        raise entry.wrong("libc", f"libc has to be glibc, musl or null, not {made['libc']}")
    if made["user"] != "root" and "uid" not in entry.data and base["user"] == "root":
        raise entry.wrong("user", f"uid is missing: null where that of {made['user']} varies")
    for pattern in (*made["image"], *made["tag"]):
        if set("?[]") & set(pattern):
            raise entry.wrong("image", f"{pattern}: only * is a pattern")
    entry.done()
    return made


def _users(entry: _Entry) -> dict[str, list[Any]]:
    users: dict[str, list[Any]] = {}
    for name, value in entry.take("users", {}).items():
        match value:
            case [int(uid), int(gid), str(home)]:
                users[str(name)] = [int(uid), int(gid), str(home)]
            case _:
                raise entry.wrong("users", f"users: {name} has to be [uid, gid, home]")
    return users
