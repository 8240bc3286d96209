"""What a project wishes of its builds: the part of the configuration that decides what is right."""

from __future__ import annotations

from dfcache.record import record

PATTERNS = ("cache-mount", "offline", "hybrid")
"""How installs get their packages: from the index through a cache; from a folder of packages and
nothing else; from that folder, and from the index through a cache where it is not enough."""


@record
class Wishes:
    """``builder`` is what the Dockerfile is built with.

    ``pattern`` is one of PATTERNS, or None where nobody asked for one: then installs keep the form
    they have, and what throws downloads away gets a cache mount. ``packages`` is the folder
    of downloaded packages, a path of the build context. ``index_url`` is the package index that
    builds are to ask unless they are told otherwise.
    """

    builder: str = "buildkit"
    pattern: str | None = None
    packages: str = "pip_packages"
    index_url: str | None = None
