"""``dfcache check`` and ``dfcache fix``: from options to an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from dfcache.cli.stream import colored, complain, opened
from dfcache.diagnostics import Safety, Severity
from dfcache.engine.discover import Found, Missing, discover
from dfcache.engine.run import STDIN, Outcome, Session, Trouble
from dfcache.engine.settings import SettingsError
from dfcache.parser import decode, encode
from dfcache.record import record
from dfcache.reporters import Reporter, reporter
from dfcache.reporters.summary import Tally, fixed

CLEAN, FINDINGS, FAILED = 0, 1, 2


@record
class Request:
    """What was asked for on the command line; the defaults are those of its options."""

    paths: tuple[str, ...]
    config: str | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    context: str | None = None
    builder: str | None = None
    format: str = "text"
    output: str | None = None
    quiet: bool = False
    exit_zero: bool = False
    fail_level: str | None = None
    color: str = "auto"
    stdin_filename: str | None = None
    pattern: str | None = None


class _Run:
    """A request under way: what is asked of each file, and what came of them so far."""

    def __init__(
        self, request: Request, session: Session, least: Safety | None, write: bool
    ) -> None:
        self.request = request
        self.session = session
        self.least = least
        self.write = write
        self.tally = Tally()
        self.code = CLEAN

    def raise_to(self, code: int) -> None:
        """The worst code wins."""
        self.code = max(self.code, code)


def run_check(request: Request) -> int:
    """Show findings; the exit code."""
    return _run(request, None, write=False)


def run_fix(request: Request, write: bool, unsafe: bool) -> int:
    """Show or make changes; the exit code."""
    if write and "-" in request.paths and (len(request.paths) > 1 or request.output):
        complain("dfcache: with --write, - must be the only path and --output can't be used")
        return FAILED
    return _run(request, Safety.UNSAFE if unsafe else Safety.SAFE, write)


def _run(request: Request, least: Safety | None, write: bool) -> int:
    try:
        run = _Run(request, _session(request), least, write)
    except SettingsError as error:
        return _configuration(error)
    found = list(_found(run))
    stdin = write and request.paths == ("-",)
    try:
        with opened(request.output, exact=request.format == "diff") as out:
            color = colored(request.color, request.output is not None)
            shown = reporter(request.format, (lambda text: None) if stdin else out, color)
            shown.start(sum(isinstance(each, Found) for each in found))
            for each in found:
                if isinstance(each, Missing):
                    _missing(run, shown, each)
                else:
                    _one(run, shown, each.path, each.named)
            if (found and least is None) or request.format == "json":
                shown.finish(run.tally, request.quiet)
    except BrokenPipeError:
        raise
    except OSError as error:
        complain(f"{request.output or 'standard output'}: cannot write: {error.strerror}")
        return FAILED
    if not found and not request.quiet:
        complain("dfcache: no Dockerfile found")
    elif least is not None and not request.quiet and request.format in ("diff", "text"):
        complain(fixed(run.tally, write))
    return CLEAN if run.code == FINDINGS and request.exit_zero else run.code


def _session(request: Request) -> Session:
    given: dict[str, object] = {}
    if request.select:
        given["select"] = request.select
    if request.context is not None:
        if not os.path.isdir(request.context):
            raise SettingsError("", f"--context {request.context}: no such folder")
        given["context"] = os.path.abspath(request.context)
    if request.builder is not None:
        given["builder"] = request.builder
    if request.pattern is not None:
        given["pattern"] = request.pattern
    if request.fail_level is not None:
        given["fail_level"] = Severity[request.fail_level.upper()]
    return Session(request.config, given, request.ignore)


def _missing(run: _Run, shown: Reporter, each: Missing) -> None:
    trouble = Trouble(each.path, 0, 0, each.reason)
    complain(_line(trouble))
    shown.outcome(Outcome(each.path, "", "", [], trouble=trouble))
    run.raise_to(FAILED)


def _found(run: _Run) -> Iterator[Found | Missing]:
    for path in run.request.paths or (".",):
        if path == "-":
            yield Found("-", named=True)
        else:
            yield from discover((path,), run.session.excluded)


def _one(run: _Run, shown: Reporter, path: str, named: bool) -> None:
    if path == "-":
        name = run.request.stdin_filename or STDIN
        source = decode(sys.stdin.buffer.read())
        # Who pipes a text through gets that text, and no other file changed.
        outcome = run.session.text(name, source, run.least, others=not run.write)
    else:
        outcome = run.session.file(path, run.least, named)
    if run.write:
        outcome = _written(outcome, path)
    _tell(run, shown, outcome)
    for each in outcome.companions:
        if run.write and each.trouble is None:
            each = _written(each, each.path)
        _tell(run, shown, each, companion=True)


def _tell(run: _Run, shown: Reporter, outcome: Outcome, companion: bool = False) -> None:
    """Show what came of a file, and count it."""
    if outcome.notice and not run.request.quiet:
        complain(f"{outcome.path}: {outcome.notice}")
    if outcome.trouble is not None:
        if outcome.trouble.message:
            complain(_line(outcome.trouble))
        run.raise_to(FAILED)
    if outcome.invalid:
        run.raise_to(FAILED)
    changed = outcome.fixed != outcome.source
    if outcome.failing or (changed and not run.write):
        run.raise_to(FINDINGS)
    run.tally.count(outcome, companion)
    shown.outcome(outcome)
    if run.request.format == "diff" and outcome.invalid and outcome.trouble is None:
        _refused_file(run, outcome)


def _written(outcome: Outcome, path: str) -> Outcome:
    """The outcome after its text was put where it belongs."""
    if path == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(encode(outcome.fixed))
        sys.stdout.buffer.flush()
        return outcome
    if outcome.fixed == outcome.source:
        return outcome
    from dfcache.engine.write import WriteError, write

    try:
        write(path, outcome.source, outcome.fixed)
    except WriteError as error:
        trouble = Trouble(path, 0, 0, f"left as it was: {error}")
        return Outcome(
            path,
            outcome.source,
            outcome.source,
            [],
            (),
            trouble,
            settings=outcome.settings,
            companions=outcome.companions,
        )
    return outcome


def _refused_file(run: _Run, outcome: Outcome) -> None:
    """A diff has no place for what BuildKit refuses: say it where errors go."""
    from dfcache.engine.lint import SYNTAX
    from dfcache.reporters.concise import concise
    from dfcache.text import Lines

    lines = Lines(outcome.fixed)
    for finding in outcome.findings:
        if finding.code == SYNTAX:
            complain(concise(outcome.path, lines, finding))


def _configuration(error: SettingsError) -> int:
    place = Trouble(error.path or "dfcache", error.line, error.column, str(error))
    complain(_line(place))
    return FAILED


def _line(trouble: Trouble) -> str:
    place = f":{trouble.line}:{trouble.column}" if trouble.line else ""
    return f"{trouble.path}{place}: {trouble.message}"
