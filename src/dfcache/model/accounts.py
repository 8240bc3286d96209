"""Users that ``useradd`` and ``adduser`` lines create."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dfcache.model.scope import User

# Options that take a value; Debian's adduser, shadow's useradd and busybox differ.
_USERADD_VALUES = frozenset(
    "-b --base-dir -c --comment -d --home-dir --home -e --expiredate -f --inactive -g --gid -G"
    " --groups -k --skel -K --key -p --password -R --root -s --shell -u --uid -Z"
    " --selinux-user".split()
)
_ADDUSER_VALUES = frozenset(
    "--home --shell --uid --firstuid --lastuid --gid --firstgid --lastgid --ingroup --gecos"
    " --conf --comment --add_extra_groups -h -g -s -G -u -k".split()
)
_GROUP_VALUES = frozenset("-g --gid -K --key -p --password -R --root --firstgid --lastgid".split())


def _options(args: Sequence[str], values: frozenset[str]) -> tuple[dict[str, str], list[str]]:
    """Split ``args`` into options with their values ("" for none) and operands."""
    options: dict[str, str] = {}
    operands: list[str] = []
    rest = iter(args)
    for arg in rest:
        name, has_value, value = arg.partition("=")
        if arg.startswith("--"):
            options[name] = value if has_value else next(rest, "") if name in values else ""
        elif arg.startswith("-") and len(arg) > 1:
            # Short options may be bundled, the last one with its value: -mu 1000, -u1000
            for at in range(1, len(arg)):
                flag = "-" + arg[at]
                if flag in values:
                    options[flag] = arg[at + 1 :] or next(rest, "")
                    break
                options[flag] = ""
        else:
            operands.append(arg)
    return options, operands


def _first(options: Mapping[str, str], *names: str) -> str | None:
    return next((options[name] for name in names if name in options), None)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None


def created_user(program: str, args: Sequence[str], groups: Mapping[str, int]) -> User | None:
    """The user that a ``useradd`` or ``adduser`` command creates, or None.

    A user without an explicit uid has uid None: the next free one is 1000 on most images, but
    only by convention; that of a system user is anybody's guess, so not ``sure``. The group of
    the same name gets the user's number where it is free (shadow: ``find_new_gid``).
    """
    values = _USERADD_VALUES if program == "useradd" else _ADDUSER_VALUES
    options, operands = _options(args, values)
    if not operands or (program == "adduser" and len(operands) > 1):
        return None
    name = operands[-1] if program == "useradd" else operands[0]
    given = _first(options, "-u", "--uid")
    uid = _number(given)
    group = _first(options, "-g", "--gid", "--ingroup", "-G" if program == "adduser" else "-g")
    if group is None:
        gid = uid
    else:
        gid = _number(group) if _number(group) is not None else groups.get(group)
    if program == "adduser" and "-D" in options:
        home = _first(options, "-h")  # busybox: -h is the home, -g the comment
        gid = uid if "-G" not in options else groups.get(options["-G"])
    else:
        home = _first(options, "-d", "--home-dir", "--home", "-h" if program == "adduser" else "-d")
    system = (
        given is not None
        or "--system" in options
        or "-r" in options
        or (program == "adduser" and "-S" in options)
    )
    if home is None and program == "adduser" and "--system" in options:
        return User(name, uid, gid, None, sure=uid is not None)  # its home differs by release
    base = _first(options, "-b", "--base-dir") or "/home"
    return User(
        name, uid, gid, home or f"{base.rstrip('/')}/{name}", sure=uid is not None or not system
    )


def created_group(args: Sequence[str]) -> tuple[str, int] | None:
    """The group that ``groupadd`` or ``addgroup`` creates with a known number, or None."""
    options, operands = _options(args, _GROUP_VALUES)
    gid = _number(_first(options, "-g", "--gid"))
    if gid is None or not operands:
        return None
    return operands[-1], gid
