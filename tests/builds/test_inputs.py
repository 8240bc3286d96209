"""What the model says a step runs again on is what BuildKit does.

DFCACHE_LAB_CASES=300 pytest -m builds -s tests/builds/test_inputs.py    more than the 12 of CI
DFCACHE_LAB_SEED=7                                                     the same cases again
"""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest
from generated import Case, Change, Judge, cases
from lab.builds import Builder

pytestmark = pytest.mark.builds

COUNT = int(os.environ.get("DFCACHE_LAB_CASES", "12"))
SEED = int(os.environ.get("DFCACHE_LAB_SEED", "1"))

# Disagreements that were found, each as small as it could be made.
FOUND = (
    Case(
        (
            "# a comment",
            "FROM debian:bookworm AS stage0",
            "RUN mkdir -p /w/k1_SALT && cat /proc/sys/kernel/random/uuid > /w/k1_SALT/out",
            "ONBUILD COPY . /w",
            "FROM stage0 AS stage1",
            "COPY --from=stage0 /w /w/k6_SALT/",
        ),
        (),
        Change("comment"),
    ),
)


@pytest.fixture
def judge(builder: Callable[[], Builder], tmp_path: Path) -> Judge:
    return Judge(builder(), tmp_path)


@pytest.mark.parametrize("case", FOUND, ids=lambda case: f"{case.change.kind}-{len(case.lines)}")
def test_a_found_case_stays_right(case: Case, judge: Judge) -> None:
    verdict = judge.judge(case)
    assert verdict is not None
    assert verdict.wrong == ()


def test_generated_cases(judge: Judge) -> None:
    built = right = left_open = ran = 0
    wrong: list[str] = []
    for case in islice(cases(SEED, _knows_exclude(judge)), COUNT):
        verdict = judge.judge(case)
        if verdict is None:
            continue
        built += 1
        right += verdict.right
        left_open += verdict.left_open
        ran += verdict.ran
        if verdict.wrong:
            smaller = judge.shrink(case)
            again = judge.judge(smaller)
            wrong.append(f"{again.wrong if again else verdict.wrong}\n{smaller}")
            print(f"\n{wrong[-1]}", flush=True)
    print(
        f"\nseed {SEED}: {COUNT} cases, {built} that build, {built - len(wrong)} foretold;"
        f" {right} steps right, {left_open} left open, {ran} of all ran again"
    )
    assert built >= COUNT // 3
    assert right > built
    assert 0 < ran < right
    assert not wrong, "\n\n".join(wrong)


def _knows_exclude(judge: Judge) -> bool:
    """Whether the builder's own frontend has `COPY --exclude` (Dockerfile 1.19)."""
    project = judge.folder / "probe"
    project.mkdir()
    (project / "a").touch()
    return judge.builder.build(project, "FROM scratch\nCOPY --exclude=b a /\n").ok


def test_a_wrong_model_would_be_seen(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison itself: a model that foretells nothing is caught."""
    monkeypatch.setattr("generated.changed", lambda build, **change: ())
    case = Case(
        ("FROM debian:bookworm", "COPY a.txt /k1_SALT", "RUN : k2_SALT"),
        (),
        Change("edit", "a.txt"),
    )
    verdict = judge.judge(case)
    assert verdict is not None
    assert verdict.wrong == ("COPY a.txt /k1_SALT: ran", "RUN : k2_SALT: ran")
