"""The times and counts of HEALTHCHECK, as Go reads them."""

from __future__ import annotations

from dfcache.parser.go import quote

_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9}
_UNITS |= {"m": 60 * 10**9, "h": 3600 * 10**9}
_MOST = 2**63 - 1
_LEAST = 10**6
_TIMES = ("interval", "timeout", "start-period", "start-interval")


def health_refusal(flags: dict[str, str]) -> str | None:
    """Why BuildKit refuses the flags of a HEALTHCHECK, if it does."""
    for name in _TIMES:
        value = flags.get(name)
        if not value:
            continue
        try:
            time = nanoseconds(value)
        except ValueError as error:
            return str(error)
        if time and time < _LEAST:
            return f"Interval {quote(name)} cannot be less than 1ms"
    return _retries(flags.get("retries", ""))


def _retries(text: str) -> str | None:
    if not text:
        return None
    shown = f"strconv.ParseInt: parsing {quote(text)}"
    digits = text[1:] if text[0] in "+-" else text
    if not (digits.isascii() and digits.isdigit()):
        return f"{shown}: invalid syntax"
    value = -int(digits[:20]) if text[0] == "-" else int(digits[:20])
    if not -(2**31) <= value < 2**31:
        return f"{shown}: value out of range"
    return f"--retries cannot be negative ({value})" if value < 0 else None


def nanoseconds(text: str) -> int:
    """The length of a time like ``1h30m`` or ``1.5s``. Raises ValueError with Go's message."""
    invalid = ValueError(f"time: invalid duration {quote(text)}")
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return 0
    if not rest:
        raise invalid
    total = 0
    while rest:
        if not (rest[0] == "." or "0" <= rest[0] <= "9"):
            raise invalid
        whole, rest = _digits(rest)
        fraction = ""
        if rest.startswith("."):
            fraction, rest = _digits(rest[1:])
        if not whole and not fraction:
            raise invalid
        unit, rest = _unit(rest)
        if not unit:
            raise ValueError(f"time: missing unit in duration {quote(text)}")
        if unit not in _UNITS:
            raise ValueError(f"time: unknown unit {quote(unit)} in duration {quote(text)}")
        if len(whole) > 20:
            raise invalid
        total += int(whole or "0") * _UNITS[unit]
        if fraction:
            total += int(fraction[:18]) * _UNITS[unit] // 10 ** len(fraction[:18])
        if total > _MOST + 1:
            raise invalid
    if text[0] == "-":
        return -total
    if total > _MOST:
        raise invalid
    return total


def _digits(text: str) -> tuple[str, str]:
    size = 0
    while size < len(text) and "0" <= text[size] <= "9":
        size += 1
    return text[:size], text[size:]


def _unit(text: str) -> tuple[str, str]:
    size = 0
    while size < len(text) and text[size] != "." and not "0" <= text[size] <= "9":
        size += 1
    return text[:size], text[size:]
