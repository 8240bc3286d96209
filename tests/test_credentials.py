"""Passwords in addresses: what counts as one, and that none is shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from building import built
from dfcache.model.credentials import exposed, masked
from test_cli import run

SECRET = "s3cr3t-s3cr3t"
TOKEN = "notarealtoken0123456789"
HEAD = "FROM python:3.12-slim\nWORKDIR /app\n"


def how(text: str, files: dict[str, str] | None = None) -> list[tuple[str, str]]:
    return [(each.how, each.name) for each in exposed(built(HEAD + text, files))]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"-i https://ci:{SECRET}@h/simple x", "-i https://ci:***@h/simple x"),
        (f"git+https://{TOKEN}@h/a", "git+https://***@h/a"),
        (f'"https://ci:{SECRET}@h" https://a:{SECRET}@b', '"https://***@h" https://***@b'),
        (f"ENV UV_INDEX_A_PASSWORD={SECRET}", "ENV UV_INDEX_A_PASSWORD=***"),
        (f'ENV UV_INDEX_A_PASSWORD="{SECRET}"', 'ENV UV_INDEX_A_PASSWORD="***"'),
        ("https://ci:${TOKEN}@h", None),
        ("git+ssh://git@h/a https://git@h/a https://reader@h/a", None),
        ("sed s@http://a@https://b@ f", None),
        ("ENV UV_INDEX_A_PASSWORD=$TOKEN", None),
        ("https://h/a@b", None),
    ],
)
def test_what_is_masked(before: str, after: str | None):
    shown = masked(before).replace("ci:***", "***")
    assert shown == (after.replace("ci:***", "***") if after else before)


def test_a_mask_can_keep_the_width():
    line = f"RUN pip install -i https://ci:{SECRET}@h/simple"
    assert len(masked(line, "")) == len(line)
    assert SECRET not in masked(line, "")


@pytest.mark.parametrize(
    "info",
    [f"ci:{SECRET}", f"__token__:{SECRET}", f":{SECRET}", TOKEN, f"{TOKEN}:", f"{TOKEN}:x"],
)
def test_what_is_a_password(info: str):
    assert how(f"RUN pip install -i https://{info}@h/simple x\n") == [("literal", "")]


@pytest.mark.parametrize(
    "info",
    ["git", "reader", "<user>:<password>", "user:***", "u:{password}", "u:your_password", "ci:"],
)
def test_what_is_none(info: str):
    assert how(f"RUN pip install -i 'https://{info}@h/simple' x\n") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ARG T\nRUN pip install -i https://u:$T@h x\n", [("ARG", "T")]),
        ("ARG T=\nRUN pip install -i https://u:${T}@h x\n", [("ARG", "T")]),
        ("ENV T=x\nRUN pip install -i https://u:${T}@h x\n", [("ENV", "T")]),
        ("ENV T=\nRUN pip install -i https://u:${T}@h x\n", []),
        ("ARG T\nRUN pip install -i https://$T@h x\n", []),
        ("ARG API_TOKEN\nRUN pip install -i https://$API_TOKEN@h x\n", [("ARG", "API_TOKEN")]),
        ("ARG U\nRUN pip install -i https://$U:$T@h x\n", []),
        ("RUN pip install git+https://${TOKEN}:x-oauth-basic@h/a\n", []),
        ("ARG TOKEN\nRUN pip install git+https://${TOKEN}:x-oauth-basic@h/a\n", [("ARG", "TOKEN")]),
        (f"ARG U\nRUN pip install -i https://$U:{SECRET}@h x\n", [("literal", "")]),
        ("ARG T\nRUN --mount=type=secret,id=t,env=T pip install -i https://u:$T@h x\n", []),
        ("RUN T=$(cat /run/secrets/t) && pip install -i https://u:$T@h x\n", []),
        ("RUN T=abcdef && pip install -i https://u:$T@h x\n", [("literal", "T")]),
        ("RUN pip install -i https://u:$(cat /run/secrets/t)@h x\n", []),
        ("ARG T\nENV PIP_INDEX_URL=https://u:$T@h\n", [("ARG", "T")]),
        ("ARG UV_INDEX_A_PASSWORD\n", [("ARG", "UV_INDEX_A_PASSWORD")]),
        ("ENV UV_INDEX_A_PASSWORD=\n", []),
        ("ENV UV_INDEX_A_USERNAME=ci\n", []),
        (f"LABEL PIP_INDEX_URL=https://u:{SECRET}@h\n", []),
        (f"ENV DATABASE_URL=postgres://u:{SECRET}@h\n", []),
        (f"RUN curl https://u:{SECRET}@h/file\n", []),
        (f"RUN echo index-url=https://u:{SECRET}@h >> /etc/pip.conf\n", [("literal", "")]),
        (f"RUN uv add --index https://u:{SECRET}@h x\n", [("literal", "")]),
        ("COPY .netrc /root/\n", [("file", ".netrc")]),
        ("COPY --from=a .netrc /root/\n", []),
    ],
)
def test_where_they_come_from(text: str, found: list[tuple[str, str]]):
    assert how(text) == found


def test_a_netrc_that_is_not_there_or_holds_none():
    assert how("COPY .netrc /root/\n", {".netrc": "machine h\nlogin u\n"}) == []
    assert how("COPY .netrc /root/\n", {"a": ""}) == []
    assert how("COPY . .\n", {"a": "", ".netrc": "machine h\nlogin u\n"}) == []


def test_a_folder_brings_what_is_in_it():
    netrc = "machine h\nlogin u\npassword p\n"
    assert how("COPY . .\n", {"a": "", ".netrc": netrc}) == [("file", ".netrc")]
    assert how("COPY conf /etc/\n", {"conf/.netrc": netrc}) == [("file", "conf/.netrc")]
    assert how("COPY . .\n", {".dockerignore": ".netrc", ".netrc": netrc, "a": ""}) == []
    config = f"[global]\nindex-url = https://u:{SECRET}@h\n"
    assert how("COPY . .\n", {"pip.conf": config}) == [("literal", "")]
    assert how("COPY . .\n", {"pip.conf": config.replace(SECRET, "${T}")}) == []
    assert how("COPY . .\n", {"pip.conf": config.replace("index", "; index")}) == []


def test_a_file_is_pointed_at_where_it_holds_them():
    text = f"six\n# https://u:{SECRET}@a\n-i https://u:{SECRET}@h/simple # b\n"
    (found,) = exposed(built(f"{HEAD}COPY r.txt .\nRUN pip install -r r.txt\n", {"r.txt": text}))
    assert (found.file, found.host) == ("r.txt", "h")
    assert text[found.place.start : found.place.end] == f"https://u:{SECRET}@h"


@pytest.mark.parametrize("format", ["text", "concise", "json"])
def test_no_report_shows_one(tmp_path: Path, format: str):
    text = (
        f"{HEAD}ENV UV_INDEX_A_PASSWORD={SECRET}\nCOPY r.txt .\n"
        f"RUN pip install -i https://ci:{SECRET}@h/simple -r r.txt git+https://ci:{SECRET}@h/a\n"
    )
    (tmp_path / "Dockerfile").write_text(text)
    (tmp_path / "r.txt").write_text(f"-i https://ci:{SECRET}@h/simple\ngit+https://{TOKEN}@h/b\n")
    shown = run("check", "--format", format, cwd=tmp_path).stdout.decode()
    if format == "json":
        shown = json.dumps([each["message"] for each in json.loads(shown)["findings"]])
    assert "credentials" in shown
    assert SECRET not in shown
    assert TOKEN not in shown


@pytest.mark.parametrize("format", ["text", "json", "html"])
def test_explain_shows_none(tmp_path: Path, format: str):
    text = f"{HEAD}RUN pip install -i https://ci:{SECRET}@h/simple x\nCOPY . .\n"
    (tmp_path / "Dockerfile").write_text(text)
    shown = run("explain", "--format", format, cwd=tmp_path).stdout.decode()
    assert "pip install" in shown
    assert SECRET not in shown
