"""What the rules take for granted about apt, pip and cache mounts, in real builds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lab.builds import Builder
from lab.filesystem import differences, entries
from lab.index import Index

pytestmark = pytest.mark.builds

APT = (
    "RUN --mount=type=cache,target=/var/cache/apt,sharing=locked"
    " --mount=type=cache,target=/var/lib/apt/lists,sharing=locked"
    " {program} update && {program} {options} install -y lab-tool lab-heavy"
)
ARCHIVES = "-o Dir::Cache::archives=/var/cache/apt/dfcache"
KEEP = "-o APT::Keep-Downloaded-Packages=true"
BINARY_KEEP = "-o Binary::apt::APT::Keep-Downloaded-Packages=true"
PIP = "pip install lab-beta==1.0"
AS_APP = "RUN useradd --create-home app\nUSER app\n"
OF_APP = "target=/home/app/.cache/pip"
AS_NOBODY_KNOWN = "RUN python -m venv /venv && chown -R 1000 /venv\nUSER 1000\n"


def downloads_again(
    building: Builder, index: Index, project: Path, base: str, before: str, run: str
) -> int:
    """How many files a RUN downloads when it must run a second time."""
    first = building.build(project, f"FROM {base}\n{before}{run}\n")
    assert first.ok, first.log
    assert index.fetched()
    index.forget()
    second = building.build(project, f"FROM {base}\n{before}{run} && : again\n")
    assert second.ok, second.log
    assert second.ran(": again")
    return len(index.fetched())


@pytest.mark.parametrize(
    ("program", "options", "again"),
    [
        # docker-clean deletes /var/cache/apt/archives/*.deb, and knows of no other folder.
        ("apt-get", "", 3),
        ("apt-get", ARCHIVES, 0),
        # apt deletes by itself what it installed. Binary::apt is for configuration files.
        ("apt", ARCHIVES, 3),
        ("apt", KEEP, 3),
        ("apt", f"{ARCHIVES} {BINARY_KEEP}", 3),
        ("apt", f"{ARCHIVES} {KEEP}", 0),
    ],
)
def test_apt_keeps_packages(
    builder: Callable[[], Builder],
    index: Index,
    project: Path,
    program: str,
    options: str,
    again: int,
) -> None:
    run = APT.format(program=program, options=options)
    assert downloads_again(builder(), index, project, "debian:bookworm", "", run) == again


@pytest.mark.parametrize(
    ("before", "mount", "again"),
    [
        ("", "target=/root/.cache/pip", 0),
        ("", "target=/root/.cache", 0),
        ("", "target=/root/.cache/pip,uid=1000", 1),
        ("ENV HOME=/x\n", "target=/root/.cache/pip", 1),
        ("ENV HOME=/x\n", "target=/x/.cache/pip", 0),
        (AS_APP, f"{OF_APP},uid=1000,gid=1000", 0),
        (AS_APP, f"{OF_APP},uid=1000", 0),
        (AS_APP, f"{OF_APP},gid=1000", 1),
        (AS_APP, OF_APP, 1),
    ],
)
def test_pip_uses_a_mount_it_may_write_to(
    builder: Callable[[], Builder],
    index: Index,
    project: Path,
    before: str,
    mount: str,
    again: int,
) -> None:
    run = f"RUN --mount=type=cache,{mount} {PIP}"
    assert downloads_again(builder(), index, project, "python:3.11-slim", before, run) == again


@pytest.mark.parametrize(
    ("before", "inline", "again"),
    [
        ("", "PIP_NO_CACHE_DIR= ", 0),
        ("", "PIP_NO_CACHE_DIR=0 ", 1),
        ("", "PIP_NO_CACHE_DIR=off ", 1),
        ("ENV PIP_NO_CACHE_DIR=1\n", "", 1),
        ("ENV PIP_NO_CACHE_DIR=false\n", "", 1),
        ("ENV PIP_NO_CACHE_DIR=1\n", "PIP_NO_CACHE_DIR= ", 0),
        ("ENV PIP_NO_CACHE_DIR=1\nENV PIP_NO_CACHE_DIR=\n", "", 0),
        ("ARG PIP_NO_CACHE_DIR=1\n", "", 1),
    ],
)
def test_pip_no_cache_dir_is_off_only_when_empty(
    builder: Callable[[], Builder],
    index: Index,
    project: Path,
    before: str,
    inline: str,
    again: int,
) -> None:
    run = f"RUN --mount=type=cache,target=/root/.cache/pip {inline}{PIP}"
    assert downloads_again(builder(), index, project, "python:3.11-slim", before, run) == again


@pytest.mark.parametrize(
    ("before", "mount", "pip"),
    [
        (AS_APP, f"{OF_APP},uid=1000,gid=1000", PIP),
        (AS_APP, "target=/home/app/.cache,uid=1000,gid=1000", PIP),
        (AS_NOBODY_KNOWN, "target=/.cache/pip,uid=1000", f"/venv/bin/{PIP}"),
    ],
)
def test_a_mount_leaves_nothing_in_the_image(
    builder: Callable[[], Builder],
    index: Index,
    project: Path,
    tmp_path: Path,
    before: str,
    mount: str,
    pip: str,
) -> None:
    """Folders that BuildKit makes for a mount to sit on are gone when the step is done."""
    bare, mounted = tmp_path / "bare.tar", tmp_path / "mounted.tar"
    start = f"FROM python:3.11-slim\n{before}"
    one = builder().build(project, f"{start}RUN {pip} --no-cache-dir\n", tar=bare)
    two = builder().build(project, f"{start}RUN --mount=type=cache,{mount} {pip}\n", tar=mounted)
    assert one.ok, one.log
    assert two.ok, two.log
    assert differences(entries(bare), entries(mounted)) == []


@pytest.mark.parametrize(
    ("remove", "works"),
    [
        ("rm -rf ~/.cache", False),
        ("rm -rf /root/.cache/*", False),
        ("rm -rf /root/.cache/pip", False),
        ("rm -rf /root/.cache/pip/*", True),
        ("rm -rf /root/.cache || true", True),
    ],
)
def test_removing_what_a_mount_sits_on_fails(
    builder: Callable[[], Builder], index: Index, project: Path, remove: str, works: bool
) -> None:
    run = f"RUN --mount=type=cache,target=/root/.cache/pip {PIP} && {remove}"
    built = builder().build(project, f"FROM python:3.11-slim\n{run}\n")
    assert built.ok is works, built.log
    assert works or "Device or resource busy" in built.log


@pytest.mark.parametrize(
    ("create", "user", "identity"),
    [
        ("useradd -m app", "app", "1000:1000 /home/app"),
        ("useradd -m one && useradd -m app", "app", "1001:1001 /home/app"),
        ("groupadd -g 2000 app && useradd -m -g app app", "app", "1000:2000 /home/app"),
        ("useradd -r app", "app", "999:999 /home/app"),
        ("adduser --disabled-password --gecos '' app", "app", "1000:1000 /home/app"),
        ("adduser --system --group app", "app", "100:101 /nonexistent"),
        ("true", "1000", "1000:0 /"),
        ("true", "1000:1000", "1000:1000 /"),
        ("useradd -m app", "1000", "1000:1000 /home/app"),
        ("true", "nobody", "65534:65534 /nonexistent"),
    ],
)
def test_who_a_step_runs_as(
    builder: Callable[[], Builder], project: Path, create: str, user: str, identity: str
) -> None:
    text = f"FROM debian:bookworm\nRUN {create}\nUSER {user}\nRUN echo $(id -u):$(id -g) $HOME\n"
    built = builder().build(project, text)
    assert built.ok, built.log
    assert built.output("RUN echo").strip() == identity
