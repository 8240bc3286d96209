"""A build context that is only a guess makes no fix safe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dfcache.checks.registry import Check, Report
from dfcache.diagnostics import Fix, Safety
from dfcache.engine.context import Chosen, context_of, examine_in
from dfcache.engine.lint import Examined, Rules, examine
from dfcache.engine.settings import Settings
from dfcache.model.context import Context, MemoryContext, NoContext
from dfcache.parser.tree import Dockerfile
from dfcache.text import Edit, Span
from fakes import FakeBuild, finds, replaces, rules

SOURCE = "FROM a\nRUN bad\nRUN ugly\n"


@dataclass(frozen=True, slots=True)
class Seeing(FakeBuild):
    """A build that knows its context."""

    context: Context

    def subjects(self, kind: type) -> Iterator[object]:
        if kind is Seeing:
            yield self
        if kind is FakeBuild:
            yield FakeBuild(self.dockerfile)


def needs_context(build: Seeing, _: object) -> Iterator[Report]:
    span = Span(SOURCE.index("ugly"), SOURCE.index("ugly") + 4)
    safety = Safety.SAFE if build.context.known else Safety.UNSAFE
    yield Report(span, "ugly is here", Fix("Write fine", (Edit(span, "fine"),), safety))


def understand(dockerfile: Dockerfile, context: Context, settings: Settings) -> Seeing:
    return Seeing(dockerfile, context)


def look(chosen: Chosen) -> list[tuple[str, Safety, int]]:
    made = rules(finds("DFC101", "bad", replaces("good")), Check("DFC102", Seeing, needs_context))
    seeing = Rules(made.pages, made.checks, understand)  # type: ignore[arg-type]

    def one(context: Context) -> Examined:
        return examine(SOURCE, context, Settings(), seeing)

    found = examine_in(chosen, one).findings
    return [(each.code, each.fix.safety, len(each.notes)) for each in found if each.fix]


def test_a_certain_context_is_trusted():
    assert look(Chosen(MemoryContext({}))) == [
        ("DFC101", Safety.SAFE, 0),
        ("DFC102", Safety.SAFE, 0),
    ]


def test_with_a_guess_only_what_needs_no_context_stays_safe():
    assert look(Chosen(MemoryContext({}), "the folder above")) == [
        ("DFC101", Safety.SAFE, 0),
        ("DFC102", Safety.UNSAFE, 1),
    ]


def test_where_a_context_comes_from(tmp_path: Path):
    path = tmp_path / "Dockerfile"
    path.write_text("FROM a\nCOPY app.py /\n")
    (tmp_path / "app.py").write_text("")
    given = Settings(context=str(tmp_path))
    assert isinstance(context_of(None, SOURCE, Settings()).context, NoContext)
    assert context_of(None, SOURCE, given).context.is_file("app.py")
    found = context_of(str(path), path.read_text(), Settings())
    assert found.context.is_file("app.py")
    assert found.doubt is None
    missing = context_of(str(path), "FROM a\nCOPY gone.py /\n", Settings())
    assert "the folder of the Dockerfile" in (missing.doubt or "")


def test_an_install_tells_where_the_context_is(tmp_path: Path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements/dev.txt").write_text("a\n")
    path = tmp_path / "docker/Dockerfile"
    path.parent.mkdir()

    def root(install: str) -> str | None:
        text = f"FROM python\nWORKDIR /app\nCOPY . .\nRUN pip install {install}\n"
        path.write_text(text)
        found = context_of(str(path), text, Settings())
        return None if found.doubt else found.root and found.root.name

    assert root("-r requirements/dev.txt") == tmp_path.name
    assert root("-r ../app/requirements/dev.txt") == tmp_path.name
    assert root("-r /srv/requirements/dev.txt") is None
    assert root("-r $NAME") is None
    assert root("flask") is None
