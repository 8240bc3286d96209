"""What the documents and the examples show is what dfcache does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dfcache.checks.registry import all_checks
from dfcache.engine.settings import BUILDERS, FAIL_LEVELS
from dfcache.knowledge import load
from documents import ROOT, made, printed

DOCUMENTS = ("README.md", "examples/README.md")
PROJECTS = ("flask-app", "worker")
LINKED = (*DOCUMENTS, "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "rules/README.md")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_shows_what_dfcache_does(name: str, tmp_path: Path, pytestconfig: pytest.Config):
    text = (ROOT / name).read_text(encoding="utf-8")
    expected = made(text, tmp_path)
    assert "```console" in text
    if pytestconfig.getoption("--accept"):
        (ROOT / name).write_text(expected, encoding="utf-8")
        return
    assert text == expected, "run pytest with --accept, and read the difference"


def test_readme_begins_with_a_file_and_what_becomes_of_it(tmp_path: Path):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    before, after = re.findall(r"^```dockerfile\n(.*?)^```$", readme, re.M | re.S)[:2]
    (tmp_path / "Dockerfile").write_text(before)
    (tmp_path / "requirements.txt").write_text("flask\n")
    (tmp_path / "shop.py").write_text("")
    printed("fix --write Dockerfile", tmp_path)
    assert (tmp_path / "Dockerfile").read_text() == after


@pytest.mark.parametrize("project", PROJECTS)
def test_an_example_is_mended_in_one_go(project: str, tmp_path: Path):
    made("", tmp_path)
    folder = f"examples/{project}"
    assert "finding" in printed(f"check {folder}", tmp_path)
    printed(f"fix --write {folder}", tmp_path)
    assert printed(f"check {folder}", tmp_path) == "1 file, no findings\n"
    assert printed(f"fix {folder}", tmp_path) == "1 file, nothing to fix\n"


def test_the_worker_needs_every_family_that_has_a_fix(tmp_path: Path):
    made("", tmp_path)
    told = printed("check --format concise examples/worker", tmp_path)
    assert {"DFC101", "DFC201", "DFC203"} <= set(re.findall(r"DFC\d+", told))


@pytest.mark.parametrize("name", LINKED)
def test_links_of_a_document_lead_somewhere(name: str):
    path = ROOT / name
    text = path.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https://)([^)#]+)\)", text)
    assert [each for each in targets if not (path.parent / each).exists()] == []


def test_architecture_names_tests_and_modules_that_exist():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for file, test in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text):
        path = ROOT / file
        assert path.is_file(), file
        assert not test or f"def {test}(" in path.read_text(encoding="utf-8"), test
    modules = re.findall(r"`((?:model|engine|fixes|checks|parser|cli|reporters)/\w+\.py)`", text)
    assert modules
    assert [each for each in modules if not (ROOT / "src/dfcache" / each).is_file()] == []


def test_configuration_of_the_readme_is_accepted(tmp_path: Path):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"^```toml\n(.*?)^```$", readme, re.M | re.S)
    assert found
    (tmp_path / "pyproject.toml").write_text(found[1])
    (tmp_path / "Dockerfile").write_text("FROM python:3.12\n")
    assert printed("check Dockerfile", tmp_path) == "1 file, no findings\n"
    for choice in (*BUILDERS, *FAIL_LEVELS):
        assert f"`{choice}`" in readme


def test_every_rule_with_a_page_is_found_by_someone():
    own = {"DFC901", "DFC902", "DFC903"}
    assert {page.code for page in load().pages} == {each.code for each in all_checks()} | own
