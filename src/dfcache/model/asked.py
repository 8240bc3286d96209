"""What the installs of Python packages ask for, and of whom: packages, versions, indexes, folders.

It speaks of ``pip install``, ``download`` and ``wheel``, and of ``uv pip install`` and ``sync``.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from dfcache.model.build import Build, RunStep, per_build
from dfcache.model.invocations import Argument
from dfcache.model.origins import Origin, origin_of
from dfcache.model.pipconfig import configuration
from dfcache.model.project_requirements import requirements_of
from dfcache.model.projects import project
from dfcache.model.requirements import Requirement, parse_requirement, read_requirements
from dfcache.model.usedfiles import is_local
from dfcache.model.uses import ToolUse
from dfcache.model.variables import is_loose
from dfcache.record import record, replace
from dfcache.text import Span

_COMMANDS: Mapping[str, set[tuple[str, ...]]] = {
    "pip": {("install",), ("download",), ("wheel",)},
    "uv": {("pip", "install"), ("pip", "sync")},
}
_TRUE = ("1", "true", "yes", "on", "y", "t")
# Options by what they mean, with the variables that mean the same. A variable of pip holds several
# values between blanks, one of uv between commas or blanks.
# source: pip's src/pip/_internal/cli/parser.py; uv's crates/uv-static/src/env_vars.rs
_KINDS = {
    "-i": "index",
    "--index-url": "index",
    "--pypi-url": "index",
    "--default-index": "index",
    "--extra-index-url": "extra",
    "--index": "extra",
    "-f": "links",
    "--find-links": "links",
    "--trusted-host": "trusted",
    "--allow-insecure-host": "trusted",
}
_ENV = {
    "pip": {
        "PIP_INDEX_URL": "index",
        "PIP_EXTRA_INDEX_URL": "extra",
        "PIP_FIND_LINKS": "links",
        "PIP_TRUSTED_HOST": "trusted",
        "PIP_NO_INDEX": "no-index",
        "PIP_PRE": "pre",
        "PIP_CONSTRAINT": "constraint",
    },
    "uv": {
        "UV_INDEX_URL": "index",
        "UV_DEFAULT_INDEX": "index",
        "UV_EXTRA_INDEX_URL": "extra",
        "UV_INDEX": "extra",
        "UV_FIND_LINKS": "links",
        "UV_INSECURE_HOST": "trusted",
        "UV_OFFLINE": "offline",
        "UV_CONSTRAINT": "constraint",
    },
}
_FLAGS = {
    "--no-index": "no-index",
    "--offline": "offline",
    "--pre": "pre",
    "--no-deps": "no-deps",
    "--require-hashes": "require-hashes",
    "-U": "upgrade",
    "--upgrade": "upgrade",
}


@record
class Given:
    """A setting of an install and where it stands.

    ``kind`` is "index", "extra" (one more index), "links" (a folder or page of packages),
    "trusted" (a host), or "constraint". ``where`` is "option", "env", the context path of the file
    that says it, or the line with ``pip config set``. ``argument`` is set for options.
    For a local folder of packages ``path`` is where it is in the image, and ``origin`` where that
    comes from; both are None for addresses, and where it can't be told.
    """

    kind: str
    value: str
    where: str
    argument: Argument | None = None
    path: str | None = None
    origin: Origin | None = None


@record
class Local:
    """A local project that is installed: its path in the image, and where that comes from."""

    path: str
    origin: Origin
    extras: tuple[str, ...]
    editable: bool
    argument: Argument | None


@record
class Asked:
    """What one command asks for.

    ``entries`` are the requirements and constraints of all files, includes followed, and of the
    command line; the latter have the ``file`` "", and the span of their word in the
    Dockerfile. Their markers are not evaluated. ``files`` are the requirements files read, as
    paths of the context, with what they include; ``named`` are those that arguments name.
    ``flags`` are of "no-index", "offline", "pre", "no-deps", "require-hashes", "upgrade".
    ``silent`` tells who says that no index is asked, as in ``Given.where``.
    ``unknown`` says, in sentences, what could not be followed: more may be asked for.
    """

    step: RunStep
    use: ToolUse
    entries: tuple[Requirement, ...]
    files: tuple[str, ...]
    named: tuple[tuple[str, Argument], ...]
    projects: tuple[Local, ...]
    given: tuple[Given, ...]
    flags: frozenset[str]
    unknown: tuple[str, ...]
    silent: tuple[str, ...] = ()

    @property
    def wanted(self) -> tuple[Requirement, ...]:
        """The entries that are no constraints."""
        return tuple(entry for entry in self.entries if not entry.constraint)

    @property
    def constraints(self) -> tuple[Requirement, ...]:
        """The entries that only hold others to a version."""
        return tuple(entry for entry in self.entries if entry.constraint)

    def naming(self, file: str) -> Span:
        """The argument that names ``file``, or the first that names any: it includes it."""
        named = [argument for path, argument in self.named if path == file]
        argument = next(iter(named or [each for _, each in self.named]), None)
        return argument.word.span if argument else self.use.span

    @property
    def links(self) -> tuple[Given, ...]:
        """Folders and pages of packages."""
        return tuple(each for each in self.given if each.kind == "links")

    @property
    def needs_index(self) -> bool:
        """Whether it asks an index."""
        return not self.flags & {"no-index", "offline"}


@per_build
def asked(build: Build, step: RunStep) -> tuple[Asked, ...]:
    """What the commands of ``step`` that install Python packages ask for, in order."""
    uses = (use for use in step.uses if use.spec.words in _COMMANDS.get(use.tool.name, set()))
    return tuple(_Reader(build, step, use).asked() for use in uses)


class _Reader:
    def __init__(self, build: Build, step: RunStep, use: ToolUse) -> None:
        self.build = build
        self.step = step
        self.use = use
        self.entries: list[Requirement] = []
        self.files: dict[str, None] = {}
        self.named: list[tuple[str, Argument]] = []
        self.projects: list[Local] = []
        self.given: list[Given] = []
        self.flags: set[str] = set()
        self.unknown: dict[str, None] = {}
        self.silent: dict[str, None] = {}

    def asked(self) -> Asked:
        self.options()
        self.environment()
        self.configuration()
        for read in self.use.reads:
            argument = read.argument
            text = argument.word.value
            if read.path is None or is_loose(argument.word.raw, self.step.scope):
                self.unknown[f"`{text}` can't be told"] = None
            elif read.kind in ("requirements", "constraints"):
                self.requirements(read.path, argument, read.kind == "constraints")
            elif read.kind == "project":
                self.project(read.path, argument)
            elif read.kind in ("group", "file", "workdir"):
                self.unknown[f"`{text}` can't be followed"] = None
        if self.use.spec.operands == "requirements":
            for operand in self.use.operands:
                self.operand(operand)
        if not self.use.sure:
            self.unknown[f"an argument of `{self.use.title}` can't be told"] = None
        return Asked(
            self.step,
            self.use,
            tuple(self.entries),
            tuple(self.files),
            tuple(self.named),
            tuple(self.projects),
            tuple(self.given),
            frozenset(self.flags),
            tuple(self.unknown),
            tuple(self.silent),
        )

    def flag(self, flag: str, where: str) -> None:
        self.flags.add(flag)
        if flag in ("no-index", "offline"):
            self.silent[where] = None

    def options(self) -> None:
        for option in self.use.options:
            if option.name in _FLAGS:
                self.flag(_FLAGS[option.name], "option")
                continue
            if option.name in ("-e", "--editable") and not is_local(option.value or "."):
                self.editable(option.value or "", option.given or option.argument)
                continue
            kind = _KINDS.get(option.name)
            if kind and option.value is None:
                self.unknown[f"the value of {option.name} can't be told"] = None
            elif kind and option.value is not None:
                self.setting(kind, option.value, "option", option.given or option.argument)

    def environment(self) -> None:
        for name, kind in _ENV[self.use.tool.name].items():
            if name not in self.use.env:
                continue
            value = self.use.env[name]
            if value is None:
                self.unknown[f"the value of {name} can't be told"] = None
            elif kind in ("no-index", "offline", "pre"):
                if value.lower() in _TRUE:
                    self.flag(kind, "env")
            else:
                for each in re.split(r"[\s,]+" if self.use.tool.name == "uv" else r"\s+", value):
                    if each and kind == "constraint":
                        self.requirements(self.image(each), None, constraint=True)
                    elif each:
                        self.setting(kind, each, "env", None)

    def configuration(self) -> None:
        """What pip.conf and ``pip config set`` say of folders of packages."""
        if self.use.tool.name != "pip":
            return
        for setting in configuration(self.build, self.step, self.use):
            if setting.key == "no-index" and setting.value.lower() in _TRUE:
                self.flag("no-index", setting.where)
            elif setting.key == "find-links":
                self.setting("links", setting.value, setting.where, None)

    def setting(
        self, kind: str, value: str, where: str, argument: Argument | None, folder: str = ""
    ) -> None:
        """``folder`` is that of the requirements file that says it: pip looks there first."""
        path = None
        if kind == "links" and ("://" not in value or value.startswith("file:")):
            local = re.sub(r"^file:(//)?", "", value)
            path = self.image(local)
            beside = posixpath.normpath(posixpath.join(folder, local))
            if folder and origin_of(self.build, self.step, beside).path is not None:
                path = beside
        origin = origin_of(self.build, self.step, path) if path is not None else None
        self.given.append(Given(kind, value, where, argument, path, origin))

    def image(self, path: str) -> str | None:
        """A path as the command sees it, absolute; None where its working directory is unknown."""
        if path.startswith("/"):
            return posixpath.normpath(path)
        cwd = self.use.invocation.cwd
        return None if cwd is None else posixpath.normpath(posixpath.join(cwd, path))

    def text(self, path: str) -> str | None:
        """The text of a file of the context by its path in the image."""
        origin = origin_of(self.build, self.step, posixpath.normpath(path))
        if origin.path is None:
            return None
        text = self.build.context.read(origin.path)
        if text is not None:
            self.files[origin.path] = None
        return text

    def requirements(self, path: str | None, argument: Argument | None, constraint: bool) -> None:
        origin = origin_of(self.build, self.step, path) if path is not None else Origin()
        if path is None or origin.path is None or not self.build.context.known:
            self.unknown[f"{path or 'a requirements file'} is not of the build context"] = None
            return
        if argument is not None:
            self.named.append((origin.path, argument))
        known = {name: value for name, value in self.use.env.items() if value is not None}
        got = read_requirements(self.text, path, constraint=constraint, env=known)
        for missing in (*got.missing, *got.remote):
            self.unknown[f"{missing} is not in the build context"] = None
        for file, line, message in got.problems:
            self.unknown[f"{file}:{line}: {message}"] = None
        if posixpath.basename(path) in ("pyproject.toml", "setup.cfg", "setup.py"):
            self.manifest(path, origin.path)
        elif path.endswith((".toml", ".cfg", ".py")):
            self.unknown[f"{posixpath.basename(path)} is not read as requirements"] = None
        for entry in got.entries:
            where = origin_of(self.build, self.step, entry.file).path
            entry = replace(entry, file=where or entry.file)
            if entry.path is not None:
                self.local(entry)
            else:
                self.entries.append(entry)
        self.file_options(got.options, posixpath.dirname(path), origin.path)

    def manifest(self, path: str, where: str) -> None:
        """``uv pip install -r pyproject.toml``: what the project asks for, without the project."""
        found = project(self.build.context, posixpath.dirname(where))
        extras = [o.value for o in self.use.options if o.name == "--extra" and o.value is not None]
        if any(option.name == "--all-extras" for option in self.use.options):
            extras = list(found.extras)
        wanted = requirements_of(found, extras)
        if self.use.tool.name != "uv":
            self.unknown[f"pip can't read {posixpath.basename(path)} as requirements"] = None
        elif isinstance(wanted, str):
            self.unknown[wanted] = None
        else:
            self.entries += wanted

    def file_options(self, options: Mapping[str, tuple[str, ...]], folder: str, where: str) -> None:
        for name, values in options.items():
            if name in _FLAGS:
                self.flag(_FLAGS[name], where)
            for value in values if name in _KINDS else ():
                self.setting(_KINDS[name], value, where, None, folder)

    def local(self, entry: Requirement) -> None:
        """A local project or archive of a requirements file, as seen from where pip runs."""
        path = self.image(entry.path or ".")
        if path is None:
            self.unknown[f"the place of {entry.text} can't be told"] = None
            return
        self.entries.append(entry)
        if not entry.path or not entry.path.endswith((".whl", ".tar.gz", ".zip")):
            origin = origin_of(self.build, self.step, path)
            self.projects.append(Local(path, origin, entry.extras, entry.editable, None))

    def project(self, path: str, argument: Argument) -> None:
        origin = origin_of(self.build, self.step, path)
        extras = re.search(r"\[([^\]]*)\]$", argument.value or "")
        names = tuple(x.strip() for x in extras[1].split(",")) if extras else ()
        editable = any(
            option.name in ("-e", "--editable") and option.given is argument
            for option in self.use.options
        )
        self.projects.append(Local(path, origin, names, editable, argument))

    def editable(self, value: str, argument: Argument) -> None:
        """A repository that is installed from its clone: ``-e git+https://…``."""
        entry = parse_requirement(f"-e {value}")
        if entry is None:
            self.unknown[f"`{value}` is no requirement"] = None
        else:
            self.entries.append(replace(entry, span=argument.word.span))

    def operand(self, operand: Argument) -> None:
        if operand.value is None:
            self.unknown[f"`{operand.word.value}` can't be told"] = None
        elif not is_local(operand.value):
            entry = parse_requirement(operand.value)
            if entry is None:
                self.unknown[f"`{operand.value}` is no requirement"] = None
            else:
                self.entries.append(replace(entry, span=operand.word.span))


def all_asked(build: Build) -> Iterator[Asked]:
    """What every command of a build asks for, in the order of the file."""
    for step in build.runs():
        yield from asked(build, step)
