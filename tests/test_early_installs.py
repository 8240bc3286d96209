"""What rule DFC204 counts on: what pip and uv install in one step or in two, compared file by file.

The packages are wheels in a folder, the project is built by a backend of its own, so nothing is
downloaded.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest
from lab.packages import Package, wheel

UV = shutil.which("uv")
PIP = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
needs_uv = pytest.mark.skipif(UV is None, reason="uv is not installed")
HAS_PIP = find_spec("pip") is not None
needs_pip = pytest.mark.skipif(not HAS_PIP, reason="pip is not installed")
needs_only_deps = pytest.mark.skipif(
    not HAS_PIP or tuple(map(int, version("pip").split(".")[:2])) < (26, 2),
    reason="there is no pip with --only-deps",
)

# first and second each want another third where they are new.
PACKAGES = (
    Package("lab-first", "1.0"),
    Package("lab-first", "2.0", requires=("lab-third<2",)),
    Package("lab-second", "1.0"),
    Package("lab-second", "2.0", requires=("lab-third>=2",)),
    Package("lab-third", "1.0"),
    Package("lab-third", "2.0"),
    Package("lab-extra", "1.0"),
)
PYPROJECT = """\
[build-system]
requires = []
build-backend = "own"
backend-path = ["."]
[project]
name = "app"
version = "1.0"
dependencies = [{}]
optional-dependencies = {{dev = ["lab-extra"]}}
"""
BACKEND = """\
import pathlib
import tomllib
import zipfile


def build_wheel(folder, config_settings=None, metadata_directory=None):
    project = tomllib.load(open("pyproject.toml", "rb"))["project"]
    lines = ["Metadata-Version: 2.1", "Name: app", "Version: 1.0", "Provides-Extra: dev"]
    lines += ["Requires-Dist: " + line for line in project["dependencies"]]
    lines += ["Requires-Dist: lab-extra; extra == 'dev'"]
    kind = "Wheel-Version: 1.0\\nGenerator: own\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    info = "app-1.0.dist-info/"
    with zipfile.ZipFile(folder + "/app-1.0-py3-none-any.whl", "w") as made:
        made.writestr("app.py", open("app.py").read() if metadata_directory is None else "")
        made.writestr(info + "METADATA", "\\n".join(lines) + "\\n")
        made.writestr(info + "WHEEL", kind)
        made.writestr(info + "RECORD", "")
    return "app-1.0-py3-none-any.whl"


def prepare_metadata_for_build_wheel(folder, config_settings=None):
    made = build_wheel(folder, metadata_directory=folder)
    with zipfile.ZipFile(folder + "/" + made) as found:
        found.extractall(folder, [n for n in found.namelist() if ".dist-info/" in n])
    pathlib.Path(folder, made).unlink()
    return "app-1.0.dist-info"
"""


class Machine:
    """A virtual environment and a project, each at one place whatever is tried."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.links = folder / "links"
        self.links.mkdir()
        for package in PACKAGES:
            name, data = wheel(package)
            (self.links / name).write_bytes(data)

    def after(self, names: Sequence[str], *steps: list[str]) -> dict[str, str]:
        """The files of the environment after ``steps``: paths and digests of what is in them.

        The project's code is there only before the last step.
        """
        venv.create(self.folder / "venv", clear=True, symlinks=True)
        project = self.folder / "project"
        shutil.rmtree(project, ignore_errors=True)
        project.mkdir()
        wanted = ", ".join(f'"{name}"' for name in names)
        (project / "pyproject.toml").write_text(PYPROJECT.format(wanted))
        (project / "own.py").write_text(BACKEND)
        (project / "requirements.txt").write_text("\n".join(names) + "\n")
        for step in steps:
            if step is steps[-1]:
                (project / "app.py").write_text("VALUE = 1\n")
            subprocess.run(self.command(step), cwd=project, check=True, capture_output=True)
        return dict(self.files())

    def command(self, step: list[str]) -> list[str]:
        python = str(self.folder / "venv/bin/python")
        local = ["--no-index", "--find-links", str(self.links)]
        if step[0] == "uv":
            return [str(UV), "pip", "install", "--python", python, "--no-cache", *local, *step[1:]]
        return [*PIP, "--python", python, "install", "--no-cache-dir", *local, *step[1:]]

    def files(self) -> list[tuple[str, str]]:
        root = self.folder / "venv/lib"
        found = []
        for path in sorted(root.rglob("*")):
            # uv notes when the project's files were made; the RECORD has a digest of it.
            noted = path.name == "uv_cache.json" or str(path).endswith("app-1.0.dist-info/RECORD")
            if path.is_file() and path.suffix != ".pyc" and not noted:
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                found.append((str(path.relative_to(root)), digest))
        return found


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(tmp_path_factory.mktemp("machine"))


NAMES = ("lab-second", "lab-first")


@needs_uv
@pytest.mark.parametrize(
    ("before", "install"),
    [
        (["-r", "pyproject.toml"], ["."]),
        (["-r", "pyproject.toml", "--extra", "dev"], [".[dev]"]),
        (["-r", "requirements.txt"], ["."]),
        (["-U", "-r", "pyproject.toml"], ["-U", "."]),
    ],
)
def test_uv_installs_the_same_in_two_steps(
    machine: Machine, before: list[str], install: list[str]
) -> None:
    one = machine.after(NAMES, ["uv", *install])
    two = machine.after(NAMES, ["uv", *before], ["uv", *install])
    assert one == two
    assert any(path.endswith("lab_second-2.0.dist-info/REQUESTED") for path in one)


@needs_only_deps
@pytest.mark.parametrize("what", [".", ".[dev]"])
def test_pip_installs_the_same_after_only_deps(machine: Machine, what: str) -> None:
    one = machine.after(NAMES, ["pip", what])
    two = machine.after(NAMES, ["pip", "--only-deps", what], ["pip", what])
    assert one == two
    assert any("lab_first-2.0.dist-info" in path for path in one)


@needs_pip
def test_pip_marks_what_is_asked_for_by_name(machine: Machine) -> None:
    one = machine.after(NAMES[1:], ["pip", "."])
    two = machine.after(NAMES[1:], ["pip", "-r", "requirements.txt"], ["pip", "."])
    more = {Path(path).name for path in two.keys() - one.keys()}
    changed = {Path(path).name for path in one if one[path] != two[path]}
    assert (more, changed) == ({"REQUESTED"}, {"RECORD"})


@needs_pip
def test_pip_may_choose_other_versions_for_names(machine: Machine) -> None:
    one = machine.after(NAMES, ["pip", "."])
    two = machine.after(NAMES, ["pip", "-r", "requirements.txt"], ["pip", "."])
    assert any("lab_first-2.0.dist-info" in path for path in one)
    assert any("lab_second-2.0.dist-info" in path for path in two)
    assert not any("lab_second-2.0.dist-info" in path for path in one)
