"""What a COPY takes from the context, and where it puts it."""

from __future__ import annotations

import pytest

from dfcache.model.context import MemoryContext, NoContext
from dfcache.model.globbing import (
    CopySpec,
    Origin,
    clean,
    is_folder,
    is_glob,
    origin,
    placed,
    selects,
    sources,
)

CONTEXT = MemoryContext(
    {},
    [
        "Dockerfile",
        "app/main.py",
        "app/sub/util.py",
        "libs/one/setup.py",
        "libs/two/setup.py",
        "pyproject.toml",
        "req/base.txt",
        "req/dev.in",
        "req/dev.txt",
        "requirements.txt",
    ],
)


@pytest.mark.parametrize(
    ("source", "path"),
    [
        (".", ""),
        ("./", ""),
        ("/", ""),
        ("", ""),
        ("./app/", "app"),
        ("/app", "app"),
        ("//app", "app"),
        ("../../app", "app"),
        ("a/../b", "b"),
    ],
)
def test_clean(source: str, path: str) -> None:
    assert clean(source) == path


def test_is_glob() -> None:
    assert is_glob("a*")
    assert is_glob("[ab]")
    assert not is_glob("a\\*")
    assert is_glob("\\\\*")


@pytest.mark.parametrize(
    ("pattern", "files"),
    [
        ("requirements.txt", ["requirements.txt"]),
        ("req*", ["req/base.txt", "req/dev.in", "req/dev.txt", "requirements.txt"]),
        ("req*.txt", ["requirements.txt"]),
        ("req/*.txt", ["req/base.txt", "req/dev.txt"]),
        ("*/*.txt", ["req/base.txt", "req/dev.txt"]),
        ("req/[a-c]*", ["req/base.txt"]),
        ("req/[^a-c]??.txt", ["req/dev.txt"]),
        ("app", ["app/main.py", "app/sub/util.py"]),
        ("app/", ["app/main.py", "app/sub/util.py"]),
        ("**/setup.py", []),
        ("*/*/setup.py", ["libs/one/setup.py", "libs/two/setup.py"]),
        ("libs/*", ["libs/one/setup.py", "libs/two/setup.py"]),
        ("libs/*/setup.py", ["libs/one/setup.py", "libs/two/setup.py"]),
        ("nothing", []),
        ("[", []),
    ],
)
def test_sources(pattern: str, files: list[str]) -> None:
    assert list(sources(CONTEXT, pattern)) == files
    assert [path for path in CONTEXT.files() if selects(pattern, path)] == files


def test_everything() -> None:
    for pattern in (".", "/", "./", "../.."):
        assert sources(CONTEXT, pattern) == tuple(CONTEXT.files())


def test_exclude_applies_below_a_copied_folder_only() -> None:
    assert sources(CONTEXT, "req", ("*.txt",)) == ("req/dev.in",)
    assert sources(CONTEXT, "req/dev.txt", ("*.txt",)) == ("req/dev.txt",)
    assert not selects("app", "app/sub/util.py", ("sub",))
    assert selects("app", "app/main.py", ("sub",))


@pytest.mark.parametrize(
    ("spec", "places"),
    [
        (CopySpec((".",), ".", "/srv/x"), {"/srv/x/req/dev.in": "req/dev.in"}),
        (CopySpec(("req",), "req", "/w"), {"/w/req/dev.in": "req/dev.in"}),
        (CopySpec(("req/",), "/w"), {"/w/dev.in": "req/dev.in"}),
        (
            CopySpec(("requirements.txt",), "/new", "/"),
            {"/new": "requirements.txt"},
        ),
        (CopySpec(("requirements.txt",), "/new/"), {"/new/requirements.txt": "requirements.txt"}),
        (CopySpec(("requirements.txt",), "/tmp"), {"/tmp/requirements.txt": "requirements.txt"}),
        (
            CopySpec(("requirements.txt",), "/app", "/app"),
            {"/app/requirements.txt": "requirements.txt"},
        ),
        (
            CopySpec(("requirements.txt",), "/app", "/app/deep"),
            {"/app/requirements.txt": "requirements.txt"},
        ),
        (
            CopySpec(("requirements.txt",), "/made", "/", frozenset({"/made"})),
            {"/made/requirements.txt": "requirements.txt"},
        ),
        (CopySpec(("requirements.txt",), "r.txt", "/app"), {"/app/r.txt": "requirements.txt"}),
        (CopySpec(("libs/*",), "/l/"), {"/l/setup.py": "libs/two/setup.py"}),
        (
            CopySpec(("req/*.txt", "pyproject.toml"), "./", "/a"),
            {"/a/base.txt": "req/base.txt", "/a/pyproject.toml": "pyproject.toml"},
        ),
        (
            CopySpec(("libs/one/setup.py",), "/p/", parents=True),
            {"/p/libs/one/setup.py": "libs/one/setup.py"},
        ),
        (
            CopySpec(("libs/./one/setup.py",), "/p/", parents=True),
            {"/p/one/setup.py": "libs/one/setup.py"},
        ),
    ],
)
def test_placed_and_back(spec: CopySpec, places: dict[str, str]) -> None:
    found = placed(CONTEXT, spec)
    assert places.items() <= found.items()
    for image, path in found.items():
        assert origin(image, [spec], CONTEXT) == Origin(path, 0)


def test_the_last_copy_wins() -> None:
    copies = [
        CopySpec(("requirements.txt",), "/app/"),
        CopySpec((".",), "/app"),
        CopySpec(("req/dev.txt",), "/app/requirements.txt"),
    ]
    assert origin("/app/requirements.txt", copies, CONTEXT) == Origin("req/dev.txt", 2)
    assert origin("/app/requirements.txt", copies[:2], CONTEXT) == Origin("requirements.txt", 1)
    assert origin("/app/req/../pyproject.toml", copies, CONTEXT) == Origin("pyproject.toml", 1)
    assert origin("/app/missing", copies, CONTEXT) is None
    assert origin("/elsewhere", copies, CONTEXT) is None


def test_the_origin_of_a_folder() -> None:
    assert origin("/app/req", [CopySpec((".",), "/app")], CONTEXT) == Origin("req", 0)
    assert origin("/app", [CopySpec((".",), "/app")], CONTEXT) == Origin("", 0)
    assert origin("/x/two", [CopySpec(("libs",), "/x")], CONTEXT) == Origin("libs/two", 0)


def test_a_file_that_is_used_below_the_destination_shows_that_it_is_a_folder() -> None:
    spec = CopySpec(("requirements.txt",), "/unknown")
    assert not is_folder(spec)
    for context in (CONTEXT, NoContext()):
        assert origin("/unknown/requirements.txt", [spec], context) == Origin("requirements.txt", 0)
        assert origin("/unknown", [spec], context) == Origin("requirements.txt", 0)


@pytest.mark.parametrize(
    ("source", "dest", "path", "expected"),
    [
        ("requirements.txt", "/app/", "/app/requirements.txt", "requirements.txt"),
        ("requirements.txt", "/app/", "/app/other.txt", None),
        (".", "/app", "/app/req/x.txt", "req/x.txt"),
        (".", "/app", "/app", ""),
        ("src", "/app", "/app/x.txt", "src/x.txt"),
        ("src", "/app", "/app", "src"),
        ("req*.txt", "/app/", "/app/requirements.txt", "requirements.txt"),
        ("req*.txt", "/app/", "/app/other.txt", None),
        ("reqs/*.txt", "/app/", "/app/a.txt", "reqs/a.txt"),
        ("a.txt", "/r.txt", "/r.txt", "a.txt"),
    ],
)
def test_origins_without_a_context(source: str, dest: str, path: str, expected: str | None) -> None:
    found = origin(path, [CopySpec((source,), dest)], NoContext())
    assert (found.path if found else None) == expected
