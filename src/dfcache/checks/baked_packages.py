"""DFC304: a COPY of the folder of packages, which makes it a layer of the image."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.diagnostics import Severity
from dfcache.fixes.baked import folder_of, leave_out, mount_instead, remove_copy
from dfcache.fixes.patterns import deviates
from dfcache.model.build import Build, CopyStep
from dfcache.model.effects import within
from dfcache.model.forms import Form, forms
from dfcache.model.globbing import clean, destination
from dfcache.model.order import brings
from dfcache.model.reads import copies_before


@check_for("DFC304", on=CopyStep)
def check(copy: CopyStep, build: Build) -> Iterator[Report]:
    if build.wishes.builder in ("classic", "kaniko"):
        return
    folder = folder_of(copy)
    if copy.files is None:
        return
    for beside in _brought_along(build, copy):
        plan = leave_out(build, copy, beside)
        yield Report(
            copy.instruction.keyword_span,
            f"this takes `{beside}` into the image too, although installs only mount it",
            plan.fix(f"copy all but {beside}"),
            plan.notes(),
            severity=Severity.INFO,
        )
    if folder is None:
        return
    if build.context.known and not build.context.is_dir(folder):
        return
    using = list(_using(build, copy))
    if using and not _about_to_stop(build, using):
        steps = list({id(form.asked.step): form.asked.step for form in using}.values())
        plan = mount_instead(build, copy, steps, folder)
        lines = " and ".join(str(step.outer.start_line) for step in steps)
        who = "install in line {} needs" if len(steps) == 1 else "installs in lines {} need"
        yield Report(
            copy.instruction.keyword_span,
            f"`{folder}` becomes a layer of the image, and only the {who.format(lines)} it",
            plan.fix("mount it for the install"),
            plan.notes(),
        )
    elif not using and _left_over(build, folder):
        plan = remove_copy(build, copy)
        yield Report(
            copy.instruction.keyword_span,
            f"`{folder}` becomes a layer of the image, and no install looks into it",
            plan.fix("copy it no more"),
            plan.notes(),
        )


def _brought_along(build: Build, copy: CopyStep) -> Iterator[str]:
    """The folders of packages that installs mount, in a folder that a COPY brings."""
    brought = brings(build, copy).values()
    places = (form.place for step in build.runs() for form in forms(build, step))
    origins = (place.origin for place in places if place is not None)
    mounted = {each.path for each in origins if each and each.how == "mount" and each.path}
    for folder in sorted(mounted):
        if folder != folder_of(copy) and any(within(path, folder) for path in brought):
            yield folder


def _using(build: Build, copy: CopyStep) -> Iterator[Form]:
    """The installs that look into what a COPY brings."""
    assert copy.files is not None
    place = posixpath.normpath(destination(copy.files))
    for step in build.runs():
        if any(each is copy for each in copies_before(build, step)):
            for form in forms(build, step):
                mounted = [m.target for m in step.mounts]
                if any(given.path == place for given in form.asked.links) and place not in mounted:
                    yield form


def _about_to_stop(build: Build, using: list[Form]) -> bool:
    """Whether the installs are to look elsewhere by the pattern, which is another rule's matter."""
    return build.wishes.pattern == "cache-mount" and all(
        deviates(build, form, "cache-mount") or form.kind == "first" for form in using
    )


def _left_over(build: Build, folder: str) -> bool:
    """Whether it is the project's folder of packages, and its pattern has no use for it."""
    return build.wishes.pattern == "cache-mount" and folder == clean(build.wishes.packages)
