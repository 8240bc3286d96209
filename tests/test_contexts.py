"""Finding the build context of a Dockerfile."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dfcache.model.contexts import find_context


def tree(root: Path, *paths: str, **texts: str) -> None:
    names = {"compose": "compose.yaml", "override": "docker-compose.override.yml"}
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("")
    for name, text in texts.items():
        (root / names[name]).write_text(text)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    return tmp_path


def found(root: Path, dockerfile: str, *sources: str) -> tuple[str, bool]:
    made = find_context(root / dockerfile, None, None, sources)
    return made.path.relative_to(root).as_posix(), made.sure


def test_what_the_user_says_goes_first(repo: Path) -> None:
    tree(repo, "app/Dockerfile", compose="services: {a: {build: ./app}}")
    made = find_context(repo / "app/Dockerfile", None, repo / "other", ["x"])
    assert (made.path, made.sure) == (repo / "other", True)


def test_its_own_folder(repo: Path) -> None:
    tree(repo, "app/Dockerfile", "app/main.py", "Dockerfile")
    assert found(repo, "app/Dockerfile", "main.py", ".") == ("app", True)
    assert found(repo, "Dockerfile", ".") == (".", True)


def test_nothing_tells(repo: Path) -> None:
    tree(repo, "app/Dockerfile")
    assert found(repo, "app/Dockerfile", ".") == ("app", False)
    assert found(repo, "app/Dockerfile", "$NAME", "https://host/x") == ("app", False)
    assert found(repo, "app/Dockerfile", "missing") == ("app", False)


def test_a_manifest_that_only_its_own_folder_has(repo: Path) -> None:
    tree(repo, "app/Dockerfile", "app/requirements.txt", "setup.py")
    assert found(repo, "app/Dockerfile", ".") == ("app", True)
    tree(repo, "requirements.txt")
    assert found(repo, "app/Dockerfile", ".") == ("app", False)


def test_what_is_installed_tells_where_all_is_copied(repo: Path) -> None:
    tree(repo, "docker/Dockerfile", "requirements/dev.txt")

    def told(*names: str) -> tuple[str, bool]:
        made = find_context(repo / "docker/Dockerfile", None, None, ["."], lambda: names)
        return made.path.relative_to(repo).as_posix(), made.sure

    assert told() == ("docker", False)
    assert told("requirements/dev.txt") == (".", True)
    assert told("requirements/dev.txt", "requirements/base.txt") == ("docker", False)
    tree(repo, "docker/requirements/dev.txt")
    assert told("requirements/dev.txt") == ("docker", False)


def test_a_dockerfile_that_copies_nothing(repo: Path) -> None:
    tree(repo, "app/Dockerfile")
    assert found(repo, "app/Dockerfile") == ("app", True)


def test_a_folder_above_that_has_the_sources(repo: Path) -> None:
    tree(repo, "a/docker/x.Dockerfile", "a/pyproject.toml", "a/src/main.py", "pyproject.toml")
    assert found(repo, "a/docker/x.Dockerfile", "pyproject.toml", "src/") == ("a", True)
    assert found(repo, "a/docker/x.Dockerfile", "a/src", "./pyproject.toml") == (".", True)


def test_most_of_the_sources(repo: Path) -> None:
    tree(repo, "docker/Dockerfile", "pyproject.toml", "src/main.py")
    assert found(repo, "docker/Dockerfile", "pyproject.toml", "src", "dist") == (".", False)
    assert found(repo, "docker/Dockerfile", "src", "dist", "build") == ("docker", False)


def test_globs_count_only_alone(repo: Path) -> None:
    tree(repo, "docker/Dockerfile", "requirements.txt", "docker/main.py")
    assert found(repo, "docker/Dockerfile", "requirements*.txt") == (".", True)
    assert found(repo, "docker/Dockerfile", "requirements*.txt", "main.py") == ("docker", True)


def test_the_search_ends_at_the_repository(tmp_path: Path) -> None:
    tree(tmp_path, "file.txt", "repo/.git/HEAD", "repo/docker/Dockerfile")
    assert found(tmp_path, "repo/docker/Dockerfile", "file.txt") == ("repo/docker", False)


def test_without_a_repository_it_ends_where_the_search_began(tmp_path: Path) -> None:
    tree(tmp_path, "x/file.txt", "x/docker/Dockerfile")
    dockerfile = tmp_path / "x/docker/Dockerfile"
    assert find_context(dockerfile, None, None, ["file.txt"]).path == dockerfile.parent
    assert find_context(dockerfile, tmp_path, None, ["file.txt"]).path == tmp_path / "x"
    assert find_context(dockerfile, tmp_path / "y", None, ["file.txt"]).path == dockerfile.parent


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("services:\n  a:\n    build:\n      context: .\n      dockerfile: app/Dockerfile", "."),
        ("services:\n  a:\n    build: ./app", "app"),
        ("services:\n  a:\n    build:\n      context: app/", "app"),
        ("services:\n  a:\n    build: ${DIR:-app}", "app"),
        ("services:\n  a:\n    build: {context: ., dockerfile: '${DIR-app}/Dockerfile'}", "."),
        ("x: &b {context: .}\nservices: {a: {build: {<<: *b, dockerfile: app/Dockerfile}}}", "."),
        ("a:\n  build: app", "app"),
    ],
)
def test_compose(repo: Path, text: str, expected: str) -> None:
    tree(repo, "app/Dockerfile", "app/main.py", "main.py", compose=text)
    assert found(repo, "app/Dockerfile", "main.py") == (expected, True)


@pytest.mark.parametrize(
    "text",
    [
        "services:\n  a:\n    build: ${DIR}/app",
        "services:\n  a:\n    build: https://host/app.git",
        "services:\n  a:\n    build: {context: ., dockerfile_inline: FROM app}",
        "services:\n  a:\n    build: ./other # not app",
        "services: [build, app",
        "- build: app",
        "services: build app",
        "services:\n  a: !reset build app",
        "\x00 build app",
    ],
)
def test_compose_files_that_do_not_tell(repo: Path, text: str) -> None:
    tree(repo, "app/Dockerfile", "main.py", compose=text)
    assert found(repo, "app/Dockerfile", "main.py") == (".", True)
    assert find_context(repo / "app/Dockerfile", None, None, ["main.py"]).how != "compose.yaml"


def test_compose_files_that_disagree(repo: Path) -> None:
    tree(
        repo,
        "app/Dockerfile",
        "main.py",
        compose="services: {a: {build: app}}",
        override="services: {a: {build: {context: ., dockerfile: app/Dockerfile}}}",
    )
    assert found(repo, "app/Dockerfile", "main.py") == (".", False)


def test_no_yaml_parser_without_a_compose_file_that_builds(tmp_path: Path) -> None:
    tree(tmp_path, ".git/HEAD", "Dockerfile", compose="services: {a: {image: x}}")
    code = (
        "import sys, pathlib; from dfcache.model.contexts import find_context\n"
        f"find_context(pathlib.Path({str(tmp_path / 'Dockerfile')!r}))\n"
        "sys.exit('ruamel.yaml' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
