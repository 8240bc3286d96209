"""From a RUN instruction to its commands, through every form in which a script can be written."""

from __future__ import annotations

import re

from dfcache.parser.invocation import SHELLS, STDIN, nested_script, program
from dfcache.parser.places import Places, Run
from dfcache.parser.script import Command, Dialect, Script, ShellWord
from dfcache.parser.shell import parse_inner, parse_shell
from dfcache.parser.tree import Heredoc, Instruction, Piece, Text
from dfcache.parser.unquote import Inner

DEFAULT_SHELL = ("/bin/sh", "-c")

# What the micromamba images set as SHELL: a script that ends in `exec bash -o pipefail -c "$@"`.
_SHELL_SCRIPTS = frozenset({"_dockerfile_shell.sh"})
_POWERSHELLS = frozenset({"powershell", "pwsh"})
_COMMAND_FLAG = re.compile(r"-[a-z]*c[a-z]*").fullmatch
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL).finditer
_ESCAPE = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.", re.DOTALL).finditer
_JSON_CHARS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


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
    names = [program(word) for word in text.partition("\n")[0][2:].split()]
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
    """One command, and the script inside it where it starts a shell."""
    places = Places.of(rest)
    elements = [_element(match) for match in _STRING(rest.value)]
    if not elements or not elements[0].value:
        return Script((), Dialect.POSIX)
    values = [element.value for element in elements]
    name = program(values[0])
    if name in _POWERSHELLS or name == "cmd":
        return Script((), Dialect.CMD if name == "cmd" else Dialect.POWERSHELL)
    words = []
    for match, value in zip(_STRING(rest.value), values, strict=True):
        span = places.span(*match.span())
        words.append(ShellWord(value, match[0], True, span, len(span) == len(match[0])))
    span = places.span(0, len(rest.value))
    outer = Command(span, tuple(words), (), (), None, None, (), 0, rewritable=False)
    found = nested_script(values)
    if found is None or found[0] == STDIN:
        return Script((outer,), Dialect.POSIX)
    inner = elements[found[0]]
    commands, opaque = parse_inner(inner, places.within(inner.runs), found[1], 1)
    return Script((outer, *commands), Dialect.POSIX, opaque)


def _element(match: re.Match[str]) -> Inner:
    """The value of a JSON string."""
    base, text = match.start(1), match[1]
    parts: list[str] = []
    runs: list[Run] = []
    length = at = 0
    for escape in _ESCAPE(text):
        if escape.start() > at:
            size = escape.start() - at
            runs.append((length, base + at, size, size))
            parts.append(text[at : escape.start()])
            length += size
        parts.append(_unescaped(escape[0]))
        runs.append((length, base + escape.start(), 1, len(escape[0])))
        length += 1
        at = escape.end()
    if at < len(text):
        runs.append((length, base + at, len(text) - at, len(text) - at))
        parts.append(text[at:])
    return Inner("".join(parts), runs, {}, len(runs) > 1)


def _unescaped(escape: str) -> str:
    """The character that a JSON escape stands for."""
    if escape[1] != "u":
        return _JSON_CHARS.get(escape[1], escape[1])
    try:
        codes = [int(code, 16) for code in escape[2:].split("\\u")]
    except ValueError:
        return "\ufffd"
    if len(codes) == 2:
        return chr(0x10000 + ((codes[0] - 0xD800) << 10) + codes[1] - 0xDC00)
    return "\ufffd" if 0xD800 <= codes[0] < 0xE000 else chr(codes[0])
