"""Taking words and commands out of a script, line by line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dfcache.fixes.layout import continues, is_blank, is_comment, line_around
from dfcache.parser.script import Command, ShellWord
from dfcache.text import Edit, Span

_BLANKS = " \t"


def cut(source: str, span: Span, within: Span, escape: str) -> tuple[Edit, ...] | None:
    """Take ``span`` out of the instruction ``within``, with the gap or the line that it leaves.

    A line left empty goes whole; where it was the last, the continuation before
    it goes too. Comments stay. None where a comment stands in ``span`` or right behind it.
    """
    line = line_around(source, span)
    before = source[line.start : span.start]
    after = source[span.end : line.end]
    if _holds_comment(source, span) or is_comment(after):
        return None
    if line.start <= within.start and _HEAD.match(before):
        return _cut_first(source, span, line, escape)
    if not is_blank(before) or line.start <= within.start:
        start = span.start
        while start > line.start and source[start - 1] in _BLANKS:
            start -= 1
        end = span.end if start < span.start else _past_blanks(source, span.end, line.end)
        return (Edit(Span(start, end), ""),)
    rest = after.strip(_BLANKS)
    led = _led_here(source, line, escape)
    if rest == escape or (rest == "\\" and led) or (rest == "" and not led):
        return (Edit(Span(line.start, _line_end(source, line.end)), ""),)
    if rest == "":
        return _cut_last(source, Span(line.start, line.end), within, led)
    return (Edit(Span(span.start, _past_blanks(source, span.end, line.end)), ""),)


# What stands before the first word of a script: keywords and flags.
_HEAD = re.compile(r"[ \t]*(ONBUILD[ \t]+)?[A-Z]+[ \t]+(--\S+[ \t]+)*$", re.IGNORECASE)


def _past_blanks(source: str, at: int, end: int) -> int:
    while at < end and source[at] in _BLANKS:
        at += 1
    return at


def _led_here(source: str, line: Span, escape: str) -> str:
    """The character that continues the line above into ``line``; "" where none does.

    In a here-document that is the shell's backslash, whatever the file's own is.
    """
    at = line.start
    while at > 0:
        above = line_around(source, Span(at - 1, at - 1))
        text = source[above.start : above.end]
        if not is_comment(text) and not is_blank(text):
            return next((char for char in (escape, "\\") if continues(text, char)), "")
        at = above.start
    return ""


def _cut_first(source: str, span: Span, line: Span, escape: str) -> tuple[Edit, ...]:
    """Take out the first word or command of a script, and the gap behind it."""
    end = _past_blanks(source, span.end, line.end)
    if source[end : line.end].strip(_BLANKS) == escape:
        follow = _line_end(source, line.end)
        start = _past_blanks(source, follow, len(source))
        if source[start : start + 1] not in ("#", "\r", "\n", ""):
            end = start
    return (Edit(Span(span.start, end), ""),)


def _line_end(source: str, at: int) -> int:
    """The offset behind the line end at ``at``."""
    found = source.find("\n", at)
    return len(source) if found < 0 else found + 1


def _cut_last(source: str, line: Span, within: Span, escape: str) -> tuple[Edit, ...] | None:
    """Take out the last line of a continued instruction and the continuation that led to it."""
    gone = [Span(_before_line_end(source, line.start), line.end)]
    at = line.start
    while at > within.start:
        above = line_around(source, Span(at - 1, at - 1))
        text = source[above.start : above.end]
        at = above.start
        if text.strip(_BLANKS) == escape:  # a continuation on a line of its own
            gone.append(Span(_before_line_end(source, above.start), above.end))
        elif is_comment(text) or is_blank(text):
            continue  # its backslash continues nothing
        elif continues(text, escape):
            bare = text.rstrip(_BLANKS)[: -len(escape)].rstrip(_BLANKS)
            gone.append(Span(above.start + len(bare), above.end))
            return tuple(Edit(span, "") for span in _joined(gone))
        else:
            return (Edit(Span(line.start, _line_end(source, line.end)), ""),)
    return None


def _joined(spans: list[Span]) -> list[Span]:
    """Spans that meet made one."""
    made: list[Span] = []
    for span in sorted(spans):
        if made and made[-1].end >= span.start:
            made[-1] = Span(made[-1].start, span.end)
        else:
            made.append(span)
    return made


def _before_line_end(source: str, line_start: int) -> int:
    """The offset at which the line end before ``line_start`` begins."""
    at = line_start - 1
    return at - 1 if at > 0 and source[at - 1] == "\r" else at


def _holds_comment(source: str, span: Span) -> bool:
    lines = source[span.start : span.end].split("\n")
    return any(is_comment(line) for line in lines[1:])


def cut_element(
    source: str, words: Sequence[ShellWord], word: ShellWord
) -> tuple[Edit, ...] | None:
    """Take an element out of a JSON array, with the comma before it."""
    at = next((i for i, one in enumerate(words) if one.span == word.span), 0)
    if at == 0 or "\n" in source[words[at - 1].span.end : word.span.start]:
        return None
    return (Edit(Span(words[at - 1].span.end, word.span.end), ""),)


_WEAK = {None, ";", "\n"}


def command_region(source: str, command: Command) -> Span | None:
    """What goes with a command that is taken out of its list: it, and one separator.

    The tighter of the two goes: ``a; x && b`` becomes ``a; b``. None where it stands in a
    pipeline, decides a condition or a ``||``, is alone in its list, or has a comment beside it.
    """
    before = command.before.operator if command.before else None
    after = command.after.operator if command.after else None
    if command.negated or (before is None and after is None):
        return None
    if command.context and command.context[-1] in ("if", "while"):
        return None
    if before == "&&" and (after in _WEAK or after in ("&&", "||")):
        regions = [_with_before(command)]
        if after == "&&":
            regions.append(_with_after(command))
    elif before in _WEAK and after == "&&":
        regions = [_with_after(command)]
    elif before in _WEAK and after in _WEAK:
        first = before in (None, "\n")
        regions = [_with_after(command) if first else _with_before(command)]
    else:
        return None
    return next((region for region in regions if not _holds_comment(source, region)), None)


def merged(source: str, regions: Sequence[Span], escape: str) -> list[Span]:
    """Regions in order; those with nothing but continuations between them as one."""
    made: list[Span] = []
    for region in sorted(set(regions)):
        gap = source[made[-1].end : region.start] if made else ""
        if made and not gap.replace(escape, "").replace("\\", "").strip(" \t\r\n"):
            made[-1] = Span(made[-1].start, max(made[-1].end, region.end))
        else:
            made.append(region)
    return made


def _with_before(command: Command) -> Span:
    """A command and the separator before it; a line end is left to ``cut``."""
    before = command.before
    if before is None or before.operator == "\n":
        return command.span
    return Span(before.span.start, command.span.end)


def _with_after(command: Command) -> Span:
    after = command.after
    if after is None or after.operator == "\n":
        return command.span
    return Span(command.span.start, after.span.end)
