"""A project that changes its mind: from each pattern to each other, and back."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from dfcache.diagnostics import Safety
from dfcache.engine.fix import fix
from dfcache.engine.lint import examine
from dfcache.engine.settings import Settings
from dfcache.engine.verify import verify
from dfcache.model.context import MemoryContext
from dfcache.parser import parse
from dfcache.parser.tree import Instruction

FILES = {"requirements.txt": "six==1.17.0\n", "pip_packages/.gitkeep": ""}
SELECT = ("DFC101", "DFC102", "DFC106", "DFC301", "DFC304")
STEPS = [
    "RUN pip install -r requirements.txt",
    "RUN x && pip install six==1.17.0",
    "RUN pip install six==1.17.0 && y",
    "RUN x && \\\n    pip install six==1.17.0 && \\\n    y",
    "RUN x; pip install six==1.17.0; y",
    "RUN x || pip install six==1.17.0 || y",
    "RUN set -e; if x; then pip install six==1.17.0; else pip3 install six==1.17.0; fi",
    "RUN for a in b c; do pip install six==1.17.0; done",
    "RUN (cd /tmp && pip install six==1.17.0)",
    "RUN { x; pip install six==1.17.0; }",
    "RUN pip install \\\n      # first\n      six==1.17.0 \\\n      # then\n      a==1",
    "RUN pip install six==1.17.0 && pip install six==1.17.0 && pip install six==1.17.0",
    "RUN A=b sudo -H pip install -q six==1.17.0 > /log 2>&1 && y",
    "RUN python -m pip install --upgrade --no-cache-dir six==1.17.0",
    "RUN uv pip install --system six==1.17.0 && uv pip sync --system requirements.txt",
    "RUN --network=none pip install six==1.17.0",
    "RUN <<EOF\npip install six==1.17.0 # one\nx && pip install six==1.17.0\nEOF",
    "ONBUILD RUN pip install six==1.17.0",
    "run pip install 'six[a]==1.17.0' \"b==1\"",
]
PATHS = [
    ("offline", "cache-mount"),
    ("hybrid", "cache-mount"),
    ("hybrid", "offline", "cache-mount"),
    ("offline", "hybrid", "cache-mount"),
]


def follow(source: str, pattern: str) -> str:
    settings = Settings(pattern=pattern, select=SELECT)
    fixed = fix(source, lambda text: examine(text, MemoryContext(FILES), settings), Safety.UNSAFE)
    verify(fixed.passes)
    assert [each.code for each in fixed.remaining] == []
    return fixed.source


def scripts(source: str) -> list[str]:
    found = []
    for each in parse(source).instructions:
        run: Instruction = each.child or each
        if run.name == "RUN":
            found.append(run.heredocs[0].body if run.heredocs else run.rest.value)
    return found


def whole(step: str) -> str:
    return f"FROM python:3.12-slim\nCOPY requirements.txt .\n{step}\nCMD x\n"


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
@pytest.mark.parametrize("step", STEPS)
def test_the_way_back_leads_to_the_same_file(step: str, path: tuple[str, ...]):
    wanted = follow(whole(step), "cache-mount")
    source = whole(step)
    for pattern in path:
        source = follow(source, pattern)
    assert source == wanted


@pytest.mark.parametrize("pattern", ["offline", "hybrid"])
@pytest.mark.parametrize("step", STEPS)
def test_a_converted_file_stays_as_it_is(step: str, pattern: str):
    source = follow(whole(step), pattern)
    assert "--no-index" in source
    assert "source=pip_packages,target=/pip_packages" in source
    assert follow(source, pattern) == source
    assert not parse(source).problems


with_shell = pytest.mark.skipif(shutil.which("sh") is None, reason="there is no shell")


@with_shell
@pytest.mark.parametrize("pattern", ["offline", "hybrid"])
@pytest.mark.parametrize("step", STEPS)
def test_a_shell_reads_what_comes_out(step: str, pattern: str):
    for script in scripts(follow(whole(step), pattern)):
        checked = subprocess.run(["sh", "-n"], input=script.encode(), capture_output=True)
        assert checked.returncode == 0, checked.stderr.decode()


@with_shell
@pytest.mark.parametrize(
    ("step", "runs", "local"),
    [
        ("RUN x && pip install a==1 && y", "x, pip, pip, y", False),
        ("RUN x && pip install a==1 && y", "x, pip, y", True),
        ("RUN false && pip install a==1; y", "false, y", False),
        ("RUN x || pip install a==1 && y", "x, y", False),
        ("RUN set -e; pip install a==1; y", "pip, pip, y", False),
        ("RUN if pip install a==1; then y; fi", "pip, pip, y", False),
    ],
)
def test_the_second_try_is_made_where_the_first_fails_and_nowhere_else(
    step: str, runs: str, local: bool
):
    """``pip`` fails without the index unless the packages are local."""
    (script,) = scripts(follow(whole(step), "hybrid"))
    fails = "" if local else 'case "$*" in *--no-index*) return 1;; esac; '
    stubs = f"pip() {{ echo pip; {fails}return 0; }}; x() {{ echo x; }}; y() {{ echo y; }}; "
    stubs += "false() { echo false; return 1; }; "
    made = subprocess.run(["sh", "-c", stubs + script], capture_output=True, text=True)
    assert ", ".join(made.stdout.split()) == runs
    assert made.returncode == 0
