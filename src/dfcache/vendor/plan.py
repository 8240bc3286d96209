"""What a build installs with pip and ``uv pip``, as jobs for the resolver."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from dfcache.model.asked import Asked, Local, all_asked
from dfcache.model.build import Build, RunStep
from dfcache.model.projects import Project, project
from dfcache.model.requirements import Requirement, normalised, parse_requirement
from dfcache.model.target import Target, target_of
from dfcache.record import record, replace
from dfcache.vendor.jobs import Indexes, Job, bare
from dfcache.vendor.metadata import build_needs, read_metadata

# Installs from lock files, which no folder of packages takes the place of.
_OTHER: Mapping[tuple[str, tuple[str, ...]], str] = {
    ("uv", ("sync",)): "uv sync",
    ("poetry", ("install",)): "poetry install",
    ("pipenv", ("install",)): "pipenv install",
    ("pipenv", ("sync",)): "pipenv sync",
    ("pdm", ("install",)): "pdm install",
    ("pdm", ("sync",)): "pdm sync",
}
# What hatchling asks for besides when it makes an editable wheel.
# source: hatch's backend/src/hatchling/builders/constants.py, EDITABLES_REQUIREMENT
_EDITABLE = "editables~=0.3"
_NOT = "what it asks for is not fetched"
_VCS = ("git+", "hg+", "svn+", "bzr+")


@record
class Checkout:
    """A requirement from version control: built as a wheel before ``step``, in its stage.

    ``name`` is "" where the requirement does not tell it. ``extras`` are as in a requirement:
    "[fast]", or "". ``shown`` is what to call it.
    """

    where: str
    requirement: str
    name: str
    extras: str
    shown: str
    step: RunStep
    target: Target
    indexes: Indexes

    @property
    def line(self) -> str:
        """What a manifest says of it: its name, extras and address, without credentials."""
        _, at, url = self.requirement.partition(" @ ")
        address = bare(url.strip() if at else self.requirement)
        return f"{self.name}{self.extras} @ {address}" if self.name else address


@record
class Plan:
    """The jobs of a build, and what stands against it.

    ``steps`` are the RUNs that the jobs come from, by the job's ``where``. ``notes`` are lines for
    the user: what is not vendored, and why. ``unread`` are those of them that mean that packages
    may be missing.
    """

    jobs: tuple[Job, ...]
    steps: Mapping[str, RunStep]
    checkouts: tuple[Checkout, ...]
    notes: tuple[str, ...]
    unread: tuple[str, ...]


def stages_with_installs(build: Build) -> tuple[int, ...]:
    """The stages that install Python packages."""
    return tuple(dict.fromkeys(each.step.stage for each in all_asked(build)))


def targets(build: Build) -> dict[int, Target]:
    """For each stage that installs Python packages, what they have to fit, as far as is known."""
    return {stage: target_of(build, stage) for stage in stages_with_installs(build)}


def plan(
    build: Build,
    name: str,
    wanted: Mapping[int, Sequence[Target]],
    root: Path,
    folder: str,
    default: Indexes,
) -> Plan:
    """The jobs of ``build``, whose Dockerfile is called ``name`` in messages.

    ``wanted`` are the targets of each stage, ``root`` is the folder of the context, ``folder`` the
    packages' folder in it. ``default`` is for what the build leaves open.
    """
    planner = _Planner(build, name, root, folder, default)
    for each in all_asked(build):
        for target in wanted[each.step.stage]:
            planner.command(each, target)
    planner.others()
    return planner.plan()


class _Planner:
    def __init__(self, build: Build, name: str, root: Path, folder: str, default: Indexes) -> None:
        self._build = build
        self._name = name
        self._root = root
        self._folder = folder
        self._default = default
        self._jobs: dict[tuple[object, ...], Job] = {}
        self._steps: dict[str, RunStep] = {}
        self._checkouts: dict[tuple[str, Target], Checkout] = {}
        self._notes: dict[str, None] = {}
        self._unread: dict[str, None] = {}

    def plan(self) -> Plan:
        return Plan(
            tuple(self._jobs.values()),
            self._steps,
            tuple(self._checkouts.values()),
            tuple(self._notes),
            tuple(self._unread),
        )

    def place(self, step: RunStep) -> str:
        """``Dockerfile:5``."""
        source = self._build.dockerfile.source
        return f"{self._name}:{source.count(chr(10), 0, step.outer.span.start) + 1}"

    def command(self, asked: Asked, target: Target) -> None:
        where = self.place(asked.step)
        self._steps[where] = asked.step
        for reason in asked.unknown:
            if reason.endswith("is not read as requirements"):
                continue
            self._unread[f"{self.told(reason, asked.step, where)}; {_NOT}"] = None
        given = _options(asked)
        job = Job(
            where,
            target,
            (),
            tuple(entry.text for entry in asked.constraints if entry.path is None),
            self.indexes(asked),
            _hashes(asked.entries),
            "no-deps" in asked.flags,
            "pre" in asked.flags,
            given("--no-binary"),
            given("--only-binary"),
        )
        lines: dict[str, str] = {}
        for entry in asked.wanted:
            for line in self.requirement(entry, asked, target, where):
                lines.setdefault(line, _at(entry, where))
        for local in asked.projects:
            for line in self.project(local, job, asked):
                lines.setdefault(line, where)
        for path, _ in asked.named:
            for line in self.manifest(path, asked, where):
                lines.setdefault(line, path)
        self.add(replace(job, requirements=tuple(lines), origins=lines))

    def told(self, reason: str, step: RunStep, where: str) -> str:
        """A reason with its place: the line of a requirements file where it begins with one."""
        from dfcache.model.origins import origin_of

        path, colon, rest = reason.partition(":")
        own = origin_of(self._build, step, path).path if colon and path[:1] == "/" else None
        return f"{where}: {reason}" if own is None else f"{own}:{rest}"

    def add(self, job: Job) -> None:
        """Keep a job once: the second try of a hybrid install asks for the same."""
        if job.requirements:
            key = tuple(getattr(job, name) for name in ("target", "requirements", "constraints"))
            known = self._jobs.get(key)
            if known is None or not known.indexes.addresses:
                self._jobs[key] = job

    def requirement(
        self, entry: Requirement, asked: Asked, target: Target, where: str
    ) -> Iterator[str]:
        """What to resolve for one requirement."""
        if entry.path is not None:
            yield from self.archive(entry, asked, where)
            return
        if entry.url is None:
            yield entry.text
            return
        what = entry.name or bare(entry.url)
        if entry.url.lower().startswith(_VCS):
            text = entry.text.removeprefix("-e ")
            extras = f"[{','.join(entry.extras)}]" if entry.extras else ""
            checkout = Checkout(
                where, text, entry.name, extras, what, asked.step, target, self.indexes(asked)
            )
            self._checkouts[text, target] = checkout
            self._notes[_asked_anyway(_at(entry, where), what, "version control")] = None
            return
        self._notes[_asked_anyway(_at(entry, where), what, "an address")] = None
        yield entry.text if " @ " in entry.text else entry.url

    def archive(self, entry: Requirement, asked: Asked, where: str) -> Iterator[str]:
        """The dependencies of a wheel that the context holds itself."""
        path = next((o for o in self.context_paths(entry, asked) if o), None)
        if path is None or not path.endswith(".whl"):
            return
        if "no-deps" in asked.flags:
            return
        try:
            metadata = read_metadata(self._root / path)
        except OSError as error:
            self._unread[f"{where}: {path}: {error}"] = None
            return
        yield from _chosen(metadata.requires, entry.extras)

    def context_paths(self, entry: Requirement, asked: Asked) -> Iterator[str | None]:
        from dfcache.model.origins import origin_of

        cwd = asked.use.invocation.cwd
        path = entry.path or ""
        if not path.startswith("/"):
            path = posixpath.join(cwd, path) if cwd is not None else ""
        if path:
            yield origin_of(self._build, asked.step, posixpath.normpath(path)).path

    def project(self, local: Local, job: Job, asked: Asked) -> Iterator[str]:
        """The dependencies of a local project; what its build needs is a job of its own."""
        where, folder = job.where, self.project_folder(local, asked.step)
        if folder is None or not self._build.context.is_dir(folder):
            self._unread[f"{where}: {local.path} is not of the build context; {_NOT}"] = None
            return
        found = project(self._build.context, folder)
        shown = f"./{folder}" if folder else "the project"
        if not any(option.name == "--no-build-isolation" for option in asked.use.options):
            text = self._build.context.read(posixpath.join(folder, "pyproject.toml")) or ""
            needs = build_needs(text)
            if local.editable and found.backend == "hatchling":
                needs = (*needs, _EDITABLE)
            self.add(Job(f"{where} (the build of {shown})", job.target, needs, (), job.indexes))
        if job.no_deps:
            return
        if found.dependencies is None:
            self._unread[f"{where}: only a build tells what {shown} depends on; {_NOT}"] = None
        yield from _dependencies(found, local.extras)

    def project_folder(self, local: Local, step: RunStep) -> str | None:
        """The folder of the context that a project is from, if only its manifest was copied."""
        from dfcache.model.origins import origin_of

        if local.origin.path is not None:
            return local.origin.path
        path = posixpath.join(local.path, "pyproject.toml")
        found = origin_of(self._build, step, path).path if path.startswith("/") else None
        if found is None or posixpath.basename(found) != "pyproject.toml":
            return None
        return posixpath.dirname(found)

    def manifest(self, path: str, asked: Asked, where: str) -> Iterator[str]:
        """The dependencies of a manifest that ``uv pip install -r`` reads."""
        folder, file = posixpath.split(path)
        if file not in ("pyproject.toml", "setup.cfg", "setup.py"):
            return
        found = project(self._build.context, folder)
        if found.dependencies is None:
            self._unread[f"{where}: {path} doesn't say what it depends on; {_NOT}"] = None
        options = asked.use.options
        extras = [option.value for option in options if option.name == "--extra" and option.value]
        every = any(option.name == "--all-extras" for option in options)
        yield from _dependencies(found, tuple(found.extras) if every else extras)

    def indexes(self, asked: Asked) -> Indexes:
        """Where a command asks: what it says itself, else the default."""
        by_kind: dict[str, list[str]] = {"index": [], "extra": [], "links": [], "trusted": []}
        for each in asked.given:
            if each.kind == "links" and each.path is not None:
                path = each.origin.path if each.origin else None
                if path is not None and posixpath.normpath(path) != self._folder:
                    by_kind["links"].append(str(self._root / path))
            elif each.kind in by_kind:
                by_kind[each.kind].append(each.value)
        index = by_kind["index"][0] if by_kind["index"] else self._default.index
        return Indexes(
            index,
            (*by_kind["extra"], *self._default.extra),
            (*by_kind["links"], *self._default.links),
            (*by_kind["trusted"], *self._default.trusted),
            asked.use.tool.name == "pip",
        )

    def others(self) -> None:
        """Name the installs that take their packages from a lock file."""
        for step in self._build.runs():
            for use in step.uses:
                title = _OTHER.get((use.tool.name, use.spec.words))
                if title is not None:
                    self._notes[
                        f"{self.place(step)}: {title} can't install from a folder of packages; "
                        "only pip install and uv pip install are vendored"
                    ] = None


def _options(asked: Asked) -> Callable[[str], tuple[str, ...]]:
    def given(name: str) -> tuple[str, ...]:
        values = [option.value or "" for option in asked.use.options if option.name == name]
        values += [each.value for each in asked.given if f"--{each.kind}" == name]
        if asked.use.tool.name == "pip":
            said = asked.use.env.get("PIP_" + name.removeprefix("--").replace("-", "_").upper())
            values[:0] = [said.replace(" ", ",")] if said else []
        names = [each.strip() for value in values for each in value.split(",") if each.strip()]
        if ":none:" in names:
            names = names[len(names) - names[::-1].index(":none:") :]
        return tuple(dict.fromkeys(each if each == ":all:" else normalised(each) for each in names))

    return given


def _dependencies(found: Project, extras: Sequence[str]) -> Iterator[str]:
    """What a project asks for with these extras, which may name others of its own."""
    own: dict[str, tuple[str, ...]] = {normalised(k): v for k, v in found.extras.items()}
    yield from found.dependencies or ()
    waiting, done = [normalised(extra) for extra in extras], set[str]()
    while waiting:
        extra = waiting.pop(0)
        if extra in done:
            continue
        done.add(extra)
        for line in own.get(extra, ()):
            needed = parse_requirement(line)
            if needed is not None and found.name and needed.name == normalised(found.name):
                waiting += [normalised(each) for each in needed.extras]
            else:
                yield line


def _hashes(entries: Iterable[Requirement]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        if entry.name and entry.hashes:
            found[entry.name] = (*found.get(entry.name, ()), *entry.hashes)
    return found


def _chosen(requires: Iterable[str], extras: Sequence[str]) -> Iterator[str]:
    """The dependencies of a package with these extras."""
    for line in requires:
        needed, _, marker = line.partition(";")
        wanted = re.search(r"""extra\s*==\s*["']([^"']+)["']""", marker)
        if wanted is None:
            yield line
        elif normalised(wanted[1]) in {normalised(extra) for extra in extras}:
            rest = re.sub(r"""(\s*and\s*)?\(?\s*extra\s*==\s*["'][^"']+["']\s*\)?""", "", marker)
            yield f"{needed}; {rest}" if rest.strip() else needed


def _asked_anyway(place: str, what: str, source: str) -> str:
    return (
        f"{place}: {what} comes from {source}, which pip asks even where the folder holds it; "
        "to install it from there, write its name and version instead"
    )


def _at(entry: Requirement, where: str) -> str:
    return f"{entry.file}:{entry.line}" if entry.file else where
