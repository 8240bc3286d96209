"""All that an install would take from a folder of packages, dependencies included, without pip.

A folder holds one version of most packages, so the choice is mostly forced. Where it is not, the
newest version that everything asked so far admits is taken, as pip does, and given up again for an
older one where what it depends on is not there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from urllib.parse import unquote, urlsplit

from dfcache.model.requirements import Requirement, normalised, parse_requirement
from dfcache.model.target import Target
from dfcache.model.wheelhouse import (
    Lack,
    PackageFile,
    applies,
    best,
    lacking,
)
from dfcache.record import EMPTY, record, replace
from dfcache.vendor.house import House

_MOST_TRIES = 50


@record
class Rules:
    """How an install chooses: its target, and what it is told about pre-releases and sources.

    ``constraints`` hold names to versions. ``no_binary`` and ``only_binary`` are normalised names
    or ":all:".
    """

    target: Target
    constraints: tuple[Requirement, ...] = ()
    no_deps: bool = False
    pre: bool = False
    no_binary: tuple[str, ...] = ()
    only_binary: tuple[str, ...] = ()

    def allows(self, file: PackageFile) -> bool:
        """Whether the install may take such a file: a wheel, or a source."""
        chosen, all_but = self.no_binary, self.only_binary
        if not file.wheel:
            chosen, all_but = all_but, chosen
        return file.name not in chosen and (":all:" not in chosen or file.name in all_but)


@record
class Need:
    """A requirement and who has it: "requirements.txt:3", "flask 3.0.0 (requirements.txt:3)".

    ``sure`` is False where it depends on the patch release of Python whether it is needed.
    ``parent`` is the file that has it, None for what the install itself asks for.
    """

    requirement: Requirement
    by: str
    origin: str
    sure: bool = True
    parent: PackageFile | None = None


@record
class Gap:
    """A need that the folder doesn't meet, and why."""

    need: Need
    lack: Lack


@record
class Closure:
    """What an install takes, by package name, the needs that led to each, and what it lacks.

    ``addresses`` are what packages themselves ask for by its address. ``corrupt`` are files that
    can't be read, with the reason.
    """

    files: Mapping[str, PackageFile] = EMPTY
    needs: Mapping[str, tuple[Need, ...]] = EMPTY
    gaps: tuple[Gap, ...] = ()
    addresses: tuple[Need, ...] = ()
    corrupt: Mapping[str, str] = EMPTY


def closure(house: House, needs: Sequence[Need], rules: Rules) -> Closure:
    """What an install of ``needs`` would take from the folder."""
    first: Closure | None = None
    waiting: list[frozenset[str]] = [frozenset()]
    seen = set(waiting)
    for _ in range(_MOST_TRIES):
        if not waiting:
            break
        excluded = waiting.pop(0)
        found = _Walk(house, needs, rules, excluded).closure()
        if not any(gap.need.sure for gap in found.gaps):
            return found
        first = first or found
        for suspect in _suspects(found, house):
            more = excluded | {suspect.file}
            if suspect.file not in excluded and more not in seen:
                seen.add(more)
                waiting.append(more)
    assert first is not None
    return first


def _suspects(found: Closure, house: House) -> Iterator[PackageFile]:
    """Files that led to a gap and that have another version, the nearest first."""
    seen: set[str] = set()
    waiting = [gap.need for gap in found.gaps]
    waiting += [need for gap in found.gaps for need in found.needs[gap.need.requirement.name]]
    for need in waiting:
        parent = need.parent
        if parent is None or parent.file in seen:
            continue
        seen.add(parent.file)
        if any(other.version != parent.version for other in house.by_name[parent.name]):
            yield parent
        waiting.extend(found.needs.get(parent.name, ()))


class _Again(Exception):
    """A choice was made too early; the next walk knows better."""


class _Walk:
    def __init__(
        self, house: House, needs: Sequence[Need], rules: Rules, excluded: frozenset[str]
    ) -> None:
        self._house = house
        self._roots = needs
        self._rules = rules
        self._excluded = set(excluded)
        self._settled: dict[str, PackageFile] = {}
        self._turns: dict[str, int] = {}
        self._limits: dict[str, list[Requirement]] = {}
        for limit in rules.constraints:
            self._limits.setdefault(limit.name, []).append(limit)

    def closure(self) -> Closure:
        while True:
            self._needs: dict[str, list[Need]] = {}
            self._files: dict[str, PackageFile] = {}
            self._extras: dict[str, set[str]] = {}
            self._sure: set[str] = set()
            self._gaps: dict[str, Gap] = {}
            self._addresses: list[Need] = []
            try:
                self._walk()
            except _Again:
                continue
            break
        return Closure(
            self._files,
            {name: tuple(needs) for name, needs in self._needs.items()},
            tuple(self._gaps.values()),
            tuple(self._addresses),
            {f.file: why for f in self._files.values() if (why := self._house.corrupt.get(f.file))},
        )

    def _walk(self) -> None:
        """Meet every need; what is asked for directly limits the choice from the beginning."""
        roots = [need for each in self._roots if (need := self._applying(each)) is not None]
        for need in roots:
            if need.requirement.url is None:
                self._needs.setdefault(need.requirement.name, []).append(need)
        waiting = deque(roots)
        while waiting:
            waiting.extend(self._met(waiting.popleft()))

    def _applying(self, need: Need) -> Need | None:
        holds = applies(need.requirement.marker, self._rules.target)
        return None if holds is False else replace(need, sure=need.sure and holds is True)

    def _met(self, need: Need) -> Iterator[Need]:
        """Choose a file for a need; what that needs in turn."""
        requirement = need.requirement
        if requirement.url is not None:
            yield from self._fetched(need)
            return
        name = requirement.name
        if need.parent is not None:
            self._needs.setdefault(name, []).append(need)
        known = self._files.get(name)
        keeps = known is not None and _admits(requirement.specifier, known.version)
        file = known if keeps else self._choose(name)
        if file is None:
            self._gaps.setdefault(name, Gap(need, self._lack(need)))
            return
        if known is not None and known != file:
            self._turns[name] = self._turns.get(name, 0) + 1
            if self._turns[name] > 2 * len(self._house.by_name[name]):
                # Each choice leads to a need that another one has to meet.
                self._gaps.setdefault(name, Gap(need, Lack(requirement, "version", (known,))))
                return
            self._settled[name] = file
            raise _Again
        self._files[name] = file
        surer = need.sure and name not in self._sure
        self._sure |= {name} if need.sure else set()
        yield from self._inside(file, need, first=known is None or surer)

    def _choose(self, name: str) -> PackageFile | None:
        requirements = [need.requirement for need in self._needs[name]]
        allowed = [file for file in self._house.by_name.get(name, ()) if self._rules.allows(file)]
        rules = self._rules
        settled = self._settled.get(name)
        for files in ([settled] if settled is not None else [], allowed):
            made = best(
                files,
                requirements[0],
                rules.target,
                constraints=[*requirements[1:], *self._limits.get(name, ())],
                pre=rules.pre,
                but=self._excluded,
            )
            if made is not None:
                return made
        return None

    def _lack(self, need: Need) -> Lack:
        rules = self._rules
        name = need.requirement.name
        files = self._house.by_name.get(name, [])
        allowed = [file for file in files if rules.allows(file)]
        if files and not allowed:
            kind = "source" if not files[0].wheel else "wheel"
            return Lack(need.requirement, kind, tuple(files))
        others = [each.requirement for each in self._needs[name] if each is not need]
        found = lacking(
            allowed,
            [replace(need.requirement, marker="", constraint=False)],
            rules.target,
            constraints=[*others, *self._limits.get(name, ())],
            pre=rules.pre,
        )
        return next(found, Lack(need.requirement, "python", tuple(allowed)))

    def _inside(self, file: PackageFile, need: Need, first: bool) -> Iterator[Need]:
        """What a chosen file depends on, as far as that is new."""
        had = self._extras.setdefault(file.name, set())
        new = {normalised(extra) for extra in need.requirement.extras} - had
        had |= new
        if self._rules.no_deps or not (first or new):
            return
        metadata = self._house.metadata(file)
        if not _runs_on(metadata.python, self._rules.target):
            self._excluded.add(file.file)
            raise _Again
        by = f"{file.name} {file.version} ({need.origin})"
        extras = tuple(sorted(new))
        for line in metadata.requires:
            text, _, marker = line.partition("; " if "://" in line else ";")
            holds = self._holds(marker.strip(), extras, first)
            wanted = None if holds is False else parse_requirement(text)
            if wanted is not None and (wanted.name or wanted.url):
                sure = need.sure and holds is True
                yield Need(replace(wanted, path=None), by, need.origin, sure, file)

    def _holds(self, marker: str, extras: tuple[str, ...], first: bool) -> bool | None:
        """Whether a dependency is wanted with these extras; without any where it is ``first``."""
        plain = applies(marker, self._rules.target)
        if plain is not False:
            return plain if first else False
        return applies(marker, self._rules.target, extras) if extras else False

    def _fetched(self, need: Need) -> Iterator[Need]:
        """What is asked for by its address: the file of that name, as far as the folder has it."""
        requirement = need.requirement
        file = self._house.files.get(
            unquote(urlsplit(requirement.url or "").path).rpartition("/")[2]
        )
        if need.parent is not None or file is None:
            self._addresses.append(need)
            return
        self._needs.setdefault(file.name, []).append(need)
        known = self._files.setdefault(file.name, file)
        yield from self._inside(known, need, first=True)


@cache
def _admits(specifier: str, version: str) -> bool:
    """Whether a version that was chosen stays chosen with one more specifier.

    Not where that admits pre-releases, which may be newer.
    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        admitted = SpecifierSet(specifier.strip("() "))
    except InvalidSpecifier:
        return False
    return not admitted.prereleases and admitted.contains(version, prereleases=True)


def _runs_on(specifier: str, target: Target) -> bool:
    """Whether a ``Requires-Python`` admits some patch release of the target's Python."""
    if not specifier:
        return True
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        admitted = SpecifierSet(specifier)
    except InvalidSpecifier:
        return True
    return any(admitted.contains(f"{target.python}.{patch}") for patch in (0, 99))
