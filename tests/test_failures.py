"""What is said to hide a failed install, held against a real shell."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from dfcache.knowledge import load
from dfcache.model.assemble import build
from dfcache.model.context import NoContext
from dfcache.model.failures import hidden
from dfcache.parser import parse

_COMMANDS = (
    *("pip install a",) * 4,
    *("true", "echo x", "false", "exit 1", "exit 0", "test -d /", "ls /", "test -d /no"),
)
_OPERATORS = ("&&", "&&", "||", "||", ";", ";", "|")
_OPTIONS = ("", "set -e; ", "set -e; ", "set +e; ")


def how(script: str) -> list[str]:
    """How the installs of a script are said to be hidden."""
    made = build(parse(f"FROM python:3.12-slim\nRUN {script}\n"), NoContext(), load())
    return [each.how for each in hidden(made, next(made.runs()))]


@pytest.fixture(scope="module")
def status(tmp_path_factory: pytest.TempPathFactory):
    """The exit status of a script, with a pip that works (True) or fails."""
    folder = tmp_path_factory.mktemp("pips")
    for name, code in (("True", 0), ("False", 1)):
        program = folder / name / "pip"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\nexit {code}\n")
        program.chmod(0o755)

    def run(script: str, works: bool) -> int:
        path = f"{Path(folder, str(works))}:/usr/bin:/bin"
        done = subprocess.run(["sh", "-c", script], env={"PATH": path}, capture_output=True)
        return done.returncode

    return run


def listing(draw: random.Random, depth: int) -> str:
    made = [element(draw, depth)]
    for _ in range(draw.choice((0, 0, 1, 1, 2, 3))):
        made += (draw.choice(_OPERATORS), element(draw, depth))
    return " ".join(made)


def element(draw: random.Random, depth: int) -> str:
    kind = draw.random() if depth else 0.0
    if kind < 0.7:
        return ("! " if draw.random() < 0.05 else "") + draw.choice(_COMMANDS)
    inner = listing(draw, depth - 1)
    if kind < 0.78:
        return f"( {inner} )"
    if kind < 0.86:
        return f"{{ {inner}; }}"
    if kind < 0.92:
        other = draw.choice(("", f"; else {listing(draw, depth - 1)}"))
        return f"if {inner}; then {listing(draw, depth - 1)}{other}; fi"
    if kind < 0.96:
        return f"for i in 1; do {inner}; done"
    return f'sh -c "{listing(draw, 0)}"'


def test_what_is_told_is_hidden_from_the_shell_too(status):
    draw = random.Random(2)
    told = set()
    scripts = [draw.choice(_OPTIONS) + listing(draw, 2) for _ in range(1500)]
    for script in scripts:
        found = how(script) if script.count("pip install") == 1 else []
        if found and status(script, works=True) == 0:
            told |= set(found)
            # A condition hides the failure from itself; what comes behind it decides anew.
            assert status(script, works=False) == 0 or found == ["condition"], script
    assert {"or", "later", "exempt", "pipe", "exit"} <= told


@pytest.mark.parametrize(
    "script",
    [
        "pip install a",
        "pip install a && exit 0; exit 1",
        "pip install a || exit 1",
        "pip install a || { echo no; exit 1; }",
        "(pip install a || true) && (pip install a)",
        "set -e; pip install a; true",
        "set -e; (pip install a && true); true",
        "true; pip install a",
        "echo y | pip install a",
        "if ! pip install a; then echo no; exit 1; fi",
        "if pip install a; then true; else false; fi",
        'sh -ec "pip install a; true"',
        "{ true; pip install a; } && true",
    ],
)
def test_a_failure_that_counts(script: str, status):
    assert status(script, works=False) != 0
    assert len(how(script)) == script.count("|| true")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("pip install a || true", "or"),
        ("pip install a || { echo no; true; }", "or"),
        ("{ pip install a; } || :", "or"),
        ("(pip install a) || true", "or"),
        ("pip install a; exit 0", "exit"),
        ("pip install a; echo b", "later"),
        ("if true; then pip install a; fi; echo b", "later"),
        ("set -e; pip install a && true; echo b", "exempt"),
        ("pip install a | cat", "pipe"),
        ("(echo x; pip install a) | cat", "pipe"),
        ("! pip install a", "negated"),
        ("pip install a & true", "background"),
        ("if ! pip install a; then echo no; fi", "condition"),
        ('sh -c "pip install a || true"', "or"),
        ('sh -c "pip install a" || true', "or"),
    ],
)
def test_a_failure_that_does_not(script: str, said: str, status):
    assert status(script, works=False) == 0
    assert how(script) == [said]
