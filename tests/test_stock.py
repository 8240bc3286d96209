"""What a folder of packages is known to lack, and what proves that it lacks nothing."""

from __future__ import annotations

import json

import pytest

from building import built
from dfcache.model.asked import Asked, all_asked
from dfcache.model.build import Build
from dfcache.model.stock import missing, unproved

SIX = "six-1.17.0-py2.py3-none-any.whl"
TARGET = "python3.12 linux/amd64 glibc2.41"
INSTALL = "COPY requirements.txt .\nRUN pip install -r requirements.txt\n"


def manifest(target: str = TARGET, requirements: tuple[str, ...] = ("six==1.17.0",)) -> str:
    entry = {"name": "six", "version": "1.17.0", "sha256": "a" * 64, "targets": [target]}
    return json.dumps(
        {
            "version": 1,
            "inputs": [{"target": target, "requirements": requirements, "constraints": []}],
            "files": {SIX: entry},
        }
    )


def install(
    files: dict[str, str], text: str = INSTALL, image: str = "python:3.12-slim"
) -> tuple[Build, Asked]:
    build = built(f"FROM {image}\n{text}", {"requirements.txt": "six==1.17.0\n", **files})
    return build, list(all_asked(build))[-1]


def lacks(files: dict[str, str], text: str = INSTALL, image: str = "python:3.12-slim") -> list[str]:
    build, each = install(files, text, image)
    return [f"{lack.requirement.name} {lack.kind}" for lack in missing(build, each, "w")]


@pytest.mark.parametrize(
    ("names", "requirements", "told"),
    [
        ((SIX,), "six==1.17.0", []),
        ((), "six==1.17.0", ["six none"]),
        (("six-1.16.0-py3-none-any.whl",), "six>=1.17", ["six version"]),
        (("a-1-cp312-cp312-musllinux_1_2_x86_64.whl",), "a", ["a platform"]),
        (("a-1-cp311-cp311-manylinux_2_28_x86_64.whl",), "a", ["a platform"]),
        (("a-1-cp312-cp312-manylinux_2_28_aarch64.whl",), "a", []),
        ((), "a; python_version<'3'", []),
        ((), "a @ https://example.com/a.whl", []),
        ((), "pip\nsetuptools>=80", []),
    ],
)
def test_what_no_file_is_there_for(names: tuple[str, ...], requirements: str, told: list[str]):
    files = {f"w/{name}": "" for name in names}
    assert lacks({**files, "requirements.txt": requirements + "\n"}) == told


def test_where_the_python_is_unknown_only_names_and_versions_count():
    files = {"w/a-1-cp38-cp38-win32.whl": "", "requirements.txt": "a\nb\nc; os_name=='nt'\n"}
    assert lacks(files, image="debian") == ["b none"]


@pytest.mark.parametrize(
    "text",
    [
        "RUN pip install flask\n" + INSTALL,
        "RUN uv sync\n" + INSTALL,
        "COPY --from=example.com/made /opt/venv /opt/venv\n" + INSTALL,
        "RUN pip install numpy\nFROM 0\n" + INSTALL,
        "COPY requirements.txt .\nRUN pip install flask && pip install -r requirements.txt\n",
    ],
)
def test_what_may_be_installed_already_is_not_missed(text: str):
    assert lacks({"w/x": ""}, text) == []


def test_pip_itself_may_be_installed_before():
    first = "COPY --from=ghcr.io/astral-sh/uv:0.9 /uv /bin/\nRUN pip install -U pip setuptools\n"
    assert lacks({"w/x": ""}, first + INSTALL) == ["six none"]


def test_an_image_of_somebody_may_have_anything():
    assert lacks({"w/x": ""}, image="example.com/team/base") == []


def reason(files: dict[str, str], text: str = INSTALL, image: str = "python:3.12-slim") -> str:
    build, each = install(files, text, image)
    return unproved(build, each, "w")


def test_a_manifest_for_these_requirements_is_proof():
    assert reason({f"w/{SIX}": "", "w/dfcache.json": manifest()}) == ""


HASHED = f"six==1.17.0 --hash=sha256:{'b' * 64}\n"


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "not in the build context"),
        ({"w/x": ""}, "lacks six"),
        ({f"w/{SIX}": ""}, "no manifest"),
        ({f"w/{SIX}": "", "w/dfcache.json": "{"}, "no manifest"),
        ({f"w/{SIX}": "", "w/dfcache.json": '{"version": 2, "files": {}}'}, "other images"),
        ({f"w/{SIX}": "", "w/dfcache.json": manifest("python3.11 linux/amd64 glibc2.41")}, "other"),
        ({f"w/{SIX}": "", "w/dfcache.json": manifest("python3.12 linux/amd64 musl1.2")}, "other"),
        ({f"w/{SIX}": "", "w/dfcache.json": manifest(requirements=("six",))}, "not filled for six"),
        ({"w/six-1.17.0.tar.gz": "", "w/dfcache.json": manifest()}, "is gone"),
        ({f"w/{SIX}": "", "w/dfcache.json": manifest(), "requirements.txt": HASHED}, "hash of six"),
    ],
)
def test_everything_else_is_not(files: dict[str, str], told: str):
    assert told in reason(files)


def test_a_project_needs_what_it_is_built_with():
    text = "COPY . /src\nRUN pip install /src\n"
    project = "[project]\nname = 'a'\nversion = '1'\ndependencies = ['six==1.17.0']\n"
    files = {f"w/{SIX}": "", "pyproject.toml": project}
    assert "setuptools" in reason({**files, "w/dfcache.json": manifest()}, text)
    both = manifest(requirements=("six==1.17.0", "setuptools>=40.8.0"))
    assert reason({**files, "w/dfcache.json": both}, text) == ""
    alone = text.replace("install", "install --no-build-isolation")
    assert reason({**files, "w/dfcache.json": manifest()}, alone) == ""


def test_without_a_context_nothing_is_known():
    build = built("FROM python:3.12-slim\nRUN pip install six==1.17.0\n")
    (each,) = all_asked(build)
    assert "not at hand" in unproved(build, each, "w")
