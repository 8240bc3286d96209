"""DFC301: an install in another form than that of the pattern that was asked for."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.fixes.onestep import merges
from dfcache.fixes.patterns import deviates, follow
from dfcache.model.build import Build, RunStep
from dfcache.model.forms import Form, forms

_TITLES = {
    "offline": "take the packages from {} alone",
    "hybrid": "take the packages from {} first",
    "cache-mount": "take the packages from the index",
}


@check_for("DFC301", on=RunStep)
def check(step: RunStep, build: Build) -> Iterator[Report]:
    pattern = build.wishes.pattern
    if pattern is None:
        return
    merged = merges(build)
    found = [
        form
        for form in forms(build, step)
        if deviates(build, form, pattern) and not any(form.asked is half for half in merged)
    ]
    if not found:
        return
    names = list(dict.fromkeys(f"`{form.asked.use.title}`" for form in found))
    does, do = _what(found[0], build.wishes.packages)
    plan = follow(build, step, pattern)
    yield Report(
        found[0].asked.use.span,
        f"{' and '.join(names)} {does if len(names) == 1 else do}, "
        f"which is not the pattern {pattern}",
        plan.fix(_TITLES[pattern].format(build.wishes.packages)),
        plan.notes(),
    )


def _what(form: Form, packages: str) -> tuple[str, str]:
    """What an install does, for one and for several."""
    if form.kind == "second":
        return "asks the index where local packages fail", "ask the index where local packages fail"
    if form.kind == "offline":
        return "takes its packages from a folder alone", "take their packages from a folder alone"
    if form.place is not None:
        return "asks the index beside a folder of packages", "ask the index beside a folder"
    return f"asks the index and not {packages}", f"ask the index and not {packages}"
