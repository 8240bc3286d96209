"""Declaring build arguments: where they land, what stands in the way, and what verify says."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from building import built
from dfcache.diagnostics import Finding, Severity
from dfcache.engine.fix import Pass
from dfcache.engine.verify import VerifyError, verify
from dfcache.fixes.arguments import declare_arguments
from dfcache.fixes.plan import Plan
from dfcache.parser import parse
from dfcache.text import Span, apply

MIRROR = {"PIP_INDEX_URL": "http://mirror:3141/root/pypi/+simple/", "PIP_TRUSTED_HOST": "mirror"}
INDEX = "ARG PIP_INDEX_URL=http://mirror:3141/root/pypi/+simple/\n"
HOST = "ARG PIP_TRUSTED_HOST=mirror\n"


def declared(source: str, arguments: Mapping[str, str | None] = MIRROR) -> tuple[str, Plan]:
    """The source after ARGs were put before its first step that installs, and verified."""
    build = built(source)
    step = next(step for step in build.runs() if "pip" in step.instruction.original)
    plan = Plan()
    declare_arguments(build, step, arguments, plan)
    fix = plan.fix("declare")
    if fix is None:
        return source, plan
    after = apply(source, fix.edits)
    finding = Finding("DFC999", "declared", Severity.INFO, Span(0, 1), "", fix)
    verify([Pass(parse(source), (finding,), parse(after))])
    return after, plan


BEFORE_AND_AFTER = [
    (
        "FROM a\nRUN apt-get update\nRUN pip install x\nCMD x\n",
        f"FROM a\nRUN apt-get update\n{INDEX}{HOST}RUN pip install x\nCMD x\n",
    ),
    (
        "FROM a\n\n# what we need\n# hadolint ignore=DL3013\nRUN pip install x\n",
        f"FROM a\n\n{INDEX}{HOST}# what we need\n# hadolint ignore=DL3013\nRUN pip install x\n",
    ),
    (
        "FROM a\n# dfcache: ignore[uncached-install]\nRUN pip install x\n",
        f"FROM a\n{INDEX}{HOST}# dfcache: ignore[uncached-install]\nRUN pip install x\n",
    ),
    ("FROM a\nRUN pip install \\\n    x", f"FROM a\n{INDEX}{HOST}RUN pip install \\\n    x"),
    (
        "FROM a\n    RUN pip install x\n",
        f"FROM a\n    {INDEX}    {HOST}    RUN pip install x\n",
    ),
    (
        "from a\nrun pip install x\n",
        f"from a\n{INDEX}{HOST}run pip install x\n".replace("ARG", "arg"),
    ),
    (
        "ARG PIP_INDEX_URL=https://theirs/simple\nFROM a\nRUN pip install x\n",
        "ARG PIP_INDEX_URL=https://theirs/simple\nFROM a\nARG PIP_INDEX_URL\n"
        f"{HOST}RUN pip install x\n",
    ),
    (
        "FROM a AS one\nRUN pip install x\nFROM one\nARG PIP_INDEX_URL\nRUN pip install y\n",
        f"FROM a AS one\n{INDEX}{HOST}RUN pip install x\nFROM one\nARG PIP_INDEX_URL\n"
        "RUN pip install y\n",
    ),
]


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["unix", "windows"])
@pytest.mark.parametrize(("before", "after"), BEFORE_AND_AFTER)
def test_they_stand_right_before_the_step_and_its_comments(before: str, after: str, newline: str):
    got, _ = declared(before.replace("\n", newline))
    assert got == after.replace("\n", newline)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("FROM a\nONBUILD RUN pip install x\n", "ONBUILD"),
        ("FROM a\nRUN pip install x -i $PIP_INDEX_URL\n", "line 2 names PIP_INDEX_URL"),
        ("FROM a\nRUN pip install x\nENV PIP_INDEX_URL=y\n", "line 3 names PIP_INDEX_URL"),
        (
            "FROM a AS one\nRUN pip install x\nFROM one\nRUN echo $PIP_TRUSTED_HOST\n",
            "line 4 names PIP_TRUSTED_HOST",
        ),
    ],
)
def test_what_stands_in_the_way(source: str, reason: str):
    got, plan = declared(source)
    assert got == source
    assert reason in plan.refused[0]


def test_a_default_that_needs_quotes_is_refused():
    got, plan = declared("FROM a\nRUN pip install x\n", {"PIP_INDEX_URL": "http://m/$x y"})
    assert "without quotes" in plan.refused[0]
    assert "ARG" not in got


def test_an_argument_that_is_not_declared_as_added_is_noticed():
    source = "FROM a\nRUN pip install x\n"
    build = built(source)
    plan = Plan()
    declare_arguments(build, next(build.runs()), MIRROR, plan)
    plan.added.clear()
    fix = plan.fix("declare")
    assert fix is not None
    finding = Finding("DFC999", "declared", Severity.INFO, Span(0, 1), "", fix)
    after = parse(apply(source, fix.edits))
    with pytest.raises(VerifyError, match="appears"):
        verify([Pass(parse(source), (finding,), after)])
