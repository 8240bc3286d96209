"""What ``dfcache vendor`` is about: a Dockerfile, its context, its folder, its targets."""

from __future__ import annotations

import os
import posixpath
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dfcache.cli.platform import own_platform
from dfcache.record import record, replace

if TYPE_CHECKING:
    from dfcache.engine.context import Chosen
    from dfcache.engine.settings import Settings
    from dfcache.model.build import Build
    from dfcache.model.target import Target
    from dfcache.vendor.check import Answers
    from dfcache.vendor.manifest import Manifest

_NAMES = ("Dockerfile", "Containerfile", "dockerfile", "containerfile")


@record
class Request:
    """What was asked for on the command line."""

    path: str
    context: str | None
    into: str | None
    platforms: tuple[str, ...]
    python: str | None
    libc: str | None
    sdist: bool
    prune: bool
    check: bool
    upgrade: bool
    retries: int
    build_options: tuple[str, ...]
    quiet: bool
    format: str
    config: str | None


class VendorUsageError(Exception):
    """What stands against it: ``str()`` is a line for the user."""


@record
class Subject:
    """The Dockerfile at hand: its path, its place in the context, and the folder of packages."""

    path: str
    inside: str
    build: Build
    chosen: Chosen
    settings: Settings
    root: Path
    folder: str


def subject_of(request: Request) -> Subject:
    """What a request is about. Raises VendorUsageError, SettingsError."""
    from dfcache.engine.context import context_of
    from dfcache.engine.lint import tree
    from dfcache.engine.run import Session
    from dfcache.engine.write import read

    path = _dockerfile(request.path)
    if request.context is not None and not os.path.isdir(request.context):
        raise VendorUsageError(f"--context {request.context}: no such folder")
    try:
        source = read(path)
    except OSError as error:
        raise VendorUsageError(f"{path}: cannot read: {error.strerror or error}") from error
    given = {} if request.context is None else {"context": os.path.abspath(request.context)}
    session = Session(request.config, given)
    settings = session.settings(path)
    dockerfile = tree(source)
    if dockerfile.problems:
        problem = dockerfile.problems[0]
        line = problem.lines[0] if problem.lines else 1
        raise VendorUsageError(f"{path}:{line}: BuildKit refuses it: {problem.message}")
    chosen = context_of(path, source, settings)
    root = chosen.root or Path(os.path.dirname(path) or ".")
    build = session.rules.understand(dockerfile, chosen.context, settings)
    folder = posixpath.normpath(request.into or settings.wishes.packages)
    if folder.startswith(("/", "..")) or folder == ".":
        raise VendorUsageError(
            f"--into {request.into}: must be a folder of the build context, as pip_packages"
        )
    if os.path.exists(root / folder) and not os.path.isdir(root / folder):
        raise VendorUsageError(f"{folder} is no folder, so it can't hold packages")
    inside = Path(os.path.relpath(os.path.realpath(path), os.path.realpath(root))).as_posix()
    return Subject(path, inside, build, chosen, settings, root, folder)


def _dockerfile(given: str) -> str:
    if not os.path.isdir(given):
        return given
    names = (os.path.join(given, name) for name in _NAMES)
    found = next((name for name in names if os.path.isfile(name)), None)
    if found is None:
        raise VendorUsageError(f"no Dockerfile in {given}")
    return os.path.normpath(found)


def answers_of(request: Request) -> Answers:
    """What the command line says of the targets."""
    from dfcache.vendor.check import Answers

    libc, _, version = (request.libc or "").partition("-")
    return Answers(request.platforms, request.python or "", libc, version, own_platform())


def targets_of(
    subject: Subject, manifest: Manifest | None, request: Request
) -> Mapping[int, Sequence[Target]]:
    """What each stage's packages have to fit. Raises VendorUsageError.

    A Python that nothing tells is asked for on a terminal.
    """
    from dfcache.vendor.check import UnknownTargetError, all_targets

    answers = answers_of(request)
    try:
        try:
            return all_targets(subject.build, subject.path, subject.inside, manifest, answers)
        except UnknownTargetError:
            if request.python or not sys.stdin.isatty():
                raise
        answers = replace(answers, python=_ask_python())
        return all_targets(subject.build, subject.path, subject.inside, manifest, answers)
    except ValueError as error:
        raise VendorUsageError(str(error)) from error


def _ask_python() -> str:
    import typer

    return str(typer.prompt("Which Python does the image have? (such as 3.11)", err=True))
