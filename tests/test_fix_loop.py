"""The loop that applies fixes: together where they can be, again until none is left."""

from __future__ import annotations

import pytest

from dfcache.diagnostics import Declared, Fix, Safety
from dfcache.engine.fix import MAX_PASSES, CircleError, choose, fix
from dfcache.engine.lint import Rules, examine, lint
from dfcache.engine.settings import Settings
from dfcache.model.context import NoContext
from dfcache.text import Edit, Span
from fakes import drops_word, finds, replaces, rules


def run(source: str, made: Rules, least: Safety = Safety.SAFE):
    def look(text: str):
        return examine(text, NoContext(), Settings(), made)

    return fix(source, look, least)


def test_all_places_are_fixed_in_one_pass():
    fixed = run("FROM a\nRUN x\nRUN x\n", rules(finds("DFC101", "x", replaces("y"))))
    assert fixed.source == "FROM a\nRUN y\nRUN y\n"
    assert len(fixed.passes) == 1
    assert fixed.remaining == []
    assert [each.name for each in fixed.applied] == ["rule-101", "rule-101"]


def test_fixes_that_touch_take_a_pass_each():
    made = rules(finds("DFC101", "ab", replaces("cd")), finds("DFC102", "b ", replaces("b;")))
    fixed = run("FROM a\nRUN ab x\n", made)
    assert fixed.source == "FROM a\nRUN cd x\n"
    assert [len(each.applied) for each in fixed.passes] == [1]


def test_what_one_fix_makes_possible_another_does_in_the_next_pass():
    made = rules(finds("DFC101", "one", replaces("two")), finds("DFC102", "two", replaces("three")))
    fixed = run("FROM a\nRUN one\n", made)
    assert fixed.source == "FROM a\nRUN three\n"
    assert len(fixed.passes) == 2


def test_an_edit_that_two_fixes_share_is_made_once():
    def both(source: str, span: Span) -> Fix:
        edits = (Edit(Span(0, 0), "# syntax=docker/dockerfile:1\n"), Edit(span, "ok"))
        return Fix("Both", edits, Safety.SAFE)

    fixed = run("FROM a\nRUN bad\nRUN bad\n", rules(finds("DFC101", "bad", both)))
    assert fixed.source == "# syntax=docker/dockerfile:1\nFROM a\nRUN ok\nRUN ok\n"
    assert len(fixed.passes) == 1


def test_different_insertions_at_one_place_wait():
    def insert(text: str):
        return lambda source, span: Fix("Add", (Edit(Span(span.end, span.end), text),), Safety.SAFE)

    made = rules(finds("DFC101", "x", insert("1")), finds("DFC102", "x", insert("2")))
    examined = examine("FROM a\nRUN x\n", NoContext(), Settings(), made)
    assert [each.code for each in choose(examined.findings, Safety.SAFE)] == ["DFC101"]


def test_what_two_fixes_move_goes_to_one_place():
    """As both take the same lines away, their edits there are the same; those that add differ."""
    line = "COPY . .\n"

    def behind(last: str):
        def move(source: str, span: Span) -> Fix:
            at = source.index(last) + len(last)
            gone = Span(source.index(line), source.index(line) + len(line))
            edits = (Edit(gone, ""), Edit(Span(at, at), line))
            return Fix("Move", edits, Safety.SAFE, Declared(moved=frozenset((gone,))))

        return move

    def drop(source: str, span: Span) -> Fix:
        gone = Span(source.index(line), source.index(line) + len(line))
        return Fix("Drop", (Edit(gone, ""),), Safety.SAFE, Declared(frozenset((gone,))))

    source = f"FROM a\n{line}RUN x\nRUN y\n"
    move, again = finds("DFC101", "x", behind("x\n")), finds("DFC102", "y", behind("y\n"))
    for made in (rules(move, again), rules(move, finds("DFC102", "y", drop))):
        examined = examine(source, NoContext(), Settings(), made)
        assert [each.code for each in choose(examined.findings, Safety.SAFE)] == ["DFC101"]


@pytest.mark.parametrize(
    ("safety", "least", "applied"),
    [
        (Safety.SAFE, Safety.SAFE, True),
        (Safety.UNSAFE, Safety.SAFE, False),
        (Safety.UNSAFE, Safety.UNSAFE, True),
        (Safety.DISPLAY, Safety.UNSAFE, False),
        (Safety.DISPLAY, Safety.DISPLAY, False),
    ],
)
def test_only_fixes_that_are_safe_enough_are_applied(safety, least, applied):
    fixed = run("FROM a\nRUN x\n", rules(finds("DFC101", "x", replaces("y", safety))), least)
    assert fixed.source == ("FROM a\nRUN y\n" if applied else "FROM a\nRUN x\n")
    assert bool(fixed.remaining) is not applied


def test_a_circle_names_the_rules_in_it_and_no_other():
    made = rules(
        finds("DFC101", "ping", replaces("pong")),
        finds("DFC102", "pong", replaces("ping")),
        finds("DFC103", "once", replaces("done")),
    )
    with pytest.raises(CircleError) as caught:
        run("FROM a\nRUN once\nRUN ping\n", made)
    assert caught.value.names == ("rule-101", "rule-102")


def test_a_fix_that_changes_nothing_is_a_circle():
    with pytest.raises(CircleError) as caught:
        run("FROM a\nRUN x\n", rules(finds("DFC101", "x", replaces("x"))))
    assert caught.value.names == ("rule-101",)


def test_a_fix_that_grows_for_ever_is_stopped():
    with pytest.raises(CircleError):
        run("FROM a\nRUN x\n", rules(finds("DFC101", "x", replaces("yx"))))


def test_ten_passes_are_allowed():
    chain = [finds(f"DFC{100 + n}", f"s{n}.", replaces(f"s{n + 1}.")) for n in range(MAX_PASSES)]
    fixed = run("FROM a\nRUN s0.\n", rules(*chain))
    assert fixed.source == f"FROM a\nRUN s{MAX_PASSES}.\n"


def test_a_file_that_buildkit_refuses_gets_findings_but_no_fixes():
    made = rules(finds("DFC101", "x", replaces("y")))
    found = lint("FROM a\nRUN x\nNOPE z\n", NoContext(), Settings(), made)
    assert [each.code for each in found] == ["DFC101", "DFC901"]
    assert [each.fix for each in found] == [None, None]
    assert "unknown instruction" in found[1].message


def test_fixing_again_changes_nothing():
    made = rules(finds("DFC101", "--no-cache-dir", drops_word))
    once = run("FROM a\nRUN pip install --no-cache-dir x\n", made)
    assert once.source == "FROM a\nRUN pip install x\n"
    assert run(once.source, made).passes == ()


def test_a_rule_that_is_ignored_or_not_selected_does_not_run():
    made = rules(finds("DFC101", "x"), finds("DFC201", "x"))

    def codes(**settings: tuple[str, ...]) -> list[str]:
        found = lint("FROM a\nRUN x\n", NoContext(), Settings(**settings), made)
        return [each.code for each in found]

    assert codes() == ["DFC101", "DFC201"]
    assert codes(select=("DFC2",)) == ["DFC201"]
    assert codes(select=("rule-101",)) == ["DFC101"]
    assert codes(ignore=("dfc101",)) == ["DFC201"]
    assert codes(select=("DFC",), ignore=("rule-201",)) == ["DFC101"]
