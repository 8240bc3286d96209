"""Taking away what turns a cache off."""

from __future__ import annotations

import re

from dfcache.fixes.cut import cut_element
from dfcache.fixes.layout import is_comment
from dfcache.fixes.plan import Plan
from dfcache.knowledge.records import Tool
from dfcache.model.build import Build, RunStep, VariableStep
from dfcache.model.invocations import Invocation
from dfcache.model.usedcaches import Switch
from dfcache.model.uses import is_unread
from dfcache.parser.script import Command, Dialect
from dfcache.text import Edit, Span

# Programs that run code nobody can see here: they may count on variables, or clean up.
_INDIRECT = frozenset(
    "pipx pip-sync pip-compile make tox nox poetry pipenv pdm hatch flit conda mamba micromamba"
    " invoke just pre-commit spacy".split()
)


# In names of Python files that install things.
_INSTALLERS = ("install", "setup", "bootstrap", "requirements", "build", "deps", "pip")


def drop_variable(build: Build, switch: Switch, plan: Plan) -> None:
    if switch.span is None:
        plan.refuse(f"the base image sets {switch.text}")
        return
    for reader in build.dockerfile.instructions:
        texts = [reader.original, *(heredoc.body for heredoc in reader.heredocs)]
        if any(re.search(rf"\$\{{?{switch.text}\b", text) for text in texts):
            plan.refuse(f"line {reader.start_line} reads {switch.text}")
    instruction = next(i for i in build.dockerfile.instructions if i.span.covers(switch.span))
    if _single_pair(build, switch.span):
        lines = build.dockerfile.source[instruction.span.start : instruction.span.end].split("\n")
        comments = "".join(f"{line}\n" for line in lines if is_comment(line))
        plan.drop(switch.span, (Edit(instruction.span, comments),), switch.text)
    else:
        plan.take_out(instruction.span, switch.span, switch.span, switch.text)


def _single_pair(build: Build, span: Span) -> bool:
    return any(
        isinstance(step, VariableStep) and len(step.pairs) == 1 and step.pairs[0].span == span
        for stage in build.stages
        for step in stage.steps
    )


def doubt_indirect(build: Build, switch: Switch, tool: Tool, plan: Plan) -> None:
    """Without the variable, a program that calls the package manager by itself fills a layer."""
    for step in build.runs():
        variable = step.scope.variables.get(switch.text)
        if variable is None or variable.span != switch.span:
            continue
        if step.script.dialect is not Dialect.POSIX or step.script.opaque:
            plan.doubt(f"line {step.outer.start_line} may count on {switch.text}")
        if any(
            s.span == switch.span and not use.downloads and use.spec.effect != "purges"
            for use in step.uses
            for s in use.off
        ):
            plan.doubt(f"line {step.outer.start_line} would leave a cache in its layer")
        used = {id(use.invocation) for use in step.uses}
        for made in (made for made in step.invocations if id(made) not in used):
            if made.program in _INDIRECT or _is_script(made) or is_unread(tool, made):
                plan.doubt(f"`{made.program}` may count on {switch.text}, which the fix removes")


def _is_script(made: Invocation) -> bool:
    """Whether a command runs code that dfcache does not see."""
    first = made.args[0].value or "" if made.args else ""
    if made.program is None:
        return True
    if made.program in ("sh", "bash", "source", "."):
        return first != "-c" and not first.endswith("activate")
    if made.program.startswith("python"):
        module = made.args[1].value or "" if first == "-m" and len(made.args) > 1 else ""
        text = " ".join(a.value or a.word.value for a in made.args[:2]).lower()
        by_name = any(word in text for word in _INSTALLERS)
        updates = any(argument.value == "--upgrade-deps" for argument in made.args)
        return not made.args or first == "-" or module in _INDIRECT or by_name or updates
    return made.program.endswith((".sh", ".bash", ".py")) or made.path.startswith("./")


def drop_switches(build: Build, step: RunStep, tool: Tool, plan: Plan) -> None:
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
                cut_word(build, step, use.invocation.command, switch.span, plan)


def cut_word(build: Build, step: RunStep, command: Command, span: Span, plan: Plan) -> None:
    """Take a word or assignment out of a command, in whichever form that is written."""
    source = build.dockerfile.source
    word = next((word for word in command.words if word.span == span), None)
    if step.instruction.form == "exec" and word is not None and source[span.start] == '"':
        edits = cut_element(source, command.words, word)
        plan.drop(edits[0].span if edits else span, edits, word.value)  # with its comma
    else:
        plan.take_out(step.outer.span, span, span, source[span.start : span.end])
