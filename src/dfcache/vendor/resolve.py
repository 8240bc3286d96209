"""What a job's requirements come down to for its target: which files of which index.

uv resolves, for it can do so for another Python and platform than this one's (pip evaluates
markers for the machine it runs on, whatever ``--platform`` says), and tells addresses, sizes and
hashes (``--format pylock.toml``, PEP 751). Nothing of any package is run: sources are not built for
their metadata, as uv would do; what they ask for is read from them and handed to uv as
``dependency-metadata``.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dfcache.model.requirements import normalised
from dfcache.record import record
from dfcache.vendor.files import Locked
from dfcache.vendor.host import RESOLVING
from dfcache.vendor.jobs import Job, secrets
from dfcache.vendor.metadata import Metadata
from dfcache.vendor.programs import HINT, ProgramError, Ran, run
from dfcache.vendor.uvasks import (
    MACHINES,
    compiling,
    configuration,
    environment,
    locked,
    platform_of,
)
from dfcache.vendor.uvsays import (
    cut_in_wheel,
    deepest,
    is_unreachable,
    shown,
    too_old,
    unreachable,
    without_wheels,
)

Obtain = Callable[[Sequence[Locked]], Mapping[Locked, Metadata]]
"""Fetches files and reads what they ask for."""

_MOST_TURNS = 100


class ResolveError(Exception):
    """Requirements that nothing satisfies, or an index that can't be asked.

    ``where`` is whose they are. ``detail`` is what uv says, without credentials. ``unreachable``
    is set where it is the network.
    """

    def __init__(
        self, where: str, message: str, detail: str = "", unreachable: bool = False
    ) -> None:
        super().__init__(message)
        self.where = where
        self.detail = detail
        self.unreachable = unreachable


@record
class Resolved:
    """The files that satisfy a job; ``unsure`` are sources that don't say what they depend on."""

    job: Job
    files: tuple[Locked, ...]
    unsure: tuple[str, ...] = ()


def resolve(
    job: Job,
    obtain: Obtain,
    built: Path | None = None,
    kept: Mapping[str, str] | None = None,
    stepwise: bool = False,
    pauses: Sequence[float] = (0.0,),
) -> Resolved:
    """Resolve a job. Raises ResolveError, ProgramError, and what ``obtain`` raises.

    ``built`` is a folder of wheels made from sources, which go before those sources. ``kept`` are
    versions by name that are preferred where they fit. ``stepwise`` is for indexes that
    don't serve metadata: then uv would download wheels to look into them, wholly or in part,
    and again when interrupted; so they are obtained here, once. ``pauses`` are the
    seconds before each attempt where the index can't be reached.
    """
    with tempfile.TemporaryDirectory(prefix="dfcache-") as folder:
        return _Resolver(job, obtain, built, kept or {}, stepwise, pauses, Path(folder)).resolve()


class _Resolver:
    def __init__(
        self,
        job: Job,
        obtain: Obtain,
        built: Path | None,
        kept: Mapping[str, str],
        stepwise: bool,
        pauses: Sequence[float],
        folder: Path,
    ) -> None:
        self._job = job
        self._obtain = obtain
        self._built = built
        self._kept = kept
        self._stepwise = stepwise
        self._pauses = pauses
        self._folder = folder
        self._secrets = secrets(job.indexes.addresses)
        self._sources = dict.fromkeys(n for n in job.no_binary if n != ":all:")
        # The names that uv is told about, and what it is told by name and version.
        self._told: dict[str, None] = dict.fromkeys(self._sources)
        self._known: dict[tuple[str, str], Metadata] = {}
        self._lacking: dict[str, str] = {}
        # Sources that uv named along with others: perhaps their wheels would do.
        self._doubted: list[str] = []
        self._left_out = ""
        self._with_it: dict[str, str] = {}
        self._unfit: dict[str, str] = {}

    def resolve(self) -> Resolved:
        job = self._job
        platform = platform_of(job.target)
        if platform is None:
            can = " and ".join(MACHINES)
            raise ResolveError(
                job.where,
                f"packages can be fetched for {can}, not for {job.target.platform}; "
                "builds for it have to ask the index",
            )
        self._write("requirements.txt", job.requirements)
        self._write("constraints.txt", job.constraints)
        if self._stepwise:
            self._go_stepwise()
        for _ in range(_MOST_TURNS):
            ran = self._uv(platform)
            if ran.code != 0 and not self._stepwise and cut_in_wheel(ran.err):
                self._go_stepwise()
                continue
            if ran.code != 0 and not self._left_out:
                self._allow_sources(ran)
                continue
            text = (self._folder / "pylock.toml").read_text(encoding="utf-8")
            files = locked(text) if ran.code == 0 else ()
            if self._is_worse(files):
                continue
            if not (self._learn(files) or self._other_kind(files) or self._leave_out(files)):
                return self._checked(files)
        raise ResolveError(job.where, self._endless())

    def _go_stepwise(self) -> None:
        """Look into wheels here from now on."""
        self._stepwise = True
        lines = (*self._job.requirements, *self._job.constraints)
        lines += tuple(line for known in self._known.values() for line in known.requires)
        self._told.update(dict.fromkeys(_names(lines)))

    def _write(self, name: str, lines: Sequence[str]) -> None:
        text = "".join(f"{line}\n" for line in lines)
        (self._folder / name).write_text(text, encoding="utf-8")

    def _uv(self, platform: str) -> Ran:
        """Run uv; again for a while where the index can't be reached."""
        job = self._job
        command = compiling(job, platform, self._sources)
        # uv prefers the versions of the file that it is to write.
        lines = [
            'lock-version = "1.0"',
            'created-by = "dfcache"',
            *([] if self._kept else ["packages = []"]),
        ]
        for name, kept in self._kept.items():
            lines += ["[[packages]]", f'name = "{name}"', f'version = "{kept}"']
        self._write("pylock.toml", lines)
        self._write("uv.toml", configuration(self._told, self._known))
        for pause in self._pauses:
            time.sleep(pause)
            ran = run(
                command,
                environment(job.indexes, self._built, self._folder),
                str(self._folder),
                RESOLVING,
            )
            if ran.code == 2 and too_old(ran.err):
                raise ProgramError(f"the uv that is installed is too old; {HINT}")
            if ran.code == 0 or not is_unreachable(ran.err):
                return ran
            if not self._stepwise and cut_in_wheel(ran.err):
                return ran
            if unreachable(ran.err)[1]:
                break
        message, final = unreachable(self._shown(ran.err))
        raise ResolveError(job.where, message, unreachable=not final)

    def _allow_sources(self, ran: Ran) -> None:
        """Take the source of packages without a wheel. Raises ResolveError where that is not it."""
        found = without_wheels(ran.err)
        allowed = {
            name: None
            for name in found
            if name not in self._sources
            and ":all:" not in self._job.only_binary
            and name not in self._job.only_binary
        }
        unfit = next((self._unfit[name] for name in found if name in self._unfit), None)
        if unfit is not None:
            raise ResolveError(self._job.where, unfit)
        if not allowed:
            # What was said before the source was tried names the wheels that there are.
            before = next((self._lacking[name] for name in found if name in self._lacking), ran.err)
            satisfied = "No solution found" not in before
            message = "uv can't resolve it" if satisfied else "nothing satisfies the requirements"
            raise ResolveError(self._job.where, message, self._shown(before))
        # One after the other: of a package without a wheel uv names what depends on it too, where
        # another version of that has no wheel either.
        name = deepest(allowed, ran.err)
        self._lacking[name] = ran.err
        self._doubted += [name] if len(allowed) > 1 else []
        self._take_source(name)

    def _take_source(self, name: str) -> None:
        self._sources[name] = None
        self._told[name] = None

    def _leave_out(self, files: Sequence[Locked]) -> bool:
        """Try without a source that may not be needed: whether there is one.

        Of a package without a wheel uv names all that depend on it too.
        """
        taken = {file.name for file in files if file.source}
        while self._doubted:
            name = self._doubted.pop()
            if name in taken:
                self._left_out = name
                self._with_it = {file.name: file.version for file in files}
                del self._sources[name]
                if not self._stepwise:
                    del self._told[name]
                    self._known = {key: v for key, v in self._known.items() if key[0] != name}
                return True
        return False

    def _is_worse(self, files: Sequence[Locked]) -> bool:
        """Whether it takes the source that was left out, to get the same versions as with it."""
        name, self._left_out = self._left_out, ""
        if not name or {file.name: file.version for file in files} == self._with_it:
            return False
        self._take_source(name)
        return True

    def _other_kind(self, files: Sequence[Locked]) -> bool:
        """Take sources where only theirs is an allowed hash: whether there are any new ones."""
        job = self._job
        found = [
            file
            for file in files
            if not file.source
            and not _may_be(file, job.hashes.get(file.name, ()))
            and file.name not in self._sources
            and not {file.name, ":all:"} & {*job.only_binary}
        ]
        for file in found:
            self._take_source(file.name)
            self._unfit[file.name] = _unfit(file)
        return bool(found)

    def _endless(self) -> str:
        counts: dict[str, int] = {}
        for name, _ in self._known:
            counts[name] = counts.get(name, 0) + 1
        most = max(counts, key=lambda name: counts[name], default="")
        if not most:
            return "the resolution does not come to an end"
        return (
            f"gave up after {counts[most]} versions of {most}, of which none goes with the other "
            "requirements; say which one is to be taken"
        )

    def _learn(self, files: Sequence[Locked]) -> bool:
        """Obtain what uv has to be told about these; whether it was told anything new."""
        if self._job.no_deps:
            return False
        new = [
            file
            for file in files
            if (file.source or self._stepwise) and (file.name, file.version) not in self._known
        ]
        if not new:
            return False
        changed = False
        for file, metadata in self._obtain(new).items():
            self._known[file.name, file.version] = metadata
            changed = changed or bool(metadata.requires)
            if self._stepwise:
                self._told.update(dict.fromkeys(_names(metadata.requires)))
        return changed

    def _checked(self, files: tuple[Locked, ...]) -> Resolved:
        """Hold the files against the hashes that the requirements allow. Raises ResolveError."""
        for file in files:
            if not _may_be(file, self._job.hashes.get(file.name, ())):
                raise ResolveError(self._job.where, self._unfit.get(file.name) or _unfit(file))
        unsure = tuple(
            f"{file.name} {file.version}"
            for file in files
            if not self._known.get((file.name, file.version), Metadata()).sure
        )
        return Resolved(self._job, files, unsure)

    def _shown(self, text: str) -> str:
        """What uv said, without credentials."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return shown(text)


def _may_be(file: Locked, allowed: Sequence[str]) -> bool:
    """Whether one of the hashes is the file's, as far as the index tells."""
    told = not file.sha256 or any(not each.startswith("sha256:") for each in allowed)
    return told or not allowed or f"sha256:{file.sha256}" in allowed


def _unfit(file: Locked) -> str:
    return (
        f"{file.file} has none of the hashes that the requirements allow: "
        f"the index says sha256 {file.sha256}"
    )


def _names(requirements: Sequence[str]) -> list[str]:
    """The normalised names of requirements."""
    found = (re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", each) for each in requirements)
    return [normalised(match[1]) for match in found if match]
