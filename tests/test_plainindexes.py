"""Which indexes over plain http a command of pip asks, and who names them."""

from __future__ import annotations

import pytest

from building import built
from dfcache.model.plainindexes import plain_indexes

HEAD = "FROM python:3.12-slim\nWORKDIR /app\n"


def found(text: str, files: dict[str, str] | None = None) -> list[tuple[str, str]]:
    """Hosts and places for the last command of the last step."""
    build = built(HEAD + text, files)
    step = [*build.runs()][-1]
    return [(each.host, each.where) for each in plain_indexes(build, step, step.uses[-1])]


@pytest.mark.parametrize(
    ("script", "hosts"),
    [
        ("pip install -i http://h/simple x", ["h"]),
        ("pip install --index-url=http://u:p@h:8080/simple x", ["h:8080"]),
        ("pip install -i https://h/simple x", []),
        ("pip install -i http://h/simple --trusted-host h x", []),
        ("pip install -i http://h:80/simple --trusted-host=h x", []),
        ("PIP_INDEX_URL=http://h/s pip install x", ["h"]),
        ("PIP_INDEX_URL=http://h/s pip install -i https://h/s x", []),
        ("PIP_EXTRA_INDEX_URL='http://a/s http://b/s' PIP_TRUSTED_HOST=a pip install x", ["b"]),
        ("pip config set global.index-url http://h/s && pip install x", ["h"]),
        ("python3 -m pip config --user set install.index_url http://h/s && pip install x", ["h"]),
        ("pip config set global.index-url http://h/s && pip install -i https://h x", []),
        ("pip config set global.index-url http://h && pip config set global.trusted-host h"
         " && pip install x", []),
        ("pip config set x.index-url http://h/s && pip install x", []),
        ("pip config list && pip install x", []),
        ("npm ci --registry http://h", []),
        ("uv pip install -i http://h/simple x", []),
    ],
)  # fmt: skip
def test_hosts(script: str, hosts: list[str]):
    assert [host for host, _ in found(f"RUN {script}\n")] == hosts


def test_the_configuration_is_that_of_the_steps_before():
    config = "RUN pip config set global.index-url http://h/s\n"
    assert found(f"{config}RUN pip install x\n") == [("h", "line 3")]
    assert found(f"{config}FROM python:3.12-slim\nRUN pip install x\n") == []
    assert found("RUN pip install x && pip config set global.index-url http://h/s\n") == []


def test_a_copied_file_is_read_where_pip_looks_for_it():
    files = {"c/pip.conf": "[global]\nindex-url = http://h/s\n[list]\nindex-url = http://no/s\n"}
    for place in ("/etc/pip.conf", "/root/.pip/pip.conf", "/root/.config/pip/pip.conf"):
        assert found(f"COPY c/pip.conf {place}\nRUN pip install x\n", files) == [
            ("h", "c/pip.conf")
        ]
    named = "ENV PIP_CONFIG_FILE=/c.conf\nCOPY c/pip.conf /c.conf\nRUN pip install x\n"
    assert found(named, files) == [("h", "c/pip.conf")]
    assert found("COPY c/pip.conf /root/pip.conf\nRUN pip install x\n", files) == []
    broken = {"c/pip.conf": "index-url = http://h/s\n"}
    assert found("COPY c/pip.conf /etc/pip.conf\nRUN pip install x\n", broken) == []


def test_the_index_of_a_requirements_file_beats_that_of_the_command():
    install = "COPY r.txt .\nRUN pip install -i {} -r r.txt\n"
    assert found(install.format("http://h"), {"r.txt": "-i https://x\nflask\n"}) == []
    assert found(install.format("https://h"), {"r.txt": "-i http://x\n"}) == [("x", "r.txt")]
    trusted = {"r.txt": "-i http://x\n--trusted-host x\n"}
    assert found(install.format("https://h"), trusted) == []
