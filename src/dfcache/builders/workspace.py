"""A copy of a build context in a temporary folder, to be changed as builds need it."""

from __future__ import annotations

import os
import posixpath
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dfcache.model.context import DirectoryContext
from dfcache.parser import encode


class Workspace:
    """``context`` is the copy; a Dockerfile to build it with lies beside it, not in it."""

    def __init__(self, folder: str) -> None:
        self._folder = os.path.realpath(folder)
        self.context = os.path.join(self._folder, "context")
        self._before: dict[str, bytes] = {}

    def dockerfile(self, text: str) -> str:
        """The path of a Dockerfile with this text."""
        folder = tempfile.mkdtemp(dir=self._folder)
        path = os.path.join(folder, "Dockerfile")
        with open(path, "wb") as file:
            file.write(encode(text))
        # It goes before the ignore file of the context, which is obeyed already.
        with open(f"{path}.dockerignore", "w", encoding="utf-8") as file:
            file.write("# The context holds nothing but what is to be built.\n")
        return path

    def read(self, path: str) -> str | None:
        """The text of a file of the copy; None where it is none, or a link leads there."""
        full = os.path.join(self.context, path)
        if not os.path.isfile(full) or os.path.realpath(full) != os.path.normpath(full):
            return None
        try:
            return Path(full).read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def change(self, files: Mapping[str, str]) -> None:
        """Give files of the copy another text; only those that ``read`` gives."""
        for path, text in files.items():
            full = os.path.join(self.context, path)
            if path not in self._before:
                self._before[path] = Path(full).read_bytes()
            Path(full).write_bytes(text.encode("utf-8"))

    def restore(self, *paths: str) -> None:
        """Take back the changes of these files, or of all."""
        for path in paths or tuple(self._before):
            if path in self._before:
                Path(self.context, path).write_bytes(self._before.pop(path))


@contextmanager
def workspace(root: str, dockerfile: str) -> Iterator[Workspace]:
    """A copy of what a build of the folder ``root`` can see, deleted in the end.

    Modes, links and empty folders are kept, but folders can always be written. Raises
    OSError where something can't be read.
    """
    with tempfile.TemporaryDirectory(prefix="dfcache-", ignore_cleanup_errors=True) as folder:
        made = Workspace(folder)
        seen = DirectoryContext(Path(root), Path(dockerfile))
        os.mkdir(made.context)
        _copy(seen, root, made.context, "")
        yield made


def _copy(seen: DirectoryContext, root: str, to: str, folder: str) -> None:
    for entry in seen.entries(folder):
        path = posixpath.join(folder, entry.rstrip("/"))
        source, target = os.path.join(root, path), os.path.join(to, path)
        mode = os.lstat(source).st_mode
        if stat.S_ISDIR(mode):
            os.mkdir(target)
            _copy(seen, root, to, path)
            # Afterwards: nothing could be put into a folder that may not be written.
            os.chmod(target, stat.S_IMODE(mode) | stat.S_IRWXU)
        elif stat.S_ISLNK(mode):
            os.symlink(os.readlink(source), target)
        elif stat.S_ISREG(mode):
            shutil.copy2(source, target)
