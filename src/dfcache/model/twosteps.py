"""Hybrid installs in two steps: the index in one, a folder of packages in another."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.model.asked import Asked, Given
from dfcache.model.build import Build, RunStep, per_build
from dfcache.model.failures import hidden
from dfcache.model.forms import Form, forms
from dfcache.record import record

_AGAIN = frozenset(
    "--force-reinstall --ignore-installed -I -U --upgrade --reinstall --target -t --prefix --root"
    " --python -p".split()
)


@record
class TwoSteps:
    """Two steps of a stage that install the same, one from an index and one from a folder.

    ``first`` is of the earlier step. ``online`` asks the index, ``local`` looks into the folder
    ``place`` alone. ``swallowed`` tells that a failure of the first is hidden.
    """

    first: Asked
    second: Asked
    online: Asked
    local: Asked
    place: Given
    swallowed: bool


@per_build
def two_steps(build: Build) -> tuple[TwoSteps, ...]:
    """The pairs of steps that stand for one hybrid install, in the order of the file."""
    found: list[TwoSteps] = []
    for stage in build.stages:
        steps = [step for step in stage.steps if isinstance(step, RunStep)]
        rows = [(step, form) for step in steps for form in forms(build, step)]
        for at, (step, form) in enumerate(rows):
            later = (pair for pair in rows[at + 1 :] if pair[0] is not step)
            pair = next(
                (_pair(build, form, other) for _, other in later if _same(form, other)), None
            )
            if pair is not None:
                found.append(pair)
    return tuple(found)


def halves(build: Build) -> tuple[Asked, ...]:
    """The commands of all such pairs."""
    return tuple(each for pair in two_steps(build) for each in (pair.first, pair.second))


def _pair(build: Build, one: Form, other: Form) -> TwoSteps | None:
    online, local = (one, other) if one.kind == "index" else (other, one)
    if online.kind != "index" or local.kind != "offline":
        return None
    place = local.place
    if place is None:
        return None
    swallowed = any(each.hides(one.asked.use) for each in hidden(build, one.asked.step))
    if one is local and not swallowed:
        return None  # the second may be there to check, or to bring what is newer
    return TwoSteps(one.asked, other.asked, online.asked, local.asked, place, swallowed)


def _same(one: Form, other: Form) -> bool:
    """Whether two commands install the same, so that the second has nothing left to do."""
    first, second = one.asked.use, other.asked.use
    if first.tool is not second.tool or first.spec is not second.spec:
        return False
    names = {option.name for use in (first, second) for option in use.options}
    wanted = _wanted(one.asked)
    return bool(wanted) and wanted == _wanted(other.asked) and not names & _AGAIN


def _wanted(each: Asked) -> frozenset[tuple[str, str]]:
    """What a command is given to install; nothing where part of that can't be told."""
    use = each.use
    if not use.sure or use.spec.words[-1] not in ("install", "sync"):
        return frozenset()
    return frozenset(_words(each))


def _words(each: Asked) -> Iterator[tuple[str, str]]:
    for read in each.use.reads:
        if read.kind in ("requirements", "constraints", "project", "group"):
            yield read.kind, read.path or read.argument.word.raw
    for operand in each.use.operands:
        yield "", operand.value or operand.word.raw
