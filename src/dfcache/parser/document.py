"""From the text of a file to the tree: physical lines, comments, joining, here-documents."""

from __future__ import annotations

from dfcache.parser.arguments import Parts, read
from dfcache.parser.chars import BOM, SPACE, encode
from dfcache.parser.directives import directive
from dfcache.parser.heredocs import Opening, openings
from dfcache.parser.lexer import LexError
from dfcache.parser.lines import Joined
from dfcache.parser.tree import (
    Directive,
    Dockerfile,
    Gap,
    Heredoc,
    Instruction,
    Item,
    Problem,
    Trivia,
)
from dfcache.text import Span

# Bytes before a line feed; a longer line is the end of the file to BuildKit.
_LONGEST = 65_535
# ONBUILD within ONBUILD is refused anyway; a line of nothing else must not fill the memory.
_DEEPEST = 100
_TAKES_HEREDOCS = ("RUN", "COPY", "ADD")


def parse(source: str) -> Dockerfile:
    """Read a Dockerfile as BuildKit reads it.

    ``source`` is the file's text, decoded so that every byte survives (``decode``).
    Never raises: what BuildKit refuses is told in ``problems`` (the first refusal, as
    BuildKit stops there), and after one of stage "parse" the rest is one unread gap.
    """
    return _Reader(source).dockerfile()


class _Reader:
    """Reads one file. ``lines`` are without line feeds, ``starts`` has one more entry."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.lines = source.split("\n")
        if not self.lines[-1]:
            self.lines.pop()
        self.items: list[Item] = []
        self.starts = [0]
        at = 0
        for line in self.lines:
            at += len(line) + 1
            self.starts.append(at)
        self.starts[-1] = len(source)
        self.too_long = len(source) > _LONGEST // 4 and self.stop_at_long_line()
        if self.lines and self.lines[0].startswith(BOM):
            self.lines[0] = self.lines[0][1:]
            self.starts[0] = 1
            self.items.append(Gap(Trivia.BOM, Span(0, 1)))
        self.escape = "\\"
        self.expecting = True  # directives may still come
        self.directives: list[Directive] = []
        self.comments: list[str] = []
        self.problem: Problem | None = None
        self.warnings: list[tuple[int, str]] = []

    def stop_at_long_line(self) -> bool:
        """Forget what BuildKit does not read; tell whether there is any."""
        for index, line in enumerate(self.lines):
            if len(line) > _LONGEST // 4 and len(encode(line)) > _LONGEST:
                del self.lines[index:]
                del self.starts[index + 1 :]
                return True
        return False

    def dockerfile(self) -> Dockerfile:
        index = 0
        while index < len(self.lines) and self.problem is None:
            text = self.lines[index].rstrip("\r")
            stripped = text.lstrip(SPACE)
            if not stripped:
                self.expecting = False
                index = self.gap(Trivia.BLANK, index)
            elif stripped[0] == "#":
                index = self.comment(index, text, stripped)
            else:
                self.expecting = False
                index = self.instruction(index, text, stripped)
        if self.starts[index] < len(self.source):
            self.items.append(Gap(Trivia.UNREAD, Span(self.starts[index], len(self.source))))
        if self.problem is None:
            self.finish()
        return Dockerfile(
            self.source,
            self.escape,
            tuple(self.directives),
            tuple(self.items),
            (self.problem,) if self.problem else (),
            tuple(self.warnings),
        )

    def finish(self) -> None:
        """What can only be said at the end of the file."""
        count = len(self.lines)
        where = Span(self.starts[count], len(self.source))
        found = [item for item in self.items if isinstance(item, Instruction)]
        if not found:
            self.problem = Problem("file with no instructions", where, "parse", (count,))
        elif self.too_long:
            message = f"dockerfile line greater than max allowed size of {_LONGEST}"
            self.problem = Problem(message, where, "parse", (count,))
        else:
            from dfcache.parser.validity import first_refusal

            self.problem = first_refusal(found)

    def gap(self, kind: Trivia, index: int) -> int:
        span = Span(self.starts[index], self.starts[index + 1])
        if span:  # not so after a byte order mark that is the whole file
            self.items.append(Gap(kind, span))
        return index + 1

    def comment(self, index: int, text: str, stripped: str) -> int:
        """A comment or a directive; the next line's index, or the same after a refusal."""
        found = directive(stripped) if self.expecting else None
        if found is None:
            self.expecting = False
            self.remember(text)
            return self.gap(Trivia.COMMENT, index)
        name, value = found
        end = self.starts[index] + len(text)
        span = Span(end - len(stripped), end)
        if any(name == earlier.name for earlier in self.directives):
            self.refuse_line(f"only one {name} parser directive can be used", span, index)
            return index
        if name == "escape":
            if value not in ("\\", "`"):
                message = f"invalid escape token '{value}' does not match ` or \\"
                self.refuse_line(message, span, index)
                return index
            self.escape = value
        self.directives.append(Directive(name, value, span))
        return self.gap(Trivia.DIRECTIVE, index)

    def refuse_line(self, message: str, span: Span, index: int) -> None:
        # BuildKit names the line before the one it means.
        self.problem = Problem(message, span, "parse", (index,))

    def remember(self, text: str) -> None:
        """Keep a comment for the next instruction; an empty one clears the list."""
        # BuildKit drops the line's first byte, whatever it is.
        shown = text[1:] if text[0] < "\x80" else _without_first_byte(text)
        shown = shown.strip(SPACE)
        if shown:
            self.comments.append(shown)
        else:
            self.comments.clear()

    def instruction(self, first: int, text: str, stripped: str) -> int:
        """Read an instruction; the index of the line after it."""
        line, index = self.join(first, text, stripped)
        levels = [read(line, 0, len(line.value), self.escape)]
        while levels[-1].name == "ONBUILD" and len(levels) < _DEEPEST:
            outer = levels[-1]
            if outer.start == outer.end:
                break
            levels.append(read(outer.rest, outer.start, outer.end, self.escape))
        heredocs: tuple[Heredoc, ...] = ()
        message = levels[-1].problem
        end = index
        if message is None and "<<" in line.value and _takes_heredocs(levels):
            try:
                found = openings(line.value)
            except LexError as error:
                message = str(error)
            else:
                heredocs, index, message = self.bodies(found, line, index)
                end = index if message is None else end
        tree = self.build(levels, heredocs, first, end)
        self.items.append(tree)
        self.comments.clear()
        if message is not None:
            lines = tuple(range(first + 1, index + 1))
            self.problem = Problem(message, tree.span, "parse", lines)
        return end

    def join(self, first: int, text: str, stripped: str) -> tuple[Joined, int]:
        """The joined line that begins at line ``first``, and the index of the line after it."""
        index = first + 1
        offset = self.starts[first] + len(text) - len(stripped)
        cut = self.cut(stripped)
        if cut < 0:
            return Joined(stripped, [0], [offset]), index
        parts = [stripped[:cut]]
        starts, offsets = [0], [offset]
        size = cut
        empty = False
        while cut >= 0 and index < len(self.lines):
            text = self.lines[index].rstrip("\r")
            index += 1
            stripped = text.lstrip(SPACE)
            if not stripped:
                empty = True
                continue
            if stripped[0] == "#":
                continue
            cut = self.cut(text)
            piece = text if cut < 0 else text[:cut]
            if starts[-1] == size:
                # Nothing stands in the piece before: this one takes its place.
                offsets[-1] = self.starts[index - 1]
            else:
                starts.append(size)
                offsets.append(self.starts[index - 1])
            parts.append(piece)
            size += len(piece)
        value = "".join(parts)
        if starts[-1] == size and len(starts) > 1:
            starts.pop()
            offsets.pop()
        if empty:
            self.warnings.append((index, f"Empty continuation line found in: {value}"))
        return Joined(value, starts, offsets), index

    def cut(self, text: str) -> int:
        """Where the text of a line that continues ends; -1 if it doesn't continue."""
        text = text.rstrip(" \t")
        if not text.endswith(self.escape):
            return -1
        last = len(text) - 1
        return -1 if last and text[last - 1] == self.escape else last

    def bodies(
        self, found: list[Opening], line: Joined, index: int
    ) -> tuple[tuple[Heredoc, ...], int, str | None]:
        """The here-documents from line ``index`` on, the index after them, and what is wrong."""
        heredocs: list[Heredoc] = []
        for opening in found:
            first = index
            while True:
                if index >= len(self.lines):
                    return tuple(heredocs), index, "unterminated heredoc"
                text = self.lines[index].rstrip("\r")
                index += 1
                if opening.chomp:
                    text = text.lstrip("\t")
                if text == opening.name:
                    break
            body = Span(self.starts[first], self.starts[index - 1])
            last = self.starts[index - 1] + len(self.lines[index - 1].rstrip("\r"))
            heredocs.append(
                Heredoc(
                    opening.name,
                    opening.fd,
                    opening.expand,
                    opening.chomp,
                    self.source[body.start : body.end],
                    line.span(opening.start, opening.end),
                    body,
                    Span(body.end, last),
                )
            )
        return tuple(heredocs), index, None

    def build(
        self, levels: list[Parts], heredocs: tuple[Heredoc, ...], first: int, end: int
    ) -> Instruction:
        """The instruction, with the chain of its ONBUILD children."""
        child: Instruction | None = None
        for depth in range(len(levels) - 1, -1, -1):
            parts = levels[depth]
            line = parts.line
            if depth:
                outer = levels[depth - 1]
                original = line.value[outer.start : outer.end]
                last = heredocs[-1].end_span.end if heredocs and depth == 1 else 0
                span = line.span(outer.start, outer.end)
                span = Span(span.start, max(span.end, last))
            else:
                original = line.value
                span = Span(self.starts[first], self.starts[end])
            child = Instruction(
                span,
                parts.keyword,
                line.span(parts.keyword_start, parts.keyword_start + len(parts.keyword)),
                parts.name,
                original,
                parts.flags,
                parts.rest.text(parts.start, parts.end),
                parts.words,
                parts.form,
                heredocs if depth < 2 else (),
                child,
                () if depth else tuple(self.comments),
                first + 1,
                end,
                parts.opaque,
            )
        assert child is not None
        return child


def _takes_heredocs(levels: list[Parts]) -> bool:
    """Whether here-documents are looked for: in RUN, COPY and ADD, also right inside ONBUILD."""
    inner = levels[1] if len(levels) > 1 else levels[0]
    return inner.name in _TAKES_HEREDOCS and inner.form != "exec"


def _without_first_byte(text: str) -> str:
    head = encode(text[0])[1:].decode("utf-8", "surrogateescape")
    return head + text[1:]
