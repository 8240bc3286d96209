"""Changing a cache mount that is there."""

from __future__ import annotations

from collections.abc import Sequence

from dfcache.fixes.guards import refuse_touched
from dfcache.fixes.mounts import PLAIN_PATH, change_mount
from dfcache.fixes.owners import mount_owner
from dfcache.fixes.plan import Plan
from dfcache.fixes.purging import drop_purges
from dfcache.fixes.switches import drop_switches
from dfcache.model.build import Build, RunStep
from dfcache.model.mounts import StepMount
from dfcache.model.usedcaches import CacheUse
from dfcache.model.uses import ToolUse
from dfcache.text import Edit, Span


def move_mount(
    build: Build, step: RunStep, mount: StepMount, use: ToolUse, cache: CacheUse
) -> Plan:
    """Put a mount where the package manager really caches, owned by who uses it."""
    plan = Plan()
    if cache.path is None or not PLAIN_PATH.match(cache.path):
        plan.refuse("where the cache is can't be told from this file")
        return plan
    changes = {"target": cache.path}
    changes |= _owner(step, use, plan)
    _change(mount, changes, (), plan)
    drop_switches(build, step, use.tool, plan)
    drop_purges(build, step, [cache.path], plan)
    refuse_touched(build, step, [cache.path], plan)
    plan.settle(build.dockerfile.source, build.dockerfile.escape)
    return plan


def own_mount(build: Build, step: RunStep, mount: StepMount, use: ToolUse) -> Plan:
    """Give a mount to the user that uses it."""
    plan = Plan()
    changes = _owner(step, use, plan)
    gone = ("mode", *(key for key in ("uid", "gid") if key not in changes))
    _change(mount, changes, gone, plan)
    return plan


def lock_mount(mount: StepMount) -> Plan:
    """Let only one build at a time use a mount."""
    plan = Plan()
    _change(mount, {"sharing": "locked"}, (), plan)
    return plan


def copy_packages(build: Build, step: RunStep, use: ToolUse) -> Plan:
    """Have the packages copied out of the cache, where a variable says to link them."""
    plan = Plan()
    name, _, value = use.linked.partition("=")
    variable = step.scope.variables.get(name)
    source = build.dockerfile.source
    if variable is None or variable.span is None:
        plan.refuse(f"use the link mode `copy` in place of `{use.linked}`")
    elif not source[variable.span.start : variable.span.end].endswith(f"={value}"):
        plan.refuse(f"{name} is not set plainly")
    else:
        end = variable.span.end
        plan.drop(variable.span, (Edit(Span(end - len(value), end), "copy"),), name)
        plan.added.append(f"{name}=copy")
    return plan


def _owner(step: RunStep, use: ToolUse, plan: Plan) -> dict[str, str]:
    """The owner fields of a mount for who runs ``use``; root needs none."""
    uid, gid = mount_owner(step, use, plan)
    fields = {"uid": uid, "gid": gid}
    return {key: str(number) for key, number in fields.items() if number}


def _change(mount: StepMount, changes: dict[str, str], without: Sequence[str], plan: Plan) -> None:
    if mount.mount.source is not None and "uid" in changes:
        plan.refuse("BuildKit ignores uid where the mount has a source")
    changed = change_mount(mount.mount, changes, without)
    if changed is None:
        plan.refuse("the mount is quoted or goes over several lines")
        return
    edit, text = changed
    plan.drop(mount.mount.flag.span, (edit,), "the mount")
    plan.added.append(text)
