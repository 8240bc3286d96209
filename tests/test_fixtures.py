"""Every fixture, as it stands, with CRLF line ends, and as ONBUILD triggers."""

from __future__ import annotations

import pytest

from dfcache.engine.lint import all_rules
from dfcache.parser import parse
from harness import FIXTURES, Case, cases, crlf, onbuild

CASES = cases()
UNIX = [case for case in CASES if crlf(case.before)]
TRIGGERS = [
    case for case in CASES if onbuild(case.before) and not (case.folder / "no-onbuild").exists()
]
pytestmark = pytest.mark.skipif(not CASES, reason="there are no fixtures")


def each(made: list[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", made, ids=lambda case: case.name)


@each(CASES)
def test_what_is_found_and_what_the_file_becomes(case: Case, request: pytest.FixtureRequest):
    found = case.listing(case.before, case.examine(case.before).findings)
    fixed = case.fix(case.before)
    changed = case.changed(fixed.remaining)
    if request.config.getoption("--accept"):
        case.accept(found, fixed.source, request.config.getoption("--accept-after"))
        case.accept_changes(changed)
    assert found == case.findings
    assert fixed.source == case.after
    assert changed == case.changes


@each(CASES)
def test_fixing_again_changes_nothing(case: Case):
    fixed = case.fix(case.before)
    assert case.fix(fixed.source).source == fixed.source
    assert len(parse(fixed.source).problems) == len(parse(case.before).problems)


@each(UNIX)
def test_the_same_with_the_line_ends_of_windows(case: Case):
    twin = crlf(case.before) or ""
    found = case.listing(twin, case.examine(twin).findings)
    assert found == case.listing(case.before, case.examine(case.before).findings)
    assert case.fix(twin).source == crlf(case.fix(case.before).source)


@each(TRIGGERS)
def test_the_same_as_triggers(case: Case):
    twin = onbuild(case.before) or ""
    codes = sorted(each.code for each in case.examine(case.before).findings)
    assert sorted(each.code for each in case.examine(twin).findings) == codes


def test_every_case_belongs_to_a_rule():
    names = set(all_rules().names().values()) | {"several"}
    assert {case.folder.parent.name for case in CASES} <= names


def given(case: Case) -> str:
    """What a case is examined with, beside its Dockerfile."""
    files = [path for path in case.folder.rglob("*") if path.is_file()]
    told = ("before.Dockerfile", "after.Dockerfile", "findings.txt")
    kept = [path for path in files if path.name not in told]
    return str(sorted((str(path.relative_to(case.folder)), path.read_bytes()) for path in kept))


def test_no_case_is_there_twice():
    texts = [(case.before, case.least, given(case)) for case in CASES]
    assert len(set(texts)) == len(texts), f"two cases under {FIXTURES} are the same"
