"""Proves, before anything is written, that a fix left the build as it was but for what it says.

Every pass of a fix is held against the tree before it: the same stages, the same
instructions in the same order, the same flags and words in each, less what the fixes
declare dropped, plus what they declare added, with only those instructions elsewhere that
they declare moved. Every other comment is still there. Layout may change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from dfcache.engine.essence import compare, tokens, words
from dfcache.engine.fix import Pass
from dfcache.engine.suppressions import comment_lines
from dfcache.parser.tree import Dockerfile, Gap, Heredoc, Instruction, Piece, Text, Trivia
from dfcache.record import record
from dfcache.text import Edit, Span

_BLANK = " \t\v\f\r\n"


class VerifyError(Exception):
    """A fix changed more than it says. ``names`` are the rules of the pass it happened in."""

    def __init__(self, message: str, names: tuple[str, ...]) -> None:
        super().__init__(message)
        self.names = names


def verify(passes: Iterable[Pass]) -> None:
    """Raise VerifyError where a pass changed what it does not declare, or the witness objects."""
    from dfcache.engine.witness import contradicts

    for number, each in enumerate(passes):
        names = tuple(sorted({finding.name for finding in each.applied}))
        wrong = None
        if number == 0:
            wrong = contradicts(each.before)
        wrong = wrong or _changed(each) or contradicts(each.after)
        if wrong:
            raise VerifyError(wrong, names)


@record
class _Allowed:
    """What the fixes of a pass declare, their edits in order, and the texts around them."""

    edits: tuple[Edit, ...]
    dropped: tuple[Span, ...]
    moved: tuple[Span, ...]
    added: tuple[str, ...]
    sources: tuple[str, str]

    def place(self, offset: int) -> int | None:
        """Where the character at ``offset`` stands after the edits; None if it was deleted."""
        shift = 0
        for edit in self.edits:
            if edit.span.end <= offset:
                shift += len(edit.text) - len(edit.span)
            elif edit.span.start <= offset:
                return None
        return offset + shift

    @property
    def inserted(self) -> tuple[Span, ...]:
        """Where, after the edits, the text stands that they put there."""
        found = []
        shift = 0
        for edit in self.edits:
            start = edit.span.start + shift
            found.append(Span(start, start + len(edit.text)))
            shift += len(edit.text) - len(edit.span)
        return tuple(found)

    def moves(self, instruction: Instruction) -> bool:
        start = instruction.keyword_span.start
        return any(span.start <= start < span.end for span in self.moved)

    def drops(self, span: Span) -> bool:
        return any(each.covers(span) for each in self.dropped)


def _changed(each: Pass) -> str | None:
    fixes = each.fixes
    allowed = _Allowed(
        tuple(sorted({edit for fix in fixes for edit in fix.edits})),
        tuple(sorted({span for fix in fixes for span in fix.declared.dropped})),
        tuple(sorted({span for fix in fixes for span in fix.declared.moved})),
        tuple(text for fix in fixes for text in fix.declared.added),
        (each.before.source, each.after.source),
    )
    pool = Counter(word for text in allowed.added for word in words(text))
    declared = Counter(pool)
    wrong = (
        _frame(each.before, each.after, allowed, pool)
        or _instructions(each.before, each.after, allowed, pool)
        or _comments(each.before, each.after, allowed)
    )
    if wrong:
        return wrong
    unused = next((word for word in declared if pool[word] == declared[word]), None)
    return f"{unused!r} is declared as added and isn't there" if unused else None


def _frame(
    before: Dockerfile, after: Dockerfile, allowed: _Allowed, pool: Counter[str]
) -> str | None:
    """What surrounds the instructions: problems, byte order mark, line ends, directives."""
    if after.problems:
        return after.problems[0].message
    if len(after.warnings) > len(before.warnings):
        return after.warnings[-1][1]
    if before.source.startswith("\ufeff") != after.source.startswith("\ufeff"):
        return "the byte order mark comes or goes"
    if before.escape != after.escape:
        return "the escape character changed"
    if "\r\n" in before.source and not _bare(before.source) and _bare(after.source):
        return "a line end without a carriage return appears"
    kept = [(each.name, each.value) for each in before.directives if not _cut(each.span, allowed)]
    for each in after.directives:
        if (each.name, each.value) in kept:
            kept.remove((each.name, each.value))
        elif not _take(pool, f"# {each.name}={each.value}"):
            return f"the directive {each.name}={each.value} appears"
    return f"the directive {kept[0][0]}={kept[0][1]} is gone" if kept else None


def _instructions(
    before: Dockerfile, after: Dockerfile, allowed: _Allowed, pool: Counter[str]
) -> str | None:
    there = {each.keyword_span.start: each for each in after.instructions}
    stages = _stages(after)
    moved: list[tuple[Instruction, int]] = []
    for old, stage in _stages(before).values():
        new = _stayed(old, there, allowed, pool)
        if new is not None:
            wrong = _compare(old, new, allowed, pool)
            if wrong:
                return f"{old.keyword} in line {old.start_line}: {wrong}"
            del there[new.keyword_span.start]
        elif old.name == "FROM":
            return f"FROM in line {old.start_line} is gone"
        elif allowed.moves(old):
            moved.append((old, stage))
        elif not _vanishes(old, allowed):
            return f"{old.keyword} in line {old.start_line} is gone"
    for start, new in there.items():
        wrong = _elsewhere(new, stages[start][1], moved, allowed, pool)
        if wrong:
            return wrong
    return f"{moved[0][0].keyword} in line {moved[0][0].start_line} is gone" if moved else None


def _stayed(
    old: Instruction, there: dict[int, Instruction], allowed: _Allowed, pool: Counter[str]
) -> Instruction | None:
    """The instruction that stands where the edits leave ``old``, unless ``old`` moved away."""
    place = allowed.place(old.keyword_span.start)
    new = there.get(place) if place is not None else None
    if new is None or new.name != old.name:
        return None
    if allowed.moves(old) and _compare(old, new, allowed, Counter(pool)):
        return None
    return new


def _elsewhere(
    new: Instruction,
    stage: int,
    moved: list[tuple[Instruction, int]],
    allowed: _Allowed,
    pool: Counter[str],
) -> str | None:
    """An instruction that stood elsewhere or nowhere: found among ``moved``, or declared."""
    for each in moved:
        trial = Counter(pool)
        old, home = each
        if home == stage and old.name == new.name and not _compare(old, new, allowed, trial):
            moved.remove(each)
            pool.clear()
            pool.update(trial)
            return None
    if new.name != "FROM" and not new.heredocs and _take(pool, new.original):
        return None
    return f"{new.original!r} appears"


def _compare(
    old: Instruction, new: Instruction, allowed: _Allowed, pool: Counter[str]
) -> str | None:
    if old.original == new.original and old.heredocs == new.heredocs == () and not allowed.dropped:
        return None
    if new.opaque and not old.opaque:
        return new.opaque
    if old.keyword != new.keyword or old.form != new.form:
        return f"{old.keyword} ({old.form} form) became {new.keyword} ({new.form} form)"
    kept = [each.text for each in old.flags if not allowed.drops(each.span)]
    for flag in new.flags:
        if kept and kept[0] == flag.text:
            kept.pop(0)
        elif not _take(pool, flag.text):
            return f"{flag.text!r} appears"
    if kept:
        return f"{kept[0]!r} is gone"
    return (
        _words(old.rest, new.rest, allowed, pool)
        or _heredocs(old, new, allowed, pool)
        or _unread(old, new, allowed)
    )


def _words(
    old: Text, new: Text, allowed: _Allowed, pool: Counter[str], lines: bool = False
) -> str | None:
    """What differs in a row of words.

    Where a fix repeats words that are there, which of them are the new ones is told by its edits;
    where it moves some, by the words alone. Either way the same words are accounted for.
    """
    row = tokens(old, allowed.dropped, lines)
    wrong = None
    for inserted in ((), allowed.inserted):
        trial = Counter(pool)
        found = compare(row, tokens(new, inserted, lines), trial)
        if found is None:
            pool.clear()
            pool.update(trial)
            return None
        wrong = wrong or found
    return wrong


def _unread(old: Instruction, new: Instruction, allowed: _Allowed) -> str | None:
    """Why the shell text of ``new`` can't be read where that of ``old`` could."""
    if old.name != "RUN":
        return None
    from dfcache.parser.scripts import DEFAULT_SHELL, script

    before = script(old, DEFAULT_SHELL, allowed.sources[0])
    after = script(new, DEFAULT_SHELL, allowed.sources[1])
    if len(after.opaque) > len(before.opaque):
        return f"its shell text can't be read any more: {after.opaque[-1].reason}"
    return None


def _heredocs(
    old: Instruction, new: Instruction, allowed: _Allowed, pool: Counter[str]
) -> str | None:
    first, second = _bodies(old), _bodies(new)
    if [_head(each) for each in first] != [_head(each) for each in second]:
        return "its here-documents changed"
    script = "RUN" in (old.name, old.child.name if old.child else "")
    for one, two in zip(first, second, strict=True):
        if one.body == two.body:
            continue
        if not script:
            return f"the text of <<{one.name} changed"
        wrong = _words(_raw(one), _raw(two), allowed, pool, lines=True)
        if wrong:
            return wrong
    return None


def _comments(before: Dockerfile, after: Dockerfile, allowed: _Allowed) -> str | None:
    there = Counter(text for _, text in _all_comments(before=after))
    for span, text in _all_comments(before):
        if _cut(span, allowed):
            continue
        if there[text] <= 0:
            return f"the comment {text!r} is gone"
        there[text] -= 1
    return None


def _all_comments(before: Dockerfile) -> list[tuple[Span, str]]:
    source = before.source
    spans = []
    for item in before.items:
        if isinstance(item, Instruction):
            spans += [span for span, comment in comment_lines(source, item) if comment]
        elif isinstance(item, Gap) and item.kind is Trivia.COMMENT:
            spans.append(item.span)
    return [(span, source[span.start : span.end].strip(_BLANK)) for span in spans]


def _stages(dockerfile: Dockerfile) -> dict[int, tuple[Instruction, int]]:
    """Every instruction with the number of its stage, by where its keyword starts."""
    stage = -1
    found = {}
    for each in dockerfile.instructions:
        stage += each.name == "FROM"
        found[each.keyword_span.start] = each, stage
    return found


def _vanishes(old: Instruction, allowed: _Allowed) -> bool:
    """Whether every flag and word of it is declared as dropped."""
    row = tokens(old.rest, allowed.dropped)
    return allowed.drops(
        Span(old.keyword_span.start, old.rest.span(0, len(old.rest.value)).end)
    ) or (
        all(each.dropped or each.operator for each in row)
        and any(each.dropped for each in row)
        and not old.heredocs
    )


def _bodies(instruction: Instruction) -> tuple[Heredoc, ...]:
    return instruction.heredocs or (instruction.child.heredocs if instruction.child else ())


def _head(each: Heredoc) -> tuple[str, int, bool, bool]:
    return each.name, each.fd, each.expand, each.chomp


def _raw(each: Heredoc) -> Text:
    return Text(each.body, (Piece(0, each.body_span.start, len(each.body)),))


def _take(pool: Counter[str], text: str) -> bool:
    """Use up the words of ``text`` if all of them are there."""
    need = Counter(words(text))
    if any(pool[word] < count for word, count in need.items()):
        return False
    pool.subtract(need)
    return True


def _cut(span: Span, allowed: _Allowed) -> bool:
    return any(each.start < span.end and span.start < each.end for each in allowed.dropped)


def _bare(source: str) -> bool:
    """Whether a line ends without a carriage return."""
    return source.count("\n") != source.count("\r\n")
