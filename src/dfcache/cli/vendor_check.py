"""``dfcache vendor --check``: from options to an exit code."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from dfcache.cli.stream import complain

if TYPE_CHECKING:
    from dfcache.cli.vendor import Request, Subject

CLEAN, FAULTS, FAILED = 0, 1, 2


def run_check(request: Request, subject: Subject, own_platform: str) -> int:
    """Say whether the folder holds what the build installs; the exit code.

    Raises ManifestError and OSError.
    """
    from dfcache.reporters import vendored
    from dfcache.vendor.check import Answers, check

    libc, _, version = (request.libc or "").partition("-")
    answers = Answers(request.platforms, request.python or "", libc, version, own_platform)
    try:
        found = check(
            subject.build, subject.path, subject.inside, subject.root, subject.folder, answers
        )
    except ValueError as error:
        complain(f"dfcache: {subject.path}: {error}")
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
    for option, value in (("--context", request.context), ("--into", request.into)):
        words += [option, value] if value else []
    return " ".join(words)
