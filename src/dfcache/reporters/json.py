"""For programs: one JSON document, written while the files are worked on.

Lines and columns count from 1, columns in characters. ``errors`` lists what exit code 2 is
about: trouble with a file, and files that BuildKit refuses (which are findings, too).
An error that concerns a file as a whole stands at line 1, column 1.
"""

from __future__ import annotations

import json
from typing import Any

from dfcache.diagnostics import Finding, Fix
from dfcache.engine.links import page_url
from dfcache.engine.lint import SYNTAX
from dfcache.engine.run import Outcome
from dfcache.reporters import Write
from dfcache.reporters.summary import Tally
from dfcache.text import Lines, Span


class JsonReporter:
    """The format of version 1."""

    def __init__(self, write: Write, color: bool) -> None:
        self._write = write
        self._first = True
        self._errors: list[dict[str, Any]] = []

    def start(self, files: int) -> None:
        """Open the document."""
        self._write(f'{{"version": 1, "files": {files}, "findings": [')

    def outcome(self, outcome: Outcome) -> None:
        """Write the findings, keep the errors for the end."""
        lines = Lines(outcome.fixed)
        for finding in outcome.findings:
            self._write(("" if self._first else ",") + "\n")
            self._first = False
            self._write(json.dumps(_finding(outcome.path, lines, finding)))
            if finding.code == SYNTAX:
                line, column = lines.position(finding.span.start)
                self._error(outcome.path, line, column, finding.message)
        trouble = outcome.trouble
        if trouble is not None and trouble.message:
            self._error(trouble.path, trouble.line or 1, trouble.column or 1, trouble.message)

    def finish(self, tally: Tally, quiet: bool) -> None:
        """Close the document."""
        self._write(f'{"" if self._first else chr(10)}], "errors": {json.dumps(self._errors)}}}\n')

    def _error(self, path: str, line: int, column: int, message: str) -> None:
        self._errors.append({"path": path, "line": line, "column": column, "message": message})


def _finding(path: str, lines: Lines, finding: Finding) -> dict[str, Any]:
    return {
        "path": path,
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.name.lower(),
        "message": finding.message,
        **_range(lines, finding.span),
        "fix": _fix(lines, finding.fix) if finding.fix else None,
        "url": page_url(finding.code, finding.name),
    }


def _fix(lines: Lines, fix: Fix) -> dict[str, Any]:
    edits = [{**_range(lines, edit.span), "text": edit.text} for edit in sorted(fix.edits)]
    return {"title": fix.title, "safety": fix.safety.name.lower(), "edits": edits}


def _range(lines: Lines, span: Span) -> dict[str, Any]:
    return {"start": _position(lines, span.start), "end": _position(lines, span.end)}


def _position(lines: Lines, offset: int) -> dict[str, int]:
    line, column = lines.position(offset)
    return {"line": line, "column": column}
