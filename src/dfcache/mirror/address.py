"""The address of a package index, its user and password apart, so that nothing shows them."""

from __future__ import annotations

from urllib.parse import SplitResult, quote, unquote, urlsplit

from dfcache.record import record


class AddressError(Exception):
    """A text that is no address of an index; ``str()`` is a line for the user, without secrets."""


@record
class Address:
    """Where an index is.

    ``url`` is its simple index (PEP 503), with a slash at the end and without user and password;
    ``host`` is its name, ``port`` what was given behind it. ``authorization`` is the value of the
    header that says who asks, None where the address named nobody.
    """

    url: str
    host: str
    port: int | None
    authorization: str | None

    @property
    def secure(self) -> bool:
        """Whether it is asked over https."""
        return self.url.startswith("https:")

    @property
    def own_machine(self) -> bool:
        """Whether the host is the machine that asks: pip then takes plain http, and caches none."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")

    def page(self, name: str) -> str:
        """The address of the page of a project."""
        return f"{self.url}{quote(name)}/"


def address(text: str) -> Address:
    """The address that ``text`` is. Raises AddressError."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise AddressError("the address of the mirror can't be read") from None
    if parts.scheme not in ("http", "https") or not host:
        raise AddressError("the address of a mirror starts with https:// or http:// and its host")
    if any(each <= " " for each in text):
        raise AddressError("the address of a mirror has no blanks")
    place = parts.netloc.rpartition("@")[2]
    path = parts.path if parts.path.endswith("/") else parts.path + "/"
    return Address(f"{parts.scheme}://{place}{path}", host, port, _authorization(parts))


def _authorization(parts: SplitResult) -> str | None:
    """HTTP's basic authentication, as pip makes it of an address."""
    if parts.username is None:
        return None
    from base64 import b64encode

    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return "Basic " + b64encode(pair.encode()).decode()
