"""What stands where in the tree: spans, pairs, mounts, copies, here-documents, refusals."""

from __future__ import annotations

import pytest

from dfcache.parser import copy_spec, decode, exec_texts, mounts, pairs, parse
from dfcache.parser.directives import frontend
from dfcache.parser.lexer import LexError, expand
from dfcache.parser.tree import Gap, Instruction, Trivia
from dfcache.text import Span


def last(source: str) -> Instruction:
    """The last instruction of a file."""
    return parse(source).instructions[-1]


def at(source: str, span: Span) -> str:
    return source[span.start : span.end]


def test_an_instruction_knows_its_parts() -> None:
    source = "FROM a\n# why\nCOPY --chown=1:1 \\\n  # c\n\n  x.txt y /d/\nRUN z\n"
    copy = parse(source).instructions[1]
    assert at(source, copy.span) == "COPY --chown=1:1 \\\n  # c\n\n  x.txt y /d/\n"
    assert (copy.start_line, copy.end_line) == (3, 6)
    assert copy.original == "COPY --chown=1:1   x.txt y /d/"
    assert copy.comments == ("why",)
    assert [at(source, word.span) for word in copy.words] == ["x.txt", "y", "/d/"]
    assert at(source, copy.flags[0].span) == "--chown=1:1"
    assert parse(source).warnings == (
        (6, "Empty continuation line found in: COPY --chown=1:1   x.txt y /d/"),
    )


def test_a_word_broken_over_lines_keeps_its_span() -> None:
    source = "FROM a\nENV A=one\\\ntwo B=3\n"
    env = last(source)
    assert [word.value for word in env.words] == ["A=onetwo", "B=3"]
    assert at(source, env.words[0].span) == "A=one\\\ntwo"
    first, second = pairs(env)
    assert first.value is not None
    assert (first.name, first.value.value, second.name) == ("A", "onetwo", "B")
    assert at(source, first.value.span) == "one\\\ntwo"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ENV A=1 B='x y'", [("A", "1", False), ("B", "'x y'", False)]),
        ("ENV A  b c=d", [("A", "b c=d", True)]),
        ("ARG A", [("A", None, False)]),
        ("ARG A= B", [("A", "", False), ("B", None, False)]),
        ('LABEL "a b"="c=d"', [('"a b"', '"c=d"', False)]),
        ("ENV A=A A=A", [("A", "A", False), ("A", "A", False)]),
        ("WORKDIR A=b", []),
        ("ENV", []),
    ],
)
def test_pairs(text: str, expected: list[tuple[str, str | None, bool]]) -> None:
    found = pairs(last(f"FROM a\n{text}\n"))
    assert [(one.name, one.value and one.value.value, one.legacy) for one in found] == expected


def test_pairs_of_equal_words_have_their_own_places() -> None:
    source = "FROM a\nENV A=A A=A\n"
    first, second = pairs(last(source))
    assert (first.span, second.span) == (Span(11, 14), Span(15, 18))
    assert first.value is not None
    assert (first.name_span, first.value.span) == (Span(11, 12), Span(13, 14))


def test_exec_form_through_escapes_and_continuations() -> None:
    source = 'FROM a\nRUN ["sh", "-c", "a\\tb \\\n\\u00e9\\ud83d\\ude00 c"]\n'
    run = last(source)
    text = exec_texts(run)[2]
    assert run.words[2].value == text.value == "a\tb é😀 c"
    assert at(source, run.words[2].span) == '"a\\tb \\\n\\u00e9\\ud83d\\ude00 c"'
    assert source[text.offset(0)] == "a"
    assert source.startswith("\\t", text.offset(1))
    assert source.startswith("\\u00e9", text.offset(4))
    assert source.startswith("\\ud83d", text.offset(5))
    assert source[text.offset(7)] == "c"


def test_exec_texts_of_healthcheck_leave_the_type_out() -> None:
    source = 'FROM a\nHEALTHCHECK --interval=5s CMD ["curl", "x"]\n'
    health = last(source)
    assert [word.value for word in health.words] == ["CMD", "curl", "x"]
    assert [text.value for text in exec_texts(health)] == ["curl", "x"]
    assert exec_texts(last("FROM a\nRUN x\n")) == ()


def test_heredocs_and_where_they_stand() -> None:
    source = "FROM a\nRUN <<A cat <<-'B'\r\none\r\nA\r\n\ttwo\r\n\tB\r\nRUN x\n"
    run = parse(source).instructions[1]
    one, two = run.heredocs
    assert (one.name, one.expand, one.chomp, one.body) == ("A", True, False, "one\r\n")
    assert (two.name, two.expand, two.chomp, two.body) == ("B", False, True, "\ttwo\r\n")
    assert at(source, one.word_span) == "<<A"
    assert at(source, two.word_span) == "<<-'B'"
    assert at(source, two.end_span) == "\tB"
    assert run.end_line == 6
    assert source[run.span.end :] == "RUN x\n"


def test_onbuild_child_stands_in_the_file() -> None:
    source = "FROM a\nONBUILD \\\n  RUN --network=none cat <<E\nx\nE\n"
    outer = last(source)
    child = outer.child
    assert child is not None
    assert at(source, child.span) == "RUN --network=none cat <<E\nx\nE"
    assert at(source, child.keyword_span) == "RUN"
    assert at(source, child.flags[0].span) == "--network=none"
    assert child.heredocs == outer.heredocs
    assert child.rest.value == "cat <<E"
    assert (child.start_line, child.end_line) == (2, 5)


def test_deep_onbuild_is_refused_and_costs_little() -> None:
    dockerfile = parse("FROM a\n" + "ONBUILD " * 8000 + "\n")
    assert [problem.stage for problem in dockerfile.problems] == ["instruction"]


# Mounts and copies


def test_mount_fields_have_places() -> None:
    source = "FROM a\nRUN --mount=type=cache,dst=/x,Sharing=LOCKED,ro x\n"
    (mount,) = mounts(last(source))
    assert (mount.type, mount.target, mount.sharing, mount.readonly) == (
        "cache",
        "/x",
        "locked",
        True,
    )
    assert [at(source, field.span) for field in mount.fields if field.span] == [
        "type=cache",
        "dst=/x",
        "Sharing=LOCKED",
        "ro",
    ]
    target = mount.field("target")
    assert target is not None
    assert target.value_span is not None
    assert at(source, target.value_span) == "/x"


@pytest.mark.parametrize(
    ("flag", "placed"),
    [
        ('--mount="type=cache,target=/x"', True),
        ('--mount=type=cache,"target=/x"', True),
        ('--mount=type=cache,target="/x"', False),
        ("--mount='type=cache,\"target=/x\"'", True),
        ("--mount=type=cache,target=/\\x", False),
        ("--mount=type=cache,\\\ntarget=/x", False),
    ],
)
def test_mount_places_through_quotes(flag: str, placed: bool) -> None:
    source = f"FROM a\nRUN {flag} x\n"
    (mount,) = mounts(last(source))
    assert (mount.problem, mount.type, mount.target) == (None, "cache", "/x")
    target = mount.field("target")
    assert target is not None
    assert (target.span is not None) is placed
    if target.span is not None:
        assert at(source, target.span).strip('"') == "target=/x"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("type=foo", 'unsupported mount type "foo"'),
        ("type=cach", 'unsupported mount type "cach" (did you mean cache?)'),
        ("type=cache,target=/x,sharing=some", 'unsupported sharing value "some"'),
        ("type=cache,target=/x,mode=8", "invalid value 8 for mode"),
        ("type=cache,target=/x,gid=99999999999", "invalid value 99999999999 for gid"),
        ("type=cache,target=/x,ro=maybe", "invalid value for ro: maybe"),
        ("type=bind,target=/x,sharing=locked", "invalid cache sharing set for bind mount"),
        ("type=secret", "invalid secret mount. one of source, target required"),
        ("from=$x", "'from' doesn't support variable expansion, define alias stage instead"),
        ("type=tmpfs,target=/x,size=1.5 GiB", None),
        ("type=tmpfs,target=/x,size=lots", "invalid value for size: lots"),
        ("type=$T,target=/x,sharing=$S,uid=$U,required=$R", None),
        ("type=cache,", "invalid field '' must be a key=value pair"),
    ],
)
def test_mount_problems(value: str, problem: str | None) -> None:
    source = f"FROM a\nRUN --mount={value.replace(' ', chr(92) + ' ')} x\n"
    found = mounts(last(source))
    assert [mount.problem for mount in found] == [problem]


def test_csv_problems_name_the_column() -> None:
    (mount,) = mounts(last('FROM a\nRUN --mount=type=cache,id=\\" x\n'))
    assert mount.problem == (
        'failed to parse csv mounts: parse error on line 1, column 15: bare " in non-quoted-field'
    )
    (mount,) = mounts(last("FROM a\nRUN --mount='\"id=a\"b' x\n"))
    assert mount.problem == (
        "failed to parse csv mounts: "
        'parse error on line 1, column 6: extraneous or missing " in quoted-field'
    )


def test_mount_values_are_expanded_by_the_caller() -> None:
    run = last("FROM a\nRUN --mount=type=cache,target=$H/x,id=${A?} x\n")
    (raw,) = mounts(run)
    assert (raw.target, raw.id, raw.problem) == ("$H/x", "${A?}", None)
    (mount,) = mounts(run, lambda value: expand(value, {"H": "/h"}, "\\"))
    assert mount.target == "/h/x"
    assert mount.problem == 'failed to process "${A?}": A: is not allowed to be unset'


def test_copy_spec() -> None:
    source = (
        "FROM a\nCOPY --from=b --chown=1:2 --chmod=a+x --link --parents=false --exclude=*.md "
        "--exclude=x a <<E <<'F' /d/\none\nE\ntwo\nF\n"
    )
    spec = copy_spec(last(source))
    assert spec is not None
    assert [word.value for word in spec.sources] == ["a"]
    assert [heredoc and heredoc.body for _, heredoc in spec.heredocs] == ["one\n", "two\n"]
    assert (spec.dest.value, spec.from_, spec.chown, spec.chmod) == ("/d/", "b", "1:2", "a+x")
    assert (spec.link, spec.parents, spec.excludes) == (True, False, ("*.md", "x"))
    assert (spec.checksum, spec.keep_git_dir, spec.unpack) == (None, None, None)


def test_copy_spec_of_others_is_none() -> None:
    assert copy_spec(last("FROM a\nCOPY x\n")) is None
    assert copy_spec(last("FROM a\nRUN x\n")) is None


def test_a_blank_after_the_arrows_makes_two_paths() -> None:
    spec = copy_spec(last("FROM a\nCOPY << E /d\nx\nE\n"))
    assert spec is not None
    assert [word.value for word in spec.sources] == ["<<", "E"]


# Refusals


@pytest.mark.parametrize(
    ("source", "stage", "message", "lines"),
    [
        ("", "parse", "file with no instructions", (0,)),
        ("ARG A\n", "instruction", "dockerfile contains no stages to build", (1,)),
        ("RUN x\nFROM a\n", "instruction", "no build stage in current context", (1,)),
        ("FROM a\nRUN \\\n x <<E\n", "parse", "unterminated heredoc", (2, 3)),
        ("FROM a\nRUN ${x:- <<\\' y}\n", "parse", "failed to process", (2,)),
        ("FROM a\nHEALTHCHECK NONE x\n", "instruction", "HEALTHCHECK NONE takes no", (2,)),
        ("FROM a\nHEALTHCHECK CMD\n", "instruction", "Missing command after", (2,)),
        (
            "FROM a\nHEALTHCHECK --interval=1 CMD x\n",
            "instruction",
            'time: missing unit in duration "1"',
            (2,),
        ),
        (
            "FROM a\nHEALTHCHECK --timeout=1us CMD x\n",
            "instruction",
            'Interval "timeout" cannot be less than 1ms',
            (2,),
        ),
        (
            "FROM a\nHEALTHCHECK --retries=-1 CMD x\n",
            "instruction",
            "--retries cannot be negative (-1)",
            (2,),
        ),
        ("FROM a\nRUN --network=x y\n", "instruction", 'invalid network mode "x"', (2,)),
        ("FROM a\nRUN --security=x y\n", "instruction", 'security "x" is not valid', (2,)),
        ("FROM a\nRUN --mount= y\n", "instruction", "failed to parse csv mounts: EOF", (2,)),
        ("FROM a\nRUN --device=a,b y\n", "instruction", "invalid field 'b' must be", (2,)),
        ("FROM a\nCOPY --link=no a b\n", "instruction", "expecting boolean value for", (2,)),
        ("FROM a\nCOPY x <<E\nE\n", "instruction", "COPY cannot accept a heredoc as a", (2, 3)),
        ('FROM a\nVOLUME [" "]\n', "instruction", "VOLUME specified can not be an", (2,)),
        ("FROM a AS b!\n", "instruction", 'invalid name for build stage: "b!"', (1,)),
    ],
)
def test_refusals(source: str, stage: str, message: str, lines: tuple[int, ...]) -> None:
    (problem,) = parse(source).problems
    assert (problem.stage, problem.lines) == (stage, lines)
    assert problem.message.startswith(message)


def test_a_parse_error_leaves_the_rest_unread() -> None:
    source = "FROM a\nENV A=1 B\nRUN x\n# c\n"
    dockerfile = parse(source)
    rest = dockerfile.items[-1]
    assert isinstance(rest, Gap)
    assert (rest.kind, at(source, rest.span)) == (Trivia.UNREAD, "RUN x\n# c\n")
    assert dockerfile.problems[0].span == dockerfile.instructions[-1].span


def test_a_line_may_be_65535_bytes_long() -> None:
    longest = "RUN " + "é" * 32765 + "x"
    assert len(longest.encode()) == 65535
    assert parse(f"FROM a\n{longest}\n").problems == ()
    source = f"FROM a\n{longest}x\nRUN y\n"
    dockerfile = parse(source)
    (problem,) = dockerfile.problems
    assert problem.message == "dockerfile line greater than max allowed size of 65535"
    assert problem.lines == (1,)
    assert [each.name for each in dockerfile.instructions] == ["FROM"]


# Bytes, line ends and odd characters


def test_invalid_utf8_is_kept_and_is_no_blank() -> None:
    data = b"FROM a\nRUN x\xff y\xa0\nCOPY a\x85 b\n"
    source = decode(data)
    dockerfile = parse(source)
    assert dockerfile.instructions[1].rest.value == decode(b"x\xff y\xa0")
    assert [word.value for word in dockerfile.instructions[2].words] == [decode(b"a\x85"), "b"]


def test_garbled_flags_are_marked() -> None:
    run = last("FROM a\nRUN --mount=type=cache,target=/é x\n")
    assert run.opaque is not None
    assert run.flags[0].value == "type=cache,target=/Ã©"
    assert run.rest.value == "x"
    plain = last("FROM a\nRUN --mount=type=cache,target=/e é\n")
    assert plain.opaque is None
    # The second byte of "à" is a blank to BuildKit.
    cut = last("FROM a\nRUN --x=à y\n")
    assert (cut.flags[0].value, cut.rest.value) == ("Ã", "y")


def test_keywords_in_other_alphabets() -> None:
    assert last("FROM a\nWOR\u212aDIR /x\n").name == "WORKDIR"
    assert last("FROM a\n\u017fHELL x\n").name not in ("SHELL",)
    assert last("FROM a\nRUN\xa0x\n").name == "RUN\xa0X".lower()


def test_carriage_returns_alone_end_no_line() -> None:
    (only,) = parse("FROM a\rAS\rb\r").instructions
    assert [word.value for word in only.words] == ["a", "AS", "b"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "# syntax=docker/dockerfile:1 x\nFROM a\n",
            ("docker/dockerfile:1", "docker/dockerfile:1 x"),
        ),
        ("\ufeff#!/bin/x\n# escape=`\n# Syntax = a/b\n", ("a/b", "a/b")),
        ("// syntax=a\nFROM a\n", ("a", "a")),
        ('{"syntax": "a b"}', ("a b", "a b")),
        ("# comment\n# syntax=a\n", None),
        (" # syntax=a\n", None),
        ("{", None),
        ("", None),
    ],
)
def test_frontend(source: str, expected: tuple[str, str] | None) -> None:
    assert frontend(source) == expected


def test_too_deep_expansions_are_an_error() -> None:
    with pytest.raises(LexError, match="nested too deeply"):
        expand("${a:-" * 50_000, {}, "\\")
