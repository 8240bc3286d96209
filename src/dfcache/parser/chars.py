"""The characters BuildKit counts as blank, and keywords in one case.

BuildKit is written in Go, whose idea of white space is not Python's: it lacks
U+001C to U+001F. ``str.strip()``, ``str.isspace`` and ``\\s`` would read some
files differently, so nothing here uses them.
"""

from __future__ import annotations

# What Go's unicode.IsSpace accepts.
SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
# The same where BuildKit looks at single bytes: U+0085 and U+00A0 as one byte.
BYTE_SPACE = "\t\n\v\f\r \x85\xa0"
# Those in text that was decoded with surrogateescape.
STRAY_SPACE = "\t\n\v\f\r \udc85\udca0"
# What separates a keyword from its arguments, and the words of COPY and its kin.
BLANK = "\t\v\f\r "

BOM = "\ufeff"


def lower(text: str) -> str:
    """``text`` in lower case, character by character as Go does it."""
    if text.isascii():
        return text.lower()
    return "".join("i" if char == "\u0130" else char.lower() for char in text)


def upper(text: str) -> str:
    """``text`` in upper case, character by character as Go does it."""
    if text.isascii():
        return text.upper()
    return "".join(char.upper() if len(char.upper()) == 1 else char for char in text)


def keyword_name(keyword: str) -> str:
    """The keyword in upper case; one that BuildKit can't know stays distinct from all it knows."""
    if keyword.isascii():
        return keyword.upper()
    lowered = lower(keyword)
    return lowered.upper() if lowered.isascii() else lowered


def latin1(text: str) -> str:
    """The UTF-8 bytes of ``text``, each as one character: what a byte-wise reader sees."""
    return encode(text).decode("latin-1")


def decode(data: bytes) -> str:
    """The text of a file; ``encode`` gives exactly the same bytes back."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The bytes of ``text`` that came from ``decode``; other lone surrogates become U+FFFD."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return "".join(
            "\ufffd" if "\ud800" <= char <= "\udc7f" or "\udd00" <= char <= "\udfff" else char
            for char in text
        ).encode("utf-8", "surrogateescape")


def whole(text: str) -> str:
    """``text`` with U+FFFD for each byte that is not UTF-8, as Go reads it rune by rune."""
    if text.isascii():
        return text
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
