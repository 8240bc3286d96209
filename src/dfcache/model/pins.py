"""Which version an open requirement stands for, as far as files of the context prove it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

from dfcache.model.asked import Asked, all_asked
from dfcache.model.build import Build, per_build
from dfcache.model.locks import Locked, git_url, locked
from dfcache.model.requirements import Requirement
from dfcache.model.target import Target, target_of
from dfcache.record import record

TOOLCHAIN = frozenset({"pip", "setuptools", "wheel"})
"""What installs packages, and is mostly installed to be up to date."""


@record
class Pin:
    """The version (or commit) for a requirement, and the file or folder that proves it.

    ``certain`` tells that no other can be installed today: pinning changes nothing.
    """

    value: str
    source: str
    certain: bool = False


def open_entries(build: Build, one: Asked) -> tuple[Requirement, ...]:
    """What ``one`` asks for by name with the version left open: no file, hash, constraint pins it.

    Left out is what its marker keeps from being installed, and what the metadata of a project asks
    for: there, ranges are right. Empty where something that can't be read may hold versions.
    """
    if _held(one):
        return ()
    target = target_of(build, one.step.stage)
    pinned = {each.name for each in one.entries if each.pinned}
    return tuple(
        each
        for each in one.wanted
        if each.name
        and not of_project(each)
        and each.url is None
        and each.path is None
        and each.name not in pinned
        and not (each.marker and _applies(each.marker, target) is False)
    )


def of_project(entry: Requirement) -> bool:
    """Whether an entry is of a project's metadata (``uv pip install -r pyproject.toml``)."""
    return entry.file.endswith((".toml", ".cfg", ".py"))


def _held(one: Asked) -> bool:
    """Whether all versions are held by something else: hashes, a date, unread constraints."""
    if "require-hashes" in one.flags or any(each.hashes for each in one.entries):
        return True
    names = {option.name for option in one.use.options}
    if names & {"--exclude-newer", "--uploaded-prior-to", "--require-hashes"}:
        return True
    env = one.use.env
    if {"UV_EXCLUDE_NEWER", "PIP_UPLOADED_PRIOR_TO", "PIP_REQUIRE_HASHES"} & env.keys():
        return True
    constrained = names & {"-c", "--constraint", "--constraints", "--override", "--overrides"}
    constrained |= {"PIP_CONSTRAINT", "UV_CONSTRAINT", "UV_OVERRIDE"} & env.keys()
    return bool(constrained) and not any(each.constraint for each in one.entries)


def pin(build: Build, one: Asked, entry: Requirement) -> Pin | None:
    """The one version that locks beside ``entry`` and folders of packages hold of it, or None."""
    found = _vendored(build, one, entry)
    if found is None or not found.certain:
        found = _agreed([*([found] if found else []), *_locked(build, one, entry)])
    return found


def _agreed(found: Iterable[Pin]) -> Pin | None:
    """The first, where all agree on something."""
    pins = list(found)
    values = {each.value for each in pins}
    return pins[0] if len(values) == 1 and pins[0].value else None


def commit(build: Build, one: Asked, entry: Requirement) -> Pin | None:
    """The one commit that locks beside ``entry`` hold of its git repository, or None."""
    wanted = reference(entry.url or "")
    made = [
        Pin(each.commit, each.file)
        for each in _locks(build, one, entry)
        if re.fullmatch(r"[0-9a-f]{40}", each.commit)
        and git_url(each.url)
        and git_url(each.url) == git_url(entry.url or "")
        and each.wanted in (None, wanted)
    ]
    return _agreed(made)


def reference(url: str) -> str:
    """The branch, tag or commit that a git URL names, "" for none."""
    bare = url.partition("#")[0].partition("://")[2]
    return bare.partition("/")[2].partition("@")[2]


# --- Locks -----------------------------------------------------------------------------------


def _locks(build: Build, one: Asked, entry: Requirement) -> Iterator[Locked]:
    """Of the folder of the entry's file; for the command line, of the files it names beside."""
    files = [entry.file] if entry.file else [path for path, _ in one.named] or [""]
    for folder in dict.fromkeys(map(posixpath.dirname, files)):
        beside = entry.file
        yield from _in_folder(build, folder, beside)


def _in_folder(build: Build, folder: str, beside: str) -> tuple[Locked, ...]:
    key = ("locks", folder, beside)
    if key not in build.memo:
        build.memo[key] = locked(build.context, folder, beside)
    found: tuple[Locked, ...] = build.memo[key]
    return found


def _locked(build: Build, one: Asked, entry: Requirement) -> Iterator[Pin]:
    """What each lock says; "" where it may not be for this target."""
    target = target_of(build, one.step.stage)
    for each in _locks(build, one, entry):
        if each.name == entry.name and each.version and admits(entry.specifier, each.version):
            applies = each.marker == entry.marker or _applies(each.marker, target)
            if applies is not False and _takes(each.python, target):
                yield Pin(each.version if applies else "", each.file)


def _takes(python: str, target: Target) -> bool:
    """Whether some release of the target's Python is one of ``python``, a specifier."""
    if not python or not target.python:
        return True
    return any(admits(python, f"{target.python}.{patch}") for patch in (0, 99))


def _applies(marker: str, target: Target) -> bool | None:
    """Whether a marker holds; None where what it asks about is not known of the target."""
    from dfcache.model.wheelhouse import applies

    unknown = (not target.python and re.search("python|implementation", marker)) or (
        not target.platform and "machine" in marker
    )
    return None if unknown else applies(marker, target)


def admits(specifier: str, version: str) -> bool:
    """Whether ``version`` is one that ``specifier`` allows; pre-releases too, as it is named."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion, Version

    try:
        return SpecifierSet(specifier.strip("() ")).contains(Version(version), prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return False


# --- Folders of packages -----------------------------------------------------------------------


def _vendored(build: Build, one: Asked, entry: Requirement) -> Pin | None:
    folders = [each.origin.path for each in one.links if each.origin]
    named = [folder for folder in folders if folder]
    for folder in dict.fromkeys((*named, build.wishes.packages)):
        versions = _versions(build, folder).get(entry.name, set())
        if len(versions) == 1 and admits(entry.specifier, *versions):
            alone = named == [folder] and len(one.links) == 1
            return Pin(min(versions), folder, alone and _only_offline(build, entry.file, one))
    return None


def _only_offline(build: Build, file: str, one: Asked) -> bool:
    """Whether all that installs what stands in ``file`` asks no index, and this folder alone."""
    users = [each for each in all_asked(build) if file and file in each.files] or [one]
    places = {tuple(link.origin.path for link in each.links if link.origin) for each in users}
    if len(places) != 1 or any(each.needs_index or each.unknown for each in users):
        return False
    return not file or not _named_elsewhere(build, posixpath.basename(file))


def _named_elsewhere(build: Build, name: str) -> bool:
    """Whether another Dockerfile of the context names a file that is called so."""
    for path in build.context.files():
        if re.search("dockerfile|containerfile", posixpath.basename(path), re.I):
            text = build.context.read(path) or ""
            if text != build.dockerfile.source and name in text:
                return True
    return False


@per_build
def _folders(build: Build) -> dict[str, dict[str, set[str]]]:
    return {}


def _versions(build: Build, folder: str) -> dict[str, set[str]]:
    """The versions of each package that the files of a folder are, by normalised name."""
    known = _folders(build)
    if folder not in known:
        from dfcache.model.wheelhouse import package_files

        made: dict[str, set[str]] = {}
        names = [name for name in build.context.entries(folder) if not name.endswith("/")]
        for file in package_files(names) if names else ():
            made.setdefault(file.name, set()).add(file.version)
        known[folder] = made
    return known[folder]


# --- Git -------------------------------------------------------------------------------------

# Names of tags hold a version; "1.x" is the name of a branch.
_TAG = r"\d+[._]\d+(?![._]?x\b)|refs/tags/|^v?\d+$"
_BRANCH_ARCHIVE = (
    r"/(?:archive|zipball|tarball|legacy\.zip|legacy\.tar\.gz)/"
    r"(?:refs/heads/(?P<head>.+?)|(?P<name>master|main|develop|dev|devel|trunk|HEAD))"
    r"(?:\.zip|\.tar\.gz)?(?:[?#].*)?$"
)


def floating(entry: Requirement) -> str | None:
    """The branch that a git requirement follows, "" for the default one.

    None where it names a commit or what looks like a tag, and for what is no git requirement.
    """
    url = entry.url or ""
    if entry.pinned or "$" in url or url.startswith("git+file:"):
        return None
    if url.startswith("git+"):
        wanted = reference(url)
        return None if re.search(_TAG, wanted) else wanted
    archive = re.search(_BRANCH_ARCHIVE, url)
    return (archive["head"] or archive["name"]) if archive else None
