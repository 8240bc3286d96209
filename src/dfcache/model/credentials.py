"""Passwords and tokens in the addresses of package indexes and repositories, and where they stand.

A build argument is no hiding place: its value is part of the history of the image. What a secret
mount gives to a step is in no layer.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from dfcache.model.asked import Asked, asked
from dfcache.model.build import Build, CopyStep, RunStep, Step, VariableStep
from dfcache.model.invocations import Invocation
from dfcache.parser import Pair, pairs
from dfcache.record import record
from dfcache.text import Span

# What stands between "://" and "@", the shell's quotes included; no shell command in it.
_ADDRESS = r"(?P<scheme>[a-z][a-z0-9+]*)://(?P<info>[^\s/@,;|&<>()`]+)@(?P<host>[\w.${}:-]*)"
_TOKEN = r"(gh[pousr]_|github_pat_|glpat-|pypi-)\w+|(?=.*\d)(?=.*[A-Za-z])[\w.-]{20,}"
# What is no password: a placeholder, or what GitHub takes behind a token.
_EMPTY = r"(?i)[*x.]*|.*[<>{}].*|(your|my|some)[_-]?\w*|x-oauth-basic"
_SECRET_NAME = r"(?i)pass|token|secret|key|auth|cred|(^|_)pat($|_)"
_PASSWORDS = r"UV_INDEX_\w+_PASSWORD|POETRY_HTTP_BASIC_\w+_PASSWORD|POETRY_PYPI_TOKEN_\w+"
_INDEXES = r"(PIP|UV)_\w*(INDEX|LINKS)\w*|\w*(PYPI|PIP|INDEX_URL)\w*"
_CONFIGURATION = ("pip.conf", "pip.ini", "uv.toml")
_PASSWORD_FILES = (".netrc", "_netrc", ".pypirc")


@record
class Exposed:
    """A password or token: the ``span`` to show, and the ``host`` it is for, "" where unknown.

    ``how`` is "literal" (written out), "ARG" or "ENV" (the variable ``name`` brings it), "file"
    (``name`` is copied into the image). ``file`` is the file of the context in which it stands,
    at ``place``, or "". ``tool`` is "pip" or "uv", and "git" for repositories.
    """

    step: Step | None
    span: Span
    how: str
    host: str = ""
    name: str = ""
    file: str = ""
    place: Span = Span(0, 0)
    tool: str = "pip"


def masked(text: str, mark: str = "***") -> str:
    """``text`` without the passwords and tokens that are written out in it.

    With ``mark`` "" they become as many asterisks.
    """

    def mask(found: re.Match[str]) -> str:
        info = found["info"]
        if "$" in info or not _is_secret(info):
            return found[0]
        return found[0].replace(f"{info}@", f"{mark or '*' * len(info)}@", 1)

    def mask_value(found: re.Match[str]) -> str:
        return f"{found[1]}{mark or '*' * len(found[2])}"

    if "://" in text:
        text = re.sub(_ADDRESS, mask, text, flags=re.I)
    if "_PASSWORD" in text or "_TOKEN" in text:
        text = re.sub(rf"(\b(?:{_PASSWORDS})[= ][\"']?)([^\s\"'$]+)", mask_value, text)
    return text


def exposed(build: Build) -> Iterator[Exposed]:
    """The credentials for Python packages that a build puts into an image or its history."""
    for instruction in build.dockerfile.instructions:
        if instruction.name == "FROM":
            break
        for pair in pairs(instruction):
            yield from _in_pair(None, pair, env=False)
    for stage in build.stages:
        for step in stage.steps:
            if isinstance(step, VariableStep) and step.instruction.name != "LABEL":
                for pair in step.pairs:
                    yield from _in_pair(step, pair, step.instruction.name == "ENV")
            elif isinstance(step, RunStep):
                yield from _in_commands(step)
                for one in asked(build, step):
                    for file in one.files:
                        yield from _in_file(build, step, one.naming(file), file, one)
            elif isinstance(step, CopyStep) and step.origin is None:
                yield from _copied(build, step)


# --- Addresses -------------------------------------------------------------------------------


def _is_secret(info: str) -> bool:
    """Whether the text between ``://`` and ``@``, without variables, holds a password or token."""
    user, _, password = info.strip("\"'").partition(":")
    given = password.strip("\"'")
    return not re.fullmatch(_EMPTY, given) or re.fullmatch(_TOKEN, user) is not None


def _secrets(text: str) -> Iterator[tuple[re.Match[str], tuple[str, ...]]]:
    """The addresses in ``text`` with credentials, and the variables that are the secret part."""
    for found in re.finditer(_ADDRESS, text, re.I):
        info = found["info"]
        user, _, password = info.partition(":")
        given = password.strip("\"'")
        secret = password if "$" in given or not re.fullmatch(_EMPTY, given) else user
        names = tuple(re.findall(r"\$\{?(\w+)", secret))
        if secret is user:
            names = tuple(name for name in names if re.search(_SECRET_NAME, name))
        if names or ("$" not in secret and _is_secret(info)):
            yield found, names


def _tool(scheme: str, tool: str = "pip") -> str:
    return "git" if scheme.lower().startswith("git") else tool


def _source(step: Step, names: tuple[str, ...], made: Invocation | None) -> tuple[str, str] | None:
    """How a variable brings a secret to ``step``, and its name; None where it may be none."""
    given = {mount.mount.env for mount in step.mounts} if isinstance(step, RunStep) else set()
    for name in names:
        if name in given:
            continue
        if made is not None and name in made.env:
            if made.env[name]:
                return "literal", name
            continue
        variable = step.scope.variables.get(name)
        if variable is None or variable.span is None or (variable.env and variable.value == ""):
            continue
        return ("ENV" if variable.env else "ARG"), name
    return None


def _in_text(
    step: Step, text: str, span: Span, tool: str, made: Invocation | None = None
) -> Iterator[Exposed]:
    for found, names in _secrets(text):
        how = _source(step, names, made) if names else ("literal", "")
        if how is not None:
            kind = _tool(found["scheme"], tool)
            yield Exposed(step, span, how[0], _host(found), how[1], tool=kind)


def _host(found: re.Match[str]) -> str:
    return "" if "$" in found["host"] else found["host"].rstrip(":")


# --- Where they stand ------------------------------------------------------------------------


def _in_pair(step: Step | None, pair: Pair, env: bool) -> Iterator[Exposed]:
    value = pair.value.value if pair.value else ""
    tool = "uv" if pair.name.startswith("UV_") else "pip"
    if re.fullmatch(_PASSWORDS, pair.name):
        if value.strip("\"'") or not env:
            yield Exposed(step, pair.span, "ENV" if env else "ARG", "", pair.name, tool=tool)
    elif re.fullmatch(_INDEXES, pair.name):
        for found, names in _secrets(value):
            how = ("literal", "") if not names else _source(step, names, None) if step else None
            if how is not None:
                yield Exposed(step, pair.span, how[0], _host(found), how[1], tool=tool)


def _in_commands(step: RunStep) -> Iterator[Exposed]:
    """In the words of pip and uv, in what is written to their configuration, in assignments."""
    uses = {id(use.invocation): use for use in step.uses if use.tool.name in ("pip", "uv")}
    for made in step.invocations:
        use = uses.get(id(made))
        tool = use.tool.name if use else "pip"
        for assignment in made.assignments:
            if re.fullmatch(_INDEXES, assignment.name):
                yield from _in_text(step, assignment.value.raw, assignment.span, tool, made)
        for word in made.command.words:
            if "@" in word.raw and (use or re.search(r"index[-_]url|find[-_]links", word.raw)):
                yield from _in_text(step, word.raw, word.span, tool, made)


def _in_file(build: Build, step: Step, span: Span, file: str, one: Asked) -> Iterator[Exposed]:
    """In a requirements file, in which pip puts the values of ``${NAME}``."""
    text = build.context.read(file) or ""
    for found, names in _written(text):
        how = _source(step, names, one.use.invocation) if names else ("literal", "")
        if how is not None:
            place = Span(found.start(), found.end())
            tool = _tool(found["scheme"], one.use.tool.name)
            yield Exposed(step, span, how[0], _host(found), how[1], file, place, tool)


def _written(text: str) -> Iterator[tuple[re.Match[str], tuple[str, ...]]]:
    """The addresses with credentials outside of comments."""
    for found, names in _secrets(text):
        start = max(text.rfind("\n", 0, found.start()), text.rfind("\r", 0, found.start())) + 1
        if not re.search(r"(^|\s)#|^\s*;", text[start : found.start()]):
            yield found, names


def _copied(build: Build, step: CopyStep) -> Iterator[Exposed]:
    """Files of the build context that become a layer, alone or in a folder."""
    if step.written is None or step.files is None:
        return
    for word, source in zip(step.written.sources, step.files.sources, strict=False):
        path = posixpath.normpath(source.lstrip("/") or ".")
        folder = "" if path == "." else path
        if build.context.is_dir(folder):
            names = (*_PASSWORD_FILES, *_CONFIGURATION)
            paths = [posixpath.join(folder, name) for name in names]
        else:
            paths = [path]
        for each in paths:
            yield from _in_layer(build, step, word.span, each)


def _in_layer(build: Build, step: CopyStep, span: Span, path: str) -> Iterator[Exposed]:
    name = posixpath.basename(path)
    text = build.context.read(path)
    if name in _PASSWORD_FILES:
        if "password" in text if text is not None else not build.context.known:
            yield Exposed(step, span, "file", name=path)
    elif name in _CONFIGURATION and text is not None:
        for found, names in _written(text):
            if not names:
                place = Span(found.start(), found.end())
                yield Exposed(step, span, "literal", _host(found), "", path, place)
