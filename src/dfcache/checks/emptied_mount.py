"""DFC108: the image cleans the package manager's cache by itself, so the mount stays empty."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.fixes.caching import keep_packages
from dfcache.model.build import Build, RunStep
from dfcache.model.caches import is_kept
from dfcache.model.uses import ToolUse


@check_for("DFC108", on=RunStep)
def check(step: RunStep, build: Build) -> Iterator[Report]:
    for use in step.uses:
        words = use.tool.keep.get(use.invocation.program or "")
        if not words or not use.downloads or not is_kept(step, use):
            continue
        if set(words) <= {a.value for a in use.invocation.args} or _disarmed(build, step, use):
            continue
        plan = keep_packages(build, step, use.tool)
        yield Report(
            use.span,
            f"the mount stays empty: {use.tool.emptied_by} deletes what `{use.title}` got",
            plan.fix("keep the packages in a folder that it does not clean"),
            plan.notes(),
        )
        return


def _disarmed(build: Build, step: RunStep, use: ToolUse) -> bool:
    """Whether a command before it names the file that cleans, or the option that keeps."""
    for number in build.lineage(step.stage):
        for other in build.stages[number].steps:
            if not isinstance(other, RunStep) or (number, other.index) > (step.stage, step.index):
                continue
            text = other.instruction.original
            bodies = "".join(heredoc.body for heredoc in other.instruction.heredocs)
            if any(sign in text + bodies for sign in _signs(use)):
                return True
    return False


def _signs(use: ToolUse) -> tuple[str, ...]:
    cleaner = (use.tool.emptied_by or "").rsplit("/", 1)[-1]
    return (cleaner, "Keep-Downloaded-Packages", "Dir::Cache")
