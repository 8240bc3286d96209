"""Mounts of a RUN as BuildKit makes them, and what they cover."""

from __future__ import annotations

import posixpath

from dfcache.model.scope import Scope
from dfcache.model.variables import resolve
from dfcache.parser.mounts import Mount, mounts
from dfcache.parser.tree import Instruction
from dfcache.record import record


@record
class StepMount:
    """A mount with its values expanded.

    ``target`` is absolute, None where it can't be known. ``id``, ``uid``, ``gid`` are BuildKit's
    defaults where the flag says nothing. ``unset`` are the variables in the target that nothing
    sets.
    """

    mount: Mount
    type: str
    target: str | None
    id: str | None
    sharing: str
    uid: int
    gid: int
    readonly: bool
    unset: tuple[str, ...]

    def covers(self, path: str) -> bool:
        """Whether ``path`` lies in the mount."""
        return self.target is not None and (
            path == self.target or path.startswith(self.target.rstrip("/") + "/")
        )


def step_mounts(instruction: Instruction, scope: Scope, escape: str) -> tuple[StepMount, ...]:
    """The mounts of a RUN that BuildKit accepts."""
    return tuple(
        _expanded(mount, scope, escape) for mount in mounts(instruction) if not mount.problem
    )


def _expanded(mount: Mount, scope: Scope, escape: str) -> StepMount:
    def value(raw: str | None) -> str | None:
        return None if raw is None else resolve(raw, scope, escape).value

    target = resolve(mount.target or "", scope, escape)
    path = None
    if target.value is not None and mount.target is not None:
        path = scope.path(target.value or ".")
    identity = value(mount.id)
    if mount.id is None and target.value is not None:
        identity = posixpath.normpath(target.value) if target.value else ""
    return StepMount(
        mount=mount,
        type=(value(mount.type) or "bind").lower(),
        target=path,
        id=identity,
        sharing=(value(mount.sharing) or "shared").lower(),
        uid=_number(mount.uid, value(mount.uid)),
        gid=_number(mount.gid, value(mount.gid)),
        readonly=bool(mount.readonly),
        unset=target.unset,
    )


def _number(raw: str | None, text: str | None) -> int:
    """The number in a flag: -1 where it can't be told, 0 where there is none."""
    if raw is None:
        return 0
    return int(text) if text is not None and text.isascii() and text.isdigit() else -1
