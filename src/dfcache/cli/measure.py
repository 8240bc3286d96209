"""``dfcache measure``."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from dfcache.cli.stream import complain, opened
from dfcache.record import record

if TYPE_CHECKING:
    from dfcache.builders.measure import Measurement


@record
class Request:
    """What was asked for on the command line."""

    context: str
    file: str | None
    build_args: tuple[str, ...]
    options: tuple[str, ...]
    cold: bool
    unsafe: bool
    format: str
    output: str | None


def run(request: Request) -> int:
    """Measure, and report; the exit code."""
    from dfcache.builders.docker import BuilderError, Docker
    from dfcache.builders.measure import FixError, Project, measure
    from dfcache.engine.links import BUGS

    dockerfile = request.file or _dockerfile(request.context)
    if not os.path.isdir(request.context):
        return _fail(f"{request.context}: no such folder")
    if not os.path.isfile(dockerfile):
        return _fail(f"{dockerfile}: no such file")
    texts = _texts(request, dockerfile)
    if texts is None:
        return 2
    if texts[0] == texts[1]:
        more = "" if request.unsafe else "; there may be more with --unsafe"
        complain(f"dfcache: {dockerfile}: nothing to fix, so nothing was built{more}")
        return 0
    status = _Status()
    try:
        options = (*(f"--build-arg={each}" for each in request.build_args), *request.options)
        docker = Docker(options)
        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name):  # Windows lacks the latter
                signal.signal(getattr(signal, name), _leave)
        complain(
            "dfcache: builds a copy of the context, with cache mounts and layers of its own; "
            "the mounts are deleted in the end, the layers are left to age in the builder"
        )
        project = Project(request.context, dockerfile, *texts)
        measured = measure(project, docker, request.cold, status.show)
    except BuilderError as error:
        status.clear()
        for line in error.log.split("\n") if error.log else ():
            complain(f"  {line}")
        bug = f"; the original builds, please report this at {BUGS}"
        return _fail(f"{error}{bug if isinstance(error, FixError) else ''}")
    except OSError as error:
        status.clear()
        return _fail(f"{error.filename or request.context}: {error.strerror or error}")
    finally:
        status.clear()
    return _report(request, dockerfile, measured)


def _dockerfile(context: str) -> str:
    return os.path.join(context, "Dockerfile")


def _texts(request: Request, dockerfile: str) -> tuple[str, str] | None:
    """The Dockerfile as it is and as it would be fixed; None after a complaint."""
    from dfcache.diagnostics import Safety
    from dfcache.engine.run import Session
    from dfcache.engine.settings import SettingsError

    least = Safety.UNSAFE if request.unsafe else Safety.SAFE
    try:
        session = Session(given={"context": os.path.abspath(request.context)})
        outcome = session.file(dockerfile, least)
    except SettingsError as error:
        _fail(f"{error.path}: {error}" if error.path else str(error))
        return None
    if outcome.trouble is not None:
        _fail(f"{dockerfile}: {outcome.trouble.message}")
        return None
    if outcome.invalid:
        _fail(f"{dockerfile}: BuildKit refuses it; see dfcache check")
        return None
    return outcome.source, outcome.fixed


def _report(request: Request, dockerfile: str, measured: Measurement) -> int:
    from dfcache.reporters.measured import json_text, text, warnings

    shown = (
        json_text(measured, request.context, dockerfile)
        if request.format == "json"
        else text(measured)
    )
    try:
        with opened(request.output, exact=False) as write:
            write(shown)
    except BrokenPipeError:
        raise
    except OSError as error:
        return _fail(f"{request.output or 'standard output'}: cannot write: {error.strerror}")
    for warning in warnings(measured):
        complain(f"dfcache: warning: {warning}")
    return 0


def _fail(message: str) -> int:
    complain(f"dfcache: {message}")
    return 2


def _leave(sign: int, frame: object) -> NoReturn:
    """Leave as on Ctrl-C, so that what was started is stopped and deleted."""
    raise SystemExit(128 + sign)


class _Status:
    """One line on standard error that is written over and over; only on a terminal."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def show(self, text: str) -> None:
        """Show what goes on."""
        if self._shown:
            from dfcache.reporters.printable import printable

            wide = max(20, shutil.get_terminal_size().columns - 1)
            sys.stderr.write(f"\r\x1b[K{printable(text)[:wide]}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Leave an empty line."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
