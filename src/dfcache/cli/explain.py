"""``dfcache explain``: from options to an exit code."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dfcache.cli.stream import colored, complain, opened
from dfcache.engine.run import STDIN, Session
from dfcache.engine.settings import Settings, SettingsError
from dfcache.record import record

if TYPE_CHECKING:
    from dfcache.model.build import Build
    from dfcache.model.explain import Explanation

CLEAN, FAILED = 0, 2
_NAMES = ("Dockerfile", "Containerfile", "dockerfile", "containerfile")


@record
class Wanted:
    """What was asked for on the command line."""

    path: str
    changes: tuple[str, ...]
    arguments: tuple[str, ...]
    context: str | None
    config: str | None
    format: str
    output: str | None
    color: str


class ExplainError(Exception):
    """Why there is nothing to show: ``str()`` is a line for the user."""


def run_explain(wanted: Wanted) -> int:
    """Show what runs again; the exit code."""
    try:
        text = _text(wanted)
    except SettingsError as error:
        place = f"{error.path}:{error.line}" if error.line else error.path or "dfcache"
        complain(f"{place}: {error}")
        return FAILED
    except ExplainError as error:
        complain(str(error))
        return FAILED
    try:
        with opened(wanted.output, exact=False) as out:
            out(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        complain(f"{wanted.output or 'standard output'}: cannot write: {error.strerror}")
        return FAILED
    return CLEAN


def _text(wanted: Wanted) -> str:
    path, source = _read(wanted.path)
    if wanted.context is not None and not os.path.isdir(wanted.context):
        raise ExplainError(f"dfcache: --context {wanted.context}: no such folder")
    given = {} if wanted.context is None else {"context": os.path.abspath(wanted.context)}
    session = Session(wanted.config, given)
    settings = session.settings(path)
    look = _Look(path, source, settings, session, wanted)
    before = look.explanation(source)
    if wanted.format == "html":
        from dfcache.reporters import explain_html

        tables = look.merged(*(table for table in (before, look.mended()) if table))
        return explain_html.explained(path, look.shown, *tables)
    (before,) = look.merged(before)
    if wanted.format == "json":
        from dfcache.reporters import explain_json

        return explain_json.explained(path, look.shown, before)
    from dfcache.reporters import explain_text

    color = colored(wanted.color, wanted.output is not None)
    return explain_text.explained(path, look.shown, before, color)


def _read(given: str) -> tuple[str, str]:
    """The path and the text of the Dockerfile that was named, or is in the folder that was."""
    if given == "-":
        from dfcache.parser import decode

        return STDIN, decode(sys.stdin.buffer.read())
    from dfcache.engine.write import read

    path = given
    if os.path.isdir(given):
        names = (os.path.join(given, name) for name in _NAMES)
        found = next((name for name in names if os.path.isfile(name)), None)
        if found is None:
            raise ExplainError(f"dfcache: no Dockerfile in {given}")
        path = os.path.normpath(found)
    try:
        return path, read(path)
    except OSError as error:
        raise ExplainError(f"{path}: cannot read: {error.strerror or error}") from error


class _Look:
    """A Dockerfile and its context, as they are and as they would be after a fix."""

    def __init__(
        self, path: str, source: str, settings: Settings, session: Session, wanted: Wanted
    ) -> None:
        from dfcache.engine.context import context_of

        self.path = path
        self.source = source
        self.settings = settings
        self.session = session
        self.wanted = wanted
        self.chosen = context_of(None if path == STDIN else path, source, settings)
        self.root = self.chosen.root
        self.paths = tuple(self.in_context(each) for each in wanted.changes)

    @property
    def shown(self) -> str | None:
        """The folder of the context, as a user would name it."""
        return None if self.root is None else os.path.relpath(self.root)

    def in_context(self, path: str) -> str:
        """A path as the user gives it, from the current folder or the context's, in the context."""
        if self.root is None:
            return path
        root = os.path.realpath(self.root)
        for base in (os.getcwd(), root):
            full = os.path.join(base, path)
            inside = os.path.relpath(os.path.realpath(full), root)
            if os.path.lexists(full) and inside.split(os.sep)[0] != os.pardir:
                return "" if inside == os.curdir else Path(inside).as_posix()
        return path

    def explanation(self, source: str) -> Explanation:
        from dfcache.model.explain import explain

        build = self.build(source)
        own = None if self.path == STDIN else self.in_context(self.path)
        if own is not None and not build.context.is_file(own):
            own = None
        return explain(build, own, self.paths, self.wanted.arguments)

    def build(self, source: str) -> Build:
        from dfcache.engine.lint import tree

        dockerfile = tree(source)
        if dockerfile.problems:
            problem = dockerfile.problems[0]
            line = problem.lines[0] if problem.lines else 1
            raise ExplainError(f"{self.path}:{line}: BuildKit refuses it: {problem.message}")
        return self.session.rules.understand(dockerfile, self.chosen.context, self.settings)

    def merged(self, *tables: Explanation) -> tuple[Explanation, ...]:
        """The tables with few columns, unless it was said which to show."""
        from dfcache.model.explain import merged

        return tables if self.paths or self.wanted.arguments else merged(*tables)

    def mended(self) -> Explanation | None:
        """The same for the Dockerfile after its safe fixes; None where they change nothing."""
        from dfcache.diagnostics import Safety

        outcome = self.session.text(self.path, self.source, Safety.SAFE)
        if outcome.trouble is not None or outcome.fixed == self.source:
            return None
        return self.explanation(outcome.fixed)
