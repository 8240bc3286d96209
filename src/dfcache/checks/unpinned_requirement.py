"""DFC307: a requirement leaves it to the day of the build which version is installed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from dfcache.checks.registry import Report, check_for
from dfcache.diagnostics import Elsewhere
from dfcache.fixes.pinning import Pinning, pin_command, pin_file
from dfcache.model.asked import Asked, all_asked
from dfcache.model.build import Build
from dfcache.model.pins import TOOLCHAIN, open_entries
from dfcache.model.requirements import Requirement
from dfcache.text import Span

_SHOWN = 4


@check_for("DFC307", on=Build)
def check(build: Build, _: Build) -> Iterator[Report]:
    files: dict[str, tuple[Asked, dict[Span, Requirement]]] = {}
    for one in all_asked(build):
        found = open_entries(build, one)
        named = [each for each in found if not each.file and each.name not in TOOLCHAIN]
        if named and "xargs" not in one.use.invocation.wrappers:
            yield _command(build, one, named)
        for entry in found:
            if entry.file:
                files.setdefault(entry.file, (one, {}))[1][entry.span] = entry
    for file, (one, entries) in files.items():
        yield _file(build, one, file, sorted(entries.values(), key=lambda each: each.span))


def _file(build: Build, one: Asked, file: str, entries: Sequence[Requirement]) -> Report:
    made = pin_file(build, one, file, entries)
    wanted = {each.span for each in one.wanted if each.file == file}
    return Report(
        one.naming(file),
        f"{_count(len(entries), len(wanted))} the version open: {_names(entries)}",
        made.plan.fix(_title(made)),
        (_lines(entries), *made.plan.notes()),
        elsewhere=Elsewhere(file, entries[0].span),
    )


def _command(build: Build, one: Asked, entries: Sequence[Requirement]) -> Report:
    made = pin_command(build, one, entries)
    return Report(
        entries[0].span,
        f"`{one.use.title}` leaves the version open: {_names(entries)}",
        made.plan.fix(_title(made)),
        (*(f"not pinned: {why}" for why in made.refused), *made.plan.notes()),
    )


def _title(made: Pinning) -> str:
    return f"pin {_names(made.entries)} as in {' and '.join(made.sources)}"


def _count(opened: int, wanted: int) -> str:
    if wanted == 1:
        return "the only requirement leaves"
    if opened == wanted:
        return f"all {wanted} requirements leave"
    return f"{opened} of {wanted} requirements {'leaves' if opened == 1 else 'leave'}"


def _names(entries: Iterable[Requirement]) -> str:
    names = list(dict.fromkeys(re.split(r"[^\w.-]", each.text, maxsplit=1)[0] for each in entries))
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _lines(entries: Iterable[Requirement]) -> str:
    """Where requirements stand in their file: ``in lines 4, 7-9``."""
    runs: list[list[int]] = []
    for number in sorted({each.line for each in entries}):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    shown = [str(a) if a == b else f"{a}-{b}" for a, b in runs]
    one = len(runs) == 1 and runs[0][0] == runs[0][1]
    return f"in line{'' if one else 's'} {', '.join(shown)}"
