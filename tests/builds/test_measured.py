"""``dfcache measure`` against a real BuildKit: what it tells is what the index has sent."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from cases import CASES
from lab.engine import Engine
from lab.index import Index

pytestmark = pytest.mark.builds

Lab = tuple[Engine, Mapping[str, str], Index]
BY_NAME = {case.name: case for case in CASES}


class Measure:
    """Runs the command with the laboratory's docker, images and network."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.engine, images, _ = lab
        (folder / "bin").mkdir()
        (folder / "bin" / "docker").symlink_to(self.engine.docker)
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        self.env = {**os.environ, **self.engine.env, "PATH": path, "TMPDIR": str(self.temporary)}
        given = ["--network=host"]
        given += [f"--build-context={a}=docker-image://{b}" for a, b in images.items()]
        self.options = [f"--build-option={each}" for each in given]

    def command(self, project: Path, *options: str) -> list[str]:
        words = [sys.executable, "-m", "dfcache", "measure", str(project), "--format=json"]
        return [*words, *options, *self.options]

    def __call__(self, project: Path, *options: str) -> dict[str, Any]:
        done = subprocess.run(
            self.command(project, *options),
            capture_output=True, text=True, env=self.env, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def leavings(self) -> Sequence[str]:
        """What is left of a measurement: temporary files, cache mounts."""
        mounts = re.findall(r"dfcache-[0-9a-f]{8}-\w+", self.engine("buildx", "du", "--verbose"))
        return [*mounts, *map(str, self.temporary.iterdir())]


@pytest.fixture
def measure(lab: Lab, tmp_path: Path) -> Measure:
    return Measure(lab, tmp_path)


@pytest.mark.parametrize("name", ["pip-root", "pip-user", "pip-stages"])
def test_pip_is_told_as_the_index_counts_it(
    name: str, measure: Measure, index: Index, project: Path
) -> None:
    BY_NAME[name].write(project)
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    told = measure(project, "--cold")
    scenarios = {each["name"]: each for each in told["scenarios"]}
    assert set(scenarios) == {"cold", "source-edit", "dependency-bumped"}
    all_told = sum(e[side]["bytes"] for e in scenarios.values() for side in ("original", "fixed"))
    # pip rounds megabytes to one digit.
    assert all_told == pytest.approx(sum(index.fetched().values()), rel=0.01)
    edit, bump = scenarios["source-edit"], scenarios["dependency-bumped"]
    assert edit["original"]["bytes"] > 4_000_000
    assert (edit["fixed"]["bytes"], edit["fixed"]["packages"]) == (0, 0)
    assert not any("pip install" in step for step in edit["fixed"]["ran"])
    assert bump["original"]["packages"] > bump["fixed"]["packages"] == 1
    assert told["warnings"] == []
    assert {p: p.read_bytes() for p in project.rglob("*") if p.is_file()} == before
    assert measure.leavings() == []


@pytest.mark.parametrize("name", ["apt-get", "uv-pip", "npm-ci"])
def test_an_edit_downloads_nothing_once_fixed(
    name: str, measure: Measure, index: Index, project: Path
) -> None:
    case = BY_NAME[name]
    case.write(project)
    told = measure(project)
    edit = told["scenarios"][0]
    assert edit["name"] == "source-edit"
    assert edit["fixed"]["bytes"] == 0
    assert any(case.install in step for step in edit["original"]["ran"])
    assert not any(case.install in step for step in edit["fixed"]["ran"])
    if name == "apt-get":
        assert edit["original"]["packages"] == 3
        assert edit["original"]["bytes"] > index.size("lab-heavy_1.0_all.deb") * 0.999
    else:
        assert edit["original"]["bytes"] is None
    assert measure.leavings() == []


def test_a_second_measurement_is_as_cold_as_the_first(
    measure: Measure, index: Index, project: Path
) -> None:
    BY_NAME["pip-root"].write(project)
    told = []
    for _ in range(2):
        index.forget()
        scenarios = measure(project, "--cold")["scenarios"]
        told.append([(e["original"]["bytes"], e["fixed"]["bytes"]) for e in scenarios])
    assert told[0] == told[1]


def test_an_interrupt_stops_the_build(measure: Measure, index: Index, project: Path) -> None:
    (project / "requirements.txt").write_text("lab-beta==1.0\n")
    (project / "app.py").touch()
    (project / "Dockerfile").write_text(
        "FROM python:3.11-slim\nCOPY . .\n"
        "RUN --mount=type=cache,target=/root/.cache/pip \\\n"
        "    pip install -r requirements.txt && sleep 987\n"
    )
    running = subprocess.Popen(
        measure.command(project),
        env=measure.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not index.fetched():
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.2)
    running.send_signal(signal.SIGINT)
    assert running.wait(60) == 130
    assert measure.leavings() == []
    while _sleeping():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def _sleeping() -> bool:
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return any(line.startswith("sleep 987") for line in listed.stdout.split("\n"))
