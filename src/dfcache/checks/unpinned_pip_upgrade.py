"""DFC308: pip is upgraded to whatever version is the newest."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.model.build import Build, RunStep
from dfcache.model.upgrades import Upgrade, upgrades


@check_for("DFC308", on=RunStep)
def check(step: RunStep, build: Build) -> Iterator[Report]:
    for each in upgrades(build, step):
        *most, last = each.what
        names = f"{', '.join(most)} and {last}" if most else last
        verb = "are" if most else "is"
        yield Report(
            each.span,
            f"`{each.command}` takes whatever {names} {verb} the newest on the day of the build",
            notes=_how(each),
        )


def _how(each: Upgrade) -> tuple[str, ...]:
    if each.command == "uv self update":
        return ("name the version behind it, or copy uv from its image",)
    if each.command == "venv --upgrade-deps":
        return ("upgrade them in a command of its own, with versions",)
    where = "behind it" if each.command == "get-pip.py" else "in the command"
    tip = "; from pip 25.2 on, downloads that break off are resumed" if "pip" in each.what else ""
    return (f"name versions {where}, in a constraints file, or in an ARG{tip}",)
