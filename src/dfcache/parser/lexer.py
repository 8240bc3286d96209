"""Expansion of variables and splitting into words, as BuildKit does it for most instructions.

Not what a shell does: no globs, no command substitution, no arithmetic, and a
handful of ``${name…}`` forms. Held to the answers of BuildKit's own code
(frontend/dockerfile/shell), case by case.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from dfcache.parser.chars import BOM, SPACE, whole
from dfcache.parser.go import quote

# One-character names: $@ $* and so on.
_SPECIAL = "@*#?-$!"
_REPLACEMENT = "\ufffd"


class LexError(ValueError):
    """Text that BuildKit refuses to expand, with its message.

    ``used`` and ``unset`` are the names that were looked up before the error.
    """

    def __init__(self, message: str, used: frozenset[str], unset: frozenset[str]) -> None:
        super().__init__(message)
        self.used = used
        self.unset = unset


class Expansion(NamedTuple):
    """What a text expands to.

    ``value`` is the text with its blanks, ``words`` the text split at unquoted blanks
    (those that come from a variable count). ``used`` are the names found in the
    environment, ``unset`` those looked up and not found.
    """

    value: str
    words: tuple[str, ...]
    used: frozenset[str]
    unset: frozenset[str]


class RawWord(NamedTuple):
    """A word with its quotes kept, from ``start`` to ``end`` of the text that was split."""

    value: str
    start: int
    end: int


def expand(text: str, env: Mapping[str, str], escape: str) -> str:
    """``text`` with variables replaced and quotes and escapes removed.

    ``escape`` is the file's escape character. Raises LexError.
    """
    if "$" not in text and "'" not in text and '"' not in text and escape not in text:
        return whole(text).removeprefix(BOM)
    return lex(text, env, escape).value


def expand_words(text: str, env: Mapping[str, str], escape: str) -> tuple[str, ...]:
    """The words ``text`` expands to. Raises LexError."""
    return lex(text, env, escape).words


def lex(text: str, env: Mapping[str, str], escape: str) -> Expansion:
    """Expand ``text`` and tell which names it used. Raises LexError."""
    lexer = _Lexer(text, env, escape)
    value, words = lexer.run()
    return Expansion(
        value,
        tuple(word.value for word in words),
        frozenset(lexer.used),
        frozenset(lexer.unset),
    )


def raw_words(text: str, *, quotes: bool, escapes: bool) -> tuple[RawWord, ...]:
    """Split ``text`` as BuildKit looks for here-documents: backslash escapes, no variables.

    ``quotes`` and ``escapes`` tell whether those are kept. Raises LexError.
    """
    lexer = _Lexer(text, {}, "\\", quotes=quotes, escapes=escapes, keep_unset=True)
    return tuple(lexer.run()[1])


class _Failure(Exception):
    pass


class _Lexer:
    """One pass over one text.

    ``word`` is the word being gathered. It is shared by the nested passes over the
    words in ``${name:-word}``, which throw away what was gathered before: BuildKit's
    ``words`` (not its ``value``) lose what stands before such an expansion.
    """

    def __init__(
        self,
        text: str,
        env: Mapping[str, str],
        escape: str,
        *,
        quotes: bool = False,
        escapes: bool = False,
        keep_unset: bool = False,
    ) -> None:
        self.given = text
        self.text = whole(text)
        self.at = 1 if text.startswith(BOM) else 0
        self.env = env
        self.escape = escape
        self.quotes = quotes
        self.escapes = escapes
        self.keep_unset = keep_unset
        self.used: set[str] = set()
        self.unset: set[str] = set()
        self.word = ""
        self.begin = 0

    def run(self) -> tuple[str, list[RawWord]]:
        """The expanded text and its words."""
        try:
            return self.scan("", self.escapes)
        except _Failure as failure:
            message = f"failed to process {quote(self.given)}: {failure}"
        except RecursionError:
            message = f"failed to process {quote(self.given[:40])}: nested too deeply"
        raise LexError(message, frozenset(self.used), frozenset(self.unset))

    def peek(self) -> str:
        """The next character, "" at the end."""
        return self.text[self.at : self.at + 1]

    def next(self) -> str:
        char = self.text[self.at : self.at + 1]
        self.at += 1
        return char

    def lookup(self, name: str) -> str | None:
        value = self.env.get(name)
        (self.unset if value is None else self.used).add(name)
        return value

    def put(self, text: str, start: int) -> None:
        """Add to the word what stands at ``start`` of the text."""
        if not self.word:
            self.begin = start
        self.word += text

    def scan(self, stop: str, escapes: bool) -> tuple[str, list[RawWord]]:
        """Read up to ``stop`` ("" for the end); the words are those of this level."""
        outer, self.escapes = self.escapes, escapes
        result: list[str] = []
        words: list[RawWord] = []
        self.word = ""
        inside = False
        size = len(self.text)
        while self.at < size:
            start = self.at
            char = self.text[start]
            if char == stop:
                self.at += 1
                break
            if char == "$":
                piece = self.dollar()
                for each in piece:
                    inside = self.add(each, start, words, inside)
            elif char in "<'\"":
                piece = self.special(char)
                self.put(piece, start)
                inside = True
            elif char == self.escape:
                self.at += 1
                piece = char if self.escapes else ""
                escaped = self.next()
                piece += escaped
                if piece:
                    self.put(piece, start)
                    inside = True
            else:
                self.at += 1
                piece = char
                inside = self.add(char, start, words, inside)
            result.append(piece)
        else:
            if stop:
                raise _Failure(f"unexpected end of statement while looking for matching {stop}")
        self.flush(words, min(self.at, size))
        self.escapes = outer
        return "".join(result), words

    def add(self, char: str, start: int, words: list[RawWord], inside: bool) -> bool:
        """Add an unquoted character; the answer is whether a word has begun."""
        if char not in SPACE:
            self.put(char, start)
            return True
        if inside and self.word:
            self.flush(words, start)
            return False
        return inside

    def flush(self, words: list[RawWord], end: int) -> None:
        if self.word:
            words.append(RawWord(self.word, self.begin, end))
            self.word = ""

    def special(self, char: str) -> str:
        if char == "'":
            return self.single()
        if char == '"':
            return self.double()
        return self.less()

    def less(self) -> str:
        """``<``, or ``<<`` with the blanks that may stand before a here-document's name."""
        start = self.at
        self.at += 1
        if self.peek() == "<":
            self.at += 1
            while self.peek() in ("\t", "\r", " "):
                self.at += 1
        return self.text[start : self.at]

    def single(self) -> str:
        start = self.at
        end = self.text.find("'", start + 1)
        if end < 0:
            self.at = len(self.text)
            raise _Failure("unexpected end of statement while looking for matching single-quote")
        self.at = end + 1
        return self.text[start : end + 1] if self.quotes else self.text[start + 1 : end]

    def double(self) -> str:
        self.at += 1
        result = ['"'] if self.quotes else []
        while char := self.peek():
            if char == '"':
                self.at += 1
                return "".join(result) + ('"' if self.quotes else "")
            if char == "$":
                result.append(self.dollar())
                continue
            self.at += 1
            if char == self.escape:
                if self.escapes:
                    result.append(char)
                following = self.peek()
                if not following:
                    break
                if following in ('"', "$", self.escape):
                    char = self.next()
            result.append(char)
        raise _Failure("unexpected end of statement while looking for matching double-quote")

    def dollar(self) -> str:
        self.at += 1
        if self.peek() != "{":
            name = self.name()
            if not name:
                return "$"
            value = self.lookup(name)
            if value is None:
                return f"${name}" if self.keep_unset else ""
            return value
        self.at += 1
        following = self.peek()
        if not following:
            raise _Failure("syntax error: missing '}'")
        if following in "{}:":
            raise _Failure("syntax error: bad substitution")
        return self.braced(self.name())

    def name(self) -> str:
        """A name, a number, one special character, or nothing."""
        start = self.at
        first = self.peek()
        if first.isdecimal():
            while self.peek().isdecimal():
                self.at += 1
        elif first and first in _SPECIAL:
            self.at += 1
        else:
            while (char := self.peek()) == "_" or char.isalpha() or char.isdecimal():
                self.at += 1
        return self.text[start : self.at]

    def braced(self, name: str) -> str:
        """What follows the name in ``${name…}``."""
        operator = self.next() or _REPLACEMENT
        if operator == "}":
            value = self.lookup(name)
            if value is None:
                return f"${{{name}}}" if self.keep_unset else ""
            return value
        if operator == "/":
            return self.replaced(name)
        if operator == ":":
            operator += self.next() or _REPLACEMENT
        elif operator not in "+-?#%":
            raise _Failure(f"unsupported modifier ({operator}) in substitution")
        raw = operator[-1] in "#%"
        if raw and len(operator) > 1:
            raise _Failure(f"unsupported modifier ({operator}) in substitution")
        word = self.part("}", raw, "}")
        value = self.lookup(name)
        if value is None and self.keep_unset:
            return f"${{{name}{operator}{word}}}"
        return _modified(name, operator, word, value)

    def part(self, stop: str, escapes: bool, missing: str) -> str:
        """The nested word up to ``stop``."""
        try:
            return self.scan(stop, escapes)[0]
        except _Failure:
            if self.at >= len(self.text):
                where = " in ${}" if missing == "/" else ""
                raise _Failure(f"syntax error: missing '{missing}'{where}") from None
            raise

    def replaced(self, name: str) -> str:
        """``${name/pattern/text}`` and ``${name//pattern/text}``."""
        every = self.peek() == "/"
        if every:
            self.at += 1
        pattern = self.part("/", True, "/")
        replacement = self.part("}", True, "}")
        value = self.lookup(name)
        if value is None:
            if self.keep_unset:
                return f"${{{name}/{pattern}/{replacement}}}"
            value = ""
        glob = _glob(pattern, pattern)
        if every:
            return _replace_every(glob, value, replacement)
        found = _find(glob, value, 0)
        if found is None:
            return value
        return value[: found[0]] + replacement + value[found[1] :]


def _modified(name: str, operator: str, word: str, value: str | None) -> str:
    """The value of ``${name<operator>word}``."""
    absent = value is None or (len(operator) > 1 and not value)
    kind = operator[-1]
    if kind == "-":
        return word if absent else value or ""
    if kind == "+":
        return "" if absent else word
    if kind == "?":
        if absent:
            state = "unset" if value is None else "empty"
            raise _Failure(f"{name}: {word or f'is not allowed to be {state}'}")
        return value or ""
    if kind in "#%":
        return _trimmed(kind, word, value or "")
    raise _Failure(f"unsupported modifier ({operator}) in substitution")


def _trimmed(kind: str, word: str, value: str) -> str:
    greedy = word.startswith(kind)
    pattern = word[1:] if greedy else word
    if kind == "#":
        return value[_prefix(_glob(pattern, pattern), value, 0, greedy) or 0 :]
    # Read from the end, a suffix is a prefix.
    backwards = _reversed_pattern(pattern)
    size = _prefix(_glob(backwards, backwards), value[::-1], 0, greedy) or 0
    return value[: len(value) - size]


def _reversed_pattern(pattern: str) -> str:
    parts = []
    index = 0
    while index < len(pattern):
        width = 2 if pattern[index] == "\\" and index + 1 < len(pattern) else 1
        parts.append(pattern[index : index + width])
        index += width
    return "".join(reversed(parts))


# In a pattern: any text, any character. Others stand for themselves.
_STAR = "*any"
_ANY = "?any"


def _glob(pattern: str, shown: str) -> list[str]:
    parts: list[str] = []
    index = 0
    while index < len(pattern):
        char = pattern[index]
        index += 1
        if char == "*":
            parts.append(_STAR)
        elif char == "?":
            parts.append(_ANY)
        elif char == "\\":
            following = pattern[index : index + 1]
            if following and following in "}/":
                continue
            if not following or following not in "*?\\":
                raise _Failure(
                    f"invalid pattern ({shown}) in substitution: "
                    f"invalid escape '\\{following or _REPLACEMENT}'"
                )
            parts.append(following)
            index += 1
        else:
            parts.append(char)
    return parts


def _prefix(glob: list[str], value: str, start: int, greedy: bool) -> int | None:
    """Where the shortest (or longest) match that begins at ``start`` ends."""
    states = _closure(glob, {0})
    done = len(glob)
    best: int | None = None
    index = start
    while True:
        if done in states:
            best = index
            if not greedy:
                return best
        if not states or index >= len(value):
            return best
        char = value[index]
        index += 1
        following = set()
        for state in states:
            if state == done:
                continue
            part = glob[state]
            if part is _STAR:
                if char != "\n":
                    following.add(state)
            elif part == char or (part is _ANY and char != "\n"):
                following.add(state + 1)
        states = _closure(glob, following)


def _closure(glob: list[str], states: set[int]) -> set[int]:
    """``states`` and those reached by letting a star match nothing."""
    for state in tuple(states):
        while state < len(glob) and glob[state] is _STAR:
            state += 1
            states.add(state)
    return states


def _find(glob: list[str], value: str, start: int) -> tuple[int, int] | None:
    for begin in range(start, len(value) + 1):
        end = _prefix(glob, value, begin, True)
        if end is not None:
            return begin, end
    return None


def _replace_every(glob: list[str], value: str, template: str) -> str:
    """Go's Regexp.ReplaceAllString: no empty match right after another match."""
    result: list[str] = []
    last = 0
    at = 0
    while at <= len(value):
        found = _find(glob, value, at)
        if found is None:
            break
        begin, end = found
        result.append(value[last:begin])
        if end > last or begin == 0:
            result.append(_filled(template, value[begin:end]))
        last = end
        at = max(at + 1, end)
    result.append(value[last:])
    return "".join(result)


def _filled(template: str, match: str) -> str:
    """Go's Regexp.Expand for a pattern without groups: ``$0`` is the match, other names vanish."""
    if "$" not in template:
        return template
    result = []
    index = 0
    while index < len(template):
        char = template[index]
        index += 1
        if char != "$":
            result.append(char)
            continue
        if template.startswith("$", index):
            result.append("$")
            index += 1
            continue
        braced = template.startswith("{", index)
        end = start = index + braced
        while end < len(template) and (
            template[end] == "_" or template[end].isalpha() or template[end].isdecimal()
        ):
            end += 1
        if end == start or (braced and not template.startswith("}", end)):
            result.append("$")
            continue
        if template[start:end] == "0":
            result.append(match)
        index = end + braced
    return "".join(result)
