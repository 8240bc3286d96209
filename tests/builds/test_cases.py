"""Every case in a real build: nothing breaks, the image stays the same, downloads come down."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cases import CASES, LANE
from lab.builds import Builder
from lab.cases import Case
from lab.filesystem import differences, entries
from lab.index import Index
from mending import fix, mend

pytestmark = pytest.mark.builds


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
    if case.fix == "doubted":
        assert not cold.ok or _differences(case, tmp_path), "the doubt has no reason any more"
        return
    assert cold.ok, cold.log
    assert index.fetched() == asked_before
    assert _differences(case, tmp_path) == []

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


def _differences(case: Case, folder: Path) -> list[str]:
    was, now = (entries(folder / name, caches=case.caches) for name in ("before.tar", "after.tar"))
    return differences(was, now)


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


@pytest.mark.parametrize("apart", [True, False])
def test_alpine_takes_no_wheel_that_another_libc_built(
    builder: Callable[[], Builder], index: Index, project: Path, apart: bool
) -> None:
    """pip keeps the wheels it builds by where their source is from, not by the C library.

    With one id for both mounts, which is what the same folder gives, they would be mixed up.
    """
    (project / "requirements.txt").write_text("lab-source==1.0\n")
    shared = builder()
    for base, found in (("3.11-slim", "debian"), ("3.11-alpine", "alpine" if apart else "debian")):
        (project / "Dockerfile").write_text(
            f"FROM python:{base}\nWORKDIR /app\nCOPY . .\n"
            "RUN pip install --no-cache-dir -r requirements.txt\n"
            "RUN python -c 'import lab_source; print(lab_source.BUILT_ON)'\n"
        )
        after, _ = fix(project)
        assert ("id=pip-musl," in after) is ("alpine" in base)
        index.forget()
        built = shared.build(project, after if apart else after.replace("id=pip-musl,", ""))
        assert built.ok, built.log
        assert built.output("BUILT_ON").strip() == found
