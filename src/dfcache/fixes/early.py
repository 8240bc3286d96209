"""Installing a project's dependencies in a step of their own, before its source is copied."""

from __future__ import annotations

import posixpath
import re

from dfcache.fixes.layout import is_blank, is_comment
from dfcache.fixes.moves import PLAIN, Moving, manifest_copies
from dfcache.fixes.plan import Plan
from dfcache.model.build import Build
from dfcache.model.early import Early
from dfcache.text import Edit, Span, apply

_NAMED = (
    "pip marks them as asked for by name, and where they conflict it may choose other versions"
    " than for the project"
)


def install_first(build: Build, early: Early) -> Plan:
    """Copy the manifests and install the dependencies in front of the COPY of the source."""
    plan = Plan()
    if early.refused or early.first is None:
        plan.refuse(early.refused)
        return plan
    text = _command(build, early, plan)
    lines = []
    for need in early.needs:
        copied = manifest_copies(need.copy, need.files, {}, early.first.scope.workdir)
        if copied is None:
            plan.refuse("the manifests can't be copied on their own")
        lines += copied or []
    if plan.refused:
        return plan
    if early.form == "files" and early.use.tool.name != "uv":
        plan.doubt(_NAMED)
    moving = Moving(build.dockerfile, early.first.outer, plan)
    moving.put_before(early.first.outer, [*lines, text])
    return plan


def _command(build: Build, early: Early, plan: Plan) -> str:
    """The RUN up to the end of the install, with the dependencies in the place of the project."""
    source = build.dockerfile.source
    start = early.step.outer.span.start
    end = early.use.invocation.command.span.end
    edits = [_instead(source, early, plan)]
    edits += _without_upgrade(source, early)
    if plan.refused:
        return ""
    moved = [Edit(Span(e.span.start - start, e.span.end - start), e.text) for e in edits]
    text = apply(source[start:end], moved)
    kept = [line for line in text.split("\n") if not is_comment(line) and not is_blank(line)]
    return "\n".join(kept).rstrip(" \t")


def _instead(source: str, early: Early, plan: Plan) -> Edit:
    argument = early.local.argument
    assert argument is not None
    span = argument.word.span
    option = next((o for o in early.use.options if o.given is argument), None)
    if option is not None and option.argument is not argument:
        span = Span(option.argument.word.span.start, span.end)
    inside = source[span.start : span.end]
    if re.search(r"\n[ \t]*#", inside) or not argument.word.contiguous:
        plan.refuse("a comment stands among the words of the install")
    words = _words(early, inside, plan)
    return Edit(span if words else _with_blanks(source, span), words)


def _words(early: Early, inside: str, plan: Plan) -> str:
    extras = early.local.extras
    if early.form == "only-deps":
        words = re.sub(r"^(-e|--editable)(=|\s|\\)*", "", inside)
        return f"--only-deps {words}"
    cwd = early.use.invocation.cwd or "/"
    names = []
    for path in early.named:
        near = posixpath.relpath(path, cwd)
        names.append(path if early.absolute or near.startswith("..") else near)
    given = {read.path for read in early.use.reads if read.kind == "requirements"}
    words = " ".join(
        f"-r {name}" for name, path in zip(names, early.named, strict=True) if path not in given
    )
    if early.form == "pyproject":
        words += "".join(f" --extra {extra}" for extra in extras)
    if not all(PLAIN.match(name) for name in (*names, *extras)):
        plan.refuse("the manifests can't be named plainly")
    return words


def _without_upgrade(source: str, early: Early) -> list[Edit]:
    """pip upgrades what it is given by name; of a project's dependencies only what doesn't fit."""
    if early.form != "files" or early.use.tool.name == "uv":
        return []
    found = []
    for option in early.use.options:
        word = option.argument.word
        if option.name in ("-U", "--upgrade") and word.value in ("-U", "--upgrade"):
            found.append(Edit(_with_blanks(source, word.span), ""))
    return found


def _with_blanks(source: str, span: Span) -> Span:
    end = span.end
    while source[end : end + 1] in (" ", "\t"):
        end += 1
    return Span(span.start, end)
