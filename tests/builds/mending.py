"""What dfcache makes of a project's Dockerfile."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from lab.cases import Case


class Terminal:
    """Where dfcache is typed in: what it tells pip and uv of is the index at `url`."""

    def __init__(self, url: str, cache: Path) -> None:
        prefixes = ("PIP_", "UV_", "HTTP_PROXY", "HTTPS_PROXY")
        kept = {k: v for k, v in os.environ.items() if not k.upper().startswith(prefixes)}
        path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
        self.env = kept | {
            "PATH": path,
            "PIP_CONFIG_FILE": os.devnull,
            "UV_NO_CONFIG": "1",
            "UV_CACHE_DIR": str(cache),
            "UV_DEFAULT_INDEX": f"{url}/simple/",
            "UV_HTTP_RETRIES": "0",
        }

    def __call__(self, folder: Path, *words: str, code: int = 0) -> str:
        """Run `dfcache WORDS` in a folder, which must end with `code`; all that it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "dfcache", *words],
            cwd=folder, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr


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
