"""Commands that empty a cache directory, or break on a mount there.

``rm -rf`` of a mount point or of a folder above it ends in "Device or resource busy" and
fails the step; of what is in it, it empties the cache for every build that shares it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from dfcache.model.invocations import Argument, Invocation
from dfcache.model.uses import ToolUse
from dfcache.parser.script import ShellWord
from dfcache.record import record


@record
class Purge:
    """One command or operand that takes a cache away.

    ``operand`` is the word that does it, None where the whole command does. ``breaks`` is True
    where it fails on a mount. ``whole`` is True where nothing of the command is left without
    its purging operands. ``certain`` is False where it can't be taken out word by word, or would
    take more with it than caches. ``parent`` is a folder of caches above the path that the operand
    names, or "".
    """

    invocation: Invocation
    path: str
    operand: ShellWord | None
    breaks: bool
    whole: bool
    certain: bool = True
    parent: str = ""


def purges(
    invocations: Iterable[Invocation],
    uses: Iterable[ToolUse],
    targets: Iterable[str],
    text: str = "",
) -> tuple[Purge, ...]:
    """What takes away the caches at ``targets`` (absolute paths).

    ``text`` is the whole script: where it names a cache outside of a command (in the list of a
    loop), a removal of something that can't be known may be of that.
    """
    targets = tuple(targets)
    found: list[Purge] = []
    for use in uses:
        if use.spec.effect == "purges":
            path = next((c.path for c in use.caches if c.path and _in_any(c.path, targets)), None)
            if path is not None:
                found.append(Purge(use.invocation, path, None, breaks=False, whole=True))
    for made in invocations:
        if made.program == "rm":
            found += _removals(made, targets)
            found += _hidden(made, targets, text)
        elif made.program == "find":
            found += _finds(made, targets)
    return tuple(found)


def _hidden(made: Invocation, targets: tuple[str, ...], text: str) -> Iterator[Purge]:
    for operand in made.args:
        if operand.value is None and operand.word.value.startswith(("$", '"$')):
            near = next((t for t in targets if t in text or ".cache" in text), None)
            if near is not None and "CACHE" not in operand.word.value.upper():
                yield Purge(made, near, operand.word, breaks=True, whole=False, certain=False)


def _in_any(path: str, targets: tuple[str, ...]) -> bool:
    return any(path == target or path.startswith(target + "/") for target in targets)


def _removals(made: Invocation, targets: tuple[str, ...]) -> Iterator[Purge]:
    flags = [a.value for a in made.args if a.value is not None and a.value.startswith("-")]
    operands = [a for a in made.args if a.value is None or not a.value.startswith("-")]
    recursive = any("r" in flag.lower() for flag in flags if not flag.startswith("--")) or (
        "--recursive" in flags
    )
    hits: list[tuple[Argument, str, bool]] = []
    for operand in operands:
        for target in targets:
            how = _hit(made.cwd, operand, target, recursive)
            if how is not None:
                hits.append((operand, target, how))
                break
    words = {id(operand.word) for operand, _, _ in hits}
    whole = all(id(operand.word) in words for operand in operands)
    for operand, target, breaks in hits:
        braces = "{" in operand.word.raw and not operand.word.literal
        shared = sum(a.word is operand.word for a in operands) > 1
        parent = _parent(made.cwd, operand.value or "", target) if breaks else ""
        certain = not (braces or shared or operand.value is None or parent is None)
        yield Purge(made, target, operand.word, breaks, whole, certain, parent or "")


def _parent(cwd: str | None, pattern: str, target: str) -> str | None:
    """The folder of caches above ``target`` that ``pattern`` names; "" for the target itself.

    None where it names more than caches: ``/tmp/*``, ``/root/.[a-z]*``, ``/var/lib/apt``.
    """
    path = posixpath.normpath(posixpath.join(cwd or "/", pattern))
    if path == target:
        return ""
    folder = path.removesuffix("/*")
    if posixpath.basename(folder) == ".cache" and target.startswith(folder + "/"):
        return folder
    return None


def _hit(cwd: str | None, operand: Argument, target: str, recursive: bool) -> bool | None:
    """Whether removing ``operand`` fails on a mount at ``target`` (True), empties it (False)."""
    value = operand.value
    if value is None and "$" not in operand.word.value and "`" not in operand.word.value:
        value = operand.word.value  # braces, which only some shells expand
    if value is None:
        name = operand.word.value.upper()
        return True if "CACHE" in name or "$HOME" in name or "${HOME" in name else None
    results = {_match(cwd, pattern, target, recursive) for pattern in expand_braces(value)}
    return True if True in results else False if False in results else None


def _match(cwd: str | None, pattern: str, target: str, recursive: bool) -> bool | None:
    if not pattern.startswith("/"):
        if cwd is None:
            return None
        pattern = posixpath.join(cwd, pattern)
    parts = posixpath.normpath(pattern).lstrip("/").split("/")
    wanted = target.split("/")[1:]
    if parts == [""]:
        return None
    if not all(_matches(part, name) for part, name in zip(parts, wanted, strict=False)):
        return None
    if len(parts) > len(wanted):
        return False
    return True if recursive else None


def _matches(pattern: str, name: str) -> bool:
    """A glob against one name; as in a shell, a leading dot must be written."""
    if name.startswith(".") and not pattern.startswith("."):
        return False
    return fnmatchcase(name, pattern.replace("[^", "[!"))


def expand_braces(text: str) -> list[str]:
    """``a{b,c}`` as bash reads it: ``ab``, ``ac``; other text is left as it is."""
    start = text.find("{")
    end = text.find("}", start)
    if start < 0 or end < 0 or "," not in text[start:end] or text[start - 1 : start] == "$":
        return [text]
    inner = text[start + 1 : end].split(",")
    return [one for part in inner for one in expand_braces(text[:start] + part + text[end + 1 :])]


def _finds(made: Invocation, targets: tuple[str, ...]) -> Iterator[Purge]:
    """``find`` that deletes below a folder that holds the cache, or in the cache."""
    values = [argument.value or "" for argument in made.args]
    if "-delete" not in values and "rm" not in values:
        return
    named = any(value in ("-name", "-iname", "-path", "-regex") for value in values)
    for argument in made.args:
        value = argument.value
        if value is None or value.startswith(("-", "(", "!", "\\")):
            break
        for target in targets:
            hit = _match(made.cwd, value, target, recursive=True)
            inside = hit is False or posixpath.normpath(value) == target
            if hit is not None and (inside or not named):
                yield Purge(made, target, None, breaks=True, whole=True, certain=False)
