"""Reads shell text: the union of POSIX sh and of the bash that stands in Dockerfiles.

A recursive descent which yields the simple commands and where they stand. It never raises.
Where it meets something that it doesn't know, it stops: the commands before that place stay,
the rest of the text is ``Opaque``.
"""

from __future__ import annotations

import re

from dfcache.parser.places import Places
from dfcache.parser.records import Mark, Output, Record, command
from dfcache.parser.script import Command, Opaque
from dfcache.parser.shellwords import PLAIN, NotUnderstood
from dfcache.parser.simple import SimpleParser
from dfcache.parser.tree import Text
from dfcache.parser.unquote import Inner

_END = r"(?=[ \t\n;&|()<>]|\\\n|\Z)"
_RESERVED = re.compile(
    r"(?:if|then|elif|else|fi|for|while|until|do|done|case|esac|select|function|coproc|time"
    rf"|\[\[|[{{}}!]){_END}"
).match
_CLOSERS = frozenset({"then", "elif", "else", "fi", "do", "done", "esac", "}"})
_SEPARATOR = re.compile(r"&&|\|\||\|&|\||&(?!>)|;(?![;&])|\n").match
_PARENTHESES = re.compile(r"\([ \t]*\)").match
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*").match
_FUNCTION_NAME = re.compile(r"[^ \t\n;&|()<>$`\"'\\]+").match
_TWO_OPERANDS = re.compile(r"[\w)\]][ \t]+[A-Za-z_\"'$/.]").search


def parse_shell(
    text: Text, context: tuple[str, ...] = (), first_list: int = 0
) -> tuple[tuple[Command, ...], tuple[Opaque, ...]]:
    """The commands of ``text`` in the order of the file, and what was not understood of it.

    ``context`` is put before the context of each command; list ids count from ``first_list``.
    """
    inner = Inner(text.value, [], {}, False)
    return parse_inner(inner, Places.of(text), context, first_list)


def parse_inner(
    inner: Inner, places: Places, context: tuple[str, ...] = (), first_list: int = 0
) -> tuple[tuple[Command, ...], tuple[Opaque, ...]]:
    """As ``parse_shell``, for a text that passed through quotes on its way."""
    output = Output(first_list)
    Parser(inner, places, output, context, 0).parse()
    commands = [command(record) for record in output.records]
    commands.sort(key=lambda command: command.span.start)
    return tuple(commands), tuple(output.opaque)


class Parser(SimpleParser):
    """The parser of one text; those of the scripts inside it share its output."""

    __slots__ = ()

    def parse(self) -> None:
        """Read all of the text into the output."""
        records = self.output.records
        first = len(records)
        try:
            closer = self._commands()
            if closer or self.pending:
                raise NotUnderstood(self.pos, f"unexpected {closer or 'end of the text'}")
        except NotUnderstood as problem:
            at = problem.at
            for index in range(first, len(records)):
                if records[index].end < 0:
                    at = min(records[index].start, at)
                    del records[index:]
                    break
            span = self.places.span(min(at, len(self.text)), len(self.text))
            self.output.opaque.append(Opaque(span, problem.reason))

    # Lists and pipelines

    def _commands(self) -> str:
        """Read a list; return what closes it, which is not consumed ("" is the end)."""
        self.deeper()
        output = self.output
        list_id = output.lists
        output.lists += 1
        first = len(output.records)
        before: Mark | None = None
        last: Record | None = None
        negated = False
        while True:
            self.lines()
            closer = self._closer()
            if closer is not None:
                if before and before[0] not in (";", "&", "\n"):
                    raise NotUnderstood(self.pos, f"nothing after {before[0]}")
                if last:
                    last.after = None
                self.depth -= 1
                return closer
            prefixes = self._prefixes()
            negated ^= any(self.text[start] == "!" for start, _ in prefixes)
            last = self._element(list_id, before)
            if last:
                last.negated = negated
                last.prefixes = prefixes
            before = self._separator()
            if before is None:
                if self._closer() is None:
                    raise NotUnderstood(self.pos, "a word where a command should end")
                continue
            if last:
                last.after = before
            if before[0] == "&":
                self._background(first)
            if before[0] not in ("|", "|&"):
                negated = False
                if before[0] not in ("&&", "||"):
                    first = len(output.records)

    def _closer(self) -> str | None:
        """What ends a list here, or None where a command may start."""
        text = self.text
        if self.pos >= len(text):
            return ""
        char = text[self.pos]
        if char == ")":
            return ")"
        if char == ";" and text[self.pos + 1 : self.pos + 2] in (";", "&"):
            return ";;"
        if char in "tefd}":
            match = _RESERVED(text, self.pos)
            if match and match[0] in _CLOSERS:
                return match[0]
        return None

    def _prefixes(self) -> tuple[tuple[int, int], ...]:
        """Read ``!`` and ``time``."""
        found: tuple[tuple[int, int], ...] = ()
        text = self.text
        while text[self.pos] in "!t":
            match = _RESERVED(text, self.pos)
            if not match or match[0] not in ("!", "time"):
                break
            start = self.pos
            self.pos = match.end()
            char = self.blanks()
            if match[0] == "time" and char == "-":
                option = PLAIN(text, self.pos)
                if not option or option[1] != "-p":
                    self.pos = start
                    break
                found += ((start, match.end()), option.span(1))
                self.pos = option.end()
                char = self.blanks()
            else:
                found += ((start, match.end()),)
            if not char or char in "\n;&|)":
                raise NotUnderstood(start, f"nothing after {match[0]}")
        return found

    def _separator(self) -> Mark | None:
        """Read what stands between two commands; None where there is nothing."""
        self.comment()
        match = _SEPARATOR(self.text, self.pos)
        if not match:
            return None
        if match[0] == "\n":
            start = self.pos
            self.newline()
            return ("\n", start, start + 1)
        self.pos = match.end()
        return (match[0], match.start(), match.end())

    def _background(self, first: int) -> None:
        """The commands since ``first`` turn out to run in the background."""
        at = len(self.context)
        for record in self.output.records[first:]:
            context = record.context
            record.context = (*context[:at], "background", *context[at:])

    # Commands

    def _element(self, list_id: int, before: Mark | None) -> Record | None:
        """Read a command; the record of a simple one, None for a compound one."""
        if self._compound():
            self.redirects(None)
            return None
        record = Record(self, list_id, before)
        self.output.records.append(record)
        return self.simple(record)

    def _compound(self) -> bool:
        """Read a compound command if one starts here."""
        text = self.text
        start = self.pos
        if text[start] == "(":
            if not (text.startswith("((", start) and self._arithmetic_command(start)):
                self.pos += 1
                self.inside("subshell", ")")
            return True
        match = _RESERVED(text, start)
        if not match:
            return False
        word = match[0]
        read = _COMPOUNDS.get(word)
        if read is None:
            if word == "time":
                return False
            raise NotUnderstood(start, f"unexpected {word}")
        self.pos = match.end()
        read(self)
        return True

    def _arithmetic_command(self, start: int) -> bool:
        """Read ``((…))``; False, and nothing is read, where it looks like two subshells."""
        back = self.checkpoint()
        if self.arithmetic(start + 2):
            if not _TWO_OPERANDS(self.text, start + 2, self.pos - 2):
                return True
            self.rollback(back)
        return False

    def inside(self, name: str, *closers: str, empty: bool = False) -> str:
        """Read a list within the construct ``name`` and what closes it, one of ``closers``."""
        outer = self.context
        self.context = (*outer, name)
        self.lines()
        start = self.pos
        closer = self._commands()
        if closer not in closers or (not empty and start == self.pos):
            raise NotUnderstood(self.pos, f"unexpected {closer or 'end of the text'}")
        self.context = outer
        if closer != ";;":
            self.pos += len(closer)
        return closer

    def _group(self) -> None:
        self.inside("group", "}")

    def _if(self) -> None:
        closer = "elif"
        while closer == "elif":
            self.inside("if", "then")
            closer = self.inside("then", "elif", "else", "fi")
        if closer == "else":
            self.inside("else", "fi")

    def _while(self) -> None:
        self.inside("while", "do")
        self.inside("loop", "done")

    def _for(self) -> None:
        if self.blanks() == "(":
            if not (self.text.startswith("((", self.pos) and self._for_clauses()):
                raise NotUnderstood(self.pos, "a loop without a name")
        else:
            match = _NAME(self.text, self.pos)
            if not match:
                raise NotUnderstood(self.pos, "a loop without a name")
            self.pos = match.end()
            self.lines()
            if re.match(rf"in{_END}", self.text[self.pos : self.pos + 4]):
                self.pos += 2
                self._words()
        if self.blanks() == ";":
            self.pos += 1
        self.lines()
        match = _RESERVED(self.text, self.pos)
        if not match or match[0] != "do":
            raise NotUnderstood(self.pos, "a loop without do")
        self.pos = match.end()
        self.inside("loop", "done")

    def _for_clauses(self) -> bool:
        """Read ``((a; b; c))``."""
        return self.arithmetic(self.pos + 2)

    def _words(self) -> None:
        """Read words up to the end of the line or a ``;``."""
        while True:
            char = self.blanks()
            if char == "#":
                self.comment()
                char = self.text[self.pos : self.pos + 1]
            if not char or char in "\n;":
                return
            if not self.word()[3]:
                raise NotUnderstood(self.pos, f"unexpected {char}")

    def _case(self) -> None:
        self.blanks()
        if not self.word()[3]:
            raise NotUnderstood(self.pos, "case without a word")
        self.lines()
        if not re.match(rf"in{_END}", self.text[self.pos : self.pos + 4]):
            raise NotUnderstood(self.pos, "case without in")
        self.pos += 2
        while True:
            self.lines()
            match = _RESERVED(self.text, self.pos)
            if match and match[0] == "esac":
                self.pos = match.end()
                return
            self._pattern()
            if self.inside("case", ";;", "esac", empty=True) == "esac":
                return
            self.pos += 3 if self.text.startswith(";;&", self.pos) else 2

    def _pattern(self) -> None:
        """Read ``(a | b)`` of a case."""
        if self.text.startswith("(", self.pos):
            self.pos += 1
        while True:
            self.blanks()
            if not self.word()[3]:
                raise NotUnderstood(self.pos, "a case without a pattern")
            char = self.blanks()
            self.pos += 1
            if char == ")":
                return
            if char != "|":
                raise NotUnderstood(self.pos - 1, "a pattern without its end")

    def _function(self) -> None:
        """Read a function definition from after the word ``function``."""
        self.blanks()
        match = _FUNCTION_NAME(self.text, self.pos)
        if not match:
            raise NotUnderstood(self.pos, "a function without a name")
        self.pos = match.end()
        self.blanks()
        parentheses = _PARENTHESES(self.text, self.pos)
        if parentheses:
            self.pos = parentheses.end()
        self.function_body()

    def function_body(self) -> None:
        outer = self.context
        self.context = (*outer, "function")
        self.lines()
        self.deeper()
        if self.pos >= len(self.text) or not self._compound():
            raise NotUnderstood(self.pos, "a function without a body")
        self.depth -= 1
        self.context = outer

    def _test(self) -> None:
        """Read ``[[ … ]]`` from after its opening."""
        text = self.text
        start = self.pos - 2
        while True:
            char = self.blanks()
            if char == "\n":
                self.newline()
            elif char == "]" and re.match(rf"\]\]{_END}", text[self.pos : self.pos + 4]):
                self.pos += 2
                return
            elif not char or char == ";":
                raise NotUnderstood(start, "[[ without its end")
            elif char in "()|&" or (char in "<>" and not text.startswith("(", self.pos + 1)):
                self.pos += 1
            else:
                self.word()


_COMPOUNDS = {
    "if": Parser._if,
    "while": Parser._while,
    "until": Parser._while,
    "for": Parser._for,
    "select": Parser._for,
    "case": Parser._case,
    "function": Parser._function,
    "{": Parser._group,
    "[[": Parser._test,
}
