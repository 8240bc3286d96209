"""Loads what dfcache knows.

In a wheel that is one JSON file, made by the build. In a checkout it is the folder
``rules/``; reading its YAML takes some 300 ms, so the result is kept in the user's cache
directory for as long as no file of the folder changes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from dfcache.diagnostics import Severity
from dfcache.knowledge.records import (
    BaseImage,
    CacheDir,
    Example,
    Index,
    Knowledge,
    PythonImage,
    RulePage,
    SwitchedOff,
    System,
    Tool,
    ToolCommand,
)

_HERE = Path(__file__).parent
_PACKED = _HERE / "rules.json"
_FOLDER = _HERE.parents[2] / "rules"


class KnowledgeError(Exception):
    """A mistake in a rules folder: ``FILE:LINE: what is wrong``, in one line."""


def load(extra: Sequence[Path] = ()) -> Knowledge:
    """All that is known; ``extra`` are folders of the user with ``tools/`` and ``images.yaml``.

    A tool of theirs takes the place of the one with its name, and their images are looked
    at before dfcache's. Raises KnowledgeError.
    """
    return _load(tuple(str(folder) for folder in extra))


def page(code_or_name: str) -> RulePage | None:
    """The page of a rule, by its code (in any case) or name."""
    wanted = code_or_name.lower()
    return next(
        (page for page in load().pages if wanted in (page.code.lower(), page.name)),
        None,
    )


@cache
def tools_for(program: str) -> tuple[Tool, ...]:
    """The tools that a program (the last part of its path) is, or is a shorthand of."""
    return tuple(tool for tool in load().tools if _is_called(tool, program))


def _is_called(tool: Tool, program: str) -> bool:
    if program in tool.shorthands or program in tool.programs.split("|"):
        return True
    if tool.programs.replace("|", "").replace("-", "").isalnum():
        return False
    import re

    return re.fullmatch(tool.programs, program) is not None


@cache
def _load(extra: tuple[str, ...]) -> Knowledge:
    known = _knowledge(_read(_PACKED) if _PACKED.exists() else _compiled(_FOLDER))
    for folder in extra:
        known = _merged(known, _knowledge(_compiled(Path(folder))), folder)
    return known


def _merged(known: Knowledge, more: Knowledge, folder: str) -> Knowledge:
    if more.pages:
        raise KnowledgeError(f"{folder}: a folder of your own has no pages of rules")
    names = {tool.name for tool in more.tools}
    kept = tuple(tool for tool in known.tools if tool.name not in names)
    return Knowledge(
        pages=known.pages,
        tools=kept + more.tools,
        images=more.images + known.images,
        mirrors=known.mirrors + more.mirrors,
        architectures={**known.architectures, **more.architectures},
        systems=more.systems + known.systems,
        pythons=more.pythons + known.pythons,
    )


# --- The compiled form, and where it is kept -------------------------------------------


def _read(path: Path) -> Any:
    import json

    return json.loads(path.read_bytes())


def _compiled(folder: Path) -> Any:
    """What is in ``folder``, from the kept copy where it is still true."""
    stamp = _stamp(folder)
    kept = _kept_at(folder)
    try:
        content = _read(kept)
        if content["stamp"] == stamp:
            return content["rules"]
    except (OSError, ValueError, LookupError, TypeError):
        pass
    from dfcache.knowledge.compiling import compile_folder

    rules = compile_folder(folder)
    _keep(kept, {"stamp": stamp, "rules": rules})
    return rules


def _stamp(folder: Path) -> list[list[object]]:
    """The files that the compiled form depends on, with their times and sizes."""
    found = []
    for place in (folder, folder / "tools", _HERE):
        try:
            entries = list(os.scandir(place))
        except OSError as error:
            if place == folder:
                raise KnowledgeError(f"{folder}: {error.strerror}") from None
            continue
        for entry in entries:
            if entry.name.endswith((".md", ".yaml", ".py")):
                status = entry.stat()
                found.append([entry.path, status.st_mtime_ns, status.st_size])
    found.sort()
    return found


def _kept_at(folder: Path) -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    name = os.path.abspath(folder).replace(os.sep, "-").replace(":", "").strip("-")
    return Path(base, "dfcache", f"{name}.json")


def _keep(path: Path, content: object) -> None:
    """Write the kept copy; where that can't be done, the next run compiles again."""
    import json
    import tempfile

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)
        with open(handle, "w", encoding="utf-8") as file:
            json.dump(content, file)
        os.replace(name, path)
    except OSError:
        pass


# --- From plain values to records --------------------------------------------------------


def _knowledge(data: Mapping[str, Any]) -> Knowledge:
    return Knowledge(
        pages=tuple(_page(entry) for entry in data["pages"]),
        tools=tuple(_tool(entry) for entry in data["tools"]),
        images=tuple(image for entry in data["images"] for image in _images(entry)),
        mirrors=tuple(data["mirrors"]),
        architectures=data["architectures"],
        systems=tuple(
            System(tuple(e["image"]), tuple(e["tag"]), e["libc"], e["python"])
            for e in data["systems"]
        ),
        pythons=tuple(
            PythonImage(tuple(e["image"]), tuple(e["tag"]), e["python"]) for e in data["pythons"]
        ),
    )


def _page(entry: Mapping[str, Any]) -> RulePage:
    return RulePage(
        **{
            **entry,
            "severity": Severity[entry["severity"].upper()],
            "bad": tuple(Example(*example) for example in entry["bad"]),
            "good": tuple(Example(*example) for example in entry["good"]),
        }
    )


def _tool(entry: Mapping[str, Any]) -> Tool:
    off = entry["off"]
    return Tool(
        **{
            **entry,
            "modules": tuple(entry["modules"]),
            "values": frozenset(entry["values"]),
            "commands": tuple(made for each in entry["commands"] for made in _commands(each)),
            "caches": tuple(_cache_dir(cache) for cache in entry["caches"]),
            "off": SwitchedOff(
                options=frozenset(off["options"]),
                env=off["env"],
                config=tuple(tuple(words.split()) for words in off["config"]),
            ),
            "index": Index(
                options=frozenset(entry["index"]["options"]),
                trusted_options=frozenset(entry["index"]["trusted_options"]),
                offline_env=tuple(entry["index"]["offline_env"]),
            ),
            "symlinks": tuple((name, value) for name, value in entry["symlinks"]),
            "keep": {program: tuple(words) for program, words in entry["keep"].items()},
            "shorthands": {
                name: tuple(words.split()) for name, words in entry["shorthands"].items()
            },
        }
    )


def _commands(entry: Mapping[str, Any]) -> list[ToolCommand]:
    """One command under each of its spellings."""
    project = entry["project"]
    fields = {
        **entry,
        "values": frozenset(entry["values"]),
        "offline": frozenset(entry["offline"]),
        "writes": frozenset(entry["writes"]),
        "manifests": tuple(entry["manifests"]),
        "project": None if project is None else tuple(project),
        "caches": tuple(entry["caches"]),
    }
    return [ToolCommand(**{**fields, "words": tuple(words.split())}) for words in entry["words"]]


def _cache_dir(entry: Mapping[str, Any]) -> CacheDir:
    return CacheDir(
        **{
            **entry,
            "env": tuple(entry["env"]),
            "options": tuple(entry["options"]),
            "filled_by": tuple(entry["filled_by"]),
            "keep_out": tuple(entry["keep_out"]),
        }
    )


def _images(entry: Mapping[str, Any]) -> list[BaseImage]:
    """One image for each pattern of a name with each of a tag.

    There are some 500, made on every start: so without keywords, and sharing what they can.
    """
    users = {name: (uid, gid, home) for name, (uid, gid, home) in entry["users"].items()}
    rest = [*(entry[key] for key in ("user", "uid", "gid", "home", "libc", "os", "env")), users]
    return [BaseImage(image, tag, *rest) for image in entry["image"] for tag in entry["tag"]]
