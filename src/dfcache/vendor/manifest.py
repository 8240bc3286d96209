"""The manifest of a folder of packages: what dfcache put there, for what, and its hashes.

It is ``dfcache.json`` in the folder, to be committed with it, and made for diffs: sorted, one
file or requirement a line, nothing of the machine or the time it was written. Its form, version 1:

    {
      "version": 1,
      "inputs": [
        {
          "dockerfile": "Dockerfile",        a path of the build context
          "target": "python3.11 linux/amd64 glibc2.36",
          "requirements": ["flask==3.0.0"],  without options, as pip would be given them; sorted
          "constraints": []
        }
      ],
      "files": {
        "flask-3.0.0-py3-none-any.whl": {
          "name": "flask",                   normalised
          "version": "3.0.0",
          "sha256": "…",
          "size": 101677,                    in bytes
          "targets": ["python3.11 linux/amd64 glibc2.36"],
          "built": false                     true: made from source here, not fetched
        }
      }
    }

Each entry of ``files`` is on one line. Files of the folder that it doesn't name are somebody
else's: dfcache never changes or deletes them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dfcache.model.target import Target, target_from, target_text
from dfcache.record import EMPTY, record, replace

NAME = "dfcache.json"
_VERSION = 1
_AGAIN = "delete it and run `dfcache vendor`, which writes it anew"


class ManifestError(Exception):
    """A manifest that can't be used: ``FILE:LINE: what is wrong and what to do``, one line."""


@record
class Input:
    """What one Dockerfile asked for on one target.

    ``dockerfile`` is a path of the build context. ``requirements`` and ``constraints`` are lines
    without options.
    """

    dockerfile: str
    target: Target
    requirements: tuple[str, ...]
    constraints: tuple[str, ...] = ()


@record
class Entry:
    """One file that dfcache put into the folder: ``size`` in bytes, ``sha256`` in hexadecimal.

    ``targets`` are those it is for. ``built`` is True where it was made here from source, so that
    no index has its hash.
    """

    file: str
    name: str
    version: str
    sha256: str
    size: int
    targets: tuple[Target, ...]
    built: bool = False


@record
class Manifest:
    """All that is in a manifest; files by their names."""

    inputs: tuple[Input, ...] = ()
    files: Mapping[str, Entry] = EMPTY

    @property
    def targets(self) -> tuple[Target, ...]:
        """The targets that the folder was filled for, sorted."""
        return tuple(sorted({each.target for each in self.inputs}, key=target_text))

    def with_inputs(self, dockerfile: str, inputs: Iterable[Input]) -> Manifest:
        """The manifest with ``inputs`` in the place of those that ``dockerfile`` had."""
        others = (each for each in self.inputs if each.dockerfile != dockerfile)
        return replace(self, inputs=(*others, *inputs))

    def with_files(self, entries: Iterable[Entry]) -> Manifest:
        """The manifest with files added, or replaced; targets of one file are put together."""
        files = dict(self.files)
        for entry in entries:
            held = files.get(entry.file)
            if held is not None and held.sha256 == entry.sha256:
                entry = replace(entry, targets=(*held.targets, *entry.targets))
            files[entry.file] = entry
        return replace(self, files=files)

    def without(self, files: Iterable[str]) -> Manifest:
        """The manifest without some files."""
        gone = set(files)
        kept = {name: entry for name, entry in self.files.items() if name not in gone}
        return replace(self, files=kept)


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a folder, None where it has none. Raises ManifestError."""
    path = folder / NAME
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise ManifestError(f"{path}: can't be read: {why}") from None
    return parse(text, str(path))


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a folder, in one step. Raises OSError."""
    path = folder / NAME
    part = folder / f".{NAME}.part"
    try:
        part.write_text(render(manifest), "utf-8", newline="\n")
        os.replace(part, path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


# --- Text ----------------------------------------------------------------------------------


def render(manifest: Manifest) -> str:
    """The text of a manifest: the same for the same content, whatever order that came in."""
    import json

    inputs = sorted((_input(each) for each in manifest.inputs), key=_order)
    lines = [f'{{\n  "version": {_VERSION},\n  "inputs": [']
    lines.append(",".join("\n" + _indented(json.dumps(each, indent=2)) for each in inputs))
    lines.append("\n  ],\n" if inputs else "],\n")
    files = [
        f"\n    {json.dumps(name)}: {json.dumps(_entry(manifest.files[name]))}"
        for name in sorted(manifest.files)
    ]
    lines.append('  "files": {' + ",".join(files) + ("\n  }\n}\n" if files else "}\n}\n"))
    return "".join(lines)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.split("\n"))


def _order(value: Mapping[str, Any]) -> tuple[str, ...]:
    return (value["dockerfile"], value["target"], *value["requirements"])


def _input(value: Input) -> dict[str, Any]:
    return {
        "dockerfile": value.dockerfile,
        "target": target_text(value.target),
        "requirements": sorted(set(value.requirements)),
        "constraints": sorted(set(value.constraints)),
    }


def _entry(value: Entry) -> dict[str, Any]:
    return {
        "name": value.name,
        "version": value.version,
        "sha256": value.sha256,
        "size": value.size,
        "targets": sorted({target_text(target) for target in value.targets}),
        "built": value.built,
    }


def parse(text: str, where: str) -> Manifest:
    """The manifest that ``text`` is; ``where`` names it in errors. Raises ManifestError."""
    import json

    try:
        data = json.loads(text)
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        conflict = "<<<<<<<" in text and ">>>>>>>" in text
        what = "holds the marks of a merge" if conflict else "is not JSON"
        raise ManifestError(f"{where}:{line}: {what}; {_AGAIN}") from None
    version = data.get("version") if isinstance(data, dict) else None
    if isinstance(version, int) and version > _VERSION:
        message = f"is of version {version}, and this dfcache knows {_VERSION}: update dfcache"
        raise ManifestError(f"{where}:1: {message}")
    if version != _VERSION:
        raise ManifestError(f"{where}:1: is no manifest of dfcache; {_AGAIN}")
    try:
        return Manifest(
            tuple(_read_input(each) for each in data["inputs"]),
            {str(name): _read_entry(str(name), each) for name, each in data["files"].items()},
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        detail = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise ManifestError(f"{where}:1: can't be understood ({detail}); {_AGAIN}") from None


def _read_input(data: Mapping[str, Any]) -> Input:
    return Input(
        str(data["dockerfile"]),
        target_from(data["target"]),
        _texts(data["requirements"]),
        _texts(data["constraints"]),
    )


def _read_entry(file: str, data: Mapping[str, Any]) -> Entry:
    if "/" in file or "\\" in file or file.startswith("."):
        raise ValueError(f"{file!r} is no name of a package")
    if not re.fullmatch(r"[0-9a-f]{64}", str(data["sha256"])):
        raise ValueError(f"the sha256 of {file}")
    return Entry(
        file,
        str(data["name"]),
        str(data["version"]),
        data["sha256"],
        int(data["size"]),
        tuple(target_from(each) for each in data["targets"]),
        bool(data["built"]),
    )


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError(f"{value!r} is no list of texts")
    return tuple(value)
