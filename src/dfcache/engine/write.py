"""Reads and writes Dockerfiles, byte for byte."""

from __future__ import annotations

import os
import stat

from dfcache.parser import decode, encode


class WriteError(Exception):
    """A file that was left as it was; ``str()`` says why."""


def read(path: str) -> str:
    """The text of a file, every byte of it: what is no UTF-8 becomes lone surrogates.

    Raises OSError.
    """
    with open(path, "rb") as file:
        return decode(file.read())


def write(path: str, before: str, after: str, root: str | None = None) -> None:
    """Replace the text ``before`` of the file ``path`` by ``after``, in one step.

    A reader sees the old file or the new one, never a part; the mode stays. Raises
    WriteError where the file is no longer what was read, a symbolic link leads out of
    ``root`` (by default the link's own folder), or it can't be written.
    """
    target = _target(path, root)
    try:
        if read(target) != before:
            raise WriteError("it was changed meanwhile; run dfcache again")
        _replace(target, encode(after))
    except OSError as error:
        raise WriteError(f"cannot write: {error.strerror}") from None


def _target(path: str, root: str | None) -> str:
    """The file that ``path`` leads to, so that a link stays a link."""
    if not os.path.islink(path):
        return path
    home = os.path.realpath(root if root is not None else os.path.dirname(path) or ".")
    target = os.path.realpath(path)
    if os.path.commonpath((home, target)) != home:
        raise WriteError(f"it is a symbolic link to {target}, outside {home}; fix that file itself")
    return target


def _replace(path: str, data: bytes) -> None:
    from tempfile import mkstemp

    mode = stat.S_IMODE(os.stat(path).st_mode)
    if not os.access(path, os.W_OK):
        raise WriteError("cannot write: Permission denied")
    folder, name = os.path.split(path)
    handle, temporary = mkstemp(prefix=f".{name}.", suffix=".dfcache", dir=folder or ".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    _sync_folder(folder or ".")


def _sync_folder(folder: str) -> None:
    """Make the renaming itself last; where folders can't be synced (Windows) it is not needed."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)
