"""Whether a folder of packages holds what an install asks for, as far as that can be told here.

What a wheel depends on stands inside of it, and wheels are not opened. So the names of the files
can show that something is missing, and only the manifest that ``dfcache vendor`` writes shows that
all is there.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from dfcache.model.asked import Asked, Local, asked
from dfcache.model.build import Build, CopyStep, RunStep
from dfcache.model.globbing import destination
from dfcache.model.projects import project
from dfcache.model.requirements import Requirement, normalised, parse_requirement
from dfcache.model.target import OLDEST, Target, target_from, target_of, target_text
from dfcache.model.wheelhouse import Lack, PackageFile, lacking, package_files
from dfcache.record import EMPTY, record, replace

MANIFEST = "dfcache.json"
"""The manifest in a folder of packages; ``vendor/manifest.py`` has its form."""

_VENDOR = "`dfcache vendor`"
_PLATFORMS = ("linux/amd64", "linux/arm64")
# Anything will do where only names and versions are looked at.
_ANY = Target("3.12", "linux/amd64", "glibc", OLDEST["glibc"])
_PLAIN_IMAGES = frozenset(
    "python debian ubuntu alpine fedora rockylinux almalinux amazonlinux uv".split()
)
_BASICS = frozenset("pip setuptools wheel uv virtualenv".split())


def packages_in(build: Build, folder: str) -> tuple[PackageFile, ...]:
    """The packages that lie directly in a folder of the context."""
    return package_files(name for name in build.context.entries(folder) if not name.endswith("/"))


def is_empty(build: Build, folder: str) -> bool:
    """Whether a folder of the context holds no package: one that is kept for later."""
    return not packages_in(build, folder)


# --- What is missing -----------------------------------------------------------------------


def missing(build: Build, each: Asked, folder: str) -> tuple[Lack, ...]:
    """What a command asks for and ``folder`` certainly doesn't hold, in the order of the file.

    Nothing where it may be installed already, by the base image or an earlier step.
    """
    options = {option.name for option in each.use.options}
    if "--no-binary" in options or not _starts_bare(build, each):
        return ()
    files = packages_in(build, folder)
    lacks = _lacking(files, each, target_of(build, each.step.stage))
    return tuple(
        lack
        for lack in lacks
        if lack.kind not in ("address", "unreadable") and lack.requirement.name not in _BASICS
    )


def _lacking(files: tuple[PackageFile, ...], each: Asked, target: Target) -> list[Lack]:
    if not target.linux:
        return []
    pre, sources = "pre" in each.flags, not _only_wheels(each)
    if not target.python or not target.libc:
        plain = [entry for entry in each.wanted if not entry.marker]
        lacks = lacking(files, plain, _ANY, constraints=(), pre=pre)
        return [lack for lack in lacks if lack.kind in ("none", "version")]
    found: list[dict[int, Lack]] = []
    for platform in (target.platform,) if target.platform else _PLATFORMS:
        one = replace(target, platform=platform)
        got = lacking(
            files, each.wanted, one, constraints=each.constraints, pre=pre, sources=sources
        )
        found.append({id(lack.requirement): lack for lack in got})
    everywhere = [lack for key, lack in found[0].items() if all(key in other for other in found)]
    # Where only the kind of C library is known, a wheel for a newer one may fit.
    guessed = target.libc_version == OLDEST[target.libc]
    return [lack for lack in everywhere if lack.kind != "platform" or not guessed]


def _only_wheels(each: Asked) -> bool:
    return any(o.name == "--only-binary" and o.value == ":all:" for o in each.use.options)


def _starts_bare(build: Build, each: Asked) -> bool:
    """Whether no package is there yet but what every Python has."""
    root = build.stages[build.lineage(each.step.stage)[0]]
    name = (root.base or "").partition("@")[0].rpartition("/")[2].partition(":")[0]
    if name not in _PLAIN_IMAGES:
        return False
    for number in build.lineage(each.step.stage):
        for step in build.stages[number].steps:
            if (number, step.index) > (each.step.stage, each.step.index):
                return True
            if isinstance(step, RunStep) and not _installs_basics(build, step, each):
                return False
            if isinstance(step, CopyStep) and not _brings_no_package(step, each):
                return False
    return True


def _brings_no_package(copy: CopyStep, each: Asked) -> bool:
    """Whether a COPY installs nothing, as one of a virtual environment from a stage would."""
    if copy.origin is None:
        return True
    if copy.files is None:
        return False
    dest = posixpath.normpath(destination(copy.files))
    return dest.endswith("/bin") or dest in [given.path for given in each.links]


def _installs_basics(build: Build, step: RunStep, until: Asked) -> bool:
    """Whether all that a step installs before the command ``until`` are pip and the like."""
    for other in asked(build, step):
        if other is until or (
            until.step is step
            and other.use.invocation.command.span.start > until.use.invocation.command.span.start
        ):
            return True
        if other.unknown or other.projects or {r.name for r in other.wanted} - _BASICS:
            return False
    foreign = ("poetry", "pipenv", "pdm", "conda")
    return not any(
        use.tool.name in foreign or use.spec.words[:1] == ("sync",)
        for use in step.uses
        if use.downloads
    )


# --- That all is there -----------------------------------------------------------------------


@record
class _Manifest:
    """``targets`` maps each target to the requirements and constraints that it was filled for."""

    targets: Mapping[Target, frozenset[str]] = EMPTY
    files: Mapping[str, Any] = EMPTY


def unproved(build: Build, each: Asked, folder: str) -> str:
    """Why it isn't sure that ``folder`` holds all that a command needs; "" where that is proved."""
    if not build.context.known:
        return f"the build context is not at hand, so what {folder} holds can't be told"
    if not build.context.is_dir(folder):
        return f"{folder} is not in the build context: {_VENDOR} fetches what it is to hold"
    lacks = missing(build, each, folder)
    if lacks:
        return f"{folder} lacks {lacks[0].requirement.name}: {_VENDOR} fetches it"
    text = build.context.read(posixpath.join(folder, MANIFEST))
    manifest = _read(text) if text is not None else None
    if manifest is None:
        return f"{folder} has no manifest of {_VENDOR} to show that all is there"
    for reason in each.unknown:
        if not reason.endswith("is not read as requirements"):
            return reason
    wanted = _target(build, each, manifest)
    if wanted is None:
        return f"{folder} was filled for other images than this one: {_VENDOR} adds to it"
    have = manifest.targets[wanted]
    for line in _lines(build, each):
        if line is None:
            return "what a local project depends on can't be told without building it"
        if line not in have:
            return f"{folder} was not filled for {line}: {_VENDOR} adds it"
    return _gone(build, folder, manifest, wanted) or _strange(each, manifest)


def _read(text: str) -> _Manifest | None:
    import json

    try:
        data = json.loads(text)
        targets: dict[Target, frozenset[str]] = {}
        for each in data["inputs"] if data["version"] == 1 else ():
            target = target_from(each["target"])
            lines = {*each["requirements"], *each["constraints"]}
            targets[target] = targets.get(target, frozenset()) | lines
        files = {str(name): dict(entry) for name, entry in data["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return _Manifest(targets, files)


def _target(build: Build, each: Asked, manifest: _Manifest) -> Target | None:
    """The target of the manifest that the stage of a command is, as far as that is known."""
    known = target_of(build, each.step.stage)
    for one in manifest.targets:
        if all(
            not getattr(known, name) or getattr(known, name) == getattr(one, name)
            for name in ("python", "platform", "libc")
        ):
            return one
    return None


def _lines(build: Build, each: Asked) -> Iterator[str | None]:
    """All that has to have been asked of ``dfcache vendor``; None for what can't be told."""
    for entry in each.entries:
        if entry.path is None and entry.url is None:
            yield entry.text
        elif entry.path is not None and entry.path.endswith(".whl"):
            yield None  # what it depends on stands inside
    for local in each.projects:
        yield from _project_lines(build, each, local)
    for path, _ in each.named:
        folder, file = posixpath.split(path)
        if file in ("pyproject.toml", "setup.cfg", "setup.py"):
            found = project(build.context, folder)
            yield from found.dependencies if found.dependencies is not None else (None,)


def _project_lines(build: Build, each: Asked, local: Local) -> Iterator[str | None]:
    folder = local.origin.path
    if folder is None or not build.context.is_dir(folder):
        yield None
        return
    found = project(build.context, folder)
    if not any(option.name == "--no-build-isolation" for option in each.use.options):
        yield from build_needs(build.context.read(posixpath.join(folder, "pyproject.toml")) or "")
    if "no-deps" in each.flags:
        return
    yield from found.dependencies if found.dependencies is not None else (None,)
    extras = {normalised(extra): lines for extra, lines in found.extras.items()}
    for extra in local.extras:
        for line in extras.get(normalised(extra), ()):
            needed = parse_requirement(line)
            yield None if needed is not None and needed.name == normalised(found.name) else line


def build_needs(pyproject: str) -> tuple[str, ...]:
    """What building a project needs, by the text of its pyproject.toml ("" where it has none)."""
    import tomllib

    try:
        table = tomllib.loads(pyproject).get("build-system")
    except tomllib.TOMLDecodeError:
        table = None
    needs = table.get("requires") if isinstance(table, dict) else None
    return tuple(map(str, needs)) if isinstance(needs, list) else ("setuptools>=40.8.0",)


def _gone(build: Build, folder: str, manifest: _Manifest, target: Target) -> str:
    """A file that the manifest names for the target and that is not there, as a reason; or ""."""
    for name, entry in manifest.files.items():
        path = posixpath.join(folder, name)
        mine = target_text(target) in entry.get("targets", ())
        if mine and not build.context.is_file(path):
            return f"{path} is gone: {_VENDOR} fetches it again"
    return ""


def _strange(each: Asked, manifest: _Manifest) -> str:
    """A file whose hash the requirements don't allow, as one that was built here; or ""."""
    hashed = {entry.name: entry.hashes for entry in each.wanted if entry.hashes}
    for name, entry in manifest.files.items():
        allowed = hashed.get(str(entry.get("name")))
        if allowed is not None and f"sha256:{entry.get('sha256')}" not in allowed:
            return f"the requirements allow no file with the hash of {name}"
    return ""


def from_address(each: Asked) -> Requirement | None:
    """A requirement that is fetched from its address, whatever a folder of packages holds."""
    found = (entry for entry in each.wanted if entry.url and not entry.url.startswith("file:"))
    return next(found, None)
