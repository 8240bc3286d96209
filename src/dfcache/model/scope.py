"""What a step runs in: variables, working directory, user, shell."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from dfcache.record import record, replace
from dfcache.text import Span


@record
class Variable:
    """A variable of a stage.

    ``value`` is None where it can't be known. ``fixed`` is False where ``--build-arg`` may
    change it (an ARG, or an ENV made from one). ``env`` is True for ENV. ``span`` is the pair
    that set it, None where the base image did.
    """

    value: str | None
    fixed: bool
    env: bool
    span: Span | None


@record
class User:
    """The user that a step runs as.

    ``uid`` and ``gid`` are None where the file doesn't tell; ``home`` is the home of the password
    file. An unknown base image is taken to run its steps as root, as most do, which is not
    ``sure``. ``sure`` is False where even who it is can only be guessed (an unknown base image).
    """

    name: str
    uid: int | None
    gid: int | None
    home: str | None
    sure: bool = True

    @property
    def root(self) -> bool:
        """Whether it is root."""
        return self.uid == 0


ROOT = User("root", 0, 0, "/root")


@record
class Scope:
    """All that a step gets from the steps before it. ``workdir`` is None where unknown.

    ``users`` maps the names of known users to them. ``shell`` is the SHELL in force,
    ``libc`` the C library of the base image ("glibc", "musl", or None).
    """

    variables: Mapping[str, Variable]
    workdir: str | None
    user: User
    users: Mapping[str, User]
    shell: tuple[str, ...]
    libc: str | None

    def value(self, name: str) -> str | None:
        """The value of a variable that is set and known, else None."""
        variable = self.variables.get(name)
        return variable.value if variable else None

    @property
    def home(self) -> str | None:
        """HOME as a step sees it: ENV HOME, else the user's home; None where unknown."""
        variable = self.variables.get("HOME")
        if variable is not None and variable.value != "":
            return variable.value
        return self.user.home

    def path(self, path: str) -> str | None:
        """``path`` made absolute by the working directory; None where that is unknown."""
        if path.startswith("/"):
            return posixpath.normpath(path)
        if self.workdir is None:
            return None
        return posixpath.normpath(posixpath.join(self.workdir, path))

    def with_variable(self, name: str, variable: Variable) -> Scope:
        """The scope after ``name`` is set."""
        return replace(self, variables={**self.variables, name: variable})
