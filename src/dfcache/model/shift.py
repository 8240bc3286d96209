"""Moving a COPY behind the installs that don't read it: what goes along, what has to come first."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence

from dfcache.model.build import Build, CopyStep, RunStep, Step
from dfcache.model.effects import Effects, above, clash, commute, overlap, within
from dfcache.model.globbing import destination, origin
from dfcache.model.late import late_for
from dfcache.model.order import (
    brings,
    folders_made,
    is_install,
    owner_of,
    passes,
    step_effects,
)
from dfcache.model.reads import Reads, reads
from dfcache.record import record


@record
class Need:
    """What one install reads of one moved COPY: image paths to paths of the context."""

    install: RunStep
    copy: CopyStep
    files: Mapping[str, str]
    folders: Mapping[str, str]


@record
class Shift:
    """Steps that go, in their order, behind ``behind``, and what must be copied for it before.

    ``first`` is the first install they pass; ``crossed`` tells whether a step runs before that.
    ``refused`` says why there is none, or is "".
    """

    steps: tuple[Step, ...]
    first: RunStep | None
    behind: RunStep | None
    needs: tuple[Need, ...]
    crossed: bool
    refused: str = ""


def shift(build: Build, copy: CopyStep) -> Shift:
    """The farthest that ``copy`` can go past installs that don't read all of it."""
    steps = build.stages[copy.stage].steps
    moving: list[Step] = [copy]
    needs: list[Need] = []
    crossed = False
    best = Shift((), None, None, (), False)
    for step in steps[copy.index + 1 :]:
        if isinstance(step, RunStep) and is_install(step):
            if not any(late_for(build, c, step) for c in moving if isinstance(c, CopyStep)):
                break
            jump = _Jump(build, moving, step, needs)
            if jump.refused:
                return best if best.steps else Shift((), None, None, (), False, jump.refused)
            needs += jump.needs
            crossed = best.crossed if best.steps else crossed
            best = Shift(tuple(moving), best.first or step, step, tuple(needs), crossed)
            continue
        verdict = _verdict(build, step, moving, steps)
        if verdict == "joins":
            moving.append(step)
        elif verdict:
            return best if best.steps else Shift((), None, None, (), False, verdict)
        elif isinstance(step, RunStep):
            crossed = True
    return best


def needs_before(
    build: Build, moving: Sequence[Step], install: RunStep, read: Reads, effects: Effects
) -> tuple[Need, ...] | str:
    """What must be copied for a step with ``effects`` that reads ``read`` to go before ``moving``.

    ``install`` is the step behind them that it is made of. A sentence where it can't go there.
    """
    jump = _Jump(build, moving, install, (), read, effects)
    return jump.refused or tuple(jump.needs)


def _verdict(build: Build, step: Step, moving: Sequence[Step], steps: Sequence[Step]) -> str:
    """As ``passes``, but a COPY that should move as well joins, so that their order stays."""
    if isinstance(step, CopyStep) and step.origin is None and step.files is not None and step.plain:
        install = next(
            (s for s in steps[step.index :] if isinstance(s, RunStep) and is_install(s)), None
        )
        if install is None or late_for(build, step, install) is not None:
            return "joins"
        mine = brings(build, step)
        needed = reads(build, install).files
        if mine and all(needed.get(path) == where for path, where in mine.items()):
            return passes(build, step, moving)  # manifests alone: they may stay
        dest = destination(step.files)
        for other in moving:
            if isinstance(other, CopyStep) and other.files is not None:
                there = destination(other.files)
                if within(dest, there) or within(there, dest):
                    return "joins"
    return passes(build, step, moving)


class _Jump:
    """One install that the moving steps are to go behind."""

    def __init__(
        self,
        build: Build,
        moving: Sequence[Step],
        install: RunStep,
        before: Sequence[Need],
        read: Reads | None = None,
        effects: Effects | None = None,
    ) -> None:
        self.build = build
        self.moving = moving
        self.install = install
        self.read = reads(build, install) if read is None else read
        self.effects = step_effects(build, install) if effects is None else effects
        self.given = {path: need.copy for need in before for path in (*need.files, *need.folders)}
        self.needs: list[Need] = []
        self.refused = self.judge()

    def judge(self) -> str:
        line = self.install.outer.start_line
        effects = self.effects
        if self.read.unknown:
            return f"line {line}: {self.read.unknown}"
        if effects.unknown:
            return f"line {line}: {effects.unknown}"
        named = self.named_by_variable()
        if named:
            return named
        reason = self.gather() or self.other_owner()
        if reason:
            return reason
        given = self.given.keys() | self.read.paths
        folders = {folder for path in given for folder in above(path)}
        rest = Effects(
            frozenset(effects.reads - self.read.paths),
            effects.writes | self.read.leaves,
            effects.installs,
            needs=frozenset(effects.needs - folders),
        )
        for step in self.moving:
            other = step_effects(self.build, step)
            if self.changes(step, other):
                return f"line {step.outer.start_line} writes what the install reads"
            if not commute(rest, other):
                where = step.outer.start_line
                path = clash(rest, other)
                over = f" over {path}" if path else ""
                return f"line {line} can't go before line {where}: they meet{over}"
        return ""

    def named_by_variable(self) -> str:
        """A variable of the package manager, or PATH, that leads to what would move."""
        given = {n: v.value for n, v in self.install.scope.variables.items()}
        for made in self.install.invocations:
            for name, value in {**given, **made.env}.items():
                if name != "PATH" and not name.upper().startswith(_TELLING):
                    continue
                for path in (value or "").replace(",", ":").replace(" ", ":").split(":"):
                    whole = posixpath.join(made.cwd or "/", path)
                    looks = self.build.context.known or "/" in path or "." in path
                    if path and looks and self.is_moved(whole, exact=name == "PATH"):
                        return f"{name} leads to {path}, which would move"
        return ""

    def is_moved(self, path: str, exact: bool) -> bool:
        path = posixpath.normpath(path)
        for copy in self.copies():
            if copy.files is None:
                continue
            brought = brings(self.build, copy)
            if exact:
                if any(posixpath.dirname(image) == path for image in brought):
                    return True
            elif overlap([path], brought or [destination(copy.files)]):
                return True
        return False

    def copies(self) -> list[CopyStep]:
        return [step for step in self.moving if isinstance(step, CopyStep)]

    def gather(self) -> str:
        """Find out which moving COPY brings what the install reads."""
        files: dict[int, dict[str, str]] = {}
        folders: dict[int, dict[str, str]] = {}
        for path, where in self.read.files.items():
            owner = self.owner(path, where)
            if self.is_given(path, owner) or self.stays(path, where):
                continue
            if owner is not None:
                files.setdefault(owner.index, {})[path] = where
            elif self.in_tree(path):
                return f"{path} is not copied plainly"
        for path, where in self.read.folders.items():
            if path in self.given:
                continue
            owners = [c for c in self.copies() if self.brings_below(c, path)]
            if len(owners) > 1 or (owners and where == "?"):
                return f"several COPYs bring {path}"
            if owners:
                folders.setdefault(owners[0].index, {})[path] = where
        for copy in self.copies():
            mine = files.get(copy.index, {})
            below = folders.get(copy.index, {})
            if mine or below:
                self.needs.append(Need(self.install, copy, mine, below))
        return ""

    def is_given(self, path: str, owner: CopyStep | None) -> bool:
        """Whether it was copied for an install before, for the user that ``owner`` gives it to."""
        given = self.given.get(path)
        return given is not None and (owner is None or owner_of(owner) == owner_of(given))

    def other_owner(self) -> str:
        """Why manifests that are copied first would make a folder as somebody else."""
        for need in self.needs:
            made = {folder for path in need.files for folder in above(path)}
            for copy in self.copies():
                if owner_of(copy) != owner_of(need.copy) and folders_made(self.build, copy) & made:
                    line = copy.outer.start_line
                    return f"the folder that line {line} makes would get another owner"
        return ""

    def stays(self, path: str, where: str) -> bool:
        """Whether a COPY that does not move brings the same file before the install."""
        steps = self.build.stages[self.install.stage].steps[: self.install.index]
        return any(
            isinstance(step, CopyStep)
            and step not in self.moving
            and step.origin is None
            and step.plain
            and brings(self.build, step).get(path) == where
            and not any(m.index > step.index and self.owner(path, where) is m for m in self.moving)
            for step in steps
        )

    def owner(self, path: str, where: str) -> CopyStep | None:
        for copy in reversed(self.copies()):
            if self.build.context.known:
                if brings(self.build, copy).get(path) == where:
                    return copy
            elif copy.files is not None and origin(path, [copy.files], self.build.context):
                return copy
        return None

    def in_tree(self, path: str) -> bool:
        return any(
            c.files is not None and within(path, destination(c.files)) for c in self.copies()
        )

    def brings_below(self, copy: CopyStep, folder: str) -> bool:
        brought = brings(self.build, copy)
        return any(within(path, folder) for path in brought)

    def changes(self, step: Step, effects: Effects) -> bool:
        """Whether a moving step writes a file that the install reads, but as it is copied."""
        if isinstance(step, CopyStep) and step.origin is None and step.plain:
            brought = brings(self.build, step)
            if not self.build.context.known:
                return step is not self.moving[0] and overlap(effects.writes, self.read.paths)
            return any(brought.get(p, w) != w for p, w in self.read.files.items())
        if isinstance(step, RunStep) and all(i.program in _OWNERS for i in step.invocations):
            return False
        return overlap(effects.writes, self.read.paths)


# Programs that change who may read a file, not what is in it.
_OWNERS = frozenset(("chown", "chmod", "chgrp", "cd", "set", "true", ":"))
# Variables through which package managers are told of files.
_TELLING = tuple(
    "PIP_ UV_ NPM_CONFIG_ NETRC REQUESTS_CA SSL_CERT CURL_CA GIT_ NODE_EXTRA_CA CC CXX"
    " CARGO_HOME".split()
)
