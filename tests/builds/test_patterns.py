"""The offline and the hybrid pattern, with an index that is there and one that is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lab.builds import Builder
from lab.index import PYTHON, Index
from lab.packages import wheel

pytestmark = pytest.mark.builds

OFFLINE = """\
FROM python:3.11-slim
COPY requirements.txt .
RUN --mount=type=bind,source=pip_packages,target=/pip_packages \\
    pip install --no-index --find-links=/pip_packages -r requirements.txt
"""
HYBRID = """\
FROM python:3.11-slim
COPY requirements.txt .
RUN --mount=type=cache,target=/root/.cache/pip \\
    --mount=type=bind,source=pip_packages,target=/pip_packages \\
    pip install --no-index --find-links=/pip_packages -r requirements.txt \\
    || pip install --find-links=/pip_packages -r requirements.txt
"""
TWO_STEPS = """\
FROM python:3.11-slim
COPY requirements.txt .
COPY pip_packages pip_packages
RUN pip install -r requirements.txt || true
RUN pip install --no-index --find-links=pip_packages -r requirements.txt
"""


def vendor(project: Path, *names: str) -> None:
    """A project that wants lab-alpha, lab-beta and lab-gamma and holds the wheels of `names`."""
    (project / "requirements.txt").write_text("lab-alpha==1.0\nlab-beta==1.0\n")
    folder = project / "pip_packages"
    folder.mkdir()
    (folder / ".gitkeep").touch()
    for package in PYTHON:
        if package.name in names and package.version == "1.0":
            file, body = wheel(package)
            (folder / file).write_bytes(body)


def test_offline_and_hybrid_need_no_index_when_all_is_there(
    builder: Callable[[], Builder], index: Index, project: Path
) -> None:
    vendor(project, "lab-alpha", "lab-beta", "lab-gamma")
    index.refuse_all()
    for text in (OFFLINE, HYBRID):
        built = builder().build(project, text)
        assert built.ok, built.log
        assert "Successfully installed" in built.output("RUN")


def test_hybrid_falls_back_to_the_index_for_all(
    builder: Callable[[], Builder], index: Index, project: Path
) -> None:
    """One package is missing, and pip takes the index's copy of the others too, at a tie."""
    vendor(project, "lab-alpha", "lab-gamma")
    assert not builder().build(project, OFFLINE).ok
    index.forget()
    built = builder().build(project, HYBRID)
    assert built.ok, built.log
    assert set(index.fetched()) == {
        "lab_alpha-1.0-py3-none-any.whl",
        "lab_beta-1.0-py3-none-any.whl",
        "lab_gamma-1.0-py3-none-any.whl",
    }


def test_hybrid_goes_on_where_a_lost_connection_stopped_it(
    builder: Callable[[], Builder], index: Index, project: Path
) -> None:
    vendor(project)
    hybrid = builder()
    index.cut("lab_beta", at=100)
    assert not hybrid.build(project, HYBRID).ok
    index.heal()
    index.forget()
    built = hybrid.build(project, HYBRID)
    assert built.ok, built.log
    assert "lab_alpha-1.0-py3-none-any.whl" not in index.fetched()


def test_two_steps_never_recover(
    builder: Callable[[], Builder], index: Index, project: Path
) -> None:
    """The first step's failure is stored as a layer, so the network is not tried again."""
    vendor(project, "lab-alpha")
    trap = builder()
    index.refuse_all()
    assert not trap.build(project, TWO_STEPS).ok
    index.heal()
    index.forget()
    again = trap.build(project, TWO_STEPS)
    assert not again.ok
    assert not again.ran("|| true")
    assert index.requests == []
