"""Whether an index lets one look into a wheel without downloading it."""

from __future__ import annotations

from http.client import HTTPException
from urllib.parse import urlsplit

from dfcache.vendor.fetch import Network, open_address
from dfcache.vendor.jobs import Indexes, bare

_METADATA = ("core-metadata", "dist-info-metadata")
_MOST = 1 << 22


def is_blunt(indexes: Indexes, name: str, network: Network) -> bool:
    """Whether one of the indexes does not serve what is in its wheels (PEP 658).

    ``name`` is a package to ask for. An index that does not answer is not blunt.
    """
    servers = (address for address in (indexes.index, *indexes.extra) if address)
    pages = [f"{address.rstrip('/')}/{name}/" for address in servers]
    pages += [link for link in indexes.links if "://" in link]
    return any(_blunt(bare(page), network) for page in pages)


def _blunt(page: str, network: Network) -> bool:
    if urlsplit(page).scheme not in ("http", "https"):
        return False
    try:
        with open_address(page, network) as response:
            text = response.read(_MOST).decode("utf-8", "replace")
    except (OSError, HTTPException, ValueError):
        return False
    return ".whl" in text and not any(each in text for each in _METADATA)
