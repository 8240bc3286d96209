"""What ``dfcache vendor`` says at its end."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dfcache.cli.stream import complain
from dfcache.cli.vendor_show import counted, megabytes

if TYPE_CHECKING:
    from dfcache.cli.vendor_subject import Request, Subject
    from dfcache.vendor.plan import Plan
    from dfcache.vendor.work import Done


def report(
    request: Request, subject: Subject, made: Plan, done: Done, pruned: Sequence[str]
) -> None:
    """Say what was done, and what stands against it."""
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
        complain(f"dfcache: {safe(note)}")
    if request.quiet:
        return
    sys.stdout.write("".join(f"{line}\n" for line in _summary(subject, done, pruned)))


def _summary(subject: Subject, done: Done, pruned: Sequence[str]) -> list[str]:
    from dfcache.model.target import target_text

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
            f"next: `dfcache fix --pattern offline {shlex.quote(subject.path)}` shows how "
            "the Dockerfile installs from it"
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


def safe(text: str) -> str:
    """Without credentials in addresses."""
    return re.sub(r"://[^/\s@]+@", "://***@", text)


def _write_json(told: object) -> None:
    import json

    sys.stdout.write(safe(json.dumps(told, indent=2)) + "\n")
