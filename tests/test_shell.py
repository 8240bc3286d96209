"""Shell text becomes commands: which, where, and in what context."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dfcache.parser import parse, script
from dfcache.parser.invocation import nested_script, program_index
from dfcache.parser.script import Command, Dialect, Script
from dfcache.parser.scripts import DEFAULT_SHELL, dialect
from dfcache.parser.shell import parse_shell
from dfcache.parser.tree import Piece, Text


def shell(text: str) -> tuple[Command, ...]:
    commands, opaque = parse_shell(Text(text, (Piece(0, 0, len(text)),)))
    assert opaque == ()
    return commands


def run(source: str, using: tuple[str, ...] = DEFAULT_SHELL) -> Script:
    """The script of the last instruction of a file."""
    return script(parse(source).instructions[-1], using, source)


def shown(command: Command) -> str:
    """A command in one line: context: assignments words redirects."""
    parts = [
        *(f"{one.name}{'+' * one.append}={one.value.raw}" for one in command.assignments),
        *(word.raw for word in command.words),
        *(one.operator + (one.target.raw if one.target else "") for one in command.redirects),
    ]
    return "/".join(command.context) + ": " * bool(command.context) + " ".join(parts)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  # only a comment", []),
        ("a b  c", ["a b c"]),
        ("a" + " " * 3000 + "'b'", ["a 'b'"]),
        ("a 'b c' \"d e\" f\\ g $'h\\'i' $\"j\"", ["a 'b c' \"d e\" f\\ g $'h\\'i' $\"j\""]),
        ("a;b;", ["a", "b"]),
        ("a # b; c", ["a"]),
        ("a#b", ["a#b"]),
        ("a\n\n# b\nc", ["a", "c"]),
        ("a && b || c | d |& e", ["a", "b", "c", "d", "e"]),
        ("a &&\n b", ["a", "b"]),
        ("a & b", ["background: a", "b"]),
        ("a && { b; } & c", ["background: a", "background/group: b", "c"]),
        ("! a | b", ["a", "b"]),
        ("time -p a", ["a"]),
        ("time -v a", ["time -v a"]),
        ("A=1", ["A=1"]),
        ("A=1 B+=2 c D=3", ["A=1 B+=2 c D=3"]),
        ("A=(1 '2 3' $(b)) c[1]=d", ["A=(1 '2 3' $(b)) c[1]=d", "substitution: b"]),
        ("export A=(1 2)", ["export A=(1 2)"]),
        (">a b <c 2>&1 d &>>e {f}>&-", ["b d >a <c 2>&1 &>>e {f}>&-"]),
        ("a 1 2>b 3", ["a 1 3 2>b"]),
        ("a <<<'b c'", ["a <<<'b c'"]),
        ("(a; b)", ["subshell: a", "subshell: b"]),
        ("{ a; } >b", ["group: a"]),
        ("{a}", ["{a}"]),
        ("echo }", ["echo }"]),
        (
            "if a; then b; elif c; then d; else e; fi",
            ["if: a", "then: b", "if: c", "then: d", "else: e"],
        ),
        ("for x in a $(b); do c; done", ["substitution: b", "loop: c"]),
        ("for x; do c; done", ["loop: c"]),
        ("for ((i=0;i<3;i++)); do c; done", ["loop: c"]),
        ("while a; do b; done", ["while: a", "loop: b"]),
        ("until a; do b; done <c", ["while: a", "loop: b"]),
        ("select x in a; do b; done", ["loop: b"]),
        ("case a in b|c) d;; (e) ;; *) f; esac", ["case: d", "case: f"]),
        ("case a in esac; b", ["b"]),
        ("f() { a; }", ["function/group: a"]),
        ("function f { a; }; f", ["function/group: a", "f"]),
        ("f()\n(a)", ["function/subshell: a"]),
        ("[[ a =~ ^(b|c)$ && -n $(d) ]] && e", ["substitution: d", "e"]),
        ("((a = 1 + 2)) && b", ["b"]),
        ("((a b) || (c))", ["subshell/subshell: a b", "subshell/subshell: c"]),
        ("a $((1 + $(b)))", ["a $((1 + $(b)))", "substitution: b"]),
        ("a $((b); c)", ["a $((b); c)", "substitution/subshell: b", "substitution: c"]),
        ('a "$(b "c")"', ['a "$(b "c")"', 'substitution: b "c"']),
        ("a ${b:-$(c)} ${#d} ${e/\\}/f}", ["a ${b:-$(c)} ${#d} ${e/\\}/f}", "substitution: c"]),
        (
            "a `b \\`c d\\` e`",
            [
                "a `b \\`c d\\` e`",
                "substitution: b `c d` e",
                "substitution/substitution: c d",
            ],
        ),
        ("a <(b) >(c)", ["a <(b) >(c)", "substitution: b", "substitution: c"]),
        ("a <<E && b\n$(c)\nE\nd", ["a <<", "b", "substitution: c", "d"]),
        ("a <<'E'\n$(c) '\nE\nd", ["a <<", "d"]),
        ("a <<-E\n\tE\nb", ["a <<-", "b"]),
        ("a <<E <<F\nE\nx\nF\nb", ["a << <<", "b"]),
        (
            "<<E bash\na $(b) \\$(c)\nE",
            ["bash <<", "shell: a $(b) $(c)", "substitution: b", "shell/substitution: c"],
        ),
        ("sh -s <<'E'\na $(b)\nE", ["sh -s <<", "shell: a $(b)", "shell/substitution: b"]),
        ("bash f <<E\na\nE", ["bash f <<"]),
        ("bash <<< 'a b'", ["bash <<<'a b'", "shell: a b"]),
        (
            "bash -euxo pipefail -c 'a; b'",
            ["bash -euxo pipefail -c 'a; b'", "shell: a", "shell: b"],
        ),
        ('sh -lc "a \\"b c\\""', ['sh -lc "a \\"b c\\""', 'shell: a "b c"']),
        ("su - u -c 'a'", ["su - u -c 'a'", "user/shell: a"]),
        ("sudo -u x env A=b bash -c 'c'", ["sudo -u x env A=b bash -c 'c'", "user/shell: c"]),
        ("eval 'a b'", ["eval 'a b'", "shell: a b"]),
        ('eval "a $b"', ['eval "a $b"']),
        ("echo 'a b' > c.sh", ["echo 'a b' >c.sh"]),
        ("echo bash -c 'a'", ["echo bash -c 'a'"]),
        ("conda install bash -c conda-forge", ["conda install bash -c conda-forge"]),
        ("sh -c \"sh -c 'a'\"", ["sh -c \"sh -c 'a'\"", "shell: sh -c 'a'", "shell/shell: a"]),
    ],
)
def test_commands(text: str, expected: list[str]) -> None:
    assert [shown(command) for command in shell(text)] == expected


@pytest.mark.parametrize(
    ("raw", "value", "literal"),
    [
        ("a", "a", True),
        ("'a b'", "a b", True),
        ('"a\\"b\\c"', 'a"b\\c', True),
        ("a\\ b", "a b", True),
        ("'a'\"b\"c", "abc", True),
        ("[", "[", True),
        ("{}", "{}", True),
        ("a~b", "a~b", True),
        ("a$", "a$", True),
        ("~/a", "~/a", False),
        ("*.py", "*.py", False),
        ("'*'.py", "*.py", True),
        ("a?", "a?", False),
        ("a[b]", "a[b]", False),
        ("{a,b}", "{a,b}", False),
        ("$a", "$a", False),
        ('"${a}b"', "${a}b", False),
        ("`a`", "`a`", False),
        ("$'a\\tb'", "a\tb", False),
    ],
)
def test_words(raw: str, value: str, literal: bool) -> None:
    word = shell(f"_ {raw}")[0].words[1]
    assert (word.raw, word.value, word.literal) == (raw, value, literal)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a && b | c; d", [("", "&&"), ("&&", "|"), ("|", ";"), (";", "")]),
        ("a; b;", [("", ";"), (";", "")]),
        ("a\n\nb\n", [("", "\n"), ("\n", "")]),
        ("a & b &", [("", "&"), ("&", "")]),
        ("{ a; b; } && c", [("", ";"), (";", ""), ("&&", "")]),
        ("if a; then b; fi || c", [("", ""), ("", ""), ("||", "")]),
    ],
)
def test_separators(text: str, expected: list[tuple[str, str]]) -> None:
    commands = shell(text)
    assert [(c.joiner, c.after.operator if c.after else "") for c in commands] == expected
    for command in commands:
        for separator in (command.before, command.after):
            if separator:
                place = separator.span
                assert text[place.start : place.end] == separator.operator


def test_lists_and_negation() -> None:
    a, b, c, d = shell("! a | b && { c; } && d")
    assert a.list_id == b.list_id == d.list_id != c.list_id
    assert [command.negated for command in (a, b, c, d)] == [True, True, False, False]
    assert [len(command.prefixes) for command in (a, b, c, d)] == [1, 0, 0, 0]


@pytest.mark.parametrize(
    ("text", "kept", "at"),
    [
        ("a && b )", ["a", "b"], 7),
        ("a; 'b", ["a"], 3),
        ("a; b $(c", ["a"], 3),
        ("a; if b; c", ["a", "if: b", "if: c"], 10),
        ("a; b (c)", ["a"], 3),
        ("a &&", ["a"], 4),
        ("a; done", ["a"], 3),
        ("a; case b", ["a"], 9),
        ("a; coproc b", ["a"], 3),
        ("a <<E\nb", ["a <<"], 2),
        ("a ;; b", ["a"], 2),
        ("a; >", ["a"], 3),
        ("a `b; )`; c", ["a `b; )`", "substitution: b", "c"], 6),
        ("a; $[b $c]", ["a"], 3),
    ],
)
def test_what_is_not_understood(text: str, kept: list[str], at: int) -> None:
    commands, opaque = parse_shell(Text(text, (Piece(0, 0, len(text)),)))
    assert [shown(command) for command in commands] == kept
    assert [part.span.start for part in opaque] == [at]


@pytest.mark.parametrize("opening", ["(", "$(", "${a:-", "$((", "((", "{ ", '"$(', "if ", "<("])
def test_depth_is_limited(opening: str) -> None:
    text = "a; " + opening * 5000
    commands, opaque = parse_shell(Text(text, (Piece(0, 0, len(text)),)))
    assert commands[0].words[0].raw == "a"
    assert opaque


def test_places_through_continuations() -> None:
    source = "FROM a\nRUN pip install \\\n  # why\n  foo-\\\nbar && \\\n  x\n"
    pip, last = run(source).commands
    foo = pip.words[2]
    assert foo.raw == "foo-bar"
    assert not foo.contiguous
    assert source[foo.span.start : foo.span.end] == "foo-\\\nbar"
    assert source[last.span.start : last.span.end] == "x"
    assert last.before
    assert source[last.before.span.start : last.before.span.end] == "&&"


def test_places_in_a_nested_shell() -> None:
    source = 'FROM a\nRUN bash -c "pip \\\n install \\"foo\\" $X"\n'
    outer, pip = run(source).commands
    assert pip.context == ("shell",)
    assert (outer.rewritable, pip.rewritable) == (True, False)
    assert [word.raw for word in pip.words] == ["pip", "install", '"foo"', "$X"]
    foo = pip.words[2].span
    assert source[foo.start : foo.end] == '\\"foo\\"'


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("RUN <<EOF\na \\\n  b\nc # d\nEOF\n", ["a b", "c"]),
        ("RUN <<-EOF\n\ta\n\t\tb\n\tEOF\n", ["a", "b"]),
        ("RUN <<EOF\n#!/usr/bin/env -S bash -e\na\nEOF\n", ["a"]),
        ("RUN <<EOF bash\na\nEOF\n", ["bash <<", "shell: a"]),
        ("RUN bash -e <<EOF && b\na\nEOF\n", ["bash -e <<", "b", "shell: a"]),
        ("RUN bash <<-EOF\n\ta \\\n\t  b\n\tEOF\n", ["bash <<-", "shell: a b"]),
        ("RUN cat <<EOF > f\npip install\nEOF\n", ["cat << >f"]),
        ("RUN python <<EOF\nimport a\nEOF\n", ["python <<"]),
        ("RUN a <<A && sh <<B\n1\nA\nb\nB\n", ["a <<", "sh <<", "shell: b"]),
        ("RUN <<EOF\r\na b\r\nc\r\nEOF\r\n", ["a b", "c"]),
        ('RUN ["a", "b c"]\n', ['"a" "b c"']),
        (
            'RUN ["sh", "-c", "a \\"b\\" && c"]\n',
            ['"sh" "-c" "a \\"b\\" && c"', 'shell: a "b"', "shell: c"],
        ),
        (
            'RUN ["/bin/bash","-eo","pipefail","-c","a"]\n',
            ['"/bin/bash" "-eo" "pipefail" "-c" "a"', "shell: a"],
        ),
        ('RUN ["a"\n', ['["a"']),
    ],
)
def test_forms(source: str, expected: list[str]) -> None:
    source = "FROM x\n" + source
    read = run(source)
    if expected == ['[a"']:
        expected = ['["a"']
    assert [shown(command) for command in read.commands] == expected
    assert read.opaque == ()
    for command in read.commands:
        for word in command.words:
            place = word.span
            assert (source[place.start : place.end] == word.raw) == word.contiguous


def test_exec_form_places() -> None:
    source = 'FROM x\nRUN ["sh", "-c", \\\n "pip install \\"foo\\" \\u0062 \\\nbar"]\n'
    outer, pip = run(source).commands
    assert not outer.rewritable
    assert [word.value for word in pip.words] == ["pip", "install", "foo", "b", "bar"]
    places = [source[word.span.start : word.span.end] for word in pip.words]
    assert places == ["pip", "install", '\\"foo\\"', "\\u0062", "bar"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("/bin/sh -c", Dialect.POSIX),
        ("/bin/bash -o pipefail -c", Dialect.POSIX),
        ("/bin/bash -euxc", Dialect.POSIX),
        ("/usr/bin/env bash -c", Dialect.POSIX),
        ("conda run -n e /bin/bash -c", Dialect.POSIX),
        ("/usr/local/bin/_dockerfile_shell.sh", Dialect.POSIX),
        ("/bin/bash", Dialect.OTHER),
        ("powershell -Command", Dialect.POWERSHELL),
        ("C:\\\\pwsh.exe -Command", Dialect.POWERSHELL),
        ("cmd /S /C", Dialect.CMD),
        ("/usr/bin/python -c", Dialect.OTHER),
        ("", Dialect.OTHER),
    ],
)
def test_dialects(words: str, expected: Dialect) -> None:
    assert dialect(tuple(words.split())) is expected


@pytest.mark.parametrize(
    ("source", "using", "expected"),
    [
        ("RUN a; if (b) { c }\n", "powershell -Command", Dialect.POWERSHELL),
        ("RUN a & b\n", "cmd /S /C", Dialect.CMD),
        ("RUN <<EOF\n#!/usr/bin/env python3\nimport a\nEOF\n", "/bin/sh -c", Dialect.OTHER),
        ('RUN ["powershell", "a"]\n', "/bin/sh -c", Dialect.POWERSHELL),
    ],
)
def test_other_languages_are_left_alone(source: str, using: str, expected: Dialect) -> None:
    read = run("FROM x\n" + source, tuple(using.split()))
    assert read == Script((), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pip install", 0),
        ("sudo -E -u x A=b pip install", 5),
        ("env -i A=b C=d pip", 4),
        ("timeout -k 5 10 pip", 4),
        ("exec nice -n 5 pip", 4),
        ("gosu user pip", 2),
        ("conda run -n e pip", 4),
        ("conda install pip", 0),
        ("sudo", None),
    ],
)
def test_program_behind_wrappers(text: str, expected: int | None) -> None:
    assert program_index(text.split()) == expected


def test_nested_script_of_su() -> None:
    assert nested_script(["su", "-s", "/bin/sh", "-c", "a", "user"]) == (4, ("user", "shell"))
    assert nested_script(["su", "user"]) is None


TOKENS = st.sampled_from(
    [
        *("a b=c $x ${y:-z} $(d) `e` $((1+2)) 'f g' \"h $i\" \\\n \n ; && || | & ( ) { }").split(
            " "
        ),
        *"if then elif else fi for in do done while case esac ;; [[ ]] (( )) ! time".split(),
        *"function f() <<E E <<'F' F > 2>&1 <( # bash -c".split(),
        *"\\ \" ' ` $( ${ $'j' a=( ~ * [k] é".split(),
        "\t",
        "\r",
    ]
)


@given(st.lists(TOKENS, max_size=25).map(" ".join) | st.text(max_size=40), st.data())
@example("a <<E\n$(b\nE\n)", None)
@example("$(($(($((a) ) ) ) ) )", None)
@example("sh -c \"echo \\\\$X '$Y' \\$(a)\"", None)
def test_any_text_has_its_places(text: str, data: st.DataObject | None) -> None:
    """Never raises; all lies within the text, in order; unbroken words are what stands there."""
    cut = data.draw(st.integers(0, len(text))) if data else 0
    pieces = tuple(p for p in (Piece(0, 5, cut), Piece(cut, cut + 9, len(text) - cut)) if p.length)
    source = "#####" + text[:cut] + "####" + text[cut:]
    commands, opaque = parse_shell(Text(text, pieces))
    starts = [command.span.start for command in commands]
    assert starts == sorted(starts)
    low, high = (pieces[0].offset, len(source)) if pieces else (0, 0)
    for part in opaque:
        assert low <= part.span.start <= part.span.end <= high
    for command in commands:
        assert low <= command.span.start <= command.span.end <= high
        values = [one.value for one in command.assignments]
        targets = [one.target for one in command.redirects if one.target]
        for word in (*command.words, *values, *targets):
            assert command.span.covers(word.span)
            if word.contiguous:
                assert source[word.span.start : word.span.end] == word.raw
