"""Installs of a local project whose dependencies could be installed before its source is copied.

What is the same and what isn't was measured, with pip 26.3 and uv 0.13.9, by installing both ways
and comparing the files; tests/test_early_installs.py does it again:

- ``uv pip install -r pyproject.toml``, then ``uv pip install .``: the same files, and the same
  versions where requirements conflict. uv marks every package as requested. The same with
  ``-r requirements.txt`` where the project takes its dependencies from that file.
- ``pip install --only-deps .``, then ``pip install .``: the same files, from pip 26.2 on. It runs
  the build backend, and only some of them can do without the source.
- ``pip install -r requirements.txt``, then ``pip install .``: pip marks what was asked for by name
  (an empty file REQUESTED), and where requirements conflict it prefers the order of the file to
  that of the names, so that it may choose other versions.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from dfcache.model.asked import Asked, Local, asked
from dfcache.model.build import Build, CopyStep, RunStep, Step, VariableStep, per_build
from dfcache.model.effects import above, commute, run_effects, within
from dfcache.model.late import is_manifest
from dfcache.model.order import brings, configures, passes, step_effects
from dfcache.model.origins import origin_of
from dfcache.model.project_requirements import requirements_of, sources_of
from dfcache.model.projects import Project, project
from dfcache.model.reads import Reads, copies_before, reads
from dfcache.model.shift import Need, needs_before
from dfcache.model.uses import ToolUse
from dfcache.record import record, replace

_AGAIN = frozenset(
    ("--force-reinstall", "--ignore-installed", "-I", "--reinstall", "--reinstall-package")
)
# Backends that tell the dependencies without the source. hatchling and flit look for the package
# first and fail: measured as above.
_WITHOUT_SOURCE = frozenset(("poetry-core", "pdm-backend", "uv_build", "setuptools"))
_ONLY_DEPS = (26, 2)
"""The pip that has ``--only-deps``. source: pip's NEWS.rst"""


@record
class Early:
    """The dependencies of one install in a step of their own.

    ``form`` is "pyproject" (``-r pyproject.toml``), "files" (``-r`` of the requirements files
    that the project takes them from), or "only-deps". ``named`` are the paths in the image of
    what ``-r`` names. They go before ``first``; ``needs`` are what has to be copied for that.
    ``absolute`` tells that the working directory is another one there.
    ``refused`` says why there is no such step, or is "".
    """

    step: RunStep
    use: ToolUse
    local: Local
    form: str = ""
    named: tuple[str, ...] = ()
    first: CopyStep | None = None
    needs: tuple[Need, ...] = ()
    absolute: bool = False
    refused: str = ""


@per_build
def early(build: Build, step: RunStep) -> Early | None:
    """The first install of a local project that gets all its dependencies again on an edit of it.

    None where there is none: also where they are installed by a step before, where there are none,
    and where no more than the manifests are copied.
    """
    for each in asked(build, step):
        if not each.use.downloads or "no-deps" in each.flags:
            continue
        for local in each.projects:
            judge = _Judge(build, each, local)
            if judge.source:
                found = judge.judged()
                if found is not None:
                    return found
    return None


class _RefusedError(Exception):
    pass


class _Judge:
    """One local project of one install."""

    def __init__(self, build: Build, each: Asked, local: Local) -> None:
        self.build = build
        self.each = each
        self.use = each.use
        self.step = each.step
        self.local = local
        self.anywhere = False
        self.source = [copy for copy in copies_before(build, each.step) if self.is_source(copy)]

    def is_source(self, copy: CopyStep) -> bool:
        """Whether a COPY brings more of the project than manifests."""
        assert copy.files is not None
        if not self.build.context.known:
            mine = self.local.origin.copy is copy
            return mine and not all(is_manifest(source) for source in copy.files.sources)
        return any(
            within(path, self.local.path)
            and not is_manifest(file)
            and not file.endswith("__init__.py")
            for path, file in brings(self.build, copy).items()
        )

    def judged(self) -> Early | None:
        found = Early(self.step, self.use, self.local)
        where = self.folder()
        if where is None:
            if self.prepared(None):
                return None
            known = self.build.context.known
            reason = "no manifest of the project is" if known else "the build context is not"
            return replace(found, refused=f"{reason} at hand")
        mine = project(self.build.context, where)
        wanted = requirements_of(mine, self.local.extras)
        names = None if isinstance(wanted, str) else {entry.name for entry in wanted}
        if names == set() or self.prepared(names):
            return None
        try:
            if isinstance(wanted, str):
                raise _RefusedError(wanted)
            self.command()
            self.fit(mine)
            return self.placed(found, mine)
        except _RefusedError as reason:
            return replace(found, refused=str(reason))

    def folder(self) -> str | None:
        """The folder of the context that the project's manifests come from."""
        for name in ("pyproject.toml", "setup.py", "setup.cfg") if self.build.context.known else ():
            path = origin_of(self.build, self.step, posixpath.join(self.local.path, name)).path
            same = path is not None and posixpath.basename(path) == name
            if path is not None and same and self.build.context.is_file(path):
                return posixpath.dirname(path)
        return None

    def prepared(self, names: set[str] | None) -> bool:
        """Whether steps before it install what the project needs; ``names`` None: not known."""
        covered: set[str] = set()
        for before in self.steps_before():
            if any(use.downloads and use.own_code for use in before.uses):
                return True  # uv sync, poetry install
            for other in asked(self.build, before):
                if other.use.spec.words[-1] not in ("install", "sync"):
                    continue
                if any(one.path == self.local.path for one in other.projects):
                    return True
                covered |= {entry.name for entry in other.wanted}
                files = any(read.kind == "requirements" for read in other.use.reads)
                if files and (names is None or other.unknown):
                    return True  # it may well be them
        return names is not None and names <= covered

    def steps_before(self) -> Iterator[RunStep]:
        for number in self.build.lineage(self.step.stage):
            for other in self.build.stages[number].steps:
                if number == self.step.stage and other.index >= self.step.index:
                    return
                if isinstance(other, RunStep):
                    yield other

    def command(self) -> None:
        """Refuse a command that can't be run a second time with other arguments."""
        use, each = self.use, self.each
        options = {option.name for option in use.options}
        if use.spec.words[-1] != "install":
            raise _RefusedError(f"`{use.title}` gets them again for the project")
        if len(each.projects) > 1:
            raise _RefusedError("several projects are installed at once")
        if use.elsewhere:
            raise _RefusedError("it installs into a folder of its own, and all of them each time")
        if options & _AGAIN:
            raise _RefusedError(f"{min(options & _AGAIN)} installs all of them again")
        if "--upgrade-strategy" in options:
            raise _RefusedError("--upgrade-strategy decides what the project changes of them")
        unknown = next((reason for reason in each.unknown if not _is_index(reason)), None)
        if unknown is not None:
            raise _RefusedError(unknown)
        self.text()

    def text(self) -> None:
        """Refuse a command whose text can't be taken over."""
        command, script = self.use.invocation.command, self.step.script
        apart = self.step.instruction.form == "exec" or self.step.instruction.heredocs
        if command.context or not command.rewritable or apart or script.opaque:
            raise _RefusedError("the command doesn't stand by itself in a plain RUN")
        if command.after is not None and command.after.operator not in ("&&", ";", "\n"):
            raise _RefusedError(f"the command is followed by {command.after.operator}")
        by_name = [
            other.use.invocation.command
            for other in asked(self.build, self.step)
            if not other.projects and not other.named and not other.unknown
        ]
        for made in self.step.invocations:
            if made.command is command:
                return
            simple = made.program in ("set", "cd", "export") and not made.command.context
            if not simple and made.command not in by_name:
                name = made.program or made.path
                raise _RefusedError(f"the step runs `{name}` first: give that a RUN of its own")

    def fit(self, mine: Project) -> None:
        """Refuse a project whose requirements are more than names of packages."""
        if mine.path_dependencies:
            raise _RefusedError(f"the project depends on {mine.path_dependencies[0]}")
        if mine.workspace:
            raise _RefusedError("the project is a workspace of several")

    def placed(self, found: Early, mine: Project) -> Early:
        """How the dependencies can be installed, and before which COPY."""
        form, files = self.form(mine)
        first = self.source[0]
        if first.stage != self.step.stage:
            raise _RefusedError("another stage copies the source")
        read = reads(self.build, self.step)
        links = next((path for path in read.folders if path != self.local.path), None)
        if links is not None:
            raise _RefusedError(f"it reads {links} as well")
        wanted = dict(read.files)
        named = tuple(self.image(mine, path) for path in files)
        wanted |= zip(named, files, strict=True)
        settings = self.settings() if self.use.tool.name == "uv" else {}
        self.brought(wanted | settings)
        self.anywhere = form != "only-deps" and not settings and self.is_placeless()
        needs = self.between(first, wanted | settings)
        return replace(
            found,
            form=form,
            named=() if form == "only-deps" else named,
            first=first,
            needs=needs,
            absolute=first.scope.workdir != self.step.scope.workdir,
        )

    def is_placeless(self) -> bool:
        """Whether the install does the same from any working directory, given absolute paths."""
        made = self.use.invocation
        alone = all(each is made for each in self.step.invocations[:1])
        finds_venv = self.use.tool.name == "uv" and not any(
            option.name == "--system" for option in self.use.options
        )
        relative = "/" in made.path and not made.path.startswith("/")
        return alone and not self.each.named and not finds_venv and not relative

    def form(self, mine: Project) -> tuple[str, tuple[str, ...]]:
        """The form of the install, and the files of the context that it needs."""
        sources = sources_of(mine, self.local.extras)
        if self.use.tool.name == "uv":
            if mine.standard:
                self.known_extras(mine)
                return "pyproject", (mine.manifests[0],)
            if sources:
                return "files", sources
            raise _RefusedError(
                f"only a build tells the dependencies in {mine.manifests[0]}, for all uv knows"
            )
        reason = self.without_source(mine)
        if not reason:
            return "only-deps", mine.manifests
        if sources:
            return "files", sources
        raise _RefusedError(reason)

    def known_extras(self, mine: Project) -> None:
        """uv stops at an extra that isn't there, where ``.[extra]`` goes on."""
        for extra in self.local.extras:
            if extra not in mine.extras:
                raise _RefusedError(f"the project has no extra {extra}")

    def without_source(self, mine: Project) -> str:
        """Why ``pip install --only-deps`` can't be used on the manifests alone."""
        if mine.backend not in _WITHOUT_SOURCE:
            return f"{mine.backend} tells the dependencies of a project only with its source"
        if mine.uses_git:
            return "the version of the project comes from the repository"
        if mine.unsure or mine.missing:
            return mine.unsure[0] if mine.unsure else f"{mine.missing[0]} is not there"
        code = next((path for path in mine.manifests if path.endswith(".py")), None)
        if code is not None:
            return f"{mine.backend} runs or reads {code}, which may need the source"
        if self.has_layout(mine):
            return f"{mine.backend} looks for the packages that {mine.manifests[0]} names"
        if not self.has_only_deps():
            return "only pip 26.2 or newer has --only-deps, and which one runs here can't be told"
        return ""

    def has_layout(self, mine: Project) -> bool:
        """Whether the manifests say where the source is: then the backend looks for it."""
        text = self.build.context.read(mine.manifests[0]) or ""
        words = ("packages", "package-dir", "py-modules", "include", "[tool.uv.build", "[tool.pdm")
        signs = ("[tool.setuptools", "[tool.poetry", "[tool.pdm", "[tool.uv")
        cfg = any(path.endswith("setup.cfg") for path in mine.manifests)
        return cfg or (any(sign in text for sign in signs) and any(w in text for w in words))

    def has_only_deps(self) -> bool:
        """Whether the last step that installs pip itself makes it new enough."""
        versions: list[tuple[int, ...]] = []
        for before in (*self.steps_before(), self.step):
            for other in asked(self.build, before):
                same = other.use.invocation.path == self.use.invocation.path
                late = before is self.step and (
                    other.use.span.start > self.use.span.start or other is self.each
                )
                for entry in other.wanted if same and not late else ():
                    if entry.name == "pip":
                        versions.append(_lowest(entry.specifier))
        return bool(versions) and versions[-1] >= _ONLY_DEPS

    def settings(self) -> dict[str, str]:
        """The settings that uv reads where it runs: image paths to paths of the context."""
        cwd = self.use.invocation.cwd
        if cwd is None:
            raise _RefusedError("the working directory can't be told")
        found: dict[str, str] = {}
        for folder in (cwd, *above(cwd)):
            for name in ("uv.toml", "pyproject.toml"):
                path = posixpath.join(folder, name)
                where = origin_of(self.build, self.step, path).path
                text = self.build.context.read(where) if where is not None else None
                if where is None or text is None:
                    continue
                if folder != cwd:
                    raise _RefusedError(f"uv reads {path} too")
                if name == "uv.toml" or "tool.uv" in text:
                    found[path] = where
        return found

    def image(self, mine: Project, path: str) -> str:
        """The place in the image of a file of the context that belongs to the project."""
        start = mine.folder or "."
        return posixpath.normpath(posixpath.join(self.local.path, posixpath.relpath(path, start)))

    def brought(self, wanted: dict[str, str]) -> None:
        for path, where in wanted.items():
            copies = copies_before(self.build, self.step)
            if not any(brings(self.build, copy).get(path) == where for copy in copies):
                raise _RefusedError(f"{where} is not copied to {path}")

    def between(self, first: CopyStep, wanted: dict[str, str]) -> tuple[Need, ...]:
        """What must be copied before ``first``; refuses where steps behind it are in the way."""
        command = self.use.invocation.command
        made = [m for m in self.step.invocations if m.command.span.start <= command.span.start]
        effects = run_effects(made, self.step.uses)
        own = {self.local.path}
        apart = {folder for path in (*own, *wanted) for folder in (path, *above(path))}
        effects = replace(
            effects,
            reads=effects.reads - own - wanted.keys(),
            writes=effects.writes - own,
            needs=effects.needs - apart,
        )
        moving: list[Step] = []
        for step in self.build.stages[first.stage].steps[first.index : self.step.index]:
            if isinstance(step, RunStep) or (isinstance(step, CopyStep) and step.origin is None):
                if isinstance(step, CopyStep) and configures(self.build, step):
                    raise _RefusedError(f"line {step.outer.start_line} configures installs")
                moving.append(step)
            else:
                self.other(step)
                if not commute(effects, step_effects(self.build, step)):
                    raise _RefusedError(f"line {step.outer.start_line} may be needed for it")
        there = self.there(first)
        new = {path: where for path, where in wanted.items() if there.get(path) != where}
        found = needs_before(self.build, moving, self.step, Reads(files=new), effects)
        if isinstance(found, str):
            raise _RefusedError(found)
        return found

    def there(self, first: CopyStep) -> dict[str, str]:
        """What the COPYs in front of ``first`` bring: image paths to paths of the context."""
        found: dict[str, str] = {}
        for copy in copies_before(self.build, self.step):
            if copy is first:
                break
            found |= brings(self.build, copy)
        return found

    def other(self, step: Step) -> None:
        if isinstance(step, CopyStep):
            return
        if isinstance(step, VariableStep) and step.instruction.name != "LABEL":
            name = next((pair.name for pair in step.pairs), "a variable")
            line = step.outer.start_line
            raise _RefusedError(f"line {line} sets {name}, which what is built may read")
        if step.instruction.name == "WORKDIR" and self.anywhere:
            return
        reason = passes(self.build, step, [self.step])
        if reason:
            raise _RefusedError(reason)


def _is_index(reason: str) -> bool:
    """Whether what can't be told is the index alone, which is the same for both installs."""
    return reason.startswith("the value of ") and "index" in reason.lower()


def _lowest(specifier: str) -> tuple[int, ...]:
    """The lowest version that a specifier lets through, as far as that is plain."""
    for clause in specifier.split(","):
        text = clause.strip()
        if text.startswith(("==", ">=", "~=")):
            parts = text[2:].strip().split(".")
            if all(part.isdigit() for part in parts):
                return tuple(int(part) for part in parts)
    return ()
