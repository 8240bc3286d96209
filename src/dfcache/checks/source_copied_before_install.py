"""DFC201: a COPY before an install brings files that the install doesn't read."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.fixes.order import copy_manifests_first
from dfcache.model.build import Build
from dfcache.model.late import late_copies


@check_for("DFC201", on=Build)
def check(build: Build, _: Build) -> Iterator[Report]:
    for late in late_copies(build):
        if late.named:
            continue
        use = next(use for use in late.install.uses if use.downloads)
        line = late.install.outer.start_line
        count = len(late.others)
        files = f"any of {count} files" if build.context.known else "any source file"
        if count == 1 and late.others[0].strip("./"):
            files = late.others[0]
        plan = copy_manifests_first(build, late)
        verb = "copy its manifests first" if late.needed or late.folders else "copy it later"
        yield Report(
            late.copy.instruction.keyword_span,
            f"`{use.title}` in line {line} runs again on an edit of {files} copied here",
            plan.fix(f"{verb}, the rest behind line {line}"),
            plan.notes(),
        )
