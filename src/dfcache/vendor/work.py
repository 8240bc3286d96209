"""From a build to a folder that holds what it installs."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from dfcache.model.requirements import normalised, parse_requirement
from dfcache.model.target import Target
from dfcache.record import record, replace
from dfcache.vendor.complete import for_targets, inputs_of, is_complete, unfit
from dfcache.vendor.fetch import PARTS, RETRIES, pauses_of
from dfcache.vendor.files import Locked
from dfcache.vendor.hashes import sha256
from dfcache.vendor.jobs import Indexes, Job
from dfcache.vendor.manifest import Entry, Input, Manifest, read_manifest, write_manifest
from dfcache.vendor.metadata import Metadata, read_metadata
from dfcache.vendor.plan import Checkout, Plan
from dfcache.vendor.probe import is_blunt, refusal
from dfcache.vendor.resolve import Obtain, Resolved, ResolveError, resolve
from dfcache.vendor.store import Show, Store, VendorError, size_of

_INDEX_ATTEMPTS = 2  # uv makes some more in each


Make = Callable[[Sequence[str], Job, Path, Path], Sequence[Path]]
"""Builds wheels of sources, which are names of files in a folder or what else pip takes, in the
stage of the job, and puts them into another folder: where they are then. Raises VendorError."""


@record
class Order:
    """What is to be done.

    ``dockerfile`` is its path in the context. ``keep`` says to keep sources rather than build
    them; ``make`` builds them, None where nothing can. ``fresh`` forgets which versions the folder
    holds. ``retries`` is how often to go over what could not be fetched again.
    """

    dockerfile: str
    folder: Path
    plan: Plan
    keep: bool = False
    make: Make | None = None
    why_not: str = ""
    fresh: bool = False
    retries: int = RETRIES


@record
class Done:
    """What was done: the files of this build, those that were new, the lines to tell.

    ``unchanged`` is set where all was there and nothing was asked of any server.
    """

    manifest: Manifest
    files: tuple[Entry, ...]
    fetched: tuple[str, ...]
    built: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unchanged: bool = False


def vendor(order: Order, show: Show) -> Done:
    """Fill the folder. Raises VendorError, ResolveError, ProgramError, ManifestError, OSError.

    Whatever is raised, files that have arrived stay.
    """
    manifest = read_manifest(order.folder) or Manifest()
    inputs = inputs_of(order.dockerfile, order.plan)
    if not order.fresh and is_complete(
        order.folder, order.plan, order.dockerfile, manifest, order.make is not None
    ):
        mine = for_targets(manifest, {each.target for each in inputs})
        return Done(manifest, mine, (), notes=order.plan.notes, unchanged=True)
    return _Worker(order, manifest, show).work(inputs)


class _Worker:
    def __init__(self, order: Order, manifest: Manifest, show: Show) -> None:
        self._order = order
        self._manifest = manifest
        self._show = show
        self._folder = order.folder
        self._store = Store(order.folder, manifest.files, show, order.retries, order.plan.jobs)
        self._blunt: dict[Indexes, bool] = {}
        self._built: dict[str, None] = {}
        self._notes: dict[str, None] = dict.fromkeys(order.plan.notes)
        self._kept: dict[Target, dict[str, str]] = {}
        self._metadata: dict[Locked, Metadata] = {}
        self._resolved: dict[Locked, None] = {}

    def work(self, inputs: Sequence[Input]) -> Done:
        self._folder.mkdir(parents=True, exist_ok=True)
        if not self._order.fresh:
            for entry in self._manifest.files.values():
                for target in entry.targets:
                    self._kept.setdefault(target, {})[entry.name] = entry.version
        files: dict[Locked, set[Target]] = {}
        with tempfile.TemporaryDirectory(prefix="dfcache-") as temporary:
            for job, locked in self._all(Path(temporary)):
                for file in locked:
                    files.setdefault(file, set()).add(job.target)
        self._store.get(files)
        entries = self._entries(files)
        self._hold(entries)
        manifest = self._without_strays(self._manifest.with_files(entries))
        manifest = manifest.with_inputs(self._order.dockerfile, inputs)
        write_manifest(self._folder, manifest)
        self._clean()
        return Done(
            manifest,
            entries,
            tuple(self._store.fetched),
            tuple(self._built),
            (*self._notes, *self._store.notes),
        )

    # --- resolving -------------------------------------------------------------------------

    def _all(self, temporary: Path) -> Iterator[tuple[Job, tuple[Locked, ...]]]:
        """Every job and its files; those of the builds of sources that are kept come behind."""
        waiting = [*self._order.plan.jobs, *self._checkouts()]
        seen: set[tuple[Target, tuple[str, ...]]] = set()
        lacking: list[tuple[Job, Locked]] = []
        while waiting:
            job = waiting.pop(0)
            resolved = self._resolve(job, temporary)
            keep, build = self._split(resolved)
            if build and self._order.make is None:
                lacking += [(job, file) for file in build]
                self._resolved.update((file, None) for file in resolved.files if not file.source)
                continue
            if build:
                self._make(build, job)
                waiting.insert(0, job)
                continue
            for file in keep:
                needs = self._metadata_of(file).build
                if needs and (job.target, needs) not in seen:
                    seen.add((job.target, needs))
                    where = f"{job.where} (the build of {file.name} {file.version})"
                    waiting.append(Job(where, job.target, needs, (), job.indexes))
            if resolved.unsure:
                names = ", ".join(resolved.unsure)
                self._notes[
                    f"{job.where}: {names} tells what it depends on only when it is built; "
                    "name those packages in your requirements"
                ] = None
            self._resolved.update(dict.fromkeys(resolved.files))
            yield job, resolved.files
        if lacking:
            # What can be had is of use the next time.
            self._store.get(self._resolved)
            raise self._no_wheels(lacking)

    def _checkouts(self) -> Iterator[Job]:
        """Have a wheel of what comes from version control; the jobs for what those depend on."""
        for checkout in self._order.plan.checkouts:
            job = Job(checkout.where, checkout.target, (), indexes=checkout.indexes)
            entry = self._held(checkout)
            if entry is None and self._order.make is not None:
                self._show.doing(f"building {checkout.shown} in a container of the stage")
                made = self._order.make(
                    [checkout.requirement], job, self._store.sources, self._made()
                )
                entry = next((self._add_built(each, checkout.target) for each in made), None)
            if entry is not None:
                pinned = f"{entry.name}{checkout.extras}=={entry.version}"
                yield replace(job, requirements=(pinned,))
            else:
                self._notes[
                    f"{checkout.where}: {checkout.shown} is not fetched: building it takes a "
                    f"container, but {self._order.why_not}"
                ] = None

    def _held(self, checkout: Checkout) -> Entry | None:
        """The wheel that was built of it, unless another revision is asked for now."""
        before = {
            line
            for each in self._manifest.inputs
            if (each.dockerfile, each.target) == (self._order.dockerfile, checkout.target)
            for line in each.requirements
            if line.startswith(f"{checkout.name}{checkout.extras} @ ")
        }
        if self._order.fresh or (before and checkout.line not in before):
            return None
        built = (entry for entry in self._manifest.files.values() if entry.built)
        wanted = (checkout.name, checkout.target)
        return next((e for e in built if e.name == wanted[0] and wanted[1] in e.targets), None)

    def _resolve(self, job: Job, temporary: Path) -> Resolved:
        self._show.doing(f"resolving {job.where} for {_spoken(job.target)}")

        def obtain(files: Sequence[Locked]) -> Mapping[Locked, Metadata]:
            found: dict[Locked, Metadata] = {}
            wheels = tuple(file for file in files if not file.source)
            sources = tuple(file for file in files if file.source)
            self._store.get(wheels, [job])
            self._store.get(sources, [job], self._store.sources)
            for file in files:
                found[file] = self._metadata_of(file)
            return found

        try:
            resolved = self._asked(job, obtain, temporary)
        except ResolveError as error:
            name = re.search(r"Because ([\w.-]+) was not found", error.detail)
            network = self._store.network([job])
            refused = refusal(job.indexes, name[1], network) if name else ""
            if refused:
                raise ResolveError(job.where, refused) from error
            raise
        chosen = self._kept.setdefault(job.target, {})
        for file in resolved.files:
            chosen.setdefault(file.name, file.version)
        return resolved

    def _asked(self, job: Job, obtain: Obtain, temporary: Path) -> Resolved:
        return resolve(
            job,
            obtain,
            self._wheels_built(temporary),
            self._kept.get(job.target),
            self._is_blunt(job),
            pauses_of(self._order.retries)[:_INDEX_ATTEMPTS],
        )

    def _is_blunt(self, job: Job) -> bool:
        if job.indexes not in self._blunt:
            names = (parse_requirement(each) for each in job.requirements)
            name = next((each.name for each in names if each is not None and each.name), "pip")
            self._blunt[job.indexes] = is_blunt(job.indexes, name, self._store.network([job]))
        return self._blunt[job.indexes]

    def _wheels_built(self, temporary: Path) -> Path | None:
        """A folder of the wheels that were built here, which no index has."""
        names = [*self._built, *(n for n, e in self._manifest.files.items() if e.built)]
        for name in names:
            if (self._folder / name).is_file() and not (temporary / name).exists():
                shutil.copyfile(self._folder / name, temporary / name)
        return temporary if names else None

    def _metadata_of(self, file: Locked) -> Metadata:
        if file not in self._metadata:
            self._metadata[file] = read_metadata(self._store.place(file))
        return self._metadata[file]

    def _split(self, resolved: Resolved) -> tuple[list[Locked], list[Locked]]:
        """The sources to keep, and those to build."""
        job = resolved.job
        keep: list[Locked] = []
        build: list[Locked] = []
        for file in resolved.files:
            if file.source:
                wanted = file.name in job.no_binary or ":all:" in job.no_binary
                (keep if wanted or self._order.keep else build).append(file)
        return keep, build

    def _make(self, sources: Sequence[Locked], job: Job) -> None:
        assert self._order.make is not None
        names = ", ".join(f"{each.name} {each.version}" for each in sources)
        # Earlier installs of the stage may take their packages from the folder.
        self._store.get(self._resolved)
        self._show.doing(f"building {names} in a container of the stage")
        self._store.get(sources, [job], self._store.sources)
        made = self._order.make(
            [each.file for each in sources], job, self._store.sources, self._made()
        )
        for wheel in made:
            self._add_built(wheel, job.target)
        lacking = {each.name for each in sources} - {_name(wheel)[0] for wheel in made}
        if lacking:
            raise VendorError(f"{job.where}: no wheel came of building {', '.join(lacking)}")

    def _made(self) -> Path:
        """A folder for wheels that are being built, on the disk where they are to be."""
        folder = self._folder / PARTS / "built"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _add_built(self, wheel: Path, target: Target) -> Entry:
        place = self._folder / wheel.name
        name, version = _name(wheel)
        wheel.replace(place)
        self._built[place.name] = None
        entry = Entry(place.name, name, version, sha256(place), size_of(place), (target,), True)
        # At once: what took minutes to build is not to be built again.
        self._manifest = self._manifest.with_files([entry])
        write_manifest(self._folder, self._manifest)
        return entry

    def _no_wheels(self, lacking: Sequence[tuple[Job, Locked]]) -> VendorError:
        names = dict.fromkeys(f"{file.name} {file.version}" for _, file in lacking)
        where = dict.fromkeys(job.where for job, _ in lacking)
        target = lacking[0][0].target
        several = len(names) > 1
        count = f"{len(names)} packages have" if several else f"{next(iter(names))} has"
        message = f"{', '.join(where)}: {count} no wheel for {_spoken(target)}"
        return VendorError(
            message,
            [
                *([f"  {name}" for name in names] if several else []),
                f"{'they have' if several else 'it has'} to be built in a container of the "
                f"image's stage, but {self._order.why_not}",
                "or use --sdist to keep the source, which each build of the image then builds",
            ],
        )

    # --- the manifest ----------------------------------------------------------------------

    def _entries(self, files: Mapping[Locked, set[Target]]) -> tuple[Entry, ...]:
        found = []
        for file, targets in files.items():
            place = self._folder / file.file
            held = self._manifest.files.get(file.file)
            built = file.file in self._built or (held is not None and held.built)
            found.append(
                Entry(file.file, file.name, file.version, sha256(place), size_of(place),
                      tuple(targets), built)
            )  # fmt: skip
        return tuple(sorted(found, key=lambda entry: entry.file))

    def _hold(self, entries: Sequence[Entry]) -> None:
        """Hold files against hashes that no index tells, such as sha512. Raises VendorError."""
        mine = Manifest().with_files(entries)
        for job in self._order.plan.jobs:
            for name in unfit(self._folder, job, mine):
                raise VendorError(
                    f"{job.where}: {name} has none of the hashes that the requirements allow"
                )

    def _without_strays(self, manifest: Manifest) -> Manifest:
        """Without what was fetched on the way to a resolution and is not part of it."""
        strays = [name for name in self._store.fetched if name not in manifest.files]
        for name in strays:
            (self._folder / name).unlink(missing_ok=True)
            del self._store.fetched[name]
        gone = [name for name in manifest.files if not (self._folder / name).is_file()]
        return manifest.without(gone)

    def _clean(self) -> None:
        """Delete the hidden folder: nothing is unfinished."""
        shutil.rmtree(self._folder / PARTS, ignore_errors=True)


def _name(wheel: Path) -> tuple[str, str]:
    """The normalised name and the version of a wheel, by its file name."""
    name, version, *_ = wheel.name.split("-")
    return normalised(name), version


def _spoken(target: Target) -> str:
    version = ".".join(map(str, target.libc_version))
    return f"Python {target.python} on {target.platform} ({target.libc} {version})"
