"""The folder of packages while it is being filled: what is there, and what is fetched into it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from dfcache.vendor.fetch import PARTS, Network, Tell, fetch, part_of, pauses_of
from dfcache.vendor.files import Locked
from dfcache.vendor.hashes import sha256
from dfcache.vendor.host import certificate
from dfcache.vendor.jobs import Job, logins
from dfcache.vendor.manifest import Entry


class VendorError(Exception):
    """Why the folder could not be filled: ``str()`` is a line, ``detail`` are more."""

    def __init__(self, message: str, detail: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.detail = tuple(detail)


class Show(Tell, Protocol):
    """Hears how it goes."""

    def doing(self, text: str) -> None:
        """What is being done now."""

    def expect(self, files: int, size: int) -> None:
        """So many files and bytes are to be fetched from now on."""


class Store:
    """A folder that files are fetched into.

    ``sources`` is a hidden folder in it, for sources of which wheels are built or metadata read.
    ``fetched`` are the names of the files that came into the folder, ``notes`` lines to tell.
    """

    def __init__(
        self,
        folder: Path,
        entries: Mapping[str, Entry],
        show: Show,
        retries: int,
        jobs: Sequence[Job],
    ) -> None:
        """``entries`` are what dfcache put there, ``jobs`` those whose servers are spoken to."""
        self.folder = folder
        self.sources = folder / PARTS / "sources"
        self.fetched: dict[str, None] = {}
        self.notes: dict[str, None] = {}
        self._entries = entries
        self._show = show
        self._pauses = pauses_of(retries)
        self._jobs = jobs

    def place(self, file: Locked) -> Path:
        """Where a file is that was fetched."""
        places = (self.folder / file.file, self.sources / file.file)
        return next(path for path in places if path.is_file())

    def get(
        self, files: Iterable[Locked], jobs: Sequence[Job] = (), folder: Path | None = None
    ) -> None:
        """Have these files in the folder, asking the servers of these jobs or of all.

        Raises VendorError where some can't be had.
        """
        folder = folder or self.folder
        missing = []
        for file in dict.fromkeys(files):
            place = folder / file.file
            held = self.sources / file.file
            if folder == self.folder and file.source and held.is_file() and not place.exists():
                held.replace(place)
                self.fetched[file.file] = None
            if not self._has(file, place):
                missing.append(file)
        if not missing:
            return
        left = sum((f.size or 0) - max(0, size_of(part_of(f, folder))) for f in missing if f.size)
        self._show.expect(len(missing), left)
        folder.mkdir(parents=True, exist_ok=True)
        failed = fetch(missing, folder, self.network(jobs), self._show, self._pauses)
        if folder == self.folder:
            self.fetched.update(dict.fromkeys(f.file for f in missing if f not in failed))
        if failed:
            count = f"{len(failed)} of {len(missing)} files" if len(missing) > 1 else "1 file"
            raise VendorError(
                f"{count} could not be fetched; what has arrived stays, run it again to go on",
                (f"  {file.file}: {why}" for file, why in failed.items()),
            )

    def _has(self, file: Locked, place: Path) -> bool:
        """Whether the file is there; one that dfcache put there and that is spoilt goes."""
        if not place.is_file():
            return False
        if not file.sha256 or sha256(place) == file.sha256:
            return True
        mine = self._entries.get(file.file)
        if mine is not None and not mine.built:
            place.unlink()
            return False
        if mine is None:
            self.notes[
                f"{place.name} was there already and is not what the index has under that name; "
                "it stays, delete it to have the index's"
            ] = None
        return True

    def network(self, jobs: Sequence[Job] = ()) -> Network:
        """How the servers of these jobs, or of all, are spoken to."""
        jobs = jobs or self._jobs
        addresses = tuple(a for job in jobs for a in job.indexes.addresses)
        insecure = frozenset(host for job in jobs for host in job.indexes.trusted)

        def by_pip(file: Locked, to: Path) -> None:
            from dfcache.vendor.bypip import download

            failed: OSError | None = None
            for job in _distinct(jobs):
                try:
                    download(file, to, job.indexes)
                    return
                except OSError as error:
                    failed = failed or error
            assert failed is not None
            raise failed

        return Network(logins(addresses), insecure, certificate(), by_pip)


def _distinct(jobs: Sequence[Job]) -> Iterator[Job]:
    """One job for each way of asking indexes."""
    yield from {job.indexes: job for job in jobs}.values()


def size_of(path: Path) -> int:
    """The bytes of a file, -1 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return -1
