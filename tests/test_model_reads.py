"""The files of the build context that an install depends on."""

from __future__ import annotations

import pytest

from building import built, last_run
from dfcache.model.build import RunStep
from dfcache.model.reads import Reads, copies_before, reads

PROJECT = (
    '[project]\nname = "app"\nversion = "1"\ndependencies = ["flask"]\n'
    '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
)
FILES = {
    "requirements.txt": "flask\n",
    "all.txt": "-r requirements.txt\n-c limits/a.txt\n",
    "circle.txt": "-r circle.txt\n",
    "missing.txt": "-r nowhere.txt\n",
    "local.txt": "-e ./lib\nflask\n",
    "limits/a.txt": "flask<4\n",
    "lib/pyproject.toml": PROJECT,
    "lib/lib.py": "x = 1\n",
    "pyproject.toml": PROJECT,
    "package.json": '{"name": "app"}\n',
    "package-lock.json": "{}\n",
    "app.py": "import flask\n",
    "wheels/a-1-py3-none-any.whl": "zip\n",
}
HEAD = "FROM python:3.12-slim\nWORKDIR /app\n"


def read(body: str, files: dict[str, str] | None = FILES) -> Reads:
    made = built(HEAD + body, files)
    step = list(made.runs())[-1]
    return reads(made, step)


CASES = [
    # what stands behind the first lines, and the files and folders of the context that are read
    ("COPY . .\nRUN pip install -r requirements.txt\n", {"requirements.txt"}, set()),
    ("COPY . /srv\nRUN pip install -r /srv/requirements.txt\n", {"requirements.txt"}, set()),
    ("COPY requirements.txt /r.txt\nRUN pip install -r /r.txt\n", {"requirements.txt"}, set()),
    (
        "COPY . .\nRUN pip install -r all.txt\n",
        {"all.txt", "requirements.txt", "limits/a.txt"},
        set(),
    ),
    ("COPY . .\nRUN pip install -r local.txt\n", {"local.txt"}, {"lib"}),
    ("COPY . .\nRUN pip install -c limits/a.txt flask\n", {"limits/a.txt"}, set()),
    ("COPY . .\nRUN pip install ./lib\n", set(), {"lib"}),
    ("COPY . .\nRUN cd lib && pip install .\n", set(), {"lib"}),
    ("COPY . .\nRUN pip install .\n", set(), {""}),
    ("COPY . .\nRUN pip install --find-links wheels a\n", set(), {"wheels"}),
    (
        "COPY . .\nRUN pip install wheels/a-1-py3-none-any.whl\n",
        {"wheels/a-1-py3-none-any.whl"},
        set(),
    ),
    ("COPY . .\nRUN pip install flask\n", set(), set()),
    ("COPY . .\nRUN npm ci\n", {"package.json", "package-lock.json"}, set()),
    ("COPY package.json ./\nRUN npm ci\n", {"package.json"}, set()),
    ("COPY . .\nRUN apt-get update && apt-get install -y git\n", set(), set()),
    (
        "COPY . .\nRUN pip install -r requirements.txt && npm ci\n",
        {"requirements.txt", "package.json", "package-lock.json"},
        set(),
    ),
    ("COPY lib /x\nRUN pip install /x\n", set(), {"lib"}),
]


@pytest.mark.parametrize(("body", "files", "folders"), CASES)
def test_what_an_install_reads(body: str, files: set[str], folders: set[str]):
    got = read(body)
    assert not got.unknown
    assert set(got.files.values()) == files
    assert set(got.folders.values()) == folders


def test_image_paths_are_told_too():
    got = read("COPY . /srv/\nRUN pip install -r /srv/all.txt\n")
    assert dict(got.files) == {
        "/srv/all.txt": "all.txt",
        "/srv/requirements.txt": "requirements.txt",
        "/srv/limits/a.txt": "limits/a.txt",
    }
    assert got.paths == frozenset(got.files)


UNKNOWN = [
    ("RUN pip install -r requirements.txt\n", "no COPY brings"),
    ("COPY . .\nRUN pip install -r $WHICH\n", "can't be told"),
    ("COPY . .\nRUN pip install $WHICH\n", "can't be told"),
    ("COPY . .\nRUN pip install -r circle.txt\n", "includes itself"),
    ("COPY . .\nRUN pip install -r missing.txt\n", "nowhere.txt is hidden, or not"),
    ("COPY . .\nRUN cd $D && npm ci\n", "can't be told"),
    ("COPY . .\nRUN pip install --group dev\n", "can't be followed"),
    ("RUN curl -o r.txt https://example.org/r.txt\nRUN pip install -r r.txt\n", "no COPY brings"),
]


@pytest.mark.parametrize(("body", "reason"), UNKNOWN)
def test_what_cannot_be_followed(body: str, reason: str):
    assert reason in read(body).unknown


def test_a_bound_manifest_needs_no_copy():
    got = read("RUN --mount=type=bind,source=requirements.txt,target=/r pip install -r /r\n")
    assert not got.unknown


def test_scripts_of_a_package_may_need_the_source():
    files = {"package.json": '{"name": "a", "scripts": {"postinstall": "node x.js"}}\n'}
    assert "postinstall" in read("COPY . .\nRUN npm ci\n", files).unknown
    assert not read("COPY . .\nRUN npm ci --ignore-scripts\n", files).unknown


def test_a_version_from_the_repository():
    files = {
        "setup.py": "from setuptools import setup\nsetup(name='a', use_scm_version=True)\n",
        "app.py": "",
    }
    assert "repository" in read("COPY . .\nRUN pip install .\n", files).unknown


def test_without_a_context_only_what_is_named_is_known():
    got = read("COPY . .\nRUN pip install -r requirements.txt\n", None)
    assert dict(got.files) == {"/app/requirements.txt": "requirements.txt"}
    assert read("COPY . .\nRUN npm ci\n", None).unknown


def test_copies_that_a_step_can_see():
    source = (
        "FROM a AS x\nCOPY a /a\nFROM b\nCOPY b /b\n"
        "FROM x\nCOPY c /c\nCOPY --from=1 /b /b\nRUN y\nCOPY d /d\n"
    )
    made = built(source)
    step: RunStep = list(made.runs())[-1]
    assert [copy.instruction.original for copy in copies_before(made, step)] == [
        "COPY a /a",
        "COPY c /c",
    ]
    assert last_run(source).stage == 2
