"""The pre-commit hooks: which files they take, and a real run of pre-commit."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from wheels import wheel

ROOT = Path(__file__).parents[1]
HOOKS: list[dict[str, Any]] = YAML(typ="safe").load(ROOT / ".pre-commit-hooks.yaml")
BY_DOCKERFILE = [hook for hook in HOOKS if hook.get("pass_filenames", True)]
VENDORED = next(hook for hook in HOOKS if hook["id"] == "dfcache-vendor-check")
BAD = "FROM python:3.12-slim\nRUN pip install --no-cache-dir requests==2.32.0\n"
CLEAN = "FROM scratch\n"


def takes(hook: dict[str, Any], path: str) -> bool:
    left_out = "exclude" in hook and re.search(hook["exclude"], path)
    return bool(re.search(hook["files"], path)) and not left_out


@pytest.mark.parametrize("hook", BY_DOCKERFILE, ids=lambda hook: hook["id"])
@pytest.mark.parametrize(
    "path",
    [
        "Dockerfile", "dockerfile", "a/b/Dockerfile", "web.dockerfile", "a/web.Dockerfile",
        "Dockerfile-prod", "Dockerfile.dev", "Containerfile", "containerfile", "x.Containerfile",
    ],
)  # fmt: skip
def test_a_hook_takes(hook: dict[str, Any], path: str):
    assert takes(hook, path)


@pytest.mark.parametrize("hook", BY_DOCKERFILE, ids=lambda hook: hook["id"])
@pytest.mark.parametrize(
    "path",
    [
        "README.md", "Dockerfile.md", "dockerfile.go", "Dockerfile.dockerignore", "Dockerfile~",
        "Dockerfile.bak", "Dockerfile/README", "mydockerfile", "dockerfiles/x", "compose.yaml",
    ],
)  # fmt: skip
def test_a_hook_leaves_alone(hook: dict[str, Any], path: str):
    assert not takes(hook, path)


def test_a_hook_takes_what_the_search_of_folders_takes():
    from dfcache.engine.discover import is_dockerfile

    stems = ("Dockerfile", "CONTAINERFILE", "x.dockerfile", "y.Containerfile", "Dockers", "x")
    ends = ("", ".dev", "-x", "_x", ".py", ".md", "~", ".bak", ".dockerignore", ".j2", ".json", "s")
    for name in (stem + end for stem in stems for end in ends):
        assert takes(HOOKS[0], f"a/{name}") is is_dockerfile(name), name


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Dockerfile", True),
        ("requirements/dev.txt", True),
        ("requirements.in", True),
        ("pyproject.toml", True),
        ("pip_packages/dfcache.json", True),
        ("pip_packages/flask-3.0.0-py3-none-any.whl", True),
        ("pip_packages/old-1.0.tar.gz", True),
        ("app/main.py", False),
        ("README.md", False),
        ("package.json", False),
    ],
)
def test_what_makes_the_folder_of_packages_be_checked(path: str, expected: bool):
    assert takes(VENDORED, path) is expected


@pytest.fixture(scope="module")
def hooks_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pre-commit clones: the sources as they are now, in a repository of their own."""
    if shutil.which("pre-commit") is None:
        pytest.skip("pre-commit is not installed")
    folder = tmp_path_factory.mktemp("dfcache")
    names = ("pyproject.toml", ".pre-commit-hooks.yaml", "LICENSE", "README.md", "hatch_build.py")
    for name in names:
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, folder)
    for name in ("src", "rules"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    git = ["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "x", "--no-verify"], check=True)


def test_pre_commit_fixes_on_the_first_run_and_passes_on_the_second(
    hooks_repository: Path, tmp_path: Path
):
    (tmp_path / "web.dockerfile").write_text(BAD)
    (tmp_path / "Dockerfile-prod").write_text(CLEAN)
    (tmp_path / "README.md").write_text("FROM the start\n")
    revision = head(hooks_repository)
    (tmp_path / ".pre-commit-config.yaml").write_text(
        f"repos:\n  - repo: {hooks_repository}\n    rev: {revision}\n"
        "    hooks:\n      - id: dfcache-fix\n      - id: dfcache-check\n"
    )
    commit(tmp_path)
    first = pre_commit(tmp_path)
    assert first.returncode == 1, first.stdout + first.stderr
    assert "files were modified by this hook" in first.stdout
    fixed = (tmp_path / "web.dockerfile").read_text()
    assert "--mount=type=cache,target=/root/.cache/pip" in fixed
    assert "--no-cache-dir" not in fixed
    second = pre_commit(tmp_path)
    assert second.returncode == 0, second.stdout + second.stderr
    assert second.stdout.count("Passed") == 2
    assert (tmp_path / "web.dockerfile").read_text() == fixed


def test_pre_commit_stops_a_commit_that_leaves_the_folder_of_packages_behind(
    hooks_repository: Path, tmp_path: Path
):
    wheel(tmp_path / "pip_packages", "flask", "3.0.0")
    (tmp_path / "requirements.txt").write_text("flask==3.0.0\n")
    (tmp_path / "Dockerfile").write_text(
        "FROM python:3.12-slim\nCOPY requirements.txt .\n"
        "RUN --mount=type=bind,source=pip_packages,target=/p \\\n"
        "    pip install --no-index --find-links=/p -r requirements.txt\n"
    )
    (tmp_path / ".pre-commit-config.yaml").write_text(
        f"repos:\n  - repo: {hooks_repository}\n    rev: {head(hooks_repository)}\n"
        "    hooks:\n      - id: dfcache-vendor-check\n"
    )
    commit(tmp_path)
    first = pre_commit(tmp_path)
    assert first.returncode == 0, first.stdout + first.stderr
    assert first.stdout.count("Passed") == 1
    (tmp_path / "requirements.txt").write_text("flask==3.0.1\n")
    second = pre_commit(tmp_path)
    assert second.returncode == 1
    assert (
        "pip_packages: flask 3.0.1 is there only as 3.0.0, asked for by requirements.txt:1; "
        "run dfcache vendor" in second.stdout
    )


def head(folder: Path) -> str:
    command = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def pre_commit(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        ["pre-commit", "run", "--all-files", "--color=never"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**environment, "PRE_COMMIT_HOME": str(folder.parent / "pre-commit-home")},
        check=False,
    )
