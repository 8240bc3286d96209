"""Whether a folder of packages still holds what a build installs: without a network, in seconds.

Everything is decided from the Dockerfile, its requirements, the names of the files, what they say
of themselves, and the manifest. That a package was withdrawn from its index can't be seen.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dfcache.model.requirements import Requirement, parse_requirement
from dfcache.model.target import Target, target_text
from dfcache.model.wheelhouse import PackageFile, package_file
from dfcache.record import record, replace
from dfcache.vendor.builds import build_closures, without_wheel
from dfcache.vendor.closure import Closure, Gap, Need, Rules, closure
from dfcache.vendor.files import file_name
from dfcache.vendor.hashes import digest
from dfcache.vendor.house import House
from dfcache.vendor.jobs import Job, bare
from dfcache.vendor.manifest import NAME, Entry, Input, Manifest
from dfcache.vendor.plan import Checkout, Plan


@record
class Fault:
    """Something that is wrong with the folder (``error``), or worth knowing.

    ``kind`` is "folder" (it is not there), "missing", "version", "platform", "source", "wheel",
    "python" (no file that will do, see Lack), "hash" (none of those that the requirements allow),
    "altered" (not what the manifest says), "gone" (in the manifest only), "corrupt", "link" (leads
    out of the folder, or nowhere), "address" (is fetched from its URL anyway), "partial", "foreign"
    (not put there by dfcache) or "unneeded". ``mends`` tells that `dfcache vendor` mends it.
    ``package`` is a normalised name, ``file`` a file of the folder, where they apply.
    """

    kind: str
    message: str
    error: bool = True
    mends: bool = True
    package: str = ""
    file: str = ""


@record
class Audit:
    """What was found, errors first; ``needed`` are the files that installs take.

    ``sure`` is False where requirements or files could not be read, so that more may be needed.
    """

    faults: tuple[Fault, ...]
    needed: frozenset[str]
    targets: tuple[Target, ...]
    files: int
    sure: bool

    @property
    def good(self) -> bool:
        """Whether an install from the folder finds all it asks for."""
        return not any(fault.error for fault in self.faults)


def audit(folder: Path, plan: Plan, dockerfile: str, manifest: Manifest | None) -> Audit:
    """Hold ``folder`` against what ``plan`` of ``dockerfile`` (a path of the context) installs.

    What other Dockerfiles asked for when the folder was filled for them counts as needed. Raises
    OSError where the folder can't be read.
    """
    wanted: tuple[Job | Checkout, ...] = (*plan.jobs, *plan.checkouts)
    targets = tuple(dict.fromkeys(each.target for each in wanted))
    if not folder.is_dir():
        gone = (Fault("folder", "the folder is not there"),) if plan.jobs else ()
        return Audit(gone, frozenset(), targets, 0, not plan.unread)
    return _Auditor(folder, manifest, targets).audit(plan, dockerfile)


class _Auditor:
    def __init__(
        self, folder: Path, manifest: Manifest | None, targets: tuple[Target, ...]
    ) -> None:
        self._folder = folder
        self._manifest = manifest or Manifest()
        self._known = manifest is not None
        self._targets = targets
        self._faults: dict[tuple[str, str], Fault] = {}
        self._digests: dict[tuple[str, str], str] = {}
        self._names: list[str] = []
        self._links: dict[str, str] = {}
        self._parts = 0
        self._needed: dict[str, PackageFile] = {}
        self._built: dict[Target, set[tuple[str, ...]]] = {}
        self._sure = True

    def audit(self, plan: Plan, dockerfile: str) -> Audit:
        self._list()
        self._sure = not plan.unread
        house = House(self._folder, self._names)
        for job in plan.jobs:
            self._job(house, job)
        for checkout in plan.checkouts:
            self._checkout(house, checkout)
        self._integrity()
        for file in self._others(house, dockerfile):
            self._needed.setdefault(file.file, file)
        self._sure = self._sure and not house.corrupt
        self._rest(house)
        faults = sorted(self._faults.values(), key=lambda fault: not fault.error)
        needed = frozenset(self._needed)
        return Audit(tuple(faults), needed, self._targets, len(house.files), self._sure)

    def _job(self, house: House, job: Job) -> None:
        rules = _rules(job.target, job.constraints, job)
        found = closure(house, _needs(job.requirements, job.origins, job.where), rules)
        self._taken(house, found if job.origins else without_wheel(found), rules)
        self._hashes(found, job)

    def _checkout(self, house: House, checkout: Checkout) -> None:
        """What version control asks for is built anyway; its dependencies come from the folder."""
        line = f"{checkout.name}{checkout.extras}"
        needs = _needs([line] if checkout.name else [], {}, checkout.where)
        found = closure(house, needs, Rules(checkout.target))
        gaps = tuple(gap for gap in found.gaps if gap.need.parent is not None)
        self._sure = self._sure and bool(needs) and len(gaps) == len(found.gaps)
        self._taken(house, replace(found, gaps=gaps), Rules(checkout.target))

    def _taken(self, house: House, found: Closure, rules: Rules) -> None:
        done = self._built.setdefault(rules.target, set())
        for each in (found, *build_closures(house, found, rules, done)):
            # Of what is not there, it can't be told what it needs.
            self._sure = self._sure and not each.gaps and not each.addresses
            self._told(each, rules.target, house)
            self._needed.update((file.file, file) for file in each.files.values())

    def _add(self, fault: Fault) -> None:
        self._faults.setdefault((fault.kind, fault.message), fault)

    def _list(self) -> None:
        root = os.path.realpath(self._folder)
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.is_symlink():
                    real = os.path.realpath(entry.path)
                    if not os.path.isfile(real):
                        self._links[entry.name] = "is a link that leads nowhere"
                        continue
                    if os.path.commonpath((root, real)) != root:
                        self._links[entry.name] = (
                            "is a link out of the folder, where a build can't follow it"
                        )
                elif not entry.is_file():
                    self._parts += sum(1 for _ in _parts(entry))
                    continue
                if entry.name.endswith(".part"):
                    self._parts += 1
                elif entry.name != NAME:
                    self._names.append(entry.name)
        self._names.sort()

    # --- what is lacking ---------------------------------------------------------------------

    def _told(self, found: Closure, target: Target, house: House) -> None:
        for gap in found.gaps:
            if gap.need.sure:
                self._gap(gap, target)
        for need in found.addresses:
            self._address(need)
        for file, why in found.corrupt.items():
            package = house.files[file].name
            self._add(Fault("corrupt", f"{file} can't be read: {_reason(why, file)}",
                            package=package, file=file))  # fmt: skip

    def _gap(self, gap: Gap, target: Target) -> None:
        need, lack = gap.need, gap.lack
        requirement = need.requirement
        kind = "missing" if lack.kind == "none" else lack.kind
        why = lack.why
        if kind == "missing":
            link = next(
                (f"{name} {how}" for name, how in self._links.items()
                 if (file := package_file(name)) and file.name == requirement.name), None,
            )  # fmt: skip
            why = f"is missing ({link})" if link else why
        elif kind == "wheel":
            why = f"is there only as {lack.files[0].file}, and may not be a wheel"
        elif kind == "python":
            why = "is there only for other Pythons, or with dependencies that are not there"
        elif kind == "version" and not _admits_none(requirement, lack.files):
            why = f"can't be satisfied along with what else asks for it ({why})"
        at = f" for {target_text(target)}" if len(self._targets) > 1 else ""
        message = f"{_label(requirement)} {why}{at}, asked for by {need.by}"
        self._add(Fault(kind, message, package=requirement.name,
                        mends=kind not in ("unreadable", "wheel")))  # fmt: skip

    def _address(self, need: Need) -> None:
        requirement = need.requirement
        url = bare(requirement.url or "")
        what = requirement.name or url
        if need.parent is not None or url.lower().startswith(("git+", "hg+", "svn+", "bzr+")):
            message = (
                f"{what} is asked for by its address, by {need.by}: "
                "pip fetches it whatever the folder holds"
            )
            self._add(Fault("address", message, False, False, requirement.name))
            return
        message = f"{file_name(url)} is missing, asked for by {need.by}"
        self._add(Fault("missing", message, package=requirement.name))

    def _hashes(self, found: Closure, job: Job) -> None:
        for name, file in found.files.items():
            allowed = job.hashes.get(name)
            if allowed and file.file not in self._links and not self._is_one(file.file, allowed):
                by = found.needs[name][0].by
                message = f"{file.file} has none of the hashes that are allowed, by {by}"
                self._add(Fault("hash", message, package=name, file=file.file))

    def _is_one(self, file: str, allowed: Iterable[str]) -> bool:
        for each in allowed:
            algorithm, _, digest = each.partition(":")
            if self._digest(file, algorithm) == digest.lower():
                return True
        return False

    # --- the manifest --------------------------------------------------------------------------

    def _integrity(self) -> None:
        """Files that are not what the manifest says, or not there."""
        present = set(self._names)
        told = {fault.package for fault in self._faults.values() if fault.error}
        held = [name for name in self._manifest.files if name in present]
        with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
            digests = dict(zip(held, pool.map(self._sha256, held), strict=True))
        for name, entry in self._manifest.files.items():
            if name in self._links:
                if name in self._needed or name not in present:
                    self._add(Fault("link", f"{name} {self._links[name]}", package=entry.name,
                                    file=name))  # fmt: skip
            elif name not in present:
                if entry.name not in told:
                    message = f"{name} is in {NAME}, but not in the folder"
                    self._add(Fault("gone", message, package=entry.name, file=name))
            elif digests[name] != entry.sha256:
                message = f"{name} isn't what dfcache put there: {_difference(self._folder, entry)}"
                self._add(Fault("altered", message, package=entry.name, file=name))
        for name, file in self._needed.items():
            if name in self._links and name not in self._manifest.files:
                self._add(Fault("link", f"{name} {self._links[name]}", mends=False,
                                package=file.name, file=name))  # fmt: skip

    def _sha256(self, name: str) -> str:
        return self._digest(name, "sha256")

    def _digest(self, name: str, algorithm: str) -> str:
        """The hash of a file in hexadecimal digits, "" where it can't be had."""
        key = (name, algorithm)
        if key not in self._digests:
            try:
                self._digests[key] = digest(self._folder / name, algorithm)
            except (OSError, ValueError):
                self._digests[key] = ""
        return self._digests[key]

    # --- the rest ------------------------------------------------------------------------------

    def _others(self, house: House, dockerfile: str) -> Iterator[PackageFile]:
        """Files that were fetched for other Dockerfiles, or other targets of this one."""
        for each in self._manifest.inputs:
            if each.dockerfile != dockerfile or each.target not in self._targets:
                for found in _recorded(house, each):
                    # Of what is not there, it can't be told what it needs.
                    self._sure = self._sure and not found.gaps and not found.addresses
                    yield from found.files.values()

    def _rest(self, house: House) -> None:
        """What is no error: parts, files of others, and what nothing needs."""
        if self._parts:
            what = "1 file has" if self._parts == 1 else f"{self._parts} files have"
            self._add(Fault("partial", f"{what} arrived only in part", False))
        foreign = [name for name in house.files if name not in self._manifest.files]
        if self._known and foreign:
            self._add(
                Fault("foreign", f"{_listed(foreign)} not put there by dfcache", False, False)
            )
        if not self._sure:
            return
        spare = [
            name
            for name in self._manifest.files
            if name in house.files and name not in self._needed
        ]
        if spare:
            message = f"{_listed(spare)} not needed any more; `dfcache vendor --prune` removes "
            message += "it" if len(spare) == 1 else "them"
            self._add(Fault("unneeded", message, False, False))


def _parts(folder: os.DirEntry[str]) -> Iterator[str]:
    try:
        yield from (name for name in os.listdir(folder.path) if name.endswith(".part"))
    except OSError:
        return


def _rules(target: Target, constraints: Iterable[str], job: Job | None = None) -> Rules:
    limits = tuple(each for line in constraints if (each := parse_requirement(line)) is not None)
    if job is None:
        return Rules(target, limits)
    return Rules(target, limits, job.no_deps, job.pre, job.no_binary, job.only_binary)


def _needs(lines: Iterable[str], origins: Mapping[str, str], where: str) -> list[Need]:
    found = []
    for line in lines:
        requirement = parse_requirement(line)
        if requirement is not None and (requirement.name or requirement.url):
            by = origins.get(line, where)
            found.append(Need(requirement, by, by))
    return found


def _recorded(house: House, recorded: Input) -> Iterator[Closure]:
    rules = _rules(recorded.target, recorded.constraints)
    # What comes from version control is there as a wheel that was built, by its name.
    lines = [re.sub(r" @ (git|hg|svn|bzr)\+.*", "", line) for line in recorded.requirements]
    found = closure(house, _needs(lines, {}, recorded.dockerfile), rules)
    yield without_wheel(found)
    yield from build_closures(house, found, rules, set())


def _label(requirement: Requirement) -> str:
    """``flask 3.0.0`` where it is pinned, else as it is written."""
    name = requirement.name or requirement.text
    extras = f"[{','.join(requirement.extras)}]" if requirement.extras else ""
    specifier = requirement.specifier.strip("() ")
    if specifier.startswith("==") and not set(",*") & set(specifier):
        return f"{name}{extras} {specifier.lstrip('= ')}"
    return f"{name}{extras}{specifier}"


def _admits_none(requirement: Requirement, files: Iterable[PackageFile]) -> bool:
    """Whether the requirement alone admits none of the versions."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        specifier = SpecifierSet(requirement.specifier.strip("() "))
    except InvalidSpecifier:
        return True
    return not any(specifier.contains(file.version, prereleases=True) for file in files)


def _difference(folder: Path, entry: Entry) -> str:
    try:
        size = (folder / entry.file).stat().st_size
    except OSError as error:
        return error.strerror or str(error)
    if size != entry.size:
        return f"it has {size} bytes, not {entry.size}"
    return f"its sha256 is not {entry.sha256[:16]}…"


def _reason(why: str, file: str) -> str:
    return why.removeprefix(f"{file} can't be read: ")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    if len(names) > 3:
        return f"{shown} and {len(names) - 3} more are"
    return f"{shown} {'is' if len(names) == 1 else 'are'}"
