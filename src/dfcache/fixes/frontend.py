"""Mounts and the ``# syntax=`` line: a file that gets one needs a frontend that has them."""

from __future__ import annotations

from collections.abc import Sequence

from dfcache.fixes.plan import Plan
from dfcache.parser.directives import frontend
from dfcache.parser.tree import Dockerfile
from dfcache.text import Edit, Span

# The first stable Dockerfile frontend with `RUN --mount` (docker/dockerfile 1.2.0). The
# experimental ones, called labs from then on, always had it, with an owner from 1.1.2 on.
_FIRST = (1, 2)
_OFFICIAL = ("docker/dockerfile", "docker/dockerfile-upstream")


def raise_frontend(dockerfile: Dockerfile, flags: Sequence[str], plan: Plan) -> None:
    """Have the file ask for a frontend that knows the new mounts ``flags``."""
    asked = frontend(dockerfile.source)
    if asked is None:
        return
    name, _, digest = asked.image.partition("@")
    name, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        name, tag = (name + colon + tag), ""
    if name.removeprefix("docker.io/") not in _OFFICIAL:
        if not _has_mounts(dockerfile):
            plan.doubt(f"whether the frontend {asked.image} has mounts can't be told")
    elif digest and not tag:
        if not _has_mounts(dockerfile):
            plan.doubt(f"how old the frontend {asked.image[:40]}… is can't be told")
    elif _too_old(tag, flags):
        channel = "-labs" if "-" in tag else ""
        _raise(dockerfile, asked.text, f"{name}:1.2{channel}", digest, plan)


def _has_mounts(dockerfile: Dockerfile) -> bool:
    """Whether the file uses them already."""
    return any(flag.name == "mount" for each in dockerfile.instructions for flag in each.flags)


def _too_old(tag: str, flags: Sequence[str]) -> bool:
    """Whether the frontend with this tag lacks mounts such as ``flags``; newer names float."""
    version, _, channel = tag.partition("-")
    numbers = version.split(".")
    if len(numbers) < 2 or not all(number.isdecimal() for number in numbers):
        return False  # 1, latest, experimental, labs: the newest of its kind
    parts = tuple(int(number) for number in numbers)
    if not channel:
        return parts < _FIRST
    owned = any(",uid=" in flag or ",gid=" in flag for flag in flags)
    return owned and (parts < (1, 1) or (len(parts) == 3 and parts < (1, 1, 2)))


def _raise(dockerfile: Dockerfile, text: str, image: str, digest: str, plan: Plan) -> None:
    directive = next((d for d in dockerfile.directives if d.name == "syntax"), None)
    if digest:
        plan.refuse(f"the frontend is pinned to one that has no mounts: {text.partition('@')[0]}")
        return
    if directive is None or directive.value != text or " " in text:
        plan.refuse(f"the frontend {text} has no such mounts, and its line is not a plain one")
        return
    at = dockerfile.source.rindex(text, directive.span.start, directive.span.end)
    plan.drop(directive.span, (Edit(Span(at, at + len(text)), image),), "the syntax line")
    plan.added.append(f"# syntax={image}")
