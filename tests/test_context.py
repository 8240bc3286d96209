"""The contexts: on disk, in memory, and none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dfcache.model.context import (
    MOST_BYTES,
    Context,
    DirectoryContext,
    MemoryContext,
    NoContext,
    decode,
    unread,
)

FILES = {
    ".dockerignore": "*.log\nnode_modules\nbuild/*\n!build/keep\n",
    "app.log": "x",
    "a/b/c.py": "pass",
    "node_modules/x/index.js": "x",
    "build/keep/one.txt": "1",
    "build/drop/two.txt": "2",
    "requirements.txt": "flask\n",
}

Maker = Callable[[Path], Context]


def on_disk(root: Path) -> Context:
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return DirectoryContext(root)


def in_memory(root: Path) -> Context:
    return MemoryContext(FILES)


@pytest.mark.parametrize("make", [on_disk, in_memory])
class TestBoth:
    def test_files(self, make: Maker, tmp_path: Path) -> None:
        context = make(tmp_path)
        assert list(context.files()) == [
            ".dockerignore",
            "a/b/c.py",
            "build/keep/one.txt",
            "requirements.txt",
        ]
        assert list(context.files("a")) == ["a/b/c.py"]

    def test_entries(self, make: Maker, tmp_path: Path) -> None:
        context = make(tmp_path)
        assert list(context.entries()) == [".dockerignore", "a/", "build/", "requirements.txt"]
        assert list(context.entries("build")) == ["keep/"]
        assert list(context.entries("missing")) == []

    def test_kinds(self, make: Maker, tmp_path: Path) -> None:
        context = make(tmp_path)
        assert context.known
        assert context.is_file("a/b/c.py")
        assert not context.is_file("a/b")
        assert context.is_dir("a/b")
        assert context.is_dir("")
        assert not context.is_dir("node_modules")
        assert not context.is_file("node_modules/x/index.js")
        assert not context.is_file("nothing")

    def test_reading(self, make: Maker, tmp_path: Path) -> None:
        context = make(tmp_path)
        assert context.read("requirements.txt") == "flask\n"
        assert context.read("app.log") is None
        assert context.read("a") is None
        assert context.ignored("other.log")
        assert not unread(context, "app.log")


def test_the_ignore_file_of_the_dockerfile_goes_first(tmp_path: Path) -> None:
    root = tmp_path / "context"
    root.mkdir()
    docker = tmp_path / "docker"
    docker.mkdir()
    (root / ".dockerignore").write_text("a.txt")
    (root / "a.txt").write_text("")
    (docker / "app.Dockerfile.dockerignore").write_text("")
    assert DirectoryContext(root, docker / "other.Dockerfile").ignored("a.txt")
    assert not DirectoryContext(root, docker / "app.Dockerfile").ignored("a.txt")
    files = {".dockerignore": "a.txt", "x/Dockerfile.dockerignore": "b.txt"}
    assert MemoryContext(files, dockerfile="x/Dockerfile").ignored("b.txt")
    assert MemoryContext(files, dockerfile="Dockerfile").ignored("a.txt")


def test_files_of_unknown_text() -> None:
    context = MemoryContext({"a.txt": "a"}, ["b/c.bin", "empty/"])
    assert list(context.files()) == ["a.txt", "b/c.bin"]
    assert context.is_dir("empty")
    assert unread(context, "b/c.bin")
    assert not unread(context, "a.txt")


def test_links_are_not_followed_out(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    root = tmp_path / "context"
    (root / "real").mkdir(parents=True)
    (root / "real/file").write_text("f")
    (root / "out").symlink_to(tmp_path / "secret")
    (root / "in").symlink_to("real/file")
    (root / "folder").symlink_to("real")
    (root / "loop").symlink_to(".")
    context = DirectoryContext(root)
    assert context.read("out") is None
    assert context.read("../secret") is None
    assert context.read("in") == "f"
    assert context.read("folder/file") == "f"
    assert list(context.files()) == ["folder", "in", "loop", "out", "real/file"]


def test_hidden_folders_and_git_are_not_listed(tmp_path: Path) -> None:
    on_disk(tmp_path)
    (tmp_path / ".git/objects").mkdir(parents=True)
    (tmp_path / ".git/objects/x").write_text("")
    context = DirectoryContext(tmp_path)
    assert ".git/" in context.entries()
    assert not any(path.startswith(".git") for path in context.files())
    assert not {"node_modules", ".git", ".git/objects"} & set(context._listed)


def test_long_and_binary_files_have_no_text(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"a" * (MOST_BYTES + 1))
    (tmp_path / "binary").write_bytes(b"a\0b")
    context = DirectoryContext(tmp_path)
    assert unread(context, "long")
    assert unread(context, "binary")


def test_a_missing_folder_is_empty(tmp_path: Path) -> None:
    context = DirectoryContext(tmp_path / "none")
    assert list(context.files()) == []
    assert not context.is_dir("")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"flask\r\n", "flask\r\n"),
        ("é".encode(), "é"),
        (b"\xef\xbb\xbfflask", "flask"),
        (b"\xff\xfef\0", "f"),
        (b"\xfe\xff\0f", "f"),
        (b"# -*- coding: latin-1 -*-\n\xe9", "# -*- coding: latin-1 -*-\né"),
        (b"# x\n# coding=latin-1\n\xe9", "# x\n# coding=latin-1\né"),
        (b"# coding: no-such\n", None),
        (b"\xe9", None),
        (b"\x89PNG\0", None),
    ],
)
def test_decode(data: bytes, text: str | None) -> None:
    assert decode(data) == text


def test_a_path_of_the_machine_is_no_path_of_a_context() -> None:
    with pytest.raises(ValueError, match="/a is no path of a context"):
        MemoryContext({"/a": ""})


def test_no_context() -> None:
    context: Context = NoContext()
    assert not context.known
    assert not context.files()
    assert not context.is_dir("")
    assert context.read("a") is None
