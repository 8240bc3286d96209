"""DFC302: a folder of packages that is not in the build context, or that .dockerignore hides."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.fixes.folders import mount_of_folder
from dfcache.model.asked import Given
from dfcache.model.build import Build, RunStep
from dfcache.model.effects import overlap
from dfcache.model.forms import Form, forms
from dfcache.model.globbing import clean
from dfcache.model.ignore import Ignore
from dfcache.model.order import step_effects
from dfcache.model.stock import is_empty
from dfcache.text import Span

_WHEEL = "x-1-py3-none-any.whl"
"""A name that a package may have."""


@check_for("DFC302", on=RunStep)
def check(step: RunStep, build: Build) -> Iterator[Report]:
    if not build.context.known or not build.context.sure:
        return
    said: set[str] = set()
    for form in forms(build, step):
        for given in form.asked.links:
            folder = _absent(build, step, given)
            if folder and folder not in said:
                said.add(folder)
                yield _report(build, form, given, folder)
    folder = build.wishes.packages
    mount = mount_of_folder(step, folder)
    if mount is not None and folder not in said and not build.context.is_dir(folder):
        what, remedy = _what(build, folder), _remedy(build, "offline", folder)
        yield Report(mount.mount.flag.span, f"{what}, so the build fails at this mount: {remedy}")


def _absent(build: Build, step: RunStep, given: Given) -> str:
    """The folder of the context that isn't there for ``given``, or ""."""
    origin = given.origin
    if origin is None or not origin.path:
        return ""
    if origin.there:
        return origin.path if _wheels_hidden(build, origin.path) else ""
    if origin.mount is None and not _copied_by_name(given) and _made(build, step, given.path or ""):
        return ""
    return origin.path


def _wheels_hidden(build: Build, folder: str) -> bool:
    """Whether the folder is seen, but no wheel in it would be."""
    return _hidden(build, folder) and build.context.is_dir(folder) and is_empty(build, folder)


def _copied_by_name(given: Given) -> bool:
    """Whether a COPY names the folder itself, so that the build fails without it."""
    copy = given.origin.copy if given.origin else None
    sources = copy.files.sources if copy is not None and copy.files is not None else ()
    return given.origin is not None and given.origin.path in [clean(each) for each in sources]


def _made(build: Build, step: RunStep, path: str) -> bool:
    """Whether a step before, or a command of the same one, may put something at ``path``."""
    for number in build.lineage(step.stage):
        for other in build.stages[number].steps:
            if isinstance(other, RunStep) and (number, other.index) <= (step.stage, step.index):
                effects = step_effects(build, other)
                if effects.unknown or overlap((path,), effects.writes | effects.makes):
                    return True
    return False


def _report(build: Build, form: Form, given: Given, folder: str) -> Report:
    origin = given.origin
    what = _what(build, folder)
    if origin is not None and origin.there:
        what = f"what is in {what}"
        then = f"so `{form.asked.use.title}` finds nothing there"
    elif origin is not None and (origin.mount is not None or _copied_by_name(given)):
        then = "so the build fails at this mount" if origin.mount else "so its COPY fails the build"
    else:
        then = f"so `{form.asked.use.title}` finds nothing there"
    return Report(
        _span(form, given),
        f"{what}, {then}: {_remedy(build, form.kind, folder)}",
    )


def _hidden(build: Build, folder: str) -> bool:
    """Whether .dockerignore hides the packages of a folder."""
    return build.context.ignored(posixpath.join(folder, _WHEEL))


def _what(build: Build, folder: str) -> str:
    if _hidden(build, folder):
        return f"`{folder}` is hidden by .dockerignore{_line(build, folder)}"
    return f"`{folder}` is not in the build context"


def _line(build: Build, folder: str) -> str:
    """Which line of .dockerignore hides a folder of packages: `` (line 3)``, or ""."""
    text = build.context.read(".dockerignore") or ""
    lines = text.split("\n")
    path = posixpath.join(folder, _WHEEL)
    for number in range(len(lines), 0, -1):
        if not Ignore("\n".join(lines[:number])).hides(path):
            return f" (line {number + 1})" if number < len(lines) else ""
    return " (line 1)" if Ignore(lines[0]).hides(path) else ""


def _remedy(build: Build, kind: str, folder: str) -> str:
    if _hidden(build, folder):
        shown = folder if build.context.ignored(folder) else f"{folder}/**"
        return f"`!{shown}` as its last line shows it"
    if kind in ("first", "second"):
        return "`dfcache vendor` fills it, and an empty one, committed with a file in it, is enough"
    return "`dfcache vendor` fills it"


def _span(form: Form, given: Given) -> Span:
    """What a finding about a folder underlines: what brings it, or the option that names it."""
    origin = given.origin
    if origin is not None and origin.mount is not None:
        return origin.mount.mount.flag.span
    if origin is not None and origin.copy is not None and _copied_by_name(given):
        return origin.copy.instruction.keyword_span
    if given.argument is not None:
        return given.argument.word.span
    return form.asked.use.span
