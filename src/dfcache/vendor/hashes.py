"""Hashes of files, as requirements, indexes and manifests have them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def sha256(path: Path) -> str:
    """The hash of a file, in hexadecimal digits."""
    return digest(path, "sha256")


def digest(path: Path, algorithm: str) -> str:
    """Another hash. Raises OSError, and ValueError where there is no such algorithm."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def has_one(path: Path, allowed: Iterable[str]) -> bool:
    """Whether a file has one of the hashes, written as in requirements: ``sha256:…``."""
    for each in allowed:
        algorithm, _, wanted = each.partition(":")
        try:
            if digest(path, algorithm) == wanted.lower():
                return True
        except (OSError, ValueError):
            continue
    return False
