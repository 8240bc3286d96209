"""Parser directives, and which frontend a file asks for."""

from __future__ import annotations

from typing import NamedTuple

from dfcache.parser.chars import BOM, SPACE

NAMES = ("syntax", "escape", "check")
# What ``\s`` stands for in a Go expression.
_SPACE = "\t\n\f\r "
# A longer line ends the search.
_LONGEST = 65_535


class Frontend(NamedTuple):
    """The frontend a file asks for: its image, and all the text that stood there."""

    image: str
    text: str


def directive(line: str, prefix: str = "#") -> tuple[str, str] | None:
    """The name (in lower case) and value of a directive, if ``line`` is one."""
    if not line.startswith(prefix):
        return None
    name, equals, value = line[len(prefix) :].lstrip(SPACE).partition("=")
    name = name.rstrip(_SPACE).lower()
    if not equals or not value or name not in NAMES:
        return None
    # A value of nothing but blanks is its last blank.
    return name, value.strip(_SPACE) or value[-1]


def frontend(source: str) -> Frontend | None:
    """The frontend named by the file's ``syntax`` line, as ``docker build`` looks for it.

    That is not how the frontend itself reads directives: here a first ``#!`` line is
    skipped, ``//`` works like ``#``, and a file may be a JSON object.
    """
    text = source.removeprefix(BOM)
    if text.startswith("#!"):
        text = text.partition("\n")[2]
    for prefix in ("#", "//"):
        value = _named("syntax", text, prefix)
        if value is not None:
            return Frontend(value.partition(" ")[0], value)
    if text.lstrip(_SPACE).startswith("{"):
        return _json_frontend(text)
    return None


def _named(name: str, text: str, prefix: str) -> str | None:
    seen = set()
    at = 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        found = directive(text[at:end].removesuffix("\r"), prefix)
        if found is None or found[0] in seen or end - at > _LONGEST:
            return None
        if found[0] == name:
            return found[1]
        seen.add(found[0])
        at = end + 1
    return None


def _json_frontend(text: str) -> Frontend | None:
    import json

    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    image = value.get("syntax") if isinstance(value, dict) else None
    return Frontend(image, image) if isinstance(image, str) else None


def _refuse(constant: str) -> None:
    raise ValueError(constant)
