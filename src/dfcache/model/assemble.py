"""From the tree of a Dockerfile to a build."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dfcache.knowledge import find_image
from dfcache.knowledge.records import BaseImage, Knowledge, Tool
from dfcache.model.accounts import created_group, created_user
from dfcache.model.build import Build, CopyStep, RunStep, Stage, Step, VariableStep
from dfcache.model.context import Context
from dfcache.model.globbing import CopySpec
from dfcache.model.invocations import Argument, Invocation, invocations
from dfcache.model.mounts import step_mounts
from dfcache.model.scope import ROOT, Scope, User, Variable
from dfcache.model.usedcaches import Switch
from dfcache.model.uses import is_program, tool_uses
from dfcache.model.variables import is_loose, resolve
from dfcache.model.wishes import Wishes
from dfcache.parser import copy_spec, pairs
from dfcache.parser.scripts import script
from dfcache.parser.tree import Dockerfile, Instruction
from dfcache.record import replace

_SH = ("/bin/sh", "-c")
_CMD = ("cmd", "/S", "/C")
_NOBODY = User("nobody", 65534, 65534, "/nonexistent")
# Programs that only root can use, so that a step that runs one tells who it runs as.
_NEEDS_ROOT = frozenset(
    "apt-get apt apk yum dnf microdnf zypper pacman useradd adduser groupadd addgroup dpkg"
    " locale-gen update-ca-certificates chown ldconfig update-alternatives".split()
)
_REFERENCE = re.compile(r"(?P<name>[^@]*?)(:(?P<tag>[^:/@]*))?(@.*)?$", re.DOTALL)


def build(
    dockerfile: Dockerfile, context: Context, knowledge: Knowledge, wishes: Wishes | None = None
) -> Build:
    """What ``dockerfile`` builds from ``context``."""
    stages = tuple(_Assembly(dockerfile, knowledge.tools).stages())
    return Build(dockerfile, stages, context, {}, wishes or Wishes())


class _Draft:
    """A stage while its instructions are read."""

    def __init__(
        self,
        index: int,
        name: str | None,
        base: str | None,
        image: BaseImage | None,
        parent: int | None,
        scope: Scope,
    ) -> None:
        self.index = index
        self.name = name
        self.base = base
        self.image = image
        self.parent = parent
        self.scope = scope
        self.groups: dict[str, int] = {}
        self.steps: list[Step] = []
        self.triggers: list[tuple[int, Instruction]] = []
        self.configured: dict[str, Switch] = {}

    def done(self) -> Stage:
        return Stage(
            self.index, self.name, self.base, self.image, self.parent, tuple(self.steps), self.scope
        )


class _Assembly:
    def __init__(self, dockerfile: Dockerfile, tools: tuple[Tool, ...]) -> None:
        self.dockerfile = dockerfile
        self.escape = dockerfile.escape
        self.tools = tools
        self.globals: dict[str, Variable] = {}
        self.drafts: list[_Draft] = []

    def stages(self) -> Iterator[Stage]:
        draft: _Draft | None = None
        for group in self.grouped():
            draft = self.start(group[0])
            self.drafts.append(draft)
            if draft.scope.user != ROOT or draft.scope.libc is None:
                self.settle(draft, group[1:])
            for instruction in group[1:]:
                self.add(draft, instruction)
            self.fire(draft)
        return iter([draft.done() for draft in self.drafts])

    def grouped(self) -> Iterator[list[Instruction]]:
        """The instructions of each stage, FROM first; global ARGs are taken in on the way."""
        group: list[Instruction] = []
        for instruction in self.dockerfile.instructions:
            if instruction.name == "FROM":
                if group:
                    yield group
                group = [instruction]
            elif group:
                group.append(instruction)
            elif instruction.name == "ARG":
                self.add_globals(instruction)
        if group:
            yield group

    def add_globals(self, instruction: Instruction) -> None:
        for pair in pairs(instruction):
            scope = Scope(self.globals, "/", ROOT, {}, _SH, None)
            got = (
                None if pair.value is None else resolve(pair.value.value, scope, self.escape).value
            )
            self.globals[pair.name] = Variable(got, False, False, pair.span)

    def start(self, instruction: Instruction) -> _Draft:
        words = [word.value for word in instruction.words]
        name = words[2].lower() if len(words) == 3 else None
        scope = Scope(self.globals, "/", ROOT, {}, _SH, None)
        base = resolve(words[0], scope, self.escape).value if words else None
        parent = next(
            (d for d in reversed(self.drafts) if base is not None and d.name == base), None
        )
        index = len(self.drafts)
        if parent is not None:
            draft = _Draft(index, name, base, parent.image, parent.index, parent.scope)
            draft.groups = dict(parent.groups)
            draft.configured = dict(parent.configured)
            return draft
        match = _REFERENCE.match(base) if base else None
        image = find_image(match["name"], match["tag"] or "") if match else None
        return _Draft(index, name, base, image, None, _base_scope(image, base, self.escape))

    def settle(self, draft: _Draft, instructions: Iterable[Instruction]) -> None:
        """What the first steps tell of an image: only root runs some programs; apk is of Alpine."""
        first_user = False
        for instruction in instructions:
            first_user = first_user or instruction.name == "USER"
            if instruction.name != "RUN" or (first_user and draft.scope.libc is not None):
                continue
            read = script(instruction, draft.scope.shell, self.dockerfile.source)
            for made in invocations(read, draft.scope):
                if made.program == "apk" and draft.scope.libc is None:
                    draft.scope = replace(draft.scope, libc="musl")
                if made.program in _NEEDS_ROOT and not first_user and made.user is None:
                    draft.scope = replace(draft.scope, user=ROOT)

    def add(self, draft: _Draft, instruction: Instruction) -> None:
        if instruction.name == "ONBUILD" and instruction.child is not None:
            draft.triggers.append((len(draft.steps), instruction))
            draft.steps.append(
                Step(instruction, instruction, draft.index, len(draft.steps), draft.scope)
            )
            return
        step = self.step(draft, instruction, instruction, len(draft.steps))
        draft.steps.append(step)
        draft.scope = self.after(draft, step)

    def fire(self, draft: _Draft) -> None:
        """Read the triggers: they run with what the stage ends with."""
        for index, outer in draft.triggers:
            if outer.child is not None:
                draft.steps[index] = self.step(draft, outer.child, outer, index)

    def step(self, draft: _Draft, instruction: Instruction, outer: Instruction, index: int) -> Step:
        base = (instruction, outer, draft.index, index, draft.scope)
        if instruction.name == "RUN":
            return self.run_step(draft, base)
        if instruction.name in ("COPY", "ADD"):
            return self.copy_step(draft, base)
        if instruction.name in ("ENV", "ARG", "LABEL"):
            return VariableStep(*base, pairs(instruction))
        return Step(*base)

    def run_step(
        self, draft: _Draft, base: tuple[Instruction, Instruction, int, int, Scope]
    ) -> RunStep:
        read = script(base[0], draft.scope.shell, self.dockerfile.source)
        made = invocations(read, draft.scope)
        configured = {**dict(_configurations(made, self.tools)), **draft.configured}
        uses = tuple(
            replace(use, off=(configured[use.tool.name], *use.off))
            if use.tool.name in configured
            else use
            for use in tool_uses(made, draft.scope, self.tools)
        )
        mounted = step_mounts(base[0], draft.scope, self.escape)
        return RunStep(*base, read, mounted, made, uses)

    def copy_step(
        self, draft: _Draft, base: tuple[Instruction, Instruction, int, int, Scope]
    ) -> CopyStep:
        instruction, scope = base[0], draft.scope
        spec = copy_spec(instruction)
        if spec is None:
            return CopyStep(*base, None, None, None, False)
        sources = [resolve(word.value, scope, self.escape) for word in spec.sources]
        dest = resolve(spec.dest.value, scope, self.escape)
        known = tuple(s.value for s in sources if s.value is not None and s.fixed)
        files = None
        if len(known) == len(sources) and dest.value is not None and scope.workdir is not None:
            files = CopySpec(
                known, dest.value, scope.workdir, exclude=spec.excludes, parents=spec.parents
            )
        plain = not spec.heredocs and not (
            instruction.name == "ADD" and any(_is_unpacked(source) for source in known)
        )
        return CopyStep(*base, spec, files, self.origin(spec.from_), plain)

    def origin(self, name: str | None) -> int | str | None:
        if name is None:
            return None
        if name.isascii() and name.isdigit():
            return int(name)
        found = next((d for d in reversed(self.drafts[:-1]) if d.name == name.lower()), None)
        return name if found is None else found.index

    def after(self, draft: _Draft, step: Step) -> Scope:
        """The scope behind a step."""
        scope, instruction = step.scope, step.instruction
        if isinstance(step, VariableStep) and instruction.name != "LABEL":
            return self.with_pairs(scope, step)
        if instruction.name == "WORKDIR":
            path = resolve(instruction.rest.value, scope, self.escape).value
            return replace(scope, workdir=None if path is None else scope.path(path))
        if instruction.name == "USER":
            return replace(
                scope,
                user=_user(resolve(instruction.rest.value, scope, self.escape).value, scope, draft),
            )
        if instruction.name == "SHELL" and instruction.form == "exec":
            return replace(scope, shell=tuple(word.value for word in instruction.words))
        if isinstance(step, RunStep):
            return self.with_accounts(draft, step)
        return scope

    def with_pairs(self, scope: Scope, step: VariableStep) -> Scope:
        before = scope
        env = step.instruction.name == "ENV"
        for pair in step.pairs:
            if pair.value is None:
                default = self.globals.get(pair.name)
                held = scope.variables.get(pair.name)
                if held is not None and held.env:
                    continue
                value, fixed = (default.value if default else None), False
            else:
                got = resolve(pair.value.value, before if env else scope, self.escape)
                value, fixed = got.value, env and got.fixed
            scope = scope.with_variable(pair.name, Variable(value, fixed, env, pair.span))
        return scope

    def with_accounts(self, draft: _Draft, step: RunStep) -> Scope:
        scope = step.scope
        for made in step.invocations:
            values = [_settled(argument, scope) for argument in made.args]
            if made.program in ("groupadd", "addgroup"):
                group = created_group(values)
                if group is not None:
                    draft.groups[group[0]] = group[1]
            elif made.program in ("useradd", "adduser"):
                user = created_user(made.program, values, draft.groups)
                if user is not None:
                    scope = replace(scope, users={**scope.users, user.name: user})
            elif made.program in ("usermod", "userdel", "deluser") and values:
                users = {n: u for n, u in scope.users.items() if n not in values}
                scope = replace(scope, users=users)
        for use in _configurations(step.invocations, self.tools):
            draft.configured.setdefault(*use)
        return scope


_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst")


def _settled(argument: Argument, scope: Scope) -> str:
    """The value of an argument, "?" where a build argument may change a number in it."""
    value = argument.value
    if value is None:
        return "?"
    return "?" if value.isdigit() and is_loose(argument.word.raw, scope) else value


def _is_unpacked(source: str) -> bool:
    """Whether ADD does more with a source than copy it."""
    return "://" in source or source.startswith("git@") or source.endswith(_ARCHIVES)


def _base_scope(image: BaseImage | None, base: str | None, escape: str) -> Scope:
    if image is None:
        user = ROOT if base == "scratch" else replace(ROOT, sure=False)
        shell = _CMD if escape == "`" else _SH
        return Scope({}, "/", user, {"root": ROOT, "nobody": _NOBODY}, shell, None)
    users = {name: User(name, *known) for name, known in image.users.items()}
    user = User(image.user, image.uid, image.gid, image.home)
    if image.user == "root":
        user = ROOT
    return Scope(
        {name: Variable(value, True, True, None) for name, value in image.env.items()},
        "/",
        user,
        {"nobody": _NOBODY, **users, "root": ROOT, image.user: user},
        _CMD if image.os == "windows" else _SH,
        image.libc,
    )


def _user(text: str | None, scope: Scope, draft: _Draft) -> User:
    """The user a USER instruction names."""
    if not text:
        return User("", None, None, None, sure=False)
    name, _, group = text.partition(":")
    number = int(group) if group.isascii() and group.isdigit() else draft.groups.get(group)
    if name in scope.users:
        user = scope.users[name]
        return replace(user, gid=number) if group and number is not None else user
    if name.isascii() and name.isdigit():
        uid = int(name)
        known = next((user for user in scope.users.values() if user.uid == uid), None)
        if known is not None:
            return replace(known, gid=number) if group and number is not None else known
        # Without an entry in the password file HOME is /; an unknown image may have one.
        home = "/" if draft.image is not None else None
        return User(name, uid, number, home)
    return User(name, None, None, None, sure=False)


def _configurations(
    made: Iterable[Invocation], tools: tuple[Tool, ...]
) -> Iterator[tuple[str, Switch]]:
    """Commands that write "no cache" into a tool's configuration."""
    for tool in tools:
        for wanted in tool.off.config:
            for invocation in made:
                program = invocation.program
                if program is None or not is_program(tool.programs, program):
                    continue
                values = [argument.value for argument in invocation.args]
                rest = iter(values)
                if all(word in rest for word in wanted):
                    text = " ".join((tool.name, *wanted))
                    yield tool.name, Switch("config", text, invocation.command.span, False)
