"""The build context: which files a COPY can see. Handed in; the model opens nothing itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Context(Protocol):
    """The files of a build context after ``.dockerignore``; paths are relative, with ``/``."""

    @property
    def known(self) -> bool:
        """Whether the context is at hand; if not, it has no files and nothing can be concluded."""

    def files(self) -> Sequence[str]:
        """Every file that a build could see, sorted."""

    def read(self, path: str) -> str | None:
        """The text of a file that a build could see, or None where there is none or it is no text."""

    def ignored(self, path: str) -> bool:
        """Whether ``.dockerignore`` hides ``path`` (whether or not it exists)."""
