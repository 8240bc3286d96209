"""DFC313: no build argument leads an install to the mirror that the project wishes for."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.fixes.arguments import declare_arguments, global_arguments
from dfcache.fixes.plan import Plan
from dfcache.model.build import Build, Stage
from dfcache.model.indexes import Fixed, fixed_indexes, index_variable


@check_for("DFC313", on=Stage)
def check(stage: Stage, build: Build) -> Iterator[Report]:
    if build.wishes.index_url is None:
        return
    for found in fixed_indexes(build, stage.index):
        name = index_variable(build, found.use.tool.name)
        plan = _plan(build, found, name, build.wishes.index_url)
        yield Report(
            found.use.span,
            f"`{found.use.title}` can't be led to a mirror: no ARG {name} is in force",
            plan.fix(f"declare {name} before line {found.step.outer.start_line}"),
            plan.notes(),
        )


def _plan(build: Build, found: Fixed, name: str, url: str) -> Plan:
    plan = Plan()
    if found.because:
        plan.refuse(found.because)
        return plan
    arguments: dict[str, str | None] = {name: url}
    theirs = global_arguments(build.dockerfile)
    # A project that chose an index for all its stages knows which host to trust, too.
    host = None if name in theirs else _plain_host(url)
    if "PIP_TRUSTED_HOST" in theirs and found.use.tool.name == "pip":
        arguments["PIP_TRUSTED_HOST"] = None
    elif found.use.tool.name == "pip" and host is not None:
        trusted = found.use.env.get("PIP_TRUSTED_HOST", "")
        if trusted is None or (trusted and host not in trusted.split()):
            plan.refuse(f"PIP_TRUSTED_HOST is set already, and not to {host}")
        elif not trusted:
            arguments["PIP_TRUSTED_HOST"] = host
    declare_arguments(build, found.step, arguments, plan)
    return plan


def _plain_host(url: str) -> str | None:
    """The host of a plain http address, which pip asks only if it is told to trust it."""
    if not url.startswith("http://"):
        return None
    place = url[7:].partition("/")[0]
    return place if place.endswith("]") else place.rpartition(":")[0] or place
