"""What dfcache knows: that the facts are those of the tools, and that mistakes are told."""

from __future__ import annotations

import inspect
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from dfcache.knowledge import KnowledgeError, find_image, load, page, tools_for
from dfcache.knowledge import loader as loader_module
from dfcache.knowledge.compiling import compile_folder
from dfcache.knowledge.matching import matches
from dfcache.knowledge.records import Tool, ToolCommand

ROOT = Path(__file__).parents[1]
TOOLS = {tool.name: tool for tool in load().tools}
COMMANDS = [
    pytest.param(tool, command, id=f"{tool.name}-{'-'.join(command.words)}")
    for tool in load().tools
    for command in tool.commands
]


def command(tool: str, *words: str) -> ToolCommand:
    return next(each for each in TOOLS[tool].commands if each.words == words)


# --- Programs -----------------------------------------------------------------------------


@pytest.mark.parametrize("program", ["pip", "pip2", "pip3", "pip3.11", "pip-3.6", "pip2.7"])
def test_these_programs_are_pip(program: str) -> None:
    assert tools_for(program) == (TOOLS["pip"],)


@pytest.mark.parametrize(
    "program", ["pipenv", "pipx", "pip-compile", "piptools", "pipdeptree", "xpip", "apt-cache", "u"]
)
def test_these_programs_are_something_else(program: str) -> None:
    assert tools_for(program) == ()


@pytest.mark.parametrize(
    ("program", "tool"),
    [
        ("uv", "uv"),
        ("uvx", "uv"),
        ("apt", "apt"),
        ("apt-get", "apt"),
        ("npm", "npm"),
        ("npx", "npm"),
    ],
)
def test_program_belongs_to_its_tool(program: str, tool: str) -> None:
    assert tools_for(program) == (TOOLS[tool],)


def test_shorthands_are_commands_of_their_tool() -> None:
    for tool in load().tools:
        spelled = {each.words for each in tool.commands}
        assert set(tool.shorthands.values()) <= spelled


# --- Facts --------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["--no-cache-dir", "--no-cache", "--no-ca"])
def test_real_pip_takes_the_abbreviation(given: str) -> None:
    assert given in TOOLS["pip"].off.options
    assert pip_refuses(given) is False


def test_real_pip_refuses_a_shorter_one() -> None:
    assert "--no-c" not in TOOLS["pip"].off.options
    assert pip_refuses("--no-c") is True


def pip_refuses(option: str) -> bool:
    # Without a requirement pip stops before it does anything, but after it has read its options.
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "install", option],
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode != 0
    return "at least one requirement" not in asked.stderr


@pytest.mark.parametrize("name", ["install", "download", "wheel"])
def test_options_with_a_value_are_those_of_the_pip_at_hand(name: str) -> None:
    commands = pytest.importorskip("pip._internal.commands")
    parser = commands.create_command(name).parser
    options = [*parser.option_list, *(o for g in parser.option_groups for o in g.option_list)]
    takes = {text for o in options if o.takes_value() for text in (*o._short_opts, *o._long_opts)}
    flags = {
        text for o in options if not o.takes_value() for text in (*o._short_opts, *o._long_opts)
    }
    known = command("pip", name).values
    assert takes <= known
    assert not flags & known


@pytest.mark.parametrize(("tool", "made"), COMMANDS)
def test_options_of_a_command_agree_with_each_other(tool: Tool, made: ToolCommand) -> None:
    values = made.values | tool.values
    assert set(made.reads) <= values
    assert not made.offline & values
    assert {each for each in made.writes if each.startswith("-")} <= values
    assert not tool.off.options & values
    for cache in tool.caches:
        assert set(cache.options) <= values


def test_every_command_is_spelled_once() -> None:
    for tool in load().tools:
        spelled = [each.words for each in tool.commands]
        assert len(set(spelled)) == len(spelled)


def test_pip_switches_off_by_any_boolean_and_uv_by_true_ones() -> None:
    assert TOOLS["pip"].off.env == {"PIP_NO_CACHE_DIR": "boolean"}
    assert TOOLS["uv"].off.env == {"UV_NO_CACHE": "true"}


def test_apt_locks_and_needs_its_lists() -> None:
    archives, lists = TOOLS["apt"].caches
    assert (archives.default, archives.sharing) == ("/var/cache/apt", "locked")
    assert (lists.default, lists.filled_by) == ("/var/lib/apt/lists", ("update",))


def test_apt_keeps_its_packages_within_the_mount_and_past_docker_clean() -> None:
    for words in TOOLS["apt"].keep.values():
        folder = next(word for word in words if "archives=" in word).partition("=")[2]
        assert folder.startswith("/var/cache/apt/")
        assert not folder.startswith("/var/cache/apt/archives")


def test_clean_concerns_the_archives_and_dist_clean_everything() -> None:
    assert command("apt", "clean").caches == ("archives",)
    assert command("apt", "dist-clean").caches == ()


def test_aliases_of_npm_install_are_known() -> None:
    for words in (("ci",), ("clean-install",), ("i",), ("isntall",), ("update",)):
        assert command("npm", *words).effect == "downloads"


def test_every_tool_cites_where_its_facts_are_from() -> None:
    for path in (ROOT / "rules" / "tools").glob("*.yaml"):
        text = path.read_text("utf-8")
        assert len(re.findall(r"source:|https://", text)) >= 3, path.name


# --- Images -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "python",
        "docker.io/python",
        "docker.io/library/python",
        "library/python",
        "index.docker.io/library/python",
        "public.ecr.aws/docker/library/python",
        "mirror.gcr.io/library/python",
        "arm32v7/python",
        "docker.io/amd64/python",
    ],
)
def test_names_of_the_python_image(name: str) -> None:
    image = find_image(name, "3.12-slim")
    assert image is not None
    assert (image.image, image.user, image.home, image.libc) == ("python", "root", "/root", "glibc")


@pytest.mark.parametrize(
    ("name", "tag", "user", "uid", "gid", "home", "libc"),
    [
        ("python", "3.12-alpine3.20", "root", 0, 0, "/root", "musl"),
        ("alpine", "", "root", 0, 0, "/root", "musl"),
        ("docker", "dind", "root", 0, 0, "/root", "musl"),
        ("ghcr.io/astral-sh/uv", "python3.12-alpine", "root", 0, 0, "/root", "musl"),
        ("ghcr.io/astral-sh/uv", "python3.12-bookworm-slim", "root", 0, 0, "/root", "glibc"),
        ("ghcr.io/astral-sh/uv", "0.9", "root", 0, 0, "/root", None),
        ("jupyter/scipy-notebook", "latest", "jovyan", 1000, 100, "/home/jovyan", "glibc"),
        ("mambaorg/micromamba", "1.5.8", "mambauser", 57439, 57439, "/home/mambauser", "glibc"),
        ("gitpod/workspace-full", "", "gitpod", 33333, 33333, "/home/gitpod", "glibc"),
        ("apache/airflow", "3.1.0", "airflow", 50000, 0, "/home/airflow", "glibc"),
        ("cimg/python", "3.12", "circleci", 3434, 3434, "/home/circleci", "glibc"),
        ("circleci/python", "3.7", "circleci", None, None, "/home/circleci", None),
        ("mambaorg/micromamba", "0.22.0", "mambauser", 1000, 1000, "/home/mambauser", "glibc"),
        (
            "mambaorg/micromamba",
            "1.4.9-lunar",
            "mambauser",
            57439,
            57439,
            "/home/mambauser",
            "glibc",
        ),
        ("nvcr.io/nvidia/pytorch", "25.04-py3", "root", 0, 0, "/root", "glibc"),
    ],
)
def test_who_runs_the_steps(
    name: str, tag: str, user: str, uid: int | None, gid: int | None, home: str, libc: str | None
) -> None:
    image = find_image(name, tag)
    assert image is not None
    assert (image.user, image.uid, image.gid) == (user, uid, gid)
    assert (image.home, image.libc) == (home, libc)


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("registry.example.org/python", "3.12"),
        ("me/python", "3.12"),
        ("pythonic", ""),
        ("mambaorg/micromamba", "0.8"),
        ("apache/airflow", "2.1.0"),
    ],
)
def test_what_is_not_known_is_not_guessed(name: str, tag: str) -> None:
    assert find_image(name, tag) is None


def test_red_hat_images_of_python_switch_the_cache_off() -> None:
    image = find_image("registry.access.redhat.com/ubi9/python-311", "latest")
    assert image is not None
    assert (image.uid, image.gid, image.home) == (1001, 0, "/opt/app-root/src")
    assert image.env["PIP_NO_CACHE_DIR"] == "off"


def test_windows_images_are_told_apart() -> None:
    for name, tag in (
        ("python", "3.12-windowsservercore-ltsc2022"),
        ("mcr.microsoft.com/windows/nanoserver", ""),
    ):
        image = find_image(name, tag)
        assert image is not None
        assert image.os == "windows"


def test_users_of_an_image_besides_its_own() -> None:
    image = find_image("node", "22-alpine")
    assert image is not None
    assert image.users["node"] == (1000, 1000, "/home/node")


def test_a_digest_alone_leaves_the_c_library_open() -> None:
    image = find_image("python@sha256:abc", "")
    assert image is not None
    assert image.libc is None
    image = find_image("python", "3.12-alpine@sha256:abc")
    assert image is not None
    assert image.libc == "musl"


def test_a_user_other_than_root_has_a_home_of_their_own() -> None:
    for image in load().images:
        assert image.home != "/root" or image.user == "root", image
        assert (image.uid == 0) == (image.user == "root"), image


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("python", "python", True),
        ("python", "python3", False),
        ("*", "", True),
        ("*alpine*", "3.12-alpine3.20", True),
        ("a*a", "a", False),
        ("a*b*c", "aXbYc", True),
        ("a*bc*c", "abc", False),
        ("ubi*/python-3*", "ubi9/python-311", True),
    ],
)
def test_star_stands_for_any_text(pattern: str, text: str, expected: bool) -> None:
    assert matches(pattern, text) is expected


# --- Pages --------------------------------------------------------------------------------


def test_page_is_found_by_code_and_name() -> None:
    found = page("uncached-install")
    assert found is not None
    assert found is page("DFC101") is page("dfc101")
    assert page("uncached") is None


# --- Mistakes in a folder -----------------------------------------------------------------

MINIMAL = """\
name: thing
title: thing
url: https://example.org/
programs: thing
off: {}
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: thing\n", "tools/thing.yaml:1: name is missing"),
        (MINIMAL + "colour: red\n", "tools/thing.yaml:6: colour is not a key of this place"),
        (MINIMAL + "modules: [1]\n", "tools/thing.yaml:6: modules has to hold text, not 1"),
        (
            MINIMAL.replace("programs: thing", "programs: '('"),
            "tools/thing.yaml:4: programs is not a",
        ),
        (
            MINIMAL + "commands:\n  - words: [get]\n    effect: fetches\n",
            "tools/thing.yaml:8: effect has to be one of downloads, fills, purges, reads, not fet",
        ),
        (
            MINIMAL + "caches:\n  - name: c\n    default: cache\n"
            "    sharing: shared\n    unwritable: fails\n",
            "tools/thing.yaml:8: default has to begin with / or ~/",
        ),
        ("name: [", "thing.yaml:1: "),
        ("- thing\n", "tools/thing.yaml:1: expected keys and values"),
    ],
)
def test_mistake_in_a_tool_is_told_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "thing.yaml").write_text(text)
    with pytest.raises(KnowledgeError) as caught:
        compile_folder(tmp_path)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("images:\n  - image: a\n    uid: x\n", "images.yaml:3: uid has to be a number or null"),
        ("images:\n  - image: a\n    user: b\n", "images.yaml:3: uid is missing"),
        ("images:\n  - image: a\n    libc: dietlibc\n", "images.yaml:3: libc has to be"),
        ("images:\n  - tag: a\n", "images.yaml:2: image is missing"),
        ("images:\n  - image: 'a?'\n", "images.yaml:2: a?: only * is a pattern"),
        ("pictures: []\n", "images.yaml:1: pictures is not a key of this place"),
        ("images:\n  - image: a\n    users: {b: 1}\n", "images.yaml:3: users: b has to be"),
    ],
)
def test_mistake_in_the_images_is_told_with_its_line(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "images.yaml").write_text(text)
    with pytest.raises(KnowledgeError) as caught:
        compile_folder(tmp_path)
    assert str(caught.value).startswith(message)


PAGE = """\
---
code: DFC999
name: bad-thing
severity: info
fix: none
since: 1.0.0
---

It is bad.

## Why
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("since: 1.0.0\n", "", ":1: since is missing"),
        ("severity: info", "severity: dire", ":4: severity is one of error, warning, info"),
        ("fix: none", "fixed: none", ":5: unknown or repeated key fixed"),
        ("It is bad.\n", "It is\nbad.\n", ":10: the problem has to be one line"),
        ("It is bad.\n\n", "", ":9: expected the problem"),
        ("name: bad-thing", "name: worse-thing", ":1: the file of this page is DFC999-worse"),
        ("## Why\n", "## Bad\n\n```dockerfile\nFROM a\n", ":13: this block is not closed"),
        ("## Why\n", "## Bad\n\n```sh\nFROM a\n```\n", ":13: a block here is a dockerfile"),
        ("## Why\n", '## Bad\n\n```sh title="a"\n```\n', ":13: a has to stand behind"),
    ],
)
def test_mistake_in_a_page_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in PAGE
    (tmp_path / "DFC999-bad-thing.md").write_text(PAGE.replace(old, new))
    with pytest.raises(KnowledgeError) as caught:
        compile_folder(tmp_path)
    assert str(caught.value).startswith("DFC999-bad-thing.md" + message)


def test_one_name_for_two_tools_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    for name in ("a", "b"):
        (tmp_path / "tools" / f"{name}.yaml").write_text(MINIMAL)
    with pytest.raises(KnowledgeError, match=r"tools/b\.yaml:1: tool thing is in tools/a\.yaml"):
        compile_folder(tmp_path)


def test_a_folder_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="No such file"):
        load([tmp_path / "none"])


# --- Folders of the user, and the kept copy ------------------------------------------------


def test_own_folder_adds_tools_and_goes_before_known_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    mine = tmp_path / "mine"
    (mine / "tools").mkdir(parents=True)
    (mine / "tools" / "thing.yaml").write_text(MINIMAL)
    (mine / "images.yaml").write_text(
        "images:\n  - image: python\n    user: me\n    uid: 7\n    gid: 8\n    home: /me\n"
    )
    known = load([mine])
    assert [tool.name for tool in known.tools] == [*TOOLS, "thing"]
    image = find_image("python", "3.12", known)
    assert image is not None
    assert (image.user, image.uid) == ("me", 7)
    plain = find_image("python", "3.12")
    assert plain is not None
    assert plain.user == "root"


def test_own_tool_takes_the_place_of_the_known_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "pip.yaml").write_text(MINIMAL.replace("name: thing", "name: pip"))
    assert [tool.title for tool in load([tmp_path]).tools if tool.name == "pip"] == ["thing"]


def test_kept_copy_is_used_until_a_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "images.yaml").write_text("images:\n  - image: a\n")
    assert [image["image"] for image in loader_module._compiled(folder)["images"]] == [["a"]]
    kept = next((tmp_path / "cache" / "dfcache").glob("*.json"))
    kept.write_text(kept.read_text().replace('["a"]', '["kept"]'))
    assert [image["image"] for image in loader_module._compiled(folder)["images"]] == [["kept"]]
    (folder / "images.yaml").write_text("images:\n  - image: longer\n")
    assert [image["image"] for image in loader_module._compiled(folder)["images"]] == [["longer"]]


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"stamp": []}', b"\xff"])
def test_a_spoiled_kept_copy_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "rules"
    folder.mkdir()
    path = loader_module._kept_at(folder)
    path.parent.mkdir()
    path.write_bytes(content)
    assert loader_module._compiled(folder)["images"] == []


def test_a_cache_directory_that_cannot_be_written_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    folder = tmp_path / "rules"
    folder.mkdir()
    assert loader_module._compiled(folder)["pages"] == []


def test_yaml_is_not_imported_when_the_kept_copy_is_fresh() -> None:
    load()
    script = (
        "import sys; from dfcache.knowledge import find_image, load, tools_for; load();"
        "find_image('python', '3'); tools_for('pip3');"
        "print([m for m in ('ruamel', 'ruamel.yaml', 'difflib', 'tempfile') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "ruamel.yaml" not in done.stdout
    assert "tempfile" not in done.stdout


# --- The wheel -----------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """Records as plain values, sets in order, so that two processes can compare them."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, frozenset):
        return sorted(value)
    fields = getattr(value, "__match_args__", None)
    return plain({name: getattr(value, name) for name in fields}) if fields else value


def test_wheel_knows_what_the_checkout_knows(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(ROOT / "src", project / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "rules", project / "rules")
    for name in ("pyproject.toml", "hatch_build.py", "LICENSE"):
        shutil.copy(ROOT / name, project)
    (project / "README.md").write_text("")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel"], cwd=project, check=True
    )
    with zipfile.ZipFile(next(project.glob("dist/*.whl"))) as wheel:
        wheel.extractall(tmp_path / "site")
    script = (
        "from typing import Any\n"
        f"{inspect.getsource(plain)}\n"
        "import dfcache.knowledge as k, sys; print(k.__file__);"
        "print(repr(plain(k.load())) == sys.stdin.read(), 'ruamel.yaml' in sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-P", "-c", script],
        input=repr(plain(load())),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    assert told[0].startswith(str(tmp_path / "site"))
    assert told[1] == "True False"
