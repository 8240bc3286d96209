"""What is left to do on an edit of a project's source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cases_project import PROJECT
from lab.builds import Builder
from lab.index import Index
from mending import mend

pytestmark = pytest.mark.builds


def test_an_edit_of_the_source_installs_no_dependency(
    builder: Callable[[], Builder], index: Index, project: Path
) -> None:
    case = PROJECT[0]
    case.write(project)
    after = mend(case, project)
    mended = builder()
    built = mended.build(project, after)
    assert built.ok, built.log
    assert built.ran("-r pyproject.toml")
    index.forget()
    (project / case.edit[0]).write_text(case.edit[1])
    edited = mended.build(project, after)
    assert edited.ok, edited.log
    assert not edited.ran("-r pyproject.toml")
    assert edited.ran(case.install)
    assert index.fetched() == {}
