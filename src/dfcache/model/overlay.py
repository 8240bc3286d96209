"""A build context with changes, to ask what they would do."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence

from dfcache.model.context import Context, MemoryContext


def with_file(context: Context, path: str) -> Context:
    """``context`` with a file at ``path``, unless its ignore file hides that.

    Where the context is not at hand, the file is the only one in it.
    """
    if not context.known:
        return MemoryContext({}, (path,))
    return context if context.ignored(path) else _WithFile(context, path)


def with_texts(context: Context, texts: Mapping[str, str]) -> Context:
    """``context`` with other texts in some of its files, by path."""
    return _WithTexts(context, texts)


class _Over:
    """See Context, whose paths these are: all as in the one below."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.known = context.known
        self.sure = context.sure

    def entries(self, folder: str = "") -> Sequence[str]:
        return self._context.entries(folder)

    def files(self, below: str = "") -> Sequence[str]:
        return self._context.files(below)

    def is_file(self, path: str) -> bool:
        return self._context.is_file(path)

    def is_dir(self, path: str) -> bool:
        return self._context.is_dir(path)

    def read(self, path: str) -> str | None:
        return self._context.read(path)

    def ignored(self, path: str) -> bool:
        return self._context.ignored(path)

    def real(self, path: str) -> str:
        return self._context.real(path)


class _WithTexts(_Over):
    def __init__(self, context: Context, texts: Mapping[str, str]) -> None:
        super().__init__(context)
        self._texts = texts

    def read(self, path: str) -> str | None:
        return self._texts.get(path) or self._context.read(path)


class _WithFile(_Over):
    def __init__(self, context: Context, path: str) -> None:
        super().__init__(context)
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


def _above(path: str, folder: str) -> bool:
    return not folder or path.startswith(posixpath.join(folder, ""))
