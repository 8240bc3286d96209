"""Which file of a folder of packages pip would take for a requirement; known by file names alone.

What a name means, which wheels fit and which versions a specifier admits is the work of the
library ``packaging``, which is what pip has inside. The order in which pip prefers files is that
of ``CandidateEvaluator._sorting_key`` in its ``_internal/index/package_finder.py``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from dfcache.model.requirements import Requirement
from dfcache.model.target import Target
from dfcache.record import record

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet
    from packaging.tags import Tag
    from packaging.version import Version

_MACHINES: Mapping[str, str] = {
    "amd64": "x86_64",
    "386": "i686",
    "arm64": "aarch64",
    "arm/v7": "armv7l",
    "arm/v6": "armv6l",
    "arm/v5": "armv5tel",
    "loong64": "loongarch64",
    "mips64le": "mips64",
}
# The manylinux platforms that have a name of their own (PEP 600).
_LEGACY: Mapping[int, str] = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
# Architectures that manylinux is defined for, and the first version of glibc it is for each.
_MANYLINUX: Mapping[str, int] = {
    "x86_64": 5,
    "i686": 5,
    **dict.fromkeys(
        ("aarch64", "armv7l", "loongarch64", "ppc64", "ppc64le", "riscv64", "s390x"), 17
    ),
}


@record
class PackageFile:
    """A wheel or source distribution, as its file name tells.

    ``name`` is normalised, ``version`` as PEP 440 writes it. ``tags`` are what a wheel is for; none
    for a source distribution. ``build`` is a wheel's build number.
    """

    file: str
    name: str
    version: str
    tags: frozenset[Tag]
    build: tuple[int, str] | tuple[()]

    @property
    def wheel(self) -> bool:
        """Whether it is a wheel, and no source distribution."""
        return bool(self.tags)


@record
class Lack:
    """A requirement that no file of a folder satisfies.

    ``kind`` is "none" (no file of that name), "version" (others are there), "platform" (only for
    other platforms or Pythons), "source" (only source distributions, which are not allowed),
    "address" (pip fetches it from its URL whatever the folder holds) or "unreadable" (its
    specifier). ``files`` are those that come closest.
    """

    requirement: Requirement
    kind: str
    files: tuple[PackageFile, ...] = ()

    @property
    def why(self) -> str:
        """The reason, to stand behind the name: "is missing"."""
        versions = ", ".join(dict.fromkeys(file.version for file in self.files))
        match self.kind:
            case "version":
                return f"is there only as {versions}"
            case "platform":
                return f"is there only for other platforms or Pythons ({self.files[0].file})"
            case "source":
                return f"is there only as source ({self.files[0].file})"
            case "address":
                return "is fetched from its address, whatever the folder holds"
            case "unreadable":
                return f"has a specifier that can't be read: {self.requirement.specifier}"
        return "is missing"


def package_file(file: str) -> PackageFile | None:
    """What a file name says, or None for what pip takes for no package.

    Names are split as pip does where it reads a folder (``_FlatDirectorySource``).
    """
    from packaging.utils import (
        InvalidSdistFilename,
        InvalidWheelFilename,
        parse_sdist_filename,
        parse_wheel_filename,
    )

    try:
        if file.endswith(".whl"):
            name, version, build, tags = parse_wheel_filename(file)
            return PackageFile(file, name, str(version), tags, build)
        name, version = parse_sdist_filename(file)
        return PackageFile(file, name, str(version), frozenset(), ())
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None


def package_files(files: Iterable[str]) -> tuple[PackageFile, ...]:
    """Those of the names that are packages."""
    return tuple(found for found in map(package_file, files) if found is not None)


# --- What fits a target ----------------------------------------------------------------------


def machine(target: Target) -> str:
    """The architecture as Linux calls it: ``x86_64``; "" where the platform is unknown."""
    architecture = target.platform.partition("/")[2]
    if architecture.startswith(("amd64/", "arm64/")):
        architecture = architecture.partition("/")[0]
    return _MACHINES.get(architecture, architecture)


@cache
def platforms(target: Target) -> tuple[str, ...]:
    """The platform tags of wheels that run on ``target``, the best first; needs platform and libc.

    As ``packaging.tags`` lists them on such a machine: PEP 600 and PEP 656.
    """
    arch = machine(target)
    major, minor = target.libc_version
    made: list[str] = []
    if target.libc == "musl":
        made += (f"musllinux_{major}_{number}_{arch}" for number in range(minor, -1, -1))
    elif target.libc == "glibc" and arch in _MANYLINUX:
        for number in range(minor, _MANYLINUX[arch] - 1, -1):
            made.append(f"manylinux_{major}_{number}_{arch}")
            if number in _LEGACY:
                made.append(f"{_LEGACY[number]}_{arch}")
    return (*made, f"linux_{arch}")


@cache
def supported(target: Target) -> Mapping[Tag, int]:
    """The tags of wheels that ``target`` takes, each with its rank, 0 the best.

    Needs every field of the target. The Python is CPython with the global interpreter lock.
    """
    from packaging.tags import compatible_tags, cpython_tags

    version = _python(target)
    plain = f"cp{version[0]}{version[1]}"
    # Up to 3.7 the name of the ABI told that Python was built with its own allocator.
    abi = plain if version >= (3, 8) else f"{plain}m"
    tags = [
        *cpython_tags(version, [abi], platforms(target)),
        *compatible_tags(version, plain, platforms(target)),
    ]
    ranks: dict[Tag, int] = {}
    for rank, tag in enumerate(tags):
        ranks.setdefault(tag, rank)
    return ranks


def fits(file: PackageFile, target: Target) -> bool:
    """Whether the target takes the file: a wheel for it, or any source distribution."""
    ranks = supported(target)
    return not file.wheel or any(tag in ranks for tag in file.tags)


def _python(target: Target) -> tuple[int, int]:
    major, _, minor = target.python.partition(".")
    return int(major), int(minor)


# --- Markers -------------------------------------------------------------------------------


def marker_environment(target: Target, patch: int = 0) -> dict[str, str]:
    """What environment markers compare with on ``target``, for one patch release of its Python."""
    full = f"{target.python}.{patch}"
    return {
        "implementation_name": "cpython",
        "implementation_version": full,
        "os_name": "posix",
        "platform_machine": machine(target),
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": full,
        "python_version": target.python,
        "sys_platform": "linux",
    }


def applies(marker: str, target: Target, extras: Iterable[str] = ()) -> bool | None:
    """Whether a marker holds on ``target`` for a package that is wanted with ``extras``.

    None where that depends on the patch release of Python, which a target doesn't tell. What
    can't be read holds: pip would stop at it.
    """
    return _applies(marker, target, tuple(extras)) if marker else True


# The packages of one folder share few markers.
@cache
def _applies(marker: str, target: Target, extras: tuple[str, ...]) -> bool | None:
    from packaging.markers import InvalidMarker, Marker, UndefinedEnvironmentName

    held = []
    try:
        read = Marker(marker)
        for patch in (0, 99):
            given = marker_environment(target, patch)
            held.append(any(read.evaluate({**given, "extra": each}) for each in ("", *extras)))
    except (InvalidMarker, UndefinedEnvironmentName):
        return True
    return held[0] if held[0] == held[1] else None


# --- Which file ------------------------------------------------------------------------------


def best(
    files: Iterable[PackageFile],
    requirement: Requirement,
    target: Target,
    *,
    constraints: Iterable[Requirement] = (),
    pre: bool = False,
    sources: bool = True,
    but: Collection[str] = (),
) -> PackageFile | None:
    """The file that pip takes for ``requirement``, or None if none will do.

    That is the newest version that the specifier and all constraints of that name admit; of one
    version the wheel that fits best, and a source distribution last. Pre-releases count with
    ``pre``, where a specifier names one, and where there is nothing else. ``sources`` is False
    where source distributions are not allowed. ``but`` are files that were tried already: another
    one is wanted, of those that were admitted along with them.
    """
    specifier = _specifier(requirement, constraints, target)
    if specifier is None:
        return None
    mine = [
        file
        for file in files
        if file.name == requirement.name and fits(file, target) and (sources or file.wheel)
    ]
    admitted = set(specifier.filter((file.version for file in mine), pre or None))
    mine = [file for file in mine if file.version in admitted and file.file not in but]
    return max(mine, key=lambda file: _preference(file, target), default=None)


def _preference(file: PackageFile, target: Target) -> tuple[Version, int, tuple[int | str, ...]]:
    from packaging.version import Version

    ranks = supported(target)
    rank = min((ranks[tag] for tag in file.tags if tag in ranks), default=len(ranks))
    return Version(file.version), -rank, file.build


def _specifier(
    requirement: Requirement, constraints: Iterable[Requirement], target: Target
) -> SpecifierSet | None:
    """What the version has to be, constraints of that name and target included."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    same = (
        each
        for each in constraints
        if each.name == requirement.name and each.url is None and applies(each.marker, target)
    )
    texts = [each.specifier.strip("() ") for each in (requirement, *same)]
    try:
        return SpecifierSet(",".join(text.strip(", ") for text in texts if text))
    except InvalidSpecifier:
        return None


def lacking(
    files: Sequence[PackageFile],
    requirements: Iterable[Requirement],
    target: Target,
    *,
    constraints: Iterable[Requirement] = (),
    pre: bool = False,
    sources: bool = True,
) -> Iterator[Lack]:
    """The requirements that no file satisfies, each with the reason.

    Only what is asked for directly; what those depend on stands inside the files. Entries whose
    marker doesn't hold on the target, constraints and local paths need no file. All requirements of
    one name have to be satisfied by one file.
    """
    wanted = [each for each in requirements if each.path is None]
    limits = [*constraints, *wanted]
    for requirement in wanted:
        if requirement.constraint or not applies(requirement.marker, target):
            continue
        if requirement.url is not None or not requirement.name:
            yield Lack(requirement, "address")
            continue
        others = [each for each in limits if each is not requirement]
        if not best(files, requirement, target, constraints=others, pre=pre, sources=sources):
            yield _lack(files, requirement, target, others, pre)


def _lack(
    files: Iterable[PackageFile],
    requirement: Requirement,
    target: Target,
    constraints: Sequence[Requirement],
    pre: bool,
) -> Lack:
    named = tuple(file for file in files if file.name == requirement.name)
    if not named:
        return Lack(requirement, "none")
    specifier = _specifier(requirement, constraints, target)
    if specifier is None:
        return Lack(requirement, "unreadable")
    admitted = set(specifier.filter((file.version for file in named), pre or None))
    right = tuple(file for file in named if file.version in admitted)
    if not right:
        return Lack(requirement, "version", named)
    fitting = tuple(file for file in right if fits(file, target))
    return Lack(requirement, "source", fitting) if fitting else Lack(requirement, "platform", right)
