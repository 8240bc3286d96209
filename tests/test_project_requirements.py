"""What a project's manifests ask for, without running them."""

from __future__ import annotations

import pytest

from dfcache.model.context import MemoryContext
from dfcache.model.poetry_versions import requirements, specifier
from dfcache.model.project_requirements import (
    build_requirements_of,
    group_requirements_of,
    requirements_of,
    sources_of,
)
from dfcache.model.projects import Project, project


def make(files: dict[str, str], folder: str = "") -> Project:
    return project(MemoryContext(files, tuple(files)), folder)


def texts(found: Project, *extras: str) -> list[str] | str:
    got = requirements_of(found, extras)
    return got if isinstance(got, str) else [entry.text for entry in got]


def of_setup(body: str, **files: str) -> Project:
    named = {name.replace("_", ".", 1): text for name, text in files.items()}
    return make({"setup.py": f"from setuptools import setup\n{body}\n", **named})


REQUIREMENTS = "# what the service needs\nflask>=2\n\nrequests==2.32.3  # pinned\n"
FROM_FILE = [
    "setup(install_requires=open('requirements.txt').read().splitlines())",
    "setup(install_requires=open('requirements.txt').readlines())",
    "setup(install_requires=open('requirements.txt').read())",
    "with open('requirements.txt') as f:\n    r = f.read().splitlines()\nsetup(install_requires=r)",
    "with open('requirements.txt') as f:\n"
    "    r = [l.strip() for l in f if l.strip() and not l.startswith('#')]\n"
    "setup(install_requires=r)",
    "def load(name):\n"
    "    lines = (line.strip() for line in open(name))\n"
    "    return [line for line in lines if line and not line.startswith('#')]\n"
    "setup(install_requires=load('requirements.txt'))",
    "import os\nhere = os.path.dirname(os.path.abspath(__file__))\n"
    "def load(*parts):\n"
    "    with open(os.path.join(here, *parts), encoding='utf-8') as f:\n"
    "        return f.read()\n"
    "setup(install_requires=load('requirements.txt').split('\\n'))",
    "r = []\nfor line in open('requirements.txt'):\n"
    "    line = line.strip()\n"
    "    if not line or line.startswith('#'):\n"
    "        continue\n"
    "    r.append(line)\n"
    "setup(install_requires=r)",
    "from pathlib import Path\n"
    "r = Path(__file__).parent.joinpath('requirements.txt').read_text().splitlines()\n"
    "setup(install_requires=r)",
    "import pathlib\nwith pathlib.Path('requirements.txt').open() as f:\n"
    "    r = [str(x) for x in pkg_resources.parse_requirements(f)]\n"
    "setup(install_requires=r)",
    "from pip.req import parse_requirements\n"
    "r = [str(ir.req) for ir in parse_requirements('requirements.txt', session='x')]\n"
    "setup(install_requires=r)",
    "r = list(map(str.strip, open('requirements.txt').read().splitlines()))\n"
    "setup(install_requires=r)",
    "r = list(filter(lambda x: x and not x.startswith('#'), open('requirements.txt')))\n"
    "setup(install_requires=r)",
    "def load():\n    with open('requirements.txt') as f:\n        for line in f:\n"
    "            yield line.strip()\n"
    "setup(install_requires=list(load()))",
    "try:\n    with open('requirements.txt') as f:\n        r = f.read().splitlines()\n"
    "except IOError:\n    r = []\nsetup(install_requires=r)",
    "import os\nr = []\nif os.path.isfile('requirements.txt'):\n"
    "    with open('requirements.txt') as f:\n        r = f.read().splitlines()\n"
    "setup(install_requires=r)",
    "if __name__ == '__main__':\n    setup(install_requires=list(open('requirements.txt')))",
]


@pytest.mark.parametrize("body", FROM_FILE)
def test_a_setup_script_that_reads_a_requirements_file(body: str) -> None:
    found = of_setup(body, requirements_txt=REQUIREMENTS)
    assert texts(found) == ["flask>=2", "requests==2.32.3"]
    assert found.sources == {"": ("requirements.txt",)}
    assert sources_of(found, ()) == ("requirements.txt",)


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("r = ['a']\nr.append('b')\nr += ['c']\nsetup(install_requires=r)", list("abc")),
        ("base = ['a']\nbase.extend(['b'])\nsetup(install_requires=base + ['c'])", list("abc")),
        ("setup(install_requires='a\\nb # why\\n# no\\n\\nc')", list("abc")),
        ("setup(install_requires=('a', 'b'))", list("ab")),
        ("k = dict(install_requires=['a'])\nk['install_requires'].append('b')\nsetup(**k)",
         list("ab")),
        ("kw = {}\nkw['install_requires'] = ['a']\nkw.update(name='x')\nsetup(**kw)", ["a"]),
        ("v = '1.0'\nsetup(install_requires=['a==%s' % v, f'b=={v}', 'c=={}'.format(v)])",
         ["a==1.0", "b==1.0", "c==1.0"]),
        ("import sys\nif sys.argv[-1] == 'publish':\n    sys.exit()\nsetup(install_requires=['a'])",
         ["a"]),
        ("try:\n    from setuptools import setup\nexcept ImportError:\n"
         "    from distutils.core import setup\nsetup(install_requires=['a'])", ["a"]),
        ("import sys, platform, os\nr = ['a']\nif sys.platform == 'win32' or os.name == 'nt':\n"
         "    r.append('b')\nif platform.system() == 'Windows':\n    r += ['b']\n"
         "v = sys.version_info\nif v < (2, 7) or v[0] < 2 or v[:2] < (2, 6):\n"
         "    r += ['b']\nsetup(install_requires=r)", ["a"]),
        ("r = []\nextras = {}\nfor x in ['a # why', 'b;python_version<\"3\"']:\n"
         "    x, _, _ = x.partition('#')\n    if ';' in x:\n"
         "        x, _, m = x.partition(';')\n        extras.setdefault(':' + m, []).append(x)\n"
         "    else:\n        r.append(x)\nsetup(install_requires=r, extras_require=extras)",
         ["a", 'b; python_version<"3"']),
        ("import os\ntry:\n    r = ['a']\nexcept OSError:\n    r = ['a']\nelse:\n    r += ['b']\n"
         "finally:\n    r.append('c')\nsetup(install_requires=r)", list("abc")),
        ("def main():\n    setup(install_requires=['a'])\nmain()", ["a"]),
        ("setup(name='x')", []),
        ("setup(extras_require={':python_version<\"3\"': ['old']})", ['old; python_version<"3"']),
    ],
)  # fmt: skip
def test_requirements_that_a_setup_script_spells_out(body: str, wanted: list[str]) -> None:
    assert texts(of_setup(body)) == wanted


@pytest.mark.parametrize(
    "body",
    [
        "import sys\nr = ['a']\nif sys.version_info < (3,):\n    r.append('b')\n"
        "setup(install_requires=r)",
        "import sys\nr = ['a']\nif sys.version_info[0] >= 3:\n    r = ['b']\n"
        "setup(install_requires=r)",
        "import sys\nr = ['a']\nif sys.version_info[:2] <= (2, 7):\n    r = ['b']\n"
        "setup(install_requires=r)",
        "setup(install_requires=load())",
        "setup(**load())",
        "setup(install_requires=open('missing.txt').read().splitlines())",
        "r = ['a']\nr.sort()\nr.pop()\nsetup(install_requires=r)",
        "r = ['a']\nfor x in load():\n    r.append(x)\nsetup(install_requires=r)",
        "r = []\nfor x in ['a', 'b']:\n    if load(x):\n        continue\n    r.append(x)\n"
        "setup(install_requires=r)",
        "try:\n    import numpy\n    r = []\nexcept ImportError:\n    r = ['numpy']\n"
        "setup(install_requires=r)",
        "import os\nif os.environ.get('X'):\n    setup(install_requires=['a'])\nelse:\n"
        "    setup(install_requires=['b'])",
        "r = ['a']\nwhile load():\n    r.append('b')\nsetup(install_requires=r)",
        "setup(install_requires=['-r requirements.txt'])",
        "configure()",
        "def pick(x):\n    if load(x):\n        return ['a']\n    return ['b']\n"
        "setup(install_requires=pick(1))",
        "r = [x for x in ['a', 'b'] if load(x)]\nsetup(install_requires=r)",
    ],
)
def test_requirements_that_only_a_run_could_tell(body: str) -> None:
    found = texts(of_setup(body))
    assert isinstance(found, str)
    assert "setup" in found


def test_extras_of_a_setup_script() -> None:
    body = (
        "dev = open('dev.txt').read().splitlines()\n"
        "extras = {'dev': dev, 'web': ['flask'], 'odd': load()}\n"
        "extras['all'] = extras['dev'] + extras['web']\n"
        "extras['web:python_version<\"3\"'] = ['old']\n"
        "setup(name='x', install_requires=['a'], extras_require=extras)"
    )
    found = of_setup(body, dev_txt="pytest\n")
    assert texts(found, "dev") == ["a", "pytest"]
    assert texts(found, "all") == ["a", "pytest", "flask"]
    assert texts(found, "web") == ["a", "flask", 'old; python_version<"3"']
    assert texts(found, "none") == ["a"]
    assert texts(found, "odd") == "setup.py computes the extra odd"
    assert found.sources == {"dev": ("dev.txt",)}
    assert sources_of(found, ["dev"]) == ()
    unknown = of_setup("setup(extras_require=load())")
    assert texts(unknown, "dev") == "setup.py computes extras_require"
    assert texts(unknown) == []


def test_what_a_setup_script_leaves_out_of_its_file() -> None:
    body = (
        "r = [x for x in open('requirements.txt') if 'flask' not in x]\nsetup(install_requires=r)"
    )
    found = of_setup(body, requirements_txt=REQUIREMENTS)
    assert texts(found) == ["requests==2.32.3"]
    assert found.sources == {}
    body = "r = list(open('requirements.txt')) + list(open('more.txt'))\nsetup(install_requires=r)"
    found = of_setup(body, requirements_txt=REQUIREMENTS, more_txt="six\n")
    assert found.sources == {"": ("requirements.txt", "more.txt")}


def test_pyproject_takes_requirements_from_files() -> None:
    pyproject = """
[project]
name = "x"
dynamic = ["dependencies", "optional-dependencies"]
[tool.setuptools.dynamic]
dependencies = {file = ["requirements.txt"]}
optional-dependencies.dev = {file = "dev.txt"}
"""
    files = {"pyproject.toml": pyproject, "requirements.txt": REQUIREMENTS, "dev.txt": "pytest"}
    found = make(files)
    assert texts(found, "dev") == ["flask>=2", "requests==2.32.3", "pytest"]
    assert sources_of(found, ["dev"]) == ("requirements.txt", "dev.txt")
    found = make({**files, "requirements.txt": "-r base.txt\nflask", "base.txt": "six"})
    assert texts(found) == "requirements.txt has options, which no manifest can take over"
    assert texts(make({"pyproject.toml": pyproject})) == "requirements.txt can't be read"
    below = make({f"app/{name}": text for name, text in files.items()}, "app")
    assert sources_of(below, ()) == ("app/requirements.txt",)


def test_hatch_takes_requirements_from_files() -> None:
    pyproject = """
[build-system]
requires = ["hatchling", "hatch-requirements-txt"]
build-backend = "hatchling.build"
[project]
name = "x"
dynamic = ["dependencies", "optional-dependencies"]
[tool.hatch.metadata.hooks.requirements_txt]
files = ["requirements.txt"]
[tool.hatch.metadata.hooks.requirements_txt.optional-dependencies]
dev = ["dev.txt"]
"""
    files = {"pyproject.toml": pyproject, "requirements.txt": REQUIREMENTS, "dev.txt": "pytest"}
    found = make(files)
    assert texts(found, "dev") == ["flask>=2", "requests==2.32.3", "pytest"]
    assert found.sources == {"": ("requirements.txt",), "dev": ("dev.txt",)}


def test_setup_cfg() -> None:
    cfg = """
[metadata]
name = x
[options]
install_requires =
    flask>=2
    six
[options.extras_require]
dev = file: dev.txt
web =
    a; python_version<"3"
"""
    found = make({"setup.cfg": cfg, "setup.py": "import setuptools\nsetuptools.setup()"})
    assert texts(found) == ["flask>=2", "six"]
    assert texts(found, "web") == ["flask>=2", "six", 'a; python_version<"3"']
    assert texts(found, "dev") == "dev.txt can't be read"
    cfg = "[options]\ninstall_requires = file: requirements.txt\n"
    files = {"setup.cfg": cfg, "pyproject.toml": "[build-system]\nrequires=['setuptools']"}
    found = make({**files, "requirements.txt": REQUIREMENTS})
    assert texts(found) == ["flask>=2", "requests==2.32.3"]
    assert found.sources == {"": ("requirements.txt",)}


def test_what_setuptools_makes_of_lines() -> None:
    cfg = "[options]\ninstall_requires = a>=1; b\n[options.extras_require]\ndev =\n    c # why\n"
    found = make({"setup.cfg": cfg, "setup.py": "import setuptools\nsetuptools.setup()"})
    assert texts(found, "dev") == ["a>=1", "b", "c"]


def test_tables_of_backends() -> None:
    flit = """
[build-system]
requires = ["flit_core"]
build-backend = "flit_core.buildapi"
[tool.flit.metadata]
module = "x"
requires = ["a"]
[tool.flit.metadata.requires-extra]
dev = ["b"]
"""
    assert texts(make({"pyproject.toml": flit}), "dev") == ["a", "b"]
    other = "[build-system]\nrequires = ['maturin']\nbuild-backend = 'maturin'"
    found = texts(make({"pyproject.toml": other, "Cargo.toml": ""}))
    assert found == "how maturin declares the dependencies is not known"


def test_which_manifest_wins() -> None:
    pyproject = "[project]\nname = 'x'\ndependencies = ['a']\n"
    setup = "from setuptools import setup\nsetup(install_requires=['b'])"
    cfg = "[options]\ninstall_requires = c\n"
    assert texts(make({"pyproject.toml": pyproject, "setup.py": setup, "setup.cfg": cfg})) == ["a"]
    assert texts(make({"setup.py": setup, "setup.cfg": cfg})) == ["b"]
    doubted = texts(make({"pyproject.toml": "[project]\nname = 'x'\n", "setup.py": setup}))
    assert doubted == "pyproject.toml and setup.py both declare the project"


def test_extras_that_name_the_project_itself() -> None:
    pyproject = """
[project]
name = "My_App"
dependencies = ["a"]
[project.optional-dependencies]
all = ["my-app[db, Web_Ui]", "z"]
db = ["b"]
web-ui = ["c", "my.app[all]"]
"""
    assert texts(make({"pyproject.toml": pyproject}), "ALL") == ["a", "z", "b", "c"]


def test_poetry() -> None:
    pyproject = """
[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
[tool.poetry]
name = "x"
[tool.poetry.dependencies]
python = "^3.8"
flask = "^2.1"
uvicorn = {version = "^0.20", extras = ["standard"]}
old = {version = "*", python = "<3.9"}
lib = {git = "https://example.org/lib.git", tag = "v1"}
mysql = {version = "~1.2", optional = true}
[tool.poetry.extras]
db = ["mysql"]
[tool.poetry.group.dev.dependencies]
pytest = ">=7"
"""
    found = make({"pyproject.toml": pyproject})
    assert texts(found, "db") == [
        "flask>=2.1,<3.0",
        "uvicorn[standard]>=0.20,<0.21",
        'old ; python_version < "3.9"',
        "lib @ git+https://example.org/lib.git@v1",
        "mysql>=1.2,<1.3",
    ]
    group = group_requirements_of(found, "dev")
    assert not isinstance(group, str)
    assert [entry.text for entry in group] == ["pytest>=7"]
    assert group_requirements_of(found, "none") == "the project has no group none"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("*", ""),
        ("^1.2.3", ">=1.2.3,<2.0.0"),
        ("^0.2.3", ">=0.2.3,<0.3.0"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0", ">=0,<1"),
        ("~1.2.3", ">=1.2.3,<1.3.0"),
        ("~1", ">=1,<2"),
        ("~=1.2", "~=1.2"),
        (">= 1.0 , < 2", ">=1.0,<2"),
        (">=1.0 <2", ">=1.0,<2"),
        ("1.2.*", "==1.2.*"),
        ("1.2", "==1.2"),
        ("=1.2", "==1.2"),
        ("!=1.2", "!=1.2"),
        ("^1 || ^2", None),
        ("latest", None),
    ],
)
def test_versions_of_poetry(text: str, wanted: str | None) -> None:
    assert specifier(text) == wanted


def test_what_poetry_says_in_other_words() -> None:
    table: dict[str, object] = {
        "python": "^3",
        "both": [
            {"version": "1", "python": "<3.9"},
            {"version": "2", "python": ">=3.9", "platform": "linux"},
        ],
        "odd": {"version": "^1 || ^3"},
        "near": {"path": "../near"},
    }
    assert requirements(table) == (
        [
            'both==1 ; python_version < "3.9"',
            'both==2 ; python_version >= "3.9" and sys_platform == "linux"',
            "near @ file:../near",
        ],
        {},
        ["odd"],
    )


def test_what_builds_a_project() -> None:
    def names(found: Project) -> list[str]:
        got = build_requirements_of(found)
        return [] if isinstance(got, str) else [entry.text for entry in got]

    assert names(of_setup("setup(setup_requires=['cython'])")) == [
        "setuptools>=40.8.0",
        "wheel",
        "cython",
    ]
    pyproject = "[build-system]\nrequires = ['hatchling>=1.20']\nbuild-backend = 'hatchling.build'"
    assert names(make({"pyproject.toml": pyproject})) == ["hatchling>=1.20"]
    assert names(make({"pyproject.toml": "[project]\nname = 'x'"})) == [
        "setuptools>=40.8.0",
        "wheel",
    ]


def test_no_project() -> None:
    assert texts(make({})) == "the folder holds no project"
