"""What is to be resolved: the requirements of one command, and how it asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from dfcache.model.target import Target
from dfcache.record import EMPTY, record


@record
class Indexes:
    """Where packages are asked for.

    ``index`` is None for the default one. ``links`` are addresses and folders of this machine.
    ``best`` says that the newest version of all indexes counts (pip), rather than the first index
    that has the package (uv). Addresses may hold credentials: see ``bare`` and ``logins``.
    """

    index: str | None = None
    extra: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()
    best: bool = True

    @property
    def addresses(self) -> tuple[str, ...]:
        """All addresses."""
        return (*((self.index,) if self.index else ()), *self.extra, *self.links)


@record
class Job:
    """Requirements that are resolved together, for one target.

    ``where`` says whose they are ("Dockerfile:5"). ``requirements`` and ``constraints`` are lines
    without options; their markers are those of the target's environment. ``hashes`` are the allowed
    ones, as ``sha256:…``, by normalised name. ``no_binary`` and ``only_binary`` are names or
    ":all:". ``origins`` are the places that requirements are from ("requirements.txt:3"); there
    are none for what a build needs.
    """

    where: str
    target: Target
    requirements: tuple[str, ...]
    constraints: tuple[str, ...] = ()
    indexes: Indexes = Indexes()
    hashes: Mapping[str, tuple[str, ...]] = EMPTY
    no_deps: bool = False
    pre: bool = False
    no_binary: tuple[str, ...] = ()
    only_binary: tuple[str, ...] = ()
    origins: Mapping[str, str] = EMPTY


def bare(address: str) -> str:
    """An address without its credentials."""
    parts = _split(address)
    if parts is None or "@" not in parts.netloc:
        return address
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def logins(addresses: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    """The users and passwords in addresses, by host and port."""
    found = {}
    for address in addresses:
        parts = _split(address)
        if parts is not None and "@" in parts.netloc:
            given, _, host = parts.netloc.rpartition("@")
            user, _, password = given.partition(":")
            found[host] = (unquote(user), unquote(password))
    return found


def secrets(addresses: tuple[str, ...]) -> tuple[str, ...]:
    """The texts in addresses that must not be shown, the longest first."""
    found = set()
    for user, password in logins(addresses).values():
        # A user alone is often a token.
        for text in (f"{user}:{password}", password or user):
            found |= {text, quote(text, safe=""), quote(text)}
    return tuple(sorted((text for text in found if len(text) > 1), key=len, reverse=True))


def _split(address: str) -> SplitResult | None:
    try:
        return urlsplit(address) if "://" in address else None
    except ValueError:
        return None
