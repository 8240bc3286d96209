"""What a command does with its package manager: caches, switches, files that it reads."""

from __future__ import annotations

import pytest

from building import last_run, run
from dfcache.model.usedcaches import switches_off
from dfcache.model.usedfiles import is_local
from dfcache.model.uses import ToolUse


def use(script: str, before: str = "") -> ToolUse:
    """The only use in a script."""
    (found,) = run(script, before).uses
    return found


COMMANDS = [
    ("pip install x", "pip install", "downloads"),
    ("pip3.11 install x", "pip3.11 install", "downloads"),
    ("pip-3.6 install x", "pip-3.6 install", "downloads"),
    ("python -m pip install x", "pip install", "downloads"),
    ("python3.12 -X utf8 -u -m pip install x", "pip install", "downloads"),
    ("pypy3 -m pip install x", "pip install", "downloads"),
    ("pip --log /l install x", "pip install", "downloads"),
    ("pip --no-cache-dir --quiet install x", "pip install", "downloads"),
    ("pip download x", "pip download", "downloads"),
    ("pip wheel -w /w x", "pip wheel", "downloads"),
    ("pip lock -r x", "pip lock", "downloads"),
    ("pip cache purge", "pip cache purge", "purges"),
    ("pip cache remove x", "pip cache remove", "purges"),
    ("pip config set global.index-url https://x", "pip config set", "reads"),
    ("uv pip install x", "uv pip install", "downloads"),
    ("uv --quiet pip install x", "uv pip install", "downloads"),
    ("uv sync --frozen", "uv sync", "downloads"),
    ("uvx ruff", "uv tool run", "downloads"),
    ("uv cache clean", "uv cache clean", "purges"),
    ("uv cache prune", "uv cache prune", "purges"),
    ("npm ci", "npm ci", "downloads"),
    ("npm i -g x", "npm i", "downloads"),
    ("npm --prefix web install", "npm install", "downloads"),
    ("npx eslint", "npm exec", "downloads"),
    ("npm cache clean --force", "npm cache clean", "purges"),
    ("apt-get update", "apt-get update", "fills"),
    ("apt-get -qq -o A=b install -y x", "apt-get install", "downloads"),
    ("apt install x", "apt install", "downloads"),
    ("apt-get clean", "apt-get clean", "purges"),
    ("apt-get dist-clean", "apt-get dist-clean", "purges"),
]


@pytest.mark.parametrize(("script", "title", "effect"), COMMANDS)
def test_commands(script: str, title: str, effect: str):
    found = use(script)
    assert (found.title, found.spec.effect) == (title, effect)


NO_USE = [
    *(
        "pip --version",
        "pip uninstall -y x",
        "pip",
        "pip cache info",
    ),
    *(
        "pipx install x",
        "pip-compile x",
        "pipenv install",
        "python setup.py install",
        "python -c pip",
    ),
    *(
        "python script.py -m pip install x",
        "python -m venv pip install",
        "npm run build",
        "npm test",
    ),
    *(
        "echo pip install x",
        "which pip install",
        "apt-key add x",
        "apt-cache search x",
        "uv --version",
    ),
    *("./install pip x", "$UNKNOWN install x", "pip $UNKNOWN x", "python -m $UNKNOWN install x"),
]


@pytest.mark.parametrize("script", NO_USE)
def test_what_is_no_use(script: str):
    assert run(script).uses == ()


OFFLINE = [
    ("pip install x", True),
    ("pip install --no-index -f /w x", False),
    ("uv sync --offline", False),
    ("npm ci --offline", False),
    ("npm ci --prefer-offline", True),
    ("apt-get install --no-download x", False),
    ("pip cache purge", False),
    ("apt-get update", False),
]


@pytest.mark.parametrize(("script", "expected"), OFFLINE)
def test_what_asks_the_network_for_packages(script: str, expected: bool):
    assert use(script).downloads is expected


READS = [
    ("pip install -r a.txt", [("requirements", "/app/a.txt")]),
    ("pip install -ra.txt", [("requirements", "/app/a.txt")]),
    ("pip install --requirement a.txt", [("requirements", "/app/a.txt")]),
    ("pip install --requirement=a.txt", [("requirements", "/app/a.txt")]),
    (
        "pip install -r ../a.txt -r /b/c.txt",
        [("requirements", "/a.txt"), ("requirements", "/b/c.txt")],
    ),
    (
        "pip install -r a.txt -c b.txt",
        [("requirements", "/app/a.txt"), ("constraints", "/app/b.txt")],
    ),
    ("pip install --constraint=b.txt x", [("constraints", "/app/b.txt")]),
    ("pip install -r https://example.org/r.txt", []),
    ("pip install -r file:///srv/r.txt", [("requirements", "/srv/r.txt")]),
    ("pip install -r $UNKNOWN", [("requirements", None)]),
    ("cd sub && pip install -r a.txt", [("requirements", "/app/sub/a.txt")]),
    ("cd $UNKNOWN && pip install -r a.txt", [("requirements", None)]),
    ("pip install .", [("project", "/app")]),
    ("pip install ./", [("project", "/app")]),
    ("pip install ..", [("project", "/")]),
    ("pip install /srv/lib", [("project", "/srv/lib")]),
    ("pip install lib/", [("project", "/app/lib")]),
    ("pip install ./lib[dev]", [("project", "/app/lib")]),
    ("pip install a.whl", [("project", "/app/a.whl")]),
    ("pip install a.tar.gz", [("project", "/app/a.tar.gz")]),
    ("pip install file:///srv/lib", [("project", "/srv/lib")]),
    ("pip install 'a @ file:///srv/lib'", [("project", "/srv/lib")]),
    ("pip install -e .", [("project", "/app")]),
    ("pip install -e ./lib -e /b", [("project", "/app/lib"), ("project", "/b")]),
    ("pip install --editable=lib/x", [("project", "/app/lib/x")]),
    ("pip install -e git+https://example.org/a.git#egg=a", []),
    ("pip install git+https://example.org/a.git", []),
    ("pip install https://example.org/a.whl", []),
    ("pip install 'a @ https://example.org/a.whl'", []),
    ("pip install x y==1 'z>=2,<3' 'uvicorn[standard]' ruamel.yaml", []),
    ("pip install -f wheels x", [("links", "/app/wheels")]),
    ("pip install --find-links=https://example.org/ x", []),
    ("pip install -t lib x", []),
    ("pip install --index-url https://example.org/simple x", []),
    ("pip install --upgrade-strategy eager x", []),
    ("pip install --group dev", [("group", None)]),
    ("pip wheel -w w -r a.txt", [("requirements", "/app/a.txt")]),
    ("uv pip install -r pyproject.toml", [("requirements", "/app/pyproject.toml")]),
    ("npm ci", []),
]


@pytest.mark.parametrize(("script", "expected"), READS)
def test_files_that_it_reads(script: str, expected: list[tuple[str, str | None]]):
    found = [(read.kind, read.path) for read in use(script).reads]
    assert [each for each in found if each[0] != "group"] == [
        each for each in expected if each[0] != "group"
    ]
    assert [kind for kind, _ in found] == [kind for kind, _ in expected]


LOCAL = [
    *((".", True), ("..", True), ("./x", True), ("../x", True), ("/x", True), ("x/", True)),
    *(("x/y", True), ("a.whl", True), ("a.zip", True), ("a.tar.gz", True), ("a.tgz", True)),
    *(("file:x", True), ("file:///x", True), ("a @ file:///x", True), ("x", False)),
    *(("x.y", False), ("x==1.0", False), ("x[y]", False), ("git+https://h/p.git", False)),
    *(("https://h/x.whl", False), ("a @ https://h/x.whl", False), ("git+ssh://git@h/p.git", False)),
    *(("x>=1; python_version<'3'", False), ("a@git+https://h/p", False)),
]


@pytest.mark.parametrize(("requirement", "expected"), LOCAL)
def test_what_pip_takes_for_a_path(requirement: str, expected: bool):
    assert is_local(requirement) is expected


PLACES = [
    # what stands before, the command, where its (first) cache is, and what moved it there
    ("", "pip install x", "/root/.cache/pip", ""),
    ("ENV HOME=/srv\n", "pip install x", "/srv/.cache/pip", ""),
    ("ENV XDG_CACHE_HOME=/xdg\n", "pip install x", "/xdg/pip", "XDG_CACHE_HOME"),
    ("ENV XDG_CACHE_HOME=\n", "pip install x", "/root/.cache/pip", ""),
    ("ENV PIP_CACHE_DIR=/c XDG_CACHE_HOME=/xdg\n", "pip install x", "/c", "PIP_CACHE_DIR"),
    ("ENV PIP_CACHE_DIR=/c/\n", "pip install x", "/c", "PIP_CACHE_DIR"),
    ("ENV PIP_CACHE_DIR=\n", "pip install x", "/root/.cache/pip", ""),
    ("ENV PIP_CACHE_DIR=c\n", "pip install x", None, "PIP_CACHE_DIR"),
    ("ARG C\nENV PIP_CACHE_DIR=$C\n", "pip install x", None, "PIP_CACHE_DIR"),
    ("ENV PIP_CACHE_DIR=/c\n", "pip install --cache-dir /d x", "/d", "--cache-dir"),
    ("", "pip install --cache-dir=/d x", "/d", "--cache-dir"),
    ("", "pip --cache-dir /d install x", "/d", "--cache-dir"),
    ("", "pip install --cache-dir /d --cache-dir /e x", "/e", "--cache-dir"),
    ("", "pip install --cache-dir $UNKNOWN x", None, "--cache-dir"),
    ("", "pip install --cache-dir ~/p x", "/root/p", "--cache-dir"),
    ("", "PIP_CACHE_DIR=/c pip install x", "/c", "PIP_CACHE_DIR"),
    ("", "export PIP_CACHE_DIR=/c; pip install x", "/c", "PIP_CACHE_DIR"),
    ("", "env PIP_CACHE_DIR=/c pip install x", "/c", "PIP_CACHE_DIR"),
    ("ENV PIP_CACHE_DIR=/c\n", "unset PIP_CACHE_DIR; pip install x", None, "PIP_CACHE_DIR"),
    ("", "HOME=/h pip install x", "/h/.cache/pip", ""),
    ("", "export HOME=/h && pip install x", "/h/.cache/pip", ""),
    ("RUN useradd -m -u 7 app\nUSER app\n", "pip install x", "/home/app/.cache/pip", ""),
    ("RUN useradd -m -u 7 app\nUSER app\n", "sudo pip install x", "/root/.cache/pip", ""),
    ("RUN useradd -m -u 7 app\n", "sudo -u app pip install x", "/home/app/.cache/pip", ""),
    ("ENV PIP_CACHE_DIR=/c\n", "sudo pip install x", "/root/.cache/pip", ""),
    ("USER somebody\n", "pip install x", None, ""),
    ("", "uv pip install x", "/root/.cache/uv", ""),
    ("ENV UV_CACHE_DIR=/c\n", "uv pip install x", "/c", "UV_CACHE_DIR"),
    ("ENV XDG_CACHE_HOME=/xdg\n", "uv sync", "/xdg/uv", "XDG_CACHE_HOME"),
    ("", "npm ci", "/root/.npm", ""),
    ("ENV XDG_CACHE_HOME=/xdg\n", "npm ci", "/root/.npm", ""),
    ("ENV NPM_CONFIG_CACHE=/c\n", "npm ci", "/c", "NPM_CONFIG_CACHE"),
    ("ENV npm_config_cache=/c\n", "npm ci", "/c", "npm_config_cache"),
    ("ENV Npm_Config_Cache=/c\n", "npm ci", "/c", "Npm_Config_Cache"),
    ("", "npm ci --cache /c", "/c", "--cache"),
    ("", "apt-get install x", "/var/cache/apt", ""),
]


@pytest.mark.parametrize(("before", "script", "path", "moved_by"), PLACES)
def test_where_the_cache_is(before: str, script: str, path: str | None, moved_by: str):
    cache = use(script, before).caches[0]
    if "unset" in script:
        assert cache.path in (None, "/root/.cache/pip")  # not to know it is right as well
    else:
        assert (cache.path, cache.moved_by) == (path, moved_by)


def test_apt_has_two_caches_and_update_uses_one():
    assert [c.path for c in use("apt-get install x").caches] == [
        "/var/cache/apt",
        "/var/lib/apt/lists",
    ]
    assert [c.path for c in use("apt-get update").caches] == ["/var/lib/apt/lists"]


ANY = "1 true TRUE t yes y on 0 false False f no n off".split()


@pytest.mark.parametrize("value", ANY)
def test_any_boolean_turns_the_cache_of_pip_off(value: str):
    (switch,) = use("pip install x", f"ENV PIP_NO_CACHE_DIR={value}\n").off
    assert (switch.kind, switch.text, switch.removable) == ("variable", "PIP_NO_CACHE_DIR", True)


@pytest.mark.parametrize("value", ["", '""'])
def test_only_the_empty_value_leaves_it_on(value: str):
    assert use("pip install x", f"ENV PIP_NO_CACHE_DIR={value}\n").off == ()


@pytest.mark.parametrize("value", ANY)
def test_uv_reads_a_real_boolean(value: str):
    on = value.lower() in ("1", "true", "t", "yes", "y", "on")
    assert bool(use("uv sync", f"ENV UV_NO_CACHE={value}\n").off) is on


SWITCHES = [
    ("", "pip install x", []),
    ("", "pip install --no-cache-dir x", [("option", "--no-cache-dir")]),
    ("", "pip --no-cache-dir install x", [("option", "--no-cache-dir")]),
    ("", "pip install --no-cache x", [("option", "--no-cache")]),
    ("", "pip install --no-ca x", [("option", "--no-ca")]),
    ("", "pip install -- --no-cache-dir", []),
    ("", "pip install --no-clean --no-deps --no-compile x", []),
    ("", "pip install --no-cache-dir --cache-dir /c x", []),
    ("", "pip install --cache-dir /c --no-cache-dir x", [("option", "--no-cache-dir")]),
    ("ENV PIP_NO_CACHE_DIR=1\n", "pip install --cache-dir /c x", []),
    ("ENV PIP_NO_CACHE=1\n", "pip install x", []),
    ("ARG PIP_NO_CACHE_DIR=1\n", "pip install x", [("variable", "PIP_NO_CACHE_DIR")]),
    ("ARG PIP_NO_CACHE_DIR\n", "pip install x", []),
    ("ENV PIP_NO_CACHE_DIR=1\n", "sudo pip install x", []),
    ("ENV PIP_NO_CACHE_DIR=1\n", "PIP_NO_CACHE_DIR= pip install x", []),
    ("ENV PIP_NO_CACHE_DIR=1\n", "unset PIP_NO_CACHE_DIR; pip install x", []),
    ("", "PIP_NO_CACHE_DIR=1 pip install x", [("assignment", "PIP_NO_CACHE_DIR")]),
    ("", "export PIP_NO_CACHE_DIR=1; pip install x", [("export", "PIP_NO_CACHE_DIR")]),
    ("", "env PIP_NO_CACHE_DIR=1 pip install x", [("export", "PIP_NO_CACHE_DIR")]),
    (
        "RUN pip config set global.no-cache-dir true\n",
        "pip install x",
        [("config", "pip config set global.no-cache-dir")],
    ),
    (
        "ENV PIP_NO_CACHE_DIR=1\n",
        "pip install --no-cache-dir x",
        [("variable", "PIP_NO_CACHE_DIR"), ("option", "--no-cache-dir")],
    ),
    ("", "uv sync --no-cache", [("option", "--no-cache")]),
    ("", "uv sync -n", [("option", "-n")]),
    ("", "npm ci --no-cache", []),
]


@pytest.mark.parametrize(("before", "script", "expected"), SWITCHES)
def test_what_turns_a_cache_off(before: str, script: str, expected: list[tuple[str, str]]):
    assert [(switch.kind, switch.text) for switch in use(script, before).off] == expected


def test_where_a_switch_stands():
    source = "FROM python:3.12\nENV A=1 PIP_NO_CACHE_DIR=1\nRUN pip install --no-cache-dir x\n"
    variable, option = last_run(source).uses[0].off
    assert variable.span is not None
    assert option.span is not None
    assert source[variable.span.start : variable.span.end] == "PIP_NO_CACHE_DIR=1"
    assert source[option.span.start : option.span.end] == "--no-cache-dir"


def test_a_switch_of_the_image_stands_nowhere():
    image = "FROM registry.access.redhat.com/ubi9/python-312\n"
    (switch,) = last_run(f"{image}RUN pip install x\n").uses[0].off
    assert (switch.span, switch.removable) == (None, False)


def test_how_a_variable_turns_off():
    assert switches_off("set", "anything")
    assert not switches_off("set", "")
    assert not switches_off("boolean", "2")
    assert not switches_off("true", None)


def test_installations_into_folders_of_their_own():
    for script in ("-t lib x", "--target=lib x", "--prefix /p x", "--root /r x"):
        assert use(f"pip install {script}").elsewhere
    assert not use("pip install --user x").elsewhere
    assert use("npm ci").leaves == ("/app/node_modules",)


def test_installations_that_link_into_the_cache():
    assert use("uv sync", "ENV UV_LINK_MODE=symlink\n").linked == "UV_LINK_MODE=symlink"
    assert use("uv sync --link-mode symlink").linked == "--link-mode symlink"
    assert use("uv sync --link-mode=copy", "ENV UV_LINK_MODE=hardlink\n").linked == ""


def test_what_is_underlined():
    source = "FROM python:3.12\nRUN A=1 python3 -m pip --quiet install x\n"
    span = last_run(source).uses[0].span
    assert source[span.start : span.end] == "python3 -m pip --quiet install"


def test_commands_that_may_run_code_of_the_project():
    assert use("npm ci").own_code
    assert not use("npm ci --ignore-scripts").own_code
    assert use("uv sync").own_code
    assert not use("uv sync --no-install-project").own_code
    assert not use("pip install x").own_code
