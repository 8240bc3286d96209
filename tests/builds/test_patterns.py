"""The offline and the hybrid pattern: every folder of packages with every state of the index.

The Dockerfiles are what dfcache makes of the naive one, for pip and for uv.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from lab.builds import Builder
from lab.engine import Engine
from lab.filesystem import Entry, differences, entries
from lab.index import Index
from mending import Terminal
from parts import ALPHA, APP, BULK, GAMMA, REQUIREMENTS

pytestmark = pytest.mark.builds

Lab = tuple[Engine, Mapping[str, str], Index]
Image = dict[str, Entry]
ALL_OF_IT = os.environ.get("DFCACHE_LAB_ALL") == "1"
BETA = "lab_beta-1.0-py3-none-any.whl"
EVERYTHING = frozenset({ALPHA, BETA, BULK, GAMMA})
NONE: frozenset[str] = frozenset()
NAIVE = """\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN {} -r requirements.txt
CMD ["python", "app.py"]
"""
INSTALL = {
    "pip": "pip install --no-cache-dir",
    "uv": "uv pip install --system --no-cache",
}
TWO_STEPS = """\
FROM python:3.11-slim
COPY requirements.txt .
COPY pip_packages pip_packages
RUN pip install -r requirements.txt || true
RUN pip install --no-index --find-links=pip_packages -r requirements.txt
"""


# --- Folders of packages ---------------------------------------------------------------------


@pytest.fixture(scope="session")
def vendored(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages that `dfcache vendor` has filled."""
    lab[2].heal()
    folder = tmp_path_factory.mktemp("vendored")
    naive(folder, "pip")
    Terminal(lab[2].url, folder / "uv")(folder, "vendor")
    packages = folder / "pip_packages"
    assert {path.name for path in packages.glob("*.whl")} == EVERYTHING
    return packages


def naive(project: Path, tool: str) -> str:
    """Write a project as it is before anybody thinks of networks; its Dockerfile's text."""
    text = NAIVE.format(INSTALL[tool])
    for path, content in {**APP, "Dockerfile": text}.items():
        (project / path).write_text(content)
    return text


def put(project: Path, vendored: Path, folder: str) -> None:
    """Give a project its folder of packages: complete, lagging (by lab-bulk), empty or absent."""
    place = project / "pip_packages"
    if folder in ("complete", "lagging"):
        shutil.copytree(vendored, place)
    if folder == "lagging":
        (place / BULK).unlink()
    if folder == "empty":
        place.mkdir()
        (place / ".gitkeep").touch()


# What dfcache must say of a folder: whether the conversion is safe, and whether something is left.
SAFE = {
    ("offline", "complete"): True,
    ("offline", "lagging"): False,
    ("offline", "empty"): False,
    ("offline", "absent"): False,
    ("hybrid", "complete"): True,
    ("hybrid", "lagging"): True,
    ("hybrid", "empty"): True,
    ("hybrid", "absent"): False,
}
LEFT = {
    "offline": {"lagging": "DFC303", "empty": "DFC303", "absent": "DFC302"},
    "hybrid": {"lagging": "DFC303", "absent": "DFC302"},
}


def convert(dfcache: Terminal, project: Path, pattern: str, folder: str) -> str:
    """The project's Dockerfile as dfcache gives it a pattern; it stays as it is on the disk."""
    dockerfile = project / "Dockerfile"
    before = dockerfile.read_text()
    rule = LEFT[pattern].get(folder)
    safe = SAFE[pattern, folder]
    # DFC304 wants a `COPY --exclude` of those who ask for unsafe fixes, which not each builder has.
    words = ("fix", "--write", f"--pattern={pattern}", "--ignore=DFC304")
    told = dfcache(project, *words, code=0 if safe and not rule else 1)
    if not safe:
        assert "pip_packages" not in dockerfile.read_text()
        assert "DFC301" in told
        told = dfcache(project, *words, "--unsafe", code=1)
    assert "DFC301" not in told
    assert rule is None or rule in told
    after = dockerfile.read_text()
    dockerfile.write_text(before)
    assert after != before
    return after


# --- Every combination -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Combination:
    """A build with a folder of packages, while the index is up, dying or down.

    `fetches` are the packages that it asks for and gets, in part at least. `again` are those of
    a retry with the index up; None where that fails too. `certain` is False where uv's downloads
    side by side decide which of them are done when the index dies.
    """

    tool: str
    pattern: str
    folder: str
    index: str
    works: bool
    fetches: frozenset[str] = NONE
    again: frozenset[str] | None = NONE
    certain: bool = True
    lane: bool = False

    def __str__(self) -> str:
        return f"{self.tool}-{self.pattern}-{self.folder}-{self.index}"


def _combinations() -> Iterator[Combination]:
    for tool in ("pip", "uv"):
        for index in ("up", "dying", "down"):
            # Nothing is asked of an index, so its state is nothing to it.
            yield Combination(tool, "offline", "complete", index, works=True, lane=index == "down")
            for folder in ("lagging", "empty", "absent"):
                yield Combination(
                    tool, "offline", folder, index, works=False, again=None,
                    lane=(tool, index, folder) == ("pip", "up", "lagging"),
                )  # fmt: skip
            yield Combination(
                tool, "hybrid", "complete", index, works=True,
                lane=(tool, index) == ("pip", "down"),
            )  # fmt: skip
            # A bind mount of what is not there ends the build before any command.
            yield Combination(
                tool, "hybrid", "absent", index, works=False, again=None,
                lane=(tool, index) == ("pip", "up"),
            )  # fmt: skip
    # pip takes the index's copy where versions tie: one missing package, and it fetches all.
    for folder in ("lagging", "empty"):
        lane = folder == "lagging"
        yield Combination("pip", "hybrid", folder, "up", True, EVERYTHING, lane=lane)
        yield Combination(
            "pip", "hybrid", folder, "dying", False,
            # lab-gamma, which lab-alpha requires, comes last.
            fetches=frozenset({ALPHA, BETA, BULK}), again=frozenset({BULK, GAMMA}), lane=lane,
        )  # fmt: skip
        # pip asks for every package 6 times before it gives up: seconds for each that is there.
        yield Combination("pip", "hybrid", folder, "down", False, again=EVERYTHING, lane=not lane)
    # uv takes what is local.
    bulk = frozenset({BULK})
    yield Combination("uv", "hybrid", "lagging", "up", True, bulk, lane=True)
    yield Combination("uv", "hybrid", "lagging", "dying", False, bulk, again=bulk)
    yield Combination("uv", "hybrid", "lagging", "down", False, again=bulk)
    yield Combination("uv", "hybrid", "empty", "up", True, EVERYTHING)
    yield Combination(
        "uv", "hybrid", "empty", "dying", False, EVERYTHING, again=bulk, certain=False, lane=True
    )
    yield Combination("uv", "hybrid", "empty", "down", False, again=EVERYTHING)


COMBINATIONS = [each for each in _combinations() if ALL_OF_IT or each.lane]


@pytest.mark.parametrize("each", COMBINATIONS, ids=str)
def test_combination(
    each: Combination,
    builder: Callable[[], Builder],
    index: Index,
    dfcache: Terminal,
    project: Path,
    vendored: Path,
) -> None:
    naive(project, each.tool)
    put(project, vendored, each.folder)
    dockerfile = convert(dfcache, project, each.pattern, each.folder)
    one = builder()
    if each.index == "dying":
        index.cut("lab_bulk", at=500_000)
    if each.index == "down":
        index.refuse_all()
    index.forget()
    built = one.build(project, dockerfile)
    print(f"{each} ok={built.ok} {index.fetched()}")
    assert built.ok is each.works, built.log
    assert set(index.fetched()) <= each.fetches
    assert not each.certain or set(index.fetched()) == each.fetches
    if not each.fetches:
        assert index.requests == []

    index.heal()
    index.forget()
    again = one.build(project, dockerfile)
    print(f"{each} retry ok={again.ok} {index.fetched()}")
    assert again.ok is (each.again is not None), again.log
    fetched = set(index.fetched())
    assert fetched == (each.again or NONE) if each.certain else fetched >= (each.again or NONE)
    if built.ok:
        assert index.requests == []
        (project / "app.py").write_text("print('edited')\n")
        edited = one.build(project, dockerfile)
        assert edited.ok, edited.log
        assert not edited.ran("install")
        assert index.requests == []
    if each.again is None and each.folder == "absent":
        assert '"/pip_packages": not found' in built.log


# --- The image -------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def naive_images(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Image]:
    """The image of the naive Dockerfile, as it was before there was a folder of packages."""
    made: dict[str, Image] = {}

    def image(tool: str) -> Image:
        if tool not in made:
            folder = tmp_path_factory.mktemp(tool)
            project = folder / "project"
            project.mkdir()
            lab[2].heal()
            naive(project, tool)
            made[tool] = export(Builder(*lab[:2], f"case-{uuid4().hex[:12]}"), project, folder)
        return made[tool]

    return image


def export(builder: Builder, project: Path, folder: Path, text: str | None = None) -> Image:
    """Build a project, and read what its image holds."""
    tar = folder / "image.tar"
    built = builder.build(project, text, tar=tar)
    assert built.ok, built.log
    found = entries(tar)
    tar.unlink()
    return found


LOCAL = {f"app/pip_packages/{name}" for name in EVERYTHING}
SAME = [
    ("pip", "offline", "complete"),
    ("pip", "hybrid", "lagging"),
    ("uv", "hybrid", "lagging"),
    *(
        [
            ("pip", "hybrid", "complete"),
            ("pip", "hybrid", "empty"),
            ("uv", "offline", "complete"),
            ("uv", "hybrid", "complete"),
            ("uv", "hybrid", "empty"),
        ]
        if ALL_OF_IT
        else []
    ),
]


@pytest.mark.parametrize(("tool", "pattern", "folder"), SAME)
def test_the_image_is_the_same_but_for_what_copy_all_takes_along(
    tool: str,
    pattern: str,
    folder: str,
    naive_images: Callable[[str], Image],
    builder: Callable[[], Builder],
    index: Index,
    dfcache: Terminal,
    project: Path,
    tmp_path: Path,
    vendored: Path,
) -> None:
    """The install leaves no package behind, but `COPY . .` takes the whole folder along."""
    naive(project, tool)
    put(project, vendored, folder)
    dockerfile = convert(dfcache, project, pattern, folder)
    before = naive_images(tool)
    after = export(builder(), project, tmp_path, dockerfile)
    held = {f"app/pip_packages/{path.name}" for path in (project / "pip_packages").iterdir()}
    assert held | {"app/pip_packages"} <= after.keys()
    for path in (*held, "app/pip_packages"):
        del after[path]
    # uv notes beside a package from a local folder when its file was made, and lists that note.
    notes = {path for path in after if tool == "uv" and path.endswith("dist-info/uv_cache.json")}
    assert len(notes) == (len(held & LOCAL) if tool == "uv" else 0)
    for note in notes:
        del after[note]
        record = note.replace("uv_cache.json", "RECORD")
        after[record] = before[record]
    assert differences(before, after) == []


def test_only_copy_all_makes_a_layer_of_the_packages(
    lab: Lab, builder: Callable[[], Builder], dfcache: Terminal, project: Path, vendored: Path
) -> None:
    """With `COPY . .` the image grows by the folder; with `COPY app.py .` by nothing."""

    def layers(text: str) -> list[int]:
        """The sizes of the last four layers, the last first."""
        file = project.parent / "image"
        built = builder().build(project, text, options=[f"--iidfile={file}"])
        assert built.ok, built.log
        words = ("history", "--human=false", "--format={{.Size}}", file.read_text())
        return [int(line) for line in lab[0](*words).split()[:4]]

    before = naive(project, "pip")
    _, installed, source, _ = layers(before)
    put(project, vendored, "complete")
    text = convert(dfcache, project, "offline", "complete")
    held = sum(path.stat().st_size for path in (project / "pip_packages").iterdir())
    assert held > 4_000_000
    _, all_of_it, same, _ = layers(text)
    assert same == pytest.approx(installed, abs=10_000)
    assert all_of_it == pytest.approx(source + held, abs=10_000)
    _, app, same, _ = layers(text.replace("COPY . .", "COPY app.py ."))
    assert same == pytest.approx(installed, abs=10_000)
    assert app < 1_000


def test_exclude_keeps_the_packages_out_of_the_image(
    naive_images: Callable[[str], Image],
    builder: Callable[[], Builder],
    dfcache: Terminal,
    project: Path,
    tmp_path: Path,
    vendored: Path,
) -> None:
    """With it the image is what it was before there was a folder, to the last file."""
    one = builder()
    if not one.build(project, "FROM scratch\nCOPY --exclude=pip_packages . /\n").ok:
        pytest.skip("the builder's own frontend has no COPY --exclude (Dockerfile 1.19)")
    naive(project, "pip")
    put(project, vendored, "complete")
    before = (project / "Dockerfile").read_text()
    assert "DFC304" in dfcache(project, "fix", "--write", "--pattern=offline")
    dfcache(project, "fix", "--write", "--pattern=offline", "--unsafe")
    text = (project / "Dockerfile").read_text()
    (project / "Dockerfile").write_text(before)
    assert "COPY --exclude=pip_packages . .\n" in text
    after = export(one, project, tmp_path, text)
    assert differences(naive_images("pip"), after) == []


@pytest.mark.parametrize("tool", INSTALL if ALL_OF_IT else ["pip"])
def test_back_to_the_index(
    tool: str,
    naive_images: Callable[[str], Image],
    builder: Callable[[], Builder],
    index: Index,
    dfcache: Terminal,
    project: Path,
    tmp_path: Path,
    vendored: Path,
) -> None:
    """A project that changes its mind has what it would have had all along."""
    text = naive(project, tool)
    dockerfile = project / "Dockerfile"
    dfcache(project, "fix", "--write")
    fixed = dockerfile.read_text()
    for folder in ("complete", "empty"):
        put(project, vendored, folder)
        for pattern in ("offline", "hybrid"):
            dockerfile.write_text(text)
            dockerfile.write_text(convert(dfcache, project, pattern, folder))
            dfcache(project, "fix", "--write", "--pattern=cache-mount")
            assert dockerfile.read_text() == fixed
        shutil.rmtree(project / "pip_packages")
    dockerfile.write_text(text)
    one = builder()
    assert differences(naive_images(tool), export(one, project, tmp_path, fixed)) == []
    index.forget()
    (project / "requirements.txt").write_text(REQUIREMENTS.replace("lab-beta==1.0\n", ""))
    again = one.build(project, fixed)
    assert again.ok, again.log
    assert again.ran("pip install")
    assert index.fetched() == {}


# --- Where the advice comes from -------------------------------------------------------------


def test_uv_needs_its_index_beside_a_folder_that_has_all(
    builder: Callable[[], Builder], index: Index, project: Path, vendored: Path
) -> None:
    """Unlike pip, which goes on with the folder; so only `--no-index` is a first try for both."""
    naive(project, "uv")
    put(project, vendored, "complete")
    index.refuse_all()
    text = "FROM python:3.11-slim\nCOPY requirements.txt .\n"
    text += "RUN --mount=type=bind,source=pip_packages,target=/pip_packages \\\n"
    text += "    uv pip install --system --find-links=/pip_packages -r requirements.txt\n"
    one = builder()
    assert not one.build(project, text).ok
    assert one.build(project, text.replace("--system", "--system --no-index")).ok


def test_an_ignored_folder_ends_the_build(
    builder: Callable[[], Builder], dfcache: Terminal, project: Path, vendored: Path
) -> None:
    naive(project, "pip")
    put(project, vendored, "complete")
    text = convert(dfcache, project, "offline", "complete")
    (project / ".dockerignore").write_text("pip_packages\n")
    (project / "Dockerfile").write_text(text)
    assert "DFC302" in dfcache(project, "check", code=1)
    built = builder().build(project)
    assert not built.ok
    assert '"/pip_packages": not found' in built.log


def test_two_steps_never_recover_and_one_does(
    builder: Callable[[], Builder], index: Index, dfcache: Terminal, project: Path, vendored: Path
) -> None:
    """The first step's failure is stored as a layer, so the network is not tried again."""
    (project / "Dockerfile").write_text(TWO_STEPS)
    (project / "requirements.txt").write_text(REQUIREMENTS)
    put(project, vendored, "empty")
    trap = builder()
    index.refuse_all()
    assert not trap.build(project).ok
    index.heal()
    index.forget()
    again = trap.build(project)
    assert not again.ok
    assert not again.ran("|| true")
    assert index.requests == []

    dfcache(project, "fix", "--write", "--select=DFC306", "--unsafe")
    mended = builder()
    index.refuse_all()
    assert not mended.build(project).ok
    index.heal()
    built = mended.build(project)
    assert built.ok, built.log
    assert set(index.fetched()) == EVERYTHING
