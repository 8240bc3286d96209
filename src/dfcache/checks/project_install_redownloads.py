"""DFC204: installing the project installs all its dependencies again at each edit."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.model.build import Build, RunStep
from dfcache.model.reads import reads


@check_for("DFC204", on=RunStep)
def check(step: RunStep, build: Build) -> Iterator[Report]:
    if step.triggered:
        return
    projects = [
        (use, read)
        for use in step.uses
        for read in use.reads
        if use.downloads and read.kind == "project" and not _alone(use.invocation.args)
    ]
    if not projects or not reads(build, step).folders:
        return
    use, read = projects[0]
    yield Report(
        use.span,
        f"`{use.title} {read.argument.value}` installs every dependency again "
        "on an edit of any source file",
        notes=("install the dependencies from a file of their own before the source is copied",),
    )


def _alone(args: tuple[object, ...]) -> bool:
    return any(getattr(argument, "value", None) == "--no-deps" for argument in args)
