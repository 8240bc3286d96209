"""``dfcache vendor`` with a real BuildKit: what has no wheel is built in the image's stage."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from lab.builds import Builder
from lab.engine import Engine
from lab.index import Index

pytestmark = pytest.mark.builds

Lab = tuple[Engine, Mapping[str, str], Index]
NAIVE = """\
FROM python:3.11-slim
RUN touch /tools-are-here
WORKDIR /app
COPY requirements.txt .
RUN test -e /tools-are-here && pip install -r requirements.txt
"""
OFFLINE = """\
FROM python:3.11-slim
WORKDIR /app
COPY requirements.txt .
RUN --mount=type=bind,source=pip_packages,target=/pip_packages \\
    pip install --no-index --find-links=/pip_packages -r requirements.txt
"""


@pytest.fixture
def vendor(lab: Lab, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command with the laboratory's docker, images and index."""
    engine, images, index = lab
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "docker").symlink_to(engine.docker)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "UV_"))}
    env |= engine.env
    env |= {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PIP_CONFIG_FILE": os.devnull,
        "UV_CACHE_DIR": str(tmp_path / "uv"),
        "UV_DEFAULT_INDEX": f"{index.url}/simple/",
    }
    given = ["--network=host"]
    given += [f"--build-context={a}=docker-image://{b}" for a, b in images.items()]
    options = [f"--build-option={each}" for each in given]

    def run(project: Path, *more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "dfcache", "vendor", str(project), *options, *more]
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=600, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    return run


def test_a_source_becomes_a_wheel_and_the_build_needs_no_network(
    vendor: Callable[..., subprocess.CompletedProcess[str]],
    builder: Callable[[], Builder],
    index: Index,
    project: Path,
) -> None:
    (project / "requirements.txt").write_text("lab-source==1.0\nlab-alpha==1.0\n")
    (project / "Dockerfile").write_text(NAIVE)
    told = json.loads(vendor(project, "--format=json").stdout)
    (built,) = told["built"]
    assert built.startswith("lab_source-1.0-")
    folder = project / "pip_packages"
    assert sorted(path.name.partition("-")[0] for path in folder.glob("*.whl")) == [
        "lab_alpha", "lab_gamma", "lab_source",
    ]  # fmt: skip
    assert not list(folder.glob("*.tar.gz"))
    index.forget()
    index.refuse_all()
    assert json.loads(vendor(project, "--format=json").stdout)["built"] == []
    done = builder().build(project, OFFLINE)
    assert done.ok, done.log
    assert "Successfully installed lab-alpha-1.0 lab-gamma-1.0 lab-source-1.0" in done.output("RUN")
    assert index.requests == []


def test_a_source_that_is_kept_is_built_by_each_build(
    vendor: Callable[..., subprocess.CompletedProcess[str]],
    builder: Callable[[], Builder],
    index: Index,
    project: Path,
) -> None:
    (project / "requirements.txt").write_text("lab-source==1.0\n")
    (project / "Dockerfile").write_text(NAIVE)
    vendor(project, "--sdist")
    assert [path.name for path in (project / "pip_packages").glob("lab*")] == [
        "lab_source-1.0.tar.gz"
    ]
    index.refuse_all()
    done = builder().build(project, OFFLINE)
    assert done.ok, done.log
