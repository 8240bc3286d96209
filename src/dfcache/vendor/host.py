"""What this machine's own configuration says about package indexes."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping

from dfcache.vendor.jobs import Indexes
from dfcache.vendor.programs import pip, run


def configured(index_url: str | None) -> Indexes:
    """The indexes for what a build leaves open.

    They are those of dfcache's own configuration (``index_url``), else of the environment or of
    pip's configuration files: whoever has a mirror there wants it asked. Folders of
    this machine are left out, for a build would not see them.
    """
    values = _pip_values()
    index = (
        index_url
        or os.environ.get("UV_DEFAULT_INDEX")
        or os.environ.get("UV_INDEX_URL")
        or _first(values.get("index-url", ""))
    )
    extra = f"{os.environ.get('UV_INDEX', '')} {os.environ.get('UV_EXTRA_INDEX_URL', '')}".split()
    return Indexes(
        index or None,
        _addresses(" ".join(extra)) or _addresses(values.get("extra-index-url", "")),
        trusted=tuple(values.get("trusted-host", "").split()),
    )


def certificate() -> str | None:
    """The file of certificates that pip is told to trust."""
    return _pip_values().get("cert")


def _pip_values() -> Mapping[str, str]:
    """pip's configuration by option, as ``pip config list`` tells it; the environment wins."""
    global _VALUES
    if _VALUES is None:
        _VALUES = {}
        command = pip()
        if command is not None:
            ran = run((*command, "config", "list"), {}, tempfile.gettempdir())
            for scope in ("global", "download", ":env:"):
                pattern = rf"^{re.escape(scope)}\.([\w-]+)='(.*)'$"
                _VALUES.update(re.findall(pattern, ran.out.replace("\\n", " "), re.M))
    return _VALUES


_VALUES: dict[str, str] | None = None


def _first(text: str) -> str:
    return next(iter(_addresses(text)), "")


def _addresses(text: str) -> tuple[str, ...]:
    return tuple(each for each in text.split() if each.startswith(("http://", "https://")))
