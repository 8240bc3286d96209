"""Tiny wheels and sources, made up for tests."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path


def wheel(
    folder: Path,
    name: str,
    version: str,
    requires: Iterable[str] = (),
    *,
    tag: str = "py3-none-any",
    python: str = "",
    extras: Iterable[str] = (),
    body: str = "",
) -> Path:
    """Write a wheel with nothing in it but its metadata; ``body`` makes it another file."""
    plain = name.replace("-", "_")
    info = f"{plain}-{version}.dist-info"
    path = folder / f"{plain}-{version}-{tag}.whl"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        text = metadata(name, version, requires, python, extras)
        archive.writestr(f"{plain}.py", body)
        archive.writestr(f"{info}/METADATA", text)
        archive.writestr(
            f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


def source(
    folder: Path, name: str, version: str, requires: Iterable[str] = (), pyproject: str = ""
) -> Path:
    """Write a source distribution that tells what it requires."""
    base = f"{name}-{version}"
    path = folder / f"{base}.tar.gz"
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        files = {"PKG-INFO": metadata(name, version, requires)}
        files |= {"pyproject.toml": pyproject} if pyproject else {}
        for file, text in files.items():
            data = text.encode()
            member = tarfile.TarInfo(f"{base}/{file}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def metadata(
    name: str,
    version: str,
    requires: Iterable[str] = (),
    python: str = "",
    extras: Iterable[str] = (),
) -> str:
    """The text of a METADATA file."""
    lines = ["Metadata-Version: 2.2", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {each}" for each in requires]
    lines += [f"Provides-Extra: {each}" for each in extras]
    lines += [f"Requires-Python: {python}"] if python else []
    return "\n".join((*lines, "", ""))
