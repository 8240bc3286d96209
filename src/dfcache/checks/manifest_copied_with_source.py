"""DFC202: one COPY brings the manifests of an install and names source files beside them."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.fixes.order import copy_manifests_first
from dfcache.model.build import Build
from dfcache.model.late import late_copies


@check_for("DFC202", on=Build)
def check(build: Build, _: Build) -> Iterator[Report]:
    for late in late_copies(build):
        if not late.named:
            continue
        use = next(use for use in late.install.uses if use.downloads)
        line = late.install.outer.start_line
        plan = copy_manifests_first(build, late)
        manifest = next(iter(late.needed.values()))
        yield Report(
            late.copy.instruction.keyword_span,
            f"{late.others[0]} is copied together with {manifest}: "
            f"`{use.title}` in line {line} runs again on an edit of either",
            plan.fix(f"copy {manifest} first, the rest behind line {line}"),
            plan.notes(),
        )
