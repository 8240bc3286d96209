"""Writing the version or the commit into a requirement; all else of it stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dfcache.fixes.plan import Plan
from dfcache.model.asked import Asked
from dfcache.model.build import Build
from dfcache.model.pins import Pin, pin
from dfcache.model.requirements import Requirement
from dfcache.text import Edit, Span

# Name and extras, what holds the version, and what may stand behind it.
_NAMED = r"""(?x)(?P<name>[A-Za-z0-9][\w.-]*(?:[ \t]*\[[^\]\n]*\])?)
        (?P<gap>[ \t]*)
        (?P<specifier>\([^)\n]*\)|[=<>!~][^;#\\\r\n]*?)?
        (?=[ \t]*(?:$|;|\r|\n|\\)|[ \t]+(?:\#|--))"""
_COMMIT = r"(git\+[^\s#@]*://(?:[^\s/@]*@)?[^\s#@]+)(@[^\s#]*)?"


class Pinning:
    """Pins while they are gathered: those ``entries`` that got one, and the ``sources`` of proof.

    ``refused`` says why requirements whose version is proved were left alone.
    """

    def __init__(self) -> None:
        self.plan = Plan()
        self.entries: list[Requirement] = []
        self.refused: list[str] = []
        self._proofs: list[Pin] = []

    @property
    def sources(self) -> tuple[str, ...]:
        """The files and folders that prove the versions."""
        return tuple(dict.fromkeys(proof.source for proof in self._proofs))

    def pinned(self, entry: Requirement, proof: Pin) -> None:
        """Note a pin and what proves it."""
        self.entries.append(entry)
        self._proofs.append(proof)

    def doubt(self) -> None:
        """Doubt the pins whose version is not certain to be what is installed without them."""
        sources = dict.fromkeys(proof.source for proof in self._proofs if not proof.certain)
        if sources:
            self.plan.doubt(
                f"builds may install other versions today than {' and '.join(sources)} holds"
            )


def pin_file(build: Build, one: Asked, file: str, entries: Iterable[Requirement]) -> Pinning:
    """Pin the requirements of a file whose version is proved."""
    text = build.context.read(file) or ""
    made = Pinning()
    for entry in entries:
        proof = pin(build, one, entry)
        edit = pin_line(text, entry, proof.value) if proof else None
        if proof and edit:
            made.plan.edits.append(edit)
            made.pinned(entry, proof)
    made.doubt()
    return made


def pin_command(build: Build, one: Asked, entries: Iterable[Requirement]) -> Pinning:
    """Pin the requirements of a command line whose version is proved."""
    made = Pinning()
    for entry in entries:
        proof = pin(build, one, entry)
        edited = pinned_text(entry.text, proof.value) if proof else None
        if proof and "upgrade" in one.flags and not proof.certain:
            made.refused.append(f"--upgrade asks for the newest {entry.name}")
        elif proof and edited:
            why = pin_word(build.dockerfile.source, one, entry, edited, made.plan)
            if why:
                made.refused.append(why)
            else:
                made.pinned(entry, proof)
    made.doubt()
    return made


def pin_line(text: str, entry: Requirement, version: str) -> Edit | None:
    """The edit of a requirements file, or None where the requirement can't be changed alone."""
    edit = _within(text, entry.span, version)
    written = text[edit.span.start : edit.span.end] if edit else ""
    return edit if written == entry.specifier else None


def fix_commit(text: str, entry: Requirement, commit: str) -> Edit | None:
    """As ``pin_line``, for the commit of a git repository."""
    found = re.compile(_COMMIT).search(text, entry.span.start, entry.span.end)
    if found is None or "$" in found[0]:
        return None
    return Edit(Span(found.end(1), found.end()), f"@{commit}")


def _within(text: str, span: Span, version: str) -> Edit | None:
    found = re.compile(_NAMED).match(text, span.start + _blanks(text, span), span.end)
    if found is None or "${" in text[span.start : span.end]:
        return None
    specifier = found["specifier"]
    if specifier is None:
        return Edit(Span(found.end("name"), found.end("name")), f"=={version}")
    blank = " " if re.match(r"[=<>!~]+[ \t]", specifier) else ""
    end = found.start("specifier") + len(specifier.rstrip(" \t"))
    return Edit(Span(found.start("specifier"), end), f"=={blank}{version}")


def _blanks(text: str, span: Span) -> int:
    part = text[span.start : span.end]
    return len(part) - len(part.lstrip(" \t"))


def pin_word(source: str, one: Asked, entry: Requirement, edited: str, plan: Plan) -> str:
    """Put ``edited`` in the place of a requirement of the command line; quotes stay.

    Returns why that can't be done, or "".
    """
    command = one.use.invocation.command
    word = next((each for each in command.words if each.span == entry.span), None)
    inner = _inner(source, word.span) if word else entry.span
    written = source[inner.start : inner.end]
    if word is None or not word.literal or written != word.value:
        return f"`{entry.text}` is not written out in the command"
    if set(written) & set("\"'`\\$;()&| \t\r\n"):
        return f"there is more to `{entry.text}` than a version"
    if any(each.span.start == word.span.end for each in command.redirects):
        return f"the shell takes what follows `{entry.text}` for a redirection: quote it"
    plan.edits.append(Edit(inner, edited))
    plan.dropped.append(inner)
    plan.added.append(edited)
    return ""


def _inner(source: str, span: Span) -> Span:
    """A word without the quotes around it."""
    text = source[span.start : span.end]
    if len(text) > 1 and text[0] in "'\"" and text[0] == text[-1]:
        return Span(span.start + 1, span.end - 1)
    return span


def pinned_text(text: str, version: str) -> str | None:
    """The requirement ``text`` with the version in it."""
    edit = _within(text, Span(0, len(text)), version)
    if edit is None:
        return None
    return text[: edit.span.start] + edit.text + text[edit.span.end :]


def with_commit(text: str, commit: str) -> str | None:
    """The requirement ``text`` with the commit in it."""
    found = re.search(_COMMIT, text)
    if found is None or "$" in found[0]:
        return None
    return f"{text[: found.end(1)]}@{commit}{text[found.end() :]}"
