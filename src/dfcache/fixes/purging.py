"""Taking away what empties a cache, or fails on a mount there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dfcache.fixes.cut import command_region
from dfcache.fixes.guards import is_known, named_paths
from dfcache.fixes.plan import Plan
from dfcache.fixes.switches import cut_word
from dfcache.model.build import Build, CopyStep, RunStep
from dfcache.model.effects import within
from dfcache.model.globbing import destination
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
        if purge.parent and _filled_before(build, step, purge.parent):
            plan.doubt(f"an earlier step put files into {purge.parent}, which is removed no more")
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
        region = command_region(source, joined)
        plan.take_out(step.outer.span, region, region or joined.span, name)
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


def _filled_before(build: Build, step: RunStep, folder: str) -> bool:
    """Whether an earlier step of the image works in a folder of caches, or copies to it."""
    for number in build.lineage(step.stage):
        for other in build.stages[number].steps:
            if (number, other.index) >= (step.stage, step.index):
                break
            if isinstance(other, CopyStep) and other.files is not None:
                if within(destination(other.files), folder):
                    return True
            elif isinstance(other, RunStep) and any(
                within(path, folder) and made.program not in ("rm", "cd", "ls")
                for made in other.invocations
                for path in named_paths(made)
            ):
                return True
    return False


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
