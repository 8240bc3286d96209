"""Which files of the context a COPY takes, and where in the image they end up.

Facts are from BuildKit's ``dockerfile2llb/convert_copy.go``, its file backend, and the copying
library below it: a source is cleaned as a path below ``/`` and matched with Go's
``filepath.Match``; a folder stands for what is in it; a file goes into a destination that is
a folder, whether a slash says so or the image has one there.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from dfcache.model.context import Context
from dfcache.model.ignore import Ignore, malformed, pattern_test
from dfcache.record import record

STANDARD_FOLDERS = frozenset(
    (
        "/", "/bin", "/dev", "/etc", "/home", "/lib", "/media", "/mnt", "/opt", "/proc",
        "/root", "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/usr/bin", "/usr/lib",
        "/usr/local", "/usr/local/bin", "/usr/local/lib", "/usr/local/sbin",
        "/usr/local/share", "/usr/sbin", "/usr/share", "/usr/src", "/var", "/var/cache",
        "/var/lib", "/var/log", "/var/tmp"
    )
)  # fmt: skip
"""Folders that an image of any distribution has (Filesystem Hierarchy Standard)."""


@record
class CopySpec:
    """The part of a COPY or ADD that says which files of the context go where.

    ``sources`` and ``dest`` are as BuildKit sees them after expansion; ``folders`` are absolute
    paths at which the image is known to have a folder before the step, besides the standard ones.
    """

    sources: tuple[str, ...]
    dest: str
    workdir: str = "/"
    folders: frozenset[str] = frozenset()
    exclude: tuple[str, ...] = ()
    parents: bool = False


@record
class Origin:
    """A path of the context, and the index of the copy that put it there."""

    path: str
    by: int


def clean(source: str) -> str:
    """``source`` as a path of the context: no ``./``, ``../`` or outer slashes; "" is all of it."""
    return posixpath.normpath("/" + source).lstrip("/")


def is_glob(text: str) -> bool:
    """Whether ``text`` has an unescaped ``*``, ``?`` or ``[``."""
    skip = False
    for char in text:
        if skip:
            skip = False
        elif char == "\\":
            skip = True
        elif char in "*?[":
            return True
    return False


def selects(pattern: str, path: str, exclude: tuple[str, ...] = ()) -> bool:
    """Whether a COPY source ``pattern`` takes the context's ``path``, were it there.

    Needs no context. False for a malformed pattern, which a build refuses.
    """
    parts = path.split("/")
    wanted = clean(pattern).split("/") if clean(pattern) else []
    if len(wanted) > len(parts):
        return False
    if not all(test(part) for test, part in zip(_tests(wanted), parts, strict=False)):
        return False
    return not _excluded("/".join(parts[len(wanted) :]), exclude)


def roots(context: Context, pattern: str) -> tuple[str, ...]:
    """The files and folders of the context that ``pattern`` names itself, sorted."""
    path = clean(pattern)
    if not is_glob(path):
        return (path,) if context.is_file(path) or context.is_dir(path) else ()
    found = [""]
    for test, part in zip(_tests(path.split("/")), path.split("/"), strict=True):
        found = list(_below(context, found, test, part))
    return tuple(sorted(found))


def sources(context: Context, pattern: str, exclude: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Every file of the context that a COPY source ``pattern`` takes, sorted.

    ``exclude`` holds the step's ``--exclude`` patterns: they apply below a folder that is
    copied, never to a file that is named itself.
    """
    found: set[str] = set()
    for root in roots(context, pattern):
        found.update(path for path, _ in _files(context, root, exclude))
    return tuple(sorted(found))


def placed(context: Context, spec: CopySpec) -> dict[str, str]:
    """The absolute path in the image of everything that the copy takes, to its file in the context.

    Where two files would get one path, the later wins, as in the build.
    """
    found: dict[str, str] = {}
    dest = destination(spec)
    for source in spec.sources:
        for root in roots(context, source):
            for path, rest in _files(context, root, spec.exclude):
                found[_place(spec, dest, source, path, rest)] = path
    return found


def destination(spec: CopySpec) -> str:
    """The absolute path of the destination, without a closing slash."""
    return _absolute(posixpath.join(spec.workdir or "/", spec.dest))


def is_folder(spec: CopySpec) -> bool:
    """Whether the destination is known to be a folder; if not, it may be one nevertheless."""
    dest = destination(spec)
    return (
        spec.dest.endswith(("/", "/."))
        or spec.dest in ("", ".", "..")
        or spec.dest.endswith("/..")
        or len(spec.sources) > 1
        or dest in STANDARD_FOLDERS
        or dest == _absolute(spec.workdir)
        or _absolute(spec.workdir).startswith(dest + "/")
        or dest in spec.folders
    )


def origin(path: str, copies: Sequence[CopySpec], context: Context) -> Origin | None:
    """What of the context lies at the image's absolute ``path`` after ``copies``; the last wins.

    ``path`` may be a file or a folder. Without a known context the answer is read from the
    names alone: a source with a file's name (``requirements.txt``) is taken for a file.
    """
    path = _absolute(path)
    for by in range(len(copies) - 1, -1, -1):
        spec = copies[by]
        for source in reversed(spec.sources):
            found = _origin_in(path, spec, source, context)
            if found is not None:
                return Origin(found, by)
    return None


def _origin_in(path: str, spec: CopySpec, source: str, context: Context) -> str | None:
    dest = destination(spec)
    rest = _relative(path, dest)
    if rest is None:
        return None
    if spec.parents:
        head = clean(source.split("/./", 1)[0]) if "/./" in source else ""
        found = posixpath.join(head, rest)
        taken = selects(source.replace("/./", "/", 1), found, spec.exclude)
        return found if taken and _there(context, found) else None
    if context.known:
        return _known_origin(rest, spec, source, context)
    return _guessed_origin(rest, spec, source)


def _known_origin(rest: str, spec: CopySpec, source: str, context: Context) -> str | None:
    for root in reversed(roots(context, source)):
        if context.is_dir(root):
            found = posixpath.join(root, rest) if rest else root
            if _there(context, found) and not _excluded(rest, spec.exclude):
                return found
        elif rest == posixpath.basename(root) or (not rest and not is_folder(spec)):
            return root
    return None


def _guessed_origin(rest: str, spec: CopySpec, source: str) -> str | None:
    path = clean(source)
    name = posixpath.basename(path)
    if is_glob(path):
        found = posixpath.join(posixpath.dirname(path), rest)
        flat = rest and "/" not in rest and not is_glob(posixpath.dirname(path))
        return found if flat and selects(path, found) else None
    if path and (rest == name or (not rest and (_file_name(name) and not is_folder(spec)))):
        return path
    if path and _file_name(name) and not source.endswith("/"):
        return None
    if _excluded(rest, spec.exclude):
        return None
    return posixpath.join(path, rest) if rest else path


def _file_name(name: str) -> bool:
    return "." in name[1:] or name in ("Pipfile", "Makefile", "Gemfile", "LICENSE")


def _there(context: Context, path: str) -> bool:
    return not context.known or context.is_file(path) or context.is_dir(path)


def _files(context: Context, root: str, exclude: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The files at or below ``root``, each with its path below it ("" for the file itself)."""
    if not context.is_dir(root):
        yield root, ""
        return
    cut = len(root) + 1 if root else 0
    for path in context.files(root):
        if not _excluded(path[cut:], exclude):
            yield path, path[cut:]


def _place(spec: CopySpec, dest: str, source: str, path: str, rest: str) -> str:
    if spec.parents:
        head, pivot, _ = source.partition("/./")
        cut = clean(head) if pivot else ""
        return _absolute(posixpath.join(dest, path[len(cut) :].lstrip("/")))
    if rest:
        return _absolute(posixpath.join(dest, rest))
    return _absolute(posixpath.join(dest, posixpath.basename(path))) if is_folder(spec) else dest


def _below(
    context: Context, folders: Sequence[str], test: Callable[[str], bool], part: str
) -> Iterator[str]:
    for folder in folders:
        if not is_glob(part):
            path = posixpath.join(folder, part)
            if context.is_file(path) or context.is_dir(path):
                yield path
            continue
        for entry in context.entries(folder):
            name = entry.rstrip("/")
            if test(name):
                yield posixpath.join(folder, name)


def _tests(parts: Sequence[str]) -> list[Callable[[str], bool]]:
    """A test for each component; what precedes the first wildcard is compared as it stands."""
    tests: list[Callable[[str], bool]] = []
    globs = False
    for part in parts:
        globs = globs or is_glob(part)
        tests.append(_glob_test(part) if globs else part.__eq__)
    return tests


def _glob_test(part: str) -> Callable[[str], bool]:
    if malformed(part):
        return lambda name: False
    return pattern_test(part)


def _excluded(rest: str, exclude: tuple[str, ...]) -> bool:
    return bool(rest and exclude) and _rules(exclude).hides(rest)


@lru_cache(maxsize=8)
def _rules(exclude: tuple[str, ...]) -> Ignore:
    return Ignore.of(exclude)


def _relative(path: str, folder: str) -> str | None:
    if path == folder:
        return ""
    prefix = folder if folder == "/" else folder + "/"
    return path[len(prefix) :] if path.startswith(prefix) else None


def _absolute(path: str) -> str:
    return "/" + posixpath.normpath("/" + path).lstrip("/")
