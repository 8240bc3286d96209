"""Making one hybrid step of two."""

from __future__ import annotations

from dfcache.fixes.layout import is_comment
from dfcache.fixes.mounts import add_flags
from dfcache.fixes.patterns import become
from dfcache.fixes.plan import Plan
from dfcache.model.asked import Asked
from dfcache.model.build import Build, CopyStep, RunStep, VariableStep, per_build
from dfcache.model.failures import Hidden, hidden
from dfcache.model.forms import forms
from dfcache.model.stock import unproved
from dfcache.model.twosteps import TwoSteps, two_steps
from dfcache.record import replace
from dfcache.text import Edit, Span

# Options that decide where packages come from, or how much is said, and not what is installed.
_ASIDE = frozenset(
    "--no-index --offline -f --find-links -q --quiet -v --verbose --no-cache-dir --no-cache"
    " --retries --timeout --default-timeout -r --requirement --requirements".split()
)
_TALK = frozenset(("true", ":", "echo", "printf", "exit", "set"))


def in_one_step(build: Build, pair: TwoSteps) -> Plan:
    """Have the step with the folder try the index as well, and take the other step out.

    Where the pattern "offline" is asked for, the index is left out altogether.
    """
    kept, gone = pair.local.step, pair.online.step
    offline = build.wishes.pattern == "offline"
    form = next(form for form in forms(build, kept) if form.asked is pair.local)
    swallows = None
    if pair.first is pair.local:
        swallows = next(each for each in hidden(build, kept) if each.hides(pair.local.use))
        form = replace(form, asked=_let_out(form.asked))
    plan = Plan() if offline else become(build, kept, [form], "hybrid")
    if build.wishes.pattern != "hybrid":
        plan.doubt(f"what is installed comes from {pair.place.value} where that has it")
    folder = pair.place.origin.path if pair.place.origin else None
    reason = unproved(build, pair.local, folder or pair.place.value) if offline else ""
    if reason:
        plan.doubt(reason)
    if swallows is not None:
        _drop(build, pair.local, swallows, plan)
    _refuse_more(build, gone, pair.online, plan)
    _refuse_between(build, pair.first.step, pair.second.step, plan)
    if _rest(pair.online) != _rest(pair.local):
        plan.refuse("the two commands have other options")
    plan.dropped.append(gone.outer.span)
    plan.edits.append(Edit(gone.outer.span, ""))
    there = {mount.target for mount in kept.mounts}
    caches = [
        mount.mount.flag.text
        for mount in gone.mounts
        if mount.type == "cache" and mount.target not in there
    ]
    if caches and not offline:
        plan.edits.append(add_flags(build.dockerfile, kept.instruction, caches))
        plan.added += caches
    return plan


@per_build
def merges(build: Build) -> tuple[Asked, ...]:
    """The commands of two steps that become one, so that no other fix need give them a form."""
    if build.wishes.pattern not in ("hybrid", "offline"):
        return ()
    pairs = [pair for pair in two_steps(build) if not in_one_step(build, pair).refused]
    return tuple(each for pair in pairs for each in (pair.first, pair.second))


def _let_out(each: Asked) -> Asked:
    """The command without the ``|| true`` behind it, whose place the second try takes."""
    made = each.use.invocation
    command = replace(made.command, after=None)
    return replace(each, use=replace(each.use, invocation=replace(made, command=command)))


def _drop(build: Build, local: Asked, swallows: Hidden, plan: Plan) -> None:
    command = local.use.invocation.command
    if swallows.how != "or" or swallows.cut is None:
        plan.refuse("what hides the failure is more than a few words")
        return
    between = build.dockerfile.source[command.span.end : swallows.cut.end]
    if any(is_comment(line) for line in between.split("\n")[1:]):
        plan.refuse(f"a comment stands beside `{swallows.text}`")
    plan.dropped.append(swallows.cut)
    plan.edits.append(Edit(Span(command.span.end, swallows.cut.end), ""))


def _refuse_more(build: Build, step: RunStep, online: Asked, plan: Plan) -> None:
    line = f"line {step.outer.start_line}"
    source = build.dockerfile.source[step.outer.span.start : step.outer.span.end]
    if any(is_comment(each) for each in source.split("\n")):
        plan.refuse(f"a comment stands in {line}")
    for made in step.invocations:
        if made is not online.use.invocation and made.program not in _TALK:
            plan.refuse(f"{line} runs `{made.program}` too")
    if step.script.opaque:
        plan.refuse("part of the script could not be read")


def _refuse_between(build: Build, first: RunStep, second: RunStep, plan: Plan) -> None:
    """What stands between sees the packages, or changes how they are installed."""
    if first.scope.user != second.scope.user or first.scope.shell != second.scope.shell:
        plan.refuse("the two steps run as other users or in other shells")
    if any(mount.type not in ("cache", "bind") for mount in first.mounts):
        plan.refuse(f"line {first.outer.start_line} has mounts of its own")
    for step in build.stages[first.stage].steps:
        if first.index < step.index < second.index:
            known = isinstance(step, CopyStep) or (
                isinstance(step, VariableStep) and step.instruction.name in ("LABEL", "ARG")
            )
            quiet = step.instruction.name in ("EXPOSE", "WORKDIR", "STOPSIGNAL", "MAINTAINER")
            if not known and not quiet:
                plan.refuse(f"line {step.outer.start_line} stands between the two steps")


def _rest(each: Asked) -> set[tuple[str, str | None]]:
    return {(o.name, o.value) for o in each.use.options if o.name not in _ASIDE}
