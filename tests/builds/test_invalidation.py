"""BuildKit's layer cache does what the table says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from invalidation import ROWS, Row
from lab.builds import Builder

pytestmark = pytest.mark.builds


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_runs_again(row: Row, builder: Callable[[], Builder], project: Path) -> None:
    (project / "same").write_text("same\n")
    (project / "changed").write_text("one\n")
    text = "FROM debian:bookworm\n{}\nRUN echo ran > /ran\n"
    one, two = [[f"--build-arg={value}"] for value in row.arguments or ()] or [[], []]
    building = builder()
    first = building.build(project, text.format(row.first), options=one)
    assert first.ok, first.log
    assert first.ran("echo ran")
    (project / "changed").write_text("two\n")
    second = building.build(project, text.format(row.second), options=two)
    assert second.ok, second.log
    assert second.ran("echo ran") is row.runs_again
