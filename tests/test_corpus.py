"""A sample of real Dockerfiles: nothing crashes, and every fix is proved and comes to rest."""

from __future__ import annotations

import gzip
import json
from base64 import b64decode
from pathlib import Path

import pytest

from dfcache.diagnostics import Safety
from dfcache.model.context import NoContext
from dfcache.parser import decode, encode, parse
from test_fixes_properties import check_laws, mended

CORPUS = Path(__file__).parents[2] / "shared/corpus/dev-sample.jsonl.gz"
PARTS = 8
EVERY = 6  # one file in so many

pytestmark = pytest.mark.skipif(not CORPUS.exists(), reason="the corpus is not at hand")


def sources(part: int) -> list[bytes]:
    """The bytes of the sampled files of one part, always the same."""
    with gzip.open(CORPUS, "rt", encoding="utf-8", newline="") as lines:
        rows = [json.loads(line) for at, line in enumerate(lines) if at % EVERY == 0]
    return [
        row["text"].encode() if row.get("text") is not None else b64decode(row["b64"])
        for row in rows[part::PARTS]
    ]


@pytest.mark.parametrize("part", range(PARTS))
def test_real_files(part: int):
    files = sources(part)
    assert len(files) > 30
    changed = 0
    for data in files:
        source = decode(data)
        assert encode(source) == data
        items = parse(source).items
        assert "".join(source[item.span.start : item.span.end] for item in items) == source
        for least in (Safety.SAFE, Safety.UNSAFE):
            check_laws(source, NoContext(), least)
        changed += mended(source, NoContext(), Safety.SAFE).source != source
    assert changed > len(files) // 3
