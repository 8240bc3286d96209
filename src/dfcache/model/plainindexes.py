"""Indexes over plain http whose answers pip does not cache."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.model.asked import asked
from dfcache.model.build import Build, RunStep
from dfcache.model.pipconfig import configuration
from dfcache.model.uses import ToolUse
from dfcache.record import record


@record
class PlainIndex:
    """The host of an index, with its port, and who names it: "" for the step itself."""

    host: str
    where: str


def plain_indexes(build: Build, step: RunStep, use: ToolUse) -> tuple[PlainIndex, ...]:
    """The indexes over plain http that ``use`` asks, and that nothing tells it to trust.

    Named they may be by an option, a variable, the configuration, or a requirements file: of the
    one index that replaces PyPI the last of these counts, of all further ones each.
    """
    if use.tool.name != "pip":
        return ()
    settings = configuration(build, step, use)
    trusted = {each.value for each in settings if each.key == "trusted-host"}
    index: list[tuple[str, str]] = []
    extra: list[tuple[str, str]] = []
    for setting in settings:
        kinds = {"index-url": index, "extra-index-url": extra}
        if setting.key in kinds:
            kinds[setting.key].append((setting.value, setting.where))
    for kind, value, where in _given(build, step, use):
        if kind == "trusted":
            trusted.add(value)
        else:
            (index if kind == "index" else extra).append((value, where))
    return tuple(
        PlainIndex(host, where)
        for url, where in (*index[-1:], *extra)
        if url.startswith("http://")
        and (host := url[7:].partition("/")[0].rpartition("@")[2])
        and not {host, host.partition(":")[0]} & trusted
    )


def _given(build: Build, step: RunStep, use: ToolUse) -> Iterator[tuple[str, str, str]]:
    """Kind, value and place of what variables, options and files say, the weakest first."""
    found = [each for one in asked(build, step) if one.use is use for each in one.given]
    order = {"env": 0, "option": 1}
    for each in sorted(found, key=lambda given: order.get(given.where, 2)):
        if each.kind in ("index", "extra", "trusted"):
            yield each.kind, each.value, "" if each.where in order else each.where
