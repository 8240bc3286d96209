"""The packages of a folder, and what stands inside them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from dfcache.model.wheelhouse import PackageFile, package_file
from dfcache.vendor.metadata import Metadata, read_metadata


class House:
    """The packages of a folder; what was read of a file is remembered."""

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        self.folder = folder
        self.files = {name: found for name in names if (found := package_file(name)) is not None}
        self.corrupt: dict[str, str] = {}
        self._metadata: dict[str, Metadata] = {}

    @cached_property
    def by_name(self) -> dict[str, list[PackageFile]]:
        """The files of each package."""
        found: dict[str, list[PackageFile]] = {}
        for file in self.files.values():
            found.setdefault(file.name, []).append(file)
        return found

    def metadata(self, file: PackageFile) -> Metadata:
        """What is inside a file; nothing where it can't be read, which ``corrupt`` then tells."""
        known = self._metadata.get(file.file)
        if known is None:
            try:
                known = read_metadata(self.folder / file.file)
            except OSError as error:
                self.corrupt[file.file] = error.strerror or str(error)
                known = Metadata()
            self._metadata[file.file] = known
        return known
