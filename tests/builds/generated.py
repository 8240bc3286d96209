"""Dockerfiles from a grammar, one change for each, and what the model and BuildKit make of it.

A Dockerfile is a list of lines, so that a case can be shrunk by leaving some out. Every step
that makes a layer has a marker in its text, `k3_SALT`: no two cases share a layer, and the
steps of a build can be told apart.
"""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from lab.builds import Builder

from dfcache.knowledge import load
from dfcache.model.assemble import build
from dfcache.model.context import DirectoryContext
from dfcache.model.inputs import changed
from dfcache.parser import parse

FILES = (
    "a.txt", "b.txt", "c.md", "conf/x.ini", "conf/y.ini", "src/m.py", "src/sub/n.py",
    "src/sub/data.csv", "docs/i.md", "docs/img/p.png", ".env", ".hidden/h.txt", "with blank.txt",
)  # fmt: skip
FOLDERS = ("conf", "src", "src/sub", "docs", "docs/img", ".hidden")
LINKS = {"link": "a.txt", "link.dir": "src/sub"}
SPELLED = ("{}", "{}", "{}", "./{}", "/{}", "{}/", "../{}", "./{}/.")
GLOBS = (
    "*.txt",
    "?.md",
    "conf/*.ini",
    "src/*",
    "*/*.md",
    "[ab].txt",
    "s*",
    "src/sub/*.csv",
    "*",
    "src/*/*.py",
)
NEW = (
    "z.txt", "d.md", "conf/z.ini", "src/new.py", "src/sub/new/o.py", "docs/img/q.png", "x/y.md",
    "other/file", "a/c.csv",
)  # fmt: skip
IGNORED = (
    "*.md", "!docs/i.md", "docs", "!docs/img", "**/*.csv", "src/sub", "!src/sub/n.py",
    ".dockerignore", "conf/*", "!conf/x.ini", "Dockerfile", "src/*/*", "# x", "*", "!src",
    "!a.txt", "!b.txt", "!conf", "**/p.*", "/b.txt/",
)  # fmt: skip
EXCLUDED = ("*.csv", "sub", "img", "!img/p.png", "**/*.ini", "n.py")
IMAGE, OTHER_IMAGE = "debian:bookworm", "python:3.11"
# A build argument's default, and what it is changed to. U is an owner, B a base image.
ARGUMENTS = {"A": ("p", "q"), "U": ("1", "2"), "B": (IMAGE, OTHER_IMAGE), "N": ("1", "2")}
KINDS = (
    "edit",
    "edit",
    "add",
    "delete",
    "chmod",
    "touch",
    "rename",
    "arg",
    "arg",
    "comment",
    "base",
)
MARK = "_SALT"


@dataclass(frozen=True, slots=True)
class Change:
    """`target` is a path, or the name of a build argument; `to` is where a file is moved."""

    kind: str
    target: str = ""
    to: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """The lines of a Dockerfile and of its ignore file, and what is changed."""

    lines: tuple[str, ...]
    ignore: tuple[str, ...]
    change: Change


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many steps the model foretold rightly, left open, and which it got wrong.

    ``ran`` is how many steps ran again.
    """

    right: int
    left_open: int
    wrong: tuple[str, ...]
    ran: int


def cases(seed: int, excluding: bool) -> Iterator[Case]:
    """Endless cases; with `--exclude` if the builder knows it."""
    dice = random.Random(seed)
    while True:
        lines = _Grammar(dice, excluding).lines()
        ignore = tuple(dice.sample(IGNORED, dice.choice((0, 0, 1, 2, 4))))
        yield Case(lines, ignore, _change(dice))


def _change(dice: random.Random) -> Change:
    kind = dice.choice(KINDS)
    if kind == "add":
        return Change(kind, dice.choice(NEW))
    if kind == "arg":
        return Change(kind, dice.choice(tuple(ARGUMENTS)))
    if kind in ("comment", "base"):
        return Change(kind)
    target = dice.choice((*FILES, ".dockerignore")) if kind == "edit" else dice.choice(FILES)
    return Change(kind, target, dice.choice(NEW) if kind == "rename" else "")


class _Grammar:
    def __init__(self, dice: random.Random, excluding: bool) -> None:
        self.dice = dice
        self.excluding = excluding
        self.count = 0
        self.written: list[list[str]] = []

    def lines(self) -> tuple[str, ...]:
        found = ["# a comment"]
        found += [f"ARG {name}={ARGUMENTS[name][0]}" for name in ("B", "A") if self.chance(0.4)]
        for stage in range(self.dice.choice((1, 1, 2, 2, 3))):
            self.written.append([])
            found.append(f"FROM {self.base(found, stage)} AS stage{stage}")
            found += [self.step() for _ in range(self.dice.randint(2, 6))]
        return tuple(found)

    def chance(self, share: float) -> bool:
        return self.dice.random() < share

    def base(self, before: list[str], stage: int) -> str:
        if stage and self.chance(0.3):
            parent = self.dice.randrange(stage)
            self.written[-1] += self.written[parent]
            return f"stage{parent}"
        return "$B" if f"ARG B={IMAGE}" in before and self.chance(0.5) else IMAGE

    def marker(self) -> str:
        self.count += 1
        return f"k{self.count}{MARK}"

    def step(self) -> str:
        kinds = [self.copy, self.copy, self.copy, self.run, self.run, self.variable, self.other]
        if len(self.written) > 1 and any(self.written[:-1]):
            kinds += [self.copy_from, self.copy_from]
        return self.dice.choice(kinds)()

    def copy(self) -> str:
        if self.chance(0.08):
            return f"COPY <<E /w/{self.marker()}/here\n${self.dice.choice('AN')} text\nE"
        many = (
            lambda: [self.dice.choice((*FILES, *LINKS))],
            lambda: [self.dice.choice(SPELLED).format(self.dice.choice(FOLDERS))],
            lambda: [self.dice.choice(GLOBS)],
            lambda: self.dice.sample((*FILES, *FOLDERS, *GLOBS), self.dice.choice((2, 2, 3))),
            lambda: ["."],
        )
        sources = self.dice.choice(many)()
        word = "ADD" if self.chance(0.2) else "COPY"
        dest = f"/w/{self.marker()}/"
        self.written[-1] += [dest, *(f"{dest}{each.split('/')[-1]}" for each in sources[:1])]
        dest = dest.replace("/w/", "/w/$A/") if self.chance(0.1) else dest
        words = [*sources, dest]
        if self.chance(0.1) or any(" " in each for each in words):
            return f"{word} {self.flags()}{json.dumps(words)}"
        return f"{word} {self.flags()}{' '.join(words)}"

    def flags(self) -> str:
        flags = [
            flag
            for flag, share in (
                ("--chown=1:1 ", 0.1),
                ("--chown=$U:0 ", 0.08),
                ("--chmod=755 ", 0.1),
                ("--link ", 0.15),
            )
            if self.chance(share)
        ]
        if self.excluding and self.chance(0.2):
            flags.append(f"--exclude={self.dice.choice(EXCLUDED)} ")
        return "".join(flags if sum("chown" in flag for flag in flags) < 2 else flags[1:])

    def earlier(self) -> tuple[int, str]:
        """A stage before this one, and a path that some step of it writes, or all of them."""
        stages = [n for n, paths in enumerate(self.written[:-1]) if paths]
        stage = self.dice.choice(stages)
        return stage, self.dice.choice([*self.written[stage], "/w"])

    def copy_from(self) -> str:
        stage, path = self.earlier()
        name = str(stage) if self.chance(0.3) else f"stage{stage}"
        dest = f"/w/{self.marker()}/"
        self.written[-1].append(dest)
        return f"COPY --from={name} {path} {dest}"

    def run(self) -> str:
        mark = self.marker()
        mounts = []
        if self.chance(0.25):
            source = self.dice.choice((*FILES, *FOLDERS, *LINKS, ""))
            mounts.append(f"--mount=type=bind,source={source},target=/mnt/b ")
        if self.chance(0.15):
            mounts.append("--mount=type=cache,target=/mnt/c ")
        if self.chance(0.2) and any(self.written[:-1]):
            stage, path = self.earlier()
            mounts.append(f"--mount=from=stage{stage},source={path},target=/mnt/s ")
        if self.chance(0.4):
            forms = (": {}", ": {}\\\n # {}\\\n && :", "<<E {}", '["/bin/true", "{}"]')
            form = self.dice.choice(forms).format(mark, "a comment")
            return f"RUN {''.join(mounts)}{form}" + ("\n:\nE" if "<<E" in form else "")
        self.written[-1].append(f"/w/{mark}")
        what = self.dice.choice(("echo same", "cat /proc/sys/kernel/random/uuid"))
        return f"RUN {''.join(mounts)}mkdir -p /w/{mark} && {what} > /w/{mark}/out"

    def variable(self) -> str:
        name = self.dice.choice("AUN")
        return self.dice.choice(
            (
                f"ARG {name}",
                f"ARG {name}={ARGUMENTS[name][0]}",
                f"ARG {name}={ARGUMENTS[name][0]}",
                f"ENV V=${name}",
                f"ENV {name}={ARGUMENTS[name][0]}",
                f"ARG V=x${{{name}:-d}}",
                f"ENV V=1 W=${{{name}:+set}}",
                f"ENV V=1 V2='${name}'",
                f"LABEL l=${name}",
                f"CMD echo ${name}",
            )
        )

    def other(self) -> str:
        mark = self.marker()
        lines = (
            f"WORKDIR /w/{mark}",
            f"WORKDIR /w/{mark}/$A",
            f"RUN : {mark} # again",
            "USER 0",
            "USER $U",
            'SHELL ["/bin/bash", "-c"]',
            f"ONBUILD COPY . /w/{mark}/",
            f"ONBUILD RUN : {mark}",
            f"COPY --from={IMAGE} /etc/hostname /w/{mark}/",
            "LABEL x=y",
            "EXPOSE 80",
        )
        return self.dice.choice(lines)


class Judge:
    """Holds what the model foretells against what a builder does."""

    def __init__(self, builder: Builder, folder: Path) -> None:
        self.builder = builder
        self.folder = folder

    def judge(self, case: Case) -> Verdict | None:
        """None where the case does not build, before or after the change."""
        project = self.folder / "project"
        shutil.rmtree(project, ignore_errors=True)
        lines, salt = case.lines, f"_{uuid4().hex[:8]}"
        _write_context(project, case, salt)
        if not self.builder.build(project).ok:
            return None
        foretold = foretell(project, case.change)
        options = _apply(project, case.change)
        after = self.builder.build(project, options=options)
        if not after.ok:
            return None
        right, left_open, again, wrong = 0, 0, 0, []
        for line in lines:
            mark = marker_of(line, salt)
            if mark is None:
                continue
            try:
                ran = after.ran(mark)
            except KeyError:
                continue  # a stage that the target does not need
            again += ran
            told = foretold.get(mark)
            if told is False:
                left_open += 1
            elif (told is True) == ran:
                right += 1
            else:
                wrong.append(f"{line}: {'ran' if ran else 'was cached'}")
        return Verdict(right, left_open, tuple(wrong), again)

    def shrink(self, case: Case) -> Case:
        """The case with as few lines as still show the disagreement."""

        def fails(smaller: Case) -> bool:
            verdict = self.judge(smaller)
            return verdict is not None and bool(verdict.wrong)

        case = _fewer(case, "ignore", fails)
        return _fewer(case, "lines", fails)


def _fewer(case: Case, name: str, fails: Callable[[Case], bool]) -> Case:
    at = len(getattr(case, name)) - 1
    while at >= 0:
        lines = getattr(case, name)
        smaller = replace(case, **{name: lines[:at] + lines[at + 1 :]})
        if fails(smaller):
            case = smaller
        at -= 1
    return case


def marker_of(line: str, salt: str) -> str | None:
    found = re.search(rf"\bk\d+{MARK}", line)
    return found[0].replace(MARK, salt) if found else None


def _write_context(project: Path, case: Case, salt: str) -> None:
    for path in FILES:
        file = project / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{path}\n")
        file.chmod(0o644)
    for path, target in LINKS.items():
        (project / path).symlink_to(target)
    text = "\n".join(case.lines).replace(MARK, salt)
    (project / "Dockerfile").write_text(f"{text}\n")
    (project / ".dockerignore").write_text("\n".join(case.ignore) + "\n")


def foretell(project: Path, change: Change) -> dict[str, bool]:
    """What runs again by the model: the markers of the steps, False where it may be cached."""
    dockerfile = project / "Dockerfile"
    context = DirectoryContext(project, dockerfile)
    built = build(parse(dockerfile.read_text()), context, load())
    paths = {
        "edit": [change.target],
        "add": [change.target],
        "delete": [change.target],
        "chmod": [change.target],
        "rename": [change.target, change.to],
        "comment": ["Dockerfile"],
        "base": ["Dockerfile"],
    }.get(change.kind, [])
    found = [again for path in paths for again in changed(built, path=path)]
    if change.kind == "arg":
        found += changed(built, arg=change.target)
    if change.kind == "base":
        found += changed(built, base=IMAGE)
    told: dict[str, bool] = {}
    for again in found:
        mark = re.search(r"\bk\d+_[0-9a-f]{8}", again.step.instruction.original)
        if mark:
            told[mark[0]] = told.get(mark[0], False) or again.sure
    return told


def _apply(project: Path, change: Change) -> list[str]:
    """Make the change; the options that the second build needs."""
    target = project / change.target
    if change.kind == "edit":
        target.write_text(f"{target.read_text()}# changed\n")
    elif change.kind == "add":
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("new\n")
    elif change.kind == "delete":
        target.unlink()
    elif change.kind == "chmod":
        target.chmod(0o755)
    elif change.kind == "touch":
        target.touch()
    elif change.kind == "rename":
        (project / change.to).parent.mkdir(parents=True, exist_ok=True)
        target.rename(project / change.to)
    elif change.kind == "arg":
        return [f"--build-arg={change.target}={ARGUMENTS[change.target][1]}"]
    elif change.kind in ("comment", "base"):
        dockerfile = project / "Dockerfile"
        old, new = {"comment": ("# a comment", "# other"), "base": (IMAGE, OTHER_IMAGE)}[
            change.kind
        ]
        dockerfile.write_text(dockerfile.read_text().replace(old, new))
    return []
