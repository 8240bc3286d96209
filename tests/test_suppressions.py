"""Comments that silence findings, and findings about such comments."""

from __future__ import annotations

import pytest

from dfcache.diagnostics import Finding, Safety
from dfcache.engine.fix import fix
from dfcache.engine.lint import examine, lint
from dfcache.engine.settings import Settings
from dfcache.engine.verify import verify
from dfcache.model.context import NoContext
from fakes import finds, rules

MADE = rules(finds("DFC101", "bad"), finds("DFC102", "ugly"))


def look(source: str, **settings: tuple[str, ...]) -> list[Finding]:
    return lint(source, NoContext(), Settings(**settings), MADE)


def codes(source: str, **settings: tuple[str, ...]) -> list[str]:
    return [each.code for each in look(source, **settings)]


@pytest.mark.parametrize(
    "source",
    [
        "FROM a\n# dfcache: ignore[rule-101] because\nRUN bad\n",
        "FROM a\n# dfcache: ignore[DFC101]\nRUN bad\n",
        "FROM a\n# dfcache: ignore[dfc101]\nRUN bad\n",
        "FROM a\n#dfcache:ignore[rule-101]\nRUN bad\n",
        "FROM a\n  # dfcache: ignore [ rule-101 ]\nRUN bad\n",
        "FROM a\n# dfcache: ignore[rule-101]\n# another comment\nRUN bad\n",
        "FROM a\n# dfcache: ignore[rule-101]\nRUN fine && \\\n    bad\n",
        "FROM a\n# dfcache: ignore[rule-101, DFC102]\nRUN bad && ugly\n",
        "FROM a\r\n# dfcache: ignore[rule-101]\r\nRUN bad\r\n",
        "FROM a\nRUN fine && \\\n    # dfcache: ignore[rule-101]\n    bad\n",
        "FROM a\nRUN <<EOF\n# dfcache: ignore[rule-101]\nbad\nEOF\n",
        "# dfcache: ignore-file[rule-101]\nFROM a\nRUN bad\nRUN bad\n",
        "FROM a\nRUN bad\n# dfcache: ignore-file[rule-101]\n",
    ],
)
def test_what_is_silenced(source: str):
    assert codes(source) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("FROM a\n# dfcache: ignore[rule-101]\nRUN bad\nRUN bad\n", ["DFC101"]),
        ("FROM a\n# dfcache: ignore[rule-102]\nRUN bad\n", ["DFC902", "DFC101"]),
        ("FROM a\n# dfcache: ignore[rule-101]\n\nRUN bad\n", ["DFC902", "DFC101"]),
        ("FROM a\nRUN bad\n# dfcache: ignore[rule-101]\n", ["DFC101", "DFC902"]),
        ("FROM a\n# dfcache: ignore\nRUN bad\n", ["DFC101"]),
        ("FROM a\nRUN echo # dfcache: ignore[rule-101]\n", []),
        ("FROM a\nCOPY <<EOF /x\n# dfcache: ignore[rule-101]\nbad\nEOF\n", ["DFC101"]),
        ("FROM a\nRUN fine && \\\n    # dfcache: ignore[rule-101]\n    x && \\\n    bad\n",
         ["DFC902", "DFC101"]),
    ],
)  # fmt: skip
def test_what_is_not(source: str, expected: list[str]):
    assert codes(source) == expected


def test_an_unknown_rule_is_named_with_a_suggestion_and_not_called_unused():
    found = look("FROM a\n# dfcache: ignore[rule-1o1]\nRUN bad\n")
    assert [each.code for each in found] == ["DFC903", "DFC101"]
    assert found[0].message == "there is no rule rule-1o1; did you mean rule-101?"
    assert found[0].span.start == len("FROM a\n# dfcache: ignore[")


def test_a_suppression_of_a_rule_that_does_not_run_is_left_in_peace():
    source = "FROM a\n# dfcache: ignore[rule-101]\nRUN fine\n"
    assert codes(source) == ["DFC902"]
    assert codes(source, ignore=("rule-101",)) == []
    assert codes(source, select=("rule-102",)) == []


def test_a_file_may_silence_what_is_said_about_its_comments():
    source = "# dfcache: ignore-file[unused-suppression]\nFROM a\n# dfcache: ignore[rule-101]\n"
    assert codes(source + "RUN fine\n") == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("FROM a\n# dfcache: ignore[rule-101] why\nRUN x\n", "FROM a\nRUN x\n"),
        ("FROM a\r\n# dfcache: ignore[rule-101]\r\nRUN x\r\n", "FROM a\r\nRUN x\r\n"),
        (
            "FROM a\n# dfcache: ignore[rule-101, rule-102] why\nRUN bad\n",
            "FROM a\n# dfcache: ignore[rule-101] why\nRUN bad\n",
        ),
        (
            "FROM a\n# dfcache: ignore[rule-101, rule-102] why\nRUN ugly\n",
            "FROM a\n# dfcache: ignore[rule-102] why\nRUN ugly\n",
        ),
        (
            "FROM a\nRUN x && \\\n    # dfcache: ignore[rule-101]\n    y\n",
            "FROM a\nRUN x && \\\n    y\n",
        ),
        ("FROM a\nRUN x\n# dfcache: ignore-file[rule-101]", "FROM a\nRUN x\n"),
    ],
)
def test_an_unused_one_is_deleted_and_nothing_else(before: str, after: str):
    def again(text: str):
        return examine(text, NoContext(), Settings(), MADE)

    fixed = fix(before, again, Safety.SAFE)
    assert fixed.source == after
    assert fixed.remaining == []
    verify(fixed.passes)
