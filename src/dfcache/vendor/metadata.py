"""What packages ask for, read from their files; nothing of them is run."""

from __future__ import annotations

import lzma
import posixpath
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dfcache.record import record

_MOST = 1 << 22
DEFAULT_BUILD = ("setuptools>=40.8.0", "wheel")


@record
class Metadata:
    """``requires`` are a package's dependencies, those of ``extras`` with their markers.

    ``build`` are what building a source needs, empty for a wheel. ``sure`` is False where a
    source does not say what it depends on. ``python`` are the versions of Python it is for, as a
    specifier, "" where it doesn't say.
    """

    requires: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    build: tuple[str, ...] = ()
    sure: bool = True
    python: str = ""


def read_metadata(path: Path) -> Metadata:
    """The metadata of a wheel or a source. Raises OSError where the file can't be read."""
    try:
        if path.suffix == ".whl":
            return _of_wheel(path)
        return _of_source(dict(_members(path)))
    except (
        zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, KeyError,
        UnicodeDecodeError, NotImplementedError, RuntimeError, ValueError,
    ) as error:  # fmt: skip
        raise OSError(f"{path.name} can't be read: {error}") from error


def build_needs(pyproject: str) -> tuple[str, ...]:
    """What building a project needs, by the text of its pyproject.toml ("" where there is none)."""
    return _pyproject(pyproject)[0]


def _of_wheel(path: Path) -> Metadata:
    with zipfile.ZipFile(path) as archive:
        inside = (
            name
            for name in archive.namelist()
            if name.endswith(".dist-info/METADATA") and name.count("/") == 1
        )
        name = next(inside, None)
        if name is None:
            raise KeyError("it has no METADATA")
        return _headers(archive.read(name).decode("utf-8", "replace"))


def _of_source(files: dict[str, str]) -> Metadata:
    build, declared = _pyproject(files.get("pyproject.toml", ""))
    if declared is not None:
        return Metadata(*declared, build)
    text = files.get("PKG-INFO", "")
    if text:
        found = _headers(text)
        if _final(text):
            return Metadata(found.requires, found.extras, build, python=found.python)
    lists = [name for name in files if name.endswith(".egg-info/requires.txt")]
    if lists:
        requires, extras = _requires_txt(files[min(lists, key=len)])
        return Metadata(requires, extras, build)
    # setuptools writes requires.txt only where there is something to require.
    told = any(name.endswith(".egg-info/PKG-INFO") for name in files)
    if text and (found.requires or told):
        return Metadata(found.requires, found.extras, build)
    return Metadata(build=build, sure=False)


def _headers(text: str) -> Metadata:
    message = _message(text)
    return Metadata(
        tuple(message.get_all("Requires-Dist") or ()),
        tuple(message.get_all("Provides-Extra") or ()),
        python=str(message.get("Requires-Python") or ""),
    )


def _message(text: str) -> Any:
    import email.parser

    return email.parser.HeaderParser().parsestr(text)


def _final(text: str) -> bool:
    """Whether a source's PKG-INFO says all (core metadata 2.2)."""
    message = _message(text)
    version = str(message.get("Metadata-Version", "0")).split(".")
    dynamic = {value.lower() for value in message.get_all("Dynamic") or ()}
    return (
        [int(part) for part in version if part.isdigit()] >= [2, 2]
        and "requires-dist" not in dynamic
        and "provides-extra" not in dynamic
    )


def _pyproject(
    text: str,
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], tuple[str, ...]] | None]:
    """What a build needs; and the dependencies and extras where they are declared there."""
    import tomllib

    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return DEFAULT_BUILD, None
    system = data.get("build-system")
    build: tuple[str, ...] = DEFAULT_BUILD
    if isinstance(system, dict) and isinstance(system.get("requires"), list):
        build = tuple(str(each) for each in system["requires"])
        if "build-backend" not in system or str(system["build-backend"]).startswith("setuptools"):
            build = (*build, *(each for each in DEFAULT_BUILD[1:] if each not in build))
    project = data.get("project")
    if not isinstance(project, dict):
        return build, None
    dynamic = project.get("dynamic") or []
    if "dependencies" in dynamic or "optional-dependencies" in dynamic:
        return build, None
    requires = [str(each) for each in project.get("dependencies") or []]
    optional = project.get("optional-dependencies") or {}
    for extra, needs in optional.items():
        requires += [_with_marker(str(need), f"extra == '{extra}'") for need in needs]
    return build, (tuple(requires), tuple(optional))


def _requires_txt(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """setuptools' list: sections are ``[extra]``, ``[:marker]`` or ``[extra:marker]``."""
    requires, extras, conditions = [], dict[str, None](), list[str]()
    for line in text.split("\n"):
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            extra, _, marker = line[1:-1].partition(":")
            conditions = [f"({marker})"] if marker else []
            if extra:
                extras[extra] = None
                conditions.append(f"extra == '{extra}'")
        elif line and not line.startswith("#"):
            requires.append(_with_marker(line, " and ".join(conditions)))
    return tuple(requires), tuple(extras)


def _with_marker(requirement: str, marker: str) -> str:
    if not marker:
        return requirement
    needed, semicolon, own = requirement.partition(";")
    return (
        f"{needed.strip()} ; ({own.strip()}) and {marker}" if semicolon else f"{needed} ; {marker}"
    )


def _members(path: Path) -> Iterator[tuple[str, str]]:
    """The files of a source that tell about it, without the folder that all are in."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if _telling(info.filename) and info.file_size < _MOST:
                    yield _inner(info.filename), archive.read(info).decode("utf-8", "replace")
        return
    with tarfile.open(path) as tar:
        for member in tar:
            if member.isfile() and _telling(member.name) and member.size < _MOST:
                file = tar.extractfile(member)
                assert file is not None
                yield _inner(member.name), file.read().decode("utf-8", "replace")


def _inner(name: str) -> str:
    return posixpath.normpath(name).partition("/")[2]


def _telling(name: str) -> bool:
    inner = _inner(name)
    if inner in ("PKG-INFO", "pyproject.toml"):
        return True
    folder, file = posixpath.split(inner)
    return folder.endswith(".egg-info") and file in ("PKG-INFO", "requires.txt")
