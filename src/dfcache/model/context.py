"""The build context: which files a COPY can see. Handed in; the rest of the model opens nothing."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from dfcache.model.ignore import Ignore

MOST_BYTES = 1 << 20
"""A larger file is not read: no manifest is that long, and a build may hold gigabytes."""


class Context(Protocol):
    """The files of a build context after ``.dockerignore``; paths are relative, with ``/``.

    The context itself is the folder "".
    """

    @property
    def known(self) -> bool:
        """Whether the context is at hand; if not, it has no files and nothing can be concluded."""

    @property
    def sure(self) -> bool:
        """Whether it is certainly this folder that is built, so that what it lacks is missing."""

    def entries(self, folder: str = "") -> Sequence[str]:
        """The names directly in ``folder`` that a build could see, sorted; folders end in ``/``."""

    def files(self, below: str = "") -> Sequence[str]:
        """Every file at or below a folder that a build could see, sorted.

        What is in ``.git`` is left out: nothing that a step reads by name is there, and
        it can be larger than all the rest.
        """

    def is_file(self, path: str) -> bool:
        """Whether a build could see a file at ``path``; without listing the context."""

    def is_dir(self, path: str) -> bool:
        """Whether a build could see a folder at ``path``; "" is one."""

    def read(self, path: str) -> str | None:
        """The text of a file that a build could see; None where there is none or it is no text."""

    def ignored(self, path: str) -> bool:
        """Whether the ignore file hides ``path`` (whether or not it exists)."""

    def real(self, path: str) -> str:
        """Where ``path`` leads through links; itself without any, or where they lead out."""


def unread(context: Context, path: str) -> bool:
    """Whether ``path`` is a file of the context whose text is not known."""
    return context.is_file(path) and context.read(path) is None


class NoContext:
    """A context of which nothing is known, as with a Dockerfile from standard input."""

    known = False
    sure = False

    def entries(self, folder: str = "") -> Sequence[str]:
        """Nothing."""
        return ()

    def files(self, below: str = "") -> Sequence[str]:
        """Nothing."""
        return ()

    def is_file(self, path: str) -> bool:
        """False."""
        return False

    def is_dir(self, path: str) -> bool:
        """False."""
        return False

    def read(self, path: str) -> str | None:
        """None."""
        return None

    def ignored(self, path: str) -> bool:
        """False."""
        return False

    def real(self, path: str) -> str:
        """See Context."""
        return path


class MemoryContext:
    """A context held in memory; ``tree`` names further files, of unknown text.

    Paths begin with no ``/``, else ValueError is raised. One in ``tree`` that ends in ``/`` is an
    empty folder. ``.dockerignore`` among ``files``
    applies, and before it the one of ``dockerfile``, a path of the context.
    """

    known = True
    sure = True

    def __init__(
        self, files: Mapping[str, str], tree: Sequence[str] = (), dockerfile: str | None = None
    ) -> None:
        self._texts = files
        own = f"{dockerfile}.dockerignore"
        name = own if dockerfile is not None and own in files else ".dockerignore"
        self._ignore = Ignore(files.get(name, ""))
        self._folders: dict[str, set[str]] = {"": set()}
        self._files: set[str] = set()
        for path in (*files, *tree):
            if path.startswith("/"):
                raise ValueError(f"{path} is no path of a context: those begin with no slash")
            if not self._ignore.hides(path):
                self._add(path)

    def _add(self, path: str) -> None:
        if not path.endswith("/"):
            self._files.add(path)
        folder, name = posixpath.split(path)
        while True:
            entries = self._folders.setdefault(folder, set())
            if name:
                entries.add(name)
            if not folder:
                return
            folder, name = posixpath.split(folder)
            name += "/"

    def entries(self, folder: str = "") -> Sequence[str]:
        """See Context."""
        return sorted(self._folders.get(folder, ()))

    def files(self, below: str = "") -> Sequence[str]:
        """See Context."""
        return _walk(self, below)

    def is_file(self, path: str) -> bool:
        """See Context."""
        return path in self._files

    def is_dir(self, path: str) -> bool:
        """See Context."""
        return path in self._folders

    def read(self, path: str) -> str | None:
        """See Context."""
        return self._texts.get(path) if path in self._files else None

    def ignored(self, path: str) -> bool:
        """See Context."""
        return self._ignore.hides(path)

    def real(self, path: str) -> str:
        """See Context. There are no links."""
        return path


class DirectoryContext:
    """A folder on disk, listed and read only as far as it is asked for, and each thing once.

    ``dockerfile`` is the path of the Dockerfile: an ignore file of its own, beside it, goes
    before the context's ``.dockerignore``. A link out of the folder is seen but never followed.
    """

    known = True

    def __init__(self, root: Path, dockerfile: Path | None = None, sure: bool = True) -> None:
        self.sure = sure
        self._root = os.path.realpath(root)
        self._dockerfile = dockerfile
        self._rules: Ignore | None = None
        self._folders: dict[str, str] = {}
        self._real: dict[str, str | None] = {}
        self._listed: dict[str, tuple[str, ...]] = {}
        self._walked: dict[str, Sequence[str]] = {}
        self._texts: dict[str, str | None] = {}

    def entries(self, folder: str = "") -> Sequence[str]:
        """See Context. An unreadable folder is empty."""
        if folder not in self._listed:
            self._listed[folder] = tuple(sorted(self._list(folder)))
        return self._listed[folder]

    def files(self, below: str = "") -> Sequence[str]:
        """See Context."""
        if below not in self._walked:
            self._walked[below] = _walk(self, below)
        return self._walked[below]

    def is_file(self, path: str) -> bool:
        """See Context."""
        full = self._inside(path)
        return full is not None and os.path.isfile(full) and not self.ignored(path)

    def is_dir(self, path: str) -> bool:
        """See Context. A hidden folder counts if something in it is shown."""
        full = self._inside(path)
        if full is None or not os.path.isdir(full):
            return False
        if not path or not self.ignored(path):
            return True
        return bool(self._ignore.shows_below(path) and self.files(path))

    def read(self, path: str) -> str | None:
        """See Context. Files over a mebibyte count as no text."""
        if path not in self._texts:
            self._texts[path] = self._read(path) if self.is_file(path) else None
        return self._texts[path]

    def ignored(self, path: str) -> bool:
        """See Context."""
        return self._ignore.hides(path)

    def real(self, path: str) -> str:
        """See Context."""
        full = self._inside(path)
        if full is None:
            return path
        found = os.path.relpath(full, self._root)
        return "" if found == os.curdir else found.replace(os.sep, "/")

    @property
    def _ignore(self) -> Ignore:
        if self._rules is None:
            self._rules = Ignore(self._ignore_text())
        return self._rules

    def _ignore_text(self) -> str:
        places = [os.path.join(self._root, ".dockerignore")]
        if self._dockerfile is not None:
            places.insert(0, f"{self._dockerfile}.dockerignore")
        for place in places:
            data = _bytes(place)
            if data is not None:
                return data.decode("utf-8", "surrogateescape")
        return ""

    def _list(self, folder: str) -> Iterable[str]:
        full = self._folders.get(folder) or self._inside(folder)
        if full is None:
            return
        try:
            with os.scandir(full) as found:
                entries = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found]
        except OSError:
            return
        for name, is_folder in entries:
            path = posixpath.join(folder, name)
            if is_folder:
                self._folders[path] = os.path.join(full, name)
            if not self.ignored(path):
                yield f"{name}/" if is_folder else name
            elif is_folder and self._ignore.shows_below(path) and self.files(path):
                # A hidden folder is an entry only for what is shown in it.
                yield f"{name}/"

    def _inside(self, path: str) -> str | None:
        """The real path, or None if it leaves the context; a folder is resolved once."""
        if path not in self._real:
            above, _, name = path.rpartition("/")
            plain = bool(name) and name not in (".", "..")
            parent = self._inside(above) if plain else self._root
            full = None if parent is None else os.path.join(parent, name if plain else path)
            if full is not None and (not plain or os.path.islink(full)):
                full = os.path.realpath(full)
                if full != self._root and not full.startswith(self._root.rstrip(os.sep) + os.sep):
                    full = None
            self._real[path] = full
        return self._real[path]

    def _read(self, path: str) -> str | None:
        data = _bytes(os.path.join(self._root, path))
        return None if data is None else decode(data)


def decode(data: bytes) -> str | None:
    """The text of a manifest, without a byte order mark; None for what is no text.

    As pip decides: a byte order mark, then a ``coding:`` comment in the first two lines, then
    UTF-8, which is what containers run with. Line ends stay as they are.
    """
    import codecs

    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if data.startswith(mark):
            return _decoded(data[len(mark) :], encoding)
    if b"\0" in data:
        return None
    return _decoded(data, _declared(data) or "utf-8")


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def _declared(data: bytes) -> str | None:
    """The encoding that a comment in the first two lines declares."""
    for line in data.split(b"\n", 2)[:2]:
        if line.startswith(b"#") and b"coding" in line:
            import re

            found = re.search(rb"coding[:=]\s*([-\w.]+)", line)
            if found:
                return found[1].decode("ascii", "replace")
    return None


def _bytes(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError):
        return None
    return data if len(data) <= MOST_BYTES else None


def _walk(context: Context, below: str) -> Sequence[str]:
    found: list[str] = []
    folders = [below]
    while folders:
        folder = folders.pop()
        for entry in context.entries(folder):
            if entry == ".git/":
                continue
            path = posixpath.join(folder, entry)
            if entry.endswith("/"):
                folders.append(path.rstrip("/"))
            else:
                found.append(path)
    return sorted(found)
