"""What a ``.dockerignore`` hides, case by case, against the behaviour of moby/patternmatcher."""

from __future__ import annotations

import pytest

from dfcache.model.ignore import Ignore, malformed, read_patterns

HIDDEN = [
    ("**", "file"),
    ("**/", "dir/file"),
    ("**/**", "dir/file"),
    ("*", "dir/deep/file"),
    ("dir", "dir/file"),
    ("dir/", "dir/deep/file"),
    ("/dir", "dir/file"),
    ("./dir", "dir/file"),
    ("x/../dir", "dir"),
    ("dir/*", "dir/deep/file"),
    ("dir/**", "dir/deep/file"),
    ("**/dir", "dir"),
    ("**/dir", "dir/file"),
    ("**/dir", "a/b/dir/file"),
    ("**/dir2/*", "dir/dir2/file"),
    ("**file", "dir/afile"),
    ("**/file*.txt", "a/b/file1.txt"),
    ("**/**/*.txt", "file.txt"),
    ("a**/*.txt", "a/b/c/file.txt"),
    ("a/*.txt**", "a/file.txt"),
    ("*.go", "main.go"),
    ("a[b-d]e", "ace"),
    ("a[^b-d]e", "aze"),
    ("abc?def", "abcZdef"),
    ("a\\*b", "a*b"),
    ("a\\\\", "a\\"),
    ("a.|)$(}+{bc", "a.|)$(}+{bc"),
    ("[a-ζ]*", "α"),
    ("a?b", "a☺b"),
    ("  docs  ", "docs/x"),
    ("docs\r\nother\r\n", "docs/x"),
    ("\ufeffdocs", "docs/x"),
    ("a b", "a b"),
    ("*/temp*", "some/temporary/file"),
]

SHOWN = [
    ("", "file"),
    ("# docs\n\n", "# docs"),
    ("*.txt", "dir/file.txt"),
    ("dir/**", "dir"),
    ("dir/*", "dir"),
    ("**/.foo", "bar.foo"),
    ("abc.def", "abcZdef"),
    ("abc?def", "ab/cdef"),
    (".*", "foo"),
    ("a*/b", "a/c/b"),
    ("Dir", "dir/file"),
    (".", "file"),
    ("/", "file"),
    ("..", "file"),
    ("../file", "file"),
    ("file\x1f", "file"),
    ("a^b*", "a^bc"),
    ("dir\n!dir", "dir/file"),
    ("*\n!requirements.txt", "requirements.txt"),
    ("*\n!/src", "src/a/b.py"),
    ("docs\n! docs/README.md", "docs/README.md"),
    ("**\n!dist/*.whl", "dist/a-1.0+g08-py3-none-any.whl"),
    ("**/*.md\n!**/README.md", "a/README.md"),
]


@pytest.mark.parametrize(("text", "path"), HIDDEN)
def test_hides(text: str, path: str) -> None:
    assert Ignore(text).hides(path)


@pytest.mark.parametrize(("text", "path"), SHOWN)
def test_does_not_hide(text: str, path: str) -> None:
    assert not Ignore(text).hides(path)


@pytest.mark.parametrize(
    ("text", "path", "hidden"),
    [
        ("!main.go\n*.go", "main.go", True),
        ("*.go\n!main.go\nmain.*", "main.go", True),
        ("**\n!util/web\nutil/web/foo", "util/web/foo", True),
        ("**\n!util/web\nutil/web/foo", "util/web/bar", False),
        ("*\n!src\nsrc/secret", "src/secret/key", True),
    ],
)
def test_the_last_match_wins(text: str, path: str, hidden: bool) -> None:
    assert Ignore(text).hides(path) is hidden


def test_an_exception_for_a_folder_does_not_reach_what_was_hidden_by_itself() -> None:
    ignore = Ignore("**/*.pyc\n!src")
    assert ignore.hides("src/a.pyc")
    assert not ignore.hides("src/a.py")


def test_what_is_not_asked_of_a_folder_is_not_remembered_below_it() -> None:
    # At ``src`` nothing is hidden yet, so ``!src`` is not asked; ``src/*`` then hides its files.
    assert Ignore("src/*\n!src").hides("src/a.py")


@pytest.mark.parametrize(
    "pattern", ["[", "a[", "[^", "[^bc", "[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "\\", "a\\"]
)
def test_malformed_patterns_are_reported_and_hide_nothing(pattern: str) -> None:
    assert malformed(pattern)
    ignore = Ignore(f"{pattern}\n*.log")
    assert ignore.problems == (pattern,)
    assert ignore.hides("a.log")
    assert not ignore.hides("a")


@pytest.mark.parametrize("pattern", ["[\\]a]", "[\\-]", "[x\\-]", "[\\-x]", "ab[^e-g]", "*x", "a]"])
def test_odd_patterns_that_are_good(pattern: str) -> None:
    assert not malformed(pattern)
    assert Ignore(pattern).problems == ()


@pytest.mark.parametrize("text", ["!", "[Local-Only]/", "! "])
def test_patterns_that_fail_a_build(text: str) -> None:
    assert len(Ignore(text).problems) == 1


def test_reading() -> None:
    text = "test1\n/test2\n/a/file/here\n\nlast\n# comment\n #no comment\n! /abs/path\n!\n! "
    assert read_patterns(text) == (
        "test1",
        "test2",
        "a/file/here",
        "last",
        "#no comment",
        "!abs/path",
        "!",
        "!",
    )


@pytest.mark.parametrize(
    ("text", "folder", "expected"),
    [
        ("node_modules", "node_modules", False),
        ("*\n!docs/README.md", "docs", True),
        ("*\n!docs/README.md", "src", False),
        ("*\n!docs/**/*.md", "docs/deep", True),
        ("*\n!**/*.md", "src", True),
        ("*\n!document", "doc", False),
        ("*\n!doc*", "doc", True),
        ("*\n!do/x*", "doc", False),
    ],
)
def test_whether_a_hidden_folder_must_be_looked_into(
    text: str, folder: str, expected: bool
) -> None:
    assert Ignore(text).shows_below(folder) is expected
