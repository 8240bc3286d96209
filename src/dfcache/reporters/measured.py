"""A measurement, for people and for programs."""

from __future__ import annotations

from typing import Any

from dfcache.builders.downloads import Downloads
from dfcache.builders.measure import COLD, Cost, Measurement, saves

NOTHING_SAVED = "the fix saves nothing in the builds measured here"


def text(measured: Measurement) -> str:
    """A table: what each scenario cost, original against fixed."""
    lines = []
    for scenario in measured.scenarios:
        lines.append(f"{scenario.name} ({scenario.changed})")
        lines.append(f"  {'':17}{'original':>10}{'fixed':>10}")
        rows = zip(_rows(scenario.original), _rows(scenario.fixed), strict=True)
        lines += [f"  {name:17}{one:>10}{other:>10}" for (name, one), (_, other) in rows]
        lines.append("")
    lines += [f"{name}: skipped, {why}" for name, why in measured.skipped]
    silent = dict.fromkeys(
        each
        for scenario in measured.scenarios
        for side in (scenario.original, scenario.fixed)
        for each in side.downloads.silent
    )
    if silent:
        verb = "does" if len(silent) == 1 else "do"
        lines.append(f"?: {' and '.join(silent)} {verb} not say it")
    return "\n".join(lines).rstrip("\n") + "\n"


def json_text(measured: Measurement, context: str, dockerfile: str) -> str:
    """One JSON document of version 1; sizes are in bytes, None is what nobody tells."""
    import json

    document = {
        "version": 1,
        "context": context,
        "dockerfile": dockerfile,
        "scenarios": [
            {
                "name": scenario.name.replace(" ", "-"),
                "changed": scenario.changed,
                "original": _cost(scenario.original),
                "fixed": _cost(scenario.fixed),
            }
            for scenario in measured.scenarios
        ],
        "skipped": [{"name": n.replace(" ", "-"), "reason": why} for n, why in measured.skipped],
        "warnings": warnings(measured),
    }
    return json.dumps(document, indent=2) + "\n"


def warnings(measured: Measurement) -> list[str]:
    """What a reader should not overlook."""
    if not measured.scenarios:
        return ["nothing could be measured"]
    # A cold build downloads the same with any fix: there is nothing to save.
    saving = [saves(scenario) for scenario in measured.scenarios if scenario.name != COLD]
    return [] if any(saving) else [NOTHING_SAVED]


def _rows(cost: Cost) -> list[tuple[str, str]]:
    told = cost.downloads
    return [
        ("seconds", f"{cost.seconds:.1f}"),
        ("steps run", f"{len(cost.ran)} of {len(cost.steps)}"),
        ("packages fetched", "?" if told.packages is None else str(told.packages)),
        ("megabytes", _megabytes(told)),
    ]


def _megabytes(told: Downloads) -> str:
    """Enough digits to tell nothing from little."""
    if told.size is None:
        return "?"
    if told.size == 0:
        return "0"
    size = told.size / 1_000_000
    return f"{size:.1f}" if size >= 1 else f"{size:.3f}"


def _cost(cost: Cost) -> dict[str, Any]:
    return {
        "seconds": round(cost.seconds, 2),
        "steps": len(cost.steps),
        "ran": list(cost.ran),
        "packages": cost.downloads.packages,
        "bytes": cost.downloads.size,
        "silent": list(cost.downloads.silent),
    }
