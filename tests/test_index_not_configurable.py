"""Why an install whose index is decided gets no ARG, in the words of the finding."""

from __future__ import annotations

import pytest

from dfcache.engine.lint import examine
from dfcache.engine.settings import Settings
from dfcache.model.context import MemoryContext

URL = "http://mirror:3141/root/pypi/+simple/"
FILES = {
    "requirements.txt": "-i https://internal.example/simple\nflask\n",
    "pyproject.toml": "",
    "uv.lock": "",
    "ours/pyproject.toml": '[[tool.uv.index]]\nurl = "https://x.example"\ndefault = true\n',
}


def notes(steps: str) -> tuple[str, ...]:
    source = f"FROM python:3.12-slim\n{steps}\n"
    settings = Settings(select=("DFC313",), index_url=URL)
    (found,) = examine(source, MemoryContext(FILES), settings).findings
    assert found.fix is None
    return found.notes


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ("ENV PIP_INDEX_URL=https://x.example/simple\nRUN pip install a", "ENV sets PIP_INDEX_URL"),
        ("RUN pip install a --index-url=https://x.example", "--index-url of the command beats it"),
        ("RUN PIP_INDEX_URL=https://x.example pip install a", "the command sets PIP_INDEX_URL"),
        (
            "COPY requirements.txt .\nRUN pip install -r requirements.txt",
            "requirements.txt names the index itself",
        ),
        (
            "RUN pip config set global.index-url https://x.example\nRUN pip install a",
            "line 2 may name an index of its own",
        ),
        (
            "WORKDIR /app\nCOPY ours .\nRUN uv pip install a",
            "ours/pyproject.toml names the index itself",
        ),
        ("ENV PIP_CONFIG_FILE=/x\nRUN pip install a", "line 2 may name an index of its own"),
        ("RUN sudo pip install a", "sudo starts the command without the variables of the build"),
        (
            "COPY pyproject.toml uv.lock ./\nRUN uv sync --frozen",
            "uv.lock names the index of every package: lock with that of the mirror first",
        ),
        ("ENV PIP_TRUSTED_HOST=x\nRUN pip install a", "PIP_TRUSTED_HOST is set already"),
        ("ONBUILD RUN pip install a", "an ARG is not in force in the builds that run an ONBUILD"),
        (
            "ARG PIP_INDEX_URL=https://x.example\nRUN pip install b\nONBUILD RUN pip install a",
            "an ARG is not in force in the builds that run an ONBUILD",
        ),
    ],
)
def test_the_reason(steps: str, reason: str):
    assert notes(steps)[0].startswith(f"not fixed: {reason}")


@pytest.mark.parametrize(
    "steps",
    [
        "ONBUILD ARG PIP_INDEX_URL\nONBUILD RUN pip install a",
        "ARG PIP_INDEX_URL\nENV PIP_INDEX_URL=$PIP_INDEX_URL\nRUN pip install a",
        "ARG OURS=https://x.example\nRUN pip install -i $OURS a",
        "ARG UV_INDEX_URL\nRUN uv pip install a",
        "ENV UV_OFFLINE=1\nRUN uv pip install --find-links /w a",
        "ENV PIP_NO_INDEX=on\nRUN pip install --find-links /w a",
        "RUN pip install $WHATEVER",
        "RUN npm install",
    ],
)
def test_what_a_build_argument_decides_is_left_alone(steps: str):
    source = f"FROM python:3.12-slim\n{steps}\n"
    settings = Settings(select=("DFC313",), index_url=URL)
    assert examine(source, MemoryContext(FILES), settings).findings == []
