"""The files that a folder of packages is to hold."""

from __future__ import annotations

import posixpath
from urllib.parse import unquote, urlsplit

from dfcache.record import record

SOURCES = (".tar.gz", ".zip", ".tgz", ".tar.bz2", ".tar.xz")


@record
class Locked:
    """One file that a resolver chose: a wheel, or the source of a package that has none.

    ``sha256`` is "" and ``size`` (in bytes) None where the index does not tell. ``url`` never
    holds credentials.
    """

    name: str
    version: str
    url: str
    sha256: str = ""
    size: int | None = None

    @property
    def file(self) -> str:
        """The file's name."""
        return file_name(self.url)

    @property
    def source(self) -> bool:
        """Whether it has to be built before it can be installed."""
        return not self.file.endswith(".whl")


def file_name(url: str) -> str:
    """The name of the file at an address."""
    return posixpath.basename(unquote(urlsplit(url).path))
