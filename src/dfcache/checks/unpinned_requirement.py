"""DFC307: a requirement leaves it to the day of the build which version is installed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from dfcache.checks.registry import Report, check_for
from dfcache.diagnostics import Elsewhere
from dfcache.fixes.pinning import pin_line, pin_word, pinned_text
from dfcache.fixes.plan import Plan
from dfcache.model.asked import Asked, all_asked
from dfcache.model.build import Build
from dfcache.model.pins import TOOLCHAIN, Pin, open_entries, pin
from dfcache.model.requirements import Requirement
from dfcache.text import Span

_SHOWN = 4


@check_for("DFC307", on=Build)
def check(build: Build, _: Build) -> Iterator[Report]:
    files: dict[str, tuple[Asked, dict[Span, Requirement]]] = {}
    for one in all_asked(build):
        found = open_entries(build, one)
        yield from _command(build, one, [each for each in found if not each.file])
        for entry in found:
            if entry.file:
                files.setdefault(entry.file, (one, {}))[1][entry.span] = entry
    for file, (one, entries) in files.items():
        yield _file(build, one, file, sorted(entries.values(), key=lambda each: each.span))


def _file(build: Build, one: Asked, file: str, entries: Sequence[Requirement]) -> Report:
    text = build.context.read(file) or ""
    plan, pins = Plan(), list[tuple[Requirement, Pin]]()
    for entry in entries:
        proved = pin(build, one, entry)
        edit = pin_line(text, entry, proved.value) if proved else None
        if proved and edit:
            plan.edits.append(edit)
            pins.append((entry, proved))
    _doubt(plan, pins)
    wanted = {each.span for each in one.wanted if each.file == file}
    return Report(
        one.naming(file),
        f"{_count(len(entries), len(wanted))} the version open: {_names(entries)}",
        plan.fix(_title(pins)),
        (_lines(entries), *plan.notes()),
        elsewhere=Elsewhere(file, entries[0].span),
    )


def _command(build: Build, one: Asked, entries: Sequence[Requirement]) -> Iterator[Report]:
    entries = [each for each in entries if each.name not in TOOLCHAIN]
    if not entries or "xargs" in one.use.invocation.wrappers:
        return
    plan, pins, notes = Plan(), list[tuple[Requirement, Pin]](), list[str]()
    for entry in entries:
        proved = pin(build, one, entry)
        edited = pinned_text(entry.text, proved.value) if proved else None
        if proved and "upgrade" in one.flags and not proved.certain:
            notes.append(f"not pinned: --upgrade asks for the newest {entry.name}")
        elif proved and edited:
            why = pin_word(build.dockerfile.source, one, entry, edited, plan)
            if why:
                notes.append(f"not pinned: {why}")
            else:
                pins.append((entry, proved))
    _doubt(plan, pins)
    yield Report(
        entries[0].span,
        f"`{one.use.title}` leaves the version open: {_names(entries)}",
        plan.fix(_title(pins)),
        (*notes, *plan.notes()),
    )


def _doubt(plan: Plan, pins: Iterable[tuple[Requirement, Pin]]) -> None:
    """A lock is what somebody wanted; what is installed today may be something else."""
    sources = [proved.source for _, proved in pins if not proved.certain]
    if sources:
        plan.doubt(
            f"builds may install other versions today than {' and '.join(dict.fromkeys(sources))}"
            " holds"
        )


def _title(pins: Sequence[tuple[Requirement, Pin]]) -> str:
    sources = dict.fromkeys(proved.source for _, proved in pins)
    return f"pin {_names([entry for entry, _ in pins])} as in {' and '.join(sources)}"


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
