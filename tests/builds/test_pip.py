"""pip in real builds: what is downloaded, what runs again, and that the image stays the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lab.builds import Builder
from lab.filesystem import differences, entries
from lab.index import Index

pytestmark = pytest.mark.builds

BEFORE = """\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -r requirements.txt
CMD ["python", "app.py"]
"""
AFTER = """\
FROM python:3.11-slim
WORKDIR /app
COPY requirements.txt .
RUN --mount=type=cache,target=/root/.cache/pip \\
    pip install -r requirements.txt
COPY . .
CMD ["python", "app.py"]
"""


def test_pip_root(
    builder: Callable[[], Builder], index: Index, project: Path, tmp_path: Path
) -> None:
    (project / "requirements.txt").write_text("lab-alpha==1.0\nlab-beta==1.0\nlab-bulk==1.0\n")
    (project / "app.py").write_text("print('one')\n")
    before = builder().build(project, BEFORE, tar=tmp_path / "before.tar")
    assert before.ok, before.log
    first = index.fetched()
    index.forget()

    mended = builder()
    cold = mended.build(project, AFTER, tar=tmp_path / "after.tar")
    assert cold.ok, cold.log
    assert index.fetched() == first
    assert differences(entries(tmp_path / "before.tar"), entries(tmp_path / "after.tar")) == []

    index.forget()
    (project / "app.py").write_text("print('two')\n")
    edited = mended.build(project, AFTER)
    assert edited.ok, edited.log
    assert not edited.ran("pip install")
    assert edited.ran("COPY . .")
    assert index.requests == []

    (project / "requirements.txt").write_text("lab-alpha==1.0\nlab-beta==1.1\nlab-bulk==1.0\n")
    bumped = mended.build(project, AFTER)
    assert bumped.ok, bumped.log
    assert list(index.fetched()) == ["lab_beta-1.1-py3-none-any.whl"]


def test_retry_after_a_cut_download(
    builder: Callable[[], Builder], index: Index, project: Path
) -> None:
    (project / "requirements.txt").write_text("lab-alpha==1.0\nlab-bulk==1.0\n")
    mended = builder()
    index.cut("lab_bulk", at=1_000_000)
    assert not mended.build(project, AFTER).ok
    index.heal()
    index.forget()
    retried = mended.build(project, AFTER)
    assert retried.ok, retried.log
    # pip asks for lab-gamma, which lab-alpha requires, only after lab-bulk.
    assert set(index.fetched()) == {
        "lab_bulk-1.0-py3-none-any.whl",
        "lab_gamma-1.0-py3-none-any.whl",
    }
