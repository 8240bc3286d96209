"""A build context with one more file in it, to ask what adding that file would do."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from dfcache.model.context import Context, MemoryContext


def with_file(context: Context, path: str) -> Context:
    """``context`` with a file at ``path``, unless its ignore file hides that.

    Where the context is not at hand, the file is the only one in it.
    """
    if not context.known:
        return MemoryContext({}, (path,))
    return context if context.ignored(path) else _WithFile(context, path)


class _WithFile:
    """See Context, whose paths these are."""

    known = True

    def __init__(self, context: Context, path: str) -> None:
        self._context = context
        self._path = path

    def entries(self, folder: str = "") -> Sequence[str]:
        entries = set(self._context.entries(folder))
        if _above(self._path, folder):
            name, more, _ = self._path[len(folder) + bool(folder) :].partition("/")
            entries.add(f"{name}/" if more else name)
        return sorted(entries)

    def files(self, below: str = "") -> Sequence[str]:
        files = set(self._context.files(below))
        if _above(self._path, below):
            files.add(self._path)
        return sorted(files)

    def is_file(self, path: str) -> bool:
        return path == self._path or self._context.is_file(path)

    def is_dir(self, path: str) -> bool:
        return _above(self._path, path) or self._context.is_dir(path)

    def read(self, path: str) -> str | None:
        return self._context.read(path)

    def ignored(self, path: str) -> bool:
        return self._context.ignored(path)

    def real(self, path: str) -> str:
        return self._context.real(path)


def _above(path: str, folder: str) -> bool:
    return not folder or path.startswith(posixpath.join(folder, ""))
