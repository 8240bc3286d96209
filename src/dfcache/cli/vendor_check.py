"""``dfcache vendor --check``: from options to an exit code."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING

from dfcache.cli.stream import complain
from dfcache.cli.vendor_subject import answers_of

if TYPE_CHECKING:
    from dfcache.cli.vendor_subject import Request, Subject

CLEAN, FAULTS, FAILED = 0, 1, 2


def run_check(request: Request, subject: Subject) -> int:
    """Say whether the folder holds what the build installs; the exit code.

    Raises ManifestError and OSError.
    """
    from dfcache.reporters import vendored
    from dfcache.vendor.check import check

    try:
        found = check(
            subject.build, subject.path, subject.inside, subject.root, subject.folder,
            answers_of(request),
        )  # fmt: skip
    except ValueError as error:
        complain(f"dfcache: {error}")
        return FAILED
    folder = os.path.relpath(subject.root / subject.folder)
    doubt = subject.chosen.doubt
    notes = found.notes
    if doubt is not None:
        notes = (f"the build context is taken to be {doubt}; see --context", *notes)
    if request.format == "json":
        sys.stdout.write(vendored.json_text(found.audit, folder, notes))
    else:
        for note in () if request.quiet else notes:
            complain(f"dfcache: {note}")
        shown = vendored.text(found.audit, folder, _command(request), not request.quiet)
        sys.stdout.write(shown)
    return CLEAN if found.audit.good else FAULTS


def _command(request: Request) -> str:
    """The command that fills the folder, as it would be typed."""
    words = ["dfcache", "vendor"]
    if request.path not in (".", "Dockerfile"):
        words.append(request.path)
    given = [("--context", request.context), ("--into", request.into), ("--python", request.python)]
    given += [("--platform", platform) for platform in request.platforms]
    given += [("--libc", request.libc), ("--config", request.config)]
    for option, value in given:
        words += [option, value] if value else []
    return shlex.join(words)
