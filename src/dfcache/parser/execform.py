"""The exec form: a JSON array of strings, and where its strings stand in the file."""

from __future__ import annotations

import re

from dfcache.parser.tree import Instruction, Piece, Text

NOT_STRINGS = "when using JSON array syntax, arrays must be comprised of strings only"

_EMPTY = re.compile(r"\[[ \t\r\n]*\]")
_ITEM = re.compile(
    r'[ \t\r\n]*("(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")[ \t\r\n]*([,\]])'
)
_PLAIN = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class NotStrings(ValueError):
    """A valid JSON array with something else than strings in it: BuildKit refuses the file."""


def strings(text: str, start: int) -> list[tuple[int, int]] | None:
    """The places, quotes included, of the strings of the array that is ``text[start:]``.

    None if that is no valid JSON array. Raises NotStrings.
    """
    if not text.startswith("[", start):
        return None
    if _EMPTY.fullmatch(text, start):
        return []
    found = []
    at = start + 1
    while match := _ITEM.match(text, at):
        found.append(match.span(1))
        at = match.end()
        if match[2] == "]":
            if at == len(text):
                return found
            break
    if _is_array(text[start:]):
        raise NotStrings(NOT_STRINGS)
    return None


def _is_array(text: str) -> bool:
    import json

    try:
        json.loads(text, parse_constant=_refuse, parse_int=_number, parse_float=_number)
    except (ValueError, RecursionError):
        return False
    return True


def _number(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(text)
    return value


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def unescaped(raw: str) -> str:
    """The value of a JSON string given with its quotes."""
    return unescape(raw)[0] if "\\" in raw else raw[1:-1]


def unescape(raw: str) -> tuple[str, list[tuple[int, int, int]]]:
    """The value, and (index in the value, index in ``raw``, length) of the runs it is made of."""
    result: list[str] = []
    runs: list[tuple[int, int, int]] = []
    size = 0
    at = 1
    last = len(raw) - 1
    while at < last:
        escape = raw.find("\\", at, last)
        stop = last if escape < 0 else escape
        if stop > at:
            result.append(raw[at:stop])
            runs.append((size, at, stop - at))
            size += stop - at
        if escape < 0:
            break
        char, width = _escaped(raw, escape)
        result.append(char)
        runs.append((size, escape, 1))
        size += 1
        at = escape + width
    return "".join(result), runs


def _escaped(raw: str, at: int) -> tuple[str, int]:
    """The character an escape stands for, and the escape's length."""
    kind = raw[at + 1]
    if kind != "u":
        return _PLAIN.get(kind, kind), 2
    code = int(raw[at + 2 : at + 6], 16)
    if not 0xD800 <= code <= 0xDFFF:
        return chr(code), 6
    if code < 0xDC00 and raw.startswith("\\u", at + 6):
        low = int(raw[at + 8 : at + 12], 16)
        if 0xDC00 <= low <= 0xDFFF:
            return chr(0x10000 + ((code - 0xD800) << 10) + low - 0xDC00), 12
    return "\ufffd", 6


def exec_texts(instruction: Instruction) -> tuple[Text, ...]:
    """The strings of an instruction in exec form, unescaped, with their places in the file.

    Empty for the shell form. For HEALTHCHECK, the strings after ``CMD``.
    """
    if instruction.form != "exec":
        return ()
    rest = instruction.rest
    places = strings(rest.value, rest.value.find("[")) or []
    return tuple(_placed(rest, start, end) for start, end in places)


def _placed(rest: Text, start: int, end: int) -> Text:
    value, runs = unescape(rest.value[start:end])
    pieces = []
    for index, raw, length in runs:
        for piece in rest.slice(start + raw, start + raw + length).pieces:
            pieces.append(Piece(index + piece.start, piece.offset, piece.length))
    return Text(value, tuple(pieces) or (Piece(0, rest.offset(start) + 1, 0),))
