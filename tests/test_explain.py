"""`dfcache explain`: the table, its forms, and the page in a browser."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from building import built
from dfcache.model.explain import Explanation, explain, merged, worst
from dfcache.reporters import explain_html, explain_json, explain_text
from test_cli import run

FILES = {
    "requirements.txt": "-r base.txt\n",
    "base.txt": "flask\n",
    "Dockerfile": "",
    "src/app.py": "",
    "docs/index.md": "",
    "main.py": "",
}
BAD = """\
ARG V=3.12
FROM python:$V
ARG SHA
COPY . /app
WORKDIR /app
RUN pip install -r requirements.txt
"""
GOOD = """\
FROM python:3.12
WORKDIR /app
COPY requirements.txt base.txt ./
RUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt
COPY . .
"""


def table(source: str, files=FILES, **options) -> Explanation:
    return merged(explain(built(source, files), "Dockerfile", **options))[0]


def effects(explanation: Explanation) -> dict[str, str]:
    """Per change, the lines of the steps that run again."""
    steps = explanation.steps
    return {
        change.title: " ".join(
            f"{line.number}{'?' * (mark == 'may')}"
            for line, mark in zip(steps, change.marks, strict=True)
            if mark
        )
        for change in explanation.changes
    }


def test_every_kind_of_change_has_a_column():
    found = table(BAD)
    assert [(change.kind, change.title) for change in found.changes] == [
        ("manifest", "requirements.txt, base.txt"),
        ("folder", "docs/, src/"),
        ("file", "main.py"),
        ("Dockerfile", "Dockerfile"),
        ("argument", "V"),
        ("volatile", "SHA"),
        ("base", "python:3.12"),
    ]
    assert effects(found) == {
        "requirements.txt, base.txt": "4 6",
        "docs/, src/": "4 6",
        "main.py": "4 6",
        "Dockerfile": "4 6",
        "V": "4 6",
        "SHA": "6",
        "python:3.12": "4 6",
    }


def test_the_worst_is_what_changes_often_and_downloads():
    assert worst(table(BAD)) == (
        "An edit of anything in docs/, src/ runs 2 of 2 steps again,"
        " and `pip install` (line 6) downloads all its packages again."
    )
    assert worst(table(GOOD)) == (
        "No package is downloaded twice;"
        " a change of requirements.txt, base.txt runs 3 of 3 steps again."
    )
    lost = GOOD.replace("pip install", "pip install --no-cache-dir")
    assert worst(table(lost)) == (
        "No edit of the source downloads packages again, but a change of requirements.txt, base.txt"
        " runs 3 of 3 steps again, and `pip install` (line 4) downloads all its packages again."
    )
    source = (
        "ARG V=1\nFROM a:$V\nARG {}\nRUN pip install x\nRUN apt-get install a && npm install b\n"
    )
    assert worst(table(source.format("GIT_SHA"))) == (
        "A new value of GIT_SHA runs 2 of 2 steps again,"
        " and `pip install` (line 4), `apt-get install` (line 5) and 1 more"
        " download all their packages again."
    )
    assert worst(table(source.format("OTHER"))).startswith("Another value of OTHER, V runs 2 of 2")
    assert worst(table("FROM a\nRUN x\n", paths=["main.py"])) == (
        "None of these changes runs a step again."
    )


def test_a_cache_that_is_switched_off_keeps_nothing():
    on, off = (
        table(GOOD).steps[1],
        table(GOOD.replace("RUN", "ENV PIP_NO_CACHE_DIR=1\nRUN")).steps[1],
    )
    assert (on.lost, on.kept) == ((), ("pip install",))
    assert (off.lost, off.kept) == (("pip install",), ())


def test_changes_that_are_asked_for_are_all_that_is_shown():
    found = explain(
        built(GOOD, {**FILES, ".dockerignore": "docs\n"}),
        paths=["src", "docs/index.md", "new.py", "./base.txt"],
        arguments=["V"],
    )
    assert effects(found) == {
        "src/": "5", "docs/index.md": "", "new.py": "5", "base.txt": "3 4 5", "V": "",
    }  # fmt: skip
    assert found.notes == ("docs/index.md is hidden by .dockerignore",)


def test_what_lies_in_git_counts_where_it_is_copied():
    assert effects(table(BAD, {**FILES, ".git/HEAD": ""}))[".git/, docs/, src/"] == "4 6"
    ignored = {**FILES, ".git/HEAD": "", ".dockerignore": ".git\n"}
    assert "docs/, src/" in effects(table(BAD, ignored))


def test_without_a_context_the_sources_are_the_columns():
    found = merged(explain(built(GOOD, None)))[0]
    assert effects(found) == {
        "requirements.txt": "3 4 5",
        "base.txt": "3 4 5",
        "any other file": "5",
        "python:3.12": "3 4 5",
    }
    assert "the build context is not at hand" in found.notes


def test_stages_that_are_not_built_are_left_out_and_named():
    found = table("FROM a AS test\nCOPY . /\nFROM b\nCOPY src /src\n")
    assert [line.number for line in found.steps] == [4]
    assert found.notes == ("stage test is left out: the last stage needs none of it",)


def test_columns_of_two_tables_are_the_same():
    before, after = merged(explain(built(BAD, FILES)), explain(built(GOOD, FILES)))
    assert [c.title for c in before.changes] == [c.title for c in after.changes]
    sha = next(change for change in after.changes if change.title == "SHA")
    assert not any(sha.marks)
    late = BAD.replace("ARG SHA\n", "") + "ARG SHA\nRUN x\n"
    before, after = merged(explain(built(BAD, FILES)), explain(built(late, FILES)))
    assert [c.names for c in after.changes].count(("SHA",)) == 1


TEXT = """\
Dockerfile (context .): what runs again when this changes

                                        requirements.txt, base.txt
                                        |  docs/, src/
                                        |  |  main.py
                                        |  |  |  a comment in Dockerfile
                                        |  |  |  |  build argument V
                                        |  |  |  |  |  build argument SHA
                                        |  |  |  |  |  |  base image python:3.12
4  COPY . /app                          x  x  x  x  x  .  x
6  RUN pip install -r requirements.txt  D  D  D  D  D  D  D

x  runs again
D  runs again and downloads packages that no cache keeps
"""


def test_the_text_is_a_table():
    shown = explain_text.explained("Dockerfile", ".", table(BAD), color=False)
    assert shown == f"{TEXT}{worst(table(BAD))}\n"


def test_long_steps_are_cut_and_mounts_left_out():
    source = "FROM a\nRUN --mount=type=cache,target=/c " + "word " * 40 + "\n"
    shown = explain_text.explained("d", None, table(source), color=True)
    row = next(line for line in shown.split("\n") if line.startswith("2  "))
    assert row.startswith("2  RUN word word ")
    assert row.endswith(" w...  \x1b[33mx\x1b[0m")


def test_json_holds_the_same():
    data = json.loads(explain_json.explained("Dockerfile", "ctx", table(BAD)))
    assert data["steps"][1] == {
        "line": 6,
        "stage": None,
        "text": "RUN pip install -r requirements.txt",
        "lost": ["pip install"],
        "kept": [],
    }
    assert data["changes"][5] == {
        "kind": "volatile", "names": ["SHA"], "again": [6], "maybe": [], "downloads": [6],
    }  # fmt: skip
    assert data["worst"].startswith("An edit of anything in docs/, src/")


def page() -> str:
    before, after = merged(
        explain(built(BAD, FILES), "Dockerfile"), explain(built(GOOD, FILES), "Dockerfile")
    )
    return explain_html.explained("Docker<file", "/ctx", before, after)


def test_the_page_needs_nothing_but_itself():
    text = page()
    assert "Docker&lt;file" in text
    assert "Docker<file" not in text
    assert not any(
        word in text for word in ("http:", "https:", "<script", "<link", "@import", "url(")
    )
    assert text.count("<section>") == 2
    assert text.count('<td class="lost">') == 7
    assert text.count('<th scope="col"') == 2 * 7


def test_a_page_without_a_fix_has_one_table():
    (only,) = merged(explain(built(GOOD, FILES)))
    text = explain_html.explained("Dockerfile", None, only)
    assert text.count("<section>") == 1
    assert "After dfcache fix" not in text
    assert "dfcache fix finds nothing to change here." in text
    assert "the build context is not at hand" in text


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for path, text in {**FILES, "Dockerfile": BAD}.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def test_the_command_takes_a_folder_or_a_file(project: Path):
    done = run("explain", cwd=project)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == f"{TEXT}{worst(table(BAD))}\n"
    named = run("explain", "Dockerfile", cwd=project)
    assert named.stdout == done.stdout
    sub = run("explain", "..", cwd=project / "src")
    assert "../Dockerfile (context ..)" in sub.stdout.decode()
    piped = run("explain", "-", cwd=project, stdin=BAD.encode())
    assert "<stdin> (context not at hand)" in piped.stdout.decode()


def test_changes_are_found_from_here_or_from_the_context(project: Path):
    for cwd, path in ((project, "src"), (project / "src", "."), (project / "src", "../src/app.py")):
        done = run("explain", str(project), "--change", path, "--format=json", cwd=cwd)
        data = json.loads(done.stdout)
        assert data["changes"][0]["names"] in (["src/"], ["src/app.py"])
        assert data["changes"][0]["again"] == [4, 6]
    both = run("explain", "--arg", "SHA", "--change", "new", "--format=json", cwd=project)
    assert [c["again"] for c in json.loads(both.stdout)["changes"]] == [[4, 6], [6]]


def test_the_page_shows_what_fix_would_do(project: Path):
    done = run("explain", "--format=html", "--output=page.html", cwd=project)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    text = (project / "page.html").read_text(encoding="utf-8")
    assert "After dfcache fix" in text
    assert (project / "Dockerfile").read_text() == BAD


def test_what_can_not_be_explained_is_one_line(project: Path):
    (project / "Dockerfile").write_text("FROM a\nNOPE\n")
    done = run("explain", cwd=project)
    assert done.returncode == 2
    assert (
        done.stderr.decode() == "Dockerfile:2: BuildKit refuses it:"
        " unknown instruction: NOPE (did you mean COPY?)\n"
    )
    assert run("explain", "src", cwd=project).stderr == b"dfcache: no Dockerfile in src\n"
    assert b"cannot read" in run("explain", "gone", cwd=project).stderr
    assert b"no such folder" in run("explain", "--context=gone", cwd=project).stderr


CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
# Background services off: a browser without a network would wait for them.
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--dump-dom", "--virtual-time-budget=4000",
)  # fmt: skip
MEASURE = """<!doctype html><iframe id="f" style="border:0;height:900px"></iframe><script>
const frame = document.getElementById("f");
frame.style.width = "WIDTHpx";
frame.onload = () => {
  const page = frame.contentDocument;
  const boxes = [...page.querySelectorAll("section")].map(s => s.getBoundingClientRect());
  const cells = [...page.querySelectorAll("tbody td")].map(s => s.getBoundingClientRect());
  document.title = JSON.stringify({
    wide: page.documentElement.scrollWidth,
    lefts: boxes.map(b => b.left), tops: boxes.map(b => b.top),
    cell: Math.min(...cells.map(b => Math.min(b.width, b.height))),
    font: parseFloat(frame.contentWindow.getComputedStyle(page.querySelector("code")).fontSize),
    inside: boxes.every(b => b.right <= WIDTH),
    scrolls: [...page.querySelectorAll(".scroll")].some(s => s.scrollWidth > s.clientWidth + 1),
  });
};
frame.srcdoc = PAGE;
</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to look at the page with")
@pytest.mark.parametrize("wide", [390, 1200])
def test_the_page_fits_a_phone_and_a_screen(tmp_path: Path, wide: int):
    quoted = json.dumps(page()).replace("</", "<\\/")
    (tmp_path / "page.html").write_text(
        MEASURE.replace("WIDTH", str(wide)).replace("PAGE", quoted), encoding="utf-8"
    )
    done = subprocess.run(
        [
            str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}",
            (tmp_path / "page.html").as_uri(),
        ],
        capture_output=True,
        timeout=120,
        check=True,
    )  # fmt: skip
    title = done.stdout.decode().split("<title>")[1].split("</title>")[0]
    seen = json.loads(title)
    assert seen["wide"] <= wide
    assert seen["inside"]
    assert not seen["scrolls"]
    assert seen["cell"] >= 24
    assert seen["font"] >= 12
    left, right = seen["lefts"]
    upper, lower = seen["tops"]
    assert (left == right and upper < lower) if wide == 390 else (left < right and upper == lower)
