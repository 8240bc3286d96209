"""What dfcache makes of a project's Dockerfile."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from lab.cases import Case


def fix(project: Path, *options: str) -> tuple[str, int]:
    """Let `dfcache fix --write` rewrite the project's Dockerfile; its new text, the exit code."""
    dockerfile = project / "Dockerfile"
    command = [sys.executable, "-m", "dfcache", "fix", "--write", *options, str(dockerfile)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return dockerfile.read_bytes().decode(), done.returncode


def mend(case: Case, project: Path) -> str:
    """The Dockerfile as dfcache mends it; it must call safe, and leave, what the case says."""
    after, left = fix(project)
    assert (after != case.dockerfile) is (case.fix in ("safe", "part"))
    assert left == (0 if case.fix == "safe" else 1)
    if case.fix in ("unsafe", "doubted", "none"):
        after, left = fix(project, "--unsafe")
        assert (after != case.dockerfile) is (case.fix != "none")
        assert case.fix == "doubted" or left == (0 if case.fix == "unsafe" else 1)
    return after
