"""What a rebuild costs, with and without the fix, and with what others make of the Dockerfile.

    python benchmarks/rebuild.py

Builds small projects with a real BuildKit, for the original; for the original after what hadolint
says was followed; for what ``tally lint --fix --fix-unsafe`` makes of it; and for what
``dfcache fix --write`` does. Bytes are what a package index on the loopback sent. It sends at the
rate of a good home line, for seconds that mean something; they are the least of the rounds, and
all that is compared runs in one go. The table goes to benchmarks/rebuild.md, and its sums into
README.md. Needs Docker with buildx, or root on Debian: see tests/builds/README.md.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "builds"))

from lab.builds import Builder  # noqa: E402
from lab.engine import Engine, engine  # noqa: E402
from lab.images import make  # noqa: E402
from lab.index import Index  # noqa: E402
from lab.machine import NoLab  # noqa: E402
from projects import PROJECTS, Project  # noqa: E402

RATE = 4_000_000
EDIT, BUMP = "source edit", "one requirement bumped"
VARIANTS = ("original", "hadolint", "tally", "dfcache")


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one build: all bytes that the index sent, and seconds."""

    sent: int
    seconds: float


Costs = dict[tuple[str, str, str], Cost]
"""By project, scenario and variant; what does not build is missing."""


def main() -> int:
    """Run the benchmark; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=2, help="times each build is made")
    parser.add_argument("--no-write", action="store_true", help="print the tables, write nothing")
    given = parser.parse_args()
    missing = [each for each in ("hadolint", "tally") if _find(each) is None]
    if missing:
        print(f"not installed: {', '.join(missing)}; pip install -e '.[bench]'", file=sys.stderr)
        return 2
    try:
        costs, broken = measure(given.rounds)
    except NoLab as error:
        print(f"no laboratory for real builds: {error}", file=sys.stderr)
        return 2
    whole, sums = table(costs, broken), summary(costs)
    print(whole)
    if not given.no_write:
        _write(whole, sums)
    return 0


def measure(rounds: int) -> tuple[Costs, dict[tuple[str, str], str]]:
    """The least cost of each build; and for what does not build, why. Raises NoLab."""
    costs: Costs = {}
    broken: dict[tuple[str, str], str] = {}
    with engine() as running, Index() as index:
        images = make(running, index.url)
        index.rate = RATE
        for _ in range(rounds):
            for project in PROJECTS:
                for variant, text in variants(project).items():
                    print(f"{project.name}: {variant}", file=sys.stderr)
                    found = _builds(running, images, index, project, text)
                    if isinstance(found, str):
                        broken[project.name, variant] = found
                        continue
                    for scenario, cost in found.items():
                        key = (project.name, scenario, variant)
                        old = costs.get(key, cost)
                        least = min(old.seconds, cost.seconds)
                        costs[key] = Cost(max(old.sent, cost.sent), least)
    return costs, broken


def variants(project: Project) -> dict[str, str]:
    """The Dockerfiles to compare."""
    python = str(Path(sys.executable))
    tally = ["lint", "--fix", "--fix-unsafe", "--slow-checks=off", "--fail-level=none"]
    return {
        "original": project.original,
        "hadolint": _advised(project),
        "tally": _rewritten(project, [str(_find("tally")), *tally, "Dockerfile"]),
        "dfcache": _rewritten(project, [python, "-m", "dfcache", "fix", "--write", "Dockerfile"]),
    }


def _advised(project: Project) -> str:
    """The variant by hand, once hadolint has nothing more to say about it."""
    told = subprocess.run(
        [str(_find("hadolint")), "-"], input=project.advised, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if told.returncode:
        raise SystemExit(f"hadolint is not content with {project.name}: {told.stdout}")
    return project.advised


def _rewritten(project: Project, command: Sequence[str]) -> str:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _plant(folder, {**project.files, "Dockerfile": project.original})
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode > 1:
            raise SystemExit(f"{command[0]} fails on {project.name}: {done.stdout}{done.stderr}")
        text = (folder / "Dockerfile").read_text()
    # The frontend that such a line names is in a registry, and what it does is built in.
    return "".join(x for x in text.splitlines(keepends=True) if not x.startswith("# syntax="))


def _builds(
    running: Engine, images: Mapping[str, str], index: Index, project: Project, text: str
) -> dict[str, Cost] | str:
    """A cold build, and then what both scenarios cost; why it fails where it does."""
    builder = Builder(running, images, f"bench-{uuid4().hex[:12]}")
    edit = {project.edit: f"# {builder.name}\n"}
    costs: dict[str, Cost] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _plant(folder, {**project.files, "Dockerfile": project.original})
        for scenario, files in (("cold", {}), (EDIT, edit), (BUMP, project.bump)):
            _plant(folder, files)
            index.forget()
            start = time.perf_counter()
            built = builder.build(folder, text, options=["--output=type=cacheonly"])
            seconds = time.perf_counter() - start
            if not built.ok:
                errors = [line for line in built.log.split("\n") if "rror" in line]
                return errors[-1].strip() if errors else "no reason given"
            costs[scenario] = Cost(sum(each.sent for each in index.requests), seconds)
    return costs


def _plant(folder: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def table(costs: Costs, broken: Mapping[tuple[str, str], str]) -> str:
    """All figures, as Markdown."""
    lines = [
        f"| project | change | {' | '.join(VARIANTS)} |",
        f"|---|---|{'---:|' * len(VARIANTS)}",
    ]
    for project in PROJECTS:
        for scenario in (EDIT, BUMP):
            cells = [_cell(costs.get((project.name, scenario, each))) for each in VARIANTS]
            lines.append(f"| {project.name} | {scenario} | {' | '.join(cells)} |")
    lines += ["", *(f"{name}, {variant}: {why}" for (name, variant), why in broken.items())]
    return "\n".join(lines).rstrip("\n") + "\n"


def summary(costs: Costs) -> str:
    """The sums over all projects, as Markdown, with how many times less than the original."""
    lines = ["| | source edit | one requirement bumped |", "|---|---:|---:|"]
    for variant in VARIANTS:
        cells = [_cell(_sum(costs, scenario, variant)) for scenario in (EDIT, BUMP)]
        lines.append(f"| {variant} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _sum(costs: Costs, scenario: str, variant: str) -> Cost | None:
    found = [costs.get((project.name, scenario, variant)) for project in PROJECTS]
    known = [cost for cost in found if cost is not None]
    if len(known) < len(found):
        return None
    return Cost(sum(cost.sent for cost in known), sum(cost.seconds for cost in known))


def _cell(cost: Cost | None) -> str:
    if cost is None:
        return "does not build"
    size = f"{cost.sent / 1e6:.1f} MB" if cost.sent >= 1e5 else f"{cost.sent / 1e3:.1f} kB"
    return f"{size if cost.sent else '0 MB'}, {cost.seconds:.1f} s"


def _write(whole: str, sums: str) -> None:
    text = (
        "# What a rebuild costs\n\n"
        "Made by `python benchmarks/rebuild.py`, which says how. Sizes are what the package "
        f"index sent, at {RATE // 1_000_000} MB/s a connection.\n\n{whole}\nAll of them:\n\n{sums}"
    )
    (ROOT / "benchmarks" / "rebuild.md").write_text(text)
    readme = ROOT / "README.md"
    old = readme.read_text()
    start, end = "<!-- rebuild -->\n", "<!-- /rebuild -->"
    if start in old and end in old:
        head, _, rest = old.partition(start)
        readme.write_text(head + start + sums + end + rest.partition(end)[2])


def _find(name: str) -> str | None:
    return shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
