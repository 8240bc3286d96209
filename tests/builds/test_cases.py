"""Every case in a real build: nothing breaks, the image stays the same, downloads come down."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cases import CASES, LANE
from lab.builds import Builder
from lab.cases import Case
from lab.filesystem import differences, entries
from lab.index import Index

pytestmark = pytest.mark.builds


def fix(project: Path, *options: str) -> tuple[str, int]:
    """Let `dfcache fix --write` rewrite the project's Dockerfile; its new text, the exit code."""
    dockerfile = project / "Dockerfile"
    command = [sys.executable, "-m", "dfcache", "fix", "--write", *options, str(dockerfile)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return dockerfile.read_bytes().decode(), done.returncode


def mend(case: Case, project: Path) -> str:
    """The Dockerfile as dfcache mends it; it must call safe, and leave, what the case says."""
    after, left = fix(project)
    assert (after != case.dockerfile) is (case.fix in ("safe", "part"))
    assert left == (0 if case.fix == "safe" else 1)
    if case.fix in ("unsafe", "none"):
        after, left = fix(project, "--unsafe")
        assert (after != case.dockerfile) is (case.fix == "unsafe")
        assert left == (0 if case.fix == "unsafe" else 1)
    return after


CHOSEN = CASES if os.environ.get("DFCACHE_LAB_ALL") == "1" else LANE


@pytest.mark.parametrize("case", CHOSEN, ids=lambda case: case.name)
def test_same_image_and_least_downloads(
    case: Case, builder: Callable[[], Builder], index: Index, project: Path, tmp_path: Path
) -> None:
    case.write(project)
    first, second = ([f"--build-arg={value}" for value in each] for each in case.arguments)
    before = builder().build(project, tar=tmp_path / "before.tar", options=first)
    assert before.ok, before.log
    asked_before = index.fetched()
    if case.fix == "none":
        mend(case, project)
        return

    index.forget()
    after = mend(case, project)
    # `COPY . .` takes the Dockerfile along, and only it differs: both images get the same one.
    (project / "Dockerfile").write_bytes(case.dockerfile.encode())
    mended = builder()
    cold = mended.build(project, after, tar=tmp_path / "after.tar", options=first)
    assert cold.ok, cold.log
    assert index.fetched() == asked_before
    was, now = (
        entries(tmp_path / name, caches=case.caches) for name in ("before.tar", "after.tar")
    )
    assert differences(was, now) == []

    index.forget()
    (project / case.edit[0]).write_text(case.edit[1])
    edited = mended.build(project, after, options=second)
    assert edited.ok, edited.log
    # A COPY in front of the install may be in the layer cache from an earlier test.
    assert case.reruns or edited.ran("COPY"), "the edit must be of a file that the image holds"
    assert edited.ran(case.install) is case.reruns
    assert index.fetched() == {}
    assert case.reruns or index.requests == []

    dockerfile = after
    if case.bump.dockerfile is not None:
        dockerfile = dockerfile.replace(*case.bump.dockerfile)
    for path, text in case.bump.files.items():
        (project / path).write_text(text)
    bumped = mended.build(project, dockerfile, options=second)
    assert bumped.ok, bumped.log
    assert bumped.ran(case.install)
    assert set(index.fetched()) == case.bump.fetches


@pytest.mark.parametrize(
    "case", [case for case in CHOSEN if case.cut is not None], ids=lambda case: case.name
)
def test_retry_fetches_what_is_missing(
    case: Case, builder: Callable[[], Builder], index: Index, project: Path
) -> None:
    assert case.cut is not None
    case.write(project)
    after = mend(case, project)
    mended = builder()
    index.cut(case.cut.name, at=case.cut.at)
    died = mended.build(project, after)
    assert not died.ok, "the cut must reach the build"
    index.heal()
    index.forget()
    retried = mended.build(project, after)
    assert retried.ok, retried.log
    assert set(index.fetched()) == case.cut.missing


def test_images_of_one_builder_share_downloads(
    builder: Callable[[], Builder], index: Index, project: Path
) -> None:
    """A second project finds what the first one downloaded, under the same C library."""
    (project / "requirements.txt").write_text("lab-beta==1.0\nlab-bulk==1.0\n")
    shared = builder()
    for base, folder, fetched in (("3.11-slim", "/app", 2), ("3.11", "/srv", 0)):
        (project / "Dockerfile").write_text(
            f"FROM python:{base}\nWORKDIR {folder}\nCOPY . .\n"
            "RUN pip install --no-cache-dir -r requirements.txt\n"
        )
        index.forget()
        built = shared.build(project, fix(project)[0])
        assert built.ok, built.log
        assert built.ran("pip install")
        assert len(index.fetched()) == fetched
