"""Requirements files, and that they are read as pip reads them."""

from __future__ import annotations

import gzip
import json
import posixpath
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dfcache.model.requirements import Requirement, Requirements, read_requirements

PROJECTS = Path(__file__).parents[2] / "shared/corpus/projects-dev.jsonl.gz"


def read(text: str, path: str = "requirements.txt", **files: str) -> Requirements:
    return read_requirements({path: text, **files}.get, path)


def only(text: str) -> Requirement:
    (entry,) = read(text).entries
    return entry


@pytest.mark.parametrize(
    ("text", "name", "specifier", "extras", "marker"),
    [
        ("flask", "flask", "", (), ""),
        ("Flask_Login == 1.0  # why", "flask-login", "== 1.0", (), ""),
        ("a.b[x, y]>=1,<2 ; python_version<'3'", "a-b", ">=1,<2", ("x", "y"), "python_version<'3'"),
        ("a (>=1)", "a", "(>=1)", (), ""),
        ("a @ https://host/a.zip", "a", "", (), ""),
        ("a[x]@git+https://host/a", "a", "", ("x",), ""),
        ("https://host/a/a-1.0-py3-none-any.whl ; x", "a", "", (), "x"),
        ("git+https://host/a.git@main#egg=a_b[x]", "a-b", "", ("x",), ""),
        ("-e git+ssh://git@host/a#egg=a", "a", "", (), ""),
        ("./a_b-1.0-py3-none-any.whl", "a-b", "", (), ""),
        ("-e .[dev,test]", "", "", ("dev", "test"), ""),
        ("./libs/foo[dev]", "", "", ("dev",), ""),
    ],
)
def test_parts(text: str, name: str, specifier: str, extras: tuple[str, ...], marker: str) -> None:
    entry = only(text)
    assert (entry.name, entry.specifier, entry.extras, entry.marker) == (
        name,
        specifier,
        extras,
        marker,
    )


@pytest.mark.parametrize(
    ("text", "pinned"),
    [
        ("a==1.0", True),
        ("a === 1.0", True),
        ("a>=1,==1.0", True),
        ("a (==1.0)", True),
        ("a==1.*", False),
        ("a>=1", False),
        ("a", False),
        ("a>=1 --hash=sha256:aa", True),
        ("a @ https://host/a.zip", False),
        ("a @ https://host/a.zip#sha256=aa", True),
        ("git+https://host/a@0123456789abcdef0123456789abcdef01234567#egg=a", True),
        ("git+https://host/a@main#egg=a", False),
        ("git+ssh://git@host/a#egg=a", False),
        ("./a.whl", True),
    ],
)
def test_pinned(text: str, pinned: bool) -> None:
    assert only(text).pinned is pinned


@pytest.mark.parametrize(
    ("text", "path", "editable"),
    [
        ("-e .", ".", True),
        ("-e libs/foo/", "libs/foo", True),
        ("--editable=../../sdk/python", "../../sdk/python", True),
        ("-e file:///app/libs/podop#egg=podop", "/app/libs/podop", True),
        ("podop @ file:///app/libs/podop", "/app/libs/podop", False),
        ("podop @ file://localhost/app/a%20b", "/app/a b", False),
        ("podop @ ./libs/podop", "libs/podop", False),
        ("./wheels/a-1.whl", "wheels/a-1.whl", False),
        ("a-1.0.tar.gz", "a-1.0.tar.gz", False),
        ("file:libs/x", "libs/x", False),
        ("libs/x", "libs/x", False),
        (".", ".", False),
    ],
)
def test_local_paths(text: str, path: str, editable: bool) -> None:
    found = read(text)
    assert [(entry.path, entry.editable) for entry in found.locals] == [(path, editable)]


def test_local_paths_are_relative_to_where_pip_runs() -> None:
    found = read("-e ../x", "deep/requirements.txt")
    assert found.locals[0].path == "../x"


def test_includes_are_relative_to_the_file_that_has_them() -> None:
    files = {
        "req/local.txt": "-r base.txt\n-c ../constraints.txt\npytest",
        "req/base.txt": "--requirement=more/x.txt\nflask",
        "req/more/x.txt": "six",
        "constraints.txt": "flask==1.0",
    }
    found = read_requirements(files.get, "./req/local.txt")
    assert found.files == ("req/local.txt", "req/base.txt", "req/more/x.txt", "constraints.txt")
    assert [(entry.name, entry.constraint, entry.file) for entry in found.entries] == [
        ("six", False, "req/more/x.txt"),
        ("flask", False, "req/base.txt"),
        ("flask", True, "constraints.txt"),
        ("pytest", False, "req/local.txt"),
    ]
    assert not found.problems


def test_what_is_not_at_hand() -> None:
    found = read("-r gone.txt\n-c https://host/c.txt\n-r file:///abs/x.txt\n")
    assert found.missing == ("gone.txt", "/abs/x.txt")
    assert found.remote == ("https://host/c.txt",)
    assert read_requirements({}.get, "gone.txt").missing == ("gone.txt",)


def test_circles_end() -> None:
    files = {"a.txt": "-r b.txt\nx", "b.txt": "-r ./a.txt\ny"}
    found = read_requirements(files.get, "a.txt")
    assert [entry.name for entry in found.entries] == ["y", "x"]
    assert found.problems == (("b.txt", 1, "a.txt includes itself"),)


def test_options() -> None:
    found = read(
        "-i https://one\n--extra-index-url=https://two --extra-index https://three\n"
        "--no-index -f ./wheels --pre\n--trusted-host 'host'\n"
    )
    assert found.options == {
        "--index-url": ("https://one",),
        "--extra-index-url": ("https://two", "https://three"),
        "--no-index": (),
        "--find-links": ("./wheels",),
        "--pre": (),
        "--trusted-host": ("host",),
    }
    assert not found.require_hashes
    assert read("--require-hashes\na==1").require_hashes
    assert read("a==1 --hash=sha256:00").require_hashes


def test_variables() -> None:
    files = {"r.txt": "-i https://${USER}:${TOKEN}@host\na==${VERSION}\nb==$OTHER ${lower}\n"}
    found = read_requirements(files.get, "r.txt", env={"VERSION": "1.0"})
    assert found.variables == ("USER", "TOKEN", "VERSION")
    assert found.options["--index-url"] == ("https://${USER}:${TOKEN}@host",)
    assert found.entries[0].specifier == "==1.0"


def test_places() -> None:
    text = "# head\n\na==1 \\\n    --hash=sha256:aa \\\r\n    --hash=sha256:bb\r\nb # c\n"
    first, second = read(text).entries
    assert text[first.span.start : first.span.end] == text[8 : text.index("\r\nb #")]
    assert (first.line, first.hashes) == (3, ("sha256:aa", "sha256:bb"))
    assert text[second.span.start : second.span.end] == "b # c"
    assert second.line == 6


def test_a_last_line_that_goes_on_into_nothing() -> None:
    text = "a\\\n==1\\"
    entry = only(text)
    assert (entry.name, entry.specifier) == ("a", "==1")
    assert text[entry.span.start : entry.span.end] == text


@pytest.mark.parametrize(
    "line",
    [
        "--no-such-option",
        "--req a.txt",
        "flask#egg",
        "a\\ ",
        "a\t--hash=x",
        "-x",
        "-r",
        "--no-index=1",
        "-e 'open",
        "flask requests",
        "=1.0",
        "<<<<<<< HEAD",
        "a[b",
        "-e https://host/a",
        "{{ cookiecutter.x }}",
    ],
)
def test_what_pip_refuses_is_a_problem_and_the_rest_is_read(line: str) -> None:
    found = read(f"{line}\nb")
    assert [entry.name for entry in found.entries] == ["b"]
    assert [problem[:2] for problem in found.problems] == [("requirements.txt", 1)]


def test_other_formats_are_listed_only() -> None:
    found = read("[project]\nname = 'x'", "pyproject.toml")
    assert found.files == ("pyproject.toml",)
    assert not found.entries
    assert not found.problems


Line = tuple[str, bool, bool, str, int, tuple[str, ...]]

TABLE = [
    "flask==1.0",
    "flask==1.0 # comment",
    "# only",
    "a\\\n==1",
    "a==1 \\\n  # comment\n  --hash=sha256:" + "0" * 64,
    "a==1 \\\n--hash=sha256:" + "0" * 64 + " \\\n--hash=sha256:" + "1" * 64,
    "-e .",
    "-e '.[dev]'",
    "-e ./x -e ./y",
    "--editable=.",
    "-r a.txt\n-c b.txt",
    "-r a.txt -c b.txt --pre",
    "a -r a.txt",
    "a\x0cb",
    "a\u2028b",
    "a ; python_version < '3'",
    "a @ git+https://host/x@main",
    "a --config-settings a=b",
    "--pre\n--no-index\n-fwheels",
    "-ihttps://host/simple\na",
    "a.txt\\",
    "\\\na",
    "  a  ",
    "a -- b",
]


def by_pip(root: Path, path: str) -> list[Line] | None:
    """What pip's own parser yields for a file; None if it refuses the file.

    A line that is refused only when its text is read is left out, as it is with us. A path is
    not tried: whether pip takes it depends on what is there. A file that several others
    include counts once.
    """
    req_file = pytest.importorskip("pip._internal.req.req_file")
    constructors = pytest.importorskip("pip._internal.req.constructors")
    exceptions = pytest.importorskip("pip._internal.exceptions")
    found = []
    try:
        for parsed in req_file.parse_requirements(str(root / path), session=object()):
            path_or_plain = r"[./].*|[A-Za-z0-9._-]*\w(==[\w.]+)?"
            if not parsed.is_editable and not re.fullmatch(path_or_plain, parsed.requirement):
                try:
                    constructors.install_req_from_line(parsed.requirement.partition(";")[0])
                except (exceptions.InstallationError, ValueError):
                    continue
            file, line = parsed.comes_from.split(" (line ")
            hashes: dict[str, list[str]] = (parsed.options or {}).get("hashes", {})
            found.append(
                (
                    parsed.requirement,
                    parsed.is_editable,
                    parsed.constraint,
                    posixpath.relpath(file[3:], root),
                    int(line.rstrip(")")),
                    tuple(sorted(f"{kind}:{h}" for kind, hs in hashes.items() for h in hs)),
                )
            )
    except (exceptions.PipError, AttributeError, UnicodeDecodeError, RecursionError):
        return None
    return list(dict.fromkeys(found))


def by_us(root: Path, path: str) -> list[Line] | None:
    def text(name: str) -> str | None:
        file = root / name
        return file.read_bytes().decode() if file.is_file() else None

    found = read_requirements(text, path)
    if found.missing or found.remote:
        return None
    return [
        (e.text, e.editable, e.constraint, e.file, e.line, tuple(sorted(e.hashes)))
        for e in found.entries
    ]


def test_what_only_some_pips_take_is_read():
    """Pip has no --global-option since 25.3, and refuses an unset variable in a version by now."""
    (old,) = read_requirements(lambda path: "a==1 --global-option='x y'\n", "r.txt").entries
    assert (old.name, old.specifier) == ("a", "==1")
    found = read_requirements(lambda path: "a==${NO_SUCH_VARIABLE_HERE}\n", "r.txt")
    assert found.variables == ("NO_SUCH_VARIABLE_HERE",)


@pytest.mark.parametrize("text", TABLE)
def test_as_pip_reads(text: str, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes(text.encode())
    (tmp_path / "a.txt").write_text("six==1\n")
    (tmp_path / "b.txt").write_text("six>=1\n")
    expected = by_pip(tmp_path, "requirements.txt")
    assert expected is not None
    assert by_us(tmp_path, "requirements.txt") == expected


def requirement_files() -> Iterator[tuple[dict[str, Any], str]]:
    """A few short files of each project: pip takes its time over a line."""
    taken: dict[str, int] = {}
    with gzip.open(PROJECTS, "rt", encoding="utf-8", newline="") as lines:
        for line in lines:
            project = json.loads(line)
            for path in project["files"]:
                name = posixpath.basename(path)
                short = project["files"][path].count("\n") < 60
                if name.endswith((".txt", ".in")) and short and "require" in path:
                    taken[project["project"]] = taken.get(project["project"], 0) + 1
                    if taken[project["project"]] <= 3:
                        yield project, path


@pytest.mark.skipif(not PROJECTS.exists(), reason="the corpus is not at hand")
def test_real_files_as_pip_reads(tmp_path: Path) -> None:
    compared = 0
    last = ""
    root = tmp_path
    for project, path in requirement_files():
        if project["project"] != last:
            shutil.rmtree(root, ignore_errors=True)
            last = project["project"]
            root = tmp_path / last
            for name, text in project["files"].items():
                if name.endswith((".txt", ".in")):
                    (root / name).parent.mkdir(parents=True, exist_ok=True)
                    (root / name).write_bytes(text.encode())
        expected, found = by_pip(root, path), by_us(root, path)
        if expected is not None and found is not None:
            compared += 1
            assert found == expected, (last, path)
    assert compared > 100, compared
