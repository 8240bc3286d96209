"""DFC302: a folder of packages that is not in the build context, or that .dockerignore hides."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.fixes.folders import mount_of_folder
from dfcache.model.absence import Absence, absence, unmounted
from dfcache.model.build import Build, RunStep
from dfcache.model.forms import forms


@check_for("DFC302", on=RunStep)
def check(step: RunStep, build: Build) -> Iterator[Report]:
    if not build.context.known or not build.context.sure:
        return
    said: set[str] = set()
    for form in forms(build, step):
        for given in form.asked.links:
            found = absence(build, step, given)
            if found is None or found.folder in said:
                continue
            said.add(found.folder)
            span = given.argument.word.span if given.argument else form.asked.use.span
            if found.copy is not None:
                span = found.copy.instruction.keyword_span
            if found.mount is not None:
                span = found.mount.mount.flag.span
            spare = form.kind in ("first", "second")
            yield Report(span, _message(build, found, form.asked.use.title, spare))
    mount = mount_of_folder(step, build.wishes.packages)
    found = unmounted(build, mount, build.wishes.packages) if mount is not None else None
    if found is not None and mount is not None and found.folder not in said:
        yield Report(mount.mount.flag.span, _message(build, found, "", False))


def _message(build: Build, found: Absence, title: str, spare: bool) -> str:
    """``spare``: the index is asked where the folder is not enough."""
    what = f"`{found.folder}` is not in the build context"
    remedy = "`dfcache vendor` fills it"
    if spare:
        remedy += ", and an empty one, committed with a file in it, is enough"
    if found.hidden:
        line = f" (line {found.line})" if found.line else ""
        what = f"`{found.folder}` is hidden by .dockerignore{line}"
        shown = found.folder if build.context.ignored(found.folder) else f"{found.folder}/**"
        remedy = f"`!{shown}` as its last line shows it"
    if found.bare:
        return f"what is in {what}, so `{title}` finds nothing there: {remedy}"
    if found.mount is not None:
        return f"{what}, so the build fails at this mount: {remedy}"
    if found.copy is not None:
        return f"{what}, so its COPY fails the build: {remedy}"
    return f"{what}, so `{title}` finds nothing there: {remedy}"
