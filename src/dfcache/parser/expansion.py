"""What a program gets for a word of shell text, where the variables in it are known."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dfcache.parser.script import ShellWord

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]").match
_OPERATOR = re.compile(r":?[-+]").match
_BRACES = re.compile(r"\{[^{}]*(?:,|\.\.)[^{}]*\}").search
_BLANKS = " \t\n"


class _Unknown(Exception):
    """The word depends on something that isn't known."""


def expand(
    word: ShellWord, env: Mapping[str, str | None], split: bool = True
) -> tuple[str, ...] | None:
    """The arguments that ``word`` becomes, or None where that isn't certain.

    ``env`` maps variables to their values, or to None where they are known to be unset;
    a name that is missing is unknown. Read are ``$X``, ``${X}``, ``${X:-d}`` and its kin
    with ``-`` and ``+``, a leading ``~``, and quotes. Globs stay as they are. ``split`` is False
    for the value of an assignment, which the shell doesn't split into words.
    """
    if word.literal:
        return (word.value,)
    if env.get("IFS") is not None:
        return None
    try:
        fields = _Fields(word, env, split).read()
    except _Unknown:
        return None
    return tuple(fields) if split else ("".join(fields),)


class _Fields:
    """The arguments that a word becomes, while it is read."""

    def __init__(self, word: ShellWord, env: Mapping[str, str | None], split: bool) -> None:
        self.text = word.raw
        self.env = env
        self.split = split
        self.done: list[str] = []
        self.open: str | None = None

    def read(self) -> list[str]:
        text = self.text
        start = self._tilde() if text.startswith("~") else 0
        if "{" in text and _BRACES(text.replace("${", "")):
            raise _Unknown
        end = self._unquoted(start, "")
        if end != len(text):
            raise _Unknown
        self._close()
        return self.done

    def _tilde(self) -> int:
        """Take a leading ``~`` for the home directory; return the place after it."""
        home = self.env.get("HOME")
        if home is None or self.text[1:2] not in ("", "/"):
            raise _Unknown
        self._add(home)
        return 1

    def _add(self, text: str) -> None:
        self.open = (self.open or "") + text

    def _close(self) -> None:
        if self.open is not None:
            self.done.append(self.open)
            self.open = None

    def _add_split(self, value: str) -> None:
        """Take the value of an expansion that stands outside of quotes."""
        if not self.split:
            self._add(value)
            return
        words = [part for part in re.split("[ \t\n]+", value) if part]
        if value[:1] in _BLANKS and value:
            self._close()
        for index, part in enumerate(words):
            if index:
                self._close()
            self._add(part)
        if words and value[-1] in _BLANKS:
            self._close()

    def _unquoted(self, at: int, close: str) -> int:
        """Take text up to ``close``; return its place."""
        text = self.text
        while at < len(text) and text[at] != close:
            char = text[at]
            if char == '"':
                self._add("")
                at = self._quoted(at + 1, '"') + 1
            elif char == "'":
                end = text.find("'", at + 1)
                # A `$` here is an expansion after all where an outer shell reads the text first.
                if end < 0 or "$" in text[at:end] or "`" in text[at:end]:
                    raise _Unknown
                self._add(text[at + 1 : end])
                at = end + 1
            elif char == "\\":
                if text[at + 1 : at + 2] in ("$", "`"):
                    raise _Unknown
                self._add(text[at + 1 : at + 2])
                at += 2
            elif char == "$":
                at = self._expansion(at, quoted=False)
            elif char in "`<>()" or (close and char in _BLANKS):
                raise _Unknown
            else:
                self._add(char)
                at += 1
        return at

    def _quoted(self, at: int, close: str) -> int:
        """Take text within double quotes up to ``close``; return its place."""
        text = self.text
        while at < len(text) and text[at] != close:
            char = text[at]
            if char == "\\":
                following = text[at + 1 : at + 2]
                if following in ("$", "`"):
                    raise _Unknown
                self._add(following if following in ('"', "\\") else char + following)
                at += 2
            elif char == "$":
                at = self._expansion(at, quoted=True)
            elif char == "`" or (close == "}" and char == '"'):
                raise _Unknown
            else:
                self._add(char)
                at += 1
        return at

    def _expansion(self, at: int, quoted: bool) -> int:
        """Take an expansion; return the place after it."""
        text = self.text
        braced = text.startswith("{", at + 1)
        match = _NAME(text, at + 2 if braced else at + 1)
        if not match:
            # A lone `$` outside of quotes keeps bash from splitting the word, but not dash.
            if braced or not quoted or text[at + 1 : at + 2] in tuple("([@*#?$!-"):
                raise _Unknown
            self._add("$")
            return at + 1
        name = match[0]
        if name not in self.env:
            raise _Unknown
        value = self.env[name]
        at = match.end()
        if not braced:
            self._take(value or "", quoted)
            return at
        operator = _OPERATOR(text, at)
        if operator:
            at = self._alternative(operator.end(), operator[0], value, quoted)
        else:
            self._take(value or "", quoted)
        if text[at : at + 1] != "}":
            raise _Unknown
        return at + 1

    def _take(self, value: str, quoted: bool) -> None:
        if quoted:
            self._add(value)
        else:
            self._add_split(value)

    def _alternative(self, at: int, operator: str, value: str | None, quoted: bool) -> int:
        """Take ``${NAME:-word}`` from the word on; return the place of the closing brace."""
        there = bool(value) if operator[0] == ":" else value is not None
        uses_word = there if operator[-1] == "+" else not there
        if not uses_word and operator[-1] == "-":
            self._take(value or "", quoted)
        kept = self.done[:], self.open
        end = self._quoted(at, "}") if quoted else self._unquoted(at, "}")
        if not uses_word:
            self.done, self.open = kept
        return end
