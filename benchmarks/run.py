"""Measures dfcache beside other linters of Dockerfiles: ``python benchmarks/run.py``.

All run in turns in one go and on one core, so that the ratios mean something on a busy
machine. A figure is the least of several runs: whole processes, with the time for starting them.
A peer that isn't installed is left out (``pip install -e '.[bench]'`` installs them).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dockerfiles import plant

FEW = 200
# Without it a checkout would be compiled anew in every run, as no installed program is.
_ENV = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True, slots=True)
class Tool:
    """A linter; ``command`` makes its command from program, folder (or file) and files."""

    name: str
    command: Callable[[str, str, Sequence[str]], list[str]]


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one run, or the least of several: seconds, and the peak of memory in mebibytes."""

    wall: float
    cpu: float
    memory: float


TOOLS = (
    Tool("dfcache", lambda program, target, files: [program, "check", target]),
    # hadolint searches no folders.
    Tool("hadolint", lambda program, target, files: [program, *files]),
    # tally's slow checks ask registries.
    Tool("tally", lambda program, target, files: [program, "lint", "--slow-checks=off", target]),
)


def main() -> int:
    """Run the benchmarks; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000, help="size of the tree")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each tool on a tree")
    parser.add_argument("--starts", type=int, default=20, help="runs of each tool on one file")
    parser.add_argument("--corpus", type=Path, help="Dockerfiles to use: gzipped JSON lines")
    given = parser.parse_args()
    tools = [(tool, program) for tool in TOOLS if (program := _find(tool))]
    if not any(tool.name == "dfcache" for tool, _ in tools):
        print("dfcache is not installed beside this Python: pip install -e .", file=sys.stderr)
        return 2
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory(prefix="dfcache-bench-") as name:
        for title, files, rounds in (
            ("one file", 1, given.starts),
            (f"a tree of {FEW}", FEW, given.rounds),
            (f"a tree of {given.files}", given.files, given.rounds),
        ):
            folder = Path(name) / str(files)
            planted = plant(folder, files, given.corpus)
            show(title, len(planted), compare(tools, folder, planted, rounds))
    return 0


def compare(
    tools: Sequence[tuple[Tool, str]], folder: Path, files: Sequence[Path], rounds: int
) -> dict[str, Cost]:
    """The least cost of each tool, after a run of each that isn't counted."""
    runs: dict[str, list[Cost]] = {tool.name: [] for tool, _ in tools}
    paths = [str(each) for each in files]
    target = paths[0] if len(paths) == 1 else str(folder)
    for number in range(rounds + 1):
        for tool, program in tools:
            cost = measure(tool.command(program, target, paths))
            if number:
                runs[tool.name].append(cost)
    return {
        name: Cost(
            min(each.wall for each in costs),
            min(each.cpu for each in costs),
            min(each.memory for each in costs),
        )
        for name, costs in runs.items()
    }


def measure(command: Sequence[str]) -> Cost:
    """Run a command, with what it starts in turn. Raises RuntimeError where it fails."""
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, env=_ENV)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        # 1: findings; 2 to 4: files of a corpus that are no Dockerfiles.
        if not 0 <= process.returncode <= 4:
            errors.seek(0)
            told = errors.read().decode(errors="replace")[-500:]
            raise RuntimeError(f"{command[0]} ended with {process.returncode}: {told}")
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / unit)


def show(title: str, files: int, costs: dict[str, Cost]) -> None:
    """Print a table; ratios say how many times the other's CPU time dfcache takes."""
    own = costs["dfcache"]
    print(f"\n{title}\n")
    print("| | wall, ms | CPU, ms | CPU a file, ms | memory, MiB | CPU of dfcache to it |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, cost in costs.items():
        print(
            f"| {name} | {cost.wall * 1000:.0f} | {cost.cpu * 1000:.0f} "
            f"| {cost.cpu * 1000 / files:.2f} | {cost.memory:.0f} | {own.cpu / cost.cpu:.2f} |",
            flush=True,
        )


def _find(tool: Tool) -> str | None:
    beside = shutil.which(tool.name, path=str(Path(sys.executable).parent))
    found = beside or shutil.which(tool.name)
    if found is None:
        print(f"{tool.name} is not installed, and left out", file=sys.stderr)
    return found


if __name__ == "__main__":
    sys.exit(main())
