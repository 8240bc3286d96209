"""Making a step really use a cache mount: the mount, and all that would defeat it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dfcache.fixes.frontend import raise_frontend
from dfcache.fixes.guards import doubt_foreign_parents, refuse_touched
from dfcache.fixes.mounts import PLAIN_PATH, add_flags, cache_mount
from dfcache.fixes.owners import mount_owner
from dfcache.fixes.plan import Plan
from dfcache.fixes.purging import drop_purges
from dfcache.fixes.switches import doubt_indirect, drop_switches, drop_variable
from dfcache.knowledge.records import Tool
from dfcache.model.build import Build, RunStep
from dfcache.model.caches import mount_of
from dfcache.model.order import step_effects
from dfcache.model.purges import purges
from dfcache.model.usedcaches import CacheUse, Switch
from dfcache.model.uses import ToolUse
from dfcache.text import Edit, Span


def use_cache(build: Build, step: RunStep, tools: Sequence[Tool]) -> Plan:
    """Mount the caches of ``tools`` in ``step``, and wherever else that needs it.

    A variable that turns a cache off goes only together with the mounts of all the steps
    that it reaches.
    """
    plan = Plan()
    steps: list[tuple[RunStep, tuple[Tool, ...]]] = [(step, tuple(tools))]
    for switch, tool in _variables(step, tools):
        reached = [other for other in build.runs() if _reaches(other, switch, tool)]
        steps += [(other, (tool,)) for other in reached if other.outer is not step.outer]
        drop_variable(build, switch, plan)
        doubt_indirect(build, switch, tool, plan)
    for one, wanted in _merged(steps):
        _mount_step(build, one, wanted, plan)
    plan.settle(build.dockerfile.source, build.dockerfile.escape)
    return plan


def use_caches(build: Build, step: RunStep, uses: Sequence[ToolUse]) -> Plan:
    """Mount the caches that ``uses`` lose; what can't be mounted is left out of the plan.

    Where one package manager's mount is refused, those of the others still count.
    """
    tools = list({use.tool.name: use.tool for use in uses}.values())
    whole = use_cache(build, step, tools)
    if not whole.refused or len(tools) == 1:
        return whole
    plans = {tool.name: use_cache(build, step, [tool]) for tool in tools}
    able = [tool for tool in tools if not plans[tool.name].refused]
    return use_cache(build, step, able) if able else whole


def _variables(step: RunStep, tools: Sequence[Tool]) -> Iterator[tuple[Switch, Tool]]:
    for tool in tools:
        for use in step.uses:
            if use.tool is tool and use.downloads:
                yield from ((s, tool) for s in use.off if s.kind == "variable")


def _reaches(step: RunStep, switch: Switch, tool: Tool) -> bool:
    return any(
        use.tool is tool and use.downloads and any(s.span == switch.span for s in use.off)
        for use in step.uses
    )


def _merged(
    steps: Iterable[tuple[RunStep, tuple[Tool, ...]]],
) -> Iterator[tuple[RunStep, tuple[Tool, ...]]]:
    """Each step once, with all the tools that are wanted there."""
    found: dict[Span, tuple[RunStep, tuple[Tool, ...]]] = {}
    for step, tools in steps:
        known = found.get(step.outer.span, (step, ()))[1]
        more = tuple(tool for tool in tools if tool not in known)
        found[step.outer.span] = (step, known + more)
    return iter(found.values())


def _mount_step(build: Build, step: RunStep, tools: Sequence[Tool], plan: Plan) -> None:
    """Everything that ``step`` needs for the caches of ``tools`` to be kept."""
    if build.wishes.builder in ("classic", "kaniko"):
        plan.refuse(f"{build.wishes.builder} has no cache mounts")
    if step.triggered:
        plan.doubt("a mount in ONBUILD needs BuildKit 0.17: older ones refuse it (buildkit#959)")
    if step.script.opaque:
        plan.refuse("part of the script could not be read")
    if step.instruction.opaque:
        plan.refuse(step.instruction.opaque)
    flags: list[str] = []
    targets: list[str] = []
    for tool in tools:
        uses = [use for use in step.uses if use.tool is tool and use.downloads]
        for use, cache in _caches(build, step, uses, plan):
            assert cache.path is not None
            if any(m.type == "cache" and m.covers(cache.path) for m in step.mounts):
                continue
            if any(mount.target == cache.path for mount in step.mounts):
                plan.refuse(f"another mount is at {cache.path}")
            text = _flag(build, step, use, cache, plan)
            if text not in flags:
                flags.append(text)
                targets.append(cache.path)
        _keep(build, step, tool, plan)
        drop_switches(build, step, tool, plan)
    targets += [m.target for m in step.mounts if m.type == "cache" and m.target]
    drop_purges(build, step, targets, plan)
    refuse_touched(build, step, targets, plan)
    doubt_foreign_parents(step, flags, plan)
    if flags:
        raise_frontend(build.dockerfile, flags, plan)
        plan.edits.append(add_flags(build.dockerfile, step.instruction, flags))
        plan.added += flags


def _caches(
    build: Build, step: RunStep, uses: Sequence[ToolUse], plan: Plan
) -> Iterator[tuple[ToolUse, CacheUse]]:
    """The cache directories to mount, each with its first user; refuses where one can't be told."""
    seen: set[str] = set()
    for use in uses:
        if use.linked:
            plan.refuse(f"{use.linked} makes the packages point into the cache")
        for cache in use.caches:
            if cache.path is None:
                known = use.user.name not in ("", "?")
                whose = f"of {use.user.name}" if known else "of the user"
                plan.refuse(
                    f"the home {whose} can't be told from this file, so neither can the cache"
                )
            elif not PLAIN_PATH.match(cache.path):
                plan.refuse(f"the cache directory {cache.path!r} can't stand in a mount")
            elif cache.cache.filled_by and not _may_leave(build, step, use, cache):
                continue  # it stays in the layer, where the other steps look for it
            elif cache.path not in seen:
                seen.add(cache.path)
                yield use, cache


def _may_leave(build: Build, step: RunStep, use: ToolUse, cache: CacheUse) -> bool:
    """Whether a cache that other steps may count on can be taken out of the layer."""
    if not fills_itself(build, step, use, cache) or cache.path is None:
        return False
    probe = Plan()
    refuse_touched(build, step, [cache.path], probe)
    found = purges(step.invocations, step.uses, [cache.path])
    if probe.refused or not all(purge.certain for purge in found):
        return False
    if found:
        return True  # the step removes it by itself
    heirs = build.heirs(step.stage)
    later = (s for s in build.runs() if (s.stage, s.index) > (step.stage, step.index))
    return not any(s.stage in heirs and step_effects(build, s).unknown for s in later)


def fills_itself(build: Build, step: RunStep, use: ToolUse, cache: CacheUse) -> bool:
    """Whether the step and all that follow it fill the cache before they use it."""
    for other in build.runs():
        if other.stage not in build.heirs(step.stage):
            continue
        same = [u for u in other.uses if u.tool is use.tool]
        downloads = [u for u in same if u.downloads]
        if downloads and not any(
            u.spec.words[-1] in cache.cache.filled_by
            and u.invocation.command.span.start < downloads[0].invocation.command.span.start
            for u in same
        ):
            return False
    return True


def _flag(build: Build, step: RunStep, use: ToolUse, cache: CacheUse, plan: Plan) -> str:
    """The mount for one cache directory, owned by who uses it."""
    uid, gid = mount_owner(step, use, plan)
    sibling = _sibling(build, step, cache, uid)
    if sibling:
        return sibling
    musl = step.scope.libc == "musl" and cache.cache.libc
    return cache_mount(
        cache.path or "",
        id=f"{use.tool.name}-musl" if musl else None,
        sharing=cache.cache.sharing,
        uid=uid,
        gid=gid,
    )


def _sibling(build: Build, step: RunStep, cache: CacheUse, uid: int | None) -> str:
    """The flag with which another step of the stage mounts the same directory, or ""."""
    for other in build.stages[step.stage].steps:
        if isinstance(other, RunStep) and other is not step:
            mount = mount_of(other, cache)
            if mount is not None and mount.target == cache.path and mount.uid == (uid or 0):
                return mount.mount.flag.text
    return ""


def _keep(build: Build, step: RunStep, tool: Tool, plan: Plan) -> None:
    """Options that keep what the image's own cleaning would delete."""
    for use in step.uses:
        words = tool.keep.get(use.invocation.program or "")
        if use.tool is not tool or not use.downloads or not words:
            continue
        command = use.invocation.command
        program = next((w for w in command.words if w.value.endswith(use.invocation.path)), None)
        have = [argument.value for argument in use.invocation.args]
        if program is None or set(words) <= set(have):
            continue
        if not command.rewritable:
            form = "in exec form" if step.instruction.form == "exec" else "in a quoted script"
            plan.refuse(f"the command stands {form}")
            continue
        plan.edits.append(Edit(Span(program.span.end, program.span.end), " " + " ".join(words)))
        plan.added += words


def keep_packages(build: Build, step: RunStep, tool: Tool) -> Plan:
    """Add the options that keep packages from the image's own cleaning."""
    plan = Plan()
    _keep(build, step, tool, plan)
    return plan
