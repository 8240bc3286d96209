"""Planted mistakes of a fixer, which verify must see, and honest fixes, which it must let pass."""

from __future__ import annotations

import pytest

from dfcache.diagnostics import Declared, Finding, Fix, Safety, Severity
from dfcache.engine.fix import Pass
from dfcache.engine.verify import VerifyError, verify
from dfcache.engine.witness import competent, contradicts
from dfcache.parser import parse
from dfcache.text import Edit, Span, apply
from fakes import rules

PIP = (
    "FROM python:3.12\n"
    "# packages first\n"
    "COPY requirements.txt .\n"
    "RUN apt-get update && \\\n"
    "    # what we need\n"
    "    pip install --no-cache-dir -r requirements.txt && \\\n"
    "    rm -rf /root/.cache\n"
    "COPY . .\n"
    'CMD ["app"]\n'
)


def place(source: str, text: str) -> Span:
    assert source.count(text) == 1, f"{text!r} is not there exactly once"
    start = source.index(text)
    return Span(start, start + len(text))


def shared(one: str, other: str) -> int:
    """How many characters two texts have in common at their start."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def smallest(span: Span, old: str, new: str) -> Edit:
    """The edit that turns ``old`` at ``span`` into ``new``, without what they share at the ends."""
    start = shared(old, new)
    end = shared(old[start:][::-1], new[start:][::-1])
    return Edit(Span(span.start + start, span.end - end), new[start : len(new) - end])


def attempt(
    source: str,
    edits: list[tuple[str, str]],
    dropped: tuple[str, ...] = (),
    moved: tuple[str, ...] = (),
    added: tuple[str, ...] = (),
) -> None:
    """Verify the fix that replaces the first of each pair in ``edits`` by the second."""
    declared = Declared(
        frozenset(place(source, each) for each in dropped),
        frozenset(place(source, each) for each in moved),
        added,
    )
    made = tuple(smallest(place(source, old), old, new) for old, new in edits)
    finding = Finding(
        "DFC101",
        "rule-101",
        Severity.WARNING,
        Span(0, 1),
        "x",
        Fix("x", made, Safety.SAFE, declared),
    )
    verify([Pass(parse(source), (finding,), parse(apply(source, made)))])


MOUNT = "--mount=type=cache,target=/root/.cache/pip"


def test_an_honest_fix_passes():
    attempt(
        PIP,
        [
            ("RUN apt-get", f"RUN {MOUNT} \\\n    apt-get"),
            (" --no-cache-dir", ""),
            (" && \\\n    rm -rf /root/.cache\n", "\n"),
        ],
        dropped=("--no-cache-dir", "rm -rf /root/.cache"),
        added=(MOUNT,),
    )


def test_a_whole_command_may_go_from_the_front():
    attempt(
        "FROM a\nRUN pip cache purge && echo x\n",
        [("pip cache purge && ", "")],
        dropped=("pip", "cache", "purge"),
    )


def test_an_instruction_whose_words_all_go_vanishes():
    attempt(
        "FROM a\nENV PIP_NO_CACHE_DIR=1\nRUN x\n",
        [("ENV PIP_NO_CACHE_DIR=1\n", "")],
        dropped=("PIP_NO_CACHE_DIR=1",),
    )


def test_an_instruction_may_move_and_another_be_added():
    source = "FROM a\nCOPY . .\nRUN pip install -r requirements.txt\n"
    attempt(
        source,
        [
            ("COPY . .\n", "COPY requirements.txt ./\n"),
            ("requirements.txt\n", "requirements.txt\nCOPY . .\n"),
        ],
        moved=("COPY . .\n",),
        added=("COPY requirements.txt ./",),
    )


def test_words_in_a_quoted_shell_may_go():
    attempt(
        "FROM a\nRUN bash -c 'pip install --no-cache-dir x'\n",
        [(" --no-cache-dir", "")],
        dropped=("--no-cache-dir",),
    )
    attempt(
        'FROM a\nRUN ["sh", "-c", "pip install x --no-cache-dir"]\n',
        [(" --no-cache-dir", "")],
        dropped=("--no-cache-dir",),
    )


def test_the_last_command_of_a_quoted_script_may_go():
    attempt(
        'FROM a\nRUN bash -c "x && apt-get clean"\n',
        [(" && apt-get clean", "")],
        dropped=("apt-get", "clean"),
    )


def test_a_second_attempt_may_be_added_behind():
    more = "pip install --find-links=/w -r r.txt"
    attempt(
        "FROM a\nRUN pip install -r r.txt\n",
        [("-r r.txt", f"-r r.txt \\\n    || {more}")],
        added=(more,),
    )


def test_a_second_attempt_may_end_in_a_line_of_a_heredoc():
    attempt(
        "FROM a\nRUN <<EOF\npip install x\npip install y\nEOF\n",
        [(" x\n", " x \\\n  || pip install x\n")],
        added=("pip install x",),
    )


def test_a_second_attempt_may_stand_before_a_command_that_looks_like_it():
    attempt(
        "FROM a\nRUN pip install x && pip install y\n",
        [(" x", " --no-index x"), (" &&", " || pip install x &&")],
        added=("--no-index", "pip install x"),
    )


def test_a_line_of_a_heredoc_may_go():
    attempt(
        "FROM a\nRUN <<EOF\npip install x\nrm -rf /root/.cache\necho done\nEOF\n",
        [("rm -rf /root/.cache\n", "")],
        dropped=("rm", "-rf", "/root/.cache"),
    )


def test_layout_may_change():
    attempt("FROM a\nRUN x && y\n", [("x && y", "x \\\n  && y")])


MUTANTS = {
    "one word too many deleted": (
        PIP, [(" --no-cache-dir -r", "")], {"dropped": ("--no-cache-dir",)}, "'-r' is expected",
    ),
    "inserted one character early": (
        PIP, [("RUN apt-get", f"RUN{MOUNT} apt-get")], {"added": (MOUNT,)}, "unknown instruction",
    ),
    "no blank behind the flag": (
        PIP, [("RUN apt-get", f"RUN {MOUNT}apt-get")], {"added": (MOUNT,)}, "appears",
    ),
    "a separator changed": (PIP, [("update &&", "update ;")], {}, "'&&' became ';'"),
    "a separator lost": ("FROM a\nRUN a && b\n", [("&& ", "")], {}, "became ''"),
    "a separator left over": (
        "FROM a\nRUN a && b\n", [(" b", "")], {"dropped": ("b",)}, "left over",
    ),
    "a separator left in front": (
        "FROM a\nRUN b && c\n", [("b ", "")], {"dropped": ("b",)}, "'&&' appears",
    ),
    "an empty command in the middle": (
        "FROM x\nRUN b && c && d\n", [("c ", "")], {"dropped": ("c",)}, "nothing in it",
    ),
    "a separator left over in quotes": (
        'FROM x\nRUN sh -c "b && e" d\n', [(" e", "")], {"dropped": ("e",)}, "left over",
    ),
    "a separator lost before quotes": (
        'FROM x\nRUN b && c && "d"\n', [("&& c && ", "")], {"dropped": ("c",)}, "is gone",
    ),
    "an empty subshell": (
        "FROM x\nRUN b && (c)\n", [("c", "")], {"dropped": ("c",)}, "nothing in it",
    ),
    "a comment lost above": (PIP, [("# packages first\n", "")], {}, "comment"),
    "a comment lost inside": (PIP, [("    # what we need\n", "")], {}, "comment"),
    "an instruction vanished": (
        PIP, [("COPY requirements.txt .\n", "")], {}, "COPY in line 3 is gone",
    ),
    "moved without saying so": (
        PIP,
        [("COPY . .\n", ""), ("# packages", "COPY . .\n# packages")],
        {},
        "COPY in line 8 is gone",
    ),
    "moved into another stage": (
        "FROM a\nRUN x\nFROM b\n",
        [("RUN x\n", ""), ("FROM b\n", "FROM b\nRUN x\n")],
        {"moved": ("RUN x\n",)},
        "'RUN x' appears",
    ),
    "moved and changed": (
        "FROM a\nRUN x\nRUN y\n",
        [("RUN x\n", ""), ("RUN y\n", "RUN y\nRUN z\n")],
        {"moved": ("RUN x\n",)},
        "appears",
    ),
    "a stage gone": (
        "FROM a\nFROM b\nRUN x\n", [("FROM a\n", "")], {"dropped": ("FROM a\n",)}, "FROM",
    ),
    "an instruction nobody declared": (
        PIP, [("COPY . .\n", "COPY . .\nRUN x\n")], {}, "'RUN x' appears",
    ),
    "a word nobody declared": (PIP, [("update", "update -q")], {}, "'-q' appears"),
    "declared and not done": (PIP, [("update", "update ")], {"added": ("-q",)}, "isn't there"),
    "declared as dropped and still there": (
        PIP, [("COPY . .", "COPY  . .")], {"dropped": ("--no-cache-dir",)}, "appears",
    ),
    "a word broken": (PIP, [("apt-get", "apt -get")], {}, "appears"),
    "a continuation lost": (PIP, [("update && \\\n", "update && \n")], {}, "unknown instruction"),
    "a directive buried": (
        "# syntax=docker/dockerfile:1\nFROM a\n",
        [("# syntax", "# hello\n# syntax")],
        {},
        "directive",
    ),
    "a directive nobody declared": (
        "FROM a\n", [("FROM a", "# syntax=docker/dockerfile:1\nFROM a")], {}, "directive",
    ),
    "a here-document changed": (
        "FROM a\nCOPY <<EOF /x\nhello\nEOF\n", [("hello", "hallo")], {}, "text of <<EOF",
    ),
    "lines of a script joined": (
        "FROM a\nRUN <<EOF\nx\ny\nEOF\n", [("x\n", "x ")], {}, "became ''",
    ),
    "exec form became shell form": (
        'FROM a\nCMD ["a"]\n', [('["a"]', "['a']")], {}, "exec form",
    ),
    "a line end without a carriage return": (
        "FROM a\r\nRUN x\r\n", [("RUN x", "RUN \\\n x")], {}, "carriage return",
    ),
    "a flag gone": (
        "FROM a\nCOPY --chown=1 a b\n", [("--chown=1 ", "")], {}, "'--chown=1' is gone",
    ),
    "a second attempt that nobody declared": (
        "FROM a\nRUN pip install x && pip install y\n",
        [(" &&", " || pip install x &&")],
        {"added": ("pip install",)},
        "'&&' became '||'",
    ),
    "a separator changed beside a second attempt": (
        "FROM a\nRUN pip install x && pip install y\n",
        [(" && pip", " || pip install x ; pip")],
        {"added": ("pip install x",)},
        "'&&' became '||'",
    ),
    "shell that can't be read any more": (
        "FROM a\nRUN if a; then b; fi\n", [("; fi", "")], {"dropped": ("; fi",)}, "shell text",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_mistake_is_caught(name: str):
    source, edits, declared, message = MUTANTS[name]
    with pytest.raises(VerifyError) as caught:
        attempt(source, edits, **declared)
    assert message in str(caught.value)
    assert caught.value.names == ("rule-101",)


def test_the_witness_agrees_about_a_plain_file_and_objects_to_a_false_tree():
    tree = parse(PIP)
    assert competent(tree)
    assert contradicts(tree) is None
    lie = tuple(each for each in tree.items if each is not tree.instructions[1])
    shorter = type(tree)(tree.source, tree.escape, tree.directives, lie, ())
    assert "second parser" in (contradicts(shorter) or "")


@pytest.mark.parametrize(
    "source",
    [
        "\ufeffFROM a\n",
        "FROM a\nRUN <<EOF\nx\nEOF\n",
        "FROM a\nRUN a \\\n\n  b\n",
        "FROM a\nRUN a \\\\\n",
        "# check=skip=all\n# escape=`\nFROM a\n",
        "FROM a\nRUN x\udcff\n",
        "FROM a\nRUN x \\",
        "FROM a\nRUN\n",
        "FROM a\nRU\\\nN x\n",
        "FROM a\nRUN x\x0cy\n",
    ],
)
def test_the_witness_is_not_asked_beyond_its_competence(source: str):
    assert not competent(parse(source))


def test_rules_are_named_once():
    assert rules().names()["DFC901"] == "syntax-error"
