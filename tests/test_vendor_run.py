"""``dfcache vendor`` against an index on the loopback that counts, cuts and refuses."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from lab.index import Index
from lab.packages import Package, sdist, wheel

from dfcache.cli.vendor_show import Show
from dfcache.vendor.fetch import Network, fetch
from dfcache.vendor.files import Locked
from dfcache.vendor.uvsays import deepest, unreachable, without_wheels

SOURCE = Path(__file__).parents[1] / "src"
PACKAGES = (
    Package("lab-plain", "1.0", requires=("lab-inner>=1",)),
    Package("lab-plain", "2.0", requires=("lab-inner>=1",)),
    Package("lab-inner", "1.0"),
    Package("lab-big", "1.0", bulk=4_000_000),
    Package("lab-large", "1.0", bulk=3_000_000),
    Package("lab-native", "1.0", tag="cp39-cp39-manylinux_2_17_x86_64"),
    Package("lab-native", "1.0", tag="cp39-cp39-manylinux_2_17_aarch64"),
    Package("lab-native", "1.0", tag="cp39-cp39-musllinux_1_2_x86_64"),
    Package("lab-native", "1.0", tag="cp313-cp313-manylinux_2_17_x86_64"),
    Package("lab-native", "1.0", tag="cp313-cp313-musllinux_1_2_aarch64"),
    Package("lab-native", "1.0", tag="cp311-cp311-win_amd64"),
    Package(
        "lab-marked", "1.0",
        requires=(
            'lab-old; python_version < "3.10"',
            'lab-new; python_version >= "3.10"',
            'lab-windows; sys_platform == "win32"',
            'lab-extra; extra == "more"',
        ),
        extras=("more",),
    ),
    Package("lab-old", "1.0"),
    Package("lab-new", "1.0"),
    Package("lab-windows", "1.0"),
    Package("lab-extra", "1.0"),
    Package("lab-source", "1.0", requires=("lab-inner",), source=True),
    Package("lab-over", "0.9", source=True),
    Package("lab-over", "1.0", requires=("lab-source",)),
    Package("lab-both", "1.0"),
    Package("lab-both", "1.0", source=True),
)  # fmt: skip


@pytest.fixture
def index() -> Iterator[Index]:
    with Index(port=0, ranges=True, python=PACKAGES, metadata=True) as running:
        yield running


class Project:
    """A project whose build asks an index, and the command run on it."""

    def __init__(self, folder: Path, index: Index) -> None:
        self.folder = folder / "project"
        self.folder.mkdir()
        self.packages = self.folder / "pip_packages"
        self.index = index
        self.url = f"{index.url}/simple/"
        kept = ("PATH", "HOME", "LANG", "SYSTEMROOT", "TMPDIR")
        self.env = {name: os.environ[name] for name in kept if name in os.environ}
        self.env |= {
            "PYTHONPATH": str(SOURCE),
            "UV_CACHE_DIR": str(folder / "uv"),
            "UV_HTTP_RETRIES": "0",
            "PIP_CONFIG_FILE": os.devnull,
            "PATH": os.path.dirname(sys.executable),  # without docker
        }

    def write(self, requirements: str, base: str = "python:3.11-slim", more: str = "") -> None:
        (self.folder / "requirements.txt").write_text(requirements)
        (self.folder / "Dockerfile").write_text(
            f"FROM {base}\nARG PIP_INDEX_URL={self.url}\n{more}COPY requirements.txt .\n"
            "RUN pip install -r requirements.txt\n"
        )

    def command(self, *options: str) -> list[str]:
        return [sys.executable, "-m", "dfcache", "vendor", "--retries=0", *options]

    def run(self, *options: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(*options), cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def files(self) -> list[str]:
        return sorted(p.name for p in self.packages.iterdir() if p.suffix in (".whl", ".gz"))

    def names(self) -> list[str]:
        return sorted({name.partition("-")[0].removeprefix("lab_") for name in self.files()})

    def manifest(self) -> Mapping[str, Mapping[str, object]]:
        return json.loads((self.packages / "dfcache.json").read_text())["files"]


@pytest.fixture
def project(tmp_path: Path, index: Index) -> Project:
    return Project(tmp_path, index)


def sent(index: Index, name: str) -> int:
    return sum(count for file, count in index.fetched().items() if file.startswith(name))


# What is fetched


def test_the_folder_holds_all_that_is_installed(project: Project, index: Index):
    project.write("lab-plain==1.0\nlab-big\n")
    done = project.run()
    assert project.names() == ["big", "inner", "plain"]
    assert "pip_packages holds 3 packages (4.0 MB)" in done.stdout
    assert "python3.11 linux/amd64" in done.stdout
    for name, entry in project.manifest().items():
        data = (project.packages / name).read_bytes()
        assert entry["sha256"] == hashlib.sha256(data).hexdigest()
        assert entry["size"] == len(data)
    assert all(count == index.size(name) for name, count in index.fetched().items())


@pytest.mark.parametrize(
    ("base", "platform", "tag"),
    [
        ("python:3.9-slim", "linux/amd64", "cp39-cp39-manylinux_2_17_x86_64"),
        ("python:3.9-slim", "linux/arm64", "cp39-cp39-manylinux_2_17_aarch64"),
        ("python:3.9-alpine", "linux/amd64", "cp39-cp39-musllinux_1_2_x86_64"),
        ("python:3.13", "linux/amd64", "cp313-cp313-manylinux_2_17_x86_64"),
        ("python:3.13-alpine", "linux/arm64", "cp313-cp313-musllinux_1_2_aarch64"),
    ],
)
def test_wheels_fit_the_image(project: Project, base: str, platform: str, tag: str):
    project.write("lab-native\n", f"--platform={platform} {base}")
    project.run()
    assert project.files() == [f"lab_native-1.0-{tag}.whl"]


def test_several_platforms_are_in_one_folder(project: Project):
    project.write("lab-native\nlab-inner\n", "python:3.9-slim")
    done = project.run("--platform", "linux/amd64", "--platform", "linux/arm64")
    assert project.files() == [
        "lab_inner-1.0-py3-none-any.whl",
        "lab_native-1.0-cp39-cp39-manylinux_2_17_aarch64.whl",
        "lab_native-1.0-cp39-cp39-manylinux_2_17_x86_64.whl",
    ]
    targets = {name: len(entry["targets"]) for name, entry in project.manifest().items()}
    assert sorted(targets.values()) == [1, 1, 2]
    assert "linux/amd64" in done.stdout
    assert "linux/arm64" in done.stdout
    # A rerun and a check remember which platforms there are.
    project.index.forget()
    project.run()
    assert project.index.requests == []
    assert len(project.files()) == 3


@pytest.mark.parametrize(("version", "needed"), [("3.9", "old"), ("3.13", "new")])
def test_markers_are_those_of_the_image(project: Project, version: str, needed: str):
    project.write(
        'lab-marked[more]\nlab-windows; sys_platform == "win32"\n', f"python:{version}-slim"
    )
    project.run()
    assert project.names() == sorted(["extra", "marked", needed])


def test_every_install_of_every_stage_counts(project: Project):
    (project.folder / "Dockerfile").write_text(
        f"FROM python:3.9-slim AS a\nARG PIP_INDEX_URL={project.url}\n"
        "RUN pip install --upgrade lab-inner lab-native\n"
        f"FROM python:3.13-slim\nRUN pip install -i {project.url} lab-plain==1.0 && "
        f"uv pip install --index-url {project.url} lab-native\n"
    )
    project.run()
    assert project.files() == [
        "lab_inner-1.0-py3-none-any.whl",
        "lab_native-1.0-cp313-cp313-manylinux_2_17_x86_64.whl",
        "lab_native-1.0-cp39-cp39-manylinux_2_17_x86_64.whl",
        "lab_plain-1.0-py3-none-any.whl",
    ]


def test_a_project_and_its_build_count(project: Project):
    (project.folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["lab-inner"]\nbuild-backend = "lab"\n'
        '[project]\nname = "me"\nversion = "1"\ndependencies = ["lab-big"]\n'
        '[project.optional-dependencies]\nfast = ["lab-new"]\nall = ["me[fast]"]\n'
    )
    (project.folder / "Dockerfile").write_text(
        f"FROM python:3.11\nARG PIP_INDEX_URL={project.url}\nCOPY . .\nRUN pip install '.[all]'\n"
    )
    project.run()
    assert project.names() == ["big", "inner", "new"]


def test_an_editable_project_of_hatchling_needs_one_more(project: Project):
    (project.folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["lab-inner"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "me"\nversion = "1"\n'
    )
    (project.folder / "Dockerfile").write_text(
        f"FROM python:3.11\nARG PIP_INDEX_URL={project.url}\nCOPY . .\nRUN pip install -e .\n"
    )
    assert "editables was not found" in project.run("--quiet", code=2).stderr


def test_no_deps_and_constraints_are_kept(project: Project):
    (project.folder / "constraints.txt").write_text("lab-plain<2\n")
    (project.folder / "Dockerfile").write_text(
        f"FROM python:3.11\nARG PIP_INDEX_URL={project.url}\nCOPY constraints.txt .\n"
        "RUN pip install --no-deps -c constraints.txt lab-plain\n"
    )
    project.run()
    assert project.files() == ["lab_plain-1.0-py3-none-any.whl"]


def test_an_offline_build_is_filled_from_the_index(project: Project):
    (project.folder / "requirements.txt").write_text("lab-plain==1.0\n")
    (project.folder / "Dockerfile").write_text(
        "FROM python:3.11\nCOPY requirements.txt .\n"
        "RUN --mount=type=bind,source=pip_packages,target=/p \\\n"
        "    pip install --no-index --find-links=/p -r requirements.txt \\\n"
        "    || pip install --find-links=/p -r requirements.txt\n"
    )
    project.env["UV_DEFAULT_INDEX"] = project.url
    done = project.run()
    assert project.names() == ["inner", "plain"]
    assert done.stderr.count("resolving") == 1
    again = project.run("--check")
    assert "holds all that is installed" in again.stdout


def test_what_comes_from_an_address_is_fetched_and_told(project: Project):
    url = f"{project.url}files/lab_inner-1.0-py3-none-any.whl"
    project.write(f"lab-inner @ {url}\nlab-big\n")
    done = project.run("--quiet")
    assert project.names() == ["big", "inner"]
    assert (
        "dfcache: requirements.txt:1: lab-inner comes from an address, which pip asks even where "
        "the folder holds it; to install it from there, write its name and version instead\n"
    ) in done.stderr


def test_what_comes_from_version_control_is_told(project: Project):
    project.write("lab-git @ git+https://token@git.example/lab.git@v1\nlab-inner\n")
    done = project.run("--quiet")
    assert project.names() == ["inner"]
    assert "requirements.txt:1: lab-git comes from version control" in done.stderr
    assert "lab-git is not fetched: building it takes a container, but docker" in done.stderr
    assert "token" not in done.stderr
    text = (project.packages / "dfcache.json").read_text()
    assert "token" not in text
    # Whoever prunes for another Dockerfile has to know.
    assert ["lab-git @ git+https://git.example/lab.git@v1"] in [
        each["requirements"] for each in json.loads(text)["inputs"]
    ]


def test_no_binary_keeps_the_source_and_what_builds_it(project: Project):
    (project.folder / "Dockerfile").write_text(
        f"FROM python:3.11\nRUN pip install -i {project.url} --no-binary=lab-source lab-source\n"
    )
    project.run()
    assert project.files() == ["lab_inner-1.0-py3-none-any.whl", "lab_source-1.0.tar.gz"]


# A network that breaks


@pytest.mark.parametrize("metadata", [True, False])
def test_cut_twice_costs_nothing_twice(tmp_path: Path, metadata: bool):
    with Index(port=0, ranges=True, python=PACKAGES, metadata=metadata) as index:
        project = Project(tmp_path, index)
        project.write("lab-plain==1.0\nlab-big\nlab-large\n")
        index.cut("lab_big", at=1_000_000)
        first = project.run("--quiet", code=2)
        assert "lab_big-1.0-py3-none-any.whl: connection lost after 1.0 of 4.0 MB" in first.stderr
        assert "run it again to go on" in first.stderr
        # Without metadata, what lab-plain depends on is not known yet.
        assert project.names() == [*(["inner"] if metadata else []), "large", "plain"]
        index.heal()
        index.cut("lab_big", at=2_500_000)
        project.run("--quiet", code=2)
        index.heal()
        project.run("--quiet")
        assert project.names() == ["big", "inner", "large", "plain"]
        whole = index.size("lab_big-1.0-py3-none-any.whl")
        assert sent(index, "lab_big") == whole
        assert sent(index, "lab_large") == index.size("lab_large-1.0-py3-none-any.whl")


def test_a_full_disk_is_not_tried_again(project: Project, monkeypatch: pytest.MonkeyPatch):
    tries = []

    def read(file: object, response: object, part: object) -> int:
        tries.append(part)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("dfcache.vendor.fetch._File._read", read)
    name, body = wheel(Package("lab-inner", "1.0"))
    file = Locked(
        "lab-inner", "1.0", f"{project.url}files/{name}", hashlib.sha256(body).hexdigest()
    )
    project.packages.mkdir()
    failed = fetch([file], project.packages, Network({}), Show(True), (0, 0))
    assert (failed, len(tries)) == ({file: "No space left on device"}, 1)


def test_an_index_that_gives_only_whole_files_is_asked_once_for_each(tmp_path: Path):
    with Index(port=0, ranges=False, python=PACKAGES) as index:
        project = Project(tmp_path, index)
        project.write("lab-plain==1.0\nlab-big\nlab-large\n")
        index.cut("lab_big", at=1_000_000)
        project.run("--quiet", code=2)
        index.heal()
        project.run("--quiet")
        assert project.names() == ["big", "inner", "large", "plain"]
        fetched = {n: c for n, c in index.fetched().items() if not n.startswith("lab_big")}
        assert fetched == {name: index.size(name) for name in fetched}
        assert len(fetched) == 3


def test_without_hashes_a_file_is_fetched_anew(project: Project, index: Index):
    page = "/simple/lab-big/"
    kind, body = index._answers[page]
    index._answers[page] = (kind, re.sub(rb"#sha256=\w+", b"", body))
    project.write("lab-big\n")
    index.cut("lab_big", at=1_000_000)
    project.run(code=2)
    index.heal()
    project.run()
    name = "lab_big-1.0-py3-none-any.whl"
    assert (project.packages / name).read_bytes() == index._answers[f"/simple/files/{name}"][1]


def test_a_rerun_asks_nobody(project: Project, index: Index):
    project.write("lab-plain==1.0\nlab-big\n")
    project.run()
    index.forget()
    index.refuse_all()
    done = project.run()
    assert index.requests == []
    assert "all were there" in done.stdout


def test_a_rerun_fetches_only_what_is_lacking(project: Project, index: Index):
    project.write("lab-plain==1.0\nlab-big\n")
    project.run()
    (project.packages / "lab_inner-1.0-py3-none-any.whl").unlink()
    index.forget()
    project.run()
    assert list(index.fetched()) == ["lab_inner-1.0-py3-none-any.whl"]
    project.write("lab-plain==1.0\nlab-big\nlab-large\n")
    index.forget()
    project.run()
    assert list(index.fetched()) == ["lab_large-1.0-py3-none-any.whl"]


def test_versions_stay_until_they_are_to_be_new(project: Project, index: Index):
    project.write("lab-plain<2\n")
    project.run()
    project.write("lab-plain\n")
    project.run()
    assert "lab_plain-2.0-py3-none-any.whl" not in project.files()
    done = project.run("--upgrade", "--prune")
    assert "lab_plain-2.0-py3-none-any.whl" in project.files()
    assert "deleted lab_plain-1.0-py3-none-any.whl" in done.stdout


def test_a_dead_index_is_said_in_words(project: Project, index: Index):
    project.write("lab-plain==1.0\n")
    index.refuse_all()
    done = project.run("--quiet", code=2)
    assert done.stderr.startswith(
        f"dfcache: Dockerfile:4: {project.url}lab-plain/ can't be reached: "
    )
    assert done.stderr.endswith("what has arrived stays; run it again to go on\n")
    assert done.stderr.count("\n") == 2
    assert not project.packages.exists() or project.files() == []


def test_interrupted_it_leaves_what_has_arrived(project: Project, index: Index):
    project.write("lab-plain==1.0\nlab-big\n")
    index.rate = 1_000_000
    running = subprocess.Popen(
        project.command(), cwd=project.folder, env=project.env,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    parts = project.packages / ".dfcache-part"
    deadline = time.monotonic() + 60
    while not any(p.stat().st_size > 200_000 for p in parts.glob("lab_big*.part")):
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert err.rstrip().endswith("stopped; what has arrived stays, run it again to go on")
    assert "Traceback" not in out + err
    (part,) = parts.glob("lab_big*.part")
    held = part.stat().st_size
    whole = wheel(next(p for p in PACKAGES if p.name == "lab-big"))[1]
    assert part.read_bytes() == whole[:held]
    index.rate = 0
    index.forget()
    project.run()
    assert sent(index, "lab_big") == len(whole) - held
    assert not parts.exists()


# On a terminal


def on_terminal(project: Project, *options: str, typed: str = "") -> tuple[int, str]:
    """Run the command with a terminal; its exit code, and all that it showed."""
    import pty

    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        project.command(*options), cwd=project.folder, env={**project.env, "TERM": "xterm"},
        stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    if typed:
        os.write(ours, typed.encode())
    shown = b""
    try:
        while data := os.read(ours, 65536):
            shown += data
    except OSError:  # how Linux says that a terminal was closed
        pass
    os.close(ours)
    return running.wait(60), shown.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")
def test_a_terminal_shows_a_bar_and_is_asked(project: Project, index: Index):
    project.write("lab-plain==1.0\nlab-big\n", "registry.example/own/image")
    index.rate = 8_000_000
    code, shown = on_terminal(project, typed="3.11\n")
    assert code == 0
    assert "Which Python does the image have?" in shown
    bars = [part for part in shown.split("\r") if " of 3 files, " in part]
    assert len(bars) > 3
    assert "of 3 files" not in shown.split("\r\x1b[K")[-1]
    assert shown.count("resolving") == 1
    assert "pip_packages holds 3 packages (4.0 MB)" in shown


# What is wrong


def test_a_file_that_is_not_what_was_locked_is_not_kept(project: Project, index: Index):
    project.write("lab-plain==1.0\n")
    path = "/simple/files/lab_plain-1.0-py3-none-any.whl"
    kind, body = index._answers[path]
    index._answers[path] = (kind, body[:-1] + b"X")
    done = project.run("--quiet", code=2)
    assert "lab_plain-1.0-py3-none-any.whl: the hash is not the locked one" in done.stderr
    assert project.names() == ["inner"]


def test_hashes_of_requirements_are_held(project: Project):
    project.write(f"lab-inner==1.0 --hash=sha256:{'0' * 64}\n")
    done = project.run("--quiet", code=2)
    assert "none of the hashes that the requirements allow" in done.stderr


def hashed(file: bytes, algorithm: str = "sha256") -> str:
    return f"--hash={algorithm}:{hashlib.new(algorithm, file).hexdigest()}"


def test_hashes_that_no_index_tells_are_held(project: Project):
    project.write(f"lab-inner==1.0 {hashed(wheel(Package('lab-inner', '1.0'))[1], 'sha512')}\n")
    project.run("--quiet")
    project.write(f"lab-inner==1.0 {hashed(b'', 'sha512')}\n")
    done = project.run("--quiet", code=2)
    assert done.stderr == (
        "dfcache: Dockerfile:4: lab_inner-1.0-py3-none-any.whl has none of the hashes that the "
        "requirements allow\n"
    )


def test_a_source_is_taken_where_only_its_hash_is_allowed(project: Project):
    project.write(f"lab-both==1.0 {hashed(sdist(Package('lab-both', '1.0', source=True))[1])}\n")
    project.run("--quiet", "--sdist")
    assert project.files() == ["lab_both-1.0.tar.gz"]


def test_hashes_that_changed_are_held_against_a_full_folder(project: Project):
    project.write("lab-inner==1.0\n")
    project.run("--quiet")
    project.write(f"lab-inner==1.0 {hashed(b'')}\n")
    assert "none of the hashes" in project.run("--quiet", code=2).stderr


def test_passwords_are_used_and_never_shown(project: Project, index: Index):
    index.login = "someone:sesame%"
    url = project.url.replace("//", "//someone:sesame%25@")
    (project.folder / "requirements.txt").write_text(f"--index-url {url}\nlab-plain==1.0\n")
    (project.folder / "Dockerfile").write_text(
        "FROM python:3.11\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n"
    )
    done = project.run()
    assert project.names() == ["inner", "plain"]
    manifest = (project.packages / "dfcache.json").read_text()
    index.cut("lab_", at=10)
    for each in project.packages.glob("*.whl"):
        each.unlink()
    cut = project.run(code=2)
    index.refuse_all()
    (project.folder / "requirements.txt").write_text(f"--index-url {url}\nlab-plain==2.0\n")
    dead = project.run(code=2)
    (project.folder / "requirements.txt").write_text(f"--index-url {url}\nlab-none==2.0\n")
    index.heal()
    none = project.run("--format=json", code=2)
    for text in (*(t for each in (done, cut, dead, none) for t in (each.stdout, each.stderr)),
                 manifest):  # fmt: skip
        assert "sesame" not in text
        assert "someone" not in text
    assert "lab-none was not found" in none.stderr


def test_what_only_pip_can_log_in_to_is_fetched_by_pip(
    project: Project, index: Index, tmp_path: Path
):
    index.login = "someone:sesame"
    home = tmp_path / "home"
    home.mkdir()
    netrc = home / ".netrc"
    netrc.write_text("machine 127.0.0.1\nlogin someone\npassword sesame\n")
    netrc.chmod(0o600)
    project.env |= {"HOME": str(home), "NETRC": str(netrc)}
    project.write("lab-native\nlab-inner\n", "--platform=linux/arm64 python:3.13-alpine")
    project.run()
    assert project.files() == [
        "lab_inner-1.0-py3-none-any.whl",
        "lab_native-1.0-cp313-cp313-musllinux_1_2_aarch64.whl",
    ]


def test_a_uv_that_is_too_old_is_told(project: Project, tmp_path: Path):
    project.write("lab-inner\n")
    hidden = tmp_path / "hidden" / "uv"
    hidden.mkdir(parents=True)
    (hidden / "__main__.py").write_text(
        "import sys\nsys.stderr.write(\"error: unexpected argument '--format'\")\nsys.exit(2)\n"
    )
    (hidden / "__init__.py").write_text("")
    project.env["PYTHONPATH"] = f"{hidden.parent}{os.pathsep}{SOURCE}"
    done = project.run("--quiet", code=2)
    assert done.stderr == (
        "dfcache: the uv that is installed is too old; install it with: "
        "pip install 'dfcache[vendor]'\n"
    )


def test_an_unknown_python_is_asked_for(project: Project):
    project.write("lab-inner\n", "registry.example/own/image")
    done = project.run(code=2)
    assert "give it: --python 3.11" in done.stderr
    assert done.stderr.count("\n") == 1
    project.run("--python", "3.12")
    assert project.names() == ["inner"]
    # It is remembered.
    project.run()


def test_what_has_no_wheel_is_named(project: Project):
    project.write("lab-source\nlab-big\n")
    done = project.run("--quiet", code=2)
    assert "lab-source 1.0 has no wheel for Python 3.11 on linux/amd64" in done.stderr
    assert "docker is not installed" in done.stderr
    assert "--sdist" in done.stderr


def test_sources_are_kept_on_request(project: Project):
    project.write("lab-source\n")
    project.run("--sdist")
    assert project.files() == ["lab_inner-1.0-py3-none-any.whl", "lab_source-1.0.tar.gz"]


def test_what_depends_on_a_source_stays_a_wheel(project: Project):
    project.write("lab-over\n")
    done = project.run("--quiet", code=2)
    assert "Dockerfile:4: lab-source 1.0 has no wheel" in done.stderr
    project.run("--quiet", "--sdist")
    assert project.files() == [
        "lab_inner-1.0-py3-none-any.whl", "lab_over-1.0-py3-none-any.whl", "lab_source-1.0.tar.gz",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "env",
    [
        {"UV_RESOLUTION": "lowest"},
        {"UV_CONSTRAINT": "nowhere.txt"},
        {"UV_FIND_LINKS": "/nowhere"},
        {"UV_NO_INDEX": "1"},
        {"UV_NO_CONFIG": "1"},
    ],
    ids=lambda env: next(iter(env)),
)
def test_what_this_machine_tells_uv_is_not_for_the_image(project: Project, env: dict[str, str]):
    project.env |= env
    project.write("lab-plain\nlab-source\n")
    project.run("--quiet", "--sdist")
    assert "lab_plain-2.0-py3-none-any.whl" in project.files()
    assert "lab_inner-1.0-py3-none-any.whl" in project.files()


@pytest.mark.parametrize("way", ["pip.conf", "PIP_INDEX_URL", "UV_INDEX", "UV_CONFIG_FILE"])
def test_the_mirror_of_this_machine_is_asked(project: Project, tmp_path: Path, way: str):
    (project.folder / "Dockerfile").write_text("FROM python:3.11\nRUN pip install lab-plain\n")
    file = tmp_path / "configuration"
    if way == "pip.conf":
        file.write_text(f"[global]\nindex-url = {project.url}\n")
        project.env["PIP_CONFIG_FILE"] = str(file)
    elif way == "UV_CONFIG_FILE":
        file.write_text(f'[[index]]\nurl = "{project.url}"\ndefault = true\n')
        project.env[way] = str(file)
    else:
        project.env["UV_DEFAULT_INDEX"] = f"{project.index.url}/nothing/"
        project.env[way] = f"team={project.url}" if way == "UV_INDEX" else project.url
        if way == "PIP_INDEX_URL":
            del project.env["UV_DEFAULT_INDEX"]
    project.run("--quiet")
    assert project.names() == ["inner", "plain"]


def test_a_line_that_is_no_requirement_has_its_own_place(project: Project):
    project.write("lab-inner\n!!!\n")
    done = project.run("--quiet")
    assert done.stderr == (
        "dfcache: requirements.txt:2: not a requirement: !!!; what it asks for is not fetched\n"
    )


def test_an_index_that_wants_a_login_is_told(project: Project, index: Index):
    index.login = "someone:sesame"
    project.write("lab-inner\n")
    done = project.run("--quiet", code=2)
    assert done.stderr == (
        f"dfcache: Dockerfile:4: {project.url}lab-inner/: the server answers 401: "
        "it wants a user and password\n"
    )


def test_an_address_of_nothing_is_told_at_once(project: Project):
    project.write(f"lab-inner @ {project.url}files/lab_inner-7-py3-none-any.whl\n")
    done = project.run("--quiet", code=2)
    assert "lab_inner-7-py3-none-any.whl: the server answers 404 Not Found" in done.stderr
    assert "run it again" not in done.stderr


def test_pips_settings_of_the_image_count(project: Project):
    (project.folder / "Dockerfile").write_text(
        "FROM python:3.11\nENV PIP_NO_BINARY=lab-both\n"
        f"RUN pip install -i {project.url} lab-both lab-inner\n"
    )
    project.run("--quiet")
    assert project.files() == ["lab_both-1.0.tar.gz", "lab_inner-1.0-py3-none-any.whl"]


def test_a_platform_that_uv_knows_not(project: Project):
    project.write("lab-inner\n")
    done = project.run("--quiet", "--platform=linux/arm/v7", code=2)
    assert done.stderr == (
        "dfcache: Dockerfile:4: packages can be fetched for linux/amd64 and linux/arm64, not for "
        "linux/arm/v7; builds for it have to ask the index\n"
    )


def test_nothing_satisfies(project: Project):
    project.write("lab-plain==9\n")
    done = project.run("--quiet", code=2)
    assert "Dockerfile:4: nothing satisfies the requirements" in done.stderr
    assert "there is no version of lab-plain==9" in done.stderr


def test_a_hidden_folder_is_told(project: Project):
    project.write("lab-inner\n")
    (project.folder / ".dockerignore").write_text("pip_packages\n")
    done = project.run()
    assert ".dockerignore hides pip_packages" in done.stderr
    assert (project.folder / ".dockerignore").read_text() == "pip_packages\n"


def test_a_build_for_several_platforms_is_told(project: Project):
    project.write("lab-inner\n", "--platform=$TARGETPLATFORM python:3.11")
    assert "name them all: --platform" in project.run("--quiet").stderr
    both = project.run("--quiet", "--platform=linux/amd64", "--platform=linux/arm64")
    assert "name them all" not in both.stderr


def test_two_runs_at_once_keep_what_each_brings(project: Project):
    project.write("lab-large\n")
    (project.folder / "second").write_text(
        f"FROM python:3.11\nRUN pip install -i {project.url} lab-big\n"
    )
    options = ("--into", "pip_packages", "--context", ".")
    both = [
        subprocess.Popen(
            project.command(name, *options), cwd=project.folder, env=project.env,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        for name in ("Dockerfile", "second")
    ]  # fmt: skip
    told = [each.communicate(timeout=120)[1] for each in both]
    assert [each.returncode for each in both] == [0, 0], told
    assert sorted(project.manifest()) == [
        "lab_big-1.0-py3-none-any.whl", "lab_large-1.0-py3-none-any.whl",
    ]  # fmt: skip


def test_a_file_where_the_folder_should_be(project: Project):
    project.write("lab-inner\n")
    project.packages.write_text("")
    for option in ("--quiet", "--check"):
        done = project.run(option, code=2)
        assert done.stderr == "dfcache: pip_packages is no folder, so it can't hold packages\n"


def test_a_spoilt_manifest_is_named_as_the_user_knows_it(project: Project):
    project.write("lab-inner\n")
    project.packages.mkdir()
    (project.packages / "dfcache.json").write_text("{")
    done = project.run(code=2)
    assert done.stderr.startswith("dfcache: pip_packages/dfcache.json:1: is not JSON")


def test_a_python_that_is_given_is_that_of_the_stage_that_tells_none(project: Project):
    (project.folder / "Dockerfile").write_text(
        "FROM python:3.9 AS first\nRUN pip install lab-inner\n"
        "FROM example.com/base\nRUN pip install lab-inner\n"
    )
    told = "Dockerfile:3: the base image doesn't tell which Python 3 it has; give it: --python 3.11"
    assert told in project.run("--check", code=2).stderr
    (project.folder / "Dockerfile").write_text(
        "FROM python:3.9 AS first\n"
        f"RUN pip install -i {project.url} lab-marked\n"
        f"FROM example.com/base\nRUN pip install -i {project.url} lab-marked\n"
    )
    project.run("--quiet", "--python=3.12")
    assert project.names() == ["marked", "new", "old"]


def test_a_project_of_which_only_the_manifest_was_copied(project: Project):
    (project.folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["lab-inner"]\nbuild-backend = "x"\n'
        '[project]\nname = "x"\nversion = "1"\ndependencies = ["lab-old"]\n'
    )
    (project.folder / "Dockerfile").write_text(
        "FROM python:3.11\nWORKDIR /app\nCOPY pyproject.toml ./\n"
        f"RUN pip install -i {project.url} .\nCOPY . ./\n"
    )
    project.run("--quiet")
    assert project.names() == ["inner", "old"]


def test_json(project: Project):
    project.write("lab-inner\n")
    told = json.loads(project.run("--format", "json").stdout)
    assert told["folder"] == "pip_packages"
    assert [each["file"] for each in told["files"]] == ["lab_inner-1.0-py3-none-any.whl"]
    assert told["fetched"] == ["lab_inner-1.0-py3-none-any.whl"]


def test_what_is_in_the_folder_satisfies_pip(project: Project, tmp_path: Path):
    project.write("lab-plain==1.0\nlab-marked[more]\n", "python:3.13-slim")
    project.run()
    subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--no-index", "--quiet",
            f"--find-links={project.packages}", f"--target={tmp_path / 'site'}",
            "--python-version=3.13", "--only-binary=:all:", "-r", "requirements.txt",
        ],
        cwd=project.folder, env=project.env, check=True, timeout=120,
    )  # fmt: skip
    assert {"lab_plain.py", "lab_inner.py"} <= {p.name for p in (tmp_path / "site").iterdir()}


def test_uv_says_which_package_the_others_depend_on():
    said = (
        "Because only-source==2 has no usable wheels and middle>=1 depends on only-source, we can "
        "conclude that middle>=1 cannot be used. And because old-top<=1 has no usable wheels and "
        "old-top>1 depends on middle, your requirements are unsatisfiable."
    )
    assert without_wheels(said) == ["only-source", "old-top"]
    assert deepest(["old-top", "only-source"], said) == "only-source"


@pytest.mark.parametrize(
    ("said", "message", "final"),
    [
        ("error: Failed to fetch: `https://a.example/x/`\n  cause: refused\n\nhint: Try --x",
         "https://a.example/x/ can't be reached: refused", False),
        ("Failed to fetch: `https://a.example/x/`\n  cause: invalid certificate: UnknownIssuer",
         "https://a.example/x/ has a certificate that is not trusted; name the file of those to "
         "trust with SSL_CERT_FILE", True),
        ("Failed to fetch: `https://a.example/x/`\n"
         "  cause: HTTP status client error (429 Too Many Requests) for url",
         "https://a.example/x/ can't be reached: HTTP status client error (429 Too Many Requests) "
         "for url", False),
    ],
)  # fmt: skip
def test_what_uv_could_not_reach(said: str, message: str, final: bool):
    assert unreachable(said) == (message, final)
