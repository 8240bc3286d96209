"""The pages of the rules are their first tests."""

from __future__ import annotations

import pytest

from dfcache.diagnostics import Safety
from dfcache.engine.fix import fix
from dfcache.engine.lint import Examined, all_rules, examine
from dfcache.engine.settings import Settings
from dfcache.engine.verify import verify
from dfcache.knowledge import load
from dfcache.knowledge.records import Example, RulePage
from dfcache.model.context import MemoryContext, NoContext

CHECKED = {check.code for check in all_rules().checks} | {"DFC901", "DFC902", "DFC903"}
PAGES = [page for page in load().pages if page.code in CHECKED]
BAD = [(page, number) for page in PAGES for number in range(len(page.bad))]
GOOD = [(page, number) for page in PAGES for number in range(len(page.good))]
FIXABLE = [(page, number) for page, number in BAD if page.fix in ("safe", "unsafe")]


def name(value: object) -> str:
    return value.code if isinstance(value, RulePage) else str(value)


def look(example: Example, text: str | None = None) -> Examined:
    context = NoContext() if example.context is None else MemoryContext(example.context)
    return examine(example.dockerfile if text is None else text, context, Settings())


@pytest.mark.parametrize(("page", "number"), BAD, ids=name)
def test_bad_fires_its_rule_and_no_other(page: RulePage, number: int):
    found = look(page.bad[number]).findings
    assert {each.code for each in found} == {page.code}, [each.message for each in found]


@pytest.mark.parametrize(("page", "number"), GOOD, ids=name)
def test_good_is_silent(page: RulePage, number: int):
    assert [each.message for each in look(page.good[number]).findings] == []


@pytest.mark.parametrize(("page", "number"), FIXABLE, ids=name)
def test_fixing_bad_gives_good(page: RulePage, number: int):
    bad = page.bad[number]
    least = Safety.SAFE if page.fix == "safe" else Safety.UNSAFE
    fixed = fix(bad.dockerfile, lambda text: look(bad, text), least)
    verify(fixed.passes)
    assert fixed.source == page.good[number].dockerfile


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_fix_is_safer_than_the_page_says(page: RulePage):
    offered = [each.fix.safety for bad in page.bad for each in look(bad).findings if each.fix]
    most = 0 if page.fix == "none" else Safety[page.fix.upper()]
    assert max(offered, default=0) <= most
