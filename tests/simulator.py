"""A builder in small: runs the steps of a Dockerfile over files that are only names.

It knows a few programs, and gives what an image would hold, so that two files can be compared
by what they build. Independent of the rules' own idea of what a step reads and writes.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from itertools import pairwise

from dfcache.model.build import Build, CopyStep, RunStep, Stage
from dfcache.model.globbing import destination, placed


class BuildError(Exception):
    """A step fails."""


@dataclass
class Image:
    """Files with what is in them, folders with who owns them, and what was installed, in order."""

    files: dict[str, object] = field(default_factory=dict)
    folders: dict[str, object] = field(default_factory=lambda: {"/": "root", "/tmp": "root"})
    installed: list[object] = field(default_factory=list)

    def make_folders(self, path: str, owner: object) -> None:
        while path not in self.folders:
            if path in self.files:
                raise BuildError(f"{path} is a file")
            self.folders[path] = owner
            path = posixpath.dirname(path)

    def need_folder(self, path: str) -> None:
        if path not in self.folders:
            raise BuildError(f"no folder {path}")

    def write(self, path: str, content: object) -> None:
        self.need_folder(posixpath.dirname(path))
        if path in self.folders:
            raise BuildError(f"{path} is a folder")
        self.files[path] = content

    def read(self, path: str) -> object:
        if path not in self.files:
            raise BuildError(f"no file {path}")
        return self.files[path]

    def below(self, folder: str) -> tuple[tuple[str, object], ...]:
        """All files in a folder, in order."""
        self.need_folder(folder)
        start = folder.rstrip("/") + "/"
        return tuple(sorted((p, c) for p, c in self.files.items() if p.startswith(start)))


def simulate(build: Build) -> Image:
    """The image of the last stage. Raises BuildError."""
    image = Image()
    stage: Stage = build.stages[-1]
    for step in stage.steps:
        if isinstance(step, CopyStep):
            _copy(build, step, image)
        elif isinstance(step, RunStep):
            for made in step.invocations:
                values = [argument.value or "" for argument in made.args]
                _run(image, made.program or "", values, made.cwd or "/", step.scope.user.name)
        elif step.instruction.name == "WORKDIR":
            path = step.scope.path(step.instruction.rest.value)
            image.make_folders(path or "/", "root")
    return image


def _copy(build: Build, step: CopyStep, image: Image) -> None:
    assert step.files is not None
    assert step.written is not None
    owner = step.written.chown or "root"
    found = placed(build.context, step.files)
    if not found:
        raise BuildError("nothing to copy")
    for path, where in found.items():
        image.make_folders(posixpath.dirname(path), owner)
        image.write(path, (where, owner))
    if len(step.files.sources) > 1 or step.files.dest.endswith(("/", ".")):
        image.make_folders(destination(step.files), owner)


def _run(image: Image, program: str, values: list[str], cwd: str, user: str) -> None:
    image.need_folder(cwd)

    def path(value: str) -> str:
        return posixpath.normpath(posixpath.join(cwd, value))

    operands = [path(value) for value in values if not value.startswith(("-", "+"))]
    if program == "pip":
        _pip(image, values, path)
    elif program == "chmod":
        for each in operands:
            image.files[each] = ("chmod", image.read(each))
    elif program == "touch":
        for each in operands:
            image.write(each, image.files.get(each, "empty"))
    elif program == "mkdir":
        for each in operands:
            if "-p" not in values:
                image.need_folder(posixpath.dirname(each))
                if each in image.folders:
                    raise BuildError(f"{each} is there")
            image.make_folders(each, user)
    elif program == "cp":
        image.write(operands[1], image.read(operands[0]))
    elif program == "cat":
        image.read(operands[0])
    elif program == "rm":
        for each in operands:
            image.files = {
                p: c for p, c in image.files.items() if p != each and not p.startswith(each + "/")
            }
            image.folders = {
                p: o for p, o in image.folders.items() if p != each and not p.startswith(each + "/")
            }
    elif program == "configure":
        image.write(path("made"), ("made from", image.below(cwd), image.read(path("configure"))))
    elif program not in ("true", "cd", "echo"):
        raise AssertionError(program)


def _pip(image: Image, values: list[str], path: object) -> None:
    assert callable(path)
    read: list[object] = []
    todo = [path(v) for option, v in pairwise(values) if option in ("-r", "-c")]
    while todo:
        each = todo.pop(0)
        content = image.read(each)
        read.append(content)
        name = content[0] if isinstance(content, tuple) else ""
        folder = posixpath.dirname(each)
        todo += [
            posixpath.normpath(posixpath.join(folder, more)) for more in INCLUDED.get(name, ())
        ]
    for value in values[1:]:
        if value.startswith("./"):
            read.append(image.below(path(value)))
    image.installed.append((tuple(values), tuple(read)))


INCLUDED = {"all.txt": ("requirements.txt", "conf/limits.txt")}
FILES = {
    "requirements.txt": "flask\n",
    "all.txt": "-r requirements.txt\n-c conf/limits.txt\n",
    "conf/limits.txt": "flask<4\n",
    "app.py": "import flask\n",
    "configure": "#!/bin/sh\n",
    "src/main.py": "import app\n",
    "src/all.txt": "six\n",
    "lib/setup.py": "from setuptools import setup\nsetup(name='lib')\n",
    "lib/lib.py": "x = 1\n",
}
