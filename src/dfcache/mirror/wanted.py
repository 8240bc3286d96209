"""What a project needs of a mirror, and whether the files of a page are enough for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from dfcache.mirror.simple import File
from dfcache.model.asked import Asked, all_asked
from dfcache.model.build import Build
from dfcache.model.requirements import Requirement
from dfcache.model.target import Target, target_of
from dfcache.model.wheelhouse import PackageFile, applies, fits, package_file
from dfcache.record import record, replace

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

# The commands whose requirements are read; uv takes the others from uv.lock.
_READ = frozenset((("pip", "install"), ("pip", "download"), ("pip", "wheel"), ("uv", "pip")))
# Where the Dockerfile doesn't tell: good enough to read markers with.
_PYTHON = "3.12"


@record
class Wanted:
    """A requirement that an index has to satisfy.

    ``limits`` are the other requirements and constraints of that name which hold with it.
    ``target`` has every field; ``sure`` tells that Python and C library are those of the image.
    ``path`` is the file that asks for it, as a user would name it.
    """

    requirement: Requirement
    limits: tuple[Requirement, ...]
    target: Target
    sure: bool
    pre: bool
    path: str
    line: int


def wanted(build: Build, path: str, where: str, machine: str) -> tuple[list[Wanted], list[str]]:
    """What the Dockerfile ``path`` asks indexes for, and sentences on what can't be told.

    ``where`` is the folder of its context as a user would name it; ``machine`` is the platform
    of those that name none (``linux/amd64``).
    """
    found: list[Wanted] = []
    unread = dict.fromkeys(_not_looked_up(build, path))
    for each in all_asked(build):
        if not each.needs_index:
            continue
        line = each.step.outer.start_line
        unread |= {f"{path}:{line}: {sentence}": None for sentence in each.unknown}
        found += _of(each, target_of(build, each.step.stage), path, where, machine)
    return found, list(unread)


def _not_looked_up(build: Build, path: str) -> Iterator[str]:
    for step in build.runs():
        for use in step.uses:
            command = (use.tool.name, use.spec.words[0])
            if use.downloads and command[0] in ("pip", "uv") and command not in _READ:
                yield f"{path}:{step.outer.start_line}: what `{use.title}` asks for is not read"


def _of(each: Asked, target: Target, path: str, where: str, machine: str) -> Iterator[Wanted]:
    sure = bool(target.python and target.libc)
    full = Target(
        target.python or _PYTHON,
        target.platform or machine,
        target.libc or "glibc",
        target.libc_version if target.libc else (2, 28),
    )
    for entry in each.wanted:
        if not entry.name or entry.url is not None or entry.path is not None:
            continue
        if applies(entry.marker, full) is False:
            continue
        same = (other for other in each.entries if other.name == entry.name)
        limits = tuple(o for o in same if o is not entry and applies(o.marker, full) is not False)
        named = path if not entry.file else f"{where}{entry.file}"
        line = entry.line if entry.file else each.step.outer.start_line
        yield Wanted(entry, limits, full, sure, "pre" in each.flags, named, line)


def newest(files: Iterable[File], wish: Wanted) -> str | None:
    """The newest version that satisfies the wish; None if none does."""
    specifier = _specifier(wish)
    if specifier is None:
        return None
    exact = any(each.operator in ("==", "===") for each in specifier)
    mine = [
        package
        for file, package in _packages(files, wish.requirement.name)
        if (exact or not file.yanked) and _suits(file, package, wish)
    ]
    from packaging.version import Version

    admitted = specifier.filter({each.version for each in mine}, wish.pre or None)
    return max(admitted, key=Version, default=None)


def shortcoming(files: Sequence[File], wish: Wanted) -> str:
    """Why nothing among ``files`` satisfies the wish, in words."""
    packages = [package for _, package in _packages(files, wish.requirement.name)]
    if not packages:
        return "the mirror knows it, but has no file of it"
    specifier = _specifier(wish)
    if specifier is None:
        return f"{wish.requirement.specifier!r} can't be read"
    from packaging.version import Version

    last = max((each.version for each in packages), key=Version)
    if any(specifier.filter((each.version for each in packages), True)):
        target = wish.target
        if newest([replace(file, yanked=False) for file in files], wish) is not None:
            return "every version that would do was withdrawn (yanked)"
        return f"no file for Python {target.python} with {target.libc} on {target.platform}"
    others = dict.fromkeys(each.text for each in wish.limits if each.specifier)
    beside = f" together with {', '.join(others)}" if others else ""
    return f"no version will do{beside}; the newest is {last}"


def _packages(files: Iterable[File], name: str) -> Iterator[tuple[File, PackageFile]]:
    for file in files:
        package = package_file(file.name)
        if package is not None and package.name == name:
            yield file, package


def _suits(file: File, package: PackageFile, wish: Wanted) -> bool:
    """Whether the image takes the file, as far as the image is known."""
    if not wish.sure:
        return True
    if file.python:
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        try:
            python = SpecifierSet(file.python)
        except InvalidSpecifier:
            return True  # pip ignores what it can't read
        # The patch release is unknown: one that fits is enough.
        if not any(python.contains(f"{wish.target.python}.{patch}") for patch in (0, 99)):
            return False
    return fits(package, wish.target)


def _specifier(wish: Wanted) -> SpecifierSet | None:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    texts = (each.specifier.strip("() ,") for each in (wish.requirement, *wish.limits))
    try:
        return SpecifierSet(",".join(text for text in texts if text))
    except InvalidSpecifier:
        return None
