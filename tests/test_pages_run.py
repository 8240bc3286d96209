"""The pages of the rules are their first tests."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from dfcache.diagnostics import Finding, Safety
from dfcache.engine.companions import companions
from dfcache.engine.fix import fix
from dfcache.engine.lint import Examined, all_rules, examine
from dfcache.engine.settings import Settings
from dfcache.engine.settings import load as load_settings
from dfcache.engine.verify import verify
from dfcache.knowledge import load
from dfcache.knowledge.records import Example, RulePage
from dfcache.model.context import DirectoryContext, MemoryContext, NoContext
from dfcache.record import replace

CHECKED = {check.code for check in all_rules().checks} | {"DFC901", "DFC902", "DFC903"}
PAGES = [page for page in load().pages if page.code in CHECKED]
BAD = [(page, number) for page in PAGES for number in range(len(page.bad))]
GOOD = [(page, number) for page in PAGES for number in range(len(page.good))]
FIXABLE = [(page, number) for page, number in BAD if page.fix in ("safe", "unsafe")]


def name(value: object) -> str:
    return value.code if isinstance(value, RulePage) else str(value)


def look(page: RulePage, example: Example, text: str | None = None) -> Examined:
    """What is found in the context of the example, by the configuration that may be in it."""
    files = example.context
    context = NoContext() if files is None else MemoryContext(files)
    on_request = (page.code,) if page.on_request else ()
    settings = replace(settings_of(files or {}), extend_select=on_request)
    return examine(example.dockerfile if text is None else text, context, settings)


def settings_of(files: Mapping[str, str]) -> Settings:
    with TemporaryDirectory() as folder:
        path = Path(folder, "dfcache.toml")
        path.write_text(files.get("dfcache.toml", ""))
        return load_settings(str(path))


@pytest.mark.parametrize(("page", "number"), BAD, ids=name)
def test_bad_fires_its_rule_and_no_other(page: RulePage, number: int):
    found = look(page, page.bad[number]).findings
    assert {each.code for each in found} == {page.code}, [each.message for each in found]


@pytest.mark.parametrize(("page", "number"), GOOD, ids=name)
def test_good_is_silent(page: RulePage, number: int):
    assert [each.message for each in look(page, page.good[number]).findings] == []


@pytest.mark.parametrize(("page", "number"), FIXABLE, ids=name)
def test_fixing_bad_gives_good(page: RulePage, number: int):
    bad = page.bad[number]
    least = Safety.SAFE if page.fix == "safe" else Safety.UNSAFE
    fixed = fix(bad.dockerfile, lambda text: look(page, bad, text), least)
    verify(fixed.passes)
    assert fixed.source == page.good[number].dockerfile
    assert mended(bad, fixed.remaining, least) == (page.good[number].context or {})


def mended(example: Example, findings: list[Finding], least: Safety) -> dict[str, str]:
    """The example's context with the fixes of its files."""
    files = dict(example.context or {})
    with TemporaryDirectory() as folder:
        for path, text in files.items():
            Path(folder, path).parent.mkdir(parents=True, exist_ok=True)
            Path(folder, path).write_text(text)
        context = DirectoryContext(Path(folder))
        for each in companions(findings, context, Path(folder), least):
            assert not each.refused
            files[os.path.relpath(each.path, folder)] = each.fixed
    return files


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_fix_is_safer_than_the_page_says(page: RulePage):
    offered = [each.fix.safety for bad in page.bad for each in look(page, bad).findings if each.fix]
    most = 0 if page.fix == "none" else Safety[page.fix.upper()]
    assert max(offered, default=0) <= most
