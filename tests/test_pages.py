"""Holds what all pages of rules have in common; what their examples do is for other tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dfcache.knowledge import load
from dfcache.knowledge.records import Example, RulePage
from dfcache.parser import parse

FOLDER = Path(__file__).parents[1] / "rules"
PAGES = load().pages
EXAMPLES = [
    pytest.param(page, example, id=f"{page.code}-{kind}-{number}")
    for page in PAGES
    for kind, examples in (("bad", page.bad), ("good", page.good))
    for number, example in enumerate(examples, 1)
]

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.code)


def sections(page: RulePage) -> list[str]:
    outside = re.sub(r"^```.*?^```$", "", page.text, flags=re.M | re.S)
    return re.findall(r"^## (.*)$", outside, re.M)


def test_there_is_a_page_for_every_file() -> None:
    files = {path.name for path in FOLDER.glob("*.md")} - {"README.md"}
    assert files == {f"{page.code}-{page.name}.md" for page in PAGES}


def test_codes_and_names_are_taken_once() -> None:
    assert len({page.code for page in PAGES}) == len(PAGES)
    assert len({page.name for page in PAGES}) == len(PAGES)


@each_page
def test_name_states_a_problem(page: RulePage) -> None:
    assert not re.match(r"(no|use|add|prefer|avoid|missing-no|disallow|banned)-", page.name)


@each_page
def test_problem_is_one_sentence_that_fits_a_table(page: RulePage) -> None:
    assert page.text.startswith(page.problem + "\n\n")
    assert page.problem[-1] == "."
    assert len(page.problem) <= 100
    assert "|" not in page.problem


@each_page
def test_sections_are_known_and_in_order(page: RulePage) -> None:
    shape = " ".join(section.replace(" ", "_") for section in sections(page))
    assert re.fullmatch(r"Why( Bad Good)+( Fix_safety)?( See)?", shape), shape


@each_page
def test_every_bad_has_its_good(page: RulePage) -> None:
    assert page.bad
    assert len(page.bad) == len(page.good)
    for bad, good in zip(page.bad, page.good, strict=True):
        assert (bad.dockerfile, bad.context) != (good.dockerfile, good.context)


@each_page
def test_links_between_pages_lead_somewhere(page: RulePage) -> None:
    for target in re.findall(r"\]\((?!https://)([^)]*)\)", page.text):
        assert (FOLDER / target).is_file(), target


@each_page
def test_since_is_a_version(page: RulePage) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", page.since)


@pytest.mark.parametrize(("page", "example"), EXAMPLES)
def test_builder_can_read_every_example_but_the_broken_one(
    page: RulePage, example: Example
) -> None:
    broken = page.name == "syntax-error" and example in page.bad
    assert bool(parse(example.dockerfile).problems) == broken


@pytest.mark.parametrize(("page", "example"), EXAMPLES)
def test_example_says_which_version_it_builds_on(page: RulePage, example: Example) -> None:
    for image in re.findall(r"^FROM (\S+)", example.dockerfile, re.M):
        assert re.search(r":.*\d", image), image


@pytest.mark.parametrize(("page", "example"), EXAMPLES)
def test_mounts_stand_on_lines_of_their_own(page: RulePage, example: Example) -> None:
    for line in example.dockerfile.split("\n"):
        if "--mount=" in line:
            assert re.fullmatch(r"(RUN |    )--mount=\S+ \\", line), line
