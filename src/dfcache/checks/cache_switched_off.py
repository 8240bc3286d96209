"""DFC102: a cache mount is there, but the package manager is told not to use its cache."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.fixes.caching import use_cache
from dfcache.fixes.patterns import goes_offline
from dfcache.model.build import Build, RunStep
from dfcache.model.caches import is_kept
from dfcache.model.usedcaches import Switch
from dfcache.model.uses import ToolUse


@check_for("DFC102", on=RunStep)
def check(step: RunStep, build: Build) -> Iterator[Report]:
    said: set[str] = set()
    for use in step.uses:
        if not use.downloads or not use.off or not is_kept(step, use):
            continue
        switch = use.off[-1]
        if switch.text in said or goes_offline(build, step, use):
            continue
        said.add(switch.text)
        plan = use_cache(build, step, [use.tool])
        yield Report(
            switch.span if switch.kind in ("option", "assignment") and switch.span else use.span,
            f"{_what(switch)} turns the cache off: the mount of this step stays empty",
            plan.fix(f"remove {switch.text}"),
            (*_why(use, switch), *plan.notes()),
        )


def _what(switch: Switch) -> str:
    return f"`{switch.text}`"


def _why(use: ToolUse, switch: Switch) -> tuple[str, ...]:
    """Say so where the author may have meant the opposite."""
    how = use.tool.off.env.get(switch.text)
    if switch.kind == "option" or how is None:
        return ()
    values = {"boolean": "also 0, off and false", "set": "any value but the empty one"}
    return (f"{switch.text} does so with any boolean: {values[how]}",) if how in values else ()
