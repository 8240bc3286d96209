"""ONBUILD: BuildKit before 0.17 refuses a mount there, so dfcache adds one only if asked to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from lab.builds import Builder
from lab.filesystem import differences, entries
from lab.images import PREFIX
from lab.index import Index
from mending import fix
from parts import ALPHA, APP, BETA, BULK, GAMMA

pytestmark = pytest.mark.builds

PARENT = """\
FROM python:3.11-slim AS parent
WORKDIR /app
ONBUILD COPY . .
ONBUILD RUN pip install --no-cache-dir -r requirements.txt && rm -rf /root/.cache
"""
CHILD = 'FROM {}\nCMD ["python", "app.py"]\n'
IN_A_STAGE = PARENT + CHILD.format("parent")
EVERYTHING = {ALPHA, BETA.replace("1.1", "1.0"), BULK, GAMMA}


@pytest.fixture
def app(project: Path) -> Path:
    for path, text in APP.items():
        (project / path).write_text(text)
    return project


def test_without_being_asked_it_stays_as_it_is(
    builder: Callable[[], Builder], index: Index, app: Path
) -> None:
    (app / "Dockerfile").write_text(IN_A_STAGE)
    after, left = fix(app)
    assert (after, left) == (IN_A_STAGE, 1)
    built = builder().build(app)
    assert built.ok, built.log
    assert index.fetched().keys() == EVERYTHING


def test_where_the_builder_takes_it_the_mount_does_what_it_should(
    builder: Callable[[], Builder], index: Index, app: Path, tmp_path: Path
) -> None:
    (app / "Dockerfile").write_text(IN_A_STAGE)
    before = builder().build(app, tar=tmp_path / "before.tar")
    assert before.ok, before.log
    after, left = fix(app, "--unsafe")
    assert "ONBUILD RUN --mount=type=cache,target=/root/.cache/pip" in after
    assert left == 0
    (app / "Dockerfile").write_text(IN_A_STAGE)
    mended = builder()
    built = mended.build(app, after, tar=tmp_path / "after.tar")
    if not _takes_mounts(builder(), app):
        assert not built.ok
        return
    assert built.ok, built.log
    was, now = entries(tmp_path / "before.tar"), entries(tmp_path / "after.tar")
    assert differences(was, now) == []
    index.forget()
    (app / "app.py").write_text("print('edited')\n")
    edited = mended.build(app, after)
    assert edited.ok, edited.log
    assert edited.ran("pip install")
    assert index.fetched() == {}


def _takes_mounts(builder: Builder, project: Path) -> bool:
    trigger = "FROM debian:bookworm AS parent\nONBUILD RUN --mount=type=cache,target=/x :\n"
    return builder.build(project, f"{trigger}FROM parent\n").ok


def test_a_trigger_fires_in_the_images_built_on_this_one(
    builder: Callable[[], Builder], index: Index, app: Path
) -> None:
    """What dfcache makes of the parent, unasked, still serves a child in another file."""
    (app / "Dockerfile").write_text(PARENT)
    after, _ = fix(app)
    building = builder()
    tag = f"{PREFIX}parent:{uuid4().hex[:12]}"
    parent = building.build(app, after, options=[f"--tag={tag}", "--load"])
    assert parent.ok, parent.log
    assert index.fetched() == {}
    try:
        (app / "Dockerfile").write_text(CHILD.format(tag))
        child = building.build(app, fix(app)[0])
    finally:
        building.engine("image", "rm", tag)
    assert child.ok, child.log
    assert child.ran("pip install")
    assert index.fetched().keys() == EVERYTHING
