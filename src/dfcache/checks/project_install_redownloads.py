"""DFC204: installing the project installs all its dependencies again at each edit."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.diagnostics import Fix
from dfcache.fixes.early import install_first
from dfcache.model.build import Build, RunStep
from dfcache.model.early import early
from dfcache.model.reads import reads
from dfcache.model.uses import ToolUse


@check_for("DFC204", on=RunStep)
def check(step: RunStep, build: Build) -> Iterator[Report]:
    if step.triggered:
        return
    found = early(build, step)
    if found is not None:
        argument = found.local.argument
        what = argument.value or argument.word.value if argument else found.local.path
        plan = install_first(build, found)
        line = found.first.outer.start_line if found.first is not None else 0
        yield _report(
            found.use,
            f"{found.use.title} {what}",
            plan.fix(f"install the dependencies before line {line}"),
            plan.notes(),
        )
        return
    for use in step.uses if reads(build, step).folders else ():
        alone = next(iter(use.spec.project or ()), None)
        if alone and use.downloads and use.own_code and not _prepared(build, step, use):
            note = f"run `{use.title} {alone}` with the manifests alone before the source is copied"
            yield _report(use, use.title, None, (note,))
            return


def _report(use: ToolUse, name: str, fix: Fix | None, notes: tuple[str, ...]) -> Report:
    message = f"`{name}` installs every dependency again on an edit of any source file"
    return Report(use.span, message, fix, notes)


def _prepared(build: Build, step: RunStep, use: ToolUse) -> bool:
    """Whether a step before it runs the same command without the project."""
    return any(
        other.tool is use.tool and other.spec is use.spec and not other.own_code
        for before in build.stages[step.stage].steps[: step.index]
        if isinstance(before, RunStep)
        for other in before.uses
    )
