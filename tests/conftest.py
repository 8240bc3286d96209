"""Options of the test run."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

# The laboratory's index is of use without Docker too.
sys.path.append(str(Path(__file__).parent / "builds"))

# A shell has what it starts in the background ignore interrupts, and that is inherited: by the
# programs, too, that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--accept",
        action="store_true",
        help="rewrite findings.txt (and after.Dockerfile) of fixtures",
    )
    parser.addoption(
        "--accept-after",
        action="store_true",
        help="with --accept: write after.Dockerfile if missing",
    )
