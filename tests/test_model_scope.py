"""Variables, working directory, shell and home, through instructions and stages."""

from __future__ import annotations

import pytest

from building import built, last_run
from dfcache.model.scope import Scope

IMAGE = "FROM python:3.12-slim\n"


def scope(source: str) -> Scope:
    return last_run(source + "RUN x\n").scope


VALUES = [
    # the file, and what A is in a RUN at its end: value, whether only the file decides it
    (f"ARG A=1\n{IMAGE}", None),
    (f"ARG A=1\n{IMAGE}ARG A\n", ("1", False)),
    (f"ARG A=1\n{IMAGE}ARG A=2\n", ("2", False)),
    (f"ARG A\n{IMAGE}ARG A\n", (None, False)),
    (f"ARG B=1\nARG A=x$B\n{IMAGE}ARG A\n", ("x1", False)),
    (f"{IMAGE}ARG A\n", (None, False)),
    (f"{IMAGE}ARG A=\n", ("", False)),
    (f"{IMAGE}ARG A=1 B=2\n", ("1", False)),
    (f"{IMAGE}ARG B=1 A=$B\n", ("1", False)),
    (f"{IMAGE}ENV A=1\n", ("1", True)),
    (f"{IMAGE}ENV A 1 2\n", ("1 2", True)),
    (f"{IMAGE}ENV A='1 2'\n", ("1 2", True)),
    (f"{IMAGE}ENV A=1\nENV A=${{A}}2\n", ("12", True)),
    (f"{IMAGE}ENV B=1 A=$B\n", ("", True)),
    (f"{IMAGE}ENV B=0\nENV B=1 A=$B\n", ("0", True)),
    (f"{IMAGE}ARG B=1\nENV A=$B\n", ("1", False)),
    (f"{IMAGE}ARG B\nENV A=$B\n", (None, False)),
    (f"{IMAGE}ARG B\nENV A=${{B:-3}}\n", (None, False)),
    (f"{IMAGE}ENV A=${{B:-3}}\n", ("3", True)),
    (f"{IMAGE}ENV A=1\nARG A=2\n", ("2", False)),
    (f"{IMAGE}ENV A=1\nARG A\n", ("1", True)),
    (f"{IMAGE}ARG A=1\nENV A=2\n", ("2", True)),
    (f"{IMAGE}ONBUILD ENV A=1\n", None),
    (f"{IMAGE}LABEL A=1\n", None),
    (f"{IMAGE}RUN A=1\n", None),
    (f"{IMAGE}RUN export A=1\n", None),
    (f"FROM python AS x\nENV A=1\n{IMAGE}", None),
    ("FROM python AS x\nENV A=1\nFROM x\n", ("1", True)),
    ("FROM python AS x\nARG A=1\nFROM x\n", ("1", False)),
    ("FROM python AS x\nENV A=1\nFROM x AS y\nFROM y\nENV A=2\n", ("2", True)),
    ("FROM python AS x\nENV A=1\nFROM python AS x\nENV A=2\nFROM x\n", ("2", True)),
]


@pytest.mark.parametrize(("source", "expected"), VALUES)
def test_variables(source: str, expected: tuple[str | None, bool] | None):
    variable = scope(source).variables.get("A")
    assert (None if variable is None else (variable.value, variable.fixed)) == expected


def test_a_platform_argument_is_declared_but_not_known():
    assert "TARGETARCH" not in scope(IMAGE).variables
    assert scope(IMAGE + "ARG TARGETARCH\n").variables["TARGETARCH"].value is None


def test_a_variable_knows_the_pair_that_set_it():
    source = f"{IMAGE}ENV A=1 B=2\nRUN x\n"
    span = last_run(source).scope.variables["B"].span
    assert span is not None
    assert source[span.start : span.end] == "B=2"


def test_the_image_sets_variables_too():
    variable = scope("FROM registry.access.redhat.com/ubi9/python-312\n").variables["HOME"]
    assert (variable.value, variable.span) == ("/opt/app-root/src", None)


PARENTS = [
    ("FROM a AS x\nFROM x\n", 0),
    ("FROM a AS Foo\nFROM foo\n", 0),
    ("FROM a AS foo\nFROM Foo\n", None),
    ("FROM a AS x\nFROM b AS x\nFROM x\n", 1),
    ("FROM a\nFROM 0\n", None),
    ("ARG WHICH=x\nFROM a AS x\nFROM $WHICH\n", 0),
    ("ARG WHICH\nFROM a AS x\nFROM $WHICH\n", None),
    ("FROM x\nFROM a AS x\n", None),
]


@pytest.mark.parametrize(("source", "parent"), PARENTS)
def test_which_stage_another_is_built_from(source: str, parent: int | None):
    assert built(source).stages[-1].parent == parent


def test_lines_of_stages():
    made = built("FROM a AS x\nFROM x AS y\nFROM b AS z\nFROM y\n")
    assert made.lineage(3) == (0, 1, 3)
    assert made.heirs(0) == (0, 1, 3)
    assert made.heirs(2) == (2,)


def test_the_base_comes_from_global_arguments():
    made = built("ARG V=3.12\nFROM python:${V}-alpine\n")
    assert made.stages[0].base == "python:3.12-alpine"
    assert made.stages[0].end.libc == "musl"
    assert built("ARG V\nFROM python:$V\n").stages[0].base in (None, "python:")


WORKDIRS = [
    ("", "/"),
    ("WORKDIR /app\n", "/app"),
    ("WORKDIR app\n", "/app"),
    ("WORKDIR /a\nWORKDIR b\nWORKDIR ../c/\n", "/a/c"),
    ("ENV D=/srv\nWORKDIR $D/x\n", "/srv/x"),
    ("ARG D\nWORKDIR $D\n", None),
    ("ARG D\nWORKDIR $D\nWORKDIR x\n", None),
    ("ARG D\nWORKDIR $D\nWORKDIR /x\n", "/x"),
    ("RUN cd /app\n", "/"),
]


@pytest.mark.parametrize(("before", "expected"), WORKDIRS)
def test_the_working_directory(before: str, expected: str | None):
    assert scope(IMAGE + before).workdir == expected


def test_a_stage_takes_over_the_scope_of_its_parent():
    got = scope(
        'FROM python:3.12-alpine AS x\nWORKDIR /w\nUSER nobody\nSHELL ["/bin/bash", "-c"]\nFROM x\n'
    )
    assert (got.workdir, got.user.name, got.shell) == ("/w", "nobody", ("/bin/bash", "-c"))
    assert got.libc == "musl"


HOMES = [
    ("", "/root"),
    ("ENV HOME=/srv\n", "/srv"),
    ("ENV HOME=/srv\nUSER nobody\n", "/srv"),
    ("USER nobody\n", "/nonexistent"),
    ("USER 12345\n", "/"),
    ("USER unknown\n", None),
    ("ENV HOME=\n", "/root"),
    ("ARG H\nENV HOME=$H\n", None),
]


@pytest.mark.parametrize(("before", "expected"), HOMES)
def test_home(before: str, expected: str | None):
    assert scope(IMAGE + before).home == expected


def test_paths_are_made_absolute():
    inside = scope(IMAGE + "WORKDIR /app\n")
    assert inside.path("x/../y") == "/app/y"
    assert inside.path("/x//y/") == "/x/y"
    unknown = scope(IMAGE + "ARG D\nWORKDIR $D\n")
    assert unknown.path("x") is None
    assert unknown.path("/x") == "/x"


def test_triggers_run_with_what_the_stage_ends_with():
    made = built(f"{IMAGE}ONBUILD RUN pip install x\nENV PIP_CACHE_DIR=/c\nUSER nobody\n")
    step = next(iter(made.runs()))
    assert step.triggered
    assert step.scope.user.name == "nobody"
    assert step.uses[0].caches[0].path == "/c"


def test_the_default_shell_follows_the_image():
    assert scope(IMAGE).shell == ("/bin/sh", "-c")
    assert scope("FROM mcr.microsoft.com/windows/servercore:ltsc2022\n").shell[0] == "cmd"
