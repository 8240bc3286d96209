"""The table of ``dfcache explain`` for a terminal: ASCII only, as wide as it has to be."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.model.explain import AGAIN, MAY, Change, Explanation, Line, worst
from dfcache.reporters.printable import printable, width

_WIDEST = 58
_MEANING = {
    "x": "runs again",
    "D": "runs again and downloads packages that no cache keeps",
    "?": "runs again if the stage it copies from then holds other files",
    "d": "as ?, and then downloads",
}
_COLORS = {"D": "31", "d": "31", "x": "33", "?": "33"}


def explained(path: str, context: str | None, explanation: Explanation, color: bool) -> str:
    """The whole text."""
    return "\n".join(_lines(path, context, explanation, color)) + "\n"


def mark(line: Line, given: str) -> str:
    """The letter for what a change does to a step."""
    letters = {AGAIN: "xD", MAY: "?d"}.get(given, "..")
    return letters[bool(line.lost)]


def kind(change: Change) -> str:
    """The name of a change, with what it is where that isn't plain."""
    what = {
        "argument": "build argument ",
        "volatile": "build argument ",
        "base": "base image ",
        "Dockerfile": "a comment in ",
    }
    return printable(what.get(change.kind, "") + change.title)


def _lines(path: str, context: str | None, explanation: Explanation, color: bool) -> Iterator[str]:
    where = f"context {context}" if context else "context not at hand"
    yield f"{printable(path)} ({printable(where)}): what runs again when this changes"
    yield ""
    digits = max((len(str(line.number)) for line in explanation.steps), default=1)
    wide = max((width(_text(line)) for line in explanation.steps), default=0)
    margin = " " * (digits + 2 + wide)
    for index, change in enumerate(explanation.changes):
        yield f"{margin}{'  |' * index}  {kind(change)}"
    stage = ""
    used = set()
    for row, line in enumerate(explanation.steps):
        if line.stage != stage:
            stage = line.stage
            yield f"{stage}:"
        letters = [mark(line, change.marks[row]) for change in explanation.changes]
        used.update(letters)
        cells = "".join(f"  {_paint(letter, color)}" for letter in letters)
        text = _text(line)
        yield f"{line.number:>{digits}}  {text}{' ' * (wide - width(text))}{cells}"
    yield ""
    yield from (f"{letter}  {said}" for letter, said in _MEANING.items() if letter in used)
    yield from (f"note: {printable(note)}" for note in explanation.notes)
    yield printable(worst(explanation))


def _text(line: Line) -> str:
    text = printable(line.brief)
    while width(text) > _WIDEST:
        text = text[: -4 if text.endswith("...") else -1].rstrip() + "..."
    return text


def _paint(letter: str, color: bool) -> str:
    return f"\x1b[{_COLORS[letter]}m{letter}\x1b[0m" if color and letter in _COLORS else letter
