"""Whether an index lets one look into a wheel without downloading it."""

from __future__ import annotations

from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urlsplit

from dfcache.vendor.fetch import Network, open_address
from dfcache.vendor.jobs import Indexes, bare

_METADATA = ("core-metadata", "dist-info-metadata")
_MOST = 1 << 22


def is_blunt(indexes: Indexes, name: str, network: Network) -> bool:
    """Whether one of the indexes does not serve what is in its wheels (PEP 658).

    ``name`` is a package to ask for. An index that does not answer is not blunt.
    """
    pages = [*_pages(indexes, name), *(link for link in indexes.links if "://" in link)]
    return any(_blunt(bare(page), network) for page in pages)


def refusal(indexes: Indexes, name: str, network: Network) -> str:
    """What to tell where an index wants a login for the page of a package; "" where none does.

    uv takes a package for unknown there, if it looks for the best of several indexes.
    """
    for page in map(bare, _pages(indexes, name)):
        try:
            with open_address(page, network):
                continue
        except HTTPError as error:
            if error.code in (401, 403, 407):
                return f"{page}: the server answers {error.code}: it wants a user and password"
        except (OSError, HTTPException, ValueError):
            continue
    return ""


def _pages(indexes: Indexes, name: str) -> list[str]:
    servers = (address for address in (indexes.index, *indexes.extra) if address)
    return [f"{address.rstrip('/')}/{name}/" for address in servers]


def _blunt(page: str, network: Network) -> bool:
    if urlsplit(page).scheme not in ("http", "https"):
        return False
    try:
        with open_address(page, network) as response:
            text = response.read(_MOST).decode("utf-8", "replace")
    except (OSError, HTTPException, ValueError):
        return False
    return ".whl" in text and not any(each in text for each in _METADATA)
