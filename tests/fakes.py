"""Checks that need no model: they look at the source only, so that the engine is tested alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from dfcache.checks.registry import Check, Report
from dfcache.diagnostics import Declared, Fix, Safety
from dfcache.engine.lint import Rules
from dfcache.parser.tree import Dockerfile
from dfcache.text import Edit, Span

MakeFix = Callable[[str, Span], "Fix | None"]


@dataclass(frozen=True, slots=True)
class FakeBuild:
    """As much of a build as a fake check needs."""

    dockerfile: Dockerfile

    def subjects(self, kind: type) -> Iterator[object]:
        if kind is FakeBuild:
            yield self


def understand(dockerfile: Dockerfile, context: object, settings: object) -> Any:
    return FakeBuild(dockerfile)


def rules(*checks: Check) -> Rules:
    """Rules without pages: their names are their codes."""
    pages: dict[str, Any] = {each.code: _page(each.code) for each in checks}
    return Rules(pages, checks, understand)


def finds(code: str, text: str, make: MakeFix | None = None) -> Check:
    """A check that reports every place of ``text`` outside comments."""

    def run(build: FakeBuild, _: object) -> Iterator[Report]:
        source = build.dockerfile.source
        for instruction in build.dockerfile.instructions:
            at = source.find(text, instruction.span.start, instruction.span.end)
            while at >= 0:
                span = Span(at, at + len(text))
                yield Report(span, f"{text} is here", make(source, span) if make else None)
                at = source.find(text, span.end, instruction.span.end)

    return Check(code, FakeBuild, run)


def replaces(new: str, safety: Safety = Safety.SAFE) -> MakeFix:
    """A fix that puts ``new`` in the place of what was found, and says so."""

    def make(source: str, span: Span) -> Fix:
        declared = Declared(frozenset({span}), frozenset(), (new,) if new else ())
        return Fix(f"Write {new}", (Edit(span, new),), safety, declared)

    return make


def drops_word(source: str, span: Span) -> Fix:
    """A fix that deletes what was found with the blank before it."""
    return Fix(
        "Delete it",
        (Edit(Span(span.start - 1, span.end), ""),),
        Safety.SAFE,
        Declared(frozenset({span})),
    )


def _page(code: str) -> Any:
    from dfcache.diagnostics import Severity
    from dfcache.knowledge.records import RulePage

    return RulePage(
        code, f"rule-{code[3:]}", Severity.WARNING, "safe", "0.1", "a problem", (), (), "text"
    )
