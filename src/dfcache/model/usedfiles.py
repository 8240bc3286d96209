"""Which files a command of a package manager is told to read."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

from dfcache.knowledge.records import Tool, ToolCommand
from dfcache.model.invocations import Argument, Invocation
from dfcache.model.options import Option
from dfcache.record import record


@record
class Read:
    """A file or folder that an install is told to read.

    ``kind`` is "requirements", "constraints", "project" or "links"; ``path`` is where
    it is in the image, None where it can't be told; ``word`` is the argument.
    """

    kind: str
    path: str | None
    argument: Argument


_LOCAL = re.compile(r"(\.{1,2}$|\.{0,2}/|file:|.*[/\\]|.*\.(whl|zip|tar\.gz|tar\.bz2|tgz)$)")


def given_reads(
    tool: Tool,
    spec: ToolCommand,
    options: Sequence[Option],
    operands: Sequence[Argument],
    made: Invocation,
) -> Iterator[Read]:
    for option in options:
        kind = spec.reads.get(option.name)
        if kind is not None:
            argument = option.given or option.argument
            path = option.value
            if kind == "project" and path is not None and not is_local(path):
                continue  # -e git+https://…
            if path is not None and "://" in path and not path.startswith("file:"):
                continue  # -r https://…, --find-links https://…
            yield Read(kind, _in(made.cwd, path), argument)
        elif option.name in tool.index.options and is_local(option.value or ""):
            yield Read("links", _in(made.cwd, option.value), option.given or option.argument)
    if spec.operands == "files":
        for operand in operands:
            yield Read("requirements", _in(made.cwd, operand.value), operand)
    if spec.operands == "requirements":
        for operand in operands:
            if operand.value is None or is_local(operand.value):
                yield Read("project", _in(made.cwd, operand.value), operand)


def is_local(requirement: str) -> bool:
    """Whether pip would take the argument for a path: it looks like one and is no URL."""
    requirement = re.sub(r"\[[^\]]*\]$", "", requirement)  # extras: .[dev]
    name, at, url = requirement.partition("@")
    if at and url.strip().startswith("file:"):
        return True
    if "://" in requirement:
        return requirement.startswith("file:")
    return bool(_LOCAL.match(name if at and " " in requirement else requirement))


def _in(cwd: str | None, path: str | None) -> str | None:
    if path is None:
        return None
    if "file:" in path:
        path = path[path.index("file:") + 5 :]
        path = "/" + path.lstrip("/") if path.startswith("//") else path
    path = re.sub(r"\[[^\]]*\]$", "", path)  # extras: .[dev]
    if path.startswith("/"):
        return posixpath.normpath(path)
    return None if cwd is None else posixpath.normpath(posixpath.join(cwd, path))
