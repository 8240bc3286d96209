"""DFC303: a folder of packages that doesn't hold what the requirements ask for."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.diagnostics import Severity
from dfcache.model.build import Build, RunStep
from dfcache.model.forms import Form, forms
from dfcache.model.stock import is_empty, missing
from dfcache.model.wheelhouse import Lack
from dfcache.text import Span

_SHOWN = 3


@check_for("DFC303", on=RunStep)
def check(step: RunStep, build: Build) -> Iterator[Report]:
    if not build.context.known or not build.context.sure:
        return
    for form in forms(build, step):
        if form.kind not in ("offline", "first"):
            continue
        folder = _folder(build, form)
        if folder is None:
            continue
        lacks = missing(build, form.asked, folder)
        if lacks:
            yield _report(form, folder, lacks)


def _folder(build: Build, form: Form) -> str | None:
    """The one folder of the context that an install looks into, if it is there."""
    places = form.asked.links
    origin = places[0].origin if len(places) == 1 else None
    if origin is None or origin.path is None or not build.context.is_dir(origin.path):
        return None
    if is_empty(build, origin.path):
        # Nothing is kept there and all comes from the index, or .dockerignore hides it.
        hidden = build.context.ignored(posixpath.join(origin.path, "x-1-py3-none-any.whl"))
        if hidden or form.kind == "first":
            return None
    return origin.path


def _report(form: Form, folder: str, lacks: tuple[Lack, ...]) -> Report:
    shown = "; ".join(f"{_asked_by(lack)} {lack.why}" for lack in lacks[:_SHOWN])
    more = f"; and {len(lacks) - _SHOWN} more" if len(lacks) > _SHOWN else ""
    offline = form.kind == "offline"
    then = "the build fails" if offline else "all is fetched from the index"
    return Report(
        _span(form),
        f"{folder} is behind, so {then}: {shown}{more}; `dfcache vendor` brings it up to date",
        severity=Severity.ERROR if offline else Severity.WARNING,
    )


def _asked_by(lack: Lack) -> str:
    """A requirement and where it stands: ``flask==3.0 (requirements.txt:3)``."""
    entry = lack.requirement
    return f"{entry.text} ({entry.file}:{entry.line})" if entry.file else entry.text


def _span(form: Form) -> Span:
    named = form.asked.named
    return named[0][1].word.span if named else form.asked.use.span
