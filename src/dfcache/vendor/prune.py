"""Takes out of a folder of packages what no build needs any longer."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from dfcache.record import record
from dfcache.vendor.fetch import PARTS
from dfcache.vendor.manifest import NAME, Manifest, write_manifest


@record
class Pruned:
    """``removed`` are the files that went, ``size`` their bytes; ``left`` those nothing needs.

    The latter are not in the manifest, so that they are somebody else's.
    """

    removed: tuple[str, ...]
    size: int
    left: tuple[str, ...]
    manifest: Manifest


def prune(folder: Path, needed: Collection[str], manifest: Manifest) -> Pruned:
    """Delete the files of the manifest that are not ``needed``, and files that arrived in part.

    A file that the manifest doesn't name is never touched, a link is deleted and not what it leads
    to. The manifest, where it changes, is written first: should this be interrupted, files are
    left over, but none is missed. Raises OSError.
    """
    names = {entry.name: entry for entry in os.scandir(folder)}
    spare = [name for name in sorted(manifest.files) if name not in needed]
    parts = [name for name in sorted(names) if name.endswith(".part") and _plain(names[name])]
    kept = manifest.without(spare)
    if spare:
        write_manifest(folder, kept)
    size = 0
    removed = []
    for name in (*spare, *parts):
        entry = names.get(name)
        if entry is None or not (entry.is_symlink() or _plain(entry)):
            continue
        size += entry.stat(follow_symlinks=False).st_size
        os.unlink(folder / name)
        removed.append(name)
    more, bytes_more = _parts(folder / PARTS)
    left = tuple(
        name
        for name in sorted(names)
        if name not in needed and name not in manifest.files and name not in removed
        and name not in (NAME, PARTS)
    )  # fmt: skip
    return Pruned((*removed, *more), size + bytes_more, left, kept)


def _plain(entry: os.DirEntry[str]) -> bool:
    return entry.is_file(follow_symlinks=False)


def _parts(folder: Path) -> tuple[tuple[str, ...], int]:
    """Delete the folder of files that arrived in part: their names and bytes."""
    import shutil

    if folder.is_symlink() or not folder.is_dir():
        return (), 0
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    size = sum(path.lstat().st_size for path in files)
    names = tuple(path.relative_to(folder.parent).as_posix() for path in files)
    shutil.rmtree(folder)
    return names, size
