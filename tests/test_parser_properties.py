"""Laws of the parser, over Dockerfiles written from a grammar and over token soup."""

from __future__ import annotations

import json
from itertools import pairwise

from dockerfile_parse.util import WordSplitter
from hypothesis import given, settings
from hypothesis import strategies as st

from dfcache.parser import copy_spec, decode, encode, exec_texts, mounts, pairs, parse, words
from dfcache.parser.lexer import Expansion, LexError, lex
from dfcache.parser.tree import Dockerfile, Gap, Instruction, Text, Trivia
from grammar import Document, documents, exec_form, soup, windows

MANY = settings(max_examples=300, deadline=None)


def _check_laws(source: str) -> Dockerfile:
    """What holds for every text whatever."""
    dockerfile = parse(source)
    at = 0
    for item in dockerfile.items:
        assert item.span.start == at
        assert item.span.end > at
        at = item.span.end
    assert at == len(source)
    for item in dockerfile.items:
        if isinstance(item, Instruction):
            _check_instruction(source, item)
    for problem in dockerfile.problems:
        assert problem.stage in ("parse", "instruction")
        assert problem.lines
        assert 0 <= problem.span.start <= problem.span.end <= len(source)
    return dockerfile


def _check_instruction(source: str, instruction: Instruction) -> None:
    assert instruction.start_line <= instruction.end_line
    if instruction.opaque is None:
        _check_text(source, instruction.rest)
        _check_slices(source, instruction)
    for text in exec_texts(instruction):
        offsets = [text.offset(index) for index in range(len(text.value))]
        assert all(first < second for first, second in pairwise(offsets))
    for heredoc in instruction.heredocs:
        assert source[heredoc.body_span.start : heredoc.body_span.end] == heredoc.body
        end = source[heredoc.end_span.start : heredoc.end_span.end]
        assert (end.lstrip("\t") if heredoc.chomp else end) == heredoc.name
    # None of these raises either.
    pairs(instruction)
    mounts(instruction)
    copy_spec(instruction)
    if instruction.child is not None:
        _check_instruction(source, instruction.child)


def _check_text(source: str, text: Text) -> None:
    assert sum(piece.length for piece in text.pieces) == len(text.value)
    for piece in text.pieces:
        part = text.value[piece.start : piece.start + piece.length]
        assert source[piece.offset : piece.offset + piece.length] == part
    offsets = [text.offset(index) for index in range(len(text.value))]
    assert all(first < second for first, second in pairwise(offsets))


def _check_slices(source: str, instruction: Instruction) -> None:
    places = [(instruction.keyword_span, instruction.keyword)]
    places += [(flag.span, flag.text) for flag in instruction.flags]
    if instruction.form == "shell":
        places += [(word.span, word.value) for word in instruction.words]
    for pair in pairs(instruction):
        places.append((pair.name_span, pair.name))
        if pair.value is not None:
            places.append((pair.value.span, pair.value.value))
    for span, text in places:
        assert instruction.span.covers(span)
        if len(span) == len(text):
            assert source[span.start : span.end] == text
        else:
            # A continuation stands within.
            assert len(span) > len(text)
            assert "\n" in source[span.start : span.end]
    for mount in mounts(instruction):
        for field in mount.fields:
            if field.span is not None:
                written = source[field.span.start : field.span.end]
                assert written in (field.written, f'"{field.written}"')
            if field.value_span is not None:
                assert source[field.value_span.start : field.value_span.end] == field.value


@MANY
@given(documents())
def test_written_files_are_read_as_written(document: Document) -> None:
    dockerfile = _check_laws(document.source)
    assert dockerfile.problems == ()
    assert tuple(each.keyword for each in dockerfile.instructions) == document.keywords


@MANY
@given(soup())
def test_any_text_is_read(source: str) -> None:
    _check_laws(source)


@MANY
@given(st.text())
def test_any_unicode_is_read(source: str) -> None:
    _check_laws(source)


@MANY
@given(st.binary() | soup().map(encode))
def test_bytes_survive(data: bytes) -> None:
    source = decode(data)
    parse(source)
    assert encode(source) == data


def _meaning(dockerfile: Dockerfile) -> list[tuple[object, ...]]:
    return [
        (
            each.keyword,
            each.original,
            [flag.value for flag in each.flags],
            [word.value for word in each.words],
            [heredoc.body.replace("\r\n", "\n") for heredoc in each.heredocs],
            each.comments,
            each.start_line,
            each.end_line,
        )
        for each in dockerfile.instructions
    ]


@MANY
@given(documents())
def test_line_ends_and_byte_order_mark_change_nothing(document: Document) -> None:
    plain = document.source.removeprefix("\ufeff").replace("\r\n", "\n")
    twin = "\ufeff" + plain.replace("\n", "\r\n")
    assert _meaning(parse(plain)) == _meaning(parse(twin))


@MANY
@given(documents())
def test_a_missing_line_end_changes_nothing(document: Document) -> None:
    plain = document.source.replace("\r\n", "\n")
    assert _meaning(parse(plain.removesuffix("\n"))) == _meaning(parse(plain))


@MANY
@given(documents(lambda names: exec_form("CMD")))
def test_the_backquote_escapes_as_the_backslash_does(document: Document) -> None:
    plain = document.source.removeprefix("\ufeff").replace("\r\n", "\n")
    twin = parse(windows(plain))
    assert twin.escape == "`"
    assert [each.words for each in twin.instructions if each.name == "FROM"]
    assert [word.value for each in twin.instructions for word in each.words] == [
        word.value for each in parse(plain).instructions for word in each.words
    ]


@MANY
@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=6)), st.booleans())
def test_exec_form_gives_the_strings_and_their_places(arguments: list[str], ascii_: bool) -> None:
    array = json.dumps(arguments, ensure_ascii=ascii_)
    source = f"FROM a\nRUN {array}\n"
    instruction = parse(source).instructions[1]
    texts = exec_texts(instruction)
    assert instruction.form == "exec"
    assert [text.value for text in texts] == [word.value for word in instruction.words]
    assert [text.value for text in texts] == arguments
    for word, text in zip(instruction.words, texts, strict=True):
        assert json.loads(source[word.span.start : word.span.end]) == word.value
        for index, char in enumerate(text.value):
            at = text.offset(index)
            assert word.span.start < at < word.span.end
            assert source[at] in (char, "\\")


@MANY
@given(st.text(st.sampled_from("aB= \t'\"\\$`é{}")))
def test_words_are_split_as_dockerfile_parse_splits_them(text: str) -> None:
    # The other splitter keeps an escape at the very end, BuildKit drops it.
    text = text.rstrip("\\")
    assert list(words(text, "\\")) == list(WordSplitter(text).split(dequote=False))


@MANY
@given(st.text(st.sampled_from("aB_1${}:-+?#%/*\\'\"< \t`é")), st.sampled_from("\\`"))
def test_expansion_gives_a_value_or_a_lex_error(text: str, escape: str) -> None:
    env = {"a": "x y", "B": "", "_1": "*"}
    try:
        found: Expansion | LexError = lex(text, env, escape)
    except LexError as error:
        found = error
    assert isinstance(found, Expansion) or str(found).startswith("failed to process ")
    assert found.used <= env.keys()
    assert not found.unset & env.keys()


def test_comments_and_blank_lines_are_one_gap_each() -> None:
    source = "# syntax=docker/dockerfile:1\n# c\n\nFROM a\n \t\n# d"
    kinds = [item.kind for item in parse(source).items if isinstance(item, Gap)]
    assert kinds == [
        Trivia.DIRECTIVE,
        Trivia.COMMENT,
        Trivia.BLANK,
        Trivia.BLANK,
        Trivia.COMMENT,
    ]
