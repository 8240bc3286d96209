"""pip and uv, run as a user would run them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence

from dfcache.record import record

HINT = "install it with: pip install 'dfcache[vendor]'"


class ProgramError(Exception):
    """A program that is needed is not there."""


@record
class Ran:
    """What a program answered."""

    code: int
    out: str
    err: str


def uv() -> tuple[str, ...]:
    """The command of uv, beside this Python or on PATH. Raises ProgramError."""
    import importlib.util

    if importlib.util.find_spec("uv") is not None:
        return (sys.executable, "-m", "uv")
    found = shutil.which("uv")
    if found is None:
        raise ProgramError(f"uv is needed to resolve for the image's Python and platform; {HINT}")
    return (found,)


def pip() -> tuple[str, ...] | None:
    """The command of pip, of this Python or on PATH; None where there is none."""
    import importlib.util

    if importlib.util.find_spec("pip") is not None:
        return (sys.executable, "-m", "pip")
    found = shutil.which("pip3") or shutil.which("pip")
    return None if found is None else (found,)


def run(
    command: Sequence[str], env: Mapping[str, str], cwd: str, without: Collection[str] = ()
) -> Ran:
    """Run a program to its end, with ``env`` and this environment, ``without`` some of it."""
    kept = {name: value for name, value in os.environ.items() if name not in without}
    done = subprocess.run(
        command, cwd=cwd, env={**kept, **env}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout, done.stderr)
