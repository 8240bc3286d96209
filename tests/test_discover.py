"""From paths to Dockerfiles."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from dfcache.engine.discover import Found, Missing, discover, is_dockerfile


@pytest.mark.parametrize(
    "name",
    [
        "Dockerfile", "dockerfile", "DOCKERFILE", "Dockerfile.dev", "Dockerfile-prod",
        "web.Dockerfile", "web.dockerfile", "Containerfile", "containerfile.x",
        "Containerfile-x", "Dockerfile.j2", "app.Containerfile", "Dockerfile_old",
    ],
)  # fmt: skip
def test_a_dockerfile_by_its_name(name: str):
    assert is_dockerfile(name)


@pytest.mark.parametrize(
    "name",
    [
        "Dockerfile.dockerignore", "Dockerfile~", "Dockerfile.bak", "Dockerfile.orig",
        ".Dockerfile.swp", "Dockerfile.md", "dockerfile.go", "dockerfile.py", "Dockerfiles",
        "compose.yaml", "README.md",
        "#Dockerfile#", ".#Dockerfile", "mydockerfile", "dockerfile_parse.py",
    ],
)  # fmt: skip
def test_no_dockerfile_by_its_name(name: str):
    assert not is_dockerfile(name)


def tree(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("FROM a\n")


def names(root: Path, *paths: str) -> list[str]:
    found = discover(paths or (str(root),))
    return [os.path.relpath(each.path, root).replace(os.sep, "/") for each in found]


def test_folders_are_searched_in_order(tmp_path: Path):
    tree(tmp_path, "b/Dockerfile", "a/web.dockerfile", "Dockerfile", "a/x.txt")
    tree(tmp_path, "node_modules/x/Dockerfile", ".venv/Dockerfile", ".git/Dockerfile")
    (tmp_path / ".git" / "Dockerfile").unlink()
    assert names(tmp_path) == ["Dockerfile", "a/web.dockerfile", "b/Dockerfile"]


def test_what_git_ignores_is_skipped(tmp_path: Path):
    tree(tmp_path, "Dockerfile", "out/Dockerfile", "new/Containerfile", "sub/DOCKERFILE.Dev")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("out/\n")
    assert names(tmp_path) == ["Dockerfile", "new/Containerfile", "sub/DOCKERFILE.Dev"]
    assert names(tmp_path, str(tmp_path / "sub")) == ["sub/DOCKERFILE.Dev"]
    assert names(tmp_path, str(tmp_path / "out")) == ["out/Dockerfile"]


def test_a_folder_deep_below_one_that_git_does_not_know_yet(tmp_path: Path):
    tree(tmp_path, "a/b/Dockerfile")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    assert names(tmp_path, str(tmp_path / "a" / "b")) == ["a/b/Dockerfile"]


def test_a_file_that_git_knows_and_is_gone_is_no_file(tmp_path: Path):
    tree(tmp_path, "Dockerfile", "gone/Dockerfile")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "-C", str(tmp_path), "add", "."], check=True)
    (tmp_path / "gone" / "Dockerfile").unlink()
    assert names(tmp_path) == ["Dockerfile"]


def test_a_named_file_is_always_taken_and_once(tmp_path: Path):
    tree(tmp_path, "strange.txt", "Dockerfile")
    strange = str(tmp_path / "strange.txt")
    found = list(discover((strange, str(tmp_path), strange), lambda path: True))
    assert found == [Found(strange, named=True)]


def test_excluded_files_are_left_out(tmp_path: Path):
    tree(tmp_path, "Dockerfile", "vendor/Dockerfile")
    found = discover((str(tmp_path),), lambda path: "vendor" in path)
    assert [each.path for each in found] == [str(tmp_path / "Dockerfile")]


def test_a_path_that_is_not_there_is_told(tmp_path: Path):
    path = str(tmp_path / "nowhere")
    assert list(discover((path,))) == [Missing(path, "no such file or folder")]


def test_paths_found_in_this_folder_have_no_dot_in_front(tmp_path: Path, monkeypatch):
    tree(tmp_path, "a/Dockerfile")
    monkeypatch.chdir(tmp_path)
    assert [each.path for each in discover((".",))] == [os.path.join("a", "Dockerfile")]
