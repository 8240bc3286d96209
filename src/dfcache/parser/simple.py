"""Reads simple commands: assignments, words, redirections, and the scripts inside them."""

from __future__ import annotations

import re

from dfcache.parser import unquote
from dfcache.parser.invocation import CANDIDATES, STDIN, nested_script
from dfcache.parser.places import Places
from dfcache.parser.records import Heredoc, Output, Record
from dfcache.parser.shellwords import PLAIN, NotUnderstood, Part, Scanner
from dfcache.parser.unquote import Inner

_LINE = re.compile(r"(?:[ \t]++|\\\n|#[^\n]*+)*+").match
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*(?:\[[^\] \t\n]*\])?)(\+?)=").match
_REDIRECT = re.compile(
    r"(?:[0-9]+|\{[A-Za-z_][A-Za-z0-9_]*\})?"
    r"(?:<<<|<<-?|<>|<&|<(?!\()|>>|>&|>\||>(?!\())|&>>?"
).match
_PARENTHESES = re.compile(r"\([ \t]*\)").match
_FUNCTION_NAME = re.compile(r"[^ \t\n;&|()<>$`\"'\\]+").match
_DECLARATIONS = frozenset({"export", "local", "declare", "typeset", "readonly"})


class SimpleParser(Scanner):
    """The part of the shell parser that knows no lists and no compound commands."""

    __slots__ = ("context", "output", "pending", "places", "rewritable")

    def __init__(
        self,
        inner: Inner,
        places: Places,
        output: Output,
        context: tuple[str, ...],
        depth: int,
        rewritable: bool = True,
    ) -> None:
        super().__init__(inner.value, inner.live, depth)
        self.places = places
        self.output = output
        self.context = context
        self.pending: list[Heredoc] = []
        self.rewritable = rewritable and not inner.escaped

    def parse(self) -> None:
        """Read all of the text into the output."""
        raise NotImplementedError

    def inside(self, name: str, *closers: str, empty: bool = False) -> str:
        """Read a list within the construct ``name`` and what closes it, one of ``closers``."""
        raise NotImplementedError

    def function_body(self) -> None:
        """Read the compound command that a function is."""
        raise NotImplementedError

    def lines(self) -> None:
        """Skip blanks, comments and line ends."""
        text = self.text
        while True:
            match = _LINE(text, self.pos)
            if match:
                self.pos = match.end()
            if not text.startswith("\n", self.pos):
                return
            self.newline()

    def newline(self) -> None:
        """Pass a line end, and the here-documents that follow it."""
        self.pos += 1
        if self.pending:
            pending, self.pending = self.pending, []
            for heredoc in pending:
                self._body(heredoc)

    def comment(self) -> None:
        match = _LINE(self.text, self.pos)
        if match:
            self.pos = match.end()

    def simple(self, record: Record) -> Record | None:
        """Read a simple command; None where it turns out to define a function."""
        text = self.text
        words = record.words
        last = -1
        while True:
            match = PLAIN(text, self.pos)
            if match:
                word = match[1]
                start = match.start(1)
                self.pos = last = match.end()
                if words or "=" not in word or not self._assigned(record, start, last):
                    words.append((start, last, word, word, True))
                continue
            char = self.blanks()
            if not char or char in "\n;|)#":
                break
            if char in "<>&0123456789{" and self._redirect(record):
                last = self.pos
                continue
            if char == "&":
                break
            if char == "(":
                self._defined(record)
                return None
            if not words and self._assigned(record, self.pos, -1):
                last = self.pos
                continue
            words.append(self._argument(record))
            last = self.pos
        if last < 0:
            raise NotUnderstood(self.pos, f"unexpected {char or 'end of the text'}")
        record.end = last
        if words:
            self._nested(record)
        return record

    def _assigned(self, record: Record, start: int, end: int) -> bool:
        """Read an assignment; ``end`` is where its plain word ends, or -1 where it isn't plain."""
        match = _ASSIGNMENT(self.text, start)
        if not match:
            return False
        value_start = match.end()
        if end >= 0:
            value = self.text[value_start:end]
            part = (value_start, end, value, value, True)
        else:
            self.pos = value_start
            part = self._array() if self.text.startswith("(", value_start) else self.word()
        record.assignments.append((match[1], part, bool(match[2]), start, self.pos))
        return True

    def _argument(self, record: Record) -> Part:
        """Read a word that is not plain; it may be ``export NAME=(…)``."""
        start = self.pos
        if record.words and record.words[0][2] in _DECLARATIONS:
            match = _ASSIGNMENT(self.text, start)
            if match and self.text.startswith("(", match.end()):
                self.pos = match.end()
                self._array()
                text = self.raw(start, self.pos)
                return (start, self.pos, text, text, False)
        return self.word()

    def _array(self) -> Part:
        """Read ``(a b c)``."""
        start = self.pos
        self.pos += 1
        while True:
            self.lines()
            char = self.text[self.pos : self.pos + 1]
            if char == ")":
                self.pos += 1
                text = self.raw(start, self.pos)
                return (start, self.pos, text, text, False)
            if not self.word()[3]:
                raise NotUnderstood(start, "an array without its end")

    def _defined(self, record: Record) -> None:
        """Read the body of ``name()``, whose name was taken for a command."""
        match = _PARENTHESES(self.text, self.pos)
        plain = len(record.words) == 1 and not record.assignments and not record.redirects
        if not match or not plain or not _FUNCTION_NAME(record.words[0][3]):
            raise NotUnderstood(self.pos, "unexpected (")
        self.output.records.remove(record)
        self.pos = match.end()
        self.function_body()
        self.redirects(None)

    def redirects(self, record: Record | None) -> None:
        """Read the redirections after a compound command."""
        while self.blanks() and self._redirect(record):
            pass

    def _redirect(self, record: Record | None) -> bool:
        match = _REDIRECT(self.text, self.pos)
        if not match:
            return False
        start = self.pos
        operator = match[0]
        self.pos = match.end()
        self.blanks()
        target: Part | None = self.word()
        if target is None or not target[3]:
            raise NotUnderstood(start, f"nothing after {operator}")
        if operator.endswith(("<<", "<<-")) and not operator.endswith("<<<"):
            heredoc = Heredoc(start, target[2], record)
            heredoc.chomp = operator.endswith("-")
            heredoc.expand = not set(target[3]) & set("'\"\\")
            heredoc.context = self.context
            self.pending.append(heredoc)
            target = None
        if record:
            record.redirects.append((operator, target, start, self.pos))
        return True

    # Text within text

    def substitution(self) -> None:
        self.inside("substitution", ")", empty=True)

    def backquotes(self, start: int, inner: Inner) -> None:
        self._script(inner, (*self.context, "substitution"))

    def checkpoint(self) -> object:
        return (
            self.pos, self.depth, self.context, list(self.pending), list(self.breaks),
            len(self.output.records), len(self.output.opaque),
        )  # fmt: skip

    def rollback(self, checkpoint: object) -> None:
        assert isinstance(checkpoint, tuple)
        self.pos, self.depth, self.context, self.pending, self.breaks, records, opaque = checkpoint
        del self.output.records[records:]
        del self.output.opaque[opaque:]

    def _script(self, inner: Inner, context: tuple[str, ...]) -> None:
        """Read a script that stands within this one."""
        self.deeper()
        places = self.places.within(inner.runs)
        parser = type(self)(inner, places, self.output, context, self.depth, self.rewritable)
        parser.parse()
        self.depth -= 1

    def _nested(self, record: Record) -> None:
        """Read the script that a command is given as a word."""
        if record.words[0][2].rpartition("/")[2] not in CANDIDATES:
            return
        found = nested_script([word[2] for word in record.words])
        if found is None:
            return
        at, context = found
        if at == STDIN:
            strings = [target for op, target, _, _ in record.redirects if op.endswith("<<<")]
            part = strings[-1] if strings else None
        else:
            part = record.words[at]
            if record.words[at - 1][2] == "eval" and not part[4]:
                part = None
        if part:
            inner = unquote.word(self.text, part[0], part[1], self.expansions)
            if inner:
                self._script(inner, record.context + context)

    def _body(self, heredoc: Heredoc) -> None:
        """Read the body of a here-document from the start of a line on."""
        text = self.text
        start = self.pos
        lines: list[tuple[int, int]] = []
        while True:
            end = text.find("\n", self.pos)
            stop = end if end >= 0 else len(text)
            first = self.pos
            if heredoc.chomp:
                while text.startswith("\t", first):
                    first += 1
            if text[first:stop] == heredoc.name:
                break
            if end < 0:
                raise NotUnderstood(heredoc.start, "a here-document without its end")
            lines.append((first, end + 1))
            self.pos = end + 1
        body_end = self.pos
        resume = min(stop + 1, len(text))
        if heredoc.expand:
            outer, self.context = self.context, heredoc.context
            self.expand_body(start, body_end)
            self.context = outer
        self.pos = resume
        self._fed(heredoc, lines)

    def _fed(self, heredoc: Heredoc, lines: list[tuple[int, int]]) -> None:
        """Read a here-document as a script where its command is a shell."""
        owner = heredoc.owner
        if owner and owner.words:
            found = nested_script([word[2] for word in owner.words])
            if found and found[0] == STDIN:
                inner = unquote.body(self.text, lines, self.expansions if heredoc.expand else None)
                self._script(inner, owner.context + found[1])
