"""Hypothesis strategies that write Dockerfiles BuildKit accepts.

``documents()`` gives a whole file with the keywords that were put into it;
``dockerfiles()`` just its text. The smaller strategies give one instruction with
``\\n`` line ends and the backslash as escape; ``documents`` may change the line ends of
the whole file, ``windows`` the escape.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from itertools import product
from typing import Any, NamedTuple, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

T = TypeVar("T")

# The escape character of all that is written here.
ESCAPE = "\\"

IMAGES = (
    "python:3.12-slim",
    "python:3.12-alpine",
    "debian:bookworm",
    "ubuntu:24.04",
    "node:22",
    "alpine",
    "ghcr.io/astral-sh/uv:0.5-python3.12-bookworm",
)
PACKAGES = ("requests", "numpy==2.1.0", "flask>=3", "uvicorn[standard]", "torch")
DEBS = ("curl", "git", "build-essential", "libpq-dev")
PATHS = ("/app", "/srv/x y", "src", ".", "./lib/", "requirements.txt", "a*.txt", "/opt/app/é")
FILES = ("requirements.txt", "pyproject.toml", "package.json", "setup.py", "constraints.txt")
COMMENTS = ("# a comment", "#", "# pip install \\", "  # indented", "# dfcache: x", "# ünïcode")
BLANKS = ("", "   ", "\t")
UNREAD = tuple(f"{line}\n" for line in (*COMMENTS, *BLANKS))
NAMES = ("A", "PATH", "PIP_NO_CACHE_DIR", "DEBIAN_FRONTEND", "lower_case", "X1")
VALUES = ("1", "on", '"two words"', "'single'", "a\\ b", "$A", "${A:-x}", "", '"q\\"q"', "é")
SIMPLE = (
    ("WORKDIR", "/app"),
    ("WORKDIR", "relative dir"),
    ("USER", "1000:1000"),
    ("USER", "root"),
    ("EXPOSE", "80 8080/udp"),
    ("VOLUME", "/data"),
    ("VOLUME", '["/data"]'),
    ("STOPSIGNAL", "SIGTERM"),
    ("CMD", "python app.py"),
    ("ENTRYPOINT", '["python"]'),
    ("SHELL", '["/bin/bash", "-o", "pipefail", "-c"]'),
    ("HEALTHCHECK", "NONE"),
    ("HEALTHCHECK", "--interval=5s CMD curl -f localhost"),
    ("MAINTAINER", "A Person <a@example.org>"),
)
DELIMITERS = ("EOF", "END", "SCRIPT_1")


class Document(NamedTuple):
    """A Dockerfile and the keywords of its instructions, in order and as written."""

    source: str
    keywords: tuple[str, ...]


class Written(NamedTuple):
    """One instruction: its keyword and its text with the last line end."""

    keyword: str
    text: str


# Making a strategy costs more than drawing from it: all of them are made once.


@cache
def _pick(values: tuple[T, ...]) -> SearchStrategy[T]:
    return st.sampled_from(values)


@cache
def _some(of: SearchStrategy[T], most: int, least: int = 0) -> SearchStrategy[list[T]]:
    return st.lists(of, min_size=least, max_size=most)


@cache
@st.composite
def keyword(draw: DrawFn, name: str) -> str:
    """``name`` in one of the cases people write."""
    return draw(_pick((name, name, name, name.lower(), name.capitalize())))


# Commands


@cache
def pip_commands() -> SearchStrategy[str]:
    """Invocations of pip and uv that download."""
    options = ("", " --no-cache-dir", " --upgrade", " -r requirements.txt", " --index-url=$URL")
    return st.builds(
        "{}{} {}".format,
        _pick(("pip install", "pip3 install", "python -m pip install", "uv pip install --system")),
        _pick(options),
        _some(_pick(PACKAGES), 3, 1).map(" ".join),
    )


@cache
def apt_commands() -> SearchStrategy[str]:
    """Invocations of apt-get and its kin."""
    install = st.builds(
        "{} install -y {}".format,
        _pick(("apt-get", "apt", "apt-get -qq")),
        _some(_pick(DEBS), 3, 1).map(" ".join),
    )
    others = ("apt-get update", "apk add --no-cache git", "rm -rf /var/lib/apt/lists/*")
    return install | _pick(others)


@cache
def other_commands() -> SearchStrategy[str]:
    """Commands that download nothing, and other package managers."""
    return _pick(
        (
            "npm ci",
            "poetry install --no-root",
            "echo 'done # not a comment'",
            'python -c "import x; print(1)"',
            "set -eux",
            "cd /app",
            "(make && make install)",
            "if [ -f x ]; then cat x; fi",
            "curl -fsSL https://example.org/x | tar xz",
            'echo "$A ${B:-c}"',
        )
    )


@cache
def commands() -> SearchStrategy[str]:
    """Any single shell command."""
    return pip_commands() | apt_commands() | other_commands()


# What may stand between two words: blanks, or a continuation with lines that don't count.
GAPS = (
    *(" ", "  ", "\t") * 12,
    *(
        f" {ESCAPE}{trailing}\n{between}{indent}"
        for trailing, between, indent in product(
            ("", " "),
            ("", *(f"{line}\n" for line in (*COMMENTS, *BLANKS)), f"{COMMENTS[0]}\n\n"),
            ("    ", "\t"),
        )
    ),
)


def broken(draw: DrawFn, words: tuple[str, ...]) -> str:
    """``words`` joined by blanks, some of them by continuations, comments and blank lines."""
    gaps = draw(_some(_pick(GAPS), len(words) - 1, len(words) - 1))
    return words[0] + "".join(gap + word for gap, word in zip(gaps, words[1:], strict=True))


@cache
@st.composite
def scripts(draw: DrawFn) -> str:
    """The shell text of a RUN, over one or more lines."""
    found = draw(_some(commands(), 4, 1))
    text = [found[0]]
    for command in found[1:]:
        text += [draw(_pick(("&&", ";", "||"))), command]
    return broken(draw, tuple(" ".join(text).split(" ")))


# Instructions


@cache
@st.composite
def mount_flags(draw: DrawFn) -> str:
    """One ``--mount`` of any type."""
    kind = draw(_pick(("cache", "bind", "tmpfs", "secret", "ssh")))
    fields = [f"type={kind}"]
    if kind == "cache":
        fields.append(draw(_pick(("target", "dst", "destination"))) + "=/root/.cache/pip")
        extra = ("id=pip", "sharing=locked", "uid=1000", "mode=0755", "ro=false", "readonly=0")
        fields += draw(_some(_pick(extra), 2))
    elif kind == "bind":
        fields += ["source=requirements.txt", "target=/tmp/requirements.txt"]
        fields += draw(_some(_pick(("rw", "ro")), 1))
    elif kind == "tmpfs":
        fields.append("target=/tmp")
    elif kind == "secret":
        fields.append("id=token")
    value = ",".join(fields)
    return draw(_pick((f"--mount={value}", f'--mount="{value}"')))


@cache
@st.composite
def run(draw: DrawFn) -> Written:
    """A RUN in shell form, with or without flags."""
    word = draw(keyword("RUN"))
    flags = draw(_some(mount_flags(), 2))
    flags += draw(_some(_pick(("--network=none", "--security=sandbox")), 1))
    head = broken(draw, (word, *flags))
    return Written(word, head + draw(_pick(GAPS)) + draw(scripts()) + "\n")


@cache
@st.composite
def run_heredoc(draw: DrawFn) -> Written:
    """A RUN whose script, or whose command's input, is a here-document."""
    word = draw(keyword("RUN"))
    name = draw(_pick(DELIMITERS))
    dash = draw(_pick(("", "-")))
    quoted = draw(_pick((name, f"'{name}'", f'"{name}"')))
    before, after = draw(_pick((("", ""), ("bash ", ""), ("cat ", " > /x"))))
    body = draw(_some(_heredoc_line(), 4))
    indent = draw(_pick(("", "\t"))) if dash else ""
    lines = [f"{word} {before}<<{dash}{quoted}{after}", *body, indent + name]
    return Written(word, "\n".join(lines) + "\n")


@cache
def _heredoc_line() -> SearchStrategy[str]:
    return commands() | _pick((*COMMENTS, *BLANKS, "FROM no_instruction", "line \\", "\tx"))


@cache
def _arguments() -> SearchStrategy[str]:
    plain = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"))
    return commands() | st.text(plain, max_size=8)


@cache
@st.composite
def exec_form(draw: DrawFn, name: str = "RUN") -> Written:
    """An instruction in exec form; the array may be broken over lines."""
    word = draw(keyword(name))
    words = draw(_some(_arguments(), 4, 1))
    items = [json.dumps(each, ensure_ascii=draw(_pick((False, True)))) for each in words]
    separator = draw(_pick((",", ", ", f", {ESCAPE}\n  ")))
    return Written(word, f"{word} [{separator.join(items)}]\n")


@cache
@st.composite
def copy(draw: DrawFn, stages: tuple[str, ...] = ()) -> Written:
    """A COPY or ADD in any form."""
    name = draw(_pick(("COPY", "COPY", "COPY", "ADD")))
    word = draw(keyword(name))
    flags = [
        flag
        for flag in ("--chown=1000:1000", "--chmod=755", "--link")
        if draw(_pick((0, 1, 2, 3))) == 0
    ]
    if name == "COPY" and stages and draw(_pick((False, True))):
        flags.append(f"--from={draw(_pick(stages))}")
    kind = draw(_pick((0, 1, 2, 3)))
    if kind == 0:
        paths = draw(_some(_pick(PATHS), 3, 2))
        return Written(word, " ".join([word, *flags, json.dumps(paths)]) + "\n")
    if kind == 1:
        name = draw(_pick(DELIMITERS))
        body = "".join(line + "\n" for line in draw(_some(_heredoc_line(), 3)))
        return Written(word, " ".join([word, *flags, f"<<{name}", "/x"]) + f"\n{body}{name}\n")
    plain = tuple(path for path in PATHS if " " not in path) + FILES
    paths = draw(_some(_pick(plain), 4, 2))
    return Written(word, broken(draw, (word, *flags, *paths)) + "\n")


@cache
@st.composite
def environment(draw: DrawFn) -> Written:
    """An ENV, LABEL or ARG, also ``ENV name value``."""
    word = draw(keyword(draw(_pick(("ENV", "LABEL", "ARG")))))
    if word.upper() == "ENV" and draw(_pick((False, True))):
        return Written(word, f"{word} {draw(_pick(NAMES))} some value\n")
    return Written(word, broken(draw, (word, *draw(_pairs(word.upper() == "ARG")))) + "\n")


@cache
def _pairs(bare: bool) -> SearchStrategy[list[str]]:
    pair = st.builds("{}={}".format, _pick(NAMES), _pick(VALUES))
    return _some(pair | _pick(NAMES) if bare else pair, 3, 1)


@cache
@st.composite
def simple(draw: DrawFn) -> Written:
    """Instructions with one plain argument."""
    name, value = draw(_pick(SIMPLE))
    word = draw(keyword(name))
    return Written(word, f"{word} {value}\n")


@cache
@st.composite
def onbuild(draw: DrawFn) -> Written:
    """An ONBUILD with any instruction it may hold."""
    word = draw(keyword("ONBUILD"))
    child = draw(_children())
    return Written(word, f"{word} {child.text}")


@cache
def _children() -> SearchStrategy[Written]:
    return st.one_of(run(), run_heredoc(), exec_form(), copy(), environment())


@cache
def instructions(stages: tuple[str, ...] = ()) -> SearchStrategy[Written]:
    """Any instruction but FROM."""
    return st.one_of(
        run(),
        run(),
        run_heredoc(),
        exec_form(),
        exec_form("CMD"),
        copy(stages),
        copy(stages),
        environment(),
        simple(),
        onbuild(),
    )


# Files


@cache
@st.composite
def documents(
    draw: DrawFn, body: Callable[[tuple[str, ...]], SearchStrategy[Written]] = instructions
) -> Document:
    """A whole Dockerfile of one to three stages, in any layout BuildKit accepts.

    ``body`` gives the instructions of a stage from the names of the stages before it.
    """
    parts: list[Any] = [*_directives(draw)]
    if draw(_pick((0, 1, 2, 3))) == 0:
        parts.append(Written("ARG", "ARG BASE=alpine\n"))
    names: list[str] = []
    for number in range(draw(_pick((1, 1, 2, 3)))):
        word = draw(keyword("FROM"))
        base = draw(_pick((*IMAGES, *names, "$BASE", "--platform=linux/amd64 alpine")))
        name = f" AS stage{number}" if draw(_pick((False, True))) else ""
        parts.append(Written(word, f"{word} {base}{name}\n"))
        for _ in range(draw(_pick((0, 1, 2, 3, 4, 5)))):
            parts += draw(_some(_pick(UNREAD), 2))
            parts.append(draw(body(tuple(names))))
        if name:
            names.append(f"stage{number}")
    source = "".join(part.text if isinstance(part, Written) else part for part in parts)
    source = _laid_out(draw, source)
    return Document(source, tuple(part.keyword for part in parts if isinstance(part, Written)))


def _directives(draw: DrawFn) -> list[str]:
    choices = ((), ("# syntax=docker/dockerfile:1\n",), ("# check=skip=all\n",))
    return [*draw(_pick(choices))]


def _laid_out(draw: DrawFn, source: str) -> str:
    """The same file with another line end, byte order mark or end, where that changes nothing."""
    if draw(_pick((0, 1, 2, 3))) == 0:
        source = source.replace("\n", "\r\n")
    if draw(_pick((0, 1, 2, 3, 4, 5))) == 0:
        source = "\ufeff" + source
    if draw(_pick((0, 1, 2, 3))) == 0:
        source = source.removesuffix("\n").removesuffix("\r")
    return source


def dockerfiles() -> SearchStrategy[str]:
    """The text of a whole Dockerfile."""
    return documents().map(lambda document: document.source)


def windows(source: str) -> str:
    """``source`` with the backquote for its continuations, and a directive that says so."""
    return "# escape=`\n" + re.sub(r" \\(?=[ \t]*\n)", " `", source)


_TOKENS = (
    *("FROM a\n", "RUN ", "COPY ", "ENV ", "LABEL ", "ONBUILD ", "HEALTHCHECK ", "SHELL ", "ARG "),
    *("\n", "\r\n", "\r", "\\\n", "\\", "`", " ", "\t", "\v", "#", "# escape=`\n", "\ufeff"),
    *("<<EOF", "<<-EOF", "<< EOF", "EOF\n", "<<'EOF'", "<<<", "--mount=type=cache", "--x='a b'"),
    *("[", "]", '["a"]', '"', "'", "$", "${a", "${a:-b}", "}", "=", "a=b", ",", "\x00", "\x1c"),
    *("\x85", "\xa0", "\u2028", "\u3000", "é", "\udca0", "\udcff", "😀", "NONE", "CMD ", "--"),
)


def soup() -> SearchStrategy[str]:
    """Text made of what matters to the parser, in no order that makes sense."""
    return st.lists(_pick(_TOKENS), max_size=40).map("".join)
