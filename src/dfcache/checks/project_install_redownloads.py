"""DFC204: installing the project installs all its dependencies again at each edit."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.model.build import Build, RunStep
from dfcache.model.reads import reads
from dfcache.model.uses import ToolUse


@check_for("DFC204", on=RunStep)
def check(step: RunStep, build: Build) -> Iterator[Report]:
    if step.triggered or not reads(build, step).folders:
        return
    for use in step.uses:
        if not use.downloads or any(a.value == "--no-deps" for a in use.invocation.args):
            continue
        read = next((read for read in use.reads if read.kind == "project"), None)
        if read is not None:
            name = f"{use.title} {read.argument.value or read.argument.word.value}"
            note = "install the dependencies from a file of their own before the source is copied"
        elif use.own_code and not _prepared(build, step, use):
            name = use.title
            option = next(iter(use.spec.project or ("",)))
            note = (
                f"run `{use.title} {option}` with the manifests alone before the source is copied"
            )
        else:
            continue
        yield Report(
            use.span,
            f"`{name}` installs every dependency again on an edit of any source file",
            notes=(note,),
        )
        return


def _prepared(build: Build, step: RunStep, use: ToolUse) -> bool:
    """Whether a step before it runs the same command without the project."""
    return any(
        other.tool is use.tool and other.spec is use.spec and not other.own_code
        for before in build.stages[step.stage].steps[: step.index]
        if isinstance(before, RunStep)
        for other in before.uses
    )
