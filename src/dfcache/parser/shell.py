"""Reads shell text: the union of POSIX sh and of the bash that stands in Dockerfiles.

A recursive descent which yields the simple commands and where they stand. It never raises.
Where it meets something that it doesn't know, it stops: the commands before that place stay,
the rest of the text is ``Opaque``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from dfcache.parser import unquote
from dfcache.parser.invocation import STDIN, nested_script
from dfcache.parser.places import Places
from dfcache.parser.script import Assignment, Command, Opaque, Redirect, Separator, ShellWord
from dfcache.parser.shellwords import PLAIN, NotUnderstood, Part, Scanner
from dfcache.parser.tree import Text
from dfcache.parser.unquote import Inner
from dfcache.text import Span

_END = r"(?=[ \t\n;&|()<>]|\\\n|\Z)"
_RESERVED = re.compile(
    r"(?:if|then|elif|else|fi|for|while|until|do|done|case|esac|select|function|coproc|time"
    rf"|\[\[|[{{}}!]){_END}"
).match
_CLOSERS = frozenset({"then", "elif", "else", "fi", "do", "done", "esac", "}"})
_LINE = re.compile(r"(?:[ \t]++|\\\n|#[^\n]*+)*+").match
_SEPARATOR = re.compile(r"&&|\|\||\|&|\||&(?!>)|;(?![;&])|\n").match
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*(?:\[[^\] \t\n]*\])?)(\+?)=").match
_REDIRECT = re.compile(
    r"(?:[0-9]+|\{[A-Za-z_][A-Za-z0-9_]*\})?"
    r"(?:<<<|<<-?|<>|<&|<(?!\()|>>|>&|>\||>(?!\())|&>>?"
).match
_PARENTHESES = re.compile(r"\([ \t]*\)").match
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*").match
_FUNCTION_NAME = re.compile(r"[^ \t\n;&|()<>$`\"'\\]+").match
_TWO_OPERANDS = re.compile(r"[\w)\]][ \t]+[A-Za-z_\"'$/.]").search
_DECLARATIONS = frozenset({"export", "local", "declare", "typeset", "readonly"})

Mark = tuple[str, int, int]
"""A separator: (operator, start, end)."""


class _Record:
    """A command while it is read; places are those of its own text."""

    __slots__ = (
        "after", "assignments", "before", "context", "end", "list_id", "negated", "parser",
        "prefixes", "redirects", "start", "words",
    )  # fmt: skip

    def __init__(self, parser: Parser, list_id: int, before: Mark | None) -> None:
        self.parser = parser
        self.start = parser.pos
        self.end = -1
        self.words: list[Part] = []
        self.assignments: list[tuple[str, Part, bool, int, int]] = []
        self.redirects: list[tuple[str, Part | None, int, int]] = []
        self.before = before
        self.after: Mark | None = None
        self.context = parser.context
        self.list_id = list_id
        self.negated = False
        self.prefixes: tuple[tuple[int, int], ...] = ()


class _Output:
    """What is read of a script and of all scripts inside it."""

    __slots__ = ("lists", "opaque", "records")

    def __init__(self, first_list: int) -> None:
        self.records: list[_Record] = []
        self.opaque: list[Opaque] = []
        self.lists = first_list


class _Heredoc:
    """A here-document whose body comes after the next line end."""

    __slots__ = ("chomp", "context", "expand", "name", "owner", "start")

    def __init__(self, start: int, name: str, owner: _Record | None) -> None:
        self.start = start
        self.name = name
        self.owner = owner
        self.chomp = False
        self.expand = True
        self.context: tuple[str, ...] = ()


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
    output = _Output(first_list)
    Parser(inner, places, output, context, 0).parse()
    commands = [_command(record) for record in output.records]
    commands.sort(key=lambda command: command.span.start)
    return tuple(commands), tuple(output.opaque)


class Parser(Scanner):
    """The parser of one text; those of the scripts inside it share its output."""

    __slots__ = ("context", "output", "pending", "places", "rewritable")

    def __init__(
        self,
        inner: Inner,
        places: Places,
        output: _Output,
        context: tuple[str, ...],
        depth: int,
        rewritable: bool = True,
    ) -> None:
        super().__init__(inner.value, inner.live, depth)
        self.places = places
        self.output = output
        self.context = context
        self.pending: list[_Heredoc] = []
        self.rewritable = rewritable and not inner.escaped

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
        last: _Record | None = None
        negated = False
        while True:
            self._lines()
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

    def _lines(self) -> None:
        """Skip blanks, comments and line ends."""
        text = self.text
        while True:
            match = _LINE(text, self.pos)
            if match:
                self.pos = match.end()
            if not text.startswith("\n", self.pos):
                return
            self._newline()

    def _newline(self) -> None:
        """Pass a line end, and the here-documents that follow it."""
        self.pos += 1
        if self.pending:
            pending, self.pending = self.pending, []
            for heredoc in pending:
                self._body(heredoc)

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
        self._comment()
        match = _SEPARATOR(self.text, self.pos)
        if not match:
            return None
        if match[0] == "\n":
            start = self.pos
            self._newline()
            return ("\n", start, start + 1)
        self.pos = match.end()
        return (match[0], match.start(), match.end())

    def _comment(self) -> None:
        match = _LINE(self.text, self.pos)
        if match:
            self.pos = match.end()

    def _background(self, first: int) -> None:
        """The commands since ``first`` turn out to run in the background."""
        at = len(self.context)
        for record in self.output.records[first:]:
            context = record.context
            record.context = (*context[:at], "background", *context[at:])

    # Commands

    def _element(self, list_id: int, before: Mark | None) -> _Record | None:
        """Read a command; the record of a simple one, None for a compound one."""
        if self._compound():
            self._redirects(None)
            return None
        record = _Record(self, list_id, before)
        self.output.records.append(record)
        return self._simple(record)

    def _compound(self) -> bool:
        """Read a compound command if one starts here."""
        text = self.text
        start = self.pos
        if text[start] == "(":
            if not (text.startswith("((", start) and self._arithmetic_command(start)):
                self.pos += 1
                self._inside("subshell", ")")
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

    def _inside(self, name: str, *closers: str, empty: bool = False) -> str:
        """Read a list within the construct ``name`` and what closes it, one of ``closers``."""
        outer = self.context
        self.context = (*outer, name)
        self._lines()
        start = self.pos
        closer = self._commands()
        if closer not in closers or (not empty and start == self.pos):
            raise NotUnderstood(self.pos, f"unexpected {closer or 'end of the text'}")
        self.context = outer
        if closer != ";;":
            self.pos += len(closer)
        return closer

    def _group(self) -> None:
        self._inside("group", "}")

    def _if(self) -> None:
        closer = "elif"
        while closer == "elif":
            self._inside("if", "then")
            closer = self._inside("then", "elif", "else", "fi")
        if closer == "else":
            self._inside("else", "fi")

    def _while(self) -> None:
        self._inside("while", "do")
        self._inside("loop", "done")

    def _for(self) -> None:
        if self.blanks() == "(":
            if not (self.text.startswith("((", self.pos) and self._for_clauses()):
                raise NotUnderstood(self.pos, "a loop without a name")
        else:
            match = _NAME(self.text, self.pos)
            if not match:
                raise NotUnderstood(self.pos, "a loop without a name")
            self.pos = match.end()
            self._lines()
            if re.match(rf"in{_END}", self.text[self.pos : self.pos + 4]):
                self.pos += 2
                self._words()
        if self.blanks() == ";":
            self.pos += 1
        self._lines()
        match = _RESERVED(self.text, self.pos)
        if not match or match[0] != "do":
            raise NotUnderstood(self.pos, "a loop without do")
        self.pos = match.end()
        self._inside("loop", "done")

    def _for_clauses(self) -> bool:
        """Read ``((a; b; c))``."""
        return self.arithmetic(self.pos + 2)

    def _words(self) -> None:
        """Read words up to the end of the line or a ``;``."""
        while True:
            char = self.blanks()
            if char == "#":
                self._comment()
                char = self.text[self.pos : self.pos + 1]
            if not char or char in "\n;":
                return
            if not self.word()[3]:
                raise NotUnderstood(self.pos, f"unexpected {char}")

    def _case(self) -> None:
        self.blanks()
        if not self.word()[3]:
            raise NotUnderstood(self.pos, "case without a word")
        self._lines()
        if not re.match(rf"in{_END}", self.text[self.pos : self.pos + 4]):
            raise NotUnderstood(self.pos, "case without in")
        self.pos += 2
        while True:
            self._lines()
            match = _RESERVED(self.text, self.pos)
            if match and match[0] == "esac":
                self.pos = match.end()
                return
            self._pattern()
            if self._inside("case", ";;", "esac", empty=True) == "esac":
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
        self._function_body()

    def _function_body(self) -> None:
        outer = self.context
        self.context = (*outer, "function")
        self._lines()
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
                self._newline()
            elif char == "]" and re.match(rf"\]\]{_END}", text[self.pos : self.pos + 4]):
                self.pos += 2
                return
            elif not char or char == ";":
                raise NotUnderstood(start, "[[ without its end")
            elif char in "()|&" or (char in "<>" and not text.startswith("(", self.pos + 1)):
                self.pos += 1
            else:
                self.word()

    # Simple commands

    def _simple(self, record: _Record) -> _Record | None:
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

    def _assigned(self, record: _Record, start: int, end: int) -> bool:
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

    def _argument(self, record: _Record) -> Part:
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
            self._lines()
            char = self.text[self.pos : self.pos + 1]
            if char == ")":
                self.pos += 1
                text = self.raw(start, self.pos)
                return (start, self.pos, text, text, False)
            if not self.word()[3]:
                raise NotUnderstood(start, "an array without its end")

    def _defined(self, record: _Record) -> None:
        """Read the body of ``name()``, whose name was taken for a command."""
        match = _PARENTHESES(self.text, self.pos)
        plain = len(record.words) == 1 and not record.assignments and not record.redirects
        if not match or not plain or not _FUNCTION_NAME(record.words[0][3]):
            raise NotUnderstood(self.pos, "unexpected (")
        self.output.records.remove(record)
        self.pos = match.end()
        self._function_body()
        self._redirects(None)

    def _redirects(self, record: _Record | None) -> None:
        """Read the redirections after a compound command."""
        while self.blanks() and self._redirect(record):
            pass

    def _redirect(self, record: _Record | None) -> bool:
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
            heredoc = _Heredoc(start, target[2], record)
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
        self._inside("substitution", ")", empty=True)

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
        Parser(inner, places, self.output, context, self.depth, self.rewritable).parse()
        self.depth -= 1

    def _nested(self, record: _Record) -> None:
        """Read the script that a command is given as a word."""
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

    def _body(self, heredoc: _Heredoc) -> None:
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

    def _fed(self, heredoc: _Heredoc, lines: list[tuple[int, int]]) -> None:
        """Read a here-document as a script where its command is a shell."""
        owner = heredoc.owner
        if owner and owner.words:
            found = nested_script([word[2] for word in owner.words])
            if found and found[0] == STDIN:
                inner = unquote.body(self.text, lines, self.expansions if heredoc.expand else None)
                self._script(inner, owner.context + found[1])


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


def _command(record: _Record) -> Command:
    """The value of a record."""
    span = record.parser.places.span
    before, after = record.before, record.after
    return Command(
        span(record.start, record.end),
        tuple([_word(word, span) for word in record.words]),
        tuple(
            [
                Assignment(name, _word(value, span), append, span(start, end))
                for name, value, append, start, end in record.assignments
            ]
        ),
        tuple(
            [
                Redirect(operator, target and _word(target, span), span(start, end))
                for operator, target, start, end in record.redirects
            ]
        ),
        before and Separator(before[0], span(before[1], before[2])),
        after and Separator(after[0], span(after[1], after[2])),
        record.context,
        record.list_id,
        record.negated,
        record.parser.rewritable,
        tuple([span(start, end) for start, end in record.prefixes]),
    )


def _word(word: Part, span: Callable[[int, int], Span]) -> ShellWord:
    start, end, value, raw, literal = word
    place = span(start, end)
    return ShellWord(value, raw, literal, place, len(place) == len(raw))
