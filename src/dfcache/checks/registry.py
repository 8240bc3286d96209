"""How a check is written: a generator over one kind of subject, registered under its code.

    @check_for("DFC101", on=RunStep)
    def check(step: RunStep, build: Build) -> Iterator[Report]:
        ...

Code, name and severity come from the rule's page, so that a check says each thing once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from dfcache.diagnostics import Elsewhere, Fix, Severity
from dfcache.record import record
from dfcache.text import Span


@record
class Report:
    """What a check found: ``span`` is underlined; one line says what, where and why.

    ``severity`` takes the place of the rule's own. ``elsewhere`` is for findings in files that a
    step reads: see Finding.
    """

    span: Span
    message: str
    fix: Fix | None = None
    notes: tuple[str, ...] = ()
    severity: Severity | None = None
    elsewhere: Elsewhere | None = None


@record
class Check:
    """A registered check: it is run on every subject of the build that is an ``on``."""

    code: str
    on: type
    run: Callable[[Any, Any], Iterator[Report]]


_checks: list[Check] = []


def check_for(code: str, on: type) -> Callable[[Callable[..., Iterator[Report]]], Any]:
    """Register a generator ``check(subject, build)`` for the rule ``code``.

    ``on`` is a step type (``RunStep``, ``CopyStep`` …), ``Stage`` or ``Build``.
    """

    def register(run: Callable[..., Iterator[Report]]) -> Callable[..., Iterator[Report]]:
        _checks.append(Check(code, on, run))
        return run

    return register


def all_checks() -> tuple[Check, ...]:
    """Every check, ordered by code; importing the modules of this package registers them."""
    if not _checks:
        for name in sorted(os.listdir(os.path.dirname(__file__))):
            if name.endswith(".py") and not name.startswith("_"):
                import_module(f"dfcache.checks.{name.removesuffix('.py')}")
    return tuple(sorted(_checks, key=lambda check: check.code))
