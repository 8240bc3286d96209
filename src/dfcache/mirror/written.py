"""Putting files into a folder: all or none, and never over what somebody else wrote."""

from __future__ import annotations

import os
from collections.abc import Mapping


class WriteError(Exception):
    """Nothing was written; ``str()`` says why."""


def write_all(folder: str, files: Mapping[str, str]) -> tuple[str, ...]:
    """Write the files that are not there yet; their paths.

    Raises WriteError, before anything is written, where one is there with other content.
    """
    missing = []
    for name, text in files.items():
        path = os.path.join(folder, name)
        there = content(path)
        if there is None:
            missing.append(path)
        elif there != text:
            raise WriteError(f"{path}: is there with other content; nothing was written")
    try:
        os.makedirs(folder, exist_ok=True)
        for path in missing:
            _create(path, files[os.path.basename(path)])
    except FileExistsError as error:
        raise WriteError(f"{error.filename}: appeared meanwhile") from None
    except OSError as error:
        raise WriteError(f"{error.filename or folder}: cannot write: {error.strerror}") from None
    return tuple(missing)


def content(path: str) -> str | None:
    """The text of a file, None where there is none. Raises WriteError where it can't be read."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WriteError(f"{path}: cannot read: {error.strerror}") from None


def _create(path: str, text: str) -> None:
    """Make a file appear with all of its text; FileExistsError where one is there by then."""
    from tempfile import mkstemp

    folder, name = os.path.split(path)
    handle, temporary = mkstemp(prefix=f".{name}.", suffix=".dfcache", dir=folder or ".")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        try:
            os.link(temporary, path)  # unlike a renaming, it replaces nothing
        except PermissionError:  # a file system without links
            if os.path.exists(path):
                raise FileExistsError(17, "exists", path) from None
            os.replace(temporary, path)
            return
    except BaseException:
        os.unlink(temporary)
        raise
    os.unlink(temporary)
