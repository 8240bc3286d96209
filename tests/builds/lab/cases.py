"""What a case of a real build is: a project, changes to it, and what they may download."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Bump:
    """A change of what is installed, and the names of the only files it may download.

    `files` replaces files of the project; `dockerfile` is a text to replace in the Dockerfile
    and its replacement.
    """

    fetches: frozenset[str]
    files: Mapping[str, str] = field(default_factory=dict)
    dockerfile: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """A download that dies: of the files whose name starts with `name`, after `at` bytes.

    `missing` are the names of the only files that a second try may download.
    """

    name: str
    missing: frozenset[str]
    at: int = 500_000


@dataclass(frozen=True, slots=True)
class Case:
    """One project. `install` is a text in the name of the step that downloads.

    `fix` says what dfcache makes of it: a fix that it calls safe and that leaves nothing to
    warn of; one of only a part of it; one that it makes only with `--unsafe`; one of those that
    is wrong here, so that the doubt is right; or, because none is known to be right, nothing.
    `edit` is a file that the image
    holds, and a new text for it; `arguments` are the build arguments before and with the edit.
    The install may run again after the edit (`reruns`) where it cannot be moved, but then it
    downloads nothing. `caches` are folders of package caches besides the usual ones. CI builds
    the cases that are `lane`.
    """

    name: str
    dockerfile: str
    install: str
    bump: Bump
    cut: Cut | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    edit: tuple[str, str] = ("app.py", "print('edited')\n")
    fix: Literal["safe", "part", "unsafe", "doubted", "none"] = "safe"
    reruns: bool = False
    arguments: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    caches: tuple[str, ...] = ()
    lane: bool = False

    def write(self, folder: Path) -> None:
        """Write the project, with its Dockerfile."""
        for path, text in {"Dockerfile": self.dockerfile, **self.files}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(text.encode())
