"""From a RUN instruction to its commands, through every form in which a script can be written."""

from __future__ import annotations

import re

from dfcache.parser.execform import strings, unescape
from dfcache.parser.invocation import SHELLS, STDIN, nested_script, program
from dfcache.parser.places import Places
from dfcache.parser.script import Command, Dialect, Script, ShellWord
from dfcache.parser.shell import parse_inner, parse_shell
from dfcache.parser.tree import Heredoc, Instruction, Piece, Text
from dfcache.parser.unquote import Inner

DEFAULT_SHELL = ("/bin/sh", "-c")

# What the micromamba images set as SHELL: a script that ends in `exec bash -o pipefail -c "$@"`.
_SHELL_SCRIPTS = frozenset({"_dockerfile_shell.sh"})
_POWERSHELLS = frozenset({"powershell", "pwsh"})
_COMMAND_FLAG = re.compile(r"-[a-z]*c[a-z]*").fullmatch


def script(instruction: Instruction, shell: tuple[str, ...], source: str) -> Script:
    """The commands of a RUN instruction; ``shell`` is the SHELL in force, ``source`` the file."""
    if instruction.form == "exec":
        return _exec(instruction.rest)
    spoken = dialect(shell)
    heredocs = instruction.heredocs
    whole = _is_whole(instruction)
    if whole:
        text = _body(heredocs[0], source)
        if text.value.startswith("#!"):
            spoken = _shebang(text.value)
    elif heredocs:
        text = _with_bodies(instruction.rest, heredocs, source)
    else:
        text = instruction.rest
    if spoken is not Dialect.POSIX:
        return Script((), spoken)
    commands, opaque = parse_shell(text)
    return Script(commands, spoken, opaque)


def dialect(shell: tuple[str, ...]) -> Dialect:
    """The language that a SHELL reads: POSIX where a shell we know is given ``-c``."""
    names = [program(word) for word in shell]
    if not names:
        return Dialect.OTHER
    if names[0] in _POWERSHELLS:
        return Dialect.POWERSHELL
    if names[0] == "cmd":
        return Dialect.CMD
    posix = SHELLS.intersection(names[:-1]) and _COMMAND_FLAG(shell[-1])
    return Dialect.POSIX if posix or names[0] in _SHELL_SCRIPTS else Dialect.OTHER


def _shebang(text: str) -> Dialect:
    """The language of a script that names its interpreter, directly or through ``env``."""
    first = text.partition("\n")[0][2:]
    names = [program(word) for word in re.split("[ \t\r]+", first) if word]
    if names and names[0] == "env":
        names = [name for name in names[1:] if not name.startswith("-") and "=" not in name]
    return Dialect.POSIX if names and names[0] in SHELLS else Dialect.OTHER


# Here-documents


def _is_whole(instruction: Instruction) -> bool:
    """Whether the instruction is nothing but ``<<NAME``: then the body is the script."""
    rest = instruction.rest
    return (
        len(instruction.heredocs) == 1
        and rest.span(0, len(rest.value)) == instruction.heredocs[0].word_span
    )


def _lines(heredoc: Heredoc) -> list[tuple[int, int]]:
    """The parts of a body that a shell gets: no tabs before ``<<-`` lines, no CR before LF.

    The CR of a file with Windows line ends does reach the shell, and breaks it. Reading past
    it shows what the author meant.
    """
    body = heredoc.body
    parts: list[tuple[int, int]] = []
    at = 0
    while at < len(body):
        end = body.find("\n", at) + 1 or len(body)
        while heredoc.chomp and body.startswith("\t", at):
            at += 1
        if body.endswith("\r\n", at, end):
            parts += ((at, end - 2), (end - 1, end))
        else:
            parts.append((at, end))
        at = end
    return parts


def _body(heredoc: Heredoc, source: str) -> Text:
    """The body as a script."""
    builder = _Joined(source)
    for start, end in _lines(heredoc):
        builder.add(heredoc.body_span.start + start, heredoc.body_span.start + end)
    return builder.text()


def _with_bodies(rest: Text, heredocs: tuple[Heredoc, ...], source: str) -> Text:
    """The text that BuildKit hands to the shell: the command, then each body with its name."""
    builder = _Joined(source)
    for piece in rest.pieces:
        builder.add(piece.offset, piece.offset + piece.length)
    for heredoc in heredocs:
        start = heredoc.body_span.start
        builder.add(start - 1, start)
        for first, last in _lines(heredoc):
            builder.add(start + first, start + last)
        at = source.rfind(heredoc.name, heredoc.end_span.start, heredoc.end_span.end)
        if at >= 0:
            builder.add(at, at + len(heredoc.name))
    return builder.text()


class _Joined:
    """Puts a text together from parts of the file."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.parts: list[str] = []
        self.pieces: list[Piece] = []
        self.length = 0

    def add(self, start: int, end: int) -> None:
        if start == end:
            return
        if self.pieces:
            last = self.pieces[-1]
            if last.offset + last.length == start:
                self.pieces[-1] = Piece(last.start, last.offset, last.length + end - start)
            else:
                self.pieces.append(Piece(self.length, start, end - start))
        else:
            self.pieces.append(Piece(self.length, start, end - start))
        self.parts.append(self.source[start:end])
        self.length += end - start

    def text(self) -> Text:
        return Text("".join(self.parts), tuple(self.pieces))


# Exec form


def _exec(rest: Text) -> Script:
    """One command, and the script inside it where it starts a shell.

    The raw text of its words is the JSON, quotes included.
    """
    places = Places.of(rest)
    text = rest.value
    found = strings(text, text.find("[")) or []
    elements = [_element(text, start, end) for start, end in found]
    name = program(elements[0].value) if elements else ""
    if name in _POWERSHELLS or name == "cmd":
        return Script((), Dialect.CMD if name == "cmd" else Dialect.POWERSHELL)
    words = []
    for (start, end), element in zip(found, elements, strict=True):
        span = places.span(start, end)
        raw = text[start:end]
        words.append(ShellWord(element.value, raw, True, span, len(span) == len(raw)))
    if not words:
        return Script((), Dialect.POSIX)
    span = places.span(0, len(text))
    outer = Command(span, tuple(words), (), (), None, None, (), 0, rewritable=False)
    nested = nested_script([element.value for element in elements])
    if nested is None or nested[0] == STDIN:
        return Script((outer,), Dialect.POSIX)
    inner = elements[nested[0]]
    commands, opaque = parse_inner(inner, places.within(inner.runs), nested[1], 1)
    return Script((outer, *commands), Dialect.POSIX, opaque)


def _element(text: str, start: int, end: int) -> Inner:
    """The value of the JSON string ``text[start:end]``."""
    value, parts = unescape(text[start:end])
    ends = [at for _, at, _ in parts[1:]] + [end - start - 1]
    runs = [
        (index, start + at, length, stop - at)
        for (index, at, length), stop in zip(parts, ends, strict=False)
    ]
    return Inner(value, runs, {}, "\\" in text[start:end])
