"""Requirements files, read as pip reads them.

Facts are from pip's ``_internal/req/req_file.py`` (lines, options, includes) and
``constructors.py`` (what is a path, a URL or a name). Includes are relative to the file that
has them; local projects and archives are relative to where pip runs.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from dfcache.record import EMPTY, record, replace
from dfcache.text import Span

Read = Callable[[str], str | None]

_VALUED = frozenset(
    (
        "--index-url", "--pypi-url", "--extra-index-url", "--constraint", "--requirement",
        "--editable", "--find-links", "--no-binary", "--only-binary", "--trusted-host",
        "--use-feature", "--global-option", "--install-option", "--hash", "--config-settings",
        "--all-releases", "--only-final",
    )
)  # fmt: skip
_FLAGS = frozenset(("--no-index", "--prefer-binary", "--require-hashes", "--pre"))
_SHORT = {
    "-i": "--index-url",
    "-c": "--constraint",
    "-r": "--requirement",
    "-e": "--editable",
    "-f": "--find-links",
    "-C": "--config-settings",
}
_ARCHIVES = (
    ".zip", ".whl", ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tlz",
    ".tar.lz", ".tar.lzma",
)  # fmt: skip
_SCHEMES = ("git+", "hg+", "svn+", "bzr+")
# Not compiled here: most runs read no requirements file, and re keeps what it compiled.
_CLAUSE = r"(===?|~=|!=|<=?|>=?)\s*[^\s=<>~!();\[\]]\S*"
_COMMENT = r"(^|\s+)#.*$"


@record
class Requirement:
    """One thing that a requirements file asks for, or holds to a version.

    ``name`` is normalised, "" where the text does not tell it. ``text`` is what pip is given,
    without options. ``path`` is set for local projects and archives: as written but normalised,
    relative to pip's working directory. ``span`` covers all physical lines of it in ``file``,
    whose ``line`` (from 1) is the first.
    """

    name: str
    text: str
    file: str
    line: int
    span: Span
    specifier: str = ""
    extras: tuple[str, ...] = ()
    marker: str = ""
    hashes: tuple[str, ...] = ()
    url: str | None = None
    path: str | None = None
    editable: bool = False
    constraint: bool = False

    @property
    def pinned(self) -> bool:
        """Whether it names one version: by ``==``, a hash, a commit, or a file of the project."""
        if self.hashes or self.path is not None:
            return True
        if self.url is not None:
            return _pinned_url(self.url)
        clauses = self.specifier.strip("() ").split(",")
        return any(c.strip().startswith("==") and not c.strip().endswith("*") for c in clauses)


@record
class Requirements:
    """A requirements file with all that it includes.

    ``files`` are those read, in order of first mention; ``missing`` those that are not there;
    ``remote`` those on a server. ``options`` holds the values of each long option that stands
    on a line of its own, flags with none. ``variables`` are the names in ``${NAME}``.
    ``problems`` are (file, line, message) of what pip would refuse.
    """

    files: tuple[str, ...] = ()
    entries: tuple[Requirement, ...] = ()
    missing: tuple[str, ...] = ()
    remote: tuple[str, ...] = ()
    options: Mapping[str, tuple[str, ...]] = EMPTY
    variables: tuple[str, ...] = ()
    problems: tuple[tuple[str, int, str], ...] = ()

    @property
    def locals(self) -> tuple[Requirement, ...]:
        """The local projects and archives among the entries."""
        return tuple(entry for entry in self.entries if entry.path is not None)

    @property
    def require_hashes(self) -> bool:
        """Whether pip demands a hash of everything, which one hash is enough for."""
        return "--require-hashes" in self.options or any(entry.hashes for entry in self.entries)


def read_requirements(
    read: Read, path: str, *, constraint: bool = False, env: Mapping[str, str] | None = None
) -> Requirements:
    """What the requirements file at ``path`` asks for, includes and all.

    ``read`` gives the text of a file, or None; it is asked for ``path`` and for paths made from
    it, normalised. A file in another format (``pylock.toml``, ``pyproject.toml``) is only listed.
    """
    reader = _Reader(read, env or {})
    reader.file(_normal(path), constraint, ())
    return reader.result()


def parse_requirement(text: str) -> Requirement | None:
    """One requirement as it stands in a list of a manifest, or None if it is none."""
    given, editable, target = text.strip(), text.strip().startswith("-e "), text.strip()[3:].strip()
    entry = Requirement("", target if editable else given, "", 1, Span(0, len(text)))
    try:
        return _editable(replace(entry, editable=True)) if editable else _named(entry)
    except ValueError:
        return None


class _Reader:
    def __init__(self, read: Read, env: Mapping[str, str]) -> None:
        self._read = read
        self._env = env
        self._done: set[tuple[str, bool]] = set()
        # Dictionaries serve as sets that keep the order.
        self._files: dict[str, None] = {}
        self._missing: dict[str, None] = {}
        self._remote: dict[str, None] = {}
        self._variables: dict[str, None] = {}
        self._options: dict[str, tuple[str, ...]] = {}
        self._entries: list[Requirement] = []
        self._problems: list[tuple[str, int, str]] = []

    def result(self) -> Requirements:
        return Requirements(
            tuple(self._files),
            tuple(self._entries),
            tuple(self._missing),
            tuple(self._remote),
            self._options,
            tuple(self._variables),
            tuple(self._problems),
        )

    def file(self, path: str, constraint: bool, within: tuple[str, ...]) -> None:
        if (path, constraint) in self._done:
            return
        self._done.add((path, constraint))
        text = self._read(path)
        if text is None:
            self._missing[path] = None
            return
        self._files[path] = None
        if path.endswith((".toml", ".cfg", ".py")):
            return
        for line, span, content in _logical_lines(text):
            self._line(path, line, span, self._expand(content), constraint, (*within, path))

    def _expand(self, line: str) -> str:
        if "${" not in line:
            return line
        for name in re.findall(r"\$\{([A-Z0-9_]+)\}", line):
            self._variables[name] = None
            value = self._env.get(name)
            line = line.replace(f"${{{name}}}", value) if value else line
        return line

    def _line(
        self, file: str, line: int, span: Span, text: str, constraint: bool, within: tuple[str, ...]
    ) -> None:
        try:
            body, options = _split(text)
            entry = Requirement("", body, file, line, span, constraint=constraint)
            editables = [value for name, value in options if name == "--editable"]
            if body:
                hashes = tuple(value for name, value in options if name == "--hash")
                self._entries.append(replace(_named(entry), hashes=hashes))
                return
            if editables:
                self._entries.append(_editable(replace(entry, text=editables[0], editable=True)))
                return
        except ValueError as error:
            self._problems.append((file, line, str(error)))
            return
        for kind in ("--requirement", "--constraint"):
            for name, value in options:
                if name == kind:
                    self._include(file, line, value, kind == "--constraint", within)
                    return
        for name, value in options:
            values = self._options.get(name, ())
            self._options[name] = values if name in _FLAGS else (*values, value)

    def _include(
        self, file: str, line: int, target: str, constraint: bool, within: tuple[str, ...]
    ) -> None:
        scheme = target.split(":", 1)[0].lower() if ":" in target else ""
        if scheme in ("http", "https"):
            self._remote[target] = None
            return
        if scheme == "file":
            path = _url_path(target)
        else:
            path = posixpath.join(posixpath.dirname(file), target)
        path = _normal(path)
        if path in within:
            self._problems.append((file, line, f"{path} includes itself"))
            return
        self.file(path, constraint, within)


def _logical_lines(text: str) -> Iterator[tuple[int, Span, str]]:
    """The lines that hold something, joined and without comments: number, place and text.

    ``splitlines`` is right here: it is what pip counts with.
    """
    parts: list[str] = []
    first = start = at = 0
    for number, raw in enumerate(text.splitlines(keepends=True), 1):
        line = raw.splitlines()[0]
        if not parts:
            first, start = number, at
        at += len(raw)
        comment = re.match(_COMMENT, line) is not None
        if line.endswith("\\") and not comment:
            parts.append(line.strip("\\"))
            continue
        # A comment must stay one when it is joined to what stands before it.
        parts.append(" " + line if comment else line)
        yield from _content(first, Span(start, at - len(raw) + len(line)), "".join(parts))
        parts = []
    if parts:
        end = len(text) - len(raw) + len(line)
        yield from _content(first, Span(start, end), "".join(parts))


def _content(number: int, span: Span, line: str) -> Iterator[tuple[int, Span, str]]:
    line = re.sub(_COMMENT, "", line).strip()
    if line:
        yield number, span, line


def _split(line: str) -> tuple[str, list[tuple[str, str]]]:
    """What stands before the first option, and the options with their values.

    Raises ValueError where pip's option parser does.
    """
    words = line.split(" ")
    cut = next((i for i, word in enumerate(words) if word.startswith("-")), len(words))
    rest = " ".join(words[cut:])
    if any(char in rest for char in "'\"\\"):
        import shlex

        tokens = shlex.split(rest)
    else:
        tokens = rest.split()
    return " ".join(words[:cut]), list(_options(tokens))


def _options(tokens: Sequence[str]) -> Iterator[tuple[str, str]]:
    rest = iter(tokens)
    for token in rest:
        if token == "--":
            return
        if token == "-" or not token.startswith("-"):
            continue
        name, value = _option(token)
        if name in _FLAGS:
            if value is not None:
                raise ValueError(f"{name} takes no value")
            yield name, ""
            continue
        value = next(rest, None) if value is None else value
        if value is None:
            raise ValueError(f"{name} needs a value")
        yield "--index-url" if name == "--pypi-url" else name, value


def _option(token: str) -> tuple[str, str | None]:
    """The option's full name, and the value where it is in the same word."""
    if not token.startswith("--"):
        name = _SHORT.get(token[:2])
        if name is None:
            raise ValueError(f"no such option: {token[:2]}")
        return name, token[2:] or None
    head, equals, value = token.partition("=")
    known = _VALUED | _FLAGS
    fitting = [head] if head in known else sorted(name for name in known if name.startswith(head))
    if len(fitting) != 1:
        raise ValueError(f"no such option: {head}" if not fitting else f"ambiguous option: {head}")
    return fitting[0], value if equals else None


def _named(entry: Requirement) -> Requirement:
    """The entry with what its text says. Raises ValueError if it is no requirement."""
    body, _, marker = entry.text.partition("; " if _is_url(entry.text) else ";")
    body = body.strip()
    entry = replace(entry, marker=marker.strip())
    if _is_url(body):
        return _link(entry, body)
    head, at, target = body.partition("@")
    if at and not _looks_like_path(head):
        name = _name(entry, head.strip())
        return replace(_link(entry, target.strip()), name=name.name, extras=name.extras)
    bare, extras = _strip_extras(body)
    if "://" in body:
        raise ValueError(f"not a requirement: {body}")
    if _looks_like_path(body) or bare.lower().endswith(_ARCHIVES):
        return replace(_local(entry, bare), extras=extras)
    return _name(entry, body)


def _editable(entry: Requirement) -> Requirement:
    text = entry.text
    if text.lower().startswith(("git:", "hg:", "svn:", "bzr:")):
        text = text.split(":", 1)[0] + "+" + text
    if text.lower().startswith(_SCHEMES):
        return _link(entry, text)
    bare, extras = _strip_extras(text)
    if bare.lower().startswith("file:"):
        return replace(_link(entry, bare), extras=extras)
    if "://" in text:
        raise ValueError(f"neither a folder nor a version control URL: {text}")
    return replace(_local(entry, bare), extras=extras)


def _name(entry: Requirement, text: str) -> Requirement:
    """Name, extras and specifier of ``name[extra]>=1``."""
    end = 0
    while end < len(text) and text[end].isascii() and (text[end].isalnum() or text[end] in "._-"):
        end += 1
    name, rest = text[:end], text[end:].strip()
    extras: tuple[str, ...] = ()
    if rest.startswith("["):
        inside, closed, rest = rest[1:].partition("]")
        extras = _listed(inside)
        rest = rest.strip() if closed else "["
    if not name or not name[0].isalnum() or not _specifies(rest):
        raise ValueError(f"not a requirement: {text}")
    return replace(entry, name=normalised(name), extras=extras, specifier=rest)


def _specifies(text: str) -> bool:
    """Whether ``text`` is a version specifier, or nothing."""
    if text.startswith("("):
        text = text[1:].removesuffix(")")
    return all(
        not clause.strip() or re.fullmatch(_CLAUSE, clause.strip()) for clause in text.split(",")
    )


def normalised(name: str) -> str:
    """A package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _link(entry: Requirement, url: str) -> Requirement:
    """The entry with a URL, or with the local path that stands in its place."""
    target, _, fragment = url.partition("#")
    if not _is_url(target):
        return _local(entry, target)
    if target.lower().startswith("file:"):
        return replace(_local(entry, _url_path(target)), url=url)
    egg = dict(part.partition("=")[::2] for part in fragment.split("&")).get("egg", "")
    name, extras = _strip_extras(egg)
    return replace(entry, url=url, name=_wheel_name(target) or normalised(name), extras=extras)


def _local(entry: Requirement, path: str) -> Requirement:
    return replace(entry, path=_normal(path), name=_wheel_name(path))


def _wheel_name(path: str) -> str:
    name = posixpath.basename(path)
    return normalised(name.split("-")[0]) if name.endswith(".whl") else ""


def _url_path(url: str) -> str:
    from urllib.parse import unquote

    path = unquote(url.split(":", 1)[1].partition("#")[0])
    if path.startswith("//"):
        _, slash, rest = path[2:].partition("/")
        path = slash + rest
    return path


def _strip_extras(text: str) -> tuple[str, tuple[str, ...]]:
    if not text.endswith("]") or "[" not in text[1:]:
        return text, ()
    bare, _, inside = text[:-1].rpartition("[")
    return bare, _listed(inside)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _looks_like_path(text: str) -> bool:
    return "/" in text or text.startswith(".")


def _is_url(text: str) -> bool:
    scheme = text.split(":", 1)[0].lower() if ":" in text else ""
    return scheme in ("http", "https", "file", "ftp") or scheme.startswith(_SCHEMES)


def _pinned_url(url: str) -> bool:
    target, _, fragment = url.partition("#")
    if any(part.startswith(("sha", "md5=")) for part in fragment.split("&")):
        return True
    if not target.lower().startswith(_SCHEMES):
        return False
    revision = target.rpartition("@")[2] if "@" in target.rpartition("/")[2] else ""
    return re.fullmatch(r"[0-9a-f]{7,40}", revision) is not None


def _normal(path: str) -> str:
    return posixpath.normpath(path) if path else "."
