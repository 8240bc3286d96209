"""Laws of linting and fixing, over Dockerfiles written from a grammar."""

from __future__ import annotations

from hypothesis import given, settings

from dfcache.diagnostics import Safety
from dfcache.engine.fix import Fixed, fix
from dfcache.engine.lint import Examined, examine
from dfcache.engine.settings import Settings
from dfcache.engine.verify import verify
from dfcache.model.context import Context, MemoryContext, NoContext
from dfcache.parser import parse
from dfcache.text import apply
from grammar import dockerfiles, soup

MANY = settings(max_examples=200, deadline=None)
FILES = {
    "requirements.txt": "-r base.txt\n-c constraints.txt\n",
    "base.txt": "flask\n-e ./lib\n",
    "constraints.txt": "flask<4\n",
    "lib/setup.py": "from setuptools import setup\nsetup(name='lib')\n",
    "package.json": '{"name": "app"}\n',
    "pyproject.toml": '[project]\nname = "app"\nversion = "1"\n',
    "app.py": "import flask\n",
    "src/main.py": "import app\n",
    ".dockerignore": "*.md\n",
}


def look(source: str, context: Context) -> Examined:
    return examine(source, context, Settings())


def mended(source: str, context: Context, least: Safety) -> Fixed:
    """The fixed file, proved as before every write."""
    fixed = fix(source, lambda text: look(text, context), least)
    verify(fixed.passes)
    return fixed


def check_laws(source: str, context: Context, least: Safety) -> None:
    found = look(source, context)
    for finding in found.findings:
        assert 0 <= finding.span.start <= finding.span.end <= len(source)
        assert finding.message
        assert "\n" not in finding.message
        assert finding.fix is None or apply(source, finding.fix.edits) != source
    fixed = mended(source, context, least)
    assert len(parse(fixed.source).problems) == len(found.dockerfile.problems)
    assert mended(fixed.source, context, least).source == fixed.source
    assert not [each for each in fixed.remaining if each.fix and each.fix.safety >= least]


@given(dockerfiles())
@MANY
def test_safe_fixes_without_a_context(source: str):
    check_laws(source, NoContext(), Safety.SAFE)


@given(dockerfiles())
@MANY
def test_safe_fixes_with_a_context(source: str):
    check_laws(source, MemoryContext(FILES), Safety.SAFE)


@given(dockerfiles())
@MANY
def test_unsafe_fixes_with_a_context(source: str):
    check_laws(source, MemoryContext(FILES), Safety.UNSAFE)


@given(soup())
@MANY
def test_text_that_is_no_dockerfile(source: str):
    check_laws(source, NoContext(), Safety.UNSAFE)
