"""Making a step really use a cache mount: the mount, and all that would defeat it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence

from dfcache.fixes.cut import command_region, cut_element
from dfcache.fixes.mounts import add_flags, cache_mount, change_mount
from dfcache.fixes.plan import Plan
from dfcache.knowledge.records import Tool
from dfcache.model.build import Build, CopyStep, RunStep, VariableStep
from dfcache.model.caches import mount_of
from dfcache.model.invocations import Invocation
from dfcache.model.mounts import StepMount
from dfcache.model.order import step_effects
from dfcache.model.purges import Purge, purges
from dfcache.model.uses import CacheUse, Switch, ToolUse
from dfcache.parser.script import Command
from dfcache.record import replace
from dfcache.text import Edit, Span

_PLAIN_PATH = re.compile(r"/[A-Za-z0-9_.@+/-]+$")
# Programs that, given a folder above the mount, leave what is in it alone.
_HARMLESS = frozenset("cd mkdir ls echo test [ export set rm find printf du stat pushd env".split())
# Programs that run code nobody can see here: they may count on variables, or clean up.
_INDIRECT = frozenset(
    "pipx pip-sync make tox nox poetry pipenv pdm hatch conda mamba micromamba invoke just".split()
)


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
        _drop_variable(build, switch, plan)
        _doubt_indirect(build, switch, plan)
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


def _drop_variable(build: Build, switch: Switch, plan: Plan) -> None:
    if switch.span is None:
        plan.refuse(f"the base image sets {switch.text}")
        return
    for step in build.runs():
        texts = [step.instruction.original, *(h.body for h in step.instruction.heredocs)]
        if any(re.search(rf"\$\{{?{switch.text}\b", text) for text in texts):
            plan.refuse(f"line {step.outer.start_line} reads {switch.text}")
    instruction = next(i for i in build.dockerfile.instructions if i.span.covers(switch.span))
    owner = instruction.child or instruction
    only = len(owner.words) <= 1 or owner.words[0].span == owner.words[-1].span
    if only or _single_pair(build, switch.span):
        plan.drop(switch.span, (Edit(instruction.span, ""),), switch.text)
    else:
        plan.take_out(instruction.span, switch.span, switch.span, switch.text)


def _single_pair(build: Build, span: Span) -> bool:
    return any(
        isinstance(step, VariableStep) and len(step.pairs) == 1 and step.pairs[0].span == span
        for stage in build.stages
        for step in stage.steps
    )


def _doubt_indirect(build: Build, switch: Switch, plan: Plan) -> None:
    """Without the variable, a program that calls the package manager by itself fills a layer."""
    for step in build.runs():
        for made in step.invocations:
            variable = step.scope.variables.get(switch.text)
            if variable is None or variable.span != switch.span:
                continue
            if made.program in _INDIRECT or _is_script(made):
                plan.doubt(f"`{made.program}` may count on {switch.text}, which the fix removes")


# In names of Python files that install things.
_INSTALLERS = ("install", "setup", "bootstrap", "requirements", "build", "deps")


def _is_script(made: Invocation) -> bool:
    """Whether a command runs code that dfcache does not see."""
    first = made.args[0].value or "" if made.args else ""
    if made.program is None:
        return True
    if made.program in ("sh", "bash", "source", "."):
        return first != "-c" and not first.endswith("activate")
    if made.program.startswith("python"):
        module = made.args[1].value or "" if first == "-m" and len(made.args) > 1 else ""
        return module in _INDIRECT or any(word in first.lower() for word in _INSTALLERS)
    return made.program.endswith((".sh", ".bash", ".py")) or made.path.startswith("./")


def _mount_step(build: Build, step: RunStep, tools: Sequence[Tool], plan: Plan) -> None:
    """Everything that ``step`` needs for the caches of ``tools`` to be kept."""
    if build.builder in ("classic", "kaniko"):
        plan.refuse(f"{build.builder} has no cache mounts")
    if step.script.opaque:
        plan.refuse("part of the script could not be read")
    if step.instruction.opaque:
        plan.refuse(step.instruction.opaque)
    flags: list[str] = []
    targets: list[str] = []
    for tool in tools:
        uses = [use for use in step.uses if use.tool is tool and use.downloads]
        for cache in _caches(build, step, uses, plan):
            assert cache.path is not None
            if any(m.type == "cache" and m.covers(cache.path) for m in step.mounts):
                continue
            if any(mount.target == cache.path for mount in step.mounts):
                plan.refuse(f"another mount is at {cache.path}")
            text = _flag(build, step, uses[0], cache, plan)
            if text not in flags:
                flags.append(text)
                targets.append(cache.path)
        _keep(build, step, tool, plan)
        _drop_switches(build, step, tool, plan)
    targets += [m.target for m in step.mounts if m.type == "cache" and m.target]
    drop_purges(build, step, targets, plan)
    _refuse_touched(build, step, targets, plan)
    _refuse_foreign_parents(step, flags, plan)
    if flags:
        plan.edits.append(add_flags(build.dockerfile, step.instruction, flags))
        plan.added += flags


def _caches(build: Build, step: RunStep, uses: Sequence[ToolUse], plan: Plan) -> Iterator[CacheUse]:
    """The cache directories to mount; refuses where one can't be told."""
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
            elif not _PLAIN_PATH.match(cache.path):
                plan.refuse(f"the cache directory {cache.path!r} can't stand in a mount")
            elif cache.cache.filled_by and not _may_leave(build, step, use, cache):
                continue  # it stays in the layer, where the other steps look for it
            elif cache.path not in seen:
                seen.add(cache.path)
                yield cache


def _may_leave(build: Build, step: RunStep, use: ToolUse, cache: CacheUse) -> bool:
    """Whether a cache that other steps may count on can be taken out of the layer."""
    if not fills_itself(build, step, use, cache) or cache.path is None:
        return False
    probe = Plan()
    _refuse_touched(build, step, [cache.path], probe)
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
    user = use.user
    uid, gid = user.uid, user.gid
    if use.invocation.home_kept and not step.scope.user.root:
        plan.doubt("sudo without -H may keep the caller's HOME, and with it another cache")
    if not user.sure:
        if user.root:
            plan.doubt("the base image is not known: its steps are taken to run as root")
        elif uid is None:
            plan.refuse(f"the uid of {user.name or 'the user'} can't be told from this file")
    elif uid is None:
        plan.doubt(f"{user.name} is taken to have uid 1000, as the first user of an image has")
        uid = 1000
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


def _drop_switches(build: Build, step: RunStep, tool: Tool, plan: Plan) -> None:
    """Take out the options and assignments that turn the cache off."""
    for use in step.uses:
        if use.tool is not tool or not use.downloads:
            continue
        for switch in use.off:
            if switch.kind == "variable":
                continue
            if not switch.removable or switch.span is None:
                plan.refuse(f"`{switch.text}` turns the cache off where an edit can't reach it")
            elif switch.span not in plan.dropped:
                _cut_word(build, step, use.invocation.command, switch.span, plan)


def _cut_word(build: Build, step: RunStep, command: Command, span: Span, plan: Plan) -> None:
    """Take a word or assignment out of a command, in whichever form that is written."""
    source = build.dockerfile.source
    word = next((word for word in command.words if word.span == span), None)
    if step.instruction.form == "exec" and word is not None and source[span.start] == '"':
        edits = cut_element(source, command.words, word)
        plan.drop(edits[0].span if edits else span, edits, word.value)  # with its comma
    else:
        plan.take_out(step.outer.span, span, span, source[span.start : span.end])


def drop_purges(build: Build, step: RunStep, targets: Sequence[str], plan: Plan) -> None:
    """Take out what empties the caches at ``targets``, or fails on a mount there."""
    commands: dict[int, list[Purge]] = {}
    strange = [i for i in step.invocations if not _is_known(step, i)]
    for purge in purges(step.invocations, step.uses, targets, _script_text(step)):
        if purge.parent and strange:
            plan.doubt(f"`{strange[0].program}` may fill {purge.parent}, which is removed no more")
        if not purge.certain:
            text = purge.invocation.program or "a command"
            plan.refuse(f"`{text}` may remove {purge.path}, and can't be changed word by word")
        commands.setdefault(id(purge.invocation.command), []).append(purge)
    source = build.dockerfile.source
    whole: list[Command] = []
    for found in commands.values():
        if found[0].whole:
            whole.append(found[0].invocation.command)
            continue
        for purge in found:
            if purge.operand is not None:
                _cut_word(build, step, purge.invocation.command, purge.operand.span, plan)
    for run in _neighbours(step, whole):
        name = f"`{run[0].words[0].value}`"
        if all(one in run for one in step.script.commands if one.list_id == run[0].list_id):
            plan.refuse(f"{name} is all that stands between two words of the shell")
            continue
        joined = replace(
            run[0], span=Span(run[0].span.start, run[-1].span.end), after=run[-1].after
        )
        plan.take_out(step.outer.span, command_region(source, joined), joined.span, name)


def _script_text(step: RunStep) -> str:
    """The script without its ``rm`` commands, which are judged by themselves."""
    text = step.instruction.rest.value
    for command in step.script.commands:
        if command.words and command.words[0].value == "rm":
            for word in command.words:
                text = text.replace(word.raw, "", 1)
    return text


def _is_known(step: RunStep, made: Invocation) -> bool:
    return made.program in _CALM or any(use.invocation is made for use in step.uses)


def _neighbours(step: RunStep, commands: Sequence[Command]) -> Iterator[list[Command]]:
    """Commands that go, those next to each other in one list together."""
    run: list[Command] = []
    for command in step.script.commands:
        going = any(command is one for one in commands)
        if run and (not going or command.list_id != run[0].list_id or command.joiner == "||"):
            yield run
            run = []
        if going:
            run.append(command)
    if run:
        yield run


def _refuse_touched(build: Build, step: RunStep, targets: Sequence[str], plan: Plan) -> None:
    """Refuse where another command or step needs what the mount takes out of the image."""
    for made in step.invocations:
        if made.cwd is not None and any(_near(made.cwd, target) for target in targets):
            plan.refuse(f"`{made.program}` works in {made.cwd}, where the mount is")
        if made.program not in _HARMLESS and not any(u.invocation is made for u in step.uses):
            deep = made.program in ("chown", "chmod", "chgrp")
            for path in _named(made):
                if any(_near(path, t) or (deep and t.startswith(path + "/")) for t in targets):
                    plan.refuse(f"`{made.program}` works on {path}, where the mount is")
    heirs = build.heirs(step.stage)
    for stage in build.stages:
        for other in stage.steps:
            if isinstance(other, CopyStep) and other.origin in heirs and other.files:
                for source in other.files.sources:
                    if any(_near(posixpath.join("/", source), target) for target in targets):
                        plan.refuse(f"a later COPY takes {source}, which would be empty")
            elif (
                isinstance(other, RunStep)
                and stage.index in heirs
                and (stage.index, other.index) > (step.stage, step.index)
            ):
                _refuse_later(other, targets, plan)


def _refuse_later(step: RunStep, targets: Sequence[str], plan: Plan) -> None:
    for made in step.invocations:
        if made.program in ("mkdir", "find", "cd", "echo", "export", "set"):
            continue
        flags = "".join(a.value or "" for a in made.args if (a.value or "").startswith("-"))
        if made.program == "rm" and "f" in flags:
            continue
        if any(u.invocation is made for u in step.uses):
            continue
        for path in _named(made):
            if any(_near(path, target) for target in targets):
                plan.refuse(f"a later `{made.program}` works on {path}, which the mount takes away")


def _named(made: Invocation) -> Iterator[str]:
    """The absolute paths among the arguments of a command."""
    for argument in made.args:
        value = argument.value
        if value is None or value.startswith("-"):
            continue
        if value.startswith("/"):
            yield posixpath.normpath(value)
        elif made.cwd is not None and value.startswith("."):
            yield posixpath.normpath(posixpath.join(made.cwd, value))


def _near(path: str, target: str) -> bool:
    """Whether ``path`` is the mount, in it, or a folder above it that exists for caches only."""
    path = path.rstrip("/*") or "/"
    if path == target or path.startswith(target + "/"):
        return True
    above = target.startswith(path + "/")
    return above and posixpath.basename(path).startswith(".cache")


def _refuse_foreign_parents(step: RunStep, flags: Sequence[str], plan: Plan) -> None:
    """The folder above a user's mount belongs to root: others in the step can't write to it."""
    if not any("uid=" in flag for flag in flags):
        return
    used = {id(use.invocation) for use in step.uses}
    for made in step.invocations:
        if id(made) not in used and made.program not in _CALM:
            plan.doubt(
                f"`{made.program}` may write to ~/.cache, "
                "which belongs to root while the mount is there"
            )


# Programs that write nothing below a home's .cache.
_CALM = frozenset(
    "exit umask : cd mkdir ls echo printf test [ export set rm cp mv ln chmod chown touch cat"
    " sed grep true source . apt-get apt apk yum dnf curl wget tar unzip python python3"
    " virtualenv sh bash sleep whoami id".split()
)


def move_mount(
    build: Build, step: RunStep, mount: StepMount, use: ToolUse, cache: CacheUse
) -> Plan:
    """Put a mount where the package manager really caches, owned by who uses it."""
    plan = Plan()
    if cache.path is None or not _PLAIN_PATH.match(cache.path):
        plan.refuse("where the cache is can't be told from this file")
        return plan
    changes = {"target": cache.path}
    changes |= _owner(use, plan)
    _change(mount, changes, (), plan)
    _drop_switches(build, step, use.tool, plan)
    drop_purges(build, step, [cache.path], plan)
    _refuse_touched(build, step, [cache.path], plan)
    plan.settle(build.dockerfile.source, build.dockerfile.escape)
    return plan


def own_mount(build: Build, step: RunStep, mount: StepMount, use: ToolUse) -> Plan:
    """Give a mount to the user that uses it."""
    plan = Plan()
    changes = _owner(use, plan)
    gone = ("mode", *(key for key in ("uid", "gid") if key not in changes))
    _change(mount, changes, gone, plan)
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


def lock_mount(mount: StepMount) -> Plan:
    """Let only one build at a time use a mount."""
    plan = Plan()
    _change(mount, {"sharing": "locked"}, (), plan)
    return plan


def keep_packages(build: Build, step: RunStep, tool: Tool) -> Plan:
    """Add the options that keep packages from the image's own cleaning."""
    plan = Plan()
    _keep(build, step, tool, plan)
    return plan


def spare_caches(build: Build, step: RunStep, targets: Sequence[str]) -> Plan:
    """Take out what empties the mounted caches at ``targets``."""
    plan = Plan()
    drop_purges(build, step, targets, plan)
    plan.settle(build.dockerfile.source, build.dockerfile.escape)
    return plan


def _owner(use: ToolUse, plan: Plan) -> dict[str, str]:
    """The owner fields of a mount for who runs ``use``; root needs none."""
    user = use.user
    if user.root:
        return {}
    if user.uid is None:
        if not user.sure:
            plan.refuse(
                f"the uid of {user.name or 'the image’s user'} can't be told from this file"
            )
            return {}
        plan.doubt(f"{user.name} is taken to have uid 1000, as the first user of an image has")
    fields = {"uid": str(user.uid if user.uid is not None else 1000)}
    return fields | ({"gid": str(user.gid)} if user.gid else {})


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
