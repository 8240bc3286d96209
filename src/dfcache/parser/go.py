"""How BuildKit words its messages: Go's quoting, and "did you mean"."""

from __future__ import annotations

from collections.abc import Iterable

from dfcache.parser.chars import lower, upper

_ESCAPES = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
    '"': '\\"',
}
# A suggestion is made for what is less than this many changes away.
_TOO_FAR = 3


def quote(text: str) -> str:
    """``text`` in double quotes as Go's ``%q`` prints it."""
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def suggestions(value: str, options: Iterable[str], *, any_case: bool = False) -> tuple[str, ...]:
    """The options nearest to ``value``, if any is near; BuildKit names one of them at random."""
    sought = lower(value) if any_case else value
    best = _TOO_FAR
    found: list[str] = []
    for option in options:
        distance = _distance(sought, lower(option) if any_case else option, best)
        if distance == 0:
            return ()
        if distance < best:
            best, found = distance, [option]
        elif distance == best < _TOO_FAR:
            found.append(option)
    return tuple(sorted(_cased(option, value) for option in found) if any_case else sorted(found))


def did_you_mean(
    message: str, value: str, options: Iterable[str], *, any_case: bool = False
) -> str:
    """``message`` with BuildKit's hint, where it gives one; of equally near ones, the first."""
    found = suggestions(value, options, any_case=any_case)
    return f"{message} (did you mean {found[0]}?)" if found else message


def _cased(option: str, like: str) -> str:
    if like == lower(like):
        return lower(option)
    # Options are compared, and therefore printed, in lower case.
    return upper(option) if like == upper(like) else lower(option)


def _distance(one: str, two: str, limit: int) -> int:
    """The number of single changes between the two texts; ``limit + 1`` for more than that."""
    if abs(len(one) - len(two)) > limit:
        return limit + 1
    row = list(range(len(two) + 1))
    for index, char in enumerate(one, 1):
        diagonal, row[0] = row[0], index
        for column, other in enumerate(two, 1):
            cost = min(row[column] + 1, row[column - 1] + 1, diagonal + (char != other))
            diagonal, row[column] = row[column], cost
    return row[-1]
