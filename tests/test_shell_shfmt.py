"""The shell parser finds the commands that shfmt finds: same places, same words."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dfcache.parser import parse
from dfcache.parser.script import Command
from dfcache.parser.shell import parse_shell
from dfcache.parser.tree import Piece, Text
from shfmt import SHFMT, Simple, simple_commands

OWN = sorted((Path(__file__).parent / "data" / "shell").glob("*.sh"))
CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "dev-sample.jsonl.gz"

pytestmark = pytest.mark.skipif(SHFMT is None, reason="shfmt is not installed")


def ours(script: str) -> list[Simple] | None:
    """What the shell parser finds, in the shape of shfmt's; None where something is opaque."""
    commands, opaque = parse_shell(Text(script, (Piece(0, 0, len(script)),)))
    if opaque:
        return None
    return sorted(simple for command in commands if (simple := _simple(command, script)))


def _simple(command: Command, script: str) -> Simple | None:
    if "shell" in command.context:  # text that shfmt takes for a plain word
        return None
    spans = [part.span for part in (*command.assignments, *command.words)]
    if command.words and command.words[0].value == "let":
        spans = spans[:1]
    texts = [script[span.start : span.end].replace("\\\n", "") for span in spans]
    start = spans[0].start if spans else 0
    if not command.rewritable:  # in backquotes; shfmt has words start behind their first escape
        start += texts[0].startswith("\\")
        texts = [text.removeprefix("\\") for text in texts]
    return (start, tuple(texts)) if spans else None


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_own_scripts(path: Path) -> None:
    script = path.read_text(encoding="utf-8")
    (reference,) = simple_commands([script])
    assert reference
    assert ours(script) == reference


def test_own_scripts_line_by_line() -> None:
    plain = next(path for path in OWN if path.stem == "plain")
    scripts = plain.read_text(encoding="utf-8").split("\n")
    assert [ours(script) for script in scripts] == simple_commands(scripts)


@pytest.mark.skipif(not CORPUS.exists(), reason="needs the corpus of real Dockerfiles")
def test_real_scripts() -> None:
    scripts = list(_run_scripts(3000))
    wrong = []
    read = 0
    for script, reference in zip(scripts, simple_commands(scripts), strict=True):
        found = ours(script)
        if reference is not None and found is not None:
            read += 1
            if found != reference:
                wrong.append(script)
    assert wrong == []
    assert read > 0.999 * len(scripts)


def _run_scripts(count: int) -> Iterator[str]:
    """The first ``count`` different RUN scripts of the corpus that are plain shell text."""
    seen = set()
    with gzip.open(CORPUS, "rt", encoding="utf-8", newline="") as lines:
        for line in lines:
            for instruction in parse(json.loads(line).get("text", "")).instructions:
                script = instruction.rest.value
                shell = instruction.form == "shell" and not instruction.heredocs
                if instruction.name == "RUN" and shell and script and script not in seen:
                    seen.add(script)
                    yield script
                    if len(seen) >= count:
                        return
