"""From the paths a user names to the Dockerfiles to work on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

from dfcache.record import record

_STEMS = ("dockerfile", "containerfile")
_SKIPPED = frozenset(
    (".git", ".hg", ".svn", "node_modules", ".venv", "venv", "__pycache__", ".tox", ".nox")
)
_BACKUPS = ("~", ".bak", ".orig", ".rej", ".swp", ".swo", ".tmp", ".dockerignore")
# Programs and texts about Dockerfiles: dockerfile.go, Dockerfile.md.
_OTHERS = (
    ".py", ".pyi", ".go", ".js", ".mjs", ".ts", ".tsx", ".rs", ".rb", ".java", ".kt", ".c", ".h",
    ".cpp", ".cs", ".php", ".lua", ".vim", ".el", ".md", ".rst", ".adoc", ".html", ".json", ".yaml",
    ".yml", ".toml", ".xml", ".svg", ".png", ".snap", ".pyc",
)  # fmt: skip
_TEMPLATES = (
    ".j2", ".jinja", ".jinja2", ".tmpl", ".tpl", ".template", ".erb", ".in", ".mustache", ".hbs",
    ".gotmpl", ".ejs", ".mako",
)  # fmt: skip


@record
class Found:
    """A file to work on; ``named`` is True where the user named it himself."""

    path: str
    named: bool


@record
class Missing:
    """A path that isn't there, or can't be searched, and why."""

    path: str
    reason: str


def is_dockerfile(name: str) -> bool:
    """Whether a file called ``name`` is taken for a Dockerfile when a folder is searched."""
    lower = name.lower()
    if lower.endswith(_BACKUPS + _OTHERS) or lower.startswith((".#", "#")):
        return False
    for stem in _STEMS:
        if lower == stem or (lower.startswith(stem) and lower[len(stem)] in ".-_"):
            return True
    return lower.endswith((".dockerfile", ".containerfile"))


def is_template(name: str) -> bool:
    """Whether the name says that a program makes a Dockerfile from it."""
    return name.lower().endswith(_TEMPLATES)


def discover(
    paths: Iterable[str], excluded: Callable[[str], bool] = lambda path: False
) -> Iterator[Found | Missing]:
    """The files for ``paths``, in order and each once; folders are searched.

    A file the user names is always taken. In folders, what git ignores and what is
    ``excluded`` is left out.
    """
    seen: set[str] = set()
    for path in paths:
        if os.path.isdir(path):
            found: Iterable[Found | Missing] = _folder(path, excluded)
        elif os.path.exists(path):
            found = (Found(path, named=True),)
        else:
            found = (Missing(path, "no such file or folder"),)
        for each in found:
            key = os.path.abspath(each.path)
            if key not in seen:
                seen.add(key)
                yield each


def _folder(folder: str, excluded: Callable[[str], bool]) -> Iterator[Found | Missing]:
    if not os.access(folder, os.R_OK | os.X_OK):
        yield Missing(folder, "permission denied")
        return
    names = _git(folder)
    found = _walk(folder) if names is None else (os.path.join(folder, each) for each in names)
    for path in sorted(found):
        plain = path[2:] if path.startswith("." + os.sep) else path
        if not excluded(plain) and os.path.isfile(plain):
            yield Found(plain, named=False)


def _walk(folder: str) -> Iterator[str]:
    for where, folders, files in os.walk(folder):
        folders[:] = [each for each in folders if each not in _SKIPPED]
        yield from (os.path.join(where, each) for each in files if is_dockerfile(each))


def _git(folder: str) -> list[str] | None:
    """The Dockerfiles that git doesn't ignore, relative to ``folder``; None without git."""
    if not _in_repository(os.path.abspath(folder)):
        return None
    import subprocess

    # Not :(icase): with that, git 2.39 finds nothing in a folder below an untracked one.
    either = ("".join(f"[{c.upper()}{c}]" for c in word) for word in _STEMS)
    globs = [f":(glob)**/*{word}*" for word in either]
    command = ["git", "-C", folder, "ls-files", "-co", "--exclude-standard", "-z", "--", *globs]
    try:
        run = subprocess.run(command, capture_output=True, check=True, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return None
    names = {os.fsdecode(each) for each in run.stdout.split(b"\0") if each}
    if not names and _ignored_itself(folder):
        return None
    return [each for each in names if is_dockerfile(os.path.basename(each))]


def _ignored_itself(folder: str) -> bool:
    """Whether git ignores the very folder that the user named, who then wants it all the same."""
    import subprocess

    command = ["git", "-C", folder, "check-ignore", "-q", "."]
    run = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    return run.returncode == 0


def _in_repository(folder: str) -> bool:
    while not os.path.exists(os.path.join(folder, ".git")):
        above = os.path.dirname(folder)
        if above == folder:
            return False
        folder = above
    return True
