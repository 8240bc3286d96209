"""Asking a mirror over HTTP: one request, one answer or one line that says why there is none."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.message import Message
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    BaseHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    Request,
    build_opener,
)

from dfcache import __version__
from dfcache.mirror.address import Address
from dfcache.record import record

TIMEOUT = 10.0
"""Seconds without a byte after which a mirror is taken not to answer."""

PATIENCE = 60.0
"""Seconds that one answer may take as a whole."""

LIMIT = 50_000_000
"""Bytes of an answer that are read at most: the longest page of PyPI has some 10 MB."""


class NoAnswer(Exception):
    """There is no answer; ``str()`` says why."""


@record
class Answer:
    """What came back, from ``url`` in the end. ``whole`` is False where ``body`` was cut."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool

    def header(self, name: str) -> str:
        """The value of a header, "" where there is none."""
        return self.headers.get(name.lower(), "")


class Web:
    """Asks a mirror, as the user that its address names. Safe to use from several threads.

    ``trusted`` is a file of certificates to trust instead of the usual ones.
    """

    def __init__(
        self, address: Address, timeout: float = TIMEOUT, trusted: str | None = None
    ) -> None:
        self._address = address
        self._timeout = timeout
        handlers: list[BaseHandler] = [_Redirects(address)]
        if trusted is not None:
            from ssl import create_default_context

            handlers.append(HTTPSHandler(context=create_default_context(cafile=trusted)))
        self._opener: OpenerDirector = build_opener(*handlers)

    def ask(
        self,
        url: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        limit: int = LIMIT,
    ) -> Answer:
        """The answer, whatever its status. Raises NoAnswer."""
        request = Request(url, headers=dict(headers or {}), method=method)
        request.add_header("User-Agent", f"dfcache/{__version__}")
        _sign(request, self._address)
        try:
            with self._opener.open(request, timeout=self._timeout) as response:
                return _answer(response, limit)
        except HTTPError as error:
            with error:
                return Answer(error.url or url, error.code, _lower(error.headers), b"", True)
        except TimeoutError:
            raise NoAnswer(f"no byte came for {self._timeout:g} seconds") from None
        except URLError as error:
            raise NoAnswer(_reason(error.reason, self._timeout)) from None
        except (HTTPException, OSError, ValueError) as error:
            raise NoAnswer(_reason(error, self._timeout)) from None


class _Redirects(HTTPRedirectHandler):
    """Follows redirects, but says who asks only to the host that the user named."""

    def __init__(self, address: Address) -> None:
        self._address = address

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following is not None:
            following.method = req.get_method()
            _sign(following, self._address)
        return following


def _sign(request: Request, address: Address) -> None:
    """Say who asks, where it is the mirror that is asked."""
    mine, other = urlsplit(address.url), urlsplit(request.full_url)
    if address.authorization and (mine.scheme, mine.netloc) == (other.scheme, other.netloc):
        request.add_unredirected_header("Authorization", address.authorization)


def _answer(response: HTTPResponse, limit: int) -> Answer:
    parts, size, end = [], 0, time.monotonic() + PATIENCE
    while size < limit:
        part = response.read1(min(65536, limit - size))
        if not part:
            break
        parts.append(part)
        size += len(part)
        if time.monotonic() > end:
            raise NoAnswer(f"an answer took longer than {PATIENCE:g} seconds")
    whole = size < limit or not response.read1(1)
    return Answer(response.url, response.status, _lower(response.headers), b"".join(parts), whole)


def _lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _reason(reason: object, timeout: float) -> str:
    from ssl import SSLCertVerificationError

    if isinstance(reason, SSLCertVerificationError):
        return f"its certificate is not trusted: {reason.verify_message}"
    if isinstance(reason, TimeoutError):
        return f"no byte came for {timeout:g} seconds"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror[0].lower() + reason.strerror[1:]
    return " ".join(str(reason).split()) or type(reason).__name__
