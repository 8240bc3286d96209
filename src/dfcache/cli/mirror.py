"""``dfcache mirror``: from options to an exit code."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from dfcache.cli.platform import own_platform
from dfcache.cli.stream import complain, opened
from dfcache.record import record

if TYPE_CHECKING:
    from dfcache.engine.run import Session
    from dfcache.mirror.recipe import Recipe
    from dfcache.mirror.wanted import Wanted

GOOD, LACKING, FAILED = 0, 1, 2
NAME = "mirror"
"""The folder that the files are written to."""


@record
class Request:
    """What was asked for on the command line."""

    folder: str
    check: str | None
    write: bool
    host: str | None
    port: int | None
    config: str | None
    format: str
    output: str | None


class _Stop(Exception):
    """dfcache can't do its work; ``str()`` is a line for the user."""


def run(request: Request) -> int:
    """Show or write the files of a mirror, or check one; the exit code."""
    from dfcache.engine.settings import SettingsError

    try:
        if not os.path.isdir(request.folder):
            raise _Stop(f"{request.folder}: no such folder")
        if request.check is not None:
            return _check(request, request.check)
        return _write(request) if request.write else _show(request)
    except SettingsError as error:
        place = f"{error.path}:{error.line}" if error.line else error.path or "dfcache"
        complain(f"{place}: {error}")
    except _Stop as error:
        complain(f"dfcache: {error}")
    return FAILED


# --- Files -----------------------------------------------------------------------------------


def _files(request: Request) -> Mapping[str, str]:
    return _recipe(request).files()


def _recipe(request: Request) -> Recipe:
    """The mirror that the options, or the configuration's ``index-url``, speak of."""
    from dfcache.engine.run import Session
    from dfcache.mirror.address import AddressError, address
    from dfcache.mirror.recipe import Recipe

    url = Session(request.config).settings(os.path.join(request.folder, "Dockerfile")).index_url
    if url:
        try:
            configured = address(url)
        except AddressError as error:
            raise _Stop(f"index-url: {error}") from None
        if request.host is None and request.port is None:
            return Recipe(configured.host, configured.port or 3141, configured.url)
    host = request.host or "localhost"
    if not all(each.isalnum() or each in ".-" for each in host):
        raise _Stop(f"--host is the name or number of a machine, not {host}")
    return Recipe(host, request.port or 3141)


def _show(request: Request) -> int:
    from dfcache.mirror.written import WriteError, content

    shown = []
    for name, text in _files(request).items():
        path = os.path.normpath(os.path.join(request.folder, NAME, name))
        try:
            there = content(path)
        except WriteError as error:
            raise _Stop(str(error)) from None
        state = "" if there is None else " (is there)" if there == text else " (there is another)"
        shown.append(f"==> {path}{state} <==\n{text}")
    return _put(request, "\n".join(shown), GOOD)


def _write(request: Request) -> int:
    from dfcache.mirror.written import WriteError, write_all

    folder = os.path.normpath(os.path.join(request.folder, NAME))
    try:
        made = write_all(folder, _files(request))
    except WriteError as error:
        raise _Stop(str(error)) from None
    for path in made:
        complain(f"wrote {path}")
    if not made:
        complain(f"{folder}: all is there already")
    return GOOD


# --- Check -----------------------------------------------------------------------------------


def _check(request: Request, given: str) -> int:
    from dfcache.engine.run import Session
    from dfcache.mirror.address import AddressError, address
    from dfcache.mirror.asking import Web
    from dfcache.mirror.check import check
    from dfcache.mirror.told import LACKS, NOTE, Told
    from dfcache.reporters import mirrored
    from dfcache.vendor.host import certificate

    try:
        asked = address(given)
    except AddressError as error:
        raise _Stop(str(error)) from None
    wishes, unread, failed = _wishes(request.folder, Session(request.config))
    told = [*check(asked, wishes, Web(asked, trusted=certificate()))]
    if told[0].state != LACKS:
        told += (Told("unread", NOTE, each) for each in unread)
    show = mirrored.json_text if request.format == "json" else mirrored.text
    lacking = any(each.state == LACKS for each in told)
    return _put(request, show(told, asked.url), FAILED if failed else LACKING if lacking else GOOD)


def _wishes(folder: str, session: Session) -> tuple[list[Wanted], list[str], bool]:
    """What the Dockerfiles below ``folder`` need; what can't be told; whether one can't be read."""
    from dfcache.engine.discover import Missing, discover
    from dfcache.mirror.recipe import is_ours

    wishes: list[Wanted] = []
    unread: list[str] = []
    failed = False
    for each in discover((folder,), session.excluded):
        if isinstance(each, Missing):
            raise _Stop(f"{each.path}: {each.reason}")
        try:
            source = _source(each.path)
            if not is_ours(source):
                found, left = _of_file(each.path, source, session)
                wishes += [wish for wish in found if wish not in wishes]
                unread += left
        except _Stop as error:
            complain(f"dfcache: {error}")
            failed = True
    return wishes, unread, failed


def _source(path: str) -> str:
    from dfcache.engine.write import read

    try:
        return read(path)
    except OSError as error:
        raise _Stop(f"{path}: cannot read: {error.strerror or error}") from None


def _of_file(path: str, source: str, session: Session) -> tuple[list[Wanted], list[str]]:
    from dfcache.engine.context import context_of
    from dfcache.engine.discover import is_template
    from dfcache.engine.lint import tree
    from dfcache.mirror.wanted import wanted

    dockerfile = tree(source)
    if dockerfile.problems:
        if is_template(path):
            return [], []
        raise _Stop(f"{path}: BuildKit refuses it; see dfcache check")
    settings = session.settings(path)
    chosen = context_of(path, source, settings)
    build = session.rules.understand(dockerfile, chosen.context, settings)
    where = os.path.relpath(chosen.root) if chosen.root is not None else ""
    prefix = "" if where in ("", os.curdir) else where + os.sep
    return wanted(build, path, prefix, own_platform())


def _put(request: Request, text: str, code: int) -> int:
    try:
        with opened(request.output, exact=False) as out:
            out(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _Stop(f"{request.output or 'standard output'}: {error.strerror}") from None
    return code
