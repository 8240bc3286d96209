"""What a project's metadata depends on, and what it asks for."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from dfcache.model.context import MemoryContext
from dfcache.model.projects import Project, project
from dfcache.model.setup_script import read_setup

PROJECTS = Path(__file__).parents[2] / "shared/corpus/projects-dev.jsonl.gz"


def make(*tree: str, folder: str = ".", **files: str) -> Project:
    names = {"pyproject": "pyproject.toml", "setup": "setup.py", "cfg": "setup.cfg"}
    texts = {names[name]: text for name, text in files.items()}
    if folder != ".":
        texts = {f"{folder}/{name}": text for name, text in texts.items()}
    return project(MemoryContext(texts, tree), folder)


def test_a_plain_project() -> None:
    found = make(
        "README.md",
        "LICENSE",
        pyproject="""
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "x"
readme = "README.md"
license-files = ["LICEN[CS]E*"]
dynamic = ["version"]
dependencies = ["flask>=1", "own @ file:libs/own"]
optional-dependencies = {dev = ["pytest"]}
[dependency-groups]
test = ["pytest", {include-group = "lint"}]
lint = ["ruff", {include-group = "test"}]
[tool.hatch.version]
path = "src/x/__init__.py"
""",
    )
    assert found.installable
    assert found.backend == "hatchling"
    assert found.name == "x"
    assert found.manifests == ("pyproject.toml", "README.md", "LICENSE")
    assert found.missing == ("src/x/__init__.py",)
    assert found.dynamic == ("version",)
    assert found.dependencies == ("flask>=1", "own @ file:libs/own")
    assert found.extras == {"dev": ("pytest",)}
    assert found.dependency_groups == {"test": ("pytest", "ruff"), "lint": ("ruff", "pytest")}
    assert found.path_dependencies == ("libs/own",)
    assert not found.uses_git
    assert not found.unsure


@pytest.mark.parametrize(
    ("text", "backend"),
    [
        ("[build-system]\nrequires=[]\nbuild-backend='setuptools.build_meta'", "setuptools"),
        ("[build-system]\nbuild-backend='setuptools.build_meta:__legacy__'", "setuptools"),
        ("[build-system]\nbuild-backend='poetry.core.masonry.api'", "poetry-core"),
        ("[build-system]\nbuild-backend='poetry.masonry.api'", "poetry-core"),
        ("[build-system]\nbuild-backend='flit_core.buildapi'", "flit"),
        ("[build-system]\nbuild-backend='pdm.backend'", "pdm-backend"),
        ("[build-system]\nbuild-backend='uv_build'", "uv_build"),
        ("[build-system]\nrequires=[]", "setuptools"),
        ("[project]\nname='x'", "setuptools"),
        ("[tool.black]\nline-length = 100", ""),
        ("[build-system]\nbuild-backend='own.backend'\nbackend-path=['.']", "own.backend"),
    ],
)
def test_backends(text: str, backend: str) -> None:
    found = make(pyproject=text)
    assert found.backend == backend
    assert found.installable is bool(backend)
    assert bool(found.unsure) is (backend == "own.backend")


def test_poetry() -> None:
    found = make(
        "app/README.rst",
        "app/HISTORY.md",
        folder="app",
        pyproject="""
[build-system]
requires = ["poetry-core", "poetry-dynamic-versioning"]
build-backend = "poetry_dynamic_versioning.backend"
[tool.poetry]
name = "x"
readme = ["README.rst", "HISTORY.md"]
[tool.poetry.dependencies]
python = "^3.9"
flask = "^1"
shared = {path = "../../libs/shared", develop = true}
multi = [{version = "1"}, {path = "../near"}]
[tool.poetry.group.dev.dependencies]
pytest = "*"
""",
    )
    assert found.manifests == ("app/pyproject.toml", "app/README.rst", "app/HISTORY.md")
    assert found.dependencies == (
        "flask>=1,<2",
        "shared @ file:../../libs/shared",
        "multi==1",
        "multi @ file:../near",
    )
    assert found.dependency_groups == {"dev": ("pytest",)}
    assert found.path_dependencies == ("libs/shared", "near")
    assert found.uses_git


def test_setuptools() -> None:
    found = make(
        "README.md",
        "VERSION",
        "MANIFEST.in",
        "requirements.txt",
        "src/pkg/about.py",
        pyproject="""
[project]
name = "x"
dynamic = ["version", "readme", "dependencies", "optional-dependencies"]
[tool.setuptools.dynamic]
version = {attr = "pkg.about.__version__"}
readme = {file = ["README.md", "CHANGES.md"]}
dependencies = {file = "requirements.txt"}
optional-dependencies.dev = {file = ["dev.txt"]}
""",
    )
    assert set(found.manifests) == {
        "pyproject.toml",
        "README.md",
        "requirements.txt",
        "src/pkg/about.py",
        "MANIFEST.in",
    }
    assert found.missing == ("CHANGES.md", "dev.txt")
    assert found.dependencies is None


def test_uv() -> None:
    found = make(
        "packages/a/pyproject.toml",
        "packages/b/pyproject.toml",
        pyproject="""
[project]
name = "x"
dependencies = ["a", "near"]
[tool.uv]
dev-dependencies = ["ruff"]
[tool.uv.sources]
a = {workspace = true}
near = [{path = "./near", marker = "x"}]
[tool.uv.workspace]
members = ["packages/*"]
exclude = ["packages/b"]
""",
    )
    assert found.path_dependencies == ("near",)
    assert found.workspace == ("packages/a",)
    assert found.dependency_groups == {"dev": ("ruff",)}


def test_pdm_and_hatch_names_of_the_folder() -> None:
    found = make(
        pyproject="""
[project]
dependencies = ["a @ file:///${PROJECT_ROOT}/libs/a", "b @ {root:uri}/libs/b"]
[tool.pdm.dev-dependencies]
dev = ["-e file:///${PROJECT_ROOT}/libs/c#egg=c"]
[tool.pdm.version]
source = "scm"
"""
    )
    assert found.path_dependencies == ("libs/a", "libs/b", "libs/c")
    assert found.uses_git


def test_setup_cfg() -> None:
    found = make(
        "README.rst",
        "pkg/__init__.py",
        setup="from setuptools import setup\nsetup()",
        cfg="""
[metadata]
name = x
version = attr: pkg.__version__
long_description = file: README.rst, CHANGES.rst
[options]
install_requires =
    flask>=1
    six
[options.extras_require]
dev = pytest
""",
    )
    assert set(found.manifests) == {"setup.cfg", "README.rst", "pkg/__init__.py", "setup.py"}
    assert found.missing == ("CHANGES.rst",)
    assert found.dependencies == ("flask>=1", "six")
    assert found.extras == {"dev": ("pytest",)}
    assert found.backend == "setuptools"


@pytest.mark.parametrize("text", ["[", "[project]\nname = ", "project = 1\ntool = []\n"])
def test_junk_does_not_raise(text: str) -> None:
    assert make(pyproject=text).dependencies == ()
    assert make(cfg="junk").unsure == ("setup.cfg can't be parsed",)
    assert make(setup="print 'x'").unsure == ("setup.py can't be parsed",)


def test_nothing() -> None:
    assert not make().installable


@pytest.mark.parametrize(
    ("source", "files"),
    [
        ("open('README.md').read()", ["README.md"]),
        ("import io\nio.open('a/b.txt', encoding='utf-8')", ["a/b.txt"]),
        ("open(os.path.join(os.path.dirname(__file__), 'README.md'))", ["README.md"]),
        ("here = abspath(dirname(__file__))\nopen(os.path.join(here, 'x', 'V'))", ["x/V"]),
        ("from pathlib import Path\nPath('README.md').read_text()", ["README.md"]),
        ("here = Path(__file__).resolve().parent\n(here / 'a' / 'b').read_text()", ["a/b"]),
        ("with (Path(__file__).parent / 'V').open() as f: pass", ["V"]),
        ("def read(name):\n  return open(join(HERE, name))\nHERE = ''\nread('R.md')", ["R.md"]),
        ("def read(*parts):\n  return open(os.path.join(*parts))\nread('a', 'b')", ["a/b"]),
        ("def read(name='R.md'):\n  return open(name)\nread()", ["R.md"]),
        ("def read(name):\n  return open(name)\nread(name='R.md')", ["R.md"]),
        ("for name in ('a.txt', 'b.txt'):\n  open(name)", ["a.txt", "b.txt"]),
        ("exec(open('pkg/version.py').read())", ["pkg/version.py"]),
        ("parse_requirements('requirements.txt', session='x')", ["requirements.txt"]),
        ("spec_from_file_location('v', 'pkg/v.py')", ["pkg/v.py"]),
        ("name = 'x'\nopen(f'{name}/VERSION')", ["x/VERSION"]),
        ("c = ConfigParser()\nc.read('setup.cfg')", ["setup.cfg"]),
        ("open('out.txt', 'w')", []),
        ("def unused():\n  open('x')", []),
        ("setup(long_description=open('R.md').read())", ["R.md"]),
    ],
)
def test_files_that_a_setup_script_opens(source: str, files: list[str]) -> None:
    found = read_setup(source)
    assert list(found.files) == files
    assert not found.unsure


@pytest.mark.parametrize(
    "source",
    ["open(sys.argv[1])", "for f in glob('*.txt'):\n  open(f)", "read = open\nopen(read())", "def"],
)
def test_what_is_not_certain_is_said(source: str) -> None:
    assert read_setup(source).unsure


def test_functions_that_call_each_other_end() -> None:
    found = read_setup("def a(x):\n  b(x)\n  b(x)\ndef b(x):\n  a(x)\n  a(x)\na('x')")
    assert found.unsure


def test_dependencies_of_a_setup_script() -> None:
    found = read_setup(
        "base = ['a>=1', 'b']\nconfig = {'extras_require': {'dev': ['pytest'] + base}}\n"
        "setup(install_requires=base + ['c'], **config)"
    )
    assert found.dependencies == ("a>=1", "b", "c")
    assert found.extras == (("dev", ("pytest", "a>=1", "b")),)
    assert read_setup("setup(install_requires=load())").dependencies is None
    assert read_setup("setup()").dependencies == ()


@pytest.mark.parametrize(
    ("source", "uses"),
    [
        ("setup(use_scm_version=True)", True),
        ("setup(setup_requires=['setuptools_scm'])", True),
        ("setup(setup_requires=['pbr'], pbr=True)", True),
        ("import versioneer\nsetup(version=versioneer.get_version())", True),
        ("subprocess.check_output(['git', 'describe'])", True),
        ("os.popen('git describe')", True),
        ("setup(url='https://github.com/x')", False),
    ],
)
def test_versions_from_git(source: str, uses: bool) -> None:
    assert read_setup(source).uses_git is uses


def test_own_modules_that_a_setup_script_imports() -> None:
    found = make(
        "pkg/__init__.py",
        "versioneer.py",
        setup="import os, versioneer\nfrom pkg import __version__\nsetup(version=__version__)",
    )
    assert found.manifests == ("setup.py", "versioneer.py", "pkg/__init__.py")
    assert found.unsure == ("setup.py imports pkg of the project",)


@pytest.mark.skipif(not PROJECTS.exists(), reason="the corpus is not at hand")
def test_real_projects() -> None:
    found: list[Project] = []
    with gzip.open(PROJECTS, "rt", encoding="utf-8", newline="") as lines:
        for number, line in enumerate(lines):
            record = json.loads(line)
            if number % 4:
                continue
            context = MemoryContext(record["files"], record["tree"])
            for path in record["files"]:
                if path.endswith("pyproject.toml"):
                    found.append(project(context, path.rpartition("/")[0]))
    named = [p for p in found if p.installable]
    assert len(named) > 20
    assert sum(bool(p.dependencies) for p in named) > len(named) / 2
