"""The parts of documents that are made, not written: what dfcache prints, tables of rules."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from dfcache.knowledge import load

ROOT = Path(__file__).parents[1]
_CONSOLE = re.compile(r"^```console\n\$ dfcache ([^\n]*)\n(.*?)^```$", re.M | re.S)
_RULES = re.compile(r"(?<=<!-- rules -->\n).*?(?=<!-- /rules -->)", re.S)
_FIX = {"none": "", "display": "shown"}


def made(text: str, folder: Path) -> str:
    """A document with its made parts as they must be; commands run in ``folder``."""
    shutil.copytree(ROOT / "examples", folder / "examples")

    def run(found: re.Match[str]) -> str:
        return f"```console\n$ dfcache {found[1]}\n{printed(found[1], folder)}```"

    return _RULES.sub(lambda _: rules_table(), _CONSOLE.sub(run, text))


def printed(words: str, folder: Path) -> str:
    """What dfcache prints for a command line, on both streams."""
    done = subprocess.run(
        [sys.executable, "-m", "dfcache", *words.split()],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1"},
        encoding="utf-8",
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout
    return done.stdout


def rules_table() -> str:
    """Every rule, in the order of the codes."""
    rows = ["| code | name | problem | severity | fix |\n", "|---|---|---|---|---|\n"]
    for page in load().pages:
        link = f"[{page.code}](rules/{page.code}-{page.name}.md)"
        fix = _FIX.get(page.fix, page.fix)
        severity = page.severity.name.lower() + (", on request" if page.on_request else "")
        rows.append(f"| {link} | {page.name} | {page.problem} | {severity} | {fix} |\n")
    return "".join(rows)
