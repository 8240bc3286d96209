"""Options of the test run."""

from __future__ import annotations

import pytest


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
