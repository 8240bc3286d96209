"""The command line as its users meet it: processes, streams and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dfcache import __version__

SOURCE = Path(__file__).parents[1] / "src"
BAD = (
    "FROM python:3.12-slim\nCOPY requirements.txt .\n"
    "RUN pip install --no-cache-dir -r requirements.txt\nCOPY . .\n"
)
GOOD = (
    "FROM python:3.12-slim\nCOPY requirements.txt .\n"
    "RUN --mount=type=cache,target=/root/.cache/pip \\\n"
    "    pip install -r requirements.txt\nCOPY . .\n"
)
CLEAN = "FROM scratch\nCOPY app /\n"
BROKEN = "FROM a\nRUN x\nNOPE y\n"


def run(
    *arguments: str, cwd: Path, stdin: bytes = b"", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), **(env or {})}
    for name in ("NO_COLOR", "FORCE_COLOR"):
        if name not in (env or {}):
            environment.pop(name, None)
    return subprocess.run(
        [sys.executable, "-m", "dfcache", *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        env=environment,
        check=False,
    )


def files(folder: Path, **texts: str) -> Path:
    """Files in a folder with requirements; ``__`` in a name is a slash, ``_`` a dot."""
    (folder / "requirements.txt").write_text("requests==2.32.0\n")
    for name, text in texts.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return folder


def test_a_finding_is_shown_with_its_line_and_what_to_do(tmp_path: Path):
    done = run("check", "Dockerfile", cwd=files(tmp_path, Dockerfile=BAD))
    shown = done.stdout.decode()
    assert done.returncode == 1
    assert shown.startswith("Dockerfile:3:5: warning DFC101 uncached-install: ")
    assert "3 | RUN pip install --no-cache-dir -r requirements.txt\n  |     ^^^" in shown
    assert "  = fix: " in shown
    assert "/rules/DFC101-uncached-install.md" in shown
    assert shown.endswith("1 file, 1 finding, 1 fixable with fix --write\n")
    assert done.stderr == b""


def test_nothing_to_say(tmp_path: Path):
    done = run("check", cwd=files(tmp_path, Dockerfile=CLEAN))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"1 file, no findings\n", b"")
    quiet = run("check", "--quiet", cwd=tmp_path)
    assert (quiet.returncode, quiet.stdout) == (0, b"")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 1),
        (("--exit-zero",), 0),
        (("--fail-level", "error"), 0),
        (("--fail-level", "warning"), 1),
        (("--ignore", "uncached-install"), 0),
        (("--ignore", "DFC102,DFC101"), 0),
        (("--select", "DFC2"), 0),
        (("--select", "uncached-install"), 1),
        (("--select", "nonsense"), 2),
        (("--builder", "podman"), 2),
        (("--context", "nowhere"), 2),
        (("--config", "nowhere.toml"), 2),
        (("nowhere",), 2),
        (("--nonsense",), 2),
        (("--output", "no/such/folder/x"), 2),
    ],
)
def test_exit_codes_of_check(tmp_path: Path, arguments: tuple[str, ...], code: int):
    done = run("check", *arguments, cwd=files(tmp_path, Dockerfile=BAD))
    assert done.returncode == code, done.stderr.decode()
    if code == 2:
        assert done.stderr
        assert b"Traceback" not in done.stderr


def test_fix_shows_a_diff_that_git_applies(tmp_path: Path):
    files(tmp_path, Dockerfile=BAD)
    done = run("fix", cwd=tmp_path)
    assert done.returncode == 1
    assert (tmp_path / "Dockerfile").read_text() == BAD
    assert done.stderr == b"1 file, 1 finding fixable\n"
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=done.stdout, check=True)
    assert (tmp_path / "Dockerfile").read_text() == GOOD


def test_fix_write_changes_the_file_and_is_done(tmp_path: Path):
    files(tmp_path, Dockerfile=BAD, sub__web_dockerfile=CLEAN)
    done = run("fix", "--write", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr == b"2 files, 1 finding fixed in 1\n"
    assert (tmp_path / "Dockerfile").read_text() == GOOD
    again = run("fix", "--write", cwd=tmp_path)
    assert (again.returncode, again.stderr) == (0, b"2 files, nothing to fix\n")


def test_odd_bytes_and_line_ends_survive_a_fix(tmp_path: Path):
    before = "\ufeff# \udcff\r\n" + BAD.replace("\n", "\r\n")
    after = "\ufeff# \udcff\r\n" + GOOD.replace("\n", "\r\n")
    files(tmp_path, Dockerfile=before)
    assert run("fix", "--write", cwd=tmp_path).returncode == 0
    assert (tmp_path / "Dockerfile").read_bytes() == after.encode("utf-8", "surrogateescape")


def test_standard_input(tmp_path: Path):
    check = run("check", "-", "--format", "concise", cwd=tmp_path, stdin=BAD.encode())
    assert check.returncode == 1
    assert check.stdout.startswith(b"<stdin>:3:5: warning DFC101 uncached-install: ")
    named = run(
        "check", "-", "--stdin-filename", "a/Dockerfile", "--format", "concise",
        cwd=tmp_path, stdin=BAD.encode(),
    )  # fmt: skip
    assert named.stdout.startswith(b"a/Dockerfile:3:5: ")
    diff = run("fix", "-", cwd=tmp_path, stdin=BAD.encode())
    assert diff.returncode == 1
    assert diff.stdout.startswith(b"--- a/<stdin>\n+++ b/<stdin>\n@@ ")
    write = run("fix", "--write", "-", cwd=tmp_path, stdin=BAD.encode())
    assert (write.returncode, write.stdout.decode()) == (0, GOOD)
    clean = run("fix", "--write", "-", cwd=tmp_path, stdin=CLEAN.encode())
    assert (clean.returncode, clean.stdout.decode()) == (0, CLEAN)


def test_a_file_that_buildkit_refuses_is_named_and_others_are_done(tmp_path: Path):
    files(tmp_path, Dockerfile=BROKEN, b__Dockerfile=BAD.replace("COPY . .\n", ""))
    done = run("check", "--format", "concise", cwd=tmp_path)
    first, second, *rest = done.stdout.decode().split("\n")
    assert done.returncode == 2
    assert first.startswith("Dockerfile:3:1: error DFC901 syntax-error: unknown instruction: NOPE")
    assert second.startswith("b/Dockerfile:3:5: warning DFC101")
    assert rest == [""]
    fixed = run("fix", "--write", cwd=tmp_path)
    assert fixed.returncode == 2
    assert (tmp_path / "Dockerfile").read_text() == BROKEN
    assert "--mount" in (tmp_path / "b" / "Dockerfile").read_text()


def test_a_diff_tells_of_refused_files_on_standard_error(tmp_path: Path):
    done = run("fix", cwd=files(tmp_path, Dockerfile=BROKEN))
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"Dockerfile:3:1: error DFC901")


def test_a_template_in_a_folder_is_passed_over_and_a_named_one_is_not(tmp_path: Path):
    files(tmp_path, Dockerfile_j2="{% if x %}\nFROM a\n{% endif %}\n")
    done = run("check", cwd=tmp_path)
    assert done.returncode == 0
    assert b"Dockerfile.j2: passed over: a template" in done.stderr
    assert run("check", "Dockerfile.j2", cwd=tmp_path).returncode == 2


def test_an_unreadable_file_is_one_line(tmp_path: Path):
    files(tmp_path, Dockerfile=CLEAN)
    (tmp_path / "Dockerfile.gone").symlink_to("nowhere")
    done = run("check", "Dockerfile", "Dockerfile.gone", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == b"Dockerfile.gone: no such file or folder\n"
    assert done.stdout == b"1 file, no findings\n"


def test_a_broken_configuration_is_told_once_with_its_place(tmp_path: Path):
    files(tmp_path, Dockerfile=BAD, Dockerfile_b=BAD, dfcache_toml="selct = []\n")
    done = run("check", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.decode() == (
        f"{tmp_path / 'dfcache.toml'}: unknown key selct; did you mean select?\n"
    )


def test_nothing_found_is_said_and_no_failure(tmp_path: Path):
    done = run("check", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"dfcache: no Dockerfile found\n")


def test_output_goes_to_a_file(tmp_path: Path):
    done = run("check", "--output", "out.txt", cwd=files(tmp_path, Dockerfile=BAD))
    assert (done.returncode, done.stdout) == (1, b"")
    assert "DFC101" in (tmp_path / "out.txt").read_text()


def test_colour_is_for_terminals_unless_asked_for(tmp_path: Path):
    files(tmp_path, Dockerfile=BAD)
    assert b"\x1b" not in run("check", cwd=tmp_path).stdout
    assert b"\x1b[33mwarning\x1b[0m" in run("check", "--color", "always", cwd=tmp_path).stdout


def test_control_characters_never_reach_the_terminal(tmp_path: Path):
    odd = "FROM python:3.12\nRUN pip install x \x1b]0;title\x07 \udcff \u202e\x9b31m\n"
    done = run("check", "--ignore", "DFC2", cwd=files(tmp_path, Dockerfile=odd))
    assert b"DFC101" in done.stdout
    shown = done.stdout.decode()
    assert all(char == "\n" or char.isprintable() for char in shown)
    assert "\\x1b]0;title\\x07 \\xff \\u202e\\x9b31m" in shown


def test_an_ascii_terminal_is_enough(tmp_path: Path):
    odd = "FROM python:3.12\nRUN pip install x # é → 漢\n"
    env = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = run("check", cwd=files(tmp_path, Dockerfile=odd), env=env)
    assert done.returncode == 1
    assert b"\\xe9 \\u2192" in done.stdout


def position(value: Any) -> bool:
    return set(value) == {"line", "column"} and all(
        isinstance(each, int) and each >= 1 for each in value.values()
    )


def test_json_has_the_promised_shape(tmp_path: Path):
    files(tmp_path, Dockerfile=BAD, b__Dockerfile=BROKEN)
    done = run("check", "Dockerfile", "b", "gone", "--format", "json", cwd=tmp_path)
    data = json.loads(done.stdout)
    assert list(data) == ["version", "files", "findings", "errors"]
    assert (data["version"], data["files"], done.returncode) == (1, 2, 2)
    found, refused = data["findings"]
    keys = "path code name severity message start end fix url".split()
    assert list(found) == keys == list(refused)
    assert (found["path"], found["code"], found["severity"]) == ("Dockerfile", "DFC101", "warning")
    assert found["start"] == {"line": 3, "column": 5}
    assert list(found["fix"]) == ["title", "safety", "edits"]
    assert found["fix"]["safety"] == "safe"
    for edit in found["fix"]["edits"]:
        assert list(edit) == ["start", "end", "text"]
        assert position(edit["start"])
        assert position(edit["end"])
    assert (refused["code"], refused["fix"]) == ("DFC901", None)
    path = os.path.join("b", "Dockerfile")
    assert {"path": path, "line": 3, "column": 1, "message": refused["message"]} in data["errors"]
    assert [each["path"] for each in data["errors"]] == [path, "gone"]


def test_json_without_findings_is_json(tmp_path: Path):
    done = run("check", "--format", "json", cwd=tmp_path)
    assert json.loads(done.stdout) == {"version": 1, "files": 0, "findings": [], "errors": []}


def test_a_rule_is_explained(tmp_path: Path):
    done = run("rule", "uncached-install", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith(b"DFC101 uncached-install (warning; fix: safe; since ")
    assert b"## Bad" in done.stdout
    assert run("rule", "dfc101", cwd=tmp_path).stdout == done.stdout
    every = run("rule", cwd=tmp_path).stdout.decode()
    assert "DFC101  uncached-install" in every
    wrong = run("rule", "uncached-instal", cwd=tmp_path)
    assert wrong.returncode == 2
    assert b"did you mean uncached-install?" in wrong.stderr


def test_the_version(tmp_path: Path):
    assert run("--version", cwd=tmp_path).stdout.decode() == f"dfcache {__version__}\n"


def test_a_closed_pipe_is_quiet(tmp_path: Path):
    files(tmp_path, **{f"d{n}__Dockerfile": BAD for n in range(60)})
    command = f"'{sys.executable}' -m dfcache check --context . | head -n 1"
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=tmp_path,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        check=True,
    )
    assert done.stdout.count(b"\n") == 1
    assert done.stderr == b""


def test_a_bug_is_one_line_that_asks_for_a_report(tmp_path: Path, monkeypatch, capsys):
    import dfcache.cli.app
    from dfcache.cli import main

    def broken(**_: object) -> None:
        raise RuntimeError("oh no")

    monkeypatch.setattr(dfcache.cli.app, "app", broken)
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("dfcache: dfcache failed (RuntimeError in test_cli.py:")
    assert told.count("\n") == 1


def test_an_interrupt_is_quiet(monkeypatch, capsys):
    import dfcache.cli.app
    from dfcache.cli import main

    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dfcache.cli.app, "app", interrupted)
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 130
    assert capsys.readouterr().err == ""
