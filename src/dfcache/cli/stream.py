"""Where output goes, and whether it is coloured."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from dfcache.reporters import Write


def colored(choice: str, to_file: bool) -> bool:
    """Whether to use colour, for the option's value auto, always or never."""
    if choice != "auto":
        return choice == "always"
    if to_file or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty()


@contextmanager
def opened(path: str | None, exact: bool) -> Iterator[Write]:
    """A function that writes text to ``path``, or to standard output.

    ``exact`` keeps every byte of a source (line ends, what is no UTF-8): for diffs.
    Raises OSError.
    """
    if path is not None and path != "-":
        errors = "surrogateescape" if exact else "backslashreplace"
        with open(path, "w", encoding="utf-8", errors=errors, newline="") as file:
            yield file.write
        return
    if exact and not sys.stdout.isatty():
        sys.stdout.flush()
        binary = sys.stdout.buffer
        yield lambda text: binary.write(text.encode("utf-8", "surrogateescape"))
        binary.flush()
        return
    forgiving(sys.stdout)
    yield sys.stdout.write
    sys.stdout.flush()


def forgiving(stream: object) -> None:
    """Make a stream escape what its encoding lacks instead of raising."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def complain(message: str) -> None:
    """One line on standard error."""
    from dfcache.reporters.printable import printable

    forgiving(sys.stderr)
    print(printable(message), file=sys.stderr)
