"""Writing: every byte, one step, and only over what was read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from dfcache.engine.write import WriteError, read, write
from dfcache.fixes.layout import newline_of

ODD = b"\xef\xbb\xbfFROM a\r\nRUN \xff\x00 x\rlone\n\x0c\xe2\x80\xa8 no final newline"


def test_reading_and_writing_keep_every_byte(tmp_path: Path):
    path = tmp_path / "Dockerfile"
    path.write_bytes(ODD)
    source = read(str(path))
    write(str(path), source, source + "\r\n# ok")
    assert path.read_bytes() == ODD + b"\r\n# ok"


def test_the_mode_stays(tmp_path: Path):
    path = tmp_path / "Dockerfile"
    path.write_text("a")
    path.chmod(0o751)
    write(str(path), "a", "b")
    assert stat.S_IMODE(path.stat().st_mode) == 0o751


def test_nothing_is_left_behind(tmp_path: Path):
    path = tmp_path / "Dockerfile"
    path.write_text("a")
    write(str(path), "a", "b")
    assert [each.name for each in tmp_path.iterdir()] == ["Dockerfile"]


def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path: Path):
    path = tmp_path / "Dockerfile"
    path.write_text("theirs")
    with pytest.raises(WriteError, match="changed meanwhile"):
        write(str(path), "a", "b")
    assert path.read_text() == "theirs"


def test_a_failure_half_way_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch):
    path = tmp_path / "Dockerfile"
    path.write_text("a")

    def refuse(source: str, target: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(WriteError, match="No space left"):
        write(str(path), "a", "b")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("Dockerfile", "a")]


def test_a_link_within_the_folder_stays_a_link(tmp_path: Path):
    path = tmp_path / "real"
    path.write_text("a")
    link = tmp_path / "Dockerfile"
    link.symlink_to("real")
    write(str(link), "a", "b")
    assert link.is_symlink()
    assert path.read_text() == "b"


def test_a_link_out_of_the_tree_is_refused(tmp_path: Path):
    outside = tmp_path / "outside"
    outside.write_text("a")
    (tmp_path / "tree").mkdir()
    link = tmp_path / "tree" / "Dockerfile"
    link.symlink_to(outside)
    with pytest.raises(WriteError, match="symbolic link"):
        write(str(link), "a", "b")
    assert outside.read_text() == "a"
    write(str(link), "a", "b", root=str(tmp_path))
    assert outside.read_text() == "b"


@pytest.mark.parametrize(
    ("source", "expected"), [("a\r\nb\n", "\r\n"), ("a\nb\r\n", "\n"), ("a", "\n"), ("", "\n")]
)
def test_the_line_end_of_a_text(source: str, expected: str):
    assert newline_of(source) == expected
