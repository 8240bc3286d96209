"""Which files a RUN reads and writes, where that can be told.

Two steps may change places only if neither writes what the other reads or writes.
Only programs listed here are understood; anything else may touch everything.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from dfcache.model.accounts import created_user
from dfcache.model.invocations import Argument, Invocation
from dfcache.model.uses import ToolUse
from dfcache.parser.invocation import SHELLS
from dfcache.record import record

# Programs that touch nothing but what their arguments name.
_OPERAND_PROGRAMS = frozenset(
    "mkdir rmdir rm cp mv ln chmod chown chgrp touch cat ls test [ stat install mktemp tee sed"
    " grep head tail wc sort uniq cut tr".split()
)
# Programs that touch no file that a COPY of a project could bring.
_QUIET_PROGRAMS = frozenset(
    "set export unset true false : echo printf exit return umask sleep id whoami date uname"
    " which type hash ulimit shopt env getent hostname groupadd addgroup usermod groupmod passwd"
    " chpasswd locale-gen update-locale apt-mark apt-cache".split()
)
# Programs that read what lies in a folder of the system, or the files they are given.
_SYSTEM_READERS = {
    "update-ca-certificates": ("/usr/local/share/ca-certificates", "/etc"),
    "ldconfig": ("/usr/local/lib", "/etc", "/lib", "/usr/lib"),
    "dpkg-reconfigure": ("/etc", "/usr/share"),
    "update-alternatives": ("/etc",),
    "debconf-set-selections": (),
    "apt-key": (),
}
_READERS = frozenset("cat ls test [ stat grep head tail wc sort uniq cut tr".split())
# Package managers that dfcache has no page for yet, and that read no project files
# when told to install packages by name.
_SYSTEM_INSTALLS = {
    "apk": {"add", "del", "update", "upgrade"},
    "yum": {"install", "update", "upgrade", "clean", "groupinstall", "makecache"},
    "dnf": {"install", "update", "upgrade", "clean", "groupinstall", "makecache"},
    "microdnf": {"install", "update", "upgrade", "clean"},
    "zypper": {"install", "in", "update", "refresh", "clean", "ref"},
    "apt-get": {
        "autoremove",
        "remove",
        "purge",
        "clean",
        "autoclean",
        "update",
        "upgrade",
        "install",
    },
    "apt": {"autoremove", "remove", "purge", "clean", "autoclean", "update", "upgrade", "install"},
    "conda": {"install", "clean", "config", "update"},
    "mamba": {"install", "clean", "update"},
}
# Where installations go; a COPY into one of them changes places with no install.
SYSTEM = (
    "/usr/lib", "/usr/bin", "/usr/sbin", "/usr/local/lib", "/usr/include", "/usr/share", "/lib",
    "/lib64", "/bin", "/sbin", "/etc", "/var/lib", "/var/cache", "/opt/conda", "/opt/venv",
    "/root/.local", "/usr/local/share", "/usr/local/etc", "/usr/local/include",
)  # fmt: skip


@record
class Effects:
    """Image paths that are read and written, each with all below.

    ``unknown`` says why not even that is sure, or is "".
    ``installs`` is True where packages are installed: such steps keep their order among
    each other. ``makes`` are folders that come into being, ``needs`` those that have to be there.
    """

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    installs: bool = False
    unknown: str = ""
    makes: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()


def clash(one: Effects, other: Effects) -> str:
    """A path over which two steps would disagree if they changed places, or ""."""
    pairs = ((one.writes, other.writes), (one.writes, other.reads), (one.reads, other.writes))
    for mine, theirs in pairs:
        if overlap(mine, theirs):
            return next((path for path in sorted(mine) if overlap([path], theirs)), "")
    return next(iter(sorted((one.makes & other.needs) | (one.needs & other.makes))), "")


def overlap(paths: Iterable[str], others: Iterable[str]) -> bool:
    """Whether a path of one side is, holds or lies in a path of the other."""
    mine, theirs = frozenset(paths), frozenset(others)
    if not mine or not theirs:
        return False
    if "/" in mine or "/" in theirs or mine & theirs:
        return True
    return _lies_in(mine, theirs) or _lies_in(theirs, mine)


def _lies_in(paths: frozenset[str], folders: frozenset[str]) -> bool:
    """Whether a path lies below one of ``folders``; each folder above a path is looked up once."""
    seen: set[str] = set()
    for path in paths:
        while (path := posixpath.dirname(path)) not in seen:
            if path in folders:
                return True
            seen.add(path)
    return False


def within(path: str, folder: str) -> bool:
    """Whether ``path`` is ``folder`` or lies below it."""
    return path == folder or folder == "/" or path.startswith(folder + "/")


def above(path: str) -> Iterator[str]:
    """The folders above a path, without the root."""
    while (path := posixpath.dirname(path)).strip("/"):  # POSIX allows "//" for a root too
        yield path


def commute(one: Effects, other: Effects) -> bool:
    """Whether the steps may change places without a difference."""
    if one.unknown or other.unknown or (one.installs and other.installs):
        return False
    return not (
        overlap(one.writes, other.writes)
        or overlap(one.writes, other.reads)
        or overlap(one.reads, other.writes)
        or one.makes & other.needs
        or one.needs & other.makes
    )


def combined(parts: Iterable[Effects]) -> Effects:
    """The effects of several commands in one step."""
    parts = tuple(parts)
    return Effects(
        frozenset().union(*(part.reads for part in parts)),
        frozenset().union(*(part.writes for part in parts)),
        any(part.installs for part in parts),
        next((part.unknown for part in parts if part.unknown), ""),
        frozenset().union(*(part.makes for part in parts)),
        frozenset().union(*(part.needs for part in parts)),
    )


def run_effects(made: Iterable[Invocation], uses: Iterable[ToolUse]) -> Effects:
    """The effects of a RUN with these commands."""
    by_command = {id(use.invocation.command): use for use in uses}
    parts = []
    made = tuple(made)
    for invocation in made:
        if invocation.program in SHELLS and _is_spelled_out(invocation, made):
            continue  # its commands are judged one by one
        use = by_command.get(id(invocation.command))
        parts.append(_use_effects(use) if use else _program_effects(invocation))
        parts.append(_redirects(invocation))
    return combined(parts)


def _is_spelled_out(shell: Invocation, made: Iterable[Invocation]) -> bool:
    """Whether the commands of ``bash -c "…"`` are among ``made``."""
    outer = shell.command.span
    return any(
        "shell" in one.command.context and outer.covers(one.command.span)
        for one in made
        if one is not shell
    )


def _use_effects(use: ToolUse) -> Effects:
    if use.spec.operands == "program":
        return Effects(unknown=f"`{use.title}` starts a program")
    if use.elsewhere:
        return Effects(unknown=f"`{use.title}` installs into a folder of its own")
    if not use.sure:
        return Effects(unknown=f"{use.title} has arguments that can't be told")
    paths = set(_manifests(use))
    writes = frozenset({*SYSTEM, *use.leaves, *use.environments})
    for read in use.reads:
        if read.path is None:
            return Effects(unknown=f"{use.title} reads a file that can't be told")
        if read.kind == "project":
            writes |= {read.path}
        paths.add(read.path)
    needs = frozenset(map(posixpath.dirname, paths))
    return Effects(frozenset(paths), writes, use.spec.effect == "downloads", needs=needs)


def _manifests(use: ToolUse) -> Iterator[str]:
    cwd = use.invocation.cwd
    if cwd is not None:
        yield from (posixpath.join(cwd, name) for name in use.spec.manifests)


def _program_effects(made: Invocation) -> Effects:
    name = made.program
    if name is None:
        return Effects(unknown="a program that can't be told")
    if made.command.context and made.command.context[-1] == "substitution" and name in _READERS:
        return _operands(made)
    if name in _QUIET_PROGRAMS:
        return Effects()
    if name in _SYSTEM_READERS:
        paths = {path for path in _paths(made, made.args) if path is not None}
        return Effects(frozenset(paths | set(_SYSTEM_READERS[name])), frozenset({"/etc"}))
    if name in ("cd", "pushd"):
        return Effects(needs=frozenset(path for path in _paths(made, made.args) if path))
    if name in ("useradd", "adduser"):
        user = created_user(name, [argument.value or "?" for argument in made.args], {})
        return Effects(writes=frozenset({user.home if user and user.home else "/home", "/etc"}))
    if name in ("tar", "unzip"):
        return _unpack(made)
    if name == "git":
        return _clone(made)
    if name in (".", "source"):
        return _source(made)
    if name in _SYSTEM_INSTALLS:
        return _system_install(made, _SYSTEM_INSTALLS[name])
    if name in _OPERAND_PROGRAMS:
        return _operands(made)
    if name in ("curl", "wget"):
        return _download(made)
    if name in ("python", "python3", "virtualenv"):
        return _venv(made)
    return Effects(unknown=f"`{name}` may read or change any file")


def _system_install(made: Invocation, known: set[str]) -> Effects:
    values = [argument.value for argument in made.args]
    operands = [value for value in values if value is None or not value.startswith("-")]
    subcommand = next((value for value in operands if value in known), None)
    if subcommand is None:
        return Effects(unknown=f"`{made.program}` with a subcommand that isn't known")
    paths = [
        value
        for value in operands
        if value is not None and ("/" in value or value.endswith(".deb"))
    ]
    if any(value.startswith((".", "/")) for value in paths):
        return Effects(unknown=f"`{made.program}` installs a local file")
    return Effects(writes=frozenset(SYSTEM), installs=True)


def _paths(made: Invocation, args: Iterable[Argument]) -> Iterator[str | None]:
    for argument in args:
        value = argument.value
        if value is None:
            yield None
        elif value.startswith("/"):
            yield _base(posixpath.normpath(value))
        elif made.cwd is None:
            yield None
        else:
            yield _base(posixpath.normpath(posixpath.join(made.cwd, value)))


def _base(path: str) -> str:
    """The folder that holds all a glob can match."""
    if not any(char in path for char in "*?["):
        return path
    parts = path.split("/")
    first = next(at for at, part in enumerate(parts) if any(char in part for char in "*?["))
    return "/".join(parts[:first]) or "/"


def _operands(made: Invocation) -> Effects:
    operands = [a for a in made.args if a.value is None or not a.value.startswith("-")]
    paths = set(_paths(made, operands))
    if None in paths:
        return Effects(unknown=f"`{made.program}` on a path that can't be told")
    known = frozenset(path for path in paths if path is not None)
    if made.program in _READERS:
        return Effects(reads=known)
    needs = frozenset() if makes_parents(made) else frozenset(map(posixpath.dirname, known))
    return Effects(known, known, needs=needs)


_TARGETS = ("-o", "--output", "-O", "-P", "--output-document", "--directory-prefix")


def makes_parents(made: Invocation) -> bool:
    """Whether a command is ``mkdir -p``, which makes what is missing and minds nothing."""
    flags = [a.value or "" for a in made.args if (a.value or "").startswith("-")]
    short = any("p" in flag for flag in flags if not flag.startswith("--"))
    return made.program == "mkdir" and (short or "--parents" in flags)


def _download(made: Invocation) -> Effects:
    """curl and wget write where they are told, else by the address into the working directory."""
    paths: set[str] = set()
    previous = ""
    for argument in made.args:
        value = argument.value or ""
        names_file = previous in _TARGETS or (previous[:2] != "--" and previous.endswith("o"))
        if previous and names_file and not value.startswith("-"):
            paths.update(path for path in _paths(made, [argument]) if path)
        elif "://" in value and made.cwd is not None:
            name = posixpath.basename(value.partition("?")[0])
            paths.add(posixpath.join(made.cwd, name or "index.html"))
        if value.startswith("@") or value in ("-T", "--upload-file", "-K", "--config"):
            return Effects(unknown=f"`{made.program}` sends a file")
        previous = value if value.startswith("-") else ""
    return Effects(writes=frozenset(paths), needs=frozenset(map(posixpath.dirname, paths)))


def _unpack(made: Invocation) -> Effects:
    """tar and unzip read the archive, and write below a folder."""
    values = [argument.value for argument in made.args]
    folder = made.cwd
    for option in ("-C", "--directory", "-d"):
        if option in values[:-1]:
            at = values.index(option)
            folder = next(_paths(made, made.args[at + 1 : at + 2]), None)
    if folder is None or None in values:
        return Effects(unknown=f"`{made.program}` on a path that can't be told")
    plain = [a for a in made.args if not (a.value or "").startswith("-")]
    reads = {path for path in _paths(made, plain) if path is not None}
    return Effects(frozenset(reads), frozenset({folder}), needs=frozenset({folder}))


def _clone(made: Invocation) -> Effects:
    """``git clone ADDRESS FOLDER``."""
    operands = [a for a in made.args if not (a.value or "-").startswith("-")]
    values = [a.value or "" for a in operands]
    if values[:1] == ["config"]:
        return Effects(writes=frozenset({"/etc"}))
    if values[:1] != ["clone"] or made.cwd is None:
        return Effects(unknown="`git` may read or change any file")
    at = next((i for i, value in enumerate(values) if "://" in value or "git@" in value), None)
    if at is None:
        return Effects(unknown="`git clone` of an address that can't be told")
    name = posixpath.basename(values[at].rstrip("/")).removesuffix(".git")
    folder = posixpath.join(made.cwd, values[at + 1] if len(values) > at + 1 else name)
    folder = posixpath.normpath(folder)
    return Effects(writes=frozenset({folder}), needs=frozenset({posixpath.dirname(folder)}))


def _source(made: Invocation) -> Effects:
    """``. venv/bin/activate`` sets variables; any other script may do anything."""
    value = made.args[0].value if made.args else None
    if value is None or posixpath.basename(value) != "activate":
        return Effects(unknown=f"`{made.program}` runs a script")
    return Effects(reads=frozenset(path for path in _paths(made, made.args[:1]) if path))


def _venv(made: Invocation) -> Effects:
    values = [argument.value for argument in made.args]
    if made.program != "virtualenv":
        if values in (["--version"], ["-V"]):
            return Effects()
        if values[:2] not in (["-m", "venv"], ["-m", "virtualenv"]):
            return Effects(unknown=f"`{made.program}` may read or change any file")
        operands = made.args[2:]
    else:
        operands = made.args
    paths = set(_paths(made, [a for a in operands if not (a.value or "").startswith("-")]))
    if None in paths or not paths:
        return Effects(unknown="a virtual environment whose folder can't be told")
    return Effects(writes=frozenset(path for path in paths if path is not None), installs=True)


def _redirects(made: Invocation) -> Effects:
    writes: set[str] = set()
    reads: set[str] = set()
    for redirect in made.command.redirects:
        target = redirect.target
        if target is None or redirect.operator.endswith("&") or target.value.isdigit():
            continue
        if redirect.operator == "<<<":
            continue
        path = next(_paths(made, [Argument(target.value if target.literal else None, target)]))
        if path is None:
            return Effects(unknown="a redirection whose file can't be told")
        (reads if redirect.operator.endswith("<") else writes).add(path)
    writes = {path for path in writes if not within(path, "/dev")}
    needs = frozenset(map(posixpath.dirname, writes))
    return Effects(frozenset(reads), frozenset(writes), needs=needs)
