"""What words become when variables are known."""

from __future__ import annotations

import pytest

from dfcache.parser.expansion import expand
from dfcache.parser.shell import parse_shell
from dfcache.parser.tree import Piece, Text

ENV = {"X": "x", "TWO": "a b", "EMPTY": "", "UNSET": None, "HOME": "/root", "PAD": " p "}


def word(text: str):
    commands, opaque = parse_shell(Text(f"_ {text}", (Piece(0, 0, len(text) + 2),)))
    assert not opaque
    return commands[0].words[1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", ("plain",)),
        ("'a b'", ("a b",)),
        ("'$X'", ("$X",)),
        ("\\$X", ("$X",)),
        ("$X", ("x",)),
        ("${X}y", ("xy",)),
        ('"$X y"', ("x y",)),
        ("$TWO", ("a", "b")),
        ('"$TWO"', ("a b",)),
        ("p$TWO-q", ("pa", "b-q")),
        ("p${PAD}q", ("p", "p", "q")),
        ("$EMPTY", ()),
        ('"$EMPTY"', ("",)),
        ("$UNSET", ()),
        ("a$UNSET", ("a",)),
        ("${UNSET:-d}", ("d",)),
        ("${EMPTY:-d}", ("d",)),
        ("${EMPTY-d}", ()),
        ("${UNSET-d}", ("d",)),
        ("${X:-$MISSING}", None),
        ("${X:+on}", ("on",)),
        ("${EMPTY:+on}", ()),
        ("${EMPTY+on}", ("on",)),
        ("${UNSET+on}", ()),
        ('"${UNSET:-a b}"', ("a b",)),
        ("${UNSET:-$X}", ("x",)),
        ("${UNSET:-'a b'}", ("a b",)),
        ("~/x", ("/root/x",)),
        ("~", ("/root",)),
        ("~bob/x", None),
        ("a~", ("a~",)),
        ("*.py", ("*.py",)),
        ("$X*", ("x*",)),
        ("a$", ("a$",)),
        ("$MISSING", None),
        ("${MISSING:-d}", None),
        ("$(ls)", None),
        ("`ls`", None),
        ("$((1))", None),
        ("${X#a}", None),
        ("${#X}", None),
        ("$@", None),
        ("{a,b}", None),
        ("<(ls)", None),
    ],
)
def test_expand(text: str, expected: tuple[str, ...] | None) -> None:
    assert expand(word(text), ENV) == expected


def test_an_assignment_is_not_split() -> None:
    assert expand(word("$TWO"), ENV, split=False) == ("a b",)
    assert expand(word("$EMPTY"), ENV, split=False) == ("",)


def test_own_field_separators_are_not_read() -> None:
    assert expand(word("$TWO"), {**ENV, "IFS": ","}) is None


def test_text_that_an_outer_shell_expands_first_is_unknown() -> None:
    text = "sh -c \"echo '$X'\""
    commands, _ = parse_shell(Text(text, (Piece(0, 0, len(text)),)))
    assert commands[1].words[1].raw == "'$X'"
    assert expand(commands[1].words[1], ENV) is None
