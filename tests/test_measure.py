"""``dfcache measure``: what is read from builds, what is changed, and what users see.

Here no build is real: samples are recorded, and docker is a script. tests/builds has the real ones.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from building import built
from dfcache.builders.changes import bumps, source_edit, why_none
from dfcache.builders.docker import mounts_of
from dfcache.builders.downloads import Downloads, downloads
from dfcache.builders.measure import COLD, Cost, Measurement, Scenario, saves
from dfcache.builders.progress import Plain, Progress, RawJson, Step
from dfcache.builders.workspace import workspace
from dfcache.record import replace
from dfcache.reporters.measured import NOTHING_SAVED, json_text, text, warnings

SAMPLES = Path(__file__).parent / "data" / "progress"
SOURCE = Path(__file__).parents[1] / "src"
INSTALL = "RUN pip install --no-cache-dir -r requirements.txt"


def fed(progress: Progress, said: str) -> Progress:
    for line in said.split("\n"):
        progress.line(line)
    return progress


def ran(output: str, name: str = "RUN true") -> Downloads:
    return downloads([Step(name, True, output, "")])


# What a build says


@pytest.mark.parametrize(("kind", "file"), [(RawJson, "pip.rawjson"), (Plain, "pip.plain")])
def test_steps_of_a_recorded_build(kind: type[Progress], file: str):
    progress = fed(kind(), (SAMPLES / file).read_text(encoding="utf-8"))
    steps = progress.steps()
    assert [(step.name, step.ran) for step in steps] == [
        ("WORKDIR /app", False),
        ("COPY . .", True),
        (INSTALL, True),
    ]
    assert "Successfully installed lab-alpha-1.0 lab-beta-1.0" in steps[2].output
    assert progress.current() == INSTALL
    assert downloads(steps) == Downloads(4, 4_002_847)


def test_a_message_of_rawjson_may_be_one_line():
    printed = (SAMPLES / "pip.rawjson").read_text(encoding="utf-8")
    long = fed(RawJson(), printed)
    messages = json.loads("[" + printed.replace("\n}\n{", "\n},\n{") + "]")
    short = fed(RawJson(), "\n".join(json.dumps(each) for each in messages))
    assert short.steps() == long.steps() != ()


def test_rawjson_tells_what_failed_and_keeps_what_the_client_says():
    vertex = {"digest": "a", "name": "[2/2] RUN false", "started": "2026-11-22T12:05:26.7Z"}
    progress = fed(
        RawJson(),
        json.dumps({"vertexes": [{**vertex, "error": "exit code: 1"}]}) + "\nERROR: failed\n",
    )
    assert progress.steps() == (Step("RUN false", True, "", "exit code: 1"),)
    assert progress.rest() == "ERROR: failed"


def test_the_time_for_a_base_image_is_told():
    times = {"started": "2026-11-22T12:00:58.5Z", "completed": "2026-11-22T12:01:01.75Z"}
    vertex = {"digest": "a", "name": "[1/2] FROM docker.io/library/python:3.12", **times}
    assert fed(RawJson(), json.dumps({"vertexes": [vertex]})).pulling() == 3.25
    plain = "#4 [build 1/3] FROM docker.io/library/python:3.12\n#4 DONE 2.5s\n"
    assert fed(Plain(), plain).pulling() == 2.5


def test_plain_tells_what_was_cached_what_failed_and_what_never_ran():
    progress = fed(
        Plain(),
        "#4 [build 1/4] FROM docker.io/library/python:3.12\n#4 CACHED\n"
        "#5 [build 2/4] WORKDIR /app\n#5 CACHED\n"
        "#6 [build 3/4] RUN false\n#6 0.312 no such thing\n#6 ERROR: exit code: 1\n"
        "#7 [other 2/2] RUN sleep 9\n#7 CANCELED\nERROR: failed to solve\n",
    )
    assert progress.steps() == (
        Step("WORKDIR /app", False, "", ""),
        Step("RUN false", True, "no such thing\n", "exit code: 1"),
        Step("RUN sleep 9", False, "", ""),
    )
    assert progress.rest() == "ERROR: failed to solve"


# What package managers say


@pytest.mark.parametrize(
    ("name", "output", "told"),
    [
        (
            "RUN pip install flask",
            "Collecting flask\n  Downloading flask-3.0-py3-none-any.whl.metadata (3.6 kB)\n"
            "  Downloading flask-3.0-py3-none-any.whl (101 kB)\n"
            "Downloading werkzeug-3.0-py3-none-any.whl (1.2MB)\n",
            Downloads(2, 1_304_600),
        ),
        (
            "RUN pip install flask",
            "Collecting flask\n  Using cached flask-3.0-py3-none-any.whl (101 kB)\n",
            Downloads(0, 0),
        ),
        ("RUN pip install -q flask", "", Downloads(None, None, ("pip",))),
        ("RUN echo done", "", Downloads(0, 0)),
        (
            "RUN apt-get update && apt-get install -y gcc",
            "Get:1 http://archive.example/debian bookworm InRelease [151 kB]\n"
            "Get:2 http://archive.example/debian bookworm/main amd64 Packages [8,786 kB]\n"
            "Reading package lists...\n0 upgraded, 1 newly installed, 0 to remove.\n"
            "Get:1 http://archive.example/debian bookworm/main amd64 gcc amd64 4:12.2.0-3 [5,216 B]"
            "\r\nUnpacking gcc (4:12.2.0-3) ...\n",
            Downloads(1, 8_942_216),
        ),
        (
            "RUN apt-get install -y gcc",
            "Reading package lists...\n0 upgraded, 1 newly installed, 0 to remove.\n"
            "Need to get 0 B/5216 B of archives.\nUnpacking gcc (4:12.2.0-3) ...\n",
            Downloads(0, 0),
        ),
        (
            "RUN apt-get update && apt-get install -qqy gcc",
            "Get:1 http://archive.example/debian bookworm InRelease [151 kB]\n"
            "Reading package lists...\nUnpacking gcc (4:12.2.0-3) ...\n",
            Downloads(None, None, ("apt",)),
        ),
        (
            "RUN uv pip install -r requirements.txt",
            "Resolved 4 packages in 181ms\nPrepared 3 packages in 44ms\nInstalled 4 packages\n",
            Downloads(3, None, ("uv",)),
        ),
        ("RUN uv sync", "Resolved 4 packages in 1ms\nInstalled 4 packages in 5ms\n", Downloads()),
        ("RUN npm ci", "\nadded 3 packages in 5s\n", Downloads(None, None, ("npm",))),
        (
            "RUN npm ci",
            "npm http fetch GET 200 https://r/a/-/a-1.tgz 12ms (cache miss)\n"
            "npm http fetch GET 200 https://r/b/-/b-1.tgz 2ms (cache hit)\n",
            Downloads(1, None, ("npm",)),
        ),
        ("RUN yarn install", "Done in 1s\n", Downloads(None, None, ("yarn",))),
        (
            "RUN --mount=type=cache,target=/x curl -sSO http://x/y",
            "",
            Downloads(None, None, ("curl",)),
        ),
        (
            "RUN apt-get install -y curl wget git",
            "Reading package lists...\n0 upgraded, 0 newly installed, 0 to remove.\n",
            Downloads(0, 0),
        ),
    ],
)
def test_downloads_are_what_the_tools_say(name: str, output: str, told: Downloads):
    assert ran(output, name) == told


def test_a_step_from_the_cache_downloads_nothing():
    output = "  Downloading flask-3.0-py3-none-any.whl (101 kB)\n"
    assert downloads([Step("RUN pip install flask", False, output, "")]) == Downloads(0, 0)


# What is changed


FILES = {
    "requirements.txt": "flask==2.0.1\n",
    "setup.py": "",
    "README.md": "text\n",
    "tests/test_a.py": "",
    "shop/__init__.py": "a = 1",
}
PLAIN = "FROM python:3.12\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\n"


def edited(dockerfile: str, files: Mapping[str, str]) -> tuple[str, str] | None:
    change = source_edit(built(dockerfile, files), files.get, "abc123")
    return (change.path, change.text) if change else None


def test_a_source_file_is_edited_not_a_manifest_nor_a_test():
    assert edited(PLAIN, FILES) == ("shop/__init__.py", "a = 1\n# abc123\n")


def test_a_file_that_the_install_can_see_goes_first():
    dockerfile = "FROM python:3.12\nCOPY requirements.txt web.js /\n" + (
        "RUN pip install -r requirements.txt\nCOPY shop /shop\n"
    )
    files = {**FILES, "web.js": "x()\n"}
    assert edited(dockerfile, files) == ("web.js", "x()\n// abc123\n")


def test_a_file_that_is_not_copied_is_not_edited():
    assert edited("FROM python:3.12\nCOPY requirements.txt /\nRUN pip install x\n", FILES) is None


def bumped(files: Mapping[str, str], installed: str = "", dockerfile: str = PLAIN) -> list[str]:
    """The lines that the changes give, where they differ from the file."""
    changes = []
    for change in bumps(built(dockerfile, files), files.get, installed):
        old = files[change.path].split("\n")
        changes += [line for line in change.text.split("\n") if line not in old]
    return changes


@pytest.mark.parametrize(
    ("requirements", "installed", "lines"),
    [
        ("flask==2.0.1\n", "", ["flask>2.0.1,<3", "flask!=2.0.1"]),
        ("Flask[async] == 2.0.1 ; python_version > '3'  # why\n", "", [
            "Flask[async]>2.0.1,<3 ; python_version > '3'  # why",
            "Flask[async]!=2.0.1 ; python_version > '3'  # why",
        ]),
        ("flask\n", "Successfully installed Jinja2-3.1 flask-2.0.1\n", ["flask!=2.0.1"]),
        ("flask>=2,<3\n", "Successfully installed flask-2.0.1\n", ["flask>=2,<3,!=2.0.1"]),
        ("flask\n", " + flask==2.0.1\n", ["flask!=2.0.1"]),
        ("flask\n", "", []),
        ("wheel==1\n", "", []),
        ("flask==2.0.1 --hash=sha256:00\n", "", []),
        ("flask @ https://x/flask.whl\n./local\n-e .\n", "", []),
        ("click\nflask==2.0.1\n", "Successfully installed click-8 flask-2.0.1\n", [
            "flask>2.0.1,<3", "flask!=2.0.1", "click!=8",
        ]),
    ],
)  # fmt: skip
def test_a_dependency_may_be_another_version(requirements: str, installed: str, lines: list[str]):
    assert bumped({"requirements.txt": requirements, "setup.py": ""}, installed) == lines


def test_a_dependency_is_changed_where_it_stands():
    files = {"requirements.txt": "-r base.txt\n", "base.txt": "a==1.0\n", "x.py": ""}
    change = next(bumps(built(PLAIN, files), files.get, ""))
    assert (change.path, change.what) == ("base.txt", "a==1.0 to a>1.0,<2 in base.txt")


def test_one_that_stands_twice_is_let_be():
    files = {"requirements.txt": "-c limits.txt\nflask\n", "limits.txt": "flask==2.0.1\n"}
    assert bumped(files, "Successfully installed flask-2.0.1\n") == []


def test_a_dependency_of_pyproject_is_changed():
    project = (
        '[build-system]\nrequires=["hatchling"]\nbuild-backend="hatchling.build"\n'
        '[project]\nname="shop"\nversion="1"\ndependencies = [\n  "flask==2.0.1",\n]\n'
    )
    files = {"pyproject.toml": project, "shop/__init__.py": ""}
    dockerfile = "FROM python:3.12\nCOPY . .\nRUN uv pip install -r pyproject.toml\n"
    assert bumped(files, "", dockerfile)[0] == '  "flask>2.0.1,<3",'


@pytest.mark.parametrize(
    ("dockerfile", "files", "why"),
    [
        ("FROM a\nRUN true\n", {}, "no step of this Dockerfile is known to install packages"),
        (
            "FROM node:20\nCOPY . .\nRUN npm ci\n",
            {"package.json": "{}", "package-lock.json": "{}"},
            "package-lock.json holds all versions, and another one takes the tool that wrote it",
        ),
        (
            "FROM debian:12\nRUN apt-get install -y gcc\n",
            {},
            "the installs read no requirements file and no pyproject.toml",
        ),
        (
            PLAIN,
            {"requirements.txt": "./local\n"},
            "what the installs read names no version that can be changed alone",
        ),
    ],
)
def test_why_nothing_is_bumped(dockerfile: str, files: Mapping[str, str], why: str):
    assert why_none(built(dockerfile, files)) == why


# The copy


def test_the_copy_is_what_a_build_sees(tmp_path: Path):
    root = tmp_path / "root"
    (root / "kept" / "empty").mkdir(parents=True)
    (root / "hidden").mkdir()
    (root / "hidden" / "a").touch()
    (root / "hidden" / "b").touch()
    (root / "run").write_text("#!/bin/sh\n")
    (root / "run").chmod(0o755)
    (root / "link").symlink_to("run")
    (root / ".dockerignore").write_text("hidden\n!hidden/b\n*.log\n")
    (root / "x.log").touch()
    with workspace(str(root), str(root / "Dockerfile")) as space:
        copy = Path(space.context)
        found = sorted(str(path.relative_to(copy)) for path in copy.rglob("*"))
        assert found == [".dockerignore", "hidden", "hidden/b", "kept", "kept/empty", "link", "run"]
        assert stat.S_IMODE((copy / "run").stat().st_mode) == 0o755
        assert (copy / "link").is_symlink()
        dockerfile = Path(space.dockerfile("FROM a\r\n"))
        assert dockerfile.read_bytes() == b"FROM a\r\n"
        assert not dockerfile.is_relative_to(copy)
    assert not copy.exists()


def test_nothing_is_changed_through_a_link(tmp_path: Path):
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.py").write_text("a\n")
    (root / "b.py").symlink_to(root / "a.py")
    with workspace(str(root), str(root / "Dockerfile")) as space:
        assert space.read("b.py") is None
        assert space.read("a.py") == "a\n"
        space.change({"a.py": "b\n"})
        assert space.read("a.py") == "b\n"
        space.restore()
        assert space.read("a.py") == "a\n"
    assert (root / "a.py").read_text() == "a\n"


# The report


def costs(seconds: float, runs: int, told: Downloads) -> Cost:
    steps = ("COPY . .", INSTALL, "RUN true")
    return Cost(seconds, steps, steps[: runs + 1], told)


SAVED = Scenario(
    "source edit", "a.py", costs(4.25, 2, Downloads(4, 4_002_847)), costs(0.5, 0, Downloads())
)
SILENT = Scenario(
    "source edit",
    "a.js",
    costs(4.25, 1, Downloads(None, None, ("npm",))),
    costs(4.5, 1, Downloads(None, None, ("npm",))),
)


def test_the_table():
    skipped = (("dependency bumped", "no reason"),)
    assert text(Measurement((SAVED, SILENT), skipped)) == (
        "source edit (a.py)\n"
        "                     original     fixed\n"
        "  seconds                 4.2       0.5\n"
        "  steps run            3 of 3    1 of 3\n"
        "  packages fetched          4         0\n"
        "  megabytes               4.0         0\n"
        "\n"
        "source edit (a.js)\n"
        "                     original     fixed\n"
        "  seconds                 4.2       4.5\n"
        "  steps run            2 of 3    2 of 3\n"
        "  packages fetched          ?         ?\n"
        "  megabytes                 ?         ?\n"
        "\n"
        "dependency bumped: skipped, no reason\n"
        "?: npm does not say it\n"
    )


def test_the_json():
    document = json.loads(json_text(Measurement((SAVED,), (("dependency bumped", "x"),)), ".", "D"))
    assert document["scenarios"][0]["name"] == "source-edit"
    assert document["scenarios"][0]["original"] == {
        "seconds": 4.25,
        "steps": 3,
        "ran": ["COPY . .", INSTALL, "RUN true"],
        "packages": 4,
        "bytes": 4_002_847,
        "silent": [],
    }
    assert document["skipped"] == [{"name": "dependency-bumped", "reason": "x"}]
    assert document["warnings"] == []


@pytest.mark.parametrize(
    ("original", "fixed", "saved"),
    [
        (costs(1, 1, Downloads(4, 4000)), costs(9, 2, Downloads(1, 10)), True),
        (costs(1, 1, Downloads(1, 10)), costs(9, 2, Downloads(1, 10)), False),
        (costs(1, 2, Downloads(0, 0)), costs(1, 1, Downloads(0, 0)), True),
        (costs(1, 1, Downloads(3, None)), costs(1, 1, Downloads(1, None)), True),
        (costs(1, 2, Downloads(None, None)), costs(1, 1, Downloads(None, None)), True),
        (costs(10, 1, Downloads(None, None)), costs(5, 1, Downloads(None, None)), True),
        (costs(10, 1, Downloads(None, None)), costs(9, 1, Downloads(None, None)), False),
    ],
)
def test_what_counts_as_saved(original: Cost, fixed: Cost, saved: bool):
    assert saves(Scenario("source edit", "a", original, fixed)) is saved


def test_a_fix_that_saves_nothing_is_told():
    assert warnings(Measurement((SILENT,), ())) == [NOTHING_SAVED]
    assert warnings(Measurement((SILENT, SAVED), ())) == []
    cold = replace(SAVED, name=COLD)
    assert warnings(Measurement((SILENT, cold), ())) == [NOTHING_SAVED]


def test_mounts_are_found_by_their_namespace():
    def entry(identity: str, description: str) -> str:
        return f"ID:\t\t{identity}\nMutable:\ttrue\nDescription:\t{description}\nType:\t\tx\n\n"

    listed = (
        entry("aaa", 'cached mount /c from exec /bin/sh -c pip install with id "dfcache-1//c"')
        + entry("bbb", 'cached mount /c from exec /bin/sh -c set -e\n\npip x with id "dfcache-1/d"')
        + entry("ccc", 'cached mount /c from exec /bin/sh -c pip install with id "/c"')
        + entry("ddd", "mount / from exec /bin/sh -c echo dfcache-1/")
        + entry("eee", 'cached mount /c from exec /bin/sh -c pip install with id "dfcache-12//c"')
    )
    assert mounts_of(listed, ["dfcache-1"]) == ["aaa", "bbb"]


# The command

FAKE = """\
#!{python}
import json, os, pathlib, sys, time
state = pathlib.Path(os.environ["FAKE_DOCKER"])
words = sys.argv[1:]
with (state / "calls").open("a") as calls:
    calls.write(json.dumps(words) + "\\n")
if words[:2] == ["buildx", "version"]:
    print("github.com/docker/buildx v0.12.1 abc")
    sys.exit(0 if not (state / "no-buildx").exists() else 1)
if words[:2] == ["buildx", "du"]:
    name = next(w for line in (state / "calls").open() for w in json.loads(line) if "_NS=" in w)
    name = name.rpartition("=")[2]
    print('ID:\\t\\tmountid\\nDescription:\\tcached mount /c from exec x with id "%s//c"' % name)
if words[:2] == ["buildx", "build"]:
    builds = [line for line in (state / "calls").open() if '"build"' in line]
    answer = state / f"{{len(builds)}}"
    if (state / "hang").exists():
        print("#5 [2/2] RUN sleep", file=sys.stderr, flush=True)
        time.sleep(60)
    print(answer.read_text(), file=sys.stderr)
    sys.exit(1 if "ERROR" in answer.read_text() else 0)
"""
COPIED = "#5 [2/3] COPY . .\n#5 DONE 0.1s\n"
DOWNLOADED = COPIED + (
    f"#6 [3/3] {INSTALL}\n#6 0.1 Collecting flask\n"
    "#6 0.2   Downloading flask-2.0.1-py3-none-any.whl (101 kB)\n"
    "#6 0.3 Successfully installed flask-2.0.1\n#6 DONE 2.1s\n"
)
KEPT = COPIED + f"#6 [3/3] {INSTALL}\n#6 CACHED\n"
REUSED = DOWNLOADED.replace("  Downloading", "  Using cached")
FAILED = COPIED + (
    f"#6 [3/3] {INSTALL}\n#6 0.1 Collecting flask\n"
    "#6 0.2 ERROR: No matching distribution found for flask\n"
    "#6 ERROR: process did not complete successfully: exit code: 1\n"
    "ERROR: failed to solve: process did not complete successfully: exit code: 1\n"
)
BUMPED = DOWNLOADED.replace("2.0.1", "2.0.3")
ANSWERS = [DOWNLOADED, DOWNLOADED, BUMPED, DOWNLOADED, KEPT, REUSED]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with something to fix, in a folder of its own."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Dockerfile").write_text(
        "FROM python:3.12\nCOPY . .\nRUN pip install --no-cache-dir -r requirements.txt\n"
    )
    (folder / "requirements.txt").write_text("flask==2.0.1\n")
    (folder / "app.py").write_text("a = 1\n")
    return folder


class FakeDocker:
    """A docker on the PATH that says what it is told to say."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "docker"
        self.temporary = folder / "temporary"
        for each in (self.state, self.temporary):
            each.mkdir()
        program = self.state / "bin" / "docker"
        program.parent.mkdir()
        program.write_text(FAKE.format(python=sys.executable))
        program.chmod(0o755)
        self.env = {
            **os.environ,
            "PATH": str(program.parent),
            "FAKE_DOCKER": str(self.state),
            "TMPDIR": str(self.temporary),
            "PYTHONPATH": str(SOURCE),
        }

    def answers(self, *texts: str) -> None:
        for number, said in enumerate(texts, 1):
            (self.state / str(number)).write_text(said)

    def calls(self, kind: str) -> list[list[str]]:
        words = [json.loads(line) for line in (self.state / "calls").open()]
        return [each[2:] for each in words if each[1] == kind]

    def measure(self, project: Path, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "dfcache", "measure", str(project), *options],
            capture_output=True, text=True, env=self.env, timeout=60, check=False,
        )  # fmt: skip


@pytest.fixture
def docker(tmp_path: Path) -> FakeDocker:
    return FakeDocker(tmp_path)


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {str(p): (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.iterdir()}


def test_original_and_fixed_are_built_and_compared(docker: FakeDocker, project: Path):
    docker.answers(*ANSWERS)
    before = contents(project)
    done = docker.measure(project, "--format=json", "--cold", "--build-arg=A=1")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    told = {
        each["name"]: (each["changed"], each["original"]["bytes"], each["fixed"]["bytes"])
        for each in document["scenarios"]
    }
    assert told == {
        "cold": ("all caches empty", 101_000, 101_000),
        "source-edit": ("app.py", 101_000, 0),
        "dependency-bumped": ("flask==2.0.1 to 2.0.3 in requirements.txt", 101_000, 0),
    }
    assert contents(project) == before
    assert list(docker.temporary.iterdir()) == []


def test_builds_share_nothing_with_the_users(docker: FakeDocker, project: Path):
    docker.answers(*ANSWERS)
    assert docker.measure(project, "--build-arg=A=1", "--build-option=--target=x").returncode == 0
    builds = docker.calls("build")
    assert len(builds) == 6
    spaces = []
    for words in builds:
        assert {"--output=type=cacheonly", "--progress=plain", "--target=x"} <= set(words)
        assert "--build-arg=A=1" in words
        assert not any(word.startswith(("--tag", "-t", "--load", "--push")) for word in words)
        assert Path(words[-1]).is_relative_to(docker.temporary)
        spaces += [w.rpartition("=")[2] for w in words if "BUILDKIT_CACHE_MOUNT_NS" in w]
    assert spaces == [spaces[0]] * 3 + [spaces[3]] * 3
    assert spaces[0] != spaces[3]
    assert all(space.startswith("dfcache-") for space in spaces)
    assert docker.calls("prune") == [["--force", "--filter=id=mountid"]]


def test_without_cold_the_first_builds_are_not_reported(docker: FakeDocker, project: Path):
    docker.answers(*ANSWERS)
    shown = docker.measure(project).stdout
    assert shown.startswith("source edit (app.py)\n")
    assert "cold" not in shown


def test_a_version_that_is_not_there_gives_way_to_another(docker: FakeDocker, project: Path):
    quiet = COPIED + f"#6 [3/3] {INSTALL}\n#6 DONE 1.0s\n"
    docker.answers(DOWNLOADED, DOWNLOADED, FAILED, quiet, DOWNLOADED, KEPT, REUSED)
    shown = docker.measure(project).stdout
    assert "dependency bumped (flask==2.0.1 to flask!=2.0.1 in requirements.txt)" in shown


def test_no_version_to_be_had_is_no_failure(docker: FakeDocker, project: Path):
    docker.answers(DOWNLOADED, DOWNLOADED, FAILED, FAILED, DOWNLOADED, KEPT)
    done = docker.measure(project)
    assert done.returncode == 0
    assert (
        "dependency bumped: skipped, flask==2.0.1 to flask!=2.0.1 in requirements.txt does not "
        "build: ERROR: No matching distribution found for flask\n"
    ) in done.stdout


def test_a_fix_that_saves_nothing_is_warned_of(docker: FakeDocker, project: Path):
    docker.answers(*[DOWNLOADED] * 6)
    done = docker.measure(project)
    assert done.returncode == 0
    assert f"dfcache: warning: {NOTHING_SAVED}" in done.stderr


def test_a_failing_build_is_shown_with_its_end(docker: FakeDocker, project: Path):
    docker.answers(FAILED)
    done = docker.measure(project)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.split("\n")[1:] == [
        f"  {INSTALL}",
        "  Collecting flask",
        "  ERROR: No matching distribution found for flask",
        "dfcache: original: first build fails: failed to solve: process did not complete "
        "successfully: exit code: 1",
        "",
    ]
    assert list(docker.temporary.iterdir()) == []


def test_a_fix_that_does_not_build_is_a_bug(docker: FakeDocker, project: Path):
    docker.answers(DOWNLOADED, DOWNLOADED, BUMPED, FAILED)
    done = docker.measure(project)
    assert done.returncode == 2
    assert "dfcache: fixed: first build fails: failed to solve" in done.stderr
    assert "; the original builds, please report this at https://" in done.stderr


def test_no_docker(project: Path, tmp_path: Path):
    env = {**os.environ, "PATH": str(tmp_path), "PYTHONPATH": str(SOURCE)}
    done = subprocess.run(
        [sys.executable, "-m", "dfcache", "measure", str(project)],
        capture_output=True, text=True, env=env, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "dfcache: docker is not installed; measuring needs it, with buildx\n"


def test_no_buildx(docker: FakeDocker, project: Path):
    (docker.state / "no-buildx").touch()
    done = docker.measure(project)
    assert done.returncode == 2
    assert done.stderr.startswith("dfcache: docker has no buildx")
    assert done.stderr.count("\n") == 1


def test_nothing_to_fix_needs_no_build(docker: FakeDocker, project: Path):
    (project / "Dockerfile").write_text("FROM scratch\nCOPY app.py /\n")
    done = docker.measure(project)
    assert (done.returncode, done.stdout) == (0, "")
    assert "nothing to fix, so nothing was built" in done.stderr
    assert not (docker.state / "calls").exists()


@pytest.mark.parametrize("wrong", ["nowhere", "--file=nowhere"])
def test_what_is_not_there(docker: FakeDocker, project: Path, wrong: str):
    words = [wrong] if wrong.startswith("-") else []
    done = docker.measure(project if words else project / wrong, *words)
    assert done.returncode == 2
    assert "nowhere" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_dockerfile_that_cannot_be_built(docker: FakeDocker, project: Path):
    (project / "Dockerfile").write_text("NOPE\n")
    done = docker.measure(project)
    assert done.returncode == 2
    assert "BuildKit refuses it" in done.stderr


@pytest.mark.parametrize(("sign", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_leaves_nothing_behind(
    docker: FakeDocker, project: Path, sign: signal.Signals, code: int
):
    (docker.state / "hang").touch()
    running = subprocess.Popen(
        [sys.executable, "-m", "dfcache", "measure", str(project)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=docker.env,
    )  # fmt: skip
    calls = docker.state / "calls"
    deadline = time.monotonic() + 30
    while not (calls.exists() and '"build"' in calls.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    running.send_signal(sign)
    assert running.wait(30) == code
    assert list(docker.temporary.iterdir()) == []
    assert docker.calls("prune") != []
    here = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(docker.state / "bin" / "docker") not in here
