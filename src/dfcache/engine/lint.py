"""Finds what there is to say about one Dockerfile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from dfcache.diagnostics import Finding, Severity
from dfcache.engine.suppressions import suppress, suppressions
from dfcache.knowledge.records import RulePage
from dfcache.record import record, replace
from dfcache.text import Span

if TYPE_CHECKING:
    from dfcache.checks.registry import Check
    from dfcache.engine.settings import Settings
    from dfcache.model.build import Build
    from dfcache.model.context import Context
    from dfcache.parser.tree import Dockerfile, Problem

SYNTAX = "DFC901"
_OWN = {SYNTAX: "syntax-error", "DFC902": "unused-suppression", "DFC903": "unknown-rule"}

_HINTS = (
    ("unknown instruction: {", "is it a template? dfcache reads what BuildKit reads"),
    ("unknown instruction", "often the line above lacks its \\ at the end"),
    ("the Dockerfile cannot be empty", "it needs a FROM"),
    ("file with no instructions", "it needs a FROM"),
    ("dockerfile contains no stages", "it needs a FROM"),
    ("no build stage", "only ARG may stand before the first FROM"),
    ("unterminated heredoc", "its closing line must be the name alone, with nothing around it"),
    ("FROM requires", "write FROM image, or FROM image AS name; comments need a line of their own"),
    ("ENV must have two", "write ENV name=value"),
    ("Syntax error - can't find =", "write name=value for each, with quotes round blanks"),
    ("when using JSON", "quote every element of the array"),
    ("unknown flag", "flags stand between the keyword and the arguments"),
    ("invalid escape token", "it is \\ or `"),
)


class CheckError(Exception):
    """A check failed on a file: a bug of dfcache. ``code`` is its rule."""

    def __init__(self, code: str, cause: Exception) -> None:
        super().__init__(f"the check of {code} failed: {type(cause).__name__}: {cause}")
        self.code = code


@record
class Rules:
    """What findings are made with: the pages by code, the checks, and the model they run on."""

    pages: Mapping[str, RulePage]
    checks: tuple[Check, ...]
    understand: Callable[[Dockerfile, Context, Settings], Build]

    def names(self) -> dict[str, str]:
        """The name of every rule by its code."""
        return _OWN | {code: page.name for code, page in self.pages.items()}

    def active(self, settings: Settings) -> frozenset[str]:
        """The codes of the rules that are to run."""
        return frozenset(
            code
            for code, name in self.names().items()
            if settings.wants(code, name, code in self.pages and self.pages[code].on_request)
        )

    def severity(self, code: str, otherwise: Severity) -> Severity:
        """How bad findings of a rule are."""
        page = self.pages.get(code)
        return page.severity if page else otherwise


@record
class Examined:
    """A source, its tree, and its findings ordered by place and code."""

    dockerfile: Dockerfile
    findings: list[Finding]


@cache
def all_rules() -> Rules:
    """The rules that come with dfcache."""
    from dfcache.checks.registry import all_checks
    from dfcache.knowledge import load
    from dfcache.model.assemble import build

    knowledge = load()

    def understand(dockerfile: Dockerfile, context: Context, settings: Settings) -> Build:
        return build(dockerfile, context, knowledge, settings.wishes)

    return Rules({page.code: page for page in knowledge.pages}, all_checks(), understand)


@lru_cache(maxsize=2)
def tree(source: str) -> Dockerfile:
    """The tree of a source; kept for those who ask again about the file at hand."""
    from dfcache.parser import parse

    return parse(source)


def lint(
    source: str, context: Context, settings: Settings, rules: Rules | None = None
) -> list[Finding]:
    """The findings of a Dockerfile, ordered by place and code. Raises CheckError."""
    return examine(source, context, settings, rules).findings


def examine(
    source: str, context: Context, settings: Settings, rules: Rules | None = None
) -> Examined:
    """As ``lint``, with the tree.

    What BuildKit refuses is reported as it says it, with a hint. Checks run on such
    a file as well, but none of their fixes is offered: there is no build to keep.
    """
    rules = rules or all_rules()
    names = rules.names()
    active = rules.active(settings)
    dockerfile = tree(source)
    findings = _run(rules, names, active, dockerfile, context, settings)
    if dockerfile.problems:
        severity = rules.severity(SYNTAX, Severity.ERROR)
        findings = [replace(each, fix=None) for each in findings]
        findings += [_syntax(names[SYNTAX], severity, each) for each in dockerfile.problems]
    severity = rules.severity("DFC902", Severity.WARNING)
    findings = suppress(findings, suppressions(dockerfile), names, active, severity)
    findings = [each for each in findings if each.code in active]
    return Examined(dockerfile, sorted(set(findings), key=_order))


def _run(
    rules: Rules,
    names: Mapping[str, str],
    active: frozenset[str],
    dockerfile: Dockerfile,
    context: Context,
    settings: Settings,
) -> list[Finding]:
    checks = [check for check in rules.checks if check.code in active]
    if not checks or not dockerfile.instructions:
        return []
    build = rules.understand(dockerfile, context, settings)
    findings = []
    for check in checks:
        severity = rules.severity(check.code, Severity.WARNING)
        name = names[check.code]
        try:
            findings += [
                Finding(
                    check.code,
                    name,
                    found.severity or severity,
                    found.span,
                    found.message,
                    found.fix,
                    found.notes,
                    found.elsewhere,
                )
                for subject in build.subjects(check.on)
                for found in check.run(subject, build)
            ]
        except Exception as error:
            raise CheckError(check.code, error) from error
    return findings


def _syntax(name: str, severity: Severity, problem: Problem) -> Finding:
    hint = next((hint for start, hint in _HINTS if problem.message.startswith(start)), None)
    told = hint is None or "did you mean" in problem.message
    message = problem.message if told else f"{problem.message}: {hint}"
    return Finding(SYNTAX, name, severity, problem.span, message.replace("\n", " "))


def _order(finding: Finding) -> tuple[Span, str, str, str, int]:
    place = finding.elsewhere
    other = (place.file, place.span.start) if place else ("", 0)
    return finding.span, finding.code, finding.message, *other
