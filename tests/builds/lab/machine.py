"""What this machine has: the laboratory's folder, the package mirror it uses, its tools."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


class NoLab(Exception):
    """This machine cannot run the laboratory; the message says why, in one line."""


def lab_folder() -> Path:
    """The folder that holds all state: DFCACHE_LAB, else ~/.cache/dfcache-lab."""
    named = os.environ.get("DFCACHE_LAB")
    return Path(named) if named else Path.home() / ".cache" / "dfcache-lab"


@contextmanager
def turn() -> Iterator[None]:
    """Waits until no other test run uses the laboratory: its index has one fixed address."""
    lab_folder().mkdir(parents=True, exist_ok=True)
    with (lab_folder() / "turn").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(
    command: Sequence[str | Path],
    log: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 900,
) -> str:
    """Run a command and return what it printed; NoLab when it fails."""
    done = subprocess.run(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=None if env is None else {**os.environ, **env},
        timeout=timeout,
        check=False,
    )
    if log is not None:
        with log.open("a") as out:
            out.write(f"$ {' '.join(map(str, command))}\n{done.stdout}\n")
    if done.returncode != 0:
        last = (done.stdout.strip().splitlines() or ["no output"])[-1]
        raise NoLab(f"`{' '.join(map(str, command))[:120]}` failed: {last[:200]}")
    return done.stdout


def debian_mirror() -> str:
    """The Debian archive this machine's apt is set to use, else debootstrap's own default.

    Reads both forms of sources.list (sources.list(5)): one-line and deb822. NoLab without either.
    """
    folder = Path("/etc/apt")
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    for file in files:
        if not file.is_file():
            continue
        for line in file.read_text(errors="replace").split("\n"):
            found = re.match(
                r"(?:deb\s+(?:\[[^]]*]\s+)?|URIs:\s*)(https?://\S+/debian)/?(\s|$)", line
            )
            if found:
                return found.group(1)
    program = shutil.which("debootstrap")
    text = Path(program).read_text(errors="replace") if program else ""
    default = re.search(r'^DEF_MIRROR="(http[^"]+)"', text, re.MULTILINE)
    if default is None:
        raise NoLab("this machine's apt names no Debian archive")
    return default.group(1)


def may_bootstrap() -> bool:
    """Whether a Debian system can be made in a folder here (root, and debootstrap to be had)."""
    if os.name != "posix" or os.geteuid() != 0:
        return False
    return shutil.which("debootstrap") is not None or shutil.which("apt-get") is not None


def bootstrap(suite: str, folder: Path, include: str = "") -> None:
    """Make a minimal Debian system in `folder`; a half-made one is made anew."""
    mark = folder.with_name(folder.name + ".done")
    if mark.is_file() and folder.is_dir():
        return
    if not may_bootstrap():
        raise NoLab("making a Debian system needs root and debootstrap")
    log = folder.with_name(folder.name + ".log")
    if shutil.which("debootstrap") is None:
        run(["apt-get", "update"], log)
        run(["apt-get", "install", "-y", "--no-install-recommends", "debootstrap"], log)
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    words = ["debootstrap", "--variant=minbase"]
    if include:
        words.append(f"--include={include}")
    words += [suite, str(folder), debian_mirror()]
    scripts = Path("/usr/share/debootstrap/scripts")
    if not (scripts / suite).exists():  # a suite newer than this debootstrap
        words.append(str(scripts / "sid"))
    run(words, log)
    mark.touch()
