"""Reads the page of a rule: front matter, sections, and its examples."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from dfcache.knowledge.loader import KnowledgeError

_KEYS = ("code", "name", "severity", "fix", "since")
_CHOICES = {
    "enabled": ("on-request",),
    "severity": ("error", "warning", "info"),
    "fix": ("safe", "unsafe", "display", "none"),
}
_FENCE = re.compile(r'(`{3,})(\w*)(?: title="([^"]+)")?')


def read_page(path: Path, file: str) -> dict[str, Any]:
    """The fields of a RulePage, as JSON can hold them; ``file`` is its name in messages.

    Raises KnowledgeError.
    """
    lines = path.read_text("utf-8").split("\n")
    front, body = _front_matter(lines, file)
    if file != f"{front['code']}-{front['name']}.md":
        raise KnowledgeError(
            f"{file}:1: the file of this page is {front['code']}-{front['name']}.md"
        )
    text = "\n".join(lines[body:]).strip("\n") + "\n"
    bad, good = _examples(lines, body, file)
    if front["fix"] != "none" and len(bad) != len(good):
        raise KnowledgeError(f"{file}:1: {len(bad)} examples under Bad, {len(good)} under Good")
    for before, after in zip(bad, good, strict=False):
        after[1] = after[1] or before[1]
    on_request = front.pop("enabled", None) is not None
    return {
        **front,
        "on_request": on_request,
        "problem": _problem(lines, body, file),
        "bad": bad,
        "good": good,
        "text": text,
    }


def _front_matter(lines: list[str], file: str) -> tuple[dict[str, str], int]:
    """The keys between the first two ``---``, and the index of the line behind them."""
    if lines[0] != "---" or "---" not in lines[1:]:
        raise KnowledgeError(f"{file}:1: expected front matter between two lines of ---")
    end = lines.index("---", 1)
    front: dict[str, str] = {}
    for number, line in enumerate(lines[1:end], 2):
        key, _, value = (part.strip() for part in line.partition(":"))
        if key not in (*_KEYS, "enabled") or key in front:
            raise KnowledgeError(f"{file}:{number}: unknown or repeated key {key}")
        if value not in _CHOICES.get(key, (value,)):
            raise KnowledgeError(f"{file}:{number}: {key} is one of {', '.join(_CHOICES[key])}")
        front[key] = value
    missing = [key for key in _KEYS if not front.get(key)]
    if missing:
        raise KnowledgeError(f"{file}:1: {missing[0]} is missing")
    for key, form in (("code", r"DFC\d{3}"), ("name", r"[a-z]+(-[a-z]+)*")):
        if not re.fullmatch(form, front[key]):
            raise KnowledgeError(f"{file}:1: {key} has to look like {form}, not {front[key]}")
    return front, end + 1


def _problem(lines: list[str], body: int, file: str) -> str:
    """The first paragraph, which has to be one line."""
    start = next((at for at in range(body, len(lines)) if lines[at]), len(lines) - 1)
    if lines[start].startswith("#") or not lines[start]:
        raise KnowledgeError(f"{file}:{start + 1}: expected the problem, before any heading")
    if lines[start + 1 : start + 2] != [""]:
        raise KnowledgeError(f"{file}:{start + 2}: the problem has to be one line")
    return lines[start]


def _examples(lines: list[str], body: int, file: str) -> tuple[list[Any], list[Any]]:
    """The Dockerfiles under Bad and Good, each as ``[text, {path: text} or None]``."""
    found: dict[str, list[Any]] = {"Bad": [], "Good": []}
    section = ""
    at = body
    while at < len(lines):
        if lines[at].startswith("## "):
            section = lines[at][3:]
        fence = _FENCE.fullmatch(lines[at])
        if fence:
            ticks, language, title = fence.groups()
            start = at + 1
            if ticks not in lines[start:]:
                raise KnowledgeError(f"{file}:{start}: this block is not closed")
            at = lines.index(ticks, start)
            if section in found:
                content = "".join(f"{line}\n" for line in lines[start:at])
                _add(found[section], language, title, content, f"{file}:{start}")
        at += 1
    return found["Bad"], found["Good"]


def _add(examples: list[Any], language: str, title: str | None, content: str, at: str) -> None:
    """A block without a title is a Dockerfile; one with a title is a file of its context."""
    if title is None:
        if language != "dockerfile":
            raise KnowledgeError(f"{at}: a block here is a dockerfile, or has a title")
        examples.append([content, None])
    elif not examples:
        raise KnowledgeError(f"{at}: {title} has to stand behind the Dockerfile it belongs to")
    else:
        examples[-1][1] = {**(examples[-1][1] or {}), title: content}
