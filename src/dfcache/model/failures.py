"""Whether a step fails where one of its commands does: what a shell makes of a failure.

Only shapes that are certain are told; after a fallback (``a || b``) or in a loop that tries
again, nothing is said. source: POSIX, Shell Command Language, 2.9.3 Lists and 2.14 ``set``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dfcache.model.build import Build, RunStep, per_build
from dfcache.model.invocations import Invocation
from dfcache.model.shelloptions import shell_option, starter
from dfcache.model.uses import ToolUse
from dfcache.parser.script import Command, Separator
from dfcache.record import record, replace
from dfcache.text import Span

_SAYS = frozenset(("true", ":", "echo", "printf", "cat"))
_BRANCHES = frozenset(("if", "then", "else"))
_TRIALS = frozenset(
    "-s --simulate --just-print --dry-run --recon --no-act --print-uris --print-only".split()
)


@record
class Hidden:
    """A use of a package manager whose failure does not fail its step.

    ``how`` is "or" (``|| true``), "exit" (``; true`` at the end), "later" (a command behind it
    decides), "exempt" (the same with ``set -e``, which looks past commands before ``&&``), "pipe",
    "background", "condition" (``if ! pip install …``) or "negated". ``span`` is what hides it, and
    ``text`` that as it is written. ``asked`` is True where somebody must have meant to hide it.
    ``last`` is the command that hides it, ``meant`` the one that it stands behind where that is
    not the install, and ``ends`` tells that the step is over there. ``cut`` is what to take out so
    that it hides nothing; None where that is more than a few words. ``uses`` are all whose failure
    the same thing hides, ``use`` the first of them.
    """

    use: ToolUse
    how: str
    span: Span
    text: str
    asked: bool
    last: Command | None = None
    cut: Span | None = None
    meant: str = ""
    ends: bool = True
    uses: tuple[ToolUse, ...] = ()

    def hides(self, use: ToolUse) -> bool:
        """Whether the failure of ``use`` is among what is hidden."""
        return any(each is use for each in self.uses)


@per_build
def hidden(build: Build, step: RunStep) -> tuple[Hidden, ...]:
    """The installs of ``step`` whose failure is hidden, the first for each thing that hides."""
    if step.script.opaque:
        return ()
    found: dict[Span, list[Hidden]] = {}
    for use in step.uses:
        if _installs(use):
            each = _Fate(build, step, use).hidden()
            if each is not None:
                found.setdefault(each.span, []).append(each)
    return tuple(replace(same[0], uses=tuple(each.use for each in same)) for same in found.values())


def _installs(use: ToolUse) -> bool:
    trial = any(option.name in _TRIALS for option in use.options)
    return use.spec.effect == "downloads" and use.spec.operands != "program" and not trial


class _Fate:
    """Follows the failure of one command to the end of the script."""

    def __init__(self, build: Build, step: RunStep, use: ToolUse) -> None:
        self.step = step
        self.use = use
        self.all = step.script.commands
        self.source = build.dockerfile.source
        self.made = {id(made.command): made for made in step.invocations}
        self.exempt = False
        self.tries = False

    def hidden(self) -> Hidden | None:
        command = self.use.invocation.command
        rest = self.source[command.span.end : self.step.outer.span.end]
        if "$?" in rest or "PIPESTATUS" in rest or "function" in command.context:
            return None
        if any(name in command.context for name in ("while", "substitution")):
            return None
        return self.fails(command)

    # The command itself, then what stands behind it

    def fails(self, command: Command) -> Hidden | None:
        if "background" in command.context:
            waits = any(self.program(each) == "wait" and each.words[1:] for each in self.all)
            return None if waits else self.told("background", command.span, "&", True)
        if command.negated and command.context[-1:] != ("if",):
            return self.told("negated", command.prefixes[0] if command.prefixes else command.span)
        if command.after and command.after.operator in ("|", "|&"):
            return self.piped(command)
        return self.behind(command, command.after)

    def behind(self, command: Command, after: Separator | None) -> Hidden | None:
        """``command``, or what ends there, failed; ``after`` is what stands behind it."""
        if after is None:
            return self.above(command, self.index(command), command.context)
        operator = after.operator
        if operator == "&&":
            return self.skipped(command, after)
        if operator == "||":
            return self.rescued(command, after)
        return self.passed_by(command, after)

    def skipped(self, command: Command, after: Separator) -> Hidden | None:
        """Past what ``&&`` leaves out."""
        self.exempt = True
        follow = self.follow(command)
        if follow is None:
            return self.above(command, self.index(command), command.context)
        if follow.before and follow.before.span != after.span:
            if not self.single(self.between(command, follow)) or follow.before.operator == "|&":
                return None
            if follow.before.operator != "|":  # else it is of the pipeline that is left out
                return self.onto(follow)
        return self.left_out(follow)

    def left_out(self, command: Command) -> Hidden | None:
        """Past a command, and what it pipes into, that does not run."""
        if self.program(command) in ("break", "exit", "return"):
            self.tries = True
        while command.after and command.after.operator in ("|", "|&"):
            follow = self.follow(command)
            if follow is None or not follow.before or follow.before.span != command.after.span:
                return None
            command = follow
        return self.behind(command, command.after)

    def onto(self, follow: Command) -> Hidden | None:
        """The failure meets what stands before ``follow``, a later command of a list."""
        before = follow.before
        if before is None:
            return None
        if before.operator in ("|", "|&"):
            return self.piped(follow, before)
        if before.operator == "&&":
            self.exempt = True
            return self.left_out(follow)
        if before.operator == "||":
            return self.rescue(follow, before)
        return self.passed_by(follow, before)

    def rescued(self, command: Command, after: Separator) -> Hidden | None:
        """What stands behind ``||`` runs."""
        follow = self.follow(command)
        if follow is not None and follow.before and follow.before.span == after.span:
            return self.rescue(follow, after)
        inner = self.between(command, follow)
        if not inner or len({each.list_id for each in inner}) > 1:
            return None
        if inner[0].context not in ((*command.context, "group"), (*command.context, "subshell")):
            return None
        if not self.calm(inner):
            return None
        if follow is not None and self.gives_up(follow):
            return None
        start, end = after.span.start, inner[-1].span.end
        return self.told("or", Span(start, end), f"|| {inner[-1].words[0].value} …", True)

    def rescue(self, command: Command, before: Separator) -> Hidden | None:
        after = command.after.operator if command.after else ""
        if not self.calm([command]) or after in ("|", "|&"):
            return None
        follow = self.follow(command)
        if after == "&&" and follow is not None and self.gives_up(follow):
            return None
        span = Span(before.span.start, command.span.end)
        text = " ".join(word.raw for word in command.words) or command.assignments[0].name + "="
        text = text if len(text) <= 24 else f"{text[:24].rstrip()} …"
        found = self.told("or", span, f"|| {text}", True, command, None if self.exempt else span)
        return replace(found, meant=self.meant(before), ends=self.is_end(command))

    def meant(self, before: Separator) -> str:
        """The program right before ``||``, where it is not the install."""
        if not self.exempt:
            return ""
        earlier = [each for each in self.all if each.span.end <= before.span.start and each.words]
        return max(earlier, key=lambda each: each.span.end).words[0].value if earlier else ""

    def gives_up(self, command: Command) -> bool:
        return self.verdict(command) is False

    def passed_by(self, command: Command, after: Separator) -> Hidden | None:
        """What stands behind ``;`` or a line end runs, whatever happened."""
        option = shell_option(self.step, "errexit", command)
        if option and not self.exempt:
            return None
        mine = [each for each in self.all if each.list_id == command.list_id]
        if self.tries or any(self.program(each) == "break" for each in mine):
            return None  # what follows is there for a failure
        last = mine[-1]
        meant = self.verdict(last) is True and self.program(last) not in ("echo", "printf", "cat")
        if meant and not last.after and last.before and last.before.operator in (";", "\n"):
            return self.ended(last, last.before, after)
        span = self.use.span
        how = "exempt" if option else "later"
        return self.told(how, span, "set +e" if option is False else "", option is False, last)

    def ended(self, last: Command, before: Separator, after: Separator) -> Hidden | None:
        text = " ".join(word.raw for word in last.words)
        if last.context or not self.is_end(last):
            return self.told("later", self.use.span, "", False, last)
        rest = self.source[last.span.end : self.step.outer.span.end]
        end = (
            last.span.end + len(rest) - len(rest.lstrip("; \t"))
            if rest[:1] == ";"
            else last.span.end
        )
        span = Span(before.span.start, end)
        clean = after.span == before.span and not self.exempt
        return self.told("exit", last.span, text, True, last, span if clean else None)

    def piped(self, command: Command, before: Separator | None = None) -> Hidden | None:
        """The status of a pipeline is that of its last command."""
        if shell_option(self.step, "pipefail", command):
            return None
        last = command if before else self.follow(command)
        if last is None:
            return None
        while last.after and last.after.operator in ("|", "|&"):
            follow = self.follow(last)
            if follow is None:
                return None
            last = follow
        first = before or command.after
        if first is None:
            return None
        name = self.program(last) or "…"
        return self.told("pipe", Span(first.span.start, last.span.end), f"| {name}", False, last)

    # Constructs

    def above(self, command: Command, at: int, context: tuple[str, ...]) -> Hidden | None:
        """A list within ``context`` ended in failure; ``at`` is where ``command`` stands."""
        if not context:
            return None
        inner = context[-1]
        if inner == "if":
            return self.decided(command)
        if inner == "shell":
            outer = starter(self.step.script, command)
            self.exempt = False
            return self.fails(outer) if outer is not None else None
        if inner not in ("subshell", "group", "then", "else", "loop", "case"):
            return None
        if inner == "subshell":
            self.exempt = False  # the shell around it sees a command that fails
        depth = len(context)
        for each in self.all[at + 1 :]:
            if each.context[: depth - 1] != context[:-1]:
                break
            if len(each.context) >= depth:
                continue
            if each.before is None:
                break
            return self.onto(each)
        return self.above(command, at, context[:-1])

    def decided(self, command: Command) -> Hidden | None:
        """It is the condition of an ``if``: the branch for failure has only something to say."""
        if command.before or command.after:
            return None
        around = command.context[:-1]
        branches: dict[str, list[Command]] = {"then": [], "else": []}
        for each in self.all[self.index(command) + 1 :]:
            if each.context[: len(around)] != around or len(each.context) == len(around):
                break
            kind = each.context[len(around)]
            if kind == "if":
                return None
            if kind not in branches or (kind == "then" and branches["else"]):
                break
            branches[kind].append(each)
        taken = branches["then" if command.negated else "else"]
        text = self.source[command.span.end : self.step.outer.span.end].partition("fi")[0]
        if not taken and (command.negated or re.search(r"\b(else|elif)\b", text)):
            return None
        if taken and not self.calm(taken):
            return None
        return self.told("condition", self.use.span, "if", True)

    # Questions about commands

    def told(
        self,
        how: str,
        span: Span,
        text: str = "",
        asked: bool = False,
        last: Command | None = None,
        cut: Span | None = None,
    ) -> Hidden:
        return Hidden(self.use, how, span, text, asked, last, cut)

    def index(self, command: Command) -> int:
        return next(at for at, each in enumerate(self.all) if each is command)

    def follow(self, command: Command) -> Command | None:
        """The next simple command of the same list."""
        later = self.all[self.index(command) + 1 :]
        return next((each for each in later if each.list_id == command.list_id), None)

    def between(self, command: Command, follow: Command | None) -> list[Command]:
        """The commands of the constructs between two commands of a list."""
        at = self.index(command) + 1
        end = self.index(follow) if follow is not None else len(self.all)
        depth = len(command.context)
        found = []
        for each in self.all[at:end]:
            if each.context[:depth] != command.context or len(each.context) == depth:
                break
            if not command.span.covers(each.span):  # not the script that it runs
                found.append(each)
        return found

    def single(self, inner: Sequence[Command]) -> bool:
        """Whether these are surely of one construct."""
        lists = {each.list_id: each.context[-1] for each in inner}
        kinds = list(lists.values())
        return len(kinds) == 1 or (set(kinds) <= _BRANCHES and kinds.count("if") == 1)

    def program(self, command: Command) -> str | None:
        made: Invocation | None = self.made.get(id(command))
        return made.program if made is not None else None

    def verdict(self, command: Command) -> bool | None:
        """Whether a command always succeeds (True) or always fails (False)."""
        if not command.words:
            plain = command.assignments and all(each.value.literal for each in command.assignments)
            return True if plain else None
        name = self.program(command)
        if name in ("exit", "return"):
            return len(command.words) == 2 and command.words[1].value == "0"
        if name == "false":
            return False
        return True if name in _SAYS and not command.negated else None

    def calm(self, commands: Sequence[Command]) -> bool:
        """Whether these commands have something to say, and then succeed."""
        return all(self.verdict(each) is True for each in commands)

    def is_end(self, command: Command) -> bool:
        return not any(each.span.start >= command.span.end for each in self.all)
