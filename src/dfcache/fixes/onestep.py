"""Making one hybrid step of two."""

from __future__ import annotations

from dfcache.fixes.layout import is_comment
from dfcache.fixes.mounts import add_flags
from dfcache.fixes.patterns import become
from dfcache.fixes.plan import Plan
from dfcache.model.asked import Asked
from dfcache.model.build import Build, CopyStep, RunStep, VariableStep
from dfcache.model.forms import forms
from dfcache.model.twosteps import TwoSteps
from dfcache.text import Edit

# Options that decide where packages come from, or how much is said, and not what is installed.
_ASIDE = frozenset(
    "--no-index --offline -f --find-links -q --quiet -v --verbose --no-cache-dir --no-cache"
    " --retries --timeout --default-timeout -r --requirement --requirements".split()
)
_TALK = frozenset(("true", ":", "echo", "printf", "exit", "set"))


def in_one_step(build: Build, pair: TwoSteps) -> Plan:
    """Have the step with the folder try the index as well, and take out the step before it."""
    first, second = pair.online.step, pair.local.step
    form = next(form for form in forms(build, second) if form.asked is pair.local)
    plan = become(build, second, [form], "hybrid")
    plan.doubt(f"what is installed comes from {pair.place.value} where that has it")
    if pair.first is not pair.online:
        plan.refuse("the index comes second: have both tries in one step, `a || b`")
        return plan
    _refuse_more(build, first, pair.online, plan)
    _refuse_between(build, first, second, plan)
    if _rest(pair.online) != _rest(pair.local):
        plan.refuse("the two commands have other options")
    plan.dropped.append(first.outer.span)
    plan.edits.append(Edit(first.outer.span, ""))
    kept = {mount.target for mount in second.mounts}
    caches = [
        mount.mount.flag.text
        for mount in first.mounts
        if mount.type == "cache" and mount.target not in kept
    ]
    if caches:
        plan.edits.append(add_flags(build.dockerfile, second.instruction, caches))
        plan.added += caches
    return plan


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
