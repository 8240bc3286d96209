"""DFC305: an install may fail, and its step does not."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.diagnostics import Severity
from dfcache.fixes.plan import Plan
from dfcache.model.build import Build, RunStep
from dfcache.model.failures import Hidden, hidden
from dfcache.model.twosteps import halves

_THEN = "the step counts as done, and no later build runs it again"
# Who says that a failure is nothing to worry about: the author, or only the shell.
_MESSAGES = {
    "or": "`{text}` hides a failed `{use}`: {then}",
    "exit": "`{text}` hides a failed `{use}`: {then}",
    "pipe": "`{text}` hides a failed `{use}`, as a pipeline fails by its last command: {then}",
    "background": "`&` hides a failed `{use}`: {then}",
    "condition": "`if` hides a failed `{use}`: {then}",
    "negated": "`!` turns the outcome of `{use}` round: where it fails, {then}",
    "later": "a failed `{use}` goes unnoticed: a later command decides whether this step fails",
    "exempt": "a failed `{use}` goes unnoticed: `set -e` looks past what stands before `&&`",
}
_NOTES = {
    "pipe": "`set -o pipefail` in front, in a shell that has it, lets the step fail",
    "later": "`&&` instead of `;`, or `set -e` in front, lets the step fail",
    "exempt": "a line of its own instead of `&&` lets the step fail",
}
_MAY_FAIL = frozenset(("test", "[", "[[", "ls", "which", "grep", "command", "find", "stat"))


@check_for("DFC305", on=RunStep)
def check(step: RunStep, build: Build) -> Iterator[Report]:
    said = False
    told = [half.use for half in halves(build)]
    for each in hidden(build, step):
        if any(each.hides(use) for use in told):
            continue  # which is worse, and is told as such
        general = each.how in ("later", "exempt") and not each.asked
        if general and said:
            continue
        said = said or general
        quiet = general or (bool(each.meant) and not each.ends)
        plan = Plan()
        _cut(build, step, each, plan)
        note = (_NOTES[each.how],) if each.how in _NOTES else ()
        if each.meant:
            note = (_apart(step, each),)
        yield Report(
            each.span,
            _MESSAGES[each.how].format(text=each.text, use=each.use.title, then=_THEN),
            plan.fix(f"take out `{each.text}`"),
            (*note, *plan.notes()),
            severity=Severity.INFO if quiet else None,
        )


def _apart(step: RunStep, each: Hidden) -> str:
    """How to have what hides the failure concern only what it was meant for."""
    mine = each.use.invocation.command
    before = [c for c in step.script.commands if c.list_id == mine.list_id and c.words]
    if before and before[0].words[0].value in _MAY_FAIL:
        return f"`if {before[0].words[0].value} …; then …; fi` lets the install fail"
    return f"brackets around `{each.meant} … {each.text}` let it concern nothing else"


def _cut(build: Build, step: RunStep, each: Hidden, plan: Plan) -> None:
    if each.cut is None or each.last is None:
        return
    plan.doubt("the build stops where it went on before")
    for other in step.script.commands:
        if other is each.last:
            break
        first = other.words[0].value if other.words else ""
        if other.list_id == each.last.list_id and first in _MAY_FAIL:
            plan.refuse(f"`{first}` may fail on purpose")
    if step.instruction.form == "exec" or not each.last.rewritable:
        plan.refuse(f"`{each.text}` stands where an edit can't reach it")
        return
    plan.take_out(step.outer.span, each.cut, each.cut, f"`{each.text}`")
    plan.settle(build.dockerfile.source, build.dockerfile.escape)
