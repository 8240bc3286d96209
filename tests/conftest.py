"""Options of the test run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

# The laboratory's index is of use without Docker too.
sys.path.append(str(Path(__file__).parent / "builds"))


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
