"""Folders of packages that a step is to look into and that the build context doesn't show it."""

from __future__ import annotations

import posixpath

from dfcache.model.asked import Given
from dfcache.model.build import Build, CopyStep, RunStep
from dfcache.model.effects import overlap
from dfcache.model.globbing import clean
from dfcache.model.ignore import Ignore
from dfcache.model.mounts import StepMount
from dfcache.model.order import step_effects
from dfcache.model.stock import is_empty
from dfcache.record import record

_WHEEL = "x-1-py3-none-any.whl"
"""A name that a package may have."""


@record
class Absence:
    """A folder of the context without its packages.

    ``hidden`` tells that .dockerignore hides them, by its line ``line`` (0 where no single one
    does). ``bare`` folders are there, with nothing in them. ``mount`` or ``copy`` is what names
    the folder and so fails the build; where there is neither, an install just finds nothing.
    """

    folder: str
    hidden: bool
    line: int
    bare: bool = False
    mount: StepMount | None = None
    copy: CopyStep | None = None


def absence(build: Build, step: RunStep, given: Given) -> Absence | None:
    """Why the context doesn't show ``step`` the folder that ``given`` names; None if it does.

    A folder that a step before may make, or that comes from elsewhere, is no matter of the context.
    """
    origin = given.origin
    if origin is None or not origin.path:
        return None
    if origin.there:
        bare = hides(build, origin.path) and build.context.is_dir(origin.path)
        bare = bare and is_empty(build, origin.path)
        return _absence(build, origin.path, bare=True, mount=origin.mount) if bare else None
    copy = origin.copy if _names(origin.copy, origin.path) else None
    if origin.mount is None and copy is None and _made(build, step, given.path or ""):
        return None
    return _absence(build, origin.path, mount=origin.mount, copy=copy)


def unmounted(build: Build, mount: StepMount, folder: str) -> Absence | None:
    """As ``absence``, for a mount of ``folder`` that no install is seen to look into."""
    return None if build.context.is_dir(folder) else _absence(build, folder, mount=mount)


def _absence(
    build: Build,
    folder: str,
    bare: bool = False,
    mount: StepMount | None = None,
    copy: CopyStep | None = None,
) -> Absence:
    hidden = hides(build, folder)
    return Absence(folder, hidden, _line(build, folder) if hidden else 0, bare, mount, copy)


def hides(build: Build, folder: str) -> bool:
    """Whether .dockerignore hides the packages of a folder."""
    return build.context.ignored(posixpath.join(folder, _WHEEL))


def _names(copy: CopyStep | None, folder: str) -> bool:
    """Whether a COPY names the folder itself, so that the build fails without it."""
    sources = copy.files.sources if copy is not None and copy.files is not None else ()
    return folder in [clean(each) for each in sources]


def _made(build: Build, step: RunStep, path: str) -> bool:
    """Whether a step before, or a command of the same one, may put something at ``path``."""
    for number in build.lineage(step.stage):
        for other in build.stages[number].steps:
            if isinstance(other, RunStep) and (number, other.index) <= (step.stage, step.index):
                effects = step_effects(build, other)
                if effects.unknown or overlap((path,), effects.writes | effects.makes):
                    return True
    return False


def _line(build: Build, folder: str) -> int:
    """The line of .dockerignore from which on it hides a folder of packages."""
    lines = (build.context.read(".dockerignore") or "").split("\n")
    path = posixpath.join(folder, _WHEEL)
    for number in range(len(lines), 0, -1):
        if not Ignore("\n".join(lines[:number])).hides(path):
            return number + 1 if number < len(lines) else 0
    return 1 if Ignore(lines[0]).hides(path) else 0
