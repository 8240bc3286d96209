"""Findings in the files that a step reads, and their fixes: what is shown, and what is written."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from dfcache.checks.registry import Check, Report
from dfcache.diagnostics import Elsewhere, Fix, Safety
from dfcache.engine.companions import contradiction
from dfcache.engine.run import Session
from dfcache.text import Edit, Span
from fakes import FakeBuild, rules
from test_cli import run

DOCKERFILE = """\
FROM python:3.12-slim
WORKDIR /app
COPY requirements.txt .
RUN --mount=type=cache,target=/root/.cache/pip \\
    pip install -r requirements.txt
COPY shop.py .
"""
BEFORE = "gunicorn==23.0.0\nflask\nrequests>=2  # http\n"
AFTER = "gunicorn==23.0.0\nflask==3.1.0\nrequests==2.32.3  # http\n"
PLACE = "requirements.txt:2:1: info DFC307 unpinned-requirement:"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose requirements a lock beside them pins."""
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    (tmp_path / "requirements.txt").write_text(BEFORE)
    (tmp_path / "freeze.txt").write_text("flask==3.1.0\nrequests==2.32.3\n")
    (tmp_path / "shop.py").write_text("")
    return tmp_path


def text(path: Path) -> str:
    return path.read_bytes().decode()


def test_check_names_the_line_of_the_file(project: Path):
    done = run("check", "--format", "concise", cwd=project)
    assert done.stdout.decode().startswith(f"{PLACE} 2 of 3 requirements leave the version open")
    assert done.returncode == 0
    done = run("check", cwd=project)
    assert "2 | flask\n  | ^^^^^\n" in done.stdout.decode()
    assert done.stdout.decode().endswith("1 file, 1 finding, 1 with --unsafe\n")


def test_the_path_is_as_seen_from_where_dfcache_runs(project: Path):
    (project / "deep").mkdir()
    done = run("check", "--format", "concise", "../Dockerfile", cwd=project / "deep")
    assert done.stdout.decode().startswith(f"../{PLACE}")


def test_exit_codes_count_findings_in_files(project: Path):
    assert run("check", "--fail-level", "info", cwd=project).returncode == 1
    assert run("check", "--fail-level", "info", "--exit-zero", cwd=project).returncode == 0
    assert run("fix", cwd=project).returncode == 0
    assert run("fix", "--unsafe", cwd=project).returncode == 1
    assert run("fix", "--write", "--unsafe", cwd=project).returncode == 0
    assert run("check", "--fail-level", "info", cwd=project).returncode == 0


def test_json_has_the_place_and_edits_of_the_file(project: Path):
    (found,) = json.loads(run("check", "--format", "json", cwd=project).stdout)["findings"]
    assert (found["path"], found["start"]) == ("requirements.txt", {"line": 2, "column": 1})
    first = found["fix"]["edits"][0]
    assert (first["start"], first["text"]) == ({"line": 2, "column": 6}, "==3.1.0")


def test_what_is_unsafe_stays_unless_it_is_asked_for(project: Path):
    done = run("fix", "--write", cwd=project)
    assert text(project / "requirements.txt") == BEFORE
    assert b"1 finding left, 1 fixable with --unsafe" in done.stderr


def test_fix_writes_the_file_and_leaves_the_dockerfile(project: Path):
    done = run("fix", "--write", "--unsafe", cwd=project)
    assert text(project / "requirements.txt") == AFTER
    assert text(project / "Dockerfile") == DOCKERFILE
    assert b"1 finding fixed" in done.stderr
    assert sorted(path.name for path in project.iterdir()) == [
        "Dockerfile", "freeze.txt", "requirements.txt", "shop.py",
    ]  # fmt: skip


def test_both_files_are_fixed_in_one_run(project: Path):
    (project / "Dockerfile").write_text(DOCKERFILE.replace("--mount=type=cache,target=/root/", ""))
    bad = DOCKERFILE.replace("RUN --mount=type=cache,target=/root/.cache/pip \\\n    ", "RUN ")
    (project / "Dockerfile").write_text(bad)
    run("fix", "--write", "--unsafe", cwd=project)
    assert text(project / "Dockerfile") == DOCKERFILE
    assert text(project / "requirements.txt") == AFTER


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["unix", "windows"])
def test_bytes_that_are_no_versions_stay(project: Path, mark: bytes, end: str):
    path = project / "requirements.txt"
    path.write_bytes(mark + BEFORE.replace("\n", end).encode())
    path.chmod(0o640)
    run("fix", "--write", "--unsafe", cwd=project)
    assert path.read_bytes() == mark + AFTER.replace("\n", end).encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_the_first_line_behind_a_byte_order_mark(project: Path):
    path = project / "requirements.txt"
    path.write_bytes(b"\xef\xbb\xbfflask")
    run("fix", "--write", "--unsafe", cwd=project)
    assert path.read_bytes() == b"\xef\xbb\xbfflask==3.1.0"


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_file_in_another_encoding_is_told_about_but_not_changed(project: Path, encoding: str):
    path = project / "requirements.txt"
    given = f"# coding: latin-1\n# \xe9\n{BEFORE}".encode(encoding)
    path.write_bytes(given)
    done = run("fix", "--write", "--unsafe", "--format", "concise", cwd=project)
    assert b"requirements.txt:4:1: info DFC307" in done.stdout
    assert b"[unsafe]" not in done.stdout
    assert path.read_bytes() == given


def test_a_diff_shows_the_file_and_can_be_applied(project: Path):
    done = run("fix", "--unsafe", cwd=project)
    shown = done.stdout.decode()
    assert shown.startswith("--- a/requirements.txt\n+++ b/requirements.txt\n")
    assert "-flask\n-requests>=2  # http\n+flask==3.1.0\n+requests==2.32.3  # http\n" in shown
    assert text(project / "requirements.txt") == BEFORE


def test_two_dockerfiles_that_share_a_file_tell_it_once(project: Path):
    (project / "Dockerfile.worker").write_text(DOCKERFILE)
    assert run("check", "--format", "concise", cwd=project).stdout.decode().count(PLACE) == 1
    shown = run("fix", "--unsafe", cwd=project).stdout.decode()
    assert shown.count("+++ b/requirements.txt") == 1
    run("fix", "--write", "--unsafe", cwd=project)
    assert text(project / "requirements.txt") == AFTER


def test_what_is_left_is_told_with_its_place_in_the_fixed_file(project: Path):
    (project / "requirements.txt").write_text("flask\nunknown\n")
    done = run("fix", "--write", "--unsafe", "--format", "concise", cwd=project)
    told = f"{PLACE} 1 of 2 requirements leaves the version open: unknown\n"
    assert done.stdout.decode() == told
    assert text(project / "requirements.txt") == "flask==3.1.0\nunknown\n"


def test_a_comment_in_the_dockerfile_silences_a_finding_of_the_file(project: Path):
    comment = "# dfcache: ignore[unpinned-requirement] not ours\nRUN --mount"
    (project / "Dockerfile").write_text(DOCKERFILE.replace("RUN --mount", comment))
    assert run("check", cwd=project).stdout == b"1 file, no findings\n"
    run("fix", "--write", "--unsafe", cwd=project)
    assert text(project / "requirements.txt") == BEFORE


def test_a_comment_elsewhere_silences_nothing(project: Path):
    comment = "# dfcache: ignore[unpinned-requirement]\nCOPY shop"
    (project / "Dockerfile").write_text(DOCKERFILE.replace("COPY shop", comment))
    shown = run("check", "--format", "concise", cwd=project).stdout.decode()
    assert "DFC307" in shown
    assert "DFC902" in shown


def test_standard_input_is_fixed_alone(project: Path):
    options = ("--unsafe", "--write", "--stdin-filename", "Dockerfile", "-")
    done = run("fix", *options, cwd=project, stdin=DOCKERFILE.encode())
    assert done.stdout.decode() == DOCKERFILE
    assert text(project / "requirements.txt") == BEFORE
    done = run("check", "--format", "concise", *options[2:], cwd=project, stdin=DOCKERFILE.encode())
    assert done.stdout.decode().startswith(PLACE)


def test_standard_input_without_a_name_has_no_files(project: Path):
    done = run("check", "-", cwd=project, stdin=DOCKERFILE.encode())
    assert done.stdout == b"1 file, no findings\n"


def test_a_link_out_of_the_context_is_not_followed(project: Path, tmp_path_factory):
    other = tmp_path_factory.mktemp("other") / "requirements.txt"
    other.write_text(BEFORE)
    (project / "requirements.txt").unlink()
    (project / "requirements.txt").symlink_to(other)
    run("fix", "--write", "--unsafe", cwd=project)
    assert text(other) == BEFORE


def test_a_file_that_can_not_be_written_is_trouble(project: Path):
    (project / "shared").mkdir()
    (project / "requirements.txt").rename(project / "shared" / "requirements.txt")
    (project / "deep").mkdir()
    (project / "deep" / "requirements.txt").symlink_to("../shared/requirements.txt")
    source = DOCKERFILE.replace("COPY requirements", "COPY deep/requirements")
    (project / "Dockerfile").write_text(source)
    (project / "freeze.txt").rename(project / "deep" / "freeze.txt")
    done = run("fix", "--write", "--unsafe", cwd=project)
    assert done.returncode == 2
    assert b"deep/requirements.txt: left as it was: it is a symbolic link" in done.stderr


# --- With checks made for the test -------------------------------------------------------------


def session(*edits: Edit, safety: Safety = Safety.SAFE) -> Session:
    def check(_: FakeBuild, __: object):
        place = Elsewhere("requirements.txt", Span(0, 5))
        yield Report(Span(0, 4), "it is bad", Fix("mend it", edits, safety), elsewhere=place)

    return Session(rules=rules(Check("DFC101", FakeBuild, check)))


def outcome(project: Path, *edits: Edit, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(project)
    return session(*edits).text("Dockerfile", DOCKERFILE, Safety.SAFE).companions[0]


def test_a_fix_that_does_more_than_it_may_is_refused(project: Path, monkeypatch):
    bad = Edit(Span(0, 8), "uvicorn")
    made = outcome(project, bad, monkeypatch=monkeypatch)
    assert made.fixed == made.source == BEFORE
    assert made.trouble is not None
    assert "a fix is not what it says" in made.trouble.message
    assert made.findings


def test_in_a_guessed_context_no_fix_of_a_file_is_safe(project: Path, monkeypatch):
    (project / "docker").mkdir()
    (project / "docker" / "Dockerfile").write_text(DOCKERFILE)
    monkeypatch.chdir(project)
    good = Edit(Span(22, 22), "==3.1.0")
    known = session(good).text("Dockerfile", DOCKERFILE, Safety.SAFE).companions[0]
    assert known.fixed != BEFORE
    source = DOCKERFILE.replace("shop.py", "made-by-the-build")
    guessed = session(good).text("docker/Dockerfile", source, Safety.SAFE).companions[0]
    assert guessed.fixed == BEFORE
    (finding,) = guessed.findings
    assert finding.fix is not None
    assert finding.fix.safety is Safety.UNSAFE
    assert "the build context is taken to be" in finding.notes[-1]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("flask", "flask==3.1.0"),
        ("flask[async] >= 3 ; python_version > '3'", "flask[async] == 3.1 ; python_version > '3'"),
        ("flask==3.*", "flask==3.1.0"),
        ("a @ git+https://x/a@b/c#egg=a", f"a @ git+https://x/a@{'0' * 40}#egg=a"),
        ("-e git+ssh://git@x/a#egg=a", f"-e git+ssh://git@x/a@{'0' * 40}#egg=a"),
    ],
)
def test_naming_a_version_or_a_commit_is_no_contradiction(before: str, after: str):
    assert contradiction("r.txt", before, after) == ""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("flask", "flask>=3"),
        ("flask", "django==3.1.0"),
        ("flask>=4", "flask==3.1.0"),
        ("flask[async]", "flask==3.1.0"),
        ("flask; python_version>'3'", "flask==3.1.0"),
        ("flask", "flask==3.1.0\nsix==1"),
        ("flask\nsix", "flask==3.1.0"),
        ("flask\n# six", "flask==3.1.0"),
        ("flask", "-i https://x.example\nflask==3.1.0"),
        ("-i https://a.example\nflask", "-i https://b.example\nflask==3.1.0"),
        ("-r a.txt\nflask", "-r b.txt\nflask==3.1.0"),
        ("flask", "flask==3.1.0 --hash=sha256:aa"),
        ("flask==1", "flask==2"),
        ("flask", "flask==="),
        ("./flask", "./other"),
        ("git+https://x/a@b", f"git+https://y/a@{'0' * 40}"),
        ("git+https://x/a@b", "git+https://x/a@c"),
        ("git+https://x/a@b#egg=a", f"git+https://x/a@{'0' * 40}#egg=b"),
    ],
)
def test_anything_else_is_a_contradiction(before: str, after: str):
    assert contradiction("r.txt", before, after)


def test_a_second_dockerfile_may_change_the_file_further(tmp_path: Path):
    (tmp_path / "requirements.txt").write_text("six\nflask\n")
    for folder, name in (("one", "six"), ("two", "flask")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{name}-1.0-py3-none-any.whl").write_text("")
        (tmp_path / f"Dockerfile.{folder}").write_text(
            "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\n"
            f"RUN --mount=type=bind,source={folder},target=/w \\\n"
            "    pip install --no-index --find-links=/w -r requirements.txt\n"
        )
    run("fix", "--write", "--unsafe", "--select", "DFC307", cwd=tmp_path)
    assert text(tmp_path / "requirements.txt") == "six==1.0\nflask==1.0\n"
    (tmp_path / "requirements.txt").write_text("six\nflask\n")
    shown = run("fix", "--unsafe", "--select", "DFC307", cwd=tmp_path).stdout.decode()
    assert shown.count("+++ b/requirements.txt") == 1
    assert run("fix", "--select", "DFC307", cwd=tmp_path).stdout == b""
