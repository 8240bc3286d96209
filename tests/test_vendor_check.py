"""`dfcache vendor --check` and `--prune` as they are run: from a Dockerfile to an exit code."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from dfcache.model.target import Target
from dfcache.vendor.manifest import Entry, Input, Manifest, write_manifest
from test_cli import run
from wheels import source, wheel

SLIM = Target("3.11", "linux/amd64", "glibc", (2, 36))
OFFLINE = """\
FROM python:3.11-slim
WORKDIR /app
COPY requirements.txt base.txt ./
RUN --mount=type=bind,source=pip_packages,target=/p \\
    pip install --no-index --find-links=/p -r requirements.txt
"""


def project(folder: Path, dockerfile: str = OFFLINE, **texts: str) -> Path:
    texts = {"requirements__txt": "-r base.txt\nflask==3.0.0\n", "base__txt": "", **texts}
    (folder / "Dockerfile").write_text(dockerfile)
    for name, text in texts.items():
        path = folder / name.replace("__", ".")
        path.write_text(text)
    return folder


def check(folder: Path, *arguments: str, platform: str = "linux/amd64") -> tuple[int, str, str]:
    env = {"DOCKER_DEFAULT_PLATFORM": platform}
    done = run("vendor", "--check", *arguments, cwd=folder, env=env)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_all_is_there(tmp_path: Path):
    wheel(project(tmp_path) / "pip_packages", "flask", "3.0.0")
    code, out, err = check(tmp_path)
    assert (code, err) == (0, "")
    assert out == (
        "pip_packages holds all that is installed: 1 file, for python3.11 linux/amd64 glibc2.36\n"
    )
    assert check(tmp_path, "--quiet") == (0, "", "")


def test_each_thing_that_is_missing_is_a_line_with_its_place(tmp_path: Path):
    project(
        tmp_path,
        base__txt="# what all need\nrequests>=2; sys_platform == 'linux'\nwin32; os_name == 'nt'\n",
    )
    (tmp_path / "pip_packages").mkdir()
    code, out, _ = check(tmp_path)
    assert code == 1
    assert out == (
        "pip_packages: requests>=2 is missing, asked for by base.txt:2; run dfcache vendor\n"
        "pip_packages: flask 3.0.0 is missing, asked for by requirements.txt:2; "
        "run dfcache vendor\n"
        "pip_packages: 2 problems\n"
    )


def test_the_words_of_a_command_have_the_line_of_the_dockerfile(tmp_path: Path):
    project(tmp_path, "FROM python:3.11\nENV A=1\nRUN pip install \\\n    flask\n")
    (tmp_path / "pip_packages").mkdir()
    assert "flask is missing, asked for by Dockerfile:3;" in check(tmp_path)[1]


def test_both_tries_of_a_hybrid_install_are_one(tmp_path: Path):
    text = OFFLINE.rstrip() + " \\\n    || pip install --find-links=/p -r requirements.txt\n"
    project(tmp_path, text)
    assert check(tmp_path)[1].count("the folder is not there") == 1
    (tmp_path / "pip_packages").mkdir()
    assert check(tmp_path)[1].count("flask 3.0.0 is missing") == 1


def test_uv_pip_is_checked_too(tmp_path: Path):
    project(tmp_path, OFFLINE.replace("pip install", "uv pip install --system"))
    (tmp_path / "pip_packages").mkdir()
    assert "flask 3.0.0 is missing, asked for by requirements.txt:2" in check(tmp_path)[1]


def test_a_local_project_needs_its_dependencies_and_what_builds_it(tmp_path: Path):
    text = (
        '[build-system]\nrequires = ["hatchling>=1.25"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "mine"\nversion = "1"\ndependencies = ["click>=8"]\n'
        '[project.optional-dependencies]\nfast = ["uvloop"]\n'
    )
    dockerfile = "FROM python:3.11\nWORKDIR /app\nCOPY . .\nRUN pip install -e .[fast]\n"
    project(tmp_path, dockerfile, pyproject__toml=text)
    wheel(tmp_path / "pip_packages", "click", "8.1")
    _, out, _ = check(tmp_path)
    assert "hatchling>=1.25 is missing, asked for by Dockerfile:4 (the build of the project)" in out
    assert "uvloop is missing, asked for by Dockerfile:4;" in out
    assert "click" not in out


def test_constraints_hold(tmp_path: Path):
    project(
        tmp_path,
        OFFLINE.replace("-r requ", "-c base.txt -r requ"),
        base__txt="werkzeug==3.0.0\n",
        requirements__txt="flask\n",
    )
    folder = tmp_path / "pip_packages"
    wheel(folder, "flask", "3.0.0", ["werkzeug>=3"])
    wheel(folder, "werkzeug", "3.0.1")
    code, out, _ = check(tmp_path)
    assert code == 1
    assert "werkzeug>=3 can't be satisfied along with what else asks for it" in out
    assert "asked for by flask 3.0.0 (requirements.txt:1)" in out
    wheel(folder, "werkzeug", "3.0.0")
    assert check(tmp_path)[0] == 0


def test_hashes_of_requirements_hold(tmp_path: Path):
    project(tmp_path, requirements__txt=f"flask==3.0.0 \\\n  --hash=sha256:{'0' * 64}\n")
    path = wheel(tmp_path / "pip_packages", "flask", "3.0.0")
    assert check(tmp_path)[1].startswith(
        "pip_packages: flask-3.0.0-py3-none-any.whl has none of the hashes that are allowed, by "
        "requirements.txt:1; run dfcache vendor\n"
    )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    project(tmp_path, requirements__txt=f"flask==3.0.0 --hash=sha256:{digest}\n")
    assert check(tmp_path)[0] == 0


def test_another_platform_and_python_are_told_apart(tmp_path: Path):
    project(tmp_path, requirements__txt="native\n")
    wheel(tmp_path / "pip_packages", "native", "1", tag="cp311-cp311-manylinux_2_17_x86_64")
    assert check(tmp_path)[0] == 0
    assert check(tmp_path, platform="linux/arm64")[0] == 1
    assert check(tmp_path, "--platform", "linux/arm64")[0] == 1
    assert check(tmp_path, "--python", "3.12")[0] == 1
    project(tmp_path, OFFLINE.replace("3.11-slim", "3.11-alpine"), requirements__txt="native\n")
    assert check(tmp_path)[0] == 1


def test_the_manifest_tells_what_the_dockerfile_does_not(tmp_path: Path):
    project(tmp_path, OFFLINE.replace("3.11-slim", "3"), requirements__txt="native\n")
    folder = tmp_path / "pip_packages"
    wheel(folder, "native", "1", tag="cp311-cp311-manylinux_2_17_aarch64")
    code, _, err = check(tmp_path)
    assert code == 2
    assert "the base image doesn't tell which Python 3 it has; give it: --python 3.11" in err
    arm = Target("3.11", "linux/arm64", "glibc", (2, 28))
    write_manifest(folder, Manifest((Input("Dockerfile", arm, ("native",)),)))
    code, out, _ = check(tmp_path)
    assert code == 0
    assert "python3.11 linux/arm64 glibc2.28" in out


def test_a_spoilt_manifest_is_told(tmp_path: Path):
    folder = project(tmp_path) / "pip_packages"
    wheel(folder, "flask", "3.0.0")
    (folder / "dfcache.json").write_text("{")
    code, _, err = check(tmp_path)
    assert code == 2
    assert "dfcache.json:1: is not JSON; delete it and run `dfcache vendor`" in err


def test_json(tmp_path: Path):
    folder = project(tmp_path) / "pip_packages"
    folder.mkdir()
    (folder / "x.part").write_bytes(b"x")
    code, out, _ = check(tmp_path, "--format", "json")
    assert code == 1
    assert json.loads(out) == {
        "version": 1,
        "folder": "pip_packages",
        "good": False,
        "complete": False,
        "targets": ["python3.11 linux/amd64 glibc2.36"],
        "needed": [],
        "faults": [
            {
                "level": "error",
                "kind": "missing",
                "package": "flask",
                "file": None,
                "message": "flask 3.0.0 is missing, asked for by requirements.txt:2",
                "mended_by_vendor": True,
            },
            {
                "level": "note",
                "kind": "partial",
                "package": None,
                "file": None,
                "message": "1 file has arrived only in part",
                "mended_by_vendor": False,
            },
        ],
        "notes": [],
    }


def test_another_dockerfile_and_folder_are_named_in_the_command(tmp_path: Path):
    project(tmp_path)
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "Dockerfile").write_text("FROM python:3.11\nRUN pip install flask\n")
    _, out, _ = check(tmp_path, "api", "--context", "api", "--into", "wheels")
    assert out.startswith(
        "api/wheels: the folder is not there; run dfcache vendor api --context api --into wheels\n"
    )


@pytest.mark.parametrize(
    "dockerfile", ["FROM scratch\nCOPY . /\n", "FROM python:3.11\nRUN apt-get install -y git\n"]
)
def test_a_dockerfile_that_installs_nothing_is_good(tmp_path: Path, dockerfile: str):
    code, out, _ = check(project(tmp_path, dockerfile))
    assert (code, out) == (0, "pip_packages: nothing is installed with pip or uv pip\n")


def test_sources_alone(tmp_path: Path):
    project(tmp_path, requirements__txt="old\n")
    folder = tmp_path / "pip_packages"
    source(folder, "old", "1.0")
    assert "setuptools>=40.8.0 is missing, asked for by the build of old 1.0" in check(tmp_path)[1]
    wheel(folder, "setuptools", "80.0")
    assert check(tmp_path)[0] == 0


def test_a_file_that_was_exchanged(tmp_path: Path):
    folder = project(tmp_path) / "pip_packages"
    path = wheel(folder, "flask", "3.0.0")
    size = path.stat().st_size
    entry = Entry(path.name, "flask", "3.0.0", "0" * 64, size, (SLIM,))
    write_manifest(folder, Manifest((), {path.name: entry}))
    code, out, _ = check(tmp_path)
    assert code == 1
    assert "flask-3.0.0-py3-none-any.whl isn't what dfcache put there: its sha256 is not 00" in out


def test_pruning_a_folder_that_holds_all(tmp_path: Path):
    """Nothing is asked of any server: the manifest says that the folder is complete."""
    folder = project(tmp_path) / "pip_packages"
    entries = {}
    for name, version in (("flask", "3.0.0"), ("flask", "2.0.0"), ("left", "1.0")):
        path = wheel(folder, name, version)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        size = path.stat().st_size
        entries[path.name] = Entry(path.name, name, version, digest, size, (SLIM,))
    wheel(folder, "mine", "1.0")
    write_manifest(folder, Manifest((Input("Dockerfile", SLIM, ("flask==3.0.0",)),), entries))
    env = {"DOCKER_DEFAULT_PLATFORM": "linux/amd64"}
    done = run("vendor", "--prune", cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr.decode()
    told = "deleted flask-2.0.0-py3-none-any.whl, left-1.0-py3-none-any.whl"
    assert told in done.stdout.decode()
    assert "mine-1.0-py3-none-any.whl is not dfcache's, so it stays" in done.stderr.decode()
    assert sorted(path.name for path in folder.iterdir()) == [
        "dfcache.json",
        "flask-3.0.0-py3-none-any.whl",
        "mine-1.0-py3-none-any.whl",
    ]
    assert check(tmp_path)[0] == 0


def test_pruning_deletes_nothing_where_something_is_missing(tmp_path: Path):
    folder = project(tmp_path) / "pip_packages"
    entries = {}
    for name, requires in (("flask", ["gone"]), ("left", [])):
        path = wheel(folder, name, "3.0.0", requires)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        size = path.stat().st_size
        entries[path.name] = Entry(path.name, name, "3.0.0", digest, size, (SLIM,))
    write_manifest(folder, Manifest((Input("Dockerfile", SLIM, ("flask==3.0.0",)),), entries))
    done = run("vendor", "--prune", cwd=tmp_path, env={"DOCKER_DEFAULT_PLATFORM": "linux/amd64"})
    assert "nothing is pruned" in done.stderr.decode()
    assert len(list(folder.glob("*.whl"))) == 2
