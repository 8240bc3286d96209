"""The platform that builds on this machine are for."""

from __future__ import annotations

import os

_MACHINES = {"aarch64": "linux/arm64", "arm64": "linux/arm64"}


def own_platform() -> str:
    """What a build without ``--platform`` is for: ``linux/amd64``, or what docker was told."""
    import platform

    given = os.environ.get("DOCKER_DEFAULT_PLATFORM")
    return given or _MACHINES.get(platform.machine().lower(), "linux/amd64")
