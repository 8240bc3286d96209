"""``.dockerignore``, read as Docker and BuildKit read it.

Facts are from moby/patternmatcher (the patterns) and its ``ignorefile`` (the file), and from the
walk of the context in tonistiigi/fsutil, which asks for each path with what its folder matched.
That has a consequence the older ways of asking did not have: of ``*.pyc`` then ``!src``, the
second shows ``src`` itself, but not ``src/a.pyc``, which the first hides after it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable

_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""What Go's ``strings.TrimSpace`` takes away."""


def read_patterns(text: str) -> tuple[str, ...]:
    """The patterns of an ignore file, cleaned as paths; ``!`` stays in front."""
    patterns: list[str] = []
    for line in text.removeprefix("\ufeff").split("\n"):
        # A line ends in one CR at most before its LF; further blanks go with the trimming.
        if line.startswith("#"):
            continue
        line = line.strip(_SPACE)
        if not line:
            continue
        mark = "!" if line[0] == "!" else ""
        body = line[len(mark) :].strip(_SPACE)
        if body:
            body = _clean(body)
            body = body[1:] if len(body) > 1 and body[0] == "/" else body
        patterns.append(mark + body)
    return tuple(patterns)


def malformed(pattern: str) -> bool:
    """Whether Go's ``filepath.Match`` calls it bad: an open or empty class, a last ``\\``."""
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "\\":
            if at == len(pattern):
                return True
            at += 1
        elif char == "[":
            end = _class_end(pattern, at)
            if end is None:
                return True
            at = end
    return False


def pattern_test(pattern: str) -> Callable[[str], bool]:
    """A test whether a whole path matches ``pattern``, where ``**`` spans folders.

    Raises re.error for a class that Go's regular expressions refuse as well, such as ``[z-a]``.
    """
    if not _special(pattern):
        return pattern.__eq__
    if pattern.startswith("**") and not _special(pattern[2:]):
        end = pattern[2:]
        return lambda path: path.endswith(end) or (end[:1] == "/" and path == end[1:])
    if pattern.endswith("**") and not _special(pattern[:-2]):
        return lambda path: path.startswith(pattern[:-2])
    match = re.compile(_expression(pattern)).fullmatch
    return lambda path: match(path) is not None


class Ignore:
    """Decides which paths of a context are hidden from the build.

    ``problems`` are patterns that make a build fail; they hide nothing here.
    """

    __slots__ = ("_known", "_patterns", "patterns", "problems")

    def __init__(self, text: str = "") -> None:
        self._set(read_patterns(text))

    @classmethod
    def of(cls, patterns: Iterable[str]) -> Ignore:
        """From patterns that are at hand, as those of ``COPY --exclude``."""
        made = cls()
        made._set(tuple(patterns))
        return made

    def _set(self, patterns: tuple[str, ...]) -> None:
        self.patterns = patterns
        self.problems: tuple[str, ...] = ()
        self._patterns: list[tuple[bool, str, Callable[[str], bool]]] = []
        self._known: dict[str, tuple[bool, tuple[bool, ...]]] = {}
        for pattern in patterns:
            self._add(pattern)

    def _add(self, pattern: str) -> None:
        body = pattern.strip(_SPACE)
        if not body:
            return
        body = _clean(body)
        shows = body[0] == "!"
        body = body[1:] if shows else body
        try:
            if not body or malformed(body):
                raise re.error("bad pattern")
            test = pattern_test(body)
        except re.error:
            self.problems += (pattern,)
            return
        self._patterns.append((shows, body, test))

    def hides(self, path: str) -> bool:
        """Whether the build cannot see ``path``, relative to the context and with ``/``."""
        path = _clean(path).lstrip("/")
        if path == "." or not self._patterns:
            return False
        return self._match(path)[0]

    def shows_below(self, folder: str) -> bool:
        """Whether something below the hidden ``folder`` might be shown again."""
        inside = folder + "/"
        for shows, body, _ in self._patterns:
            head = _literal_head(body)
            if shows and (
                not head or f"{head}/".startswith(inside) or inside.startswith(f"{head}/")
            ):
                return True
        return False

    def _match(self, path: str) -> tuple[bool, tuple[bool, ...]]:
        """Whether ``path`` is hidden, and for each pattern whether it counts as matched."""
        known = self._known.get(path)
        if known is not None:
            return known
        folder = posixpath.dirname(path)
        above = self._match(folder)[1] if folder else ()
        hidden = False
        matched: list[bool] = []
        for index, (shows, _, test) in enumerate(self._patterns):
            match = bool(above) and above[index]
            # A pattern that could change nothing is not asked, and so not remembered for what
            # is below: that is what the walk of a build does.
            if not match and shows == hidden:
                match = test(path)
            matched.append(match)
            if match:
                hidden = not shows
        self._known[path] = hidden, tuple(matched)
        return self._known[path]


def _clean(path: str) -> str:
    """Go's ``filepath.Clean``; unlike Python's, it leaves one leading slash of two."""
    cleaned = posixpath.normpath(path)
    return cleaned[1:] if cleaned.startswith("//") else cleaned


def _literal_head(pattern: str) -> str:
    """The leading folders of a pattern that hold no special character."""
    head: list[str] = []
    for part in pattern.split("/"):
        if _special(part):
            return "/".join(head)
        head.append(part)
    return pattern


def _class_end(pattern: str, at: int) -> int | None:
    """Where the class that opened before ``at`` ends, or None if it is malformed."""
    if pattern[at : at + 1] == "^":
        at += 1
    first = True
    while at < len(pattern):
        if pattern[at] == "]" and not first:
            return at + 1
        first = False
        after = _class_member(pattern, at)
        if after is not None and pattern[after : after + 1] == "-":
            after = _class_member(pattern, after + 1)
        if after is None:
            return None
        at = after
    return None


def _class_member(pattern: str, at: int) -> int | None:
    char = pattern[at : at + 1]
    if char in ("", "-", "]"):
        return None
    if char != "\\":
        return at + 1
    return at + 2 if at + 1 < len(pattern) else None


def _special(text: str) -> bool:
    return any(char in "*?[]\\" for char in text)


def _expression(pattern: str) -> str:
    """The pattern as a regular expression, quirks included.

    ``a**b`` asks for a slash between, a wildcard inside a class takes the class apart, and ``^``
    means the start of the text: so it is in patternmatcher.
    """
    out: list[str] = []
    at, end, in_class = 0, len(pattern), False
    while at < end:
        char = pattern[at]
        at += 1
        if char == "\\":
            out.append("\\" + pattern[at : at + 1])
            at += 1
        elif char == "*" and pattern[at : at + 1] == "*":
            at += 2 if pattern[at + 1 : at + 2] == "/" else 1
            out.append(".*" if at >= end else "(.*/)?")
        elif char in "*?":
            out.append(("\\" if in_class else "") + "[^/]" + ("*" if char == "*" else ""))
            in_class = False
        elif char in "[]":
            out.append("\\[" if char == "[" and in_class else char)
            in_class = char == "["
        else:
            out.append("\\" + char if char in ".+()|{}$&~" else char)
    return "".join(out)
