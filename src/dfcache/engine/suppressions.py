"""Comments that silence findings: ``# dfcache: ignore[uncached-install] reason``.

Above an instruction (with other comment lines between, if any) such a comment covers the
whole instruction; on a line of its own inside an instruction it covers the next
line; ``# dfcache: ignore-file[…]`` covers the file. One that silences nothing is a finding
itself, with a fix that takes it away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dfcache.diagnostics import Declared, Finding, Fix, Safety, Severity
from dfcache.parser.tree import Dockerfile, Instruction, Trivia
from dfcache.record import record
from dfcache.text import Edit, Span

UNUSED = "DFC902"
UNKNOWN = "DFC903"
_MARK = "dfcache:"
_BLANK = " \t\v\f\r"


@record
class Suppression:
    """One comment: ``line`` is its whole line with the line end, ``covers`` what it silences.

    ``rules`` are its names and codes with their places, in order.
    """

    line: Span
    covers: Span
    rules: tuple[tuple[str, Span], ...]


def suppressions(dockerfile: Dockerfile) -> tuple[Suppression, ...]:
    """All the suppressions of a file, in order."""
    if _MARK not in dockerfile.source:
        return ()
    return tuple(_suppressions(dockerfile))


def suppress(
    findings: Iterable[Finding],
    found: tuple[Suppression, ...],
    rules: dict[str, str],
    active: frozenset[str],
    severity: Severity = Severity.WARNING,
) -> list[Finding]:
    """``findings`` without the silenced ones, and what there is to say about the comments.

    ``rules`` maps the code of every rule to its name. A suppression of a rule whose code is
    not in ``active`` (it was not run) is left in peace.
    """
    findings = list(findings)
    if not found:
        return findings
    codes = {name: code for code, name in rules.items()} | {code: code for code in rules}
    used: set[Span] = set()
    kept = []
    for finding in findings:
        hits = [
            place
            for each in found
            if each.covers.start <= finding.span.start < max(each.covers.end, each.covers.start + 1)
            for word, place in each.rules
            if codes.get(_norm(word)) == finding.code
        ]
        used.update(hits)
        if not hits:
            kept.append(finding)
    own = [
        finding
        for each in found
        for finding in _judge(each, codes, rules, active, used, severity)
        if not _silenced(finding.code, found, codes)
    ]
    return sorted(kept + own, key=lambda finding: (finding.span, finding.code))


def _suppressions(dockerfile: Dockerfile) -> Iterator[Suppression]:
    source = dockerfile.source
    whole = Span(0, len(source) + 1)
    waiting: list[tuple[Span, tuple[tuple[str, Span], ...]]] = []
    for item in dockerfile.items:
        if isinstance(item, Instruction):
            for line, rules in waiting:
                yield Suppression(line, item.span, rules)
            waiting = []
            yield from _inside(source, item)
        elif item.kind is Trivia.COMMENT:
            read = _read(source, item.span)
            if read is not None and read[0]:
                yield Suppression(item.span, whole, read[1])
            elif read is not None:
                waiting.append((item.span, read[1]))
        else:
            yield from (Suppression(line, Span(line.start, line.start), r) for line, r in waiting)
            waiting = []
    yield from (Suppression(line, Span(line.start, line.start), rules) for line, rules in waiting)


def _inside(source: str, instruction: Instruction) -> Iterator[Suppression]:
    """Those on comment lines between the lines of an instruction; not in files it writes."""
    if _MARK not in source[instruction.span.start : instruction.span.end]:
        return
    lines = [*comment_lines(source, instruction)]
    for at, (line, is_comment) in enumerate(lines):
        read = _read(source, line) if is_comment else None
        if read is None or read[0]:
            continue
        after = next((each for each, comment in lines[at + 1 :] if not comment), None)
        yield Suppression(line, after or Span(line.start, line.start), read[1])


def comment_lines(source: str, instruction: Instruction) -> Iterator[tuple[Span, bool]]:
    """The lines of an instruction but the first, and whether each is a comment to its reader.

    Lines of a here-document are content, and comments only where it is a script of its own.
    """
    script = instruction.name == "RUN" and instruction.rest.value.startswith("<<")
    bodies = [each.body_span for each in instruction.heredocs]
    start = source.find("\n", instruction.span.start, instruction.span.end) + 1
    while 0 < start < instruction.span.end:
        end = source.find("\n", start, instruction.span.end) + 1 or instruction.span.end
        line = Span(start, end)
        content = any(body.covers(line) for body in bodies)
        comment = source[start:end].lstrip(_BLANK).startswith("#")
        yield line, comment and (script or not content)
        start = end


def _read(source: str, line: Span) -> tuple[bool, tuple[tuple[str, Span], ...]] | None:
    """Whether it is for the whole file, and the rules; None if the line is no suppression."""
    text = source[line.start : line.end]
    body = text.lstrip(_BLANK).lstrip("#").lstrip(_BLANK)
    if not body.startswith(_MARK):
        return None
    rest = body[len(_MARK) :].lstrip(_BLANK)
    whole = rest.startswith("ignore-file")
    if not whole and not rest.startswith("ignore"):
        return None
    rest = rest.removeprefix("ignore-file" if whole else "ignore")
    inner = rest.lstrip(_BLANK)
    if not inner.startswith("[") or "]" not in inner:
        return None
    at = line.start + len(text) - len(inner) + 1
    rules = []
    for part in inner[1 : inner.index("]")].split(","):
        word = part.strip(_BLANK)
        start = at + len(part) - len(part.lstrip(_BLANK))
        if word:
            rules.append((word, Span(start, start + len(word))))
        at += len(part) + 1
    return whole, tuple(rules)


def _judge(
    each: Suppression,
    codes: dict[str, str],
    rules: dict[str, str],
    active: frozenset[str],
    used: set[Span],
    severity: Severity,
) -> Iterator[Finding]:
    unused = []
    for word, place in each.rules:
        code = codes.get(_norm(word))
        if code is None:
            yield _unknown(word, place, codes, rules, severity)
        elif place not in used and code in active and code not in (UNUSED, UNKNOWN):
            unused.append((word, place))
    if not unused:
        return
    names = ", ".join(word for word, _ in unused)
    name = rules.get(UNUSED, "unused-suppression")
    message = f"nothing here needs ignore[{names}], so it would hide the next real finding"
    places = Span(unused[0][1].start, unused[-1][1].end)
    yield Finding(UNUSED, name, severity, places, message, _removal(each, [p for _, p in unused]))


def _unknown(
    word: str, place: Span, codes: dict[str, str], rules: dict[str, str], severity: Severity
) -> Finding:
    from dfcache.engine.settings import closest

    foreign = word[-4:].isdigit()  # a code of hadolint or shellcheck: ours have three digits
    near = None if foreign else closest(_norm(word), tuple(codes))
    hint = f"did you mean {near}?" if near else "`dfcache rule` lists them all"
    name = rules.get(UNKNOWN, "unknown-rule")
    return Finding(UNKNOWN, name, severity, place, f"there is no rule {word}; {hint}")


def _removal(each: Suppression, unused: list[Span]) -> Fix:
    if len(unused) == len(each.rules):
        title = "Delete the comment"
        return Fix(title, (Edit(each.line, ""),), Safety.SAFE, Declared(frozenset({each.line})))
    edits = []
    kept = [place for _, place in each.rules if place not in unused]
    for at, (_, place) in enumerate(each.rules):
        if place not in unused:
            continue
        if place.start > kept[0].start:  # with the comma before it
            span = Span(each.rules[at - 1][1].end, place.end)
        else:  # with the comma after it
            span = Span(place.start, each.rules[at + 1][1].start)
        edits.append(Edit(span, ""))
    line = Declared(frozenset({each.line}))
    return Fix("Delete the name from the comment", tuple(edits), Safety.SAFE, line)


def _silenced(code: str, found: tuple[Suppression, ...], codes: dict[str, str]) -> bool:
    return any(
        codes.get(_norm(word)) == code
        for each in found
        if each.covers.start == 0 and each.covers.end > each.line.end
        for word, _ in each.rules
    )


def _norm(word: str) -> str:
    return word.upper() if word[:3].upper() == "DFC" else word
