"""The fixtures: what a file is said to have, and what it becomes.

``tests/fixtures/<rule-name>/<case>/`` holds ``before.Dockerfile``, ``findings.txt`` (the concise
format, paths left out), ``after.Dockerfile`` unless the file must stay as it is, and where
they matter ``context/``, ``context.after/`` (the files of the context that fixes change, as they
are then), ``dfcache.toml``, ``unsafe`` (an empty file: unsafe fixes are applied)
and ``no-onbuild`` (an empty file: as triggers its steps mean something else). A case has a
context only if it has that folder.

Most installs here name no versions, which is not what their cases are about: unpinned-requirement
speaks only in its own cases, and in those of ``several``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dfcache.diagnostics import Finding, Safety
from dfcache.engine.companions import companions, own
from dfcache.engine.fix import Fixed, fix
from dfcache.engine.lint import Examined, examine
from dfcache.engine.settings import Settings, load
from dfcache.engine.verify import verify
from dfcache.engine.write import read
from dfcache.model.context import Context, DirectoryContext, NoContext
from dfcache.parser import parse
from dfcache.record import replace
from dfcache.reporters.concise import concise
from dfcache.text import Lines

FIXTURES = Path(__file__).parent / "fixtures"


@dataclass(frozen=True)
class Case:
    """One folder of fixtures."""

    folder: Path

    @property
    def name(self) -> str:
        return "/".join(self.folder.parts[-2:])

    @property
    def before(self) -> str:
        return read(str(self.folder / "before.Dockerfile"))

    @property
    def after(self) -> str:
        """What the file must become: itself where nothing is said."""
        path = self.folder / "after.Dockerfile"
        return read(str(path)) if path.exists() else self.before

    @property
    def findings(self) -> str:
        path = self.folder / "findings.txt"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    @property
    def least(self) -> Safety:
        return Safety.UNSAFE if (self.folder / "unsafe").exists() else Safety.SAFE

    def settings(self) -> Settings:
        path = self.folder / "dfcache.toml"
        settings = load(str(path)) if path.exists() else Settings(root=str(self.folder))
        if self.folder.parent.name in ("unpinned-requirement", "several"):
            return settings
        return replace(settings, ignore=(*settings.ignore, "unpinned-requirement"))

    def context(self) -> Context:
        path = self.folder / "context"
        return DirectoryContext(path) if path.is_dir() else NoContext()

    def examine(self, source: str) -> Examined:
        return examine(source, self.context(), self.settings())

    def fix(self, source: str) -> Fixed:
        """The fixed file, after the proof that every run of dfcache asks for."""
        fixed = fix(source, self.examine, self.least)
        verify(fixed.passes)
        return fixed

    def listing(self, source: str, findings: list[Finding]) -> str:
        """Findings as ``findings.txt`` has them: those of other files behind, with their path."""
        shown = listing(source, own(findings))
        for each in companions(findings, self.context(), None, None):
            lines = Lines(each.source)
            shown += "".join(concise(each.path, lines, one) + "\n" for one in each.findings)
        return shown

    def changed(self, findings: list[Finding]) -> dict[str, str]:
        """The files of the context that the fixes among ``findings`` change, by path."""
        root = self.folder / "context"
        made = {}
        for each in companions(findings, self.context(), root, self.least):
            assert not each.refused, each.refused
            if each.fixed != each.source:
                made[str(Path(each.path).resolve().relative_to(root.resolve()))] = each.fixed
        return made

    @property
    def changes(self) -> dict[str, str]:
        """What ``changed`` must give."""
        root = self.folder / "context.after"
        files = (path for path in root.rglob("*") if path.is_file())
        return {str(path.relative_to(root)): read(str(path)) for path in files}

    def accept_changes(self, changed: dict[str, str]) -> None:
        """Make today's changes of the context the expected ones."""
        root = self.folder / "context.after"
        for path in self.changes.keys() - changed.keys():
            (root / path).unlink()
        for path, text in changed.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(text.encode("utf-8", "surrogateescape"))

    def accept(self, findings: str, after: str, create: bool) -> None:
        """Make today's results the expected ones."""
        (self.folder / "findings.txt").write_text(findings, encoding="utf-8")
        path = self.folder / "after.Dockerfile"
        if after == self.before:
            path.unlink(missing_ok=True)
        elif path.exists() or create:
            path.write_bytes(after.encode("utf-8", "surrogateescape"))


def cases() -> list[Case]:
    """Every case, in order; a folder without a Dockerfile is a mistake."""
    folders = sorted(path for path in FIXTURES.glob("*/*") if path.is_dir())
    for folder in folders:
        assert (folder / "before.Dockerfile").exists(), f"{folder} has no before.Dockerfile"
    return [Case(folder) for folder in folders]


def listing(source: str, findings: list[Finding]) -> str:
    """Findings as ``findings.txt`` has them."""
    lines = Lines(source)
    rows = (concise("", lines, finding).removeprefix(":") for finding in findings)
    return "".join(row + "\n" for row in rows)


def crlf(source: str) -> str | None:
    """The same file with the line ends of Windows; None where it has some already."""
    return None if "\r" in source else source.replace("\n", "\r\n")


def onbuild(source: str) -> str | None:
    """The same steps as triggers; None where that is not possible or would mean something else.

    Only for files of a single stage whose other instructions are RUNs without heredocs.
    """
    tree = parse(source)
    first, *rest = tree.instructions or (None,)
    if first is None or first.name != "FROM" or not rest:
        return None
    if any(each.name != "RUN" or each.heredocs for each in rest):
        return None
    for each in reversed(rest):
        start = each.keyword_span.start
        source = f"{source[:start]}ONBUILD {source[start:]}"
    return source
