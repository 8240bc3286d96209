"""What a clean check loads: start-up time is held by the modules, not by a clock."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"
HEAVY = (
    "rich", "pydantic", "ruamel", "libcst", "dockerfile_parse", "concurrent.futures",
    "importlib.metadata", "tomllib", "asyncio", "multiprocessing", "unicodedata",
)  # fmt: skip


def loaded(program: str, cwd: Path) -> set[str]:
    """The modules that Python has loaded when ``program`` ends."""
    code = (
        "import sys\n"
        f"try:\n    {program}\nexcept SystemExit as leaving:\n    assert not leaving.code\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "check", "Dockerfile"],
        cwd=cwd,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE), "XDG_CACHE_HOME": str(cwd / "cache")},
        check=True,
    )
    return set(done.stderr.decode().split())


def test_a_clean_check_loads_nothing_heavy(tmp_path: Path):
    (tmp_path / "Dockerfile").write_text("FROM python:3.12\nCOPY a b\nRUN echo x\n")
    program = "from dfcache.cli import main; main()"
    loaded(program, tmp_path)  # what is known is read from YAML once, in a checkout
    modules = loaded(program, tmp_path)
    assert "dfcache.engine.lint" in modules
    heavy = {each for each in modules if each.startswith(tuple(f"{name}." for name in HEAVY))}
    assert heavy | (modules & set(HEAVY)) == set()


def test_typer_is_all_that_loads_difflib(tmp_path: Path):
    (tmp_path / "Dockerfile").write_text("FROM python:3.12\nRUN echo x\n")
    program = "import typer"
    assert "difflib" in loaded(program, tmp_path), "then forbid it in the test above"


def test_the_fixers_are_not_loaded_by_a_check(tmp_path: Path):
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY a /\n")
    modules = loaded("from dfcache.cli import main; main()", tmp_path)
    late = {f"dfcache.engine.{name}" for name in ("fix", "verify", "witness", "write", "essence")}
    assert modules & late <= {"dfcache.engine.write"}
