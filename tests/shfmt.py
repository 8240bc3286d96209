"""The simple commands of shell text as shfmt reads them: an independent parser to compare with."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from shutil import which
from typing import Any

SHFMT = which("shfmt", path=str(Path(sys.executable).parent)) or which("shfmt")
BATCH = 60

Simple = tuple[int, tuple[str, ...]]
"""A command: the offset of its first word or assignment, and its assignments and words."""


def simple_commands(scripts: Sequence[str]) -> list[list[Simple] | None]:
    """The commands of each script, sorted; None where shfmt refuses the script.

    Scripts are given to one process in batches, one after the other; where that is
    refused, one by one.
    """
    found: list[list[Simple] | None] = []
    for first in range(0, len(scripts), BATCH):
        batch = scripts[first : first + BATCH]
        together = _run("\n\n".join([*batch, ""]))
        if together is None:
            found += [_run(script) for script in batch]
        else:
            found += _apart(together, batch)
    return found


def _apart(commands: list[Simple], batch: Sequence[str]) -> Iterator[list[Simple]]:
    base = 0
    for script in batch:
        end = base + len(script) + 2
        yield [(at - base, words) for at, words in commands if base <= at < end]
        base = end


def _run(text: str) -> list[Simple] | None:
    assert SHFMT
    data = text.encode("utf-8", "surrogateescape")
    done = subprocess.run([SHFMT, "--to-json"], input=data, capture_output=True, check=False)
    if done.returncode:
        return None
    characters = None if len(data) == len(text) else _characters(text)
    source = data if characters else text
    found = sorted(_commands(json.loads(done.stdout), source))
    if characters:
        return [(characters[at], words) for at, words in found]
    return found


def _characters(text: str) -> dict[int, int]:
    """From offsets in bytes to offsets in characters."""
    found = {}
    at = 0
    for index, char in enumerate(text):
        found[at] = index
        at += len(char.encode("utf-8", "surrogateescape"))
    found[at] = len(text)
    return found


def _commands(node: Any, source: str | bytes) -> Iterator[Simple]:
    if isinstance(node, list):
        for child in node:
            yield from _commands(child, source)
    elif isinstance(node, dict):
        parts = _parts(node)
        if parts:
            words = []
            for part in parts:
                words.append(_text(source[part["Pos"]["Offset"] : part["End"]["Offset"]]))
            yield parts[0]["Pos"]["Offset"], tuple(words)
        for key, child in node.items():
            if key not in ("Pos", "End"):
                yield from _commands(child, source)


def _parts(node: dict[str, Any]) -> list[dict[str, Any]]:
    kind = node.get("Type")
    if kind == "CallExpr":
        return [*node.get("Assigns", []), *node.get("Args", [])]
    if kind == "DeclClause":
        return [node["Variant"], *node.get("Args", [])]
    if kind == "LetClause":
        # shfmt has expressions where the shell has words.
        start = node["Pos"]["Offset"]
        word = {"Pos": {"Offset": start}, "End": {"Offset": start + len("let")}}
        return [word]
    return []


def _text(part: str | bytes) -> str:
    text = part.decode("utf-8", "surrogateescape") if isinstance(part, bytes) else part
    return text.replace("\\\n", "")
