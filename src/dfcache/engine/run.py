"""One file after the other: read, lint, fix, verify, and say what went wrong.

Nothing of a file is kept once its outcome is handed out, so memory doesn't grow with
the number of files.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dfcache.diagnostics import Finding, Safety
from dfcache.engine.links import BUGS
from dfcache.engine.lint import SYNTAX, Examined, Rules, all_rules, examine
from dfcache.engine.settings import Finder, Settings, SettingsError, closest, matches
from dfcache.record import EMPTY, record, replace
from dfcache.text import Span

if TYPE_CHECKING:
    from dfcache.engine.context import Chosen

STDIN = "<stdin>"
"""The path of a text from standard input that has no file name."""


@record
class Trouble:
    """Why dfcache could not do its work on a file; ``line`` and ``column`` are 0 where unknown."""

    path: str
    line: int
    column: int
    message: str


@record
class Outcome:
    """What came of one file.

    ``fixed`` is the text after fixes, equal to ``source`` where nothing was to be done;
    ``findings`` belong to ``fixed``. ``applied`` are the findings whose fixes were applied.
    ``notice`` says why a file was passed over without harm. ``companions`` are the files that its
    steps read and findings are about; each is told once in a session.
    """

    path: str
    source: str
    fixed: str
    findings: list[Finding]
    applied: tuple[Finding, ...] = ()
    trouble: Trouble | None = None
    notice: str | None = None
    settings: Settings = Settings()
    companions: tuple[Outcome, ...] = ()

    @property
    def failing(self) -> bool:
        """Whether a finding is bad enough for the exit code."""
        return any(each.severity >= self.settings.fail_level for each in self.findings)

    @property
    def invalid(self) -> bool:
        """Whether dfcache could not do its work: trouble, or a file that BuildKit refuses."""
        return self.trouble is not None or any(each.code == SYNTAX for each in self.findings)


class Session:
    """One run over some files with one configuration."""

    __slots__ = (
        "_changed",
        "_checked",
        "_finder",
        "_given",
        "_ignored",
        "_reported",
        "_told",
        "rules",
    )

    def __init__(
        self,
        config: str | None = None,
        given: Mapping[str, Any] | None = None,
        ignored: tuple[str, ...] = (),
        rules: Rules | None = None,
    ) -> None:
        """``given`` are values that beat every configuration; ``ignored`` adds to ``ignore``.

        Raises SettingsError where ``config`` can't be used or a rule isn't known.
        """
        self.rules = rules or all_rules()
        self._finder = Finder(config)
        self._given = dict(given or {})
        self._ignored = ignored
        self._checked: set[str | None] = set()
        self._reported: set[str] = set()
        self._changed: dict[str, str] = {}
        self._told: set[tuple[str, str, Span]] = set()
        self._known(Settings(select=self._given.get("select", ()), ignore=ignored))

    def settings(self, path: str) -> Settings:
        """The settings for a file. Raises SettingsError."""
        settings = self._finder.near(os.path.dirname(path) or ".")
        if settings.source not in self._checked:
            self._known(settings)
            self._checked.add(settings.source)
        settings = replace(settings.for_path(path), **self._given)
        return replace(settings, ignore=settings.ignore + self._ignored)

    def excluded(self, path: str) -> bool:
        """Whether the configuration leaves out a file that was found in a folder."""
        try:
            settings = self._finder.near(os.path.dirname(path) or ".")
        except SettingsError:
            return False  # it is reported with the file
        return matches(path, settings.root, settings.exclude)

    def file(self, path: str, least: Safety | None = None, named: bool = True) -> Outcome:
        """Check a file; apply fixes at least as safe as ``least`` to its text, if given."""
        from dfcache.engine.write import read

        try:
            source = read(path)
        except OSError as error:
            return _troubled(path, f"cannot read: {error.strerror or error}")
        return self.text(path, source, least, named)

    def text(
        self,
        path: str,
        source: str,
        least: Safety | None = None,
        named: bool = True,
        others: bool = True,
    ) -> Outcome:
        """As ``file``, for a text that was read elsewhere; ``path`` need not exist.

        Without ``others``, fixes of the files that its steps read are not applied.
        """
        try:
            settings = self.settings(path)
        except SettingsError as error:
            return self._misconfigured(path, error)
        try:
            outcome = self._work(path, source, settings, least, others)
        except Exception as error:
            return _troubled(path, bug(error), source, settings)
        return outcome if named else _template(outcome)

    def _work(
        self, path: str, source: str, settings: Settings, least: Safety | None, others: bool
    ) -> Outcome:
        from dfcache.engine.context import context_of

        chosen = context_of(None if path == STDIN else path, source, settings)

        def look(text: str) -> Examined:
            return self._look(text, chosen, settings)

        if least is None:
            outcome = Outcome(path, source, source, look(source).findings, settings=settings)
        else:
            outcome = _fixed(path, source, settings, look, least)
        if all(each.elsewhere is None for each in outcome.findings):
            return outcome
        return self._with_companions(outcome, chosen, least if others else None)

    def _with_companions(self, outcome: Outcome, chosen: Chosen, least: Safety | None) -> Outcome:
        from dfcache.engine.companions import about, companions, own

        made = list(companions(outcome.findings, chosen.context, chosen.root, least))
        findings = outcome.findings
        changed = {each.file: each.fixed[each.shift :] for each in made if each.applied}
        if changed:
            findings = self._look(outcome.fixed, chosen, outcome.settings, changed).findings
        found = []
        for each in made:
            left = about(findings, each.file, each.shift) if changed else each.findings
            left = [one for one in left if self._is_new(each.path, one)]
            why = f"left as it was: a fix is not what it says: {each.refused}; please report it at"
            trouble = Trouble(each.path, 0, 0, f"{why} {BUGS}") if each.refused else None
            source, applied = each.source, each.applied
            if applied and not self._is_first_change(each.path, source, each.fixed):
                source, applied = each.fixed, ()
            if left or applied or trouble:
                found.append(
                    Outcome(
                        each.path, source, each.fixed, left, applied, trouble,
                        settings=outcome.settings,
                    )
                )  # fmt: skip
        return replace(outcome, findings=own(findings), companions=tuple(found))

    def _is_first_change(self, path: str, source: str, fixed: str) -> bool:
        """Whether no change of a text is told already, by another Dockerfile that reads the file.

        What was told and then written is the text to change now.
        """
        key = os.path.realpath(path)
        told = self._changed.get(key, source)
        self._changed[key] = fixed
        return told == source

    def _look(
        self, source: str, chosen: Chosen, settings: Settings, texts: Mapping[str, str] = EMPTY
    ) -> Examined:
        """What there is in the text, in its context with other ``texts`` in some files."""
        from dfcache.engine.context import examine_in

        if texts:
            from dfcache.model.overlay import with_texts

            chosen = replace(chosen, context=with_texts(chosen.context, texts))
        return examine_in(chosen, lambda context: examine(source, context, settings, self.rules))

    def _is_new(self, path: str, finding: Finding) -> bool:
        """Whether this was not said already for another Dockerfile that reads the file."""
        key = (os.path.realpath(path), finding.code, finding.span)
        new = key not in self._told
        self._told.add(key)
        return new

    def _misconfigured(self, path: str, error: SettingsError) -> Outcome:
        """Each broken configuration is told once; its files are not done."""
        trouble = Trouble(error.path or path, error.line, error.column, str(error))
        first = error.path not in self._reported
        self._reported.add(error.path)
        return Outcome(path, "", "", [], trouble=trouble if first else replace(trouble, message=""))

    def _known(self, settings: Settings) -> None:
        """Refuse the names of rules that don't exist."""
        names = self.rules.names()
        chosen = [(settings.select, settings.extend_select, settings.ignore)]
        for _, values in settings.overrides:
            chosen += [tuple(values.get(k, ()) for k in ("select", "extend_select", "ignore"))]
        for word in (word for lists in chosen for words in lists for word in words):
            code = word[:3].upper() == "DFC" and any(c.startswith(word.upper()) for c in names)
            if not code and word not in names.values():
                near = closest(word, (*names, *names.values()))
                hint = f"did you mean {near}?" if near else "`dfcache rule` lists them all"
                raise SettingsError(settings.source or "", f"there is no rule {word}; {hint}")


def _fixed(path: str, source: str, settings: Settings, look: Any, least: Safety) -> Outcome:
    from dfcache.engine.fix import CircleError, fix

    try:
        fixed = fix(source, look, least)
        if fixed.passes:
            from dfcache.engine.verify import VerifyError, verify

            try:
                verify(fixed.passes)
            except VerifyError as error:
                why = f"a fix of {', '.join(error.names)} is not what it says: {error}"
                return _refused(path, source, settings, look, why)
    except CircleError as error:
        return _refused(path, source, settings, look, str(error))
    return Outcome(path, source, fixed.source, fixed.remaining, fixed.applied, settings=settings)


def _refused(path: str, source: str, settings: Settings, look: Any, why: str) -> Outcome:
    message = f"left as it was: {why}; this is a bug of dfcache, please report it at {BUGS}"
    trouble = Trouble(path, 0, 0, message)
    return Outcome(path, source, source, look(source).findings, (), trouble, settings=settings)


def _template(outcome: Outcome) -> Outcome:
    """A template found in a folder is passed over where it is no Dockerfile as it stands."""
    from dfcache.engine.discover import is_template

    if not is_template(outcome.path) or all(each.code != SYNTAX for each in outcome.findings):
        return outcome
    notice = "passed over: a template that is no Dockerfile as it stands"
    return Outcome(outcome.path, "", "", [], notice=notice, settings=outcome.settings)


def _troubled(
    path: str, message: str, source: str = "", settings: Settings | None = None
) -> Outcome:
    trouble = Trouble(path, 0, 0, message)
    return Outcome(path, source, source, [], trouble=trouble, settings=settings or Settings())


def bug(error: Exception) -> str:
    """One line for a bug report: what was raised, and where."""
    cause = error.__cause__ or error
    at = cause.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    where = f" in {os.path.basename(at.tb_frame.f_code.co_filename)}:{at.tb_lineno}" if at else ""
    text = " ".join(str(error).split()) or type(error).__name__
    return f"dfcache failed ({type(cause).__name__}{where}: {text}); please report it at {BUGS}"
