"""Reads Dockerfiles as BuildKit does and shell text as a shell does; never raises."""

from __future__ import annotations

from dfcache.parser.chars import decode, encode
from dfcache.parser.copy import CopySpec, copy_spec
from dfcache.parser.document import parse
from dfcache.parser.execform import exec_texts
from dfcache.parser.mounts import Mount, mounts
from dfcache.parser.scripts import script
from dfcache.parser.words import Pair, pairs, words

__all__ = [
    "CopySpec",
    "Mount",
    "Pair",
    "copy_spec",
    "decode",
    "encode",
    "exec_texts",
    "mounts",
    "pairs",
    "parse",
    "script",
    "words",
]
