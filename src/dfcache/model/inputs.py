"""*Runs again on*: all that invalidates a step in BuildKit's layer cache.

What is held to here, measured with BuildKit (tests/builds): a step has the steps before it among
its causes, and no LABEL, CMD, EXPOSE or other metadata. Files count by name, content and mode,
not by time or owner. A RUN depends on every variable in force, ENV or declared ARG; any other
step on those in its text. What is copied or mounted from another stage counts by content: if its
commands run again and make the same files, the step is still cached. ``COPY --link`` does
without the steps before it, but only where the builder can merge layers, which the engine of
Docker before 29 can't.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from dfcache.model.build import Build, CopyStep, RunStep, Step, VariableStep
from dfcache.model.effects import overlap, within
from dfcache.model.globbing import CopySpec, clean, destination, is_glob, placed, roots, sources
from dfcache.model.mounts import StepMount
from dfcache.model.order import step_effects
from dfcache.model.overlay import with_file
from dfcache.model.variables import resolve
from dfcache.parser import pairs
from dfcache.parser.tree import Instruction
from dfcache.record import EMPTY, record, replace

FROM = -1
"""The index of a stage's FROM where steps are counted."""

_NAME = re.compile(r"\$\{?([A-Za-z_]\w*)")
_T = TypeVar("_T")


@record
class Causes:
    """What can change: paths of context files, names of build arguments, base images.

    ``texts`` are the (stage, index) of steps whose text counts; the index of a FROM is ``FROM``.
    """

    files: frozenset[str] = frozenset()
    arguments: frozenset[str] = frozenset()
    bases: frozenset[str] = frozenset()
    texts: frozenset[tuple[int, int]] = frozenset()

    def __or__(self, other: Causes) -> Causes:
        return Causes(
            _union(self.files, other.files),
            _union(self.arguments, other.arguments),
            _union(self.bases, other.bases),
            _union(self.texts, other.texts),
        )


@record
class Inputs:
    """What a step runs again on.

    A change of anything in ``sure`` invalidates it. ``may`` holds what does so only where the
    commands of another stage then write other files, or where the builder can't merge layers.
    ``unknown`` says, in words, what could not be followed: more may count.
    """

    sure: Causes = Causes()
    may: Causes = Causes()
    unknown: frozenset[str] = frozenset()

    def __or__(self, other: Inputs) -> Inputs:
        return Inputs(
            self.sure | other.sure, self.may | other.may, _union(self.unknown, other.unknown)
        )

    def doubted(self) -> Inputs:
        """The same, where nothing of it is sure."""
        return Inputs(Causes(), self.sure | self.may, self.unknown)


@record
class Again:
    """A step that runs again; where not ``sure``, it may be cached nevertheless."""

    step: Step
    sure: bool


NOTHING = Inputs()


def runs_again_on(build: Build, step: Step) -> Inputs:
    """What invalidates ``step``; nothing if it makes no layer, or is a trigger of no stage here."""
    return all_inputs(build).get((step.stage, step.index), NOTHING)


def all_inputs(build: Build) -> Mapping[tuple[int, int], Inputs]:
    """What invalidates each step that makes a layer (RUN, COPY, ADD, WORKDIR)."""
    reader = _Reader(build)
    for stage in range(len(build.stages)):
        reader.read(stage)
    return reader.steps


def changed(
    build: Build,
    path: str | None = None,
    arg: str | None = None,
    base: str | None = None,
    target: int | None = None,
) -> tuple[Again, ...]:
    """The steps that run again when one thing changes, in a build of the stage ``target``.

    ``path`` is a file of the context that is edited, added, deleted or gets another mode. ``arg``
    is a build argument, ``base`` a base image as FROM or ``--from`` names it. The default target
    is the last stage, as BuildKit's.
    """
    if path is not None:
        path = clean(path)
        if not build.context.is_file(path) or path.startswith(".git/"):
            build = replace(build, context=with_file(build.context, path))
    wanted = Causes(_one(path), _one(arg), _one(base))
    needed = stages_of(build, len(build.stages) - 1 if target is None else target)
    inputs = all_inputs(build)
    found = []
    for stage in needed:
        for step in build.stages[stage].steps:
            on = inputs.get((step.stage, step.index), NOTHING)
            if meets(on.sure, wanted):
                found.append(Again(step, True))
            elif meets(on.may, wanted):
                found.append(Again(step, False))
    return tuple(found)


def meets(causes: Causes, changes: Causes) -> bool:
    """Whether any of ``changes`` is among ``causes``."""
    return not (
        causes.files.isdisjoint(changes.files)
        and causes.arguments.isdisjoint(changes.arguments)
        and causes.bases.isdisjoint(changes.bases)
        and causes.texts.isdisjoint(changes.texts)
    )


def stages_of(build: Build, target: int) -> tuple[int, ...]:
    """The stages that a build of ``target`` needs, in the order of the file."""
    needed: set[int] = set()
    waiting = [target] if build.stages else []
    while waiting:
        at = waiting.pop()
        if at in needed:
            continue
        needed.add(at)
        stage = build.stages[at]
        used = [] if stage.parent is None else [stage.parent]
        for step in _run_in(build, at):
            if isinstance(step, CopyStep) and isinstance(step.origin, int):
                used.append(step.origin)
            elif isinstance(step, RunStep):
                named = (_stage_named(build, mount.mount.from_, at) for mount in step.mounts)
                used += [stage for stage in named if stage is not None]
        waiting += [each for each in used if each < at]
    return tuple(sorted(needed))


def _run_in(build: Build, number: int) -> Iterator[Step]:
    """The steps that a stage runs: the triggers of the one it is built from, then its own."""
    stage = build.stages[number]
    if stage.parent is not None:
        yield from (step for step in build.stages[stage.parent].steps if step.triggered)
    yield from (step for step in stage.steps if not step.triggered)


@record
class _Write:
    """What a step puts into the file system of its stage.

    ``files`` maps image paths to context files where they are known; ``paths`` are where it
    writes otherwise. ``inputs`` are what that content depends on. ``fixed`` tells that other
    inputs certainly make another content, ``spares`` that files which are there stay.
    """

    inputs: Inputs
    files: Mapping[str, str] = EMPTY
    paths: frozenset[str] = frozenset()
    fixed: bool = False
    spares: bool = False


class _State:
    """A stage while its steps are read."""

    def __init__(self, chain: Inputs, writes: Iterable[_Write]) -> None:
        self.chain = chain
        self.variables: dict[str, Causes] = {}
        self.env: dict[str, Causes] = {}
        self.user = Causes()
        self.shell = Causes()
        self.workdir = Causes()
        self.writes = list(writes)

    def heir(self) -> _State:
        """The state of a stage that is built from this one: its ENV goes before its ARG."""
        made = _State(self.chain, self.writes)
        made.variables = {**self.variables, **self.env}
        made.env = dict(self.env)
        made.user, made.shell, made.workdir = self.user, self.shell, self.workdir
        return made


class _Reader:
    def __init__(self, build: Build) -> None:
        self.build = build
        self.steps: dict[tuple[int, int], Inputs] = {}
        self.states: list[_State] = []
        self.globals: dict[str, Causes] = {}
        self.froms: list[Instruction] = []
        for instruction in build.dockerfile.instructions:
            if instruction.name == "FROM":
                self.froms.append(instruction)
            elif instruction.name == "ARG" and not self.froms:
                for pair in pairs(instruction):
                    default = pair.value.value if pair.value else ""
                    self.globals[pair.name] = Causes(arguments=frozenset((pair.name,))) | _used(
                        default, self.globals
                    )

    def read(self, number: int) -> None:
        stage = self.build.stages[number]
        if stage.parent is not None:
            state = self.states[stage.parent].heir()
        else:
            state = self.started(number)
        self.states.append(state)
        for step in _run_in(self.build, number):
            self.step(state, step)

    def step(self, state: _State, step: Step) -> None:
        if isinstance(step, RunStep):
            self.run(state, step)
        elif isinstance(step, CopyStep):
            self.copy(state, step)
        elif isinstance(step, VariableStep):
            self.variables(state, step)
        else:
            self.setting(state, step)

    def note(self, step: Step, inputs: Inputs) -> None:
        """Several stages may be built from one with triggers: each runs them."""
        key = step.stage, step.index
        self.steps[key] = self.steps.get(key, NOTHING) | inputs

    def started(self, number: int) -> _State:
        instruction = self.froms[number]
        text = " ".join(word.text for word in instruction.flags)
        text += " " + (instruction.words[0].value if instruction.words else "")
        base = self.build.stages[number].base or text.strip()
        causes = _used(text, self.globals) | Causes(texts=frozenset(((number, FROM),)))
        if base != "scratch":
            causes |= Causes(bases=frozenset((base,)))
        chain = Inputs(causes)
        return _State(chain, () if base == "scratch" else (_Write(chain, paths=_EVERYWHERE),))

    def run(self, state: _State, step: RunStep) -> None:
        own = Inputs(_text(step) | state.user | state.shell | state.workdir)
        own |= Inputs(_all(state.variables.values()))
        for mount in step.mounts:
            own |= self.mount(step, mount)
        state.chain |= own
        self.note(step, state.chain)
        effects = step_effects(self.build, step)
        sure = not effects.unknown and not effects.installs
        paths = effects.writes | effects.makes if sure else _EVERYWHERE
        state.writes.append(_Write(state.chain, paths=paths))

    def mount(self, step: RunStep, mount: StepMount) -> Inputs:
        """What a mount brings into a step: nothing for a cache that starts empty, or a secret."""
        named = mount.mount.from_
        if mount.type != "bind" and not (mount.type == "cache" and named):
            return NOTHING
        source = resolve(mount.mount.source or "", step.scope, self.escape).value
        if source is None:
            return _lacking(step, "what it mounts can't be told")
        if named is None:
            return self.files(step, CopySpec((source,), "/"))
        stage = _stage_named(self.build, named, step.stage)
        if stage is None:
            return Inputs(may=Causes(bases=frozenset((named,))))
        return self.content(stage, (source,))

    def copy(self, state: _State, step: CopyStep) -> None:
        spec = self.spec(step)
        own = Inputs(_text(step) | _used(_words(step.instruction), state.variables))
        if spec is not None and not spec.dest.startswith("/"):
            own |= Inputs(state.workdir)
        if spec is None:
            own |= _lacking(step, "what it copies can't be told")
        elif step.origin is None:
            own |= self.files(step, spec)
        elif isinstance(step.origin, str):
            own |= Inputs(may=Causes(bases=frozenset((step.origin,))))
        elif step.origin < step.stage:
            own |= self.content(step.origin, spec.sources)
        before = state.chain
        link = step.written is not None and step.written.link
        self.note(step, own | (before.doubted() if link else before))
        state.chain = before | own
        state.writes.append(self.written(step, spec, own))

    def written(self, step: CopyStep, spec: CopySpec | None, own: Inputs) -> _Write:
        if spec is None:
            return _Write(own, paths=_EVERYWHERE)
        if step.origin is None and step.plain and self.build.context.known:
            files = placed(self.build.context, spec)
            rest = own.sure.files.difference(files.values())
            return _Write(replace(own, sure=replace(own.sure, files=rest)), files)
        return _Write(own, paths=frozenset((destination(spec),)), fixed=step.plain)

    def spec(self, step: CopyStep) -> CopySpec | None:
        """What a step copies with the defaults of the build arguments; None where unknown."""
        if step.files is not None or step.written is None or step.scope.workdir is None:
            return step.files
        values = [
            resolve(word.value, step.scope, self.escape).value
            for word in (*step.written.sources, step.written.dest)
        ]
        known = tuple(value for value in values if value is not None)
        if len(known) < len(values):
            return None
        return CopySpec(
            known[:-1],
            known[-1],
            step.scope.workdir,
            exclude=step.written.excludes,
            parents=step.written.parents,
        )

    def files(self, step: Step, spec: CopySpec) -> Inputs:
        """The files of the context that a COPY or a mount takes."""
        remote = [each for each in spec.sources if "://" in each or each.startswith("git@")]
        found = _lacking(step, f"whether {remote[0]} changes can't be told") if remote else NOTHING
        if not self.build.context.known:
            return found | Inputs(unknown=frozenset(("the build context is not at hand",)))
        taken: set[str] = set()
        for each in spec.sources:
            taken.update(sources(self.build.context, each, spec.exclude))
            # A link that is named is followed; one inside a folder is copied as a link.
            for root in roots(self.build.context, each):
                real = self.build.context.real(root)
                if real != root:
                    taken.update(sources(self.build.context, real, spec.exclude))
        return found | Inputs(Causes(frozenset(taken)))

    def content(self, stage: int, paths: Iterable[str]) -> Inputs:
        """What the files at ``paths`` depend on, as they are at the end of a stage."""
        wanted = ["/" + clean(path) for path in paths]
        if any(is_glob(path) for path in wanted):
            wanted = [_literal(path) for path in wanted]
        taken: dict[str, tuple[str, Inputs, bool]] = {}
        found = NOTHING
        for write in self.states[stage].writes:
            for image, file in write.files.items():
                if any(within(image, path) for path in wanted):
                    taken[image] = file, write.inputs, True
            if not overlap(write.paths, wanted):
                continue
            whole = write.fixed and all(any(within(p, w) for w in wanted) for p in write.paths)
            found |= write.inputs if whole else write.inputs.doubted()
            if not write.spares:
                for image, (file, inputs, _) in taken.items():
                    if overlap(write.paths, (image,)):
                        taken[image] = file, inputs, False
        if taken and all(path in taken for path in wanted):
            # Each is one file, and the last to write it is known: what was there before is gone.
            found = NOTHING if all(sure for _, _, sure in taken.values()) else found
        return found | _from_files(taken.values())

    def variables(self, state: _State, step: VariableStep) -> None:
        if step.instruction.name == "LABEL":
            return
        env = step.instruction.name == "ENV"
        before = dict(state.variables)
        for pair in step.pairs:
            causes = _text(step)
            if pair.value is not None:
                causes |= _used(pair.value.value, before if env else state.variables)
            if not env:
                causes |= Causes(arguments=frozenset((pair.name,)))
                if pair.value is None:
                    causes |= self.globals.get(pair.name, Causes())
                    causes |= state.env.get(pair.name, Causes())
            state.variables[pair.name] = causes
            if env:
                state.env[pair.name] = causes

    def setting(self, state: _State, step: Step) -> None:
        name = step.instruction.name
        causes = _text(step) | _used(step.instruction.rest.value, state.variables)
        if name == "USER":
            state.user = causes
        elif name == "SHELL":
            state.shell = causes
        elif name == "WORKDIR":
            state.workdir = causes | state.workdir
            made = Inputs(state.workdir | state.user)
            state.chain |= made
            path = step.scope.path(step.instruction.rest.value) or "/"
            state.writes.append(_Write(made, paths=frozenset((path,)), spares=True))
            self.note(step, state.chain)

    @property
    def escape(self) -> str:
        return self.build.dockerfile.escape


_EVERYWHERE = frozenset("/")


def _from_files(taken: Iterable[tuple[str, Inputs, bool]]) -> Inputs:
    sure: set[str] = set()
    may: set[str] = set()
    found = NOTHING
    for file, inputs, certain in taken:
        (sure if certain else may).add(file)
        found |= inputs.doubted()
    return found | Inputs(Causes(frozenset(sure)), Causes(frozenset(may)))


def _literal(path: str) -> str:
    """The folder of a pattern in which everything that it matches lies."""
    parts: list[str] = []
    for part in path.split("/"):
        if is_glob(part):
            break
        parts.append(part)
    return "/".join(parts) or "/"


def _words(instruction: Instruction) -> str:
    """The text of a COPY or ADD in which BuildKit expands variables."""
    flags = [flag.text for flag in instruction.flags if flag.name not in ("from", "exclude")]
    bodies = [heredoc.body for heredoc in instruction.heredocs if heredoc.expand]
    return " ".join((*flags, *(word.value for word in instruction.words), *bodies))


def _used(text: str, variables: Mapping[str, Causes]) -> Causes:
    """What the variables in ``text`` depend on."""
    if "$" not in text:
        return Causes()
    return _all(variables[name] for name in _NAME.findall(text) if name in variables)


def _all(causes: Iterable[Causes]) -> Causes:
    found = Causes()
    for each in causes:
        found |= each
    return found


def _text(step: Step) -> Causes:
    return Causes(texts=frozenset(((step.stage, step.index),)))


def _lacking(step: Step, reason: str) -> Inputs:
    return Inputs(unknown=frozenset((f"line {step.outer.start_line}: {reason}",)))


def _stage_named(build: Build, name: str | None, before: int) -> int | None:
    """The number of the last stage of that name before a stage."""
    if name is None:
        return None
    found = (s.index for s in reversed(build.stages[:before]) if s.name == name.lower())
    return next(found, None)


def _one(value: str | None) -> frozenset[str]:
    return frozenset() if value is None else frozenset((value,))


def _union(one: frozenset[_T], other: frozenset[_T]) -> frozenset[_T]:
    if not other or one is other:
        return one
    return other if not one else one | other
