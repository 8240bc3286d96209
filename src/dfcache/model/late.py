"""Copies that an install runs again on without reading them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from dfcache.model.build import Build, CopyStep, RunStep, per_build
from dfcache.model.effects import within
from dfcache.model.globbing import clean, is_glob, origin
from dfcache.model.order import brings, configures, installs
from dfcache.model.reads import Reads, reads
from dfcache.record import record
from dfcache.text import Span

# Files that change about as seldom as what an install reads: not worth a finding.
_MANIFEST = re.compile(
    r"(.*requirements?[^/]*\.(txt|in|pip)|.*constraints?[^/]*\.txt|.*\.(lock|lockb)|Pipfile"
    r"|pyproject\.toml|poetry\.toml|setup\.(py|cfg)|MANIFEST\.in|environment.*\.ya?ml|package(-lock)?\.json"
    r"|npm-shrinkwrap\.json|yarn\.lock|pnpm-[^/]*\.yaml|\.npmrc|Gemfile|go\.(mod|sum)|Cargo\.toml|pip\.conf"
    r"|tox\.ini|LICENSE.*|README.*|.*\.whl|packages\.txt|apt.*\.txt"
    r"|(.*/)?(requirements?|reqs|deps|constraints)/.*\.(txt|in|pip))$",
    re.IGNORECASE,
)  # fmt: skip


@record
class Late:
    """A COPY that should stand behind an install.

    ``needed`` maps the image paths that the install reads to the files of the context that the
    copy brings, ``folders`` does so for local projects. ``others`` are files of the context (or,
    where that isn't known, sources) that the install doesn't read. ``named`` are the spans of the
    sources which are themselves manifests of the install.
    """

    copy: CopyStep
    install: RunStep
    read: Reads
    needed: Mapping[str, str]
    folders: Mapping[str, str]
    others: tuple[str, ...]
    named: tuple[Span, ...]


@per_build
def late_copies(build: Build) -> tuple[Late, ...]:
    """The copies from the build context that stand too early, each with the first such install."""
    return tuple(_late_copies(build))


def _late_copies(build: Build) -> Iterator[Late]:
    for stage in build.stages:
        steps = tuple(installs(stage))
        for copy in stage.steps:
            if isinstance(copy, CopyStep) and copy.origin is None and not copy.triggered:
                if not copy.plain or copy.files is None or configures(build, copy):
                    continue
                later = (s for s in steps if s.index > copy.index)
                yield from _first(build, copy, later)


def _first(build: Build, copy: CopyStep, later: Iterator[RunStep]) -> Iterator[Late]:
    for install in later:
        late = late_for(build, copy, install)
        if late is not None:
            yield late
            return


@per_build
def late_for(build: Build, copy: CopyStep, install: RunStep) -> Late | None:
    """What makes ``copy`` stand too early for ``install``, or None where it doesn't."""
    if copy.files is None or copy.origin is not None or not copy.plain:
        return None
    read = reads(build, install)
    brought = brings(build, copy)
    if build.context.known:
        folders = {
            path: where
            for path, where in read.folders.items()
            if any(within(image, path) for image in brought)
        }
        needed = {path: where for path, where in read.files.items() if brought.get(path) == where}
        inside = {
            file
            for path, file in brought.items()
            if any(within(path, folder) for folder in folders)
        }
        others = sorted(set(brought.values()) - set(needed.values()) - inside)
    else:
        folders = {p: w for p, w in read.folders.items() if origin(p, [copy.files], build.context)}
        needed = {p: w for p, w in read.files.items() if origin(p, [copy.files], build.context)}
        if folders:
            return None
        others = [s for s in copy.files.sources if clean(s) not in needed.values()]
    others = [other for other in others if not is_manifest(clean(other))]
    if not others:
        return None
    return Late(copy, install, read, needed, folders, tuple(others), named_sources(copy, needed))


def is_manifest(path: str) -> bool:
    """Whether a file changes about as seldom as what an install reads, by its name."""
    name = posixpath.basename(path)
    return bool(name) and bool(_MANIFEST.match(name) or _MANIFEST.match(path))


def named_sources(copy: CopyStep, needed: Mapping[str, str]) -> tuple[Span, ...]:
    """The sources that name a needed manifest, where the copy names others as well."""
    if copy.written is None or copy.instruction.form == "exec":
        return ()
    found = tuple(
        word.span
        for word in copy.written.sources
        if not is_glob(word.value) and clean(word.value) in needed.values()
    )
    return found if len(found) < len(copy.written.sources) else ()
