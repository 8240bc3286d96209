"""DFC107: the package manager caches nothing from a plain http index that it doesn't trust."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.model.build import Build, RunStep
from dfcache.model.caches import is_kept


@check_for("DFC107", on=RunStep)
def check(step: RunStep, _: Build) -> Iterator[Report]:
    for use in step.uses:
        if use.downloads and use.plain_indexes and is_kept(step, use):
            host = use.plain_indexes[0]
            option = next(iter(use.tool.index.trusted_options))
            yield Report(
                use.span,
                f"`{use.title}` caches nothing from http://{host}: "
                "it keeps only https and trusted hosts",
                notes=(f"use https, or {option} {host.partition(':')[0]}",),
            )
