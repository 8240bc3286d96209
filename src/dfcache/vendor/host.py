"""What this machine's own configuration says about package indexes."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from dfcache.vendor.jobs import Indexes
from dfcache.vendor.programs import pip, run

# What pip trusts besides, by way of requests.
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
RESOLVING = frozenset(
    "UV_BUILD_CONSTRAINT UV_CONFIG_FILE UV_CONSTRAINT UV_EXCLUDE UV_FIND_LINKS UV_FORK_STRATEGY"
    " UV_INDEX_STRATEGY UV_NO_BINARY UV_NO_BINARY_PACKAGE UV_NO_BUILD UV_NO_BUILD_PACKAGE"
    " UV_NO_CONFIG UV_NO_INDEX UV_NO_SOURCES UV_OVERRIDE UV_PRERELEASE UV_PYTHON UV_RESOLUTION"
    " UV_SYSTEM_PYTHON UV_TORCH_BACKEND UV_WORKING_DIR".split()
)
"""What uv would read from this machine's environment, and builds of the image don't see."""


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
    """The file of certificates to trust instead of the usual ones, as pip has it.

    None where there is none, or where ``SSL_CERT_FILE`` names it to all programs anyway.
    """
    if os.environ.get("SSL_CERT_FILE"):
        return None
    given = (_pip_values().get("cert"), *map(os.environ.get, _BUNDLES))
    return next((path for path in given if path and os.path.isfile(path)), None)


def own_file() -> str | None:
    """The text of the only configuration that uv is to read, None where it may look for them.

    Raises OSError where the one that is named can't be read.
    """
    named = os.environ.get("UV_CONFIG_FILE")
    if named:
        return Path(named).read_text("utf-8")
    no = os.environ.get("UV_NO_CONFIG", "").lower()
    return None if no in ("", "0", "false", "f", "no", "n", "off") else ""


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
    """The addresses among words; uv's indexes may have a name in front, ``name=https://…``."""
    found = (re.fullmatch(r"(?:[\w.-]+=)?(https?://.+)", each) for each in text.split())
    return tuple(match[1] for match in found if match)
