"""Three stories from the naive Dockerfile to the mended one, each as its user would live it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from lab.builds import Builder
from lab.index import Index
from mending import Terminal
from parts import ALPHA, BULK, GAMMA

from mirrors import Devpi

pytestmark = pytest.mark.builds

BETA = "lab_beta-1.0-py3-none-any.whl"
EVERYTHING = {ALPHA, BETA, BULK, GAMMA}
NAIVE = """\
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1
WORKDIR /srv/shop

COPY . .
RUN pip install --no-cache-dir -r requirements.txt

EXPOSE 8000
CMD ["python", "-m", "shop"]
"""
PROJECT = {
    "Dockerfile": NAIVE,
    "requirements.txt": "# what the shop needs\nlab-alpha==1.0\nlab-beta==1.0\nlab-bulk==1.0\n",
    "shop/__init__.py": "",
    "shop/__main__.py": "import lab_alpha, lab_beta\n\nprint(lab_alpha.VERSION)\n",
    "README.md": "# Shop\n",
    ".dockerignore": ".git\n__pycache__\n",
}
MENDED = """\
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1
WORKDIR /srv/shop

COPY requirements.txt .
RUN --mount=type=cache,target=/root/.cache/pip \\
    pip install -r requirements.txt
COPY . .

EXPOSE 8000
CMD ["python", "-m", "shop"]
"""


@pytest.fixture
def shop(project: Path) -> Path:
    for path, text in PROJECT.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(text)
    return project


def edit(shop: Path, text: str) -> None:
    """Change the source, which no package depends on."""
    (shop / "shop/__main__.py").write_text(text)


def whole(index: Index, *packages: str) -> int:
    return sum(index.size(package) for package in packages)


def test_it_fails_halfway_and_starts_from_scratch(
    shop: Path, builder: Callable[[], Builder], index: Index, dfcache: Terminal
) -> None:
    """The line drops in the middle of the one big package."""
    naive = builder()
    index.cut("lab_bulk", at=3_000_000)
    assert not naive.build(shop).ok
    assert index.fetched() == {
        ALPHA: index.size(ALPHA), BETA: index.size(BETA), BULK: 3_000_000,
    }  # fmt: skip
    # Another try, and all of it comes again.
    index.heal()
    index.forget()
    assert naive.build(shop).ok
    assert index.fetched() == {name: index.size(name) for name in EVERYTHING}
    # And again, because a line of the source has changed.
    index.forget()
    edit(shop, "print('twenty past nine')\n")
    assert naive.build(shop).ok
    assert sum(index.fetched().values()) == whole(index, *EVERYTHING)

    told = dfcache(shop, "check", code=1)
    assert "Dockerfile:6:" in told
    assert "Dockerfile:7:" in told
    dfcache(shop, "fix", "--write")
    assert (shop / "Dockerfile").read_text() == MENDED
    assert "no findings" in dfcache(shop, "check")

    mended = builder()
    index.cut("lab_bulk", at=3_000_000)
    index.forget()
    assert not mended.build(shop).ok
    assert index.fetched() == {
        ALPHA: index.size(ALPHA), BETA: index.size(BETA), BULK: 3_000_000,
    }  # fmt: skip
    # Another try, and only what has not arrived comes.
    index.heal()
    index.forget()
    assert mended.build(shop).ok
    assert index.fetched() == {name: index.size(name) for name in (BULK, GAMMA)}
    # A changed source asks the index nothing at all.
    index.forget()
    edit(shop, "print('ten to ten')\n")
    edited = mended.build(shop)
    assert edited.ok
    assert not edited.ran("pip install")
    assert index.requests == []


OFFLINE = MENDED.replace(
    """\
RUN --mount=type=cache,target=/root/.cache/pip \\
    pip install -r requirements.txt
""",
    """\
RUN --mount=type=bind,source=pip_packages,target=/pip_packages \\
    pip install --no-index --find-links=/pip_packages --no-cache-dir -r requirements.txt
""",
)


@pytest.fixture
def world() -> Iterator[Index]:
    """An index that sends parts of files and what is inside of them, as the public one does."""
    with Index(port=0, ranges=True, metadata=True) as running:
        yield running


def test_aeroplane(
    shop: Path, builder: Callable[[], Builder], index: Index, world: Index, tmp_path: Path
) -> None:
    """An hour of bad wireless at the gate, then five hours without any."""
    dfcache = Terminal(world.url, tmp_path / "uv")
    (shop / "requirements.txt").write_text("lab-alpha==1.0\nlab-bulk==1.0\n")
    for at, sent in ((1_500_000, 1_500_000), (3_000_000, 1_500_000)):
        world.cut("lab_bulk", at)
        world.forget()
        told = dfcache(shop, "vendor", "--retries=0", code=2)
        assert "what has arrived stays, run it again to go on" in told
        assert world.fetched()[BULK] == sent
        assert {path.name for path in (shop / "pip_packages").glob("*.whl")} == {ALPHA, GAMMA}
    world.heal()
    world.forget()
    assert "pip_packages holds 3 packages" in dfcache(shop, "vendor")
    # The line was cut twice, and no byte of a package has come twice.
    assert world.fetched() == {BULK: world.size(BULK) - 3_000_000}

    (shop / "dfcache.toml").write_text('pattern = "offline"\n')
    dfcache(shop, "fix", "--write")
    assert (shop / "Dockerfile").read_text() == OFFLINE

    # In the air.
    for one in (index, world):
        one.refuse_all()
        one.forget()
    aboard = builder()
    built = aboard.build(shop)
    assert built.ok, built.log
    edit(shop, "print('above the clouds')\n")
    edited = aboard.build(shop)
    assert edited.ok, edited.log
    assert not edited.ran("pip install")
    # A package that nobody thought of.
    (shop / "requirements.txt").write_text("lab-alpha==1.0\nlab-bulk==1.0\nlab-beta==1.0\n")
    for words in (("check",), ("vendor", "--check")):
        told = dfcache(shop, *words, code=1)
        assert "lab-beta" in told
        assert "is missing" in told
        assert "requirements.txt:3" in told
        assert "dfcache vendor" in told
    assert not aboard.build(shop).ok
    assert "can't be reached" in dfcache(shop, "vendor", "--retries=0", code=2)

    # On the ground again, and up once more.
    world.heal()
    dfcache(shop, "vendor")
    assert world.fetched() == {BETA: world.size(BETA)}
    dfcache(shop, "check")
    dfcache(shop, "vendor", "--check")
    world.refuse_all()
    built = aboard.build(shop)
    assert built.ok, built.log
    assert built.ran("pip install")


@pytest.fixture
def devpi(index: Index, tmp_path: Path) -> Iterator[Devpi]:
    """A mirror of the laboratory's index, that has nothing yet."""
    if find_spec("devpi_server") is None:
        pytest.skip("devpi-server is not installed")
    folder = tmp_path / "devpi"
    folder.mkdir()
    mirror = Devpi(folder)
    try:
        yield mirror
    finally:
        mirror.stop()


MIRRORED = MENDED.replace(
    "RUN --mount=type=cache,",
    """\
ARG PIP_INDEX_URL={url}
ARG PIP_TRUSTED_HOST=127.0.0.1
RUN --mount=type=cache,""",
)


def test_team_with_a_mirror(
    shop: Path, builder: Callable[[], Builder], index: Index, dfcache: Terminal, devpi: Devpi
) -> None:
    """Ten people behind one thin line."""
    (shop / "dfcache.toml").write_text(f'index-url = "{devpi.url}"\n')
    dfcache(shop, "mirror", "--write")
    told = dfcache(shop, "mirror", "--check", devpi.url, code=1)
    assert "no answer: connection refused" in told
    devpi.start()
    devpi.mirror(f"{index.url}/simple/")
    assert "3 of 3 requirements are there" in dfcache(shop, "mirror", "--check", devpi.url)

    dfcache(shop, "fix", "--write")
    assert (shop / "Dockerfile").read_text() == MIRRORED.format(url=devpi.url)
    looked_at = set(index.fetched())
    assert len(looked_at) == 1
    index.forget()
    first = builder()
    built = first.build(shop)
    assert built.ok, built.log
    # Each file comes from the index through the mirror, and once, whoever else asks.
    assert index.fetched() == {name: index.size(name) for name in EVERYTHING - looked_at}
    index.forget()
    second = builder()
    built = second.build(shop)
    assert built.ok, built.log
    assert built.ran("pip install")
    assert index.fetched() == {}

    # The line is down.
    index.refuse_all()
    third = builder()
    built = third.build(shop)
    assert built.ok, built.log
    assert built.ran("pip install")
    dfcache(shop, "mirror", "--check", devpi.url)
    # Anywhere else the same file builds without the mirror.
    index.heal()
    index.forget()
    away = builder()
    devpi.stop()
    built = away.build(shop, options=[f"--build-arg=PIP_INDEX_URL={index.url}/simple/"])
    assert built.ok, built.log
    assert set(index.fetched()) == EVERYTHING
