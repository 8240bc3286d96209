"""Every module imports only from lower floors of the building, and checks import no check."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "dfcache"
FLOORS = {
    "record": 0,
    "text": 0,
    "diagnostics": 0,
    "parser": 1,
    "knowledge": 1,
    "model": 2,
    "fixes": 3,
    "checks": 4,
    "engine": 5,
    "builders": 5,
    "mirror": 5,
    "vendor": 5,
    "reporters": 6,
    "cli": 7,
    "__main__": 8,
}
# What may be imported on the same floor besides the own package.
SAME_FLOOR = {
    ("diagnostics", "text"),
    ("diagnostics", "record"),
    ("text", "record"),
    ("knowledge", "parser"),
}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def part(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """The dotted names of dfcache that a module imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name.startswith("dfcache."))
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            name = node.module or ""
            if name == "dfcache":
                yield from (f"dfcache.{each.name}" for each in node.names)
            elif name.startswith("dfcache."):
                yield name


def allowed(mine: str, other: str) -> bool:
    return other == mine or (mine, other) in SAME_FLOOR or FLOORS[other] < FLOORS[mine]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_lower_floors(path: Path):
    mine = part(path)
    assert mine in FLOORS, f"{mine} has no floor"
    others = [name.split(".")[1] for name in imported(path)]
    wrong = [other for other in others if other in FLOORS and not allowed(mine, other)]
    assert wrong == []


def test_checks_import_no_check():
    for path in (PACKAGE / "checks").glob("*.py"):
        siblings = [name for name in imported(path) if name.startswith("dfcache.checks.")]
        assert set(siblings) <= {"dfcache.checks.registry"}, path.name


@pytest.mark.parametrize("folder", ["parser", "checks", "fixes"])
def test_parser_checks_and_fixes_read_no_file(folder: str):
    for path in (PACKAGE / folder).rglob("*.py"):
        if path.name == "registry.py" or path.name == "__main__.py":
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        modules = {
            alias.name.split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        assert "open" not in names, path
        assert not modules & {"os", "pathlib", "io", "subprocess"}, path


def test_the_floors_are_seen():
    engine = {name for path in (PACKAGE / "engine").glob("*.py") for name in imported(path)}
    assert "dfcache.checks.registry" in engine
    assert not allowed("parser", "model")
    assert not allowed("engine", "builders")
