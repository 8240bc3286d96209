"""``dfcache vendor``: from options to an exit code."""

from __future__ import annotations

import os
import posixpath
import signal
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from dfcache.cli.stream import complain
from dfcache.cli.vendor_show import Show, counted, megabytes
from dfcache.record import record, replace

if TYPE_CHECKING:
    from dfcache.engine.context import Chosen
    from dfcache.engine.settings import Settings
    from dfcache.model.build import Build
    from dfcache.model.target import Target
    from dfcache.vendor.check import Answers
    from dfcache.vendor.jobs import Job
    from dfcache.vendor.manifest import Manifest
    from dfcache.vendor.plan import Plan
    from dfcache.vendor.work import Done

_NAMES = ("Dockerfile", "Containerfile", "dockerfile", "containerfile")
_MACHINES = {"x86_64": "linux/amd64", "amd64": "linux/amd64"}
_MACHINES |= {"aarch64": "linux/arm64", "arm64": "linux/arm64"}


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


def run_vendor(request: Request) -> int:
    """Fetch what the build installs; the exit code."""
    from dfcache.engine.settings import SettingsError
    from dfcache.vendor.manifest import ManifestError
    from dfcache.vendor.programs import ProgramError
    from dfcache.vendor.resolve import ResolveError
    from dfcache.vendor.work import VendorError

    show = Show(request.quiet)
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # Windows lacks the latter
            signal.signal(getattr(signal, name), _leave)
    try:
        subject = _subject(request)
        if request.check:
            from dfcache.cli.vendor_check import run_check

            return run_check(request, subject, _own_platform())
        return _fill(request, subject, show)
    except SettingsError as error:
        place = f"{error.path}:{error.line}" if error.line else error.path or "dfcache"
        return _fail(show, f"{place}: {error}")
    except ResolveError as error:
        detail = [f"  {line}" for line in error.detail.split("\n") if line]
        if error.unreachable:
            detail.append("what has arrived stays; run it again to go on")
        return _fail(show, f"{error.where}: {error}", detail)
    except VendorError as error:
        return _fail(show, str(error), error.detail)
    except (VendorUsageError, ProgramError, ManifestError) as error:
        return _fail(show, str(error))
    except OSError as error:
        return _fail(show, f"{error.filename or 'dfcache'}: {error.strerror or error}")
    except KeyboardInterrupt:
        show.clear()
        complain("dfcache: stopped; what has arrived stays, run it again to go on")
        return 130
    finally:
        show.clear()


def _fill(request: Request, subject: Subject, show: Show) -> int:
    from dfcache.vendor.host import configured
    from dfcache.vendor.manifest import read_manifest
    from dfcache.vendor.plan import plan, targets
    from dfcache.vendor.work import Order, vendor

    known = targets(subject.build)
    if not known:
        raise VendorUsageError(f"{subject.path}: installs nothing with pip or uv pip")
    place = subject.root / subject.folder
    manifest = read_manifest(place)
    wanted = {
        stage: _targets(target, subject, manifest, request) for stage, target in known.items()
    }
    default = configured(subject.settings.wishes.index_url)
    made = plan(subject.build, subject.path, wanted, subject.root, subject.folder, default)
    if not made.jobs and not made.checkouts:
        for note in (*made.unread, *made.notes):
            complain(f"dfcache: {_safe(note)}")
        raise VendorUsageError(f"{subject.path}: nothing that could be fetched is installed")
    builder = _Builder(request, subject, made, show)
    order = Order(
        subject.inside, place, made, request.sdist, builder.build if builder.can else None,
        builder.why_not, request.upgrade, request.retries,
    )  # fmt: skip
    done = vendor(order, show)
    show.clear()
    pruned: Sequence[str] = ()
    if request.prune:
        pruned, notes = _prune(subject, made, done)
        done = replace(done, notes=(*done.notes, *notes))
    _report(request, subject, made, done, pruned)
    return 0


# --- what it is about ------------------------------------------------------------------------


def _subject(request: Request) -> Subject:
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


def _answers(request: Request) -> Answers:
    from dfcache.vendor.check import Answers

    libc, _, version = (request.libc or "").partition("-")
    return Answers(request.platforms, request.python or _PYTHON, libc, version, _own_platform())


def _targets(
    target: Target, subject: Subject, manifest: Manifest | None, request: Request
) -> Sequence[Target]:
    """What one stage's packages have to fit, with what was given or asked for."""
    from dfcache.vendor.check import UnknownTargetError, stage_targets

    try:
        try:
            return stage_targets(target, subject.inside, manifest, _answers(request))
        except UnknownTargetError:
            if target.python or request.python or not sys.stdin.isatty():
                raise
            _ask_python()
            return stage_targets(target, subject.inside, manifest, _answers(request))
    except ValueError as error:
        raise VendorUsageError(f"{subject.path}: {error}") from error


def _ask_python() -> None:
    """Ask for the Python that the Dockerfile doesn't tell."""
    import typer

    global _PYTHON
    _PYTHON = str(typer.prompt("Which Python does the image have? (such as 3.11)", err=True))


_PYTHON = ""


def _own_platform() -> str:
    """What a build without --platform is for."""
    import platform

    given = os.environ.get("DOCKER_DEFAULT_PLATFORM")
    return given or _MACHINES.get(platform.machine().lower(), "linux/amd64")


# --- what is done besides --------------------------------------------------------------------


class _Builder:
    """Builds wheels of sources in a container, where there is docker."""

    def __init__(self, request: Request, subject: Subject, made: Plan, show: Show) -> None:
        from dfcache.builders.docker import BuilderError, Docker

        self._subject = subject
        self._plan = made
        self._show = show
        self._docker: Docker | None = None
        self.why_not = ""
        try:
            self._docker = Docker(request.build_options, "building wheels")
        except BuilderError as error:
            self.why_not = str(error)

    @property
    def can(self) -> bool:
        return self._docker is not None

    def build(self, wanted: Sequence[str], job: Job, sources: Path, to: Path) -> Sequence[Path]:
        """See ``dfcache.vendor.work.Make``."""
        from dfcache.builders.docker import BuilderError
        from dfcache.builders.wheels import Place, make_wheels
        from dfcache.vendor.work import VendorError

        assert self._docker is not None
        where = job.where.partition(" (")[0]
        step = self._plan.steps[where]
        place = Place(self._subject.build, step, str(self._subject.root), job.target.platform)
        try:
            return make_wheels(
                self._docker, place, wanted, sources, to, _pip_settings(job), self._show.step
            )
        except BuilderError as error:
            raise VendorError(
                f"{where}: building {', '.join(wanted)} in a container failed: {error}",
                [
                    *(f"  {line}" for line in error.log.split("\n") if line),
                    "with --sdist the source is kept, and each build of the image builds it",
                ],
            ) from error


def _pip_settings(job: Job) -> dict[str, str]:
    """The indexes of a job as pip's configuration; those of this machine's loopback left out."""
    from urllib.parse import urlsplit

    def reached(addresses: Iterable[str]) -> str:
        own = ("localhost", "127.0.0.1", "::1")
        return " ".join(
            each for each in addresses if "://" in each and urlsplit(each).hostname not in own
        )

    indexes = job.indexes
    found = {
        "index-url": reached([indexes.index] if indexes.index else []),
        "extra-index-url": reached(indexes.extra),
        "trusted-host": " ".join(indexes.trusted),
    }
    return {name: value for name, value in found.items() if value}


def _prune(subject: Subject, made: Plan, done: Done) -> tuple[Sequence[str], Sequence[str]]:
    """Delete what nothing needs any longer: its names, and what to tell besides."""
    from dfcache.vendor.audit import audit
    from dfcache.vendor.prune import prune

    folder = subject.root / subject.folder
    found = audit(folder, made, subject.inside, done.manifest)
    if not found.sure:
        return (), ["nothing is pruned: what is needed can't be told for sure"]
    # What was just resolved, and what pip would take.
    resolved = () if done.unchanged else (each.file for each in done.files)
    pruned = prune(folder, found.needed.union(resolved), done.manifest)
    return pruned.removed, [f"{name} is not dfcache's, so it stays" for name in pruned.left]


# --- what is said ----------------------------------------------------------------------------


def _report(
    request: Request, subject: Subject, made: Plan, done: Done, pruned: Sequence[str]
) -> None:
    notes = [*_doubts(request, subject, done), *made.unread, *done.notes, *_ignored(subject)]
    if request.format == "json":
        told = {
            "version": 1,
            "folder": _shown(subject),
            "files": [
                {
                    "file": each.file,
                    "name": each.name,
                    "version": each.version,
                    "sha256": each.sha256,
                    "size": each.size,
                    "built": each.built,
                }
                for each in done.files
            ],
            "fetched": list(done.fetched),
            "built": list(done.built),
            "pruned": list(pruned),
            "notes": notes,
        }
        _write_json(told)
        return
    for note in notes:
        complain(f"dfcache: {_safe(note)}")
    if request.quiet:
        return
    sys.stdout.write("".join(f"{line}\n" for line in _summary(subject, done, pruned)))


def _summary(subject: Subject, done: Done, pruned: Sequence[str]) -> list[str]:
    from dfcache.vendor.manifest import target_text

    size = sum(each.size for each in done.files)
    targets = sorted({target_text(target) for each in done.files for target in each.targets})
    new = len(done.fetched) + len(done.built)
    how = "all were there" if not new else f"{new} of them new" if new < len(done.files) else ""
    lines = [
        f"{_shown(subject)} holds {counted(len(done.files), 'package')} ({megabytes(size)})"
        f"{f', {how}' if how else ''}, for {' and '.join(targets)}"
    ]
    if pruned:
        lines.append(f"deleted {', '.join(pruned)}")
    if subject.settings.wishes.pattern not in ("offline", "hybrid"):
        lines.append(
            f"next: `dfcache fix --pattern offline {subject.path}` shows how the Dockerfile "
            "installs from it"
        )
    return lines


def _ignored(subject: Subject) -> list[str]:
    """That a .dockerignore hides the folder from builds."""
    context = subject.chosen.context
    if context.known and context.ignored(f"{subject.folder}/x-1.0-py3-none-any.whl"):
        return [
            f".dockerignore hides {subject.folder}: builds can't see it; add a line "
            f"!{subject.folder} to it"
        ]
    return []


def _doubts(request: Request, subject: Subject, done: Done) -> list[str]:
    """What was taken for granted."""
    notes = []
    if subject.chosen.doubt is not None:
        notes.append(f"the build context is taken to be {subject.chosen.doubt}; see --context")
    source = subject.build.dockerfile.source
    several = any(name in source for name in ("TARGETPLATFORM", "TARGETARCH"))
    platforms = {target.platform for each in done.files for target in each.targets}
    if several and len(platforms) == 1 and not request.platforms:
        notes.append(
            f"{subject.path} is written for several platforms, and the packages are those for "
            f"{next(iter(platforms))}; name them all: --platform linux/amd64 --platform linux/arm64"
        )
    return notes


def _shown(subject: Subject) -> str:
    place = os.path.relpath(subject.root / subject.folder)
    return os.path.abspath(place) if place.startswith(os.pardir) else place


def _fail(show: Show, message: str, detail: Sequence[str] = ()) -> int:
    show.clear()
    complain(_safe(f"dfcache: {message}"))
    for line in detail:
        complain(_safe(line))
    return 2


def _safe(text: str) -> str:
    """Without credentials in addresses."""
    import re

    return re.sub(r"://[^/\s@]+@", "://***@", text)


def _write_json(told: object) -> None:
    import json

    sys.stdout.write(_safe(json.dumps(told, indent=2)) + "\n")


def _leave(sign: int, frame: object) -> NoReturn:
    raise SystemExit(128 + sign)
