"""A second attempt at a command: ``a || b``, put there or taken away."""

from __future__ import annotations

from collections.abc import Iterable

from dfcache.fixes.cut import cut
from dfcache.fixes.layout import indentation, is_blank, is_comment, line_around, newline_of
from dfcache.fixes.plan import Plan
from dfcache.model.build import Build, RunStep
from dfcache.model.invocations import Invocation
from dfcache.parser.script import Command, Dialect
from dfcache.text import Edit, Span, apply

_JOINED = ("&&", "||")
_CONDITIONS = frozenset(("if", "while"))


def try_again(
    build: Build, step: RunStep, made: Invocation, changes: Iterable[Edit], plan: Plan
) -> None:
    """Have a command followed by another try of itself, for where it fails.

    ``changes`` are the edits that make the second try of the text of the command as it stands.
    Where operators stand beside the command, the two go into a group.
    """
    command = made.command
    reason = _unfit(step, made)
    if reason:
        plan.refuse(reason)
        return
    text = _again(build, step, command, changes, plan)
    beside = [each.operator for each in (command.before, command.after) if each is not None]
    group = any(operator in _JOINED for operator in beside)
    if group:
        plan.edits.append(Edit(Span(command.span.start, command.span.start), "{ "))
    end = Span(command.span.end, command.span.end)
    plan.edits.append(Edit(end, f"{_fold(build, step, command)}|| {text}{'; }' if group else ''}"))
    plan.added += [_joined_lines(text, build.dockerfile.escape), *(["{ }"] if group else [])]


def _joined_lines(text: str, escape: str) -> str:
    """The text as the shell gets it: continued lines as one."""
    *head, last = text.split("\n")
    bare = [line.rstrip(" \t\r") for line in head]
    return " ".join([*(line.removesuffix(escape).removesuffix("\\") for line in bare), last])


def _unfit(step: RunStep, made: Invocation) -> str:
    """Why a second attempt can't stand behind a command, or ""."""
    command = made.command
    beside = [each.operator for each in (command.before, command.after) if each is not None]
    name = f"`{made.program}`"
    if step.script.dialect is not Dialect.POSIX or step.instruction.form == "exec":
        return f"{name} stands in exec form, which has no second try"
    if "shell" in command.context or not command.rewritable:
        return f"{name} stands in a script in quotes"
    if {"|", "|&"} & set(beside):
        return f"{name} stands in a pipeline"
    if "&" in beside or "background" in command.context:
        return f"{name} runs in the background"
    if "substitution" in command.context:
        return f"the output of {name} is used"
    if command.negated or command.prefixes:
        return f"{name} has `!` or `time` before it"
    if set(made.wrappers) & {"exec", "xargs"}:
        return f"`{made.wrappers[0]}` starts {name}"
    if any(redirect.target is None for redirect in command.redirects):
        return f"{name} reads a here-document"
    return ""


def _again(
    build: Build, step: RunStep, command: Command, changes: Iterable[Edit], plan: Plan
) -> str:
    """The text of the command with the changes, without the comments that stand in it."""
    source = build.dockerfile.source
    span = command.span
    inside: list[Edit] = []
    for edit in changes:
        if not span.covers(edit.span):
            plan.refuse("a word of the command can't be left out of the second try")
            return ""
        inside.append(
            Edit(Span(edit.span.start - span.start, edit.span.end - span.start), edit.text)
        )
    lines = apply(source[span.start : span.end], inside).split("\n")
    kept = [line for line in lines[1:] if not is_comment(line) and not is_blank(line)]
    return "\n".join([lines[0], *kept])


def _fold(build: Build, step: RunStep, command: Command) -> str:
    """What leads from the end of the command to a line of its own for the second try."""
    dockerfile = build.dockerfile
    line = line_around(dockerfile.source, Span(command.span.start, command.span.start))
    text = dockerfile.source[line.start : line.end]
    own = text[: len(text) - len(text.lstrip(" \t"))]
    if any(each.body_span.covers(command.span) for each in step.instruction.heredocs):
        return f" \\{newline_of(dockerfile.source)}{own}    "
    if line.start <= step.outer.span.start:
        indent = indentation(dockerfile, step.instruction)
    else:
        indent = own
    return f" {dockerfile.escape}{newline_of(dockerfile.source)}{indent}"


def left_out(build: Build, step: RunStep, spans: Iterable[Span], plan: Plan) -> list[Edit]:
    """The edits that leave words out of a second try."""
    found: list[Edit] = []
    for span in spans:
        edits = cut(build.dockerfile.source, span, step.outer.span, build.dockerfile.escape)
        if edits is None:
            plan.refuse("a comment stands among the words of the command")
        found += edits or ()
    return found


def drop_second(build: Build, step: RunStep, first: Command, second: Command, plan: Plan) -> None:
    """Take out the second attempt, and the group if there is one for the two alone."""
    end = second.span.end
    group = _group(build, first, second)
    if group is not None:
        opening, end = group
        head = Span(opening, opening + 1)
        plan.take_out(step.outer.span, head, head, "the group")
    _drop(build, Span(first.span.end, end), _joined(second, end), plan)


def drop_first(build: Build, first: Command, second: Command, plan: Plan) -> None:
    """Take out the first attempt; the group stays."""
    joined = _joined(second, second.span.start)
    _drop(
        build, Span(first.span.start, second.span.start), Span(first.span.start, joined.end), plan
    )


def _joined(second: Command, end: int) -> Span:
    """From the operator before the second attempt to ``end``."""
    return Span(second.before.span.start if second.before else second.span.start, end)


def _drop(build: Build, region: Span, declared: Span, plan: Plan) -> None:
    lines = build.dockerfile.source[region.start : region.end].split("\n")
    if any(is_comment(line) for line in lines[1:]):
        plan.refuse("a comment stands between the two tries")
        return
    plan.drop(declared, (Edit(region, ""),), "one of the tries")


def _group(build: Build, first: Command, second: Command) -> tuple[int, int] | None:
    """Where the ``{`` stands and the ``}`` ends, of a group that holds the two alone."""
    alone = first.before is None and (second.after is None or second.after.operator == ";")
    if not alone or first.context[-1:] != ("group",):
        return None
    source, skip = build.dockerfile.source, " \t\r\n" + build.dockerfile.escape + "\\"
    at = first.span.start - 1
    while at >= 0 and source[at] in skip:
        at -= 1
    end = second.span.end
    while end < len(source) and source[end] in skip + ";":
        end += 1
    if source[at : at + 1] != "{" or source[end : end + 1] != "}":
        return None
    return at, end + 1
