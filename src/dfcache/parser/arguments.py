"""Keyword, flags and arguments of a joined line: the first level of BuildKit's reading."""

from __future__ import annotations

import re

from dfcache.parser.chars import BYTE_SPACE, SPACE, STRAY_SPACE, encode, keyword_name, latin1
from dfcache.parser.execform import NotStrings, strings, unescaped
from dfcache.parser.go import quote
from dfcache.parser.lines import Joined
from dfcache.parser.tree import Flag, Word
from dfcache.parser.words import BLANKS, word_spans

_WORD = re.compile(r"[^\t\v\f\r ]+")
_GARBLED = "BuildKit reads flags byte by byte and garbles the non-ASCII characters in these"


class Parts:
    """What one level of an instruction consists of; ``start`` and ``end`` bound the rest."""

    __slots__ = (
        "end",
        "flags",
        "form",
        "keyword",
        "keyword_start",
        "line",
        "name",
        "opaque",
        "problem",
        "rest",
        "start",
        "words",
    )

    def __init__(self, line: Joined, start: int, keyword: str) -> None:
        self.line = line
        self.keyword = keyword
        self.keyword_start = start
        self.name = keyword_name(keyword)
        self.flags: tuple[Flag, ...] = ()
        self.words: tuple[Word, ...] = ()
        self.form = "shell"
        self.opaque: str | None = None
        self.problem: str | None = None
        # Where the rest stands: in the line itself but for garbled flags.
        self.rest = line
        self.start = 0
        self.end = 0


def read(line: Joined, start: int, end: int, escape: str) -> Parts:
    """Read ``line.value[start:end]`` as an instruction, all but the child of an ONBUILD."""
    value = line.value
    start, end = _trim(value, start, end)
    blanks = BLANKS.search(value, start, end)
    parts = Parts(line, start, value[start : blanks.start() if blanks else end])
    parts.start = parts.end = end
    if blanks:
        parts.start = blanks.end()
        _read_flags(parts, end, escape)
        parts.start, parts.end = _trim(parts.rest.value, parts.start, parts.end)
    shape = _SHAPES.get(parts.name)
    if shape and parts.start < parts.end:
        try:
            shape(parts, escape)
        except NotStrings as refusal:
            parts.problem = str(refusal)
    return parts


def _trim(value: str, start: int, end: int) -> tuple[int, int]:
    """``start`` and ``end`` moved inward past white space."""
    if start < end and value[start] in SPACE:
        start = end - len(value[start:end].lstrip(SPACE))
    if start < end and value[end - 1] in SPACE:
        end = start + len(value[start:end].rstrip(SPACE))
    return start, end


def _read_flags(parts: Parts, end: int, escape: str) -> None:
    """Take the flags off what begins at ``parts.start``; sets where the rest stands."""
    line = parts.line
    value = line.value
    start = parts.start
    while start < end and value[start] in STRAY_SPACE:
        start += 1
    parts.start, parts.end = start, end
    if not value.startswith("--", start, end):
        return
    if not value.isascii():
        _read_bytewise(parts, value[start:end], escape)
        return
    found, at = _scan(value, start, end, escape)
    parts.flags = tuple(_flag(line, first, last, text) for first, last, text in found)
    parts.start = at


def _read_bytewise(parts: Parts, tail: str, escape: str) -> None:
    raw = latin1(tail)
    found, at = _scan(raw, 0, len(raw), escape)
    line = parts.line
    base = parts.start
    if raw[:at].isascii():
        # As far as the flags go, a byte is a character.
        parts.flags = tuple(
            _flag(line, base + first, base + last, text) for first, last, text in found
        )
        parts.start = base + at
        return
    chars = [base + index for index, char in enumerate(tail) for _ in encode(char)]
    parts.flags = tuple(
        _flag(line, chars[first], chars[last - 1] + 1, text) for first, last, text in found
    )
    parts.opaque = _GARBLED
    parts.rest = _decoded_rest(line, raw[at:], chars[at:], parts.end)
    parts.start, parts.end = 0, len(parts.rest.value)


def _decoded_rest(line: Joined, raw: str, chars: list[int], end: int) -> Joined:
    """What is left after flags that may have ended in the middle of a character."""
    text = raw.encode("latin-1").decode("utf-8", "surrogateescape")
    starts, offsets = [], []
    at = 0
    for index, char in enumerate(text):
        starts.append(index)
        offsets.append(line.offset(chars[at]))
        at += len(encode(char))
    return Joined(text, starts or [0], offsets or [line.offset(end)])


def _scan(text: str, at: int, end: int, escape: str) -> tuple[list[tuple[int, int, str]], int]:
    """The flags from ``at`` on (start, end, value without quotes), and where they end."""
    found: list[tuple[int, int, str]] = []
    while True:
        while at < end and text[at] in BYTE_SPACE:
            at += 1
        if not text.startswith("--", at, end):
            return found, at
        start = at
        value: list[str] = []
        quoted = ""
        while at < end:
            char = text[at]
            at += 1
            if char == quoted:
                quoted = ""
                continue
            if not quoted:
                if char in BYTE_SPACE:
                    at -= 1
                    break
                if char in "'\"":
                    quoted = char
                    continue
            if char == escape:
                if at == end:
                    break
                char = text[at]
                at += 1
            value.append(char)
        flag = "".join(value)
        if flag == "--":
            return found, at
        found.append((start, at, flag))


def _flag(line: Joined, start: int, end: int, text: str) -> Flag:
    name, equals, value = text.partition("=")
    return Flag(name[2:], value if equals else None, line.value[start:end], line.span(start, end))


def _whole(parts: Parts, escape: str) -> None:
    parts.words = (_word(parts.rest, parts.start, parts.end),)


def _split(parts: Parts, escape: str) -> None:
    line = parts.rest
    found = _WORD.finditer(line.value, parts.start, parts.end)
    parts.words = tuple([_word(line, *match.span()) for match in found])


def _maybe_exec(parts: Parts, escape: str) -> None:
    if not _exec(parts, parts.start):
        _whole(parts, escape)


def _maybe_exec_or_split(parts: Parts, escape: str) -> None:
    if not _exec(parts, parts.start):
        _split(parts, escape)


def _exec(parts: Parts, start: int) -> bool:
    """Read the rest from ``start`` on as a JSON array, if it is one. Raises NotStrings."""
    line = parts.rest
    if line.value[start] != "[":
        return False
    text = line.value[start : parts.end]
    found = strings(text, 0)
    if found is None:
        return False
    parts.form = "exec"
    parts.words = tuple(
        Word(unescaped(text[first:last]), line.span(start + first, start + last))
        for first, last in found
    )
    return True


def _quoted_words(parts: Parts, escape: str) -> None:
    line = parts.rest
    start = parts.start
    found = word_spans(line.value[start : parts.end], escape)
    parts.words = tuple([_word(line, start + first, start + last) for first, last in found])


def _pairs(parts: Parts, escape: str) -> None:
    _quoted_words(parts, escape)
    if not parts.words:
        return
    if "=" not in parts.words[0].value:
        if not BLANKS.search(parts.rest.value, parts.start, parts.end):
            parts.problem = f"{parts.name} must have two arguments"
        return
    for word in parts.words:
        if "=" not in word.value:
            parts.problem = (
                f"Syntax error - can't find = in {quote(word.value)}. "
                "Must be of the form: name=value"
            )
            return


def _health(parts: Parts, escape: str) -> None:
    line = parts.rest
    text = line.value[parts.start : parts.end]
    raw = text if text.isascii() else latin1(text)
    sep = 0
    while sep < len(raw) and raw[sep] not in BYTE_SPACE:
        sep += 1
    following = sep
    while following < len(raw) and raw[following] in BYTE_SPACE:
        following += 1
    if not raw[:following].isascii():
        _garbled_health(parts, raw, sep, following)
        return
    if not sep:
        return
    kind = _word(line, parts.start, parts.start + sep)
    start = parts.start + following
    if start >= parts.end:
        parts.words = (kind,)
    elif _exec(parts, _trim(line.value, start, parts.end)[0]):
        parts.words = (kind, *parts.words)
    else:
        parts.words = (kind, _word(line, start, parts.end))


def _garbled_health(parts: Parts, raw: str, sep: int, following: int) -> None:
    """A first word that BuildKit may end in the middle of a character."""
    parts.opaque = _GARBLED
    if not sep:
        return
    span = parts.rest.span(parts.start, parts.end)
    texts = [
        piece.encode("latin-1").decode("utf-8", "surrogateescape")
        for piece in (raw[:sep], raw[following:])
        if piece
    ]
    found = strings(texts[1], 0) if len(texts) > 1 else None
    if found is not None:
        parts.form = "exec"
        texts[1:] = [unescaped(texts[1][first:last]) for first, last in found]
    parts.words = tuple(Word(text, span) for text in texts)


def _nothing(parts: Parts, escape: str) -> None:
    pass


def _word(line: Joined, start: int, end: int) -> Word:
    return Word(line.value[start:end], line.span(start, end))


_SHAPES = {
    "ADD": _maybe_exec_or_split,
    "ARG": _quoted_words,
    "CMD": _maybe_exec,
    "COPY": _maybe_exec_or_split,
    "ENTRYPOINT": _maybe_exec,
    "ENV": _pairs,
    "EXPOSE": _split,
    "FROM": _split,
    "HEALTHCHECK": _health,
    "LABEL": _pairs,
    "MAINTAINER": _whole,
    "ONBUILD": _nothing,
    "RUN": _maybe_exec,
    "SHELL": _maybe_exec,
    "STOPSIGNAL": _whole,
    "USER": _whole,
    "VOLUME": _maybe_exec_or_split,
    "WORKDIR": _whole,
}
KEYWORDS = tuple(_SHAPES)
