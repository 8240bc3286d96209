"""How often, and how long, package managers wait for a network that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from dfcache.model.asked import all_asked
from dfcache.model.build import Build, RunStep, Stage, per_build
from dfcache.model.uses import ToolUse
from dfcache.record import record


@record
class Setting:
    """A variable that makes a package manager more patient, and the default of an ARG for it.

    ``options`` and ``variables`` are what else says the same.
    """

    name: str
    value: str
    options: tuple[str, ...]
    variables: tuple[str, ...] = ()


@record
class Patience:
    """``usual`` says what a package manager does unless told otherwise."""

    usual: str
    settings: tuple[Setting, ...]


# source: pip's src/pip/_internal/cli/cmdoptions.py (retries, timeout), https://docs.astral.sh/uv/
# reference/environment/, https://docs.npmjs.com/cli/using-npm/config
PATIENCE: Mapping[str, Patience] = {
    "pip": Patience(
        "waits 15 seconds for an answer, and tries 5 more times",
        (
            Setting("PIP_RETRIES", "10", ("--retries",)),
            Setting(
                "PIP_DEFAULT_TIMEOUT", "60", ("--timeout", "--default-timeout"), ("PIP_TIMEOUT",)
            ),
        ),
    ),
    "uv": Patience(
        "waits 30 seconds for an answer, and tries 3 more times",
        (
            Setting("UV_HTTP_RETRIES", "10", ()),
            Setting("UV_HTTP_TIMEOUT", "120", (), ("UV_REQUEST_TIMEOUT", "HTTP_TIMEOUT")),
        ),
    ),
    "npm": Patience(
        "tries 2 more times",
        (
            Setting(
                "npm_config_fetch_retries",
                "5",
                ("--fetch-retries",),
                ("NPM_CONFIG_FETCH_RETRIES",),
            ),
        ),
    ),
}


@record
class Impatient:
    """A stage that leaves the defaults: its first such use, and the settings that are missing."""

    step: RunStep
    use: ToolUse
    missing: tuple[Setting, ...]


@per_build
def impatient(build: Build, stage: Stage) -> Impatient | None:
    """The first install of a stage that is as patient as its package manager is by itself.

    What a stage before it in its line lacks is not told again: an ARG there is in force here.
    """
    given = set(_configured(build, stage))
    for number in build.lineage(stage.index)[:-1]:
        before = impatient(build, build.stages[number])
        given |= {setting.name for setting in before.missing} if before else set()
    first: tuple[RunStep, ToolUse] | None = None
    missing: dict[str, Setting] = {}
    for step in stage.steps:
        for use in step.uses if isinstance(step, RunStep) else ():
            lacks = [each for each in _lacks(use) if each.name not in given]
            if lacks and isinstance(step, RunStep):
                first = first or (step, use)
                missing.update({each.name: each for each in lacks})
    return Impatient(*first, tuple(missing.values())) if first else None


def _lacks(use: ToolUse) -> Iterator[Setting]:
    patience = PATIENCE.get(use.tool.name)
    if patience is None or not use.downloads or "sudo" in use.invocation.wrappers:
        return
    options = {option.name for option in use.options}
    for each in patience.settings:
        if not options & set(each.options) and not {each.name, *each.variables} & set(use.env):
            yield each


def _configured(build: Build, stage: Stage) -> Iterator[str]:
    """The settings that a command of the stage, or of one before it, writes into a file."""
    for number in build.lineage(stage.index):
        for step in build.stages[number].steps:
            for made in step.invocations if isinstance(step, RunStep) else ():
                words = [argument.value or "" for argument in made.args]
                if "config" not in words[:3] or "set" not in words[:4]:
                    continue
                for setting in (s for each in PATIENCE.values() for s in each.settings):
                    names = [option.lstrip("-") for option in setting.options]
                    if any(
                        re.split(r"[.=]", word)[-1 if "." in word else 0] in names for word in words
                    ):
                        yield setting.name


def old_pip(build: Build, stage: Stage) -> str | None:
    """The version of pip that the stage installs by ``==``, where it can't resume a download."""
    found = None
    for one in all_asked(build):
        if one.step.stage == stage.index:
            for entry in one.wanted:
                exact = re.fullmatch(r"==(\d+)\.(\d+)[\d.]*", entry.specifier.replace(" ", ""))
                if entry.name == "pip" and exact:
                    old = (int(exact[1]), int(exact[2])) < (25, 2)
                    found = entry.specifier.lstrip("= ") if old else None
    return found
