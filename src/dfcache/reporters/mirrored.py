"""What a check of a mirror shows."""

from __future__ import annotations

from collections.abc import Sequence

from dfcache.mirror.told import LACKS, OK, Told


def text(told: Sequence[Told], url: str) -> str:
    """A line for each thing, those that lack marked; what is there is only counted."""
    lines = [f"mirror {url}"]
    for each in told:
        if each.about != "requirement":
            lines.append(f"  {each.state:5}  {each.message}")
        elif each.state == LACKS:
            lines.append(f"  {each.state:5}  {each.path}:{each.line}: {each.text}: {each.message}")
    asked = [each for each in told if each.about == "requirement"]
    there = sum(each.state == OK for each in asked)
    if asked:
        state = OK if there == len(asked) else LACKS
        lines.append(f"  {state:5}  {there} of {len(asked)} requirements are there")
    return "\n".join(lines) + "\n"


def json_text(told: Sequence[Told], url: str) -> str:
    """All of it, for programs."""
    import json

    found = []
    for each in told:
        one: dict[str, object] = {"about": each.about, "state": each.state, "message": each.message}
        if each.about == "requirement":
            one |= {"requirement": each.text, "path": each.path, "line": each.line}
        found.append(one)
    good = all(each.state != LACKS for each in told)
    document = {"version": 1, "url": url, "good": good, "told": found}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
