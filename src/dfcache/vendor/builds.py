"""What building the sources of a folder of packages takes from that folder."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.model.requirements import parse_requirement
from dfcache.record import replace
from dfcache.vendor.closure import Closure, Need, Rules, closure
from dfcache.vendor.house import House

# From this version on setuptools makes wheels itself.
_WHEELS_ITSELF = (70, 1)


def build_closures(
    house: House, found: Closure, rules: Rules, done: set[tuple[str, ...]]
) -> Iterator[Closure]:
    """What builds of the sources among the files would take; ``done`` are needs seen before."""
    for name, file in found.files.items():
        if file.wheel:
            continue
        lines = house.metadata(file).build
        if not lines or lines in done:
            continue
        done.add(lines)
        by = f"the build of {file.name} {file.version} ({found.needs[name][0].origin})"
        needs = [Need(each, by, by) for line in lines if (each := parse_requirement(line))]
        made = without_wheel(closure(house, needs, Rules(rules.target, pre=rules.pre)))
        yield made
        yield from build_closures(house, made, rules, done)


def without_wheel(found: Closure) -> Closure:
    """The closure of a build without its gap "wheel", where setuptools needs none."""
    from packaging.version import Version

    setuptools = found.files.get("setuptools")
    if setuptools is None or Version(setuptools.version).release[:2] < _WHEELS_ITSELF:
        return found
    gaps = tuple(gap for gap in found.gaps if gap.need.requirement.name != "wheel")
    return replace(found, gaps=gaps)
