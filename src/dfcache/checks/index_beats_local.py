"""DFC310: an install looks into a folder of packages, and asks an index all the same."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.diagnostics import Severity
from dfcache.fixes.patterns import become
from dfcache.model.asked import Given
from dfcache.model.build import Build, RunStep
from dfcache.model.forms import forms
from dfcache.model.globbing import is_glob
from dfcache.model.twosteps import halves

_FILES = (".whl", ".tar.gz", ".zip")


@check_for("DFC310", on=RunStep)
def check(step: RunStep, build: Build) -> Iterator[Report]:
    if build.wishes.pattern is not None:
        return
    told = halves(build)
    for form in forms(build, step):
        place = form.place
        if form.kind != "index" or place is None or any(form.asked is each for each in told):
            continue
        if form.asked.use.spec.words[-1] not in ("install", "sync"):
            continue
        if place.where == "env" and not (place.origin and place.origin.how):
            continue  # it may be there when the image runs
        use = form.asked.use
        plan = become(build, step, [form], "hybrid")
        plan.doubt(f"what is installed comes from {place.value} where that has it")
        if use.tool.name == "uv":
            why = "it fails where the index is out of reach"
        else:
            why = "where both have a version, that of the index is downloaded"
        argument = place.argument
        yield Report(
            argument.word.span if argument else use.span,
            f"`{use.title}` looks into {place.value}, and asks the index all the same: {why}",
            plan.fix(f"take packages from {place.value} first"),
            plan.notes(),
            severity=None if _is_brought(place) else Severity.INFO,
        )


def _is_brought(place: Given) -> bool:
    """Whether it is a folder that came whole: one of packages, not with one package in it."""
    origin = place.origin
    if origin is None or not origin.how:
        return False
    files = origin.copy.files if origin.copy else None
    return files is None or not any(is_glob(s) or s.endswith(_FILES) for s in files.sources)
