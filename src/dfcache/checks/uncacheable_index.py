"""DFC107: the package manager caches nothing from a plain http index that it doesn't trust."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.model.build import Build, RunStep
from dfcache.model.caches import is_kept
from dfcache.model.plainindexes import plain_indexes


@check_for("DFC107", on=RunStep)
def check(step: RunStep, build: Build) -> Iterator[Report]:
    for use in step.uses:
        if not use.downloads or not is_kept(step, use):
            continue
        for index in plain_indexes(build, step, use)[:1]:
            option = next(iter(use.tool.index.trusted_options))
            where = f", which {index.where} names" if index.where else ""
            yield Report(
                use.span,
                f"`{use.title}` caches nothing from http://{index.host}{where}: "
                "it keeps only https and trusted hosts",
                notes=(f"use https, or {option} {index.host.partition(':')[0]}",),
            )
