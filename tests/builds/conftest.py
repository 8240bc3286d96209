"""Fixtures of the tests that build real images; they skip, with one line, where none can be."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from lab.builds import Builder
from lab.engine import Engine, engine
from lab.images import make
from lab.index import Index
from lab.machine import NoLab, turn
from mending import Terminal


@pytest.fixture(scope="session")
def lab() -> Iterator[tuple[Engine, Mapping[str, str], Index]]:
    """An engine, the images that stand for the public ones, and the index they ask."""
    with ExitStack() as stack:
        try:
            stack.enter_context(turn())
            running = stack.enter_context(engine())
            index = stack.enter_context(Index())
            images = make(running, index.url)
            if not running.own:
                _reaches(Builder(running, images, f"probe-{uuid4().hex[:12]}"), index)
        except (NoLab, OSError) as error:
            # Where builds are a must, as in CI, a machine that cannot do them is a failure.
            give_up = pytest.fail if os.environ.get("DFCACHE_LAB_REQUIRED") == "1" else pytest.skip
            give_up(f"no laboratory for real builds: {error}")
        yield running, images, index


def _reaches(builder: Builder, index: Index) -> None:
    """NoLab where the engine's host network is not this machine's, as in a virtual machine."""
    with TemporaryDirectory() as context:
        builder.build(Path(context), "FROM debian:bookworm\nRUN apt-get update\n")
    if not index.requests:
        raise NoLab("the engine's builds do not reach this machine's loopback")


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
def dfcache(lab: tuple[Engine, Mapping[str, str], Index], tmp_path: Path) -> Terminal:
    """Runs dfcache as it would be typed, on a machine that has downloaded nothing yet."""
    return Terminal(lab[2].url, tmp_path / "uv")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty folder for a build context."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder
