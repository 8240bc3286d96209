"""The mirror of the recipe, as it runs: devpi itself, asked by pip, by uv, and by the check.

devpi's upstream is the laboratory's index on the loopback, so that no other network is needed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from building import built, last_run
from dfcache.engine.fix import fix
from dfcache.engine.lint import examine
from dfcache.engine.settings import Settings
from dfcache.mirror.address import address
from dfcache.mirror.check import check
from dfcache.mirror.recipe import DEVPI, Recipe
from dfcache.mirror.told import LACKS, NOTE, OK, Told
from dfcache.mirror.wanted import wanted
from dfcache.model.context import MemoryContext
from mirrors import Devpi, clean_environment, free_port

try:
    INSTALLED = version("devpi-server")
except PackageNotFoundError:
    INSTALLED = ""
pytestmark = pytest.mark.skipif(not INSTALLED, reason="devpi-server is not installed")


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Devpi, object]]:
    """A devpi whose root/pypi mirrors the laboratory's index."""
    from lab.index import Index

    devpi = Devpi(tmp_path_factory.mktemp("devpi"))
    with Index(port=free_port()) as upstream:
        try:
            devpi.start()
            devpi.mirror(f"{upstream.url}/simple/")
            yield devpi, upstream
        finally:
            devpi.stop()


def told(url: str, *requirements: str) -> dict[str, Told]:
    """What the check says, by what it is about; requirements by their text."""
    lines = "".join(f"{each}\n" for each in requirements)
    source = "FROM python:3.12-slim\nCOPY r.txt .\nRUN pip install -r r.txt\n"
    wishes, _ = wanted(built(source, {"r.txt": lines}), "Dockerfile", "", "linux/amd64")
    return {each.text or each.about: each for each in check(address(url), wishes)}


def pip(config: Path, cache: Path, target: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = clean_environment() | {"PIP_CONFIG_FILE": str(config)}
    command = [sys.executable, "-m", "pip", "install", "--cache-dir", str(cache)]
    return subprocess.run(
        [*command, "--disable-pip-version-check", "--target", str(target), *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def config(folder: Path, devpi: Devpi, name: str) -> Path:
    """A file of the recipe, for this devpi."""
    path = folder / name
    path.write_text(Recipe("127.0.0.1", devpi.port).files()[name])
    return path


def test_the_recipe_runs_the_version_that_is_tested_here():
    assert INSTALLED == DEVPI


def test_the_check_finds_what_is_there_and_what_lacks(mirror):
    devpi, _ = mirror
    found = told(devpi.url, "lab-alpha>=1.5", "Lab.Beta==1.0", "lab-gamma==7", "lab-none")
    assert found["answers"].message == f"devpi-server {DEVPI}"
    assert found["trust"].state == NOTE
    assert (found["lab-alpha>=1.5"].state, found["lab-alpha>=1.5"].message) == (OK, "2.0")
    assert found["Lab.Beta==1.0"].state == OK
    assert found["lab-gamma==7"].state == LACKS
    assert found["lab-none"].message == "the mirror doesn't know it"
    assert found["ranges"].state == NOTE


def test_a_file_is_said_to_be_kept_from_the_second_download_on(mirror):
    devpi, upstream = mirror
    upstream.forget()
    assert told(devpi.url, "lab-bulk==1.0")["caching"].message.endswith("second download on")
    assert list(upstream.fetched()) == ["lab_bulk-1.0-py3-none-any.whl"]
    # Now that devpi has it, its first answer says that it can be kept; others still will not.
    assert told(devpi.url, "lab-bulk==1.0")["caching"].message.endswith("second download on")


def test_an_address_that_is_no_index_is_told(mirror):
    devpi, _ = mirror
    for url in (devpi.root, f"{devpi.root}/root/pypi"):
        (only,) = told(url, "lab-alpha").values()
        assert only.state == LACKS
        assert "/root/pypi/+simple/" in only.message


def test_pip_keeps_a_file_from_the_second_download_on(mirror, tmp_path: Path):
    devpi, upstream = mirror
    settings = config(tmp_path, devpi, "pip.conf")
    upstream.forget()
    said = []
    for number in range(3):
        done = pip(settings, tmp_path / "cache", tmp_path / str(number), "lab-beta==1.1")
        assert done.returncode == 0, done.stderr
        said.append("Using cached" in done.stdout)
    assert said == [False, False, True]
    assert list(upstream.fetched()) == ["lab_beta-1.1-py3-none-any.whl"]


def test_pip_keeps_nothing_without_the_trusted_host(mirror, tmp_path: Path):
    devpi, _ = mirror
    settings = tmp_path / "pip.conf"
    settings.write_text(f"[global]\nindex-url = {devpi.url}\n")
    for number in range(3):
        done = pip(settings, tmp_path / "cache", tmp_path / str(number), "lab-beta==1.0")
        assert done.returncode == 0, done.stderr
        assert "Using cached" not in done.stdout


@pytest.mark.parametrize("command", ["pip install", "uv pip install"])
def test_what_the_fix_declares_leads_an_install_there(mirror, tmp_path: Path, command: str):
    if not shutil.which(command.split()[0]):
        pytest.skip(f"{command.split()[0]} is not installed")
    devpi, _ = mirror
    settings = Settings(select=("DFC313",), index_url=devpi.url)
    source = f"FROM python:3.12-slim\nRUN {command} lab-source\n"
    fixed = fix(source, lambda text: examine(text, MemoryContext({}), settings))
    assert fixed.source != source
    variables = last_run(fixed.source).scope.variables
    environment = clean_environment() | {"UV_CACHE_DIR": str(tmp_path / "cache")}
    environment |= {name: each.value or "" for name, each in variables.items() if each.span}
    words = [*command.split(), "--target", str(tmp_path / "installed"), "lab-gamma"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "installed" / "lab_gamma.py").exists()


@pytest.mark.skipif(not shutil.which("uv"), reason="uv is not installed")
@pytest.mark.parametrize("by", ["uv.toml", "UV_DEFAULT_INDEX", "UV_INDEX_URL"])
def test_uv_installs_through_it(mirror, tmp_path: Path, by: str):
    devpi, _ = mirror
    environment = clean_environment() | {"UV_CACHE_DIR": str(tmp_path / "cache")}
    if by == "uv.toml":
        del environment["UV_NO_CONFIG"]
        environment["UV_CONFIG_FILE"] = str(config(tmp_path, devpi, by))
    else:
        environment[by] = devpi.url
    for target in ("one", "two"):
        command = ["uv", "pip", "install", "--target", str(tmp_path / target), "lab-alpha"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / target / "lab_gamma.py").exists()


def test_it_serves_what_it_has_when_its_upstream_is_down(mirror, tmp_path: Path):
    devpi, upstream = mirror
    settings = config(tmp_path, devpi, "pip.conf")
    assert pip(settings, tmp_path / "a", tmp_path / "1", "lab-gamma==1.0").returncode == 0
    upstream.refuse_all()
    try:
        devpi.stop()
        devpi.start(DEVPISERVER_OFFLINE_MODE="1")
        done = pip(settings, tmp_path / "b", tmp_path / "2", "lab-gamma==1.0")
        assert done.returncode == 0, done.stderr
        found = told(devpi.url, "lab-gamma", "lab-source")
        assert found["lab-gamma"].state == OK
        assert found["lab-source"].state == LACKS
    finally:
        upstream.heal()
        devpi.stop()
        devpi.start()  # for whichever test comes next
