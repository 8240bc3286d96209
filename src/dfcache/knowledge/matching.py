"""Finds what is known of the image behind a ``FROM``."""

from __future__ import annotations

from dfcache.knowledge.loader import load
from dfcache.knowledge.records import BaseImage, Knowledge, System
from dfcache.record import replace


def find_image(name: str, tag: str, knowledge: Knowledge | None = None) -> BaseImage | None:
    """What is known of the image ``name`` under ``tag`` ("" where none is given).

    Mirrors of official images and images for one architecture count as the official one.
    A digest may follow the name or the tag. A digest without a tag leaves the C library
    open, as variants differ in their tags.
    """
    knowledge = knowledge or load()
    name, _, digest = name.partition("@")
    tag, _, later = tag.partition("@")
    name = _official(name, knowledge.mirrors)
    for image in knowledge.images:
        if matches(image.image, name) and matches(image.tag, tag):
            unknown = (digest or later) and not tag
            return replace(image, libc=None) if unknown else image
    return None


def find_architecture(name: str, knowledge: Knowledge | None = None) -> str:
    """The platform that what stands in front of an image's name tells (``arm64v8/``), or ""."""
    knowledge = knowledge or load()
    for mirror in knowledge.mirrors:
        if name.startswith(mirror):
            found = knowledge.architectures.get(mirror)
            return found or find_architecture(name[len(mirror) :], knowledge)
    return ""


def find_system(name: str, tag: str, knowledge: Knowledge | None = None) -> System | None:
    """The release that an image is made from, where its tag tells."""
    knowledge = knowledge or load()
    name, tag = _plain(name, tag, knowledge)
    for system in knowledge.systems:
        if _any(system.image, name) and _any(system.tag, tag):
            return system
    return None


def find_python(name: str, tag: str, knowledge: Knowledge | None = None) -> str:
    """The version ("3.11") of the Python that an image brings, or "" where that is not known."""
    knowledge = knowledge or load()
    text = "\n".join(_plain(name, tag, knowledge))
    for known in knowledge.pythons:
        for image in known.image:
            for each in known.tag:
                found = _version(f"{image}\n{each}", text)
                if found is not None:
                    return known.python or found
    return ""


def _version(pattern: str, text: str) -> str | None:
    """What stands for ``{python}`` in ``text``, as major.minor; None if it is not like that."""
    import re

    before, given, behind = pattern.partition("{python}")
    first, last = (re.escape(part).replace(r"\*", ".*") for part in (before, behind))
    if not given:
        return "" if re.fullmatch(first, text) else None
    found = re.fullmatch(rf"{first}(3)(?:\.(\d+)(?:\.\d+)?(?:-?(?:rc|a|b)\d*)?|(\d+)){last}", text)
    return f"{found[1]}.{found[2] or found[3]}" if found else None


def _any(patterns: tuple[str, ...], text: str) -> bool:
    return any(matches(pattern, text) for pattern in patterns)


def _plain(name: str, tag: str, knowledge: Knowledge) -> tuple[str, str]:
    """Name and tag without mirror and digest."""
    return _official(name.partition("@")[0], knowledge.mirrors), tag.partition("@")[0]


def matches(pattern: str, text: str) -> bool:
    """Whether ``text`` is like ``pattern``, in which ``*`` stands for any text.

    Compared by hand: a regular expression for each pattern takes longer than the check of
    a whole file.
    """
    if "*" not in pattern:
        return pattern == text
    first, *middle, last = pattern.split("*")
    if not text.startswith(first) or len(text) < len(first) + len(last):
        return False
    at = len(first)
    for part in middle:
        at = text.find(part, at) + len(part)
        if at < len(part):
            return False
    return text.endswith(last) and at <= len(text) - len(last)


def _official(name: str, mirrors: tuple[str, ...]) -> str:
    rest = next((name[len(m) :] for m in mirrors if name.startswith(m)), name)
    return name if rest == name else _official(rest, mirrors)
