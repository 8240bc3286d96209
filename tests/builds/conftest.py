"""Fixtures of the tests that build real images; they skip, with one line, where none can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from lab.builds import Builder
from lab.engine import Engine, engine
from lab.images import make
from lab.index import Index
from lab.machine import NoLab


@pytest.fixture(scope="session")
def lab() -> Iterator[tuple[Engine, Mapping[str, str], Index]]:
    """An engine, the images that stand for the public ones, and the index they ask."""
    with ExitStack() as stack:
        try:
            running = stack.enter_context(engine())
            index = stack.enter_context(Index())
            images = make(running, index.url)
        except (NoLab, OSError) as error:
            pytest.skip(f"no laboratory for real builds: {error}")
        yield running, images, index


@pytest.fixture
def index(lab: tuple[Engine, Mapping[str, str], Index]) -> Iterator[Index]:
    """The package index, healed and with its counts at zero."""
    lab[2].heal()
    lab[2].forget()
    lab[2].ranges = False
    yield lab[2]
    lab[2].heal()


@pytest.fixture
def builder(lab: tuple[Engine, Mapping[str, str], Index]) -> Callable[[], Builder]:
    """Makes builders, each cold: it shares no layer and no cache mount with any other."""
    return lambda: Builder(lab[0], lab[1], f"case-{uuid4().hex[:12]}")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty folder for a build context."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder
