"""The parser gives BuildKit's own answers.

The expected values in ``data/parser`` were got by running BuildKit's Go code on
inputs written or generated for dfcache.
"""

from __future__ import annotations

import base64
import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dfcache.parser import decode, mounts, pairs, parse
from dfcache.parser.__main__ import main, report
from dfcache.parser.lexer import LexError, expand, expand_words, lex
from dfcache.parser.mounts import cache_id, mount_target

DATA = Path(__file__).parent / "data" / "parser"
SHARED = Path(__file__).parents[2] / "shared" / "parser-cases"
CHUNK = 100

# BuildKit names one of several equally near suggestions at random.
HINT = re.compile(r" \(did you mean .*\?\)$")


def _cases(name: str) -> list[Any]:
    """Chunks of a file of cases: our own copy, and the whole collection where it is at hand."""
    chunks = []
    for folder in (DATA, SHARED):
        if not (folder / name).exists():
            continue
        with (folder / name).open(encoding="utf-8", newline="\n") as file:
            cases = [json.loads(line) for line in file if line.strip()]
        for start in range(0, len(cases), CHUNK):
            label = f"{folder.name}-{name}-{start}"
            chunks.append(pytest.param(cases[start : start + CHUNK], id=label))
    return chunks


def _comparable(answer: dict[str, Any]) -> dict[str, Any]:
    refused = answer.get("instr_err")
    return {**answer, "instr_err": HINT.sub(" (did you mean …?)", refused)} if refused else answer


@pytest.mark.parametrize("cases", _cases("parse-cases.jsonl") + _cases("fuzz-cases.jsonl"))
def test_reads_as_buildkit(cases: list[dict[str, Any]]) -> None:
    for case in cases:
        data = base64.b64decode(case["input_b64"])
        expected = case["expect"]
        answer = report(data)
        if "dump" not in expected:
            answer.pop("dump", None)
        assert _comparable(answer) == _comparable(expected), data


@pytest.mark.parametrize("cases", _cases("lex-cases.jsonl"))
def test_expands_as_buildkit(cases: list[dict[str, Any]]) -> None:
    for case in cases:
        word, escape, expected = case["word"], case["escape"], case["expect"]
        env = dict(pair.split("=", 1) for pair in case["env"])
        names = (set(expected["matched"] or ()), set(expected["unmatched"] or ()))
        if expected["err"]:
            with pytest.raises(LexError) as error:
                lex(word, env, escape)
            assert str(error.value) == expected["err"]
            assert (error.value.used, error.value.unset) == names, word
        else:
            found = lex(word, env, escape)
            assert found.value == expand(word, env, escape) == expected["result"], word
            assert list(found.words) == list(expand_words(word, env, escape)), word
            assert list(found.words) == (expected["words"] or []), word
            assert (found.used, found.unset) == names, word


def _mount_cases() -> list[dict[str, Any]]:
    with (DATA / "mount-cases.jsonl").open(encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file]


# What BuildKit says of these depends on the working directory or on other stages.
ELSEWHERE = ("invalid mount target", "failed to parse stage name")


@pytest.mark.parametrize("case", _mount_cases(), ids=lambda case: case["input"].split("\n")[-2])
def test_reads_mounts_as_buildkit(case: dict[str, Any]) -> None:
    dockerfile = parse(case["input"])
    env = {"PATH": "/usr/bin"}
    found = []
    for instruction in dockerfile.instructions:
        if instruction.name == "ARG":
            env |= {pair.name: pair.value.value for pair in pairs(instruction) if pair.value}
        found += mounts(instruction, partial(expand, env=env, escape="\\"))
    problems = [mount.problem for mount in found if mount.problem]
    error = case.get("error", "")
    if error.startswith(ELSEWHERE):
        assert problems == []
        return
    assert problems == ([error] if error else [])
    if error:
        return
    for mount, expected in zip(found, case["mounts"], strict=True):
        if mount.target is not None:
            assert mount_target(mount.target, "/") == expected["target"]
        if mount.type == "cache":
            assert cache_id(mount) == expected["id"]
        if mount.type == "bind":
            assert mount.read_only is expected.get("readonly", False)


def test_command_prints_one_line_a_file(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    good = tmp_path / "Dockerfile"
    good.write_bytes(b"FROM a\nRUN x\n")
    bad = tmp_path / "bad"
    bad.write_bytes(b"# \xff\n")
    assert main([str(good), str(bad), str(tmp_path / "missing")]) == 2
    out, err = capsysbinary.readouterr()
    first, second = [json.loads(line) for line in out.decode().splitlines()]
    assert first["dump"] == '(from "a")\n(run "x")'
    assert second == {"err": "file with no instructions", "errlines": [[1]]}
    assert b"missing" in err


def test_agrees_with_an_older_buildkit() -> None:
    """The PyPI package ``dockerfile`` is the Go parser of BuildKit 0.12."""
    older = pytest.importorskip("dockerfile", reason="the Go parser is not installed")
    with (DATA / "parse-cases.jsonl").open(encoding="utf-8", newline="\n") as file:
        inputs = [base64.b64decode(json.loads(line)["input_b64"]) for line in file]
    compared = 0
    for data in inputs:
        # It reads these differently: JSON is strict, and `<< EOF` a here-document, only since.
        if not data.isascii() or b"<< " in data or b"]" in data or b"\\\\" in data:
            continue
        ours = parse(decode(data))
        try:
            theirs = older.parse_string(data.decode())
        except older.GoParseError:
            assert ours.problems, data
            continue
        compared += 1
        assert [(one.keyword, one.start_line, one.end_line) for one in ours.instructions] == [
            (one.cmd or "", one.start_line, one.end_line) for one in theirs
        ], data
    assert compared > 50
