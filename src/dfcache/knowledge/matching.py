"""Finds what is known of the image behind a ``FROM``."""

from __future__ import annotations

from dfcache.knowledge.loader import load
from dfcache.knowledge.records import BaseImage, Knowledge
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
