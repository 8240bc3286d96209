"""What runs again when something changes: the table behind ``dfcache explain``."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence

from dfcache.model.build import Build, CopyStep, RunStep, Step
from dfcache.model.caches import is_kept
from dfcache.model.context import Context
from dfcache.model.credentials import masked
from dfcache.model.globbing import clean, is_glob
from dfcache.model.inputs import NOTHING, Causes, Inputs, all_inputs, meets, stages_of
from dfcache.model.overlay import with_file
from dfcache.model.reads import reads
from dfcache.model.volatile import volatile_arguments
from dfcache.record import record, replace

AGAIN, MAY = "again", "may"
_PROBE = "a file of yours"
_SELDOM = ("base", "argument", "manifest")


@record
class Line:
    """A step of the table.

    ``lost`` are the titles of its commands that download packages which no cache keeps: all of
    them are fetched whenever the step runs. ``kept`` are those whose packages a mount keeps.
    """

    step: Step
    stage: str
    lost: tuple[str, ...]
    kept: tuple[str, ...]

    @property
    def number(self) -> int:
        """The first line of the step in the file."""
        return self.step.outer.start_line

    @property
    def text(self) -> str:
        """The instruction in one line, without passwords."""
        return masked(" ".join(self.step.instruction.original.split()))

    @property
    def brief(self) -> str:
        """The same without its mounts."""
        instruction = self.step.instruction
        flags = [flag.text for flag in instruction.flags if flag.name != "mount"]
        words = (instruction.keyword, *flags, instruction.rest.value)
        return masked(" ".join(" ".join(words).split()))


@record
class Change:
    """Something that can change, and what that does to each step of the table.

    ``kind`` is "folder", "file" (of the source), "manifest", "argument", "volatile" (an argument
    that a CI fills with something new at every build), "base" or "Dockerfile" (an edit
    of it that changes no instruction, such as a comment). ``names`` have the same
    effect. ``marks`` are AGAIN, MAY (see ``Inputs.may``) or "" for each step.
    """

    kind: str
    names: tuple[str, ...]
    marks: tuple[str, ...]

    @property
    def title(self) -> str:
        """How to name it."""
        shown = ", ".join(self.names[:3])
        rest = len(self.names) - 3
        return f"{shown} and {rest} more" if rest > 0 else shown


@record
class Explanation:
    """The table. ``notes`` say what could not be known, and what is left out."""

    steps: tuple[Line, ...]
    changes: tuple[Change, ...]
    notes: tuple[str, ...]

    def downloads(self, change: Change, sure: bool = False) -> tuple[Line, ...]:
        """The steps that a change makes, or may make, download all their packages again."""
        pairs = zip(self.steps, change.marks, strict=True)
        return tuple(
            line for line, mark in pairs if line.lost and (mark == AGAIN if sure else mark)
        )


def explain(
    build: Build,
    dockerfile: str | None = None,
    paths: Sequence[str] = (),
    arguments: Sequence[str] = (),
) -> Explanation:
    """What runs again in ``build``.

    ``dockerfile`` is its path in the context, if it is there. ``paths`` (of the context) and
    ``arguments`` are the changes to show; without either, all kinds that the build knows, each
    for itself (see ``merged``).
    """
    table = _Table(build)
    if paths or arguments:
        changes = [table.path(clean(path), "file") for path in paths]
        changes += [table.argument(name) for name in arguments]
        return Explanation(table.lines, tuple(changes), (*table.notes, *_hidden(build, paths)))
    changes = [*table.sources(dockerfile), *table.arguments(), *table.bases()]
    return Explanation(table.lines, tuple(changes), table.notes)


def merged(*explanations: Explanation) -> tuple[Explanation, ...]:
    """The same tables with the same columns.

    Changes that have one effect become one; those that do nothing in any of them are left out.
    """
    kinds: dict[tuple[str, tuple[str, ...]], str] = {}
    for change in (c for each in explanations for c in each.changes):
        kinds.setdefault(_what_changes(change), change.kind)
    effects: dict[tuple[str, tuple[tuple[str, ...], ...]], tuple[str, ...]] = {}
    for what, kind in kinds.items():
        marks = tuple(_marks(each, what) for each in explanations)
        if any(map(any, marks)):
            effects[kind, marks] = (*effects.get((kind, marks), ()), *what[1])
    return tuple(
        replace(
            each,
            changes=tuple(Change(kind, names, m[at]) for (kind, m), names in effects.items()),
        )
        for at, each in enumerate(explanations)
    )


def _what_changes(change: Change) -> tuple[str, tuple[str, ...]]:
    """The same for a change that two tables name otherwise: what is volatile, or a manifest, in
    one Dockerfile need not be so in another.
    """
    kind = {"volatile": "argument", "argument": "argument", "base": "base"}.get(change.kind, "path")
    return kind, change.names


def _marks(explanation: Explanation, what: tuple[str, tuple[str, ...]]) -> tuple[str, ...]:
    same = (change.marks for change in explanation.changes if _what_changes(change) == what)
    return next(same, ("",) * len(explanation.steps))


def worst(explanation: Explanation) -> str:
    """One sentence on what costs the most, of what changes the most often."""
    often = [c for c in explanation.changes if c.kind not in _SELDOM]
    seldom = [c for c in explanation.changes if c.kind in _SELDOM]
    costly = [change for change in often if explanation.downloads(change)]
    if costly:
        change = max(costly, key=lambda each: _cost(explanation, each))
        return f"{_what(change)} {_consequence(explanation, change)}."
    costly = [change for change in seldom if explanation.downloads(change)]
    start = "" if not often else "No edit of the source downloads packages again"
    if costly:
        change = max(costly, key=lambda each: _cost(explanation, each))
        rest = f"{_what(change)} {_consequence(explanation, change)}."
        return f"{start}, but {rest[0].lower()}{rest[1:]}" if start else rest
    busy = [change for change in (*often, *seldom) if any(change.marks)]
    if not busy:
        return "None of these changes runs a step again."
    change = max(busy, key=lambda each: _cost(explanation, each))
    rest = f"{_what(change)} {_consequence(explanation, change)}."
    if not any(line.kept for line in explanation.steps):
        return rest
    return f"No package is downloaded twice; {rest[0].lower()}{rest[1:]}"


def _cost(explanation: Explanation, change: Change) -> tuple[int, ...]:
    rank = (*_SELDOM, "Dockerfile", "volatile", "file", "folder").index(change.kind)
    downloads = (explanation.downloads(change, sure) for sure in (True, False))
    return (*map(len, downloads), sum(map(bool, change.marks)), rank)


def _what(change: Change) -> str:
    name = change.title
    return {
        "folder": f"An edit of anything in {name}",
        "file": f"An edit of {name}",
        "manifest": f"A change of {name}",
        "argument": f"Another value of {name}",
        "volatile": f"A new value of {name}",
        "base": f"A new base image {name}",
        "Dockerfile": "An edit of the Dockerfile itself, even of a comment,",
    }[change.kind]


def _consequence(explanation: Explanation, change: Change) -> str:
    sure, most = change.marks.count(AGAIN), sum(map(bool, change.marks))
    some = f"{sure} to {most}" if sure < most else f"{most}"
    runs = f"{'runs' if sure else 'may run'} {some if sure else most} of {len(change.marks)} steps"
    lines = explanation.downloads(change, sure=True)
    may = "" if lines else "may "
    lines = lines or explanation.downloads(change)
    if not lines:
        return f"{runs} again"
    named = [f"`{title}` (line {line.number})" for line in lines for title in line.lost]
    more = f" and {len(named) - 2} more"
    said = ", ".join(named[:2]) + more if len(named) > 2 else " and ".join(named)
    one = len(named) == 1
    verb = f"{may}download{'s' if one and not may else ''} all {'its' if one else 'their'}"
    return f"{runs} again, and {said} {verb} packages again"


class _Table:
    def __init__(self, build: Build) -> None:
        self.build = build
        self.inputs = all_inputs(build)
        self.volatile = {found.name for found in volatile_arguments(build)}
        needed = stages_of(build, len(build.stages) - 1)
        steps = [s for n in needed for s in build.stages[n].steps if _counts(s)]
        self.lines = tuple(_line(build, step) for step in steps)
        self.notes = tuple(_notes(build, needed, (self.of(self.inputs, s) for s in steps)))

    @staticmethod
    def of(inputs: Mapping[tuple[int, int], Inputs], step: Step) -> Inputs:
        return inputs.get((step.stage, step.index), NOTHING)

    def change(
        self,
        kind: str,
        name: str,
        causes: Causes,
        inputs: Mapping[tuple[int, int], Inputs] | None = None,
    ) -> Change:
        marks = []
        for line in self.lines:
            on = self.of(self.inputs if inputs is None else inputs, line.step)
            marks.append(AGAIN if meets(on.sure, causes) else MAY if meets(on.may, causes) else "")
        return Change(kind, (name,), tuple(marks))

    def path(self, path: str, kind: str) -> Change:
        """The change of a file or folder, which need not exist."""
        context = self.build.context
        if context.known and (context.is_file(path) or context.is_dir(path)):
            found = frozenset(context.files(path) if context.is_dir(path) else (path,))
            if found and not path.startswith(".git/"):
                shown = f"{path}/" if path and context.is_dir(path) else path or "the context"
                return self.change("folder" if shown != path else kind, shown, Causes(found))
        return self.added(path, kind, path)

    def added(self, path: str, kind: str, name: str) -> Change:
        """The change of a file that the context does not list."""
        more = replace(self.build, context=with_file(self.build.context, path))
        return self.change(kind, name, Causes(frozenset((path,))), all_inputs(more))

    def sources(self, dockerfile: str | None) -> Iterator[Change]:
        """Folders and files of the context, manifests first."""
        manifests = self.manifests()
        for path in manifests:
            yield self.path(path, "manifest")
        if not self.build.context.known:
            yield from self.guessed(manifests)
            return
        context = self.build.context
        own = {*manifests, *([dockerfile] if dockerfile else [])}
        for entry in context.entries():
            if entry == ".git/":
                yield self.added(".git/index", "folder", entry)
            elif entry.endswith("/"):
                files = frozenset(context.files(entry[:-1])) - own
                if files:
                    yield self.change("folder", entry, Causes(files))
            elif entry not in own and not entry.startswith(".dockerignore"):
                yield self.change("file", entry, Causes(frozenset((entry,))))
        if dockerfile and context.is_file(dockerfile):
            yield self.change("Dockerfile", dockerfile, Causes(frozenset((dockerfile,))))

    def guessed(self, manifests: Sequence[str]) -> Iterator[Change]:
        """What the Dockerfile names of a context that is not at hand."""
        named = [*_named_sources(self.build)]
        whole = any(not path for path in named)
        for path in dict.fromkeys(path for path in named if path):
            if path not in manifests and not is_glob(path):
                yield self.added(path, "file", path)
        if whole:
            yield self.added(_PROBE, "file", "any other file")

    def manifests(self) -> tuple[str, ...]:
        """The files of the context that installs read, in order of use."""
        found: dict[str, None] = {}
        for line in self.lines:
            if isinstance(line.step, RunStep):
                found |= dict.fromkeys(reads(self.build, line.step).files.values())
        return tuple(path for path in found if path != "?")

    def arguments(self) -> Iterator[Change]:
        names: dict[str, None] = {}
        for line in self.lines:
            on = self.of(self.inputs, line.step)
            names |= dict.fromkeys(sorted(on.sure.arguments | on.may.arguments))
        for name in names:
            yield self.argument(name)

    def argument(self, name: str) -> Change:
        kind = "volatile" if name in self.volatile else "argument"
        return self.change(kind, name, Causes(arguments=frozenset((name,))))

    def bases(self) -> Iterator[Change]:
        names: dict[str, None] = {}
        for line in self.lines:
            on = self.of(self.inputs, line.step)
            names |= dict.fromkeys(sorted(on.sure.bases | on.may.bases))
        for name in names:
            yield self.change("base", name, Causes(bases=frozenset((name,))))


def _counts(step: Step) -> bool:
    return isinstance(step, RunStep | CopyStep) and not step.triggered


def _line(build: Build, step: Step) -> Line:
    stage = build.stages[step.stage]
    name = stage.name or (f"stage {stage.index}" if len(build.stages) > 1 else "")
    uses = step.uses if isinstance(step, RunStep) else ()
    lost: dict[str, None] = {}
    kept: dict[str, None] = {}
    for use in uses:
        if use.downloads and isinstance(step, RunStep):
            (lost if use.off or not is_kept(step, use) else kept)[use.title] = None
    return Line(step, name, tuple(lost), tuple(title for title in kept if title not in lost))


def _named_sources(build: Build) -> Iterator[str]:
    for stage in build.stages:
        for step in stage.steps:
            if isinstance(step, CopyStep) and step.origin is None and step.files is not None:
                yield from (clean(source) for source in step.files.sources if "://" not in source)
            elif isinstance(step, RunStep):
                for mount in step.mounts:
                    if mount.type == "bind" and mount.mount.from_ is None:
                        yield clean(mount.mount.source or "")


def _notes(build: Build, needed: Sequence[int], inputs: Iterable[Inputs]) -> Iterator[str]:
    told = dict.fromkeys(reason for each in inputs for reason in sorted(each.unknown))
    yield from told
    for stage in build.stages:
        if stage.index not in needed:
            yield f"stage {stage.name or stage.index} is left out: the last stage needs none of it"


def _hidden(build: Build, paths: Iterable[str]) -> Iterator[str]:
    context: Context = build.context
    for path in map(clean, paths):
        if path and context.ignored(path) and not context.is_dir(path):
            yield f"{posixpath.normpath(path)} is hidden by .dockerignore"
