"""What the installs of a step read, and where in the build context it comes from."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence

from dfcache.model.build import Build, CopyStep, RunStep, per_build
from dfcache.model.effects import above, within
from dfcache.model.globbing import clean, destination, origin, placed
from dfcache.model.lifecycle import WHOLE_PROJECT, runs_code
from dfcache.model.projects import project
from dfcache.model.requirements import read_requirements
from dfcache.model.usedfiles import Read
from dfcache.model.uses import ToolUse
from dfcache.model.variables import is_loose
from dfcache.record import EMPTY, record


@record
class Reads:
    """``files`` maps image paths that are read to their files in the context.

    ``folders`` does so for folders of which everything counts (local projects).
    ``unknown`` tells, where it isn't "", what could not be followed: more may be read.
    A folder that no COPY brings alone is mapped to "?". ``variables`` are those that
    requirements files name; ``leaves`` are folders into which editable requirements are cloned.
    """

    files: Mapping[str, str] = EMPTY
    folders: Mapping[str, str] = EMPTY
    unknown: str = ""
    variables: frozenset[str] = frozenset()
    leaves: frozenset[str] = frozenset()

    @property
    def paths(self) -> frozenset[str]:
        """All the image paths."""
        return frozenset(self.files) | frozenset(self.folders)


def copies_before(build: Build, step: RunStep) -> tuple[CopyStep, ...]:
    """The copies from the build context that ``step`` can see, in order."""
    found: list[CopyStep] = []
    for number in build.lineage(step.stage):
        for other in build.stages[number].steps:
            if number == step.stage and other.index >= step.index:
                break
            if isinstance(other, CopyStep) and other.origin is None and other.files is not None:
                found.append(other)
    return tuple(found)


def copied_to(build: Build, step: RunStep, folder: str) -> str | None:
    """Where an earlier COPY of nothing but a folder of the build context puts it."""
    for copy in reversed(copies_before(build, step)):
        spec = copy.files
        if spec is None or spec.parents:
            continue
        if [clean(source) for source in spec.sources] == [clean(folder)]:
            return posixpath.normpath(destination(spec))
    return None


# Options of requirements files that name a folder of packages or an index.
_PLACES = ("--find-links", "-f", "--index-url", "-i", "--extra-index-url")


@per_build
def reads(build: Build, step: RunStep) -> Reads:
    """What the downloading commands of ``step`` read of the context."""
    reader = _Reader(build, step)
    for use in step.uses:
        if use.spec.effect in ("downloads", "fills"):
            reader.use(use)
    return Reads(
        reader.files,
        reader.folders,
        reader.unknown,
        frozenset(reader.variables),
        frozenset(reader.leaves),
    )


def _installs_python(use: ToolUse) -> bool:
    return use.tool.name == "pip" or use.spec.words[:1] == ("pip",)


class _Reader:
    def __init__(self, build: Build, step: RunStep) -> None:
        self.build = build
        self.step = step
        self.copies = [copy.files for copy in copies_before(build, step) if copy.files is not None]
        self.mounts = [m for m in step.mounts if m.type == "bind" and m.mount.from_ is None]
        self.files: dict[str, str] = {}
        self.folders: dict[str, str] = {}
        self.unknown = ""
        self.variables: set[str] = set()
        self.leaves: set[str] = set()

    def use(self, use: ToolUse) -> None:
        if not use.sure and use.spec.operands != "packages":
            self.give_up(f"an argument of `{use.title}` can't be told")
        for read in use.reads:
            self.read(use, read)
        if self.build.wishes.pattern in ("offline", "hybrid") and _installs_python(use):
            self.packages()
        for name in use.spec.manifests:
            self.manifest(use, name)
            self.manifest_above(use, name)
        if use.own_code and not self.build.context.known:
            self.give_up(f"`{use.title}` may run code of the project")

    def packages(self) -> None:
        """By the pattern that was asked for, the folder of packages is to be read."""
        place = copied_to(self.build, self.step, self.build.wishes.packages)
        if place is not None:
            self.folder(place)

    def give_up(self, reason: str) -> None:
        self.unknown = self.unknown or reason

    def read(self, use: ToolUse, read: Read) -> None:
        if is_loose(read.argument.word.raw, self.step.scope):
            self.give_up(f"a build argument may change `{read.argument.word.value}`")
        elif read.path is not None and any(char in read.path for char in "*?["):
            self.give_up(f"`{read.argument.word.value}` is a pattern")
        elif read.path is None:
            self.give_up(f"`{read.argument.word.value}` can't be told")
        elif read.kind in ("requirements", "constraints"):
            self.requirements(use, read.path, read.kind == "constraints")
        elif read.kind == "project":
            self.project(read.path)
        elif read.kind == "links":
            self.folder(read.path)
        elif read.kind in ("group", "workdir"):
            self.give_up(f"`{read.argument.word.value}` can't be followed")
        else:
            self.file(read.path)

    def locate(self, path: str) -> str | None:
        """The context's path of what lies at the image's ``path``."""
        found = origin(path, self.copies, self.build.context)
        return found.path if found else None

    def file(self, path: str) -> str | None:
        """Note that ``path`` is read; its text, where it is a file of the context."""
        where = self.locate(path)
        if where is None:
            return None
        self.files[path] = where
        return self.build.context.read(where)

    def folder(self, path: str) -> None:
        where = self.locate(path)
        if where is not None:
            if self.build.context.is_file(where):
                self.files[path] = where
            else:
                self.folders[path] = where

    def project(self, path: str) -> None:
        """Note a local project: all of its folder, and what it may take from elsewhere."""
        self.whole(path)
        where = self.folders.get(path)
        if where is None or where == "?":
            return
        for name in ("setup.py", "setup.cfg", "pyproject.toml"):
            text = self.build.context.read(posixpath.join(where, name)) or ""
            if any(sign in text for sign in ("..", "file:", "subprocess", "os.system")):
                self.give_up(f"{posixpath.join(where, name)} may read files outside of it")
        found = project(self.build.context, where)
        local = [p for p in found.path_dependencies if not within(p, where)]
        if found.uses_git:
            self.give_up(f"the version of {where or 'the project'} comes from the repository")
        elif found.unsure or local or found.missing or not found.installable:
            reason = found.unsure[0] if found.unsure else "it needs files that can't be told"
            self.give_up(f"building {where or 'the project'} may read more: {reason}")

    def whole(self, path: str) -> None:
        """Note that everything below a folder is read, however many COPYs bring it."""
        self.folder(path)
        if path not in self.folders and path not in self.files and self.is_filled(path):
            self.folders[path] = "?"
            self.give_up(f"several COPYs bring {path}")

    def is_filled(self, path: str) -> bool:
        """Whether some COPY brings anything at or below ``path``."""
        placed_in = (placed(self.build.context, copy) for copy in self.copies)
        return any(within(image, path) for images in placed_in for image in images)

    def manifest(self, use: ToolUse, name: str) -> None:
        cwd = use.invocation.cwd
        if cwd is None:
            self.give_up(f"the working directory of `{use.title}` can't be told")
            return
        path = posixpath.join(cwd, name)
        where = self.locate(path)
        if where is None or not self.build.context.is_file(where):
            return
        self.files[path] = where
        if use.own_code:
            reason = runs_code(name, self.build.context.read(where) or "")
            if name == "package.json" and self.locate(posixpath.join(cwd, "binding.gyp")):
                reason = "binding.gyp has npm build the source"
            if reason == WHOLE_PROJECT:
                self.whole(cwd)
            elif reason:
                self.give_up(reason)

    def manifest_above(self, use: ToolUse, name: str) -> None:
        """Workspaces and settings in a folder above the working directory are read as well."""
        for folder in above(use.invocation.cwd or "/"):
            path = posixpath.join(posixpath.dirname(folder), name)
            if self.locate(path) is not None:
                self.give_up(f"`{use.title}` may read {path} too")

    def requirements(self, use: ToolUse, path: str, constraint: bool) -> None:
        if self.locate(path) is None:
            # Not of the context: made by a step, or part of the base image. What made it
            # stands before the install, and stays there.
            if not any(mount.covers(path) for mount in self.mounts):
                self.give_up(f"no COPY brings {path}")
            return
        if not self.build.context.known:
            self.file(path)
            return
        got = read_requirements(self.file, path, constraint=constraint)
        self.variables |= set(got.variables)
        if got.missing:
            self.give_up(f"{got.missing[0]} is hidden, or not in the build context")
        if got.problems:
            self.give_up(f"{got.problems[0][0]} can't be read: {got.problems[0][2]}")
        cwd = use.invocation.cwd
        if any(entry.editable and entry.url and entry.path is None for entry in got.entries):
            self.leaves.add(posixpath.join(cwd or "/", "src"))
        for target in (entry.path for entry in got.locals if entry.path is not None):
            if cwd is None and not target.startswith("/"):
                self.give_up(f"{path} names {target}, whose place can't be told")
            else:
                self.project(posixpath.normpath(posixpath.join(cwd or "/", target)))
        for option in _PLACES:
            for place in got.options.get(option, ()):
                self.place(place, [*map(posixpath.dirname, got.files), cwd or "/"])

    def place(self, place: str, folders: Sequence[str]) -> None:
        """Note a folder of packages or an index that a requirements file names.

        pip takes it from the file's own folder where it is there, else from where it runs.
        """
        if "://" in place and not place.startswith("file:"):
            return
        path = re.sub(r"^file:(//)?", "", place)
        tries = [posixpath.normpath(posixpath.join(folder, path)) for folder in folders]
        found = [image for image in tries if self.locate(image) is not None]
        for image in found:
            self.folder(image)
        if not found:
            self.give_up(f"the place of {place} can't be told")
