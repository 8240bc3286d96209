"""What an image holds: every path with its kind, mode, owner and content, but for caches."""

from __future__ import annotations

import hashlib
import re
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

# Left out of the comparison, each for its reason: package caches are what dfcache moves out of
# the image; byte code holds times; logs, the linker's cache and dpkg's backups hold times or
# the order of events.
_LEFT_OUT = re.compile(
    r"(?:^|/)__pycache__(?:/|$)|\.pyc$"
    r"|^(?:root|home/[^/]+)/\.cache/(?:pip|uv)(?:/|$)|^\.cache/(?:pip|uv)(?:/|$)"
    r"|^(?:root|home/[^/]+)/\.npm(?:/|$)"
    r"|^var/cache/(?:apt|ldconfig|debconf)/|^var/lib/apt/lists/"
    r"|^var/log/|^var/lib/dpkg/[a-z]+-old$|^etc/ld\.so\.cache$|^tmp/"
)


ONLY_CACHES = "only caches"


@dataclass(frozen=True, slots=True)
class Entry:
    """One path. `content` is a digest of a file's bytes, or where a link points."""

    kind: str
    mode: int
    owner: int
    group: int
    content: str


def entries(tar: Path, *, all_of_it: bool = False, caches: Sequence[str] = ()) -> dict[str, Entry]:
    """The files of an image exported by `--output type=tar`, without times.

    The folders `caches` are left out too. A folder that holds nothing but what is left out, or
    a `.cache` that holds nothing, has ONLY_CACHES for its content.
    """
    found = {}
    left_out = set()
    with tarfile.open(tar) as archive:
        for member in archive:
            path = member.name.strip("/")
            cached = any(f"/{path}/".startswith(f"{cache}/") for cache in caches)
            if not all_of_it and (cached or _LEFT_OUT.search(path)):
                left_out.add(path)
                continue
            content = member.linkname
            if member.isreg():
                data = archive.extractfile(member)
                assert data is not None
                content = hashlib.sha256(data.read()).hexdigest()
            found[path] = Entry(
                member.type.decode("ascii", "replace"), member.mode, member.uid, member.gid, content
            )
    holding = {parent for path in found for parent in _above(path)}
    emptied = {parent for path in left_out for parent in _above(path)}
    emptied |= {path for path in found if path.endswith("/.cache")}
    emptied -= holding
    for path in emptied & found.keys():
        found[path] = replace(found[path], content=ONLY_CACHES)
    return found


def _above(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]


def differences(before: dict[str, Entry], after: dict[str, Entry]) -> list[str]:
    """A line for each path that is only in one of the two, or not the same in both.

    A folder with only caches in it may be gone afterwards, but not be new.
    """
    lines = [
        f"- {path} {before[path]}"
        for path in sorted(before.keys() - after.keys())
        if before[path].content != ONLY_CACHES
    ]
    lines += [f"+ {path} {after[path]}" for path in sorted(after.keys() - before.keys())]
    lines += [
        f"! {path} {before[path]} -> {after[path]}"
        for path in sorted(before.keys() & after.keys())
        if not _same(before[path], after[path])
    ]
    return lines


def _same(before: Entry, after: Entry) -> bool:
    if ONLY_CACHES in (before.content, after.content):
        after = replace(after, content=before.content)
    return before == after
