"""Reads the words of shell text: quotes, escapes, expansions.

``Scanner`` is the lower half of the shell parser. What it meets inside words, commands
in ``$(…)``, it hands up through ``substitution``.
"""

from __future__ import annotations

import re

from dfcache.parser.unquote import Inner, backquoted

Part = tuple[int, int, str, str, bool]
"""A word: (start, end, value, raw, literal)."""

MAX_DEPTH = 60
"""How deep constructs may nest; a level takes about five frames of Python's own stack."""

PLAIN = re.compile(r"(?:[ \t]++|\\\n)*+([\w./:=@%+,^-]++)(?=[ \t\n;&|)]|\Z)", re.ASCII).match
BLANK = re.compile(r"(?:[ \t]++|\\\n)*+").match
_CHUNK = re.compile(r"""[^ \t\n|&;()<>"'`$\\*?\[{~]+""").match
_DOUBLE = re.compile(r'[^"\\$`]+').match
# The limits keep a text made of nothing but brackets from taking quadratic time.
_GLOB = re.compile(r"\[[^ \t\n|&;()<>]{1,250}\]").match
_BRACES = re.compile(r"\{[^ \t\n|&;()<>{}]{0,250}(?:,|\.\.)[^ \t\n|&;()<>]{0,1000}\}").match
_ACTIVE = re.compile(r"[\\$`]").search
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]").match
_ANSI = re.compile(r"'((?:[^'\\]++|\\.)*+)'", re.DOTALL).match
_ESCAPES = re.compile(r"\\(x[0-9A-Fa-f]{1,2}|u[0-9A-Fa-f]{1,4}|[0-7]{1,3}|.)", re.DOTALL).sub
_BACKQUOTE = re.compile(r"(?:[^`\\]++|\\.)*+", re.DOTALL).match
_PARAMETER = re.compile(r"[^\\\"'$`}]+").match
_ARITHMETIC = re.compile(r"[^\\\"'$`()]+").match
_ANSI_CHARS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f"}
_QUOTING_OPERATORS = re.compile(r"#?!?[A-Za-z0-9_@*]+(?:\[[^\]]*\])?[#%/^,]").match


class NotUnderstood(Exception):
    """The text from ``at`` on is not shell text that this parser knows."""

    def __init__(self, at: int, reason: str) -> None:
        super().__init__(reason)
        self.at = at
        self.reason = reason


class NotArithmetic(Exception):
    """``((`` turned out to open two subshells."""


class Scanner:
    """A position in a shell text, and what can be read of words from there."""

    __slots__ = ("breaks", "depth", "expansions", "live", "not_arithmetic", "pos", "text")

    def __init__(self, text: str, live: dict[int, int], depth: int) -> None:
        self.text = text
        self.pos = 0
        self.depth = depth
        self.live = live
        self.breaks: list[int] = []
        self.expansions: dict[int, int] = {}
        self.not_arithmetic: set[int] = set()

    def substitution(self) -> None:
        """Read the commands from here to the ``)`` that ends them, and that too."""
        raise NotImplementedError

    def backquotes(self, start: int, inner: Inner) -> None:
        """Read the commands between backquotes."""
        raise NotImplementedError

    def checkpoint(self) -> object:
        """What ``rollback`` needs to forget all that is read from here on."""
        raise NotImplementedError

    def rollback(self, checkpoint: object) -> None:
        """Forget what was read since ``checkpoint``."""
        raise NotImplementedError

    def blanks(self) -> str:
        """Skip blanks and line continuations; the character after them, "" at the end."""
        match = BLANK(self.text, self.pos)
        if match:
            self.pos = match.end()
        return self.text[self.pos : self.pos + 1]

    def word(self) -> Part:
        """The word that starts here; its raw text is empty where there is none."""
        text = self.text
        start = at = self.pos
        parts: list[str] = []
        literal = True
        while True:
            match = _CHUNK(text, at)
            if match:
                parts.append(match[0])
                at = match.end()
            char = text[at : at + 1]
            if not char or char in " \t\n|&;()":
                break
            if char in "<>":
                if not text.startswith("(", at + 1):
                    break
                self.pos = at + 2
                self.substitution()
                self.expansions[at] = self.pos
                literal = False
                parts.append(text[at : self.pos])
                at = self.pos
                continue
            self.pos = at
            literal &= self._special(char, start, parts)
            at = self.pos
        self.pos = at
        return (start, at, "".join(parts), self.raw(start, at), literal)

    def raw(self, start: int, end: int) -> str:
        """The text as the shell has it after it took out line continuations."""
        text = self.text[start:end]
        if self.breaks and "\\\n" in text:
            for at in reversed(self.breaks):
                if at < start:
                    break
                text = text[: at - start] + text[at - start + 2 :]
        return text

    def _special(self, char: str, start: int, parts: list[str]) -> bool:
        """Read a quote, an expansion or another special character; whether it is literal."""
        text = self.text
        at = self.pos
        if char == '"':
            return self._double(at + 1, parts)
        if char == "'":
            end = text.find("'", at + 1)
            if end < 0:
                raise NotUnderstood(at, "a quote without its end")
            parts.append(text[at + 1 : end])
            self.pos = end + 1
            return not any(at < place < end for place in self.live)
        if char == "$":
            return self._dollar(parts, quoted=False)
        if char == "`":
            self._backquote(quoted=False)
            parts.append(text[at : self.pos])
            return False
        if char == "\\":
            return self._backslash(parts)
        self.pos = at + 1
        parts.append(char)
        if char == "[":
            return not _GLOB(text, at)
        if char == "{":
            return not _BRACES(text, at)
        if char == "~":
            return at > start and text[at - 1] not in "=:"
        return False

    def _backslash(self, parts: list[str]) -> bool:
        at = self.pos
        following = self.text[at + 1 : at + 2]
        if following == "\n":
            self.breaks.append(at)
        elif at + 1 in self.live:
            end = self.live[at + 1]
            self.expansions[at + 1] = end
            parts.append(self.text[at:end])
            self.pos = end
            return False
        else:
            parts.append(following or "\\")
        self.pos = min(at + 2, len(self.text))
        return True

    def _double(self, at: int, parts: list[str], close: str = '"') -> bool:
        """Read up to the closing double quote and past it; whether it is all literal."""
        text = self.text
        opened = at - 1
        literal = True
        while True:
            match = _DOUBLE(text, at)
            if match:
                parts.append(match[0])
                at = match.end()
            char = text[at : at + 1]
            if char == close:
                self.pos = at + 1
                return literal
            self.pos = at
            if char == "$":
                literal &= self._dollar(parts, quoted=True)
            elif char == "`":
                self._backquote(quoted=True)
                parts.append(text[at : self.pos])
                literal = False
            elif char == "\\":
                following = text[at + 1 : at + 2]
                if following == "\n":
                    self.breaks.append(at)
                elif following and following in '$`"\\' and at + 1 not in self.live:
                    parts.append(following)
                else:
                    parts.append(char)
                    at -= 1
                self.pos = at + 2
            else:
                raise NotUnderstood(opened, "a double quote without its end")
            at = self.pos

    def expand_body(self, start: int, end: int) -> None:
        """Read the expansions in a here-document whose name is not quoted."""
        text = self.text
        at = start
        while match := _ACTIVE(text, at, end):
            self.pos = at = match.start()
            if match[0] == "\\":
                at += 2
            else:
                if match[0] == "$":
                    self._dollar([], quoted=True)
                else:
                    self._backquote(quoted=False)
                at = self.pos
            if at > end:
                raise NotUnderstood(start, "an expansion that the here-document cuts off")

    def deeper(self) -> None:
        """Enter a construct within a construct."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise NotUnderstood(self.pos, "nested too deeply")

    def _dollar(self, parts: list[str], quoted: bool) -> bool:
        """Read what a ``$`` starts; True where that is just a dollar sign."""
        self.deeper()
        plain = self._expansion(parts, quoted)
        self.depth -= 1
        return plain

    def _expansion(self, parts: list[str], quoted: bool) -> bool:
        text = self.text
        start = self.pos
        following = text[start + 1 : start + 2]
        if start in self.live:
            self.pos = self.live[start]
        elif following == "(":
            self._parenthesis(start)
        elif following == "{":
            self._parameter(start + 2, quoted)
        elif following == "[":
            self._bracket(start)
        elif following == "\\" and text.startswith("\n", start + 2):
            raise NotUnderstood(start, "a line continuation within an expansion")
        elif following == "'" and not quoted:
            return self._ansi(parts)
        elif following == '"' and not quoted:
            self._double(start + 2, parts)
            return False
        else:
            match = _NAME(text, start + 1)
            if not match:
                parts.append("$")
                self.pos = start + 1
                return True
            self.pos = match.end()
        self.expansions[start] = self.pos
        parts.append(text[start : self.pos])
        return False

    def _ansi(self, parts: list[str]) -> bool:
        """Read ``$'…'``; never literal, for dash takes the dollar sign as it is."""
        match = _ANSI(self.text, self.pos + 1)
        if not match:
            raise NotUnderstood(self.pos, "a quote without its end")
        parts.append(_ESCAPES(_ansi_char, match[1]))
        self.pos = match.end()
        return False

    def _parenthesis(self, start: int) -> None:
        """Read ``$(…)`` or ``$((…))``."""
        if self.text.startswith("((", start + 1) and self.arithmetic(start + 3):
            return
        self.pos = start + 2
        self.substitution()

    def _bracket(self, start: int) -> None:
        """Read ``$[…]``, the old form of arithmetic."""
        end = self.text.find("]", start)
        if end < 0 or set("$`'\"\\[\n") & set(self.text[start + 2 : end]):
            raise NotUnderstood(start, "arithmetic in $[…]")
        self.pos = end + 1

    def arithmetic(self, at: int) -> bool:
        """Read arithmetic up to ``))``; False, and nothing is read, where it is none."""
        if at in self.not_arithmetic:
            return False
        back = self.checkpoint()
        try:
            self._arithmetic(at)
        except NotArithmetic:
            self.not_arithmetic.add(at)
            self.rollback(back)
            return False
        return True

    def _arithmetic(self, at: int) -> None:
        text = self.text
        start = at
        depth = 0
        while True:
            match = _ARITHMETIC(text, at)
            if match:
                at = match.end()
            char = text[at : at + 1]
            self.pos = at + 1
            if char == "(":
                depth += 1
            elif char == ")":
                if not depth:
                    if not text.startswith(")", at + 1):
                        raise NotArithmetic
                    self.pos = at + 2
                    return
                depth -= 1
            else:
                self._quoted(char, at, start, in_double=False)
            at = self.pos

    def _parameter(self, at: int, quoted: bool) -> None:
        """Read ``${…}`` from after its opening to after its end."""
        text = self.text
        start = at - 2
        in_double = quoted and not _QUOTING_OPERATORS(text, at)
        if text.startswith("#}", at):
            self.pos = at + 2
            return
        while True:
            match = _PARAMETER(text, at)
            if match:
                at = match.end()
            char = text[at : at + 1]
            self.pos = at + 1
            if char == "}":
                return
            self._quoted(char, at, start, in_double)
            at = self.pos

    def _quoted(self, char: str, at: int, start: int, in_double: bool) -> None:
        """Read a quote, an escape or an expansion inside another expansion."""
        self.pos = at
        if char == "$":
            self._dollar([], quoted=in_double)
        elif char == "`":
            self._backquote(quoted=in_double)
        elif char == '"':
            self._double(at + 1, [])
        elif char == "'" and not in_double:
            end = self.text.find("'", at + 1)
            if end < 0:
                raise NotUnderstood(start, "a quote without its end")
            self.pos = end + 1
        elif char == "\\" and at + 1 < len(self.text):
            if self.text[at + 1] == "\n":
                self.breaks.append(at)
            self.pos = at + 2
        elif char == "'":
            self.pos = at + 1
        else:
            raise NotUnderstood(start, "an expansion without its end")

    def _backquote(self, quoted: bool) -> None:
        """Read from a backquote to after the one that ends it."""
        start = self.pos
        if start in self.live:
            self.pos = self.live[start]
        else:
            match = _BACKQUOTE(self.text, start + 1)
            end = match.end() if match else start
            if self.text[end : end + 1] != "`":
                raise NotUnderstood(start, "a backquote without its end")
            self.backquotes(start, backquoted(self.text, start + 1, end, quoted))
            self.pos = end + 1
        self.expansions[start] = self.pos


def _ansi_char(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) > 1 and code[0] in "xu":
        return chr(int(code[1:], 16))
    if code[0] in "01234567":
        return chr(int(code, 8) % 256)
    return _ANSI_CHARS.get(code, code if code in "\\'\"?" else "\\" + code)
