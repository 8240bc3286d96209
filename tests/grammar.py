"""Hypothesis strategies that write Dockerfiles BuildKit accepts.

``documents()`` gives a whole file with the keywords that were put into it;
``dockerfiles()`` just its text. The smaller strategies give the text of one
instruction with ``\\n`` line ends and a backslash as escape; ``documents`` changes
both for the whole file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

# Stands for the escape character until a document chooses one.
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
NAMES = ("A", "PATH", "PIP_NO_CACHE_DIR", "DEBIAN_FRONTEND", "lower_case", "X1")
VALUES = ("1", "on", '"two words"', "'single'", "a\\ b", "$A", "${A:-x}", "", '"q\\"q"', "é")
DELIMITERS = ("EOF", "END", "SCRIPT_1")


class Document(NamedTuple):
    """A Dockerfile and the keywords of its instructions, in order and as written."""

    source: str
    keywords: tuple[str, ...]


class Written(NamedTuple):
    """One instruction: its keyword and its text with the last line end."""

    keyword: str
    text: str


def _pick(values: Sequence[str]) -> SearchStrategy[str]:
    return st.sampled_from(values)


@st.composite
def keyword(draw: DrawFn, name: str) -> str:
    """``name`` in one of the cases people write."""
    return draw(st.sampled_from((name, name, name, name.lower(), name.capitalize())))


# Commands


def pip_commands() -> SearchStrategy[str]:
    """Invocations of pip and uv that download."""
    options = ("", " --no-cache-dir", " --upgrade", " -r requirements.txt", " --index-url=$URL")
    return st.builds(
        "{}{} {}".format,
        _pick(("pip install", "pip3 install", "python -m pip install", "uv pip install --system")),
        _pick(options),
        st.lists(_pick(PACKAGES), min_size=1, max_size=3).map(" ".join),
    )


def apt_commands() -> SearchStrategy[str]:
    """Invocations of apt-get and its kin."""
    install = st.builds(
        "{} install -y {}".format,
        _pick(("apt-get", "apt", "apt-get -qq")),
        st.lists(_pick(DEBS), min_size=1, max_size=3).map(" ".join),
    )
    others = ("apt-get update", "apk add --no-cache git", "rm -rf /var/lib/apt/lists/*")
    return install | _pick(others)


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


def commands() -> SearchStrategy[str]:
    """Any single shell command."""
    return pip_commands() | apt_commands() | other_commands()


@st.composite
def broken(draw: DrawFn, words: Sequence[str]) -> str:
    """``words`` joined by blanks, some of them by continuations, comments and blank lines."""
    parts = [words[0]]
    for word in words[1:]:
        parts.append(draw(_gap()))
        parts.append(word)
    return "".join(parts)


@st.composite
def _gap(draw: DrawFn) -> str:
    if draw(st.integers(0, 2)):
        return draw(_pick((" ", "  ", "\t")))
    lines = [" " + ESCAPE + draw(_pick(("", "", " ", "\t")))]
    lines += draw(st.lists(_pick((*COMMENTS, *BLANKS)), max_size=2))
    return "\n".join([*lines, draw(_pick(("    ", "  ", "\t", " ")))])


@st.composite
def scripts(draw: DrawFn) -> str:
    """The shell text of a RUN, over one or more lines."""
    found = draw(st.lists(commands(), min_size=1, max_size=4))
    text = [found[0]]
    for command in found[1:]:
        text += [draw(_pick(("&&", ";", "||"))), command]
    return draw(broken(" ".join(text).split(" ")))


# Instructions


@st.composite
def mount_flags(draw: DrawFn) -> str:
    """One ``--mount`` of any type."""
    kind = draw(_pick(("cache", "bind", "tmpfs", "secret", "ssh")))
    fields = [f"type={kind}"]
    if kind == "cache":
        fields.append(draw(_pick(("target", "dst", "destination"))) + "=/root/.cache/pip")
        extra = ("id=pip", "sharing=locked", "uid=1000", "mode=0755", "ro=false", "readonly=0")
        fields += draw(st.lists(_pick(extra), max_size=2, unique=True))
    elif kind == "bind":
        fields += ["source=requirements.txt", "target=/tmp/requirements.txt"]
        fields += draw(st.lists(_pick(("rw", "ro")), max_size=1))
    elif kind == "tmpfs":
        fields.append("target=/tmp")
    elif kind == "secret":
        fields.append("id=token")
    value = ",".join(fields)
    return draw(_pick((f"--mount={value}", f'--mount="{value}"')))


@st.composite
def run(draw: DrawFn) -> Written:
    """A RUN in shell form, with or without flags."""
    word = draw(keyword("RUN"))
    flags = draw(st.lists(mount_flags(), max_size=2))
    flags += draw(st.lists(_pick(("--network=none", "--security=sandbox")), max_size=1))
    head = draw(broken([word, *flags]))
    return Written(word, head + draw(_gap()) + draw(scripts()) + "\n")


@st.composite
def run_heredoc(draw: DrawFn) -> Written:
    """A RUN whose script, or whose command's input, is a here-document."""
    word = draw(keyword("RUN"))
    name = draw(_pick(DELIMITERS))
    dash = draw(_pick(("", "-")))
    quoted = draw(_pick((name, f"'{name}'", f'"{name}"')))
    before, after = draw(st.sampled_from((("", ""), ("bash ", ""), ("cat ", " > /x"))))
    body = draw(st.lists(_heredoc_line(), max_size=4))
    indent = draw(_pick(("", "\t"))) if dash else ""
    lines = [f"{word} {before}<<{dash}{quoted}{after}", *body, indent + name]
    return Written(word, "\n".join(lines) + "\n")


def _heredoc_line() -> SearchStrategy[str]:
    return commands() | _pick((*COMMENTS, *BLANKS, "FROM no_instruction", "line \\", "\tx"))


@st.composite
def exec_form(draw: DrawFn, name: str = "RUN") -> Written:
    """An instruction in exec form; the array may be broken over lines."""
    word = draw(keyword(name))
    argument = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=8)
    words = draw(st.lists(argument | commands(), min_size=1, max_size=4))
    items = [json.dumps(each, ensure_ascii=draw(st.booleans())) for each in words]
    separator = draw(_pick((",", ", ", f", {ESCAPE}\n  ")))
    return Written(word, f"{word} [{separator.join(items)}]\n")


@st.composite
def copy(draw: DrawFn, stages: Sequence[str] = ()) -> Written:
    """A COPY or ADD in any form."""
    name = draw(_pick(("COPY", "COPY", "COPY", "ADD")))
    word = draw(keyword(name))
    flags = draw(
        st.lists(_pick(("--chown=1000:1000", "--chmod=755", "--link")), max_size=2, unique=True)
    )
    if name == "COPY" and stages and draw(st.booleans()):
        flags.append(f"--from={draw(_pick(stages))}")
    kind = draw(st.integers(0, 3))
    if kind == 0:
        paths = draw(st.lists(_pick(PATHS), min_size=2, max_size=3))
        return Written(word, " ".join([word, *flags, json.dumps(paths)]) + "\n")
    if kind == 1:
        name = draw(_pick(DELIMITERS))
        body = "".join(line + "\n" for line in draw(st.lists(_heredoc_line(), max_size=3)))
        return Written(word, " ".join([word, *flags, f"<<{name}", "/x"]) + f"\n{body}{name}\n")
    plain = [path for path in PATHS if " " not in path] + list(FILES)
    paths = draw(st.lists(_pick(plain), min_size=2, max_size=4))
    return Written(word, draw(broken([word, *flags, *paths])) + "\n")


@st.composite
def environment(draw: DrawFn) -> Written:
    """An ENV, LABEL or ARG, also ``ENV name value``."""
    word = draw(keyword(draw(_pick(("ENV", "LABEL", "ARG")))))
    if word.upper() == "ENV" and draw(st.booleans()):
        return Written(word, f"{word} {draw(_pick(NAMES))} some value\n")
    pair = st.builds("{}={}".format, _pick(NAMES), _pick(VALUES))
    if word.upper() == "ARG":
        pair |= _pick(NAMES)
    return Written(word, draw(broken([word, *draw(st.lists(pair, min_size=1, max_size=3))])) + "\n")


@st.composite
def simple(draw: DrawFn) -> Written:
    """Instructions with one plain argument."""
    name, value = draw(
        st.sampled_from(
            (
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
        )
    )
    word = draw(keyword(name))
    return Written(word, f"{word} {value}\n")


@st.composite
def onbuild(draw: DrawFn) -> Written:
    """An ONBUILD with any instruction it may hold."""
    word = draw(keyword("ONBUILD"))
    child = draw(run() | run_heredoc() | exec_form() | copy() | environment())
    return Written(word, f"{word} {child.text}")


def instructions(stages: Sequence[str] = ()) -> SearchStrategy[Written]:
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


@st.composite
def documents(
    draw: DrawFn, body: Callable[[Sequence[str]], SearchStrategy[Written]] = instructions
) -> Document:
    """A whole Dockerfile of one to three stages, in any layout BuildKit accepts.

    ``body`` gives the instructions of a stage from the names of the stages before it.
    """
    parts: list[Any] = [*_directives(draw)]
    if draw(st.integers(0, 3)) == 0:
        parts.append(Written("ARG", "ARG BASE=alpine\n"))
    names: list[str] = []
    for number in range(draw(st.integers(1, 3))):
        word = draw(keyword("FROM"))
        base = draw(_pick((*IMAGES, *names, "$BASE", "--platform=linux/amd64 alpine")))
        name = f" AS stage{number}" if draw(st.booleans()) else ""
        parts.append(Written(word, f"{word} {base}{name}\n"))
        for _ in range(draw(st.integers(0, 5))):
            parts += draw(
                st.lists(_pick((*COMMENTS, *BLANKS)).map(lambda line: f"{line}\n"), max_size=2)
            )
            parts.append(draw(body(names)))
        if name:
            names.append(f"stage{number}")
    source = "".join(part.text if isinstance(part, Written) else part for part in parts)
    source = _laid_out(draw, source)
    return Document(source, tuple(part.keyword for part in parts if isinstance(part, Written)))


def _directives(draw: DrawFn) -> list[str]:
    lines = ["# syntax=docker/dockerfile:1\n", "# check=skip=all\n"]
    return draw(st.lists(st.sampled_from(lines), max_size=2, unique=True))


def _laid_out(draw: DrawFn, source: str) -> str:
    """The same file with another line end, byte order mark or end, where that changes nothing."""
    if draw(st.integers(0, 3)) == 0:
        source = source.replace("\n", "\r\n")
    if draw(st.integers(0, 5)) == 0:
        source = "\ufeff" + source
    if draw(st.integers(0, 3)) == 0:
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
