"""What to change in a project to see what runs again: a source file, and one dependency."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from dfcache.model.build import Build, CopyStep, RunStep
from dfcache.model.globbing import placed
from dfcache.model.reads import copies_before, reads
from dfcache.model.requirements import (
    Requirement,
    normalised,
    parse_requirement,
    read_requirements,
)
from dfcache.record import record, replace

Read = Callable[[str], str | None]

# How a line of comment starts, the likeliest source first.
_COMMENTS = {
    "py": "#", "ts": "//", "tsx": "//", "js": "//", "jsx": "//", "mjs": "//", "cjs": "//",
    "go": "//", "rs": "//", "java": "//", "kt": "//", "rb": "#", "php": "//", "c": "//",
    "cpp": "//", "cs": "//", "sh": "#", "sql": "--", "css": "", "html": "", "md": "", "txt": "",
}  # fmt: skip
_MANIFESTS = re.compile(
    r"(^|/)(setup\.py|conftest\.py|noxfile\.py|[^/]*requirements[^/]*|[^/]*constraints[^/]*"
    r"|[^/]*config\.[cm]?[jt]s)$"
)
_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pylock.toml")
_NPM_LOCKS = ("package-lock.json", "npm-shrinkwrap.json")
# What installs the rest is not bumped: another one of it may work otherwise.
_INSTALLERS = frozenset(("pip", "setuptools", "wheel", "uv"))
_MOST = 3


@record
class Change:
    """Another text for the file at ``path`` of the context; ``what`` tells a reader of it.

    ``name`` is the dependency whose version may change, as it was ``given``.
    """

    path: str
    text: str
    what: str
    name: str = ""
    given: str = ""


def source_edit(build: Build, read: Read, token: str) -> Change | None:
    """A comment added to a source file that the build copies, or None where there is none.

    A file that an install can see goes before others: that is what the order of steps is about.
    """
    installs = [step for step in build.runs() if _downloads(step)]
    manifests = {path for step in installs for path in reads(build, step).files.values()}
    early = {
        path
        for step in installs
        for copy in copies_before(build, step)
        if copy.files is not None
        for path in placed(build.context, copy.files).values()
    }
    found = (path for path in _copied(build) if path not in manifests and _kind(path) is not None)
    for path in sorted(found, key=lambda path: (path not in early, *_rank(path))):
        text = read(path)
        if text is not None:
            # In text and markup an empty line does no harm anywhere.
            sign = _COMMENTS[_kind(path) or ""]
            end = "" if not text or text.endswith("\n") else "\n"
            added = f"{sign} {token}\n" if sign else "\n"
            return Change(path, text + end + added, path)
    return None


def _copied(build: Build) -> Sequence[str]:
    found: set[str] = set()
    for stage in build.stages:
        for step in stage.steps:
            if isinstance(step, CopyStep) and step.origin is None:
                if step.files is None:
                    return build.context.files()
                found.update(placed(build.context, step.files).values())
    return sorted(found)


def _kind(path: str) -> str | None:
    ending = path.rsplit("/", 1)[-1].rpartition(".")[2]
    return ending if ending in _COMMENTS and not _MANIFESTS.search(path) else None


def _rank(path: str) -> tuple[bool, int, int, str]:
    test = re.search(r"(^|/)tests?(/|_)|(^|/)\.", path) is not None
    return test, list(_COMMENTS).index(_kind(path) or "txt"), path.count("/"), path


def bumps(build: Build, read: Read, installed: str) -> Iterator[Change]:
    """Changes that each let an install choose another version of one dependency.

    Which versions there are only the index knows. So each is a range, the mildest first, and
    the next is for where nothing fits in it. ``installed`` is what the first build printed: it
    tells the version of what is not pinned.
    """
    seen = dict(_versions(installed))
    entries = list(_entries(build, read))
    names = [entry.name for entry in entries]
    fit = [
        entry
        for entry in entries
        if names.count(entry.name) == 1 and _may_change(entry) and entry.name not in _INSTALLERS
    ]
    fit = sorted(fit, key=lambda entry: not entry.pinned)[:_MOST]
    for entry in fit:
        for asked in _ranges(entry, seen.get(entry.name)):
            text = read(entry.file)
            if text is not None:
                place = slice(entry.span.start, entry.span.end)
                new = _respecified(text[place], asked)
                if new is not None:
                    changed = text[: entry.span.start] + new + text[entry.span.end :]
                    what = f"{entry.text} to {entry.name}{asked} in {entry.file}"
                    yield Change(entry.file, changed, what, entry.name, entry.text)


def named(change: Change, installed: str) -> Change:
    """The change with the version that was chosen, where the build printed it."""
    version = dict(_versions(installed)).get(change.name)
    if version is None:
        return change
    return replace(change, what=f"{change.given} to {version} in {change.path}")


def why_none(build: Build) -> str:
    """Why no dependency was found to bump."""
    files = {path for step in build.runs() for path in reads(build, step).files.values()}
    lock = next((path for path in sorted(files) if path.endswith(_LOCKS + _NPM_LOCKS)), None)
    if lock is not None:
        return f"{lock} holds all versions, and another one takes the tool that wrote it"
    if not any(_downloads(step) for step in build.runs()):
        return "no step of this Dockerfile is known to install packages"
    if not any(path.endswith((".txt", ".in", ".toml")) for path in files):
        return "the installs read no requirements file and no pyproject.toml"
    return "what the installs read names no version that can be changed alone"


def _downloads(step: RunStep) -> bool:
    return any(use.spec.effect == "downloads" for use in step.uses)


def _entries(build: Build, read: Read) -> Iterator[Requirement]:
    """What the files ask for that the installs read, each file once."""
    seen: set[str] = set()
    for step in build.runs():
        files = reads(build, step).files.values() if _downloads(step) else ()
        if any(path.endswith(_LOCKS) for path in files):
            continue
        for path in files:
            if path in seen or path.endswith((".json", ".cfg", ".py")):
                continue
            seen.add(path)
            if path.endswith(".toml"):
                yield from _project(path, read(path) or "")
            else:
                yield from (e for e in read_requirements(read, path).entries if e.file == path)


def _project(path: str, text: str) -> Iterator[Requirement]:
    """The dependencies of a pyproject.toml that stand in it word for word, and once."""
    import tomllib

    from dfcache.text import Span

    try:
        listed = tomllib.loads(text).get("project", {}).get("dependencies", [])
    except (tomllib.TOMLDecodeError, AttributeError):
        return
    for each in listed if isinstance(listed, list) else ():
        entry = parse_requirement(each) if isinstance(each, str) else None
        at = [found.start() + 1 for found in re.finditer(f"[\"']{re.escape(str(each))}[\"']", text)]
        if entry is not None and len(at) == 1:
            yield replace(entry, file=path, span=Span(at[0], at[0] + len(each)))


def _may_change(entry: Requirement) -> bool:
    return bool(entry.name) and not (entry.hashes or entry.url or entry.path or entry.editable)


def _ranges(entry: Requirement, installed: str | None) -> Iterator[str]:
    """Version specifiers (PEP 440) that leave out the version that is installed now."""
    pin = re.fullmatch(r"== ?([\w.+!-]+)", entry.specifier.strip())
    if pin:
        major = re.match(r"(\d+)\.", pin[1])
        if major:
            yield f">{pin[1].partition('+')[0]},<{int(major[1]) + 1}"
        yield f"!={pin[1]}"
    elif installed is not None and not entry.pinned:
        given = entry.specifier.strip("() ")
        yield f"{given}{',' if given else ''}!={installed}"


def _respecified(text: str, asked: str) -> str | None:
    """A requirement with other versions; None where it is written in a way not looked for."""
    found = re.match(r"(\s*[\w.-]+ *(?:\[[^\]\n]*\])?)( *\(?[<>=!~][^;#\n\\]*)?", text)
    if found is None:
        return None
    rest = text[found.end() :]
    blank = " " if rest and not rest[0].isspace() else ""
    return found[1].rstrip() + asked + blank + rest


def _versions(installed: str) -> Iterator[tuple[str, str]]:
    """Names and versions in what pip and uv print at the end."""
    for line in re.findall(r"^Successfully installed (.*)$", installed, re.M):
        for each in line.split():
            name, _, version = each.rpartition("-")
            yield normalised(name), version
    for name, version in re.findall(r"^ \+ (\S+)==(\S+)$", installed, re.M):
        yield normalised(name), version
