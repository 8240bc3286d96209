"""What ``dfcache vendor`` shows while it works."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from typing import TYPE_CHECKING

from dfcache.cli.stream import complain

if TYPE_CHECKING:
    from dfcache.vendor.files import Locked


def megabytes(size: float) -> str:
    """A number of bytes in words."""
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"


def counted(number: int, noun: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


class Show:
    """Progress: a line that is written over on a terminal, plain lines elsewhere."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._line = sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not quiet
        self._lock = threading.Lock()
        self._files = self._all_files = 0
        self._bytes = self._all_bytes = 0
        self._told = 0.0

    def doing(self, text: str) -> None:
        """See ``dfcache.vendor.store.Show``."""
        with self._lock:
            if self._line:
                self._write(f"{text} …")
            elif not self._quiet:
                complain(f"dfcache: {text}")

    def step(self, text: str) -> None:
        """A step of a build that goes on; shown on a terminal only."""
        if self._line and "dfcache" not in text:
            self.doing(text)

    def expect(self, files: int, size: int) -> None:
        """See ``dfcache.vendor.store.Show``."""
        with self._lock:
            self._all_files = self._files + files
            self._all_bytes = self._bytes + size
            if not self._line and not self._quiet:
                about = f" ({megabytes(size)})" if size else ""
                complain(f"dfcache: fetching {counted(files, 'file')}{about}")

    def arrived(self, count: int) -> None:
        """See ``dfcache.vendor.fetch.Tell``."""
        with self._lock:
            self._bytes += count
            now = time.monotonic()
            if self._line and now - self._told > 0.1:
                self._told = now
                self._bar()

    def finished(self, file: Locked, size: int) -> None:
        """See ``dfcache.vendor.fetch.Tell``."""
        with self._lock:
            self._files += 1
            if self._line:
                self._bar()
            elif not self._quiet:
                complain(f"dfcache: {file.file} ({megabytes(size)})")

    def trouble(self, file: Locked, reason: str) -> None:
        """See ``dfcache.vendor.fetch.Tell``."""
        with self._lock:
            if not self._line and not self._quiet:
                complain(f"dfcache: {file.file}: {reason}; trying again")

    def clear(self) -> None:
        """Leave an empty line."""
        if self._line:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _bar(self) -> None:
        share = min(1.0, self._bytes / self._all_bytes) if self._all_bytes else 0.0
        full = round(share * 24)
        self._write(
            f"{'━' * full}{'╌' * (24 - full)} {self._files} of {self._all_files} files, "
            f"{self._bytes / 1e6:.1f} of {megabytes(self._all_bytes)}"
        )

    def _write(self, text: str) -> None:
        from dfcache.reporters.printable import printable

        wide = max(20, shutil.get_terminal_size().columns - 1)
        sys.stderr.write(f"\r\x1b[K{printable(text)[:wide]}")
        sys.stderr.flush()
