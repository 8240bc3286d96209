"""Every case in a real build: nothing breaks, the image stays the same, downloads come down."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cases import CASES
from lab.builds import Builder
from lab.cases import Case
from lab.filesystem import differences, entries
from lab.index import Index

pytestmark = pytest.mark.builds


def mend(project: Path) -> str:
    """Let `dfcache fix --write` rewrite the project's Dockerfile; its new text."""
    dockerfile = project / "Dockerfile"
    before = dockerfile.read_text()
    command = [sys.executable, "-m", "dfcache", "fix", "--write", str(dockerfile)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    after = dockerfile.read_text()
    assert after != before
    return after


each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@each_case
def test_same_image_and_least_downloads(
    case: Case, builder: Callable[[], Builder], index: Index, project: Path, tmp_path: Path
) -> None:
    case.write(project)
    before = builder().build(project, tar=tmp_path / "before.tar")
    assert before.ok, before.log
    asked_before = index.fetched()

    index.forget()
    after = mend(project)
    # `COPY . .` takes the Dockerfile along, and only it differs: both images get the same one.
    (project / "Dockerfile").write_text(case.dockerfile)
    mended = builder()
    cold = mended.build(project, after, tar=tmp_path / "after.tar")
    assert cold.ok, cold.log
    assert index.fetched() == asked_before
    assert differences(entries(tmp_path / "before.tar"), entries(tmp_path / "after.tar")) == []

    index.forget()
    (project / case.edit[0]).write_text(case.edit[1])
    edited = mended.build(project, after)
    assert edited.ok, edited.log
    assert edited.ran("COPY"), "the edit must be of a file that the image holds"
    assert not edited.ran(case.install)
    assert index.requests == []

    dockerfile = after
    if case.bump.dockerfile is not None:
        dockerfile = dockerfile.replace(*case.bump.dockerfile)
    for path, text in case.bump.files.items():
        (project / path).write_text(text)
    bumped = mended.build(project, dockerfile)
    assert bumped.ok, bumped.log
    assert bumped.ran(case.install)
    assert set(index.fetched()) == case.bump.fetches


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.cut is not None], ids=lambda case: case.name
)
def test_retry_fetches_what_is_missing(
    case: Case, builder: Callable[[], Builder], index: Index, project: Path
) -> None:
    assert case.cut is not None
    case.write(project)
    after = mend(project)
    mended = builder()
    index.cut(case.cut.name, at=case.cut.at)
    died = mended.build(project, after)
    assert not died.ok, "the cut must reach the build"
    index.heal()
    index.forget()
    retried = mended.build(project, after)
    assert retried.ok, retried.log
    assert set(index.fetched()) == case.cut.missing
