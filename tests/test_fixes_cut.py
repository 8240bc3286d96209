"""Words and commands taken out of instructions: ⟦…⟧ marks the word that goes."""

from __future__ import annotations

import pytest

from building import built
from dfcache.fixes.cut import command_region, cut
from dfcache.parser import parse
from dfcache.text import Span, apply

# Each: what stands behind FROM, and what must be left of it; None where it must be refused.
WORDS = [
    # on one line
    ("RUN pip install ⟦-n⟧ x\n", "RUN pip install x\n"),
    ("RUN pip install x ⟦-n⟧\n", "RUN pip install x\n"),
    ("RUN ⟦A=1⟧ pip install x\n", "RUN pip install x\n"),
    ("RUN a && ⟦A=1⟧ pip install x\n", "RUN a && pip install x\n"),
    ("RUN pip  install\t⟦-n⟧  x\n", "RUN pip  install  x\n"),
    ("RUN pip install x ⟦-n⟧; b\n", "RUN pip install x; b\n"),
    ("RUN pip install x ⟦-n⟧ && b\n", "RUN pip install x && b\n"),
    ("RUN (pip install ⟦-n⟧)\n", "RUN (pip install)\n"),
    ("RUN sh -c 'pip install ⟦-n⟧ x'\n", "RUN sh -c 'pip install x'\n"),
    ("RUN sh -c 'pip install ⟦-n⟧'\n", "RUN sh -c 'pip install'\n"),
    ("RUN pip install ⟦-n⟧", "RUN pip install"),
    ("ENV ⟦A=1⟧ B=2\n", "ENV B=2\n"),
    ("ENV B=2 ⟦A=1⟧\n", "ENV B=2\n"),
    ('ENV B="1 2" ⟦A=1⟧ C=3\n', 'ENV B="1 2" C=3\n'),
    # a line of its own
    ("RUN a \\\n  ⟦-n⟧ \\\n  x\n", "RUN a \\\n  x\n"),
    ("RUN a \\\n  x \\\n  ⟦-n⟧\n", "RUN a \\\n  x\n"),
    ("RUN a \\\n  x \\\n  ⟦-n⟧", "RUN a \\\n  x"),
    ("RUN a \\\n  ⟦-n⟧\nRUN b\n", "RUN a\nRUN b\n"),
    ("RUN a\t \\\n  ⟦-n⟧\n", "RUN a\n"),
    ("ENV ⟦A=1⟧ \\\n    B=2\n", "ENV B=2\n"),
    ("ENV \\\n    ⟦A=1⟧ \\\n    B=2\n", "ENV \\\n    B=2\n"),
    ("ENV B=2 \\\n    ⟦A=1⟧\n", "ENV B=2\n"),
    # with others on its line
    ("RUN a \\\n  ⟦-n⟧ x \\\n  y\n", "RUN a \\\n  x \\\n  y\n"),
    ("RUN a \\\n  x ⟦-n⟧ \\\n  y\n", "RUN a \\\n  x \\\n  y\n"),
    ("RUN a \\\n  x ⟦-n⟧\n", "RUN a \\\n  x\n"),
    ("RUN a ⟦-n⟧ \\\n  x\n", "RUN a \\\n  x\n"),
    ("RUN a \\\n  ⟦-n⟧; \\\n  b\n", "RUN a \\\n  ; \\\n  b\n"),
    # comments and blank lines
    ("RUN a \\\n  # why\n  ⟦-n⟧ \\\n  x\n", "RUN a \\\n  # why\n  x\n"),
    ("RUN a \\\n  # why\n  ⟦-n⟧\n", "RUN a\n  # why\n"),
    ("RUN a \\\n\n  ⟦-n⟧\n", "RUN a\n\n"),
    ("RUN a \\\n  x \\\n# one\n# two\n  ⟦-n⟧\nRUN b\n", "RUN a \\\n  x\n# one\n# two\nRUN b\n"),
    ("RUN a \\\n  x \\\n# one \\\n# two \\\n  ⟦-n⟧\n", "RUN a \\\n  x\n# one \\\n# two \\\n"),
    ("ENV ⟦A=1⟧ \\\n    # b\n    B=2\n", None),
    # the line ends of Windows
    ("RUN a \\\r\n  ⟦-n⟧ \\\r\n  x\r\n", "RUN a \\\r\n  x\r\n"),
    ("RUN a \\\r\n  x \\\r\n  ⟦-n⟧\r\n", "RUN a \\\r\n  x\r\n"),
    ("RUN a \\\r\n  # why\r\n  ⟦-n⟧\r\n", "RUN a\r\n  # why\r\n"),
    ("RUN a ⟦-n⟧\r\n", "RUN a\r\n"),
    # here-documents
    ("RUN <<E\npip install ⟦-n⟧ x\nE\n", "RUN <<E\npip install x\nE\n"),
    ("RUN <<E\npip install x ⟦-n⟧\nE\n", "RUN <<E\npip install x\nE\n"),
    ("RUN <<E\n⟦pip⟧\nls\nE\n", "RUN <<E\nls\nE\n"),
    ("RUN <<E\nls\n⟦pip⟧\nE\n", "RUN <<E\nls\nE\n"),
    # a span over several lines
    ("RUN a \\\n  ⟦&& rm \\\n    -rf x⟧ \\\n  && b\n", "RUN a \\\n  && b\n"),
    ("RUN a ⟦&& rm \\\n  x⟧ && b\n", "RUN a && b\n"),
    ("RUN a ⟦&& \\\n  # why\n  rm x⟧ && b\n", None),
]


def unmarked(text: str) -> tuple[str, Span]:
    text = "FROM a\n" + text
    start = text.index("⟦")
    end = text.index("⟧") - 1
    return text.replace("⟦", "").replace("⟧", ""), Span(start, end)


@pytest.mark.parametrize(("text", "expected"), WORDS)
def test_words(text: str, expected: str | None):
    source, span = unmarked(text)
    tree = parse(source)
    within = next(each.span for each in tree.instructions if each.span.covers(span))
    edits = cut(source, span, within, "\\")
    if expected is None:
        # Whether it refuses or finds a way round the comment, the comment stays where it is.
        if edits is not None:
            left = apply(source, edits)
            comment = next(line for line in source.split("\n") if line.lstrip().startswith("#"))
            assert comment in left.split("\n")
            assert not parse(left).problems
        return
    assert edits is not None
    assert apply(source, edits) == "FROM a\n" + expected


def test_backquotes_continue_lines_too():
    source = "# escape=`\nFROM a\nRUN a `\n  -n `\n  x\n"
    at = source.index("-n")
    within = parse(source).instructions[1].span
    edits = cut(source, Span(at, at + 2), within, "`")
    assert edits is not None
    assert apply(source, edits) == "# escape=`\nFROM a\nRUN a `\n  x\n"


# Each: a RUN in which the command `rm` goes, and what must be left; None where it must be refused.
COMMANDS = [
    ("RUN a && rm x\n", "RUN a\n"),
    ("RUN rm x && a\n", "RUN a\n"),
    ("RUN a && rm x && b\n", "RUN a && b\n"),
    ("RUN a; rm x; b\n", "RUN a; b\n"),
    ("RUN a; rm x\n", "RUN a\n"),
    ("RUN a ; rm x ; b\n", "RUN a ; b\n"),
    ("RUN a && rm x; b\n", "RUN a; b\n"),
    ("RUN a && rm x || true\n", "RUN a || true\n"),
    ("RUN a || rm x\n", None),
    ("RUN rm x || a\n", None),
    ("RUN a | rm x\n", None),
    ("RUN rm x | a\n", None),
    ("RUN rm x & a\n", None),
    ("RUN a & rm x\n", None),
    ("RUN ! rm x && a\n", None),
    ("RUN rm x\n", None),
    ("RUN if rm x; then a; fi\n", None),
    ("RUN if a; then rm x; fi\n", None),
    ("RUN if a; then b; rm x; fi\n", "RUN if a; then b; fi\n"),
    ("RUN while rm x; do a; done\n", None),
    ("RUN for i in 1; do a; rm x; done\n", "RUN for i in 1; do a; done\n"),
    ("RUN (a && rm x) && b\n", "RUN (a) && b\n"),
    ("RUN (rm x) && b\n", None),
    ("RUN { a; rm x; } && b\n", "RUN { a; } && b\n"),
    ("RUN sh -c 'a && rm x'\n", "RUN sh -c 'a'\n"),
    ("RUN a && \\\n    rm x && \\\n    b\n", "RUN a && \\\n    b\n"),
    ("RUN a && \\\n    rm x\n", "RUN a\n"),
    ("RUN a \\\n    && rm x \\\n    && b\n", "RUN a \\\n    && b\n"),
    ("RUN a \\\n    && rm x\n", "RUN a\n"),
    ("RUN a; \\\n    rm x; \\\n    b\n", "RUN a; \\\n    b\n"),
    ("RUN a \\\n    && rm \\\n       x \\\n       y \\\n    && b\n", "RUN a \\\n    && b\n"),
    ("RUN a && \\\r\n    rm x && \\\r\n    b\r\n", "RUN a && \\\r\n    b\r\n"),
    ("RUN a \\\n    # why\n    && rm x \\\n    && b\n", "RUN a \\\n    # why\n    && b\n"),
    ("RUN <<E\na\nrm x\nb\nE\n", "RUN <<E\na\nb\nE\n"),
    ("RUN <<E\na\nrm x\nE\n", "RUN <<E\na\nE\n"),
    ("RUN <<E\nrm x\na\nE\n", "RUN <<E\na\nE\n"),
    ("RUN <<E\na && rm x\nb\nE\n", "RUN <<E\na\nb\nE\n"),
    ("ONBUILD RUN a && rm x\n", "ONBUILD RUN a\n"),
    ("RUN --mount=type=cache,target=/x a && rm x\n", "RUN --mount=type=cache,target=/x a\n"),
]


@pytest.mark.parametrize(("text", "expected"), COMMANDS)
def test_commands(text: str, expected: str | None):
    source = "FROM a\n" + text
    step = next(iter(built(source).runs()))
    command = next(made.command for made in step.invocations if made.program == "rm")
    region = command_region(source, command)
    edits = None if region is None else cut(source, region, step.outer.span, "\\")
    got = None if edits is None else apply(source, edits)
    assert got == (None if expected is None else "FROM a\n" + expected)
