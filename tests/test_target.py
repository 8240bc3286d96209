"""What packages have to fit: told by base images and steps, and left open where they don't tell."""

from __future__ import annotations

import re

import pytest

from building import built
from dfcache.knowledge import KnowledgeError, find_python, find_system, load
from dfcache.knowledge.compiling import compile_folder
from dfcache.model.target import Target, target_of, with_answers


def target(base: str, *steps: str) -> Target:
    return target_of(built("\n".join((f"FROM {base}", *steps, "RUN pip install x", ""))), 0)


@pytest.mark.parametrize(
    ("base", "python", "libc", "version"),
    [
        ("python:3.11-slim", "3.11", "glibc", (2, 36)),
        ("python:3.11", "3.11", "glibc", (2, 36)),
        ("python:3.11-slim-bullseye", "3.11", "glibc", (2, 31)),
        ("python:3.9-buster", "3.9", "glibc", (2, 28)),
        ("python:3.13-slim-trixie", "3.13", "glibc", (2, 41)),
        ("python:3.11.4-alpine3.18", "3.11", "musl", (1, 2)),
        ("python:3.8-alpine3.12", "3.8", "musl", (1, 1)),
        ("python:3.12-alpine", "3.12", "musl", (1, 2)),
        ("python:3.14-rc-slim", "3.14", "glibc", (2, 36)),
        ("python:3.14.0b1", "3.14", "glibc", (2, 36)),
        # Debian 11 or 12, by when it was built.
        ("python:3.10.2-slim", "3.10", "glibc", (2, 31)),
        ("python:3.9.1-slim", "3.9", "glibc", (2, 28)),
        ("python:3.7.3", "3.7", "glibc", (2, 24)),
        ("python:3.7.3-alpine", "3.7", "musl", (1, 1)),
        ("python:3.7.3-alpine3.8", "3.7", "musl", (1, 1)),
        ("python:3.9.1-alpine", "3.9", "musl", (1, 2)),
        ("demisto/python3-deb:3.12.13.11694875", "3.12", "glibc", (2, 28)),
        ("docker.io/library/python:3.12", "3.12", "glibc", (2, 36)),
        ("python:3.12@sha256:0123", "3.12", "glibc", (2, 36)),
        ("ghcr.io/astral-sh/uv:python3.12-bookworm", "3.12", "glibc", (2, 36)),
        ("ghcr.io/astral-sh/uv:python3.13-trixie-slim", "3.13", "glibc", (2, 41)),
        ("ghcr.io/astral-sh/uv:0.8.3-python3.12-alpine3.21", "3.12", "musl", (1, 2)),
        ("public.ecr.aws/lambda/python:3.9", "3.9", "glibc", (2, 26)),
        ("public.ecr.aws/lambda/python:3.9-arm64", "3.9", "glibc", (2, 26)),
        ("amazon/aws-lambda-python:3.12", "3.12", "glibc", (2, 34)),
        ("mcr.microsoft.com/devcontainers/python:3.10", "3.10", "glibc", (2, 28)),
        ("mcr.microsoft.com/devcontainers/python:1-3.12-bookworm", "3.12", "glibc", (2, 36)),
        ("tiangolo/uvicorn-gunicorn-fastapi:python3.8", "3.8", "glibc", (2, 28)),
        ("registry.access.redhat.com/ubi9/python-311:1-66", "3.11", "glibc", (2, 34)),
        ("registry.access.redhat.com/ubi8/python-39", "3.9", "glibc", (2, 28)),
        ("gcr.io/distroless/python3-debian12", "3.11", "glibc", (2, 36)),
        ("mcr.microsoft.com/playwright/python:v1.40.0-jammy", "3.10", "glibc", (2, 35)),
    ],
)
def test_an_image_with_its_own_python(
    base: str, python: str, libc: str, version: tuple[int, int]
) -> None:
    assert target(base) == Target(python, "", libc, version)


@pytest.mark.parametrize(
    "base",
    ["python", "python:latest", "python:3", "python:slim", "python:3-alpine", "pypy:3.10",
     "debian:12", "python@sha256:0123", "ubuntu:22.04", "ghcr.io/astral-sh/uv:0.8",
     "example.org/python:3.11", "scratch"],
)  # fmt: skip
def test_a_python_that_is_not_told_is_left_open(base: str) -> None:
    found = target(base)
    assert found.python == ""
    assert "python" in found.unknown


@pytest.mark.parametrize(
    ("base", "packages", "python"),
    [
        ("debian:trixie-slim", "apt-get install -y python3 python3-pip", "3.13"),
        ("debian:bookworm", "apt install -y python3-pip", "3.11"),
        ("debian:12.5-slim", "apt-get install -y python3-venv", "3.11"),
        ("debian:bullseye-20240101-slim", "apt-get install -y python3-pip", "3.9"),
        ("ubuntu:20.04", "apt-get install -y python3-pip", "3.8"),
        ("ubuntu:jammy", "apt-get install -y python3-pip", "3.10"),
        ("ubuntu:24.04", "apt-get install -y python3-pip", "3.12"),
        ("nvidia/cuda:12.1.0-runtime-ubuntu22.04", "apt-get install -y python3-pip", "3.10"),
        ("node:20-bookworm", "apt-get install -y python3-pip", "3.11"),
        ("alpine:3.19", "apk add --no-cache python3 py3-pip", "3.11"),
        ("node:20-alpine3.20", "apk add --no-cache py3-pip", "3.12"),
        # Not told: the release, which of two, what else.
        ("debian:stable", "apt-get install -y python3-pip", ""),
        ("alpine", "apk add --no-cache py3-pip", ""),
        ("ubuntu:20.04", "apt-get install -y python3.9 python3-pip", ""),
        ("ubuntu:22.04", "apt-get install -y curl", ""),
        ("ubuntu:22.04", "apt-get install -y python3.9 python3.9-venv", "3.9"),
    ],
)
def test_a_python_of_the_package_manager(base: str, packages: str, python: str) -> None:
    assert target(base, f"RUN {packages}").python == python


@pytest.mark.parametrize(
    ("base", "steps", "python"),
    [
        ("ghcr.io/astral-sh/uv:debian-slim", ["RUN uv python install 3.12"], "3.12"),
        ("ubuntu:22.04", ["RUN uv venv --python=3.12.1 /venv"], "3.12"),
        ("ubuntu:22.04", ["ENV UV_PYTHON=3.13", "RUN uv sync"], "3.13"),
        ("ubuntu:22.04", ["ENV UV_PYTHON=/usr/bin/python3"], ""),
        ("continuumio/miniconda3", ["RUN conda install -y python=3.10"], "3.10"),
        ("foo/bar", ["RUN python3.9 -m pip install -U pip"], "3.9"),
        ("python:3.11", ["RUN uv venv --python 3.12"], ""),
        ("python:3.11", ["RUN uv venv --python 3.11"], "3.11"),
        ("python:3.11", ["RUN uv venv --python $V"], ""),
        ("python:3.11", ["RUN apt-get install -y python3-dev python3.9"], "3.11"),
        ("ubuntu:22.04", ["RUN uv python install 3.11 3.12"], ""),
        ("ubuntu:22.04", ["RUN uv venv --python pypy3.10"], ""),
    ],
)
def test_what_steps_say_of_python_counts(base: str, steps: list[str], python: str) -> None:
    assert target(base, *steps).python == python


@pytest.mark.parametrize(
    ("source", "platform"),
    [
        ("FROM --platform=linux/arm64 python:3.11", "linux/arm64"),
        ("FROM --platform=linux/arm64/v8 python:3.11", "linux/arm64"),
        ("FROM --platform=linux/arm/v7 python:3.11", "linux/arm/v7"),
        ("FROM --platform=linux/x86_64 python:3.11", "linux/amd64"),
        ("FROM --platform=amd64 python:3.11", "linux/amd64"),
        ("FROM --platform=$TARGETPLATFORM python:3.11", ""),
        ("FROM --platform=${BUILDPLATFORM} python:3.11", ""),
        ("FROM --platform=linux/$TARGETARCH python:3.11", ""),
        ("ARG P=linux/arm64\nFROM --platform=$P python:3.11", "linux/arm64"),
        ("ARG A\nFROM --platform=linux/${A} python:3.11", ""),
        ("ARG A\nFROM --platform=linux/${A:-amd64} python:3.11", ""),
        ("FROM arm64v8/python:3.11", "linux/arm64"),
        ("FROM docker.io/arm32v7/python:3.11", "linux/arm/v7"),
        ("FROM --platform=linux/amd64 python:3.11 AS a\nFROM a", "linux/amd64"),
        ("FROM python:3.11 AS a\nFROM --platform=linux/amd64 alpine AS b\nFROM a", ""),
        ("FROM python:3.11", ""),
        ("FROM python:3.12-windowsservercore-ltsc2022", "windows/amd64"),
    ],
)
def test_the_platform(source: str, platform: str) -> None:
    made = built(f"{source}\nRUN pip install x\n")
    found = target_of(made, len(made.stages) - 1)
    assert found.platform == platform
    assert found.linux is (not platform.startswith("windows"))


def test_the_default_of_a_build_argument_tells_the_version() -> None:
    assert target_of(built("ARG V=3.10\nFROM python:${V}-slim\nRUN pip install x\n"), 0) == Target(
        "3.10", "", "glibc", (2, 36)
    )


def test_a_stage_is_of_what_it_is_built_from() -> None:
    made = built("FROM ubuntu:22.04 AS a\nRUN apt install python3-pip\nFROM a\nRUN pip list\n")
    assert target_of(made, 1) == Target("3.10", "", "glibc", (2, 35))


def test_answers_take_the_place_of_what_is_known() -> None:
    base = Target("3.11", "", "glibc", (2, 36))
    assert with_answers(base, platform="linux/arm64").platform == "linux/arm64"
    assert with_answers(base, python="3.12.4").python == "3.12"
    assert with_answers(base, libc="musl") == Target("3.11", "", "musl", (1, 2))
    assert with_answers(base, version="2.31").libc_version == (2, 31)


@pytest.mark.parametrize(
    "wrong",
    [{"python": "3"}, {"python": "2.7"}, {"platform": "linux"}, {"libc": "bion"}, {"version": "2"}],
)
def test_a_wrong_answer_is_told(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=re.escape(next(iter(wrong.values())))):
        with_answers(Target(), **wrong)


def test_no_release_has_two_c_libraries_and_no_pattern_is_dead() -> None:
    assert len({(s.image, s.tag) for s in load().systems}) == len(load().systems)
    assert len({(p.image, p.tag) for p in load().pythons}) == len(load().pythons)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "systems:\n  - tag: x\n    libc: glibc\n",
            "images.yaml:3: libc has to be like glibc",
        ),
        ("systems:\n  - tag: x\n", "images.yaml:2: libc is missing"),
        ('pythons:\n  - image: x\n    python: "311"\n', "images.yaml:3: python has to be like"),
        ("pythons:\n  - image: x\n", "images.yaml:2: x:* has to have one {python}"),
        ('pythons:\n  - image: "x{python}"\n    tag: "{python}"\n', "images.yaml:2: x{python}:{py"),
    ],
)
def test_mistakes_in_images_are_told(tmp_path, text: str, message: str) -> None:
    (tmp_path / "images.yaml").write_text(text)
    with pytest.raises(KnowledgeError, match="^" + re.escape(message)):
        compile_folder(tmp_path)


def test_a_folder_of_your_own_knows_images_of_your_own(tmp_path) -> None:
    (tmp_path / "images.yaml").write_text(
        "systems:\n  - image: example.org/py\n    libc: musl 1.1\n"
        'pythons:\n  - image: example.org/py\n    tag: "v{python}-*"\n'
    )
    known = load((tmp_path,))
    assert find_python("example.org/py", "v3.12.1-2", known) == "3.12"
    system = find_system("example.org/py", "v3.12.1-2", known)
    assert system is not None
    assert system.libc == "musl 1.1"
    assert find_python("python", "3.11-slim", known) == "3.11"
    assert find_python("example.org/py", "v3.12.1-2") == ""
