"""The table of ``dfcache explain`` for programs."""

from __future__ import annotations

import json

from dfcache.model.explain import AGAIN, Change, Explanation, worst


def explained(path: str, context: str | None, explanation: Explanation) -> str:
    """One document of version 1.

    ``steps`` are those that make a layer; ``lost`` names the commands in them that download
    packages which no cache keeps, ``kept`` those whose packages one does. Of each change,
    ``again`` holds the lines of the steps that run again, ``maybe`` of those that do if the stage
    they copy from then holds other files, ``downloads`` of those among both that download.
    """
    document = {
        "version": 1,
        "path": path,
        "context": context,
        "steps": [
            {
                "line": line.number,
                "stage": line.stage or None,
                "text": line.text,
                "lost": line.lost,
                "kept": line.kept,
            }
            for line in explanation.steps
        ],
        "changes": [_change(explanation, change) for change in explanation.changes],
        "notes": explanation.notes,
        "worst": worst(explanation),
    }
    return json.dumps(document, indent=2) + "\n"


def _change(explanation: Explanation, change: Change) -> dict[str, object]:
    marked = list(zip(explanation.steps, change.marks, strict=True))
    return {
        "kind": change.kind.lower(),
        "names": change.names,
        "again": [line.number for line, mark in marked if mark == AGAIN],
        "maybe": [line.number for line, mark in marked if mark not in ("", AGAIN)],
        "downloads": [line.number for line in explanation.downloads(change)],
    }
