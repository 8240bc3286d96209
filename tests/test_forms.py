"""How installs get their packages."""

from __future__ import annotations

import pytest

from building import built
from dfcache.model.forms import forms

MOUNT = "--mount=type=bind,source=w,target=/w"


def kinds(script: str, before: str = "") -> list[str]:
    build = built(f"FROM python:3.12-slim\n{before}RUN {MOUNT} {script}\n", {"w/a": ""})
    return [form.kind for step in build.runs() for form in forms(build, step)]


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("pip install a", ["index"]),
        ("pip install -f /w a", ["index"]),
        ("pip install --no-index -f /w a", ["offline"]),
        ("uv pip install --offline -f /w a", ["offline"]),
        ("pip install --no-index -f /w a || pip install -f /w a", ["first", "second"]),
        ("x && { pip install --no-index -f /w a || pip install a; }", ["first", "second"]),
        ("pip install --no-index -f /w a && pip install a", ["offline", "index"]),
        ("pip install --no-index -f /w a || x || pip install a", ["offline", "index"]),
        ("pip install --no-index -f /w a || uv pip install a", ["offline", "index"]),
        ("pip install a || pip install --no-index -f /w a", ["index", "offline"]),
        ("pip wheel a; pip download b; pip list", ["index", "index"]),
    ],
)
def test_the_form_of_each_command(script: str, told: list[str]):
    assert kinds(script) == told


def test_a_variable_can_say_that_no_index_is_asked():
    assert kinds("pip install a", "ENV PIP_NO_INDEX=1\n") == ["offline"]
    assert kinds("pip install a", "ENV PIP_NO_INDEX=0\n") == ["index"]
    assert kinds("uv pip install a", "ENV UV_OFFLINE=true\n") == ["offline"]
    assert kinds("uv pip install a", "ENV UV_NO_INDEX=1\n") == ["index"]


def test_a_folder_of_the_context_goes_before_others():
    build = built(f"FROM a\nRUN {MOUNT} pip install -f https://x -f /made -f /w a\n", {"w/a": ""})
    (form,) = (form for step in build.runs() for form in forms(build, step))
    assert form.place is not None
    assert form.place.path == "/w"
