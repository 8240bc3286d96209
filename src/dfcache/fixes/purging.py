"""Taking away what empties a cache, or fails on a mount there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dfcache.fixes.cut import command_region
from dfcache.fixes.guards import is_known
from dfcache.fixes.plan import Plan
from dfcache.fixes.switches import cut_word
from dfcache.model.build import Build, RunStep
from dfcache.model.purges import Purge, purges
from dfcache.parser.script import Command
from dfcache.record import replace
from dfcache.text import Span


def drop_purges(build: Build, step: RunStep, targets: Sequence[str], plan: Plan) -> None:
    """Take out what empties the caches at ``targets``, or fails on a mount there."""
    commands: dict[int, list[Purge]] = {}
    strange = [i for i in step.invocations if not is_known(step, i)]
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
                cut_word(build, step, purge.invocation.command, purge.operand.span, plan)
    for run in _neighbours(step, whole):
        name = f"`{run[0].words[0].value}`"
        if all(one in run for one in step.script.commands if one.list_id == run[0].list_id):
            plan.refuse(f"{name} is all that stands between two words of the shell")
            continue
        joined = replace(
            run[0], span=Span(run[0].span.start, run[-1].span.end), after=run[-1].after
        )
        plan.take_out(step.outer.span, command_region(source, joined), joined.span, name)
        if joined.after is None and joined.joiner in (";", "\n") and not _stops_at_errors(step):
            plan.doubt(f"{name} was last, so the step passed even where a command before it failed")


def _script_text(step: RunStep) -> str:
    """The script without its ``rm`` commands, which are judged by themselves."""
    text = step.instruction.rest.value
    for command in step.script.commands:
        if command.words and command.words[0].value == "rm":
            for word in command.words:
                text = text.replace(word.raw, "", 1)
    return text


def _stops_at_errors(step: RunStep) -> bool:
    """Whether the script ends at the first command that fails: ``set -e``, ``sh -ec``."""
    flags = [word for word in step.scope.shell[1:] if word.startswith("-")]
    for made in step.invocations:
        if made.program == "set":
            flags += [argument.value or "" for argument in made.args]
    return any("errexit" in flag or (flag[:1] == "-" and "e" in flag[1:]) for flag in flags)


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


def spare_caches(build: Build, step: RunStep, targets: Sequence[str]) -> Plan:
    """Take out what empties the mounted caches at ``targets``."""
    plan = Plan()
    drop_purges(build, step, targets, plan)
    plan.settle(build.dockerfile.source, build.dockerfile.escape)
    return plan
