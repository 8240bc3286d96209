"""What a step downloaded, by what its package managers printed.

pip, apt and uv say it; npm and others don't, and then nothing is claimed. The lines are those of
pip 20 to 26 (``_internal/network/download.py``), apt 1.0 to 3.0 (``apt-private/acqprogress.cc``)
and uv 0.2 on (``crates/uv/src/commands/pip/operations.rs``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from dfcache.builders.progress import Step
from dfcache.record import record

_UNITS = {
    "bytes": 1, "B": 1, "kB": 1000, "MB": 1000**2, "GB": 1000**3,
    "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3,
}  # fmt: skip
_SIZE = r"([\d.,]+) ?([kKMG]i?B|B|bytes)"


@record
class Downloads:
    """What was downloaded: ``packages`` and ``size`` in bytes, None where nobody says.

    ``silent`` are the programs that ran and didn't say it.
    """

    packages: int | None = 0
    size: int | None = 0
    silent: tuple[str, ...] = ()

    def __add__(self, other: Downloads) -> Downloads:
        return Downloads(
            _sum(self.packages, other.packages),
            _sum(self.size, other.size),
            tuple(dict.fromkeys((*self.silent, *other.silent))),
        )


def downloads(steps: Iterable[Step]) -> Downloads:
    """What the steps that ran downloaded."""
    total = Downloads()
    for step in steps:
        if step.ran and step.name.startswith("RUN"):
            for each in _of(step):
                total += each
    return total


def _of(step: Step) -> Iterator[Downloads]:
    for name, called, spoke, read in _TOOLS:
        if re.search(spoke, step.output, re.M):
            yield read(step.output)
        elif re.search(called, step.name):
            yield Downloads(None, None, (name,))
    for found in dict.fromkeys(re.findall(_OTHERS, step.name)):
        yield Downloads(None, None, (found,))


def _pip(output: str) -> Downloads:
    found = re.findall(rf"^ *Downloading (\S+) \({_SIZE}\)", output, re.M)
    found = [each for each in found if "iB" not in each[2]]
    packages = sum(not name.endswith(".metadata") for name, *_ in found)
    return Downloads(packages, sum(_bytes(number, unit) for _, number, unit in found))


def _apt(output: str) -> Downloads:
    found = re.findall(rf"^Get:\d+ \S+ (.*) \[{_SIZE}\]\r?$", output, re.M)
    if "newly installed" not in output and re.search(r"^(Unpacking|Setting up) ", output, re.M):
        return Downloads(None, None, ("apt",))  # apt-get -qq
    # A package: suite/component, architecture, name, architecture, version. Lists are shorter.
    packages = sum(len(what.split()) == 5 for what, *_ in found)
    return Downloads(packages, sum(_bytes(number, unit) for _, number, unit in found))


def _uv(output: str) -> Downloads:
    packages = sum(int(each) for each in re.findall(r"^Prepared (\d+) packages? in", output, re.M))
    return Downloads(packages, None if packages else 0, ("uv",) if packages else ())


def _npm(output: str) -> Downloads:
    """npm names what it fetches at the log level http, without sizes."""
    found = re.findall(r"^npm http fetch GET 200 \S+\.tgz .*$", output, re.M)
    packages = sum("(cache hit)" not in each for each in found)
    return Downloads(packages, None if packages else 0, ("npm",) if packages else ())


# Name, how a RUN calls it, what it says whenever it is not told to be quiet, how to read it.
_TOOLS: tuple[tuple[str, str, str, Callable[[str], Downloads]], ...] = (
    (
        "pip",
        r"(?<!uv )\bpip[\d.]* +(-\S+ +)*(install|download|wheel)\b",
        r"^(Looking in |Collecting |Requirement already satisfied|Processing |Obtaining file:)",
        _pip,
    ),
    (
        "apt",
        r"\bapt(-get)? +(-\S+ +)*(install|upgrade|dist-upgrade|update|build-dep)\b",
        r"^(Reading package lists|Hit:\d|Get:\d)",
        _apt,
    ),
    (
        "uv",
        r"\buv +(pip +)?(install|sync)\b",
        r"^(Resolved|Prepared|Installed|Audited|Checked) \d+ packages? in",
        _uv,
    ),
    ("npm", r"\bnpm +(-\S+ +)*(install|ci|i|add)\b", r"^npm http fetch ", _npm),
)
# Only where a command can stand: `apt-get install curl` is not a download by curl.
_OTHERS = (
    r"(?:^RUN(?: +--\S+)*|&&|;|\|\|?) +(?:sudo +)?"
    r"(yarn|pnpm|bun|poetry|pdm|pipenv|conda|mamba|micromamba|apk|dnf|microdnf|yum|zypper|"
    r"cargo|go(?= +(?:mod|build|install|get)\b)|composer|bundle|gem|mvn|gradle|curl|wget)(?= )"
)


def _bytes(number: str, unit: str) -> int:
    return round(float(number.replace(",", "")) * _UNITS[unit])


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
