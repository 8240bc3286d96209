"""Source text made fit for a terminal."""

from __future__ import annotations

TAB = "    "


def printable(text: str) -> str:
    """``text`` with tabs as four blanks; what could steer a terminal or is no text is escaped."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(char) for char in text)


def width(text: str) -> int:
    """How many columns of a terminal ``printable(text)`` takes."""
    if text.isascii() and text.isprintable():
        return len(text)
    from unicodedata import combining, east_asian_width

    shown = printable(text)
    return sum(
        0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in shown
    )


def _shown(char: str) -> str:
    if char == "\t":
        return TAB
    if char == " " or char.isprintable():
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
