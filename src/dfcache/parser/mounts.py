"""The mounts of a RUN: ``--mount=type=…,target=…``."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import NamedTuple

from dfcache.parser.chars import encode
from dfcache.parser.go import did_you_mean, quote
from dfcache.parser.lexer import LexError
from dfcache.parser.tree import Flag, Instruction
from dfcache.text import Span

TYPES = ("bind", "cache", "secret", "ssh", "tmpfs")
SHARING = ("locked", "private", "shared")
_ALIASES = {
    "dst": "target",
    "destination": "target",
    "src": "source",
    "ro": "readonly",
    "rw": "readwrite",
}
_KEYS = (
    *("type", "from", "source", "target", "readonly", "id", "sharing", "required", "size"),
    *("mode", "uid", "gid", "readwrite", "env", *_ALIASES),
)
_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False")
_LARGEST_ID = 2**32 - 1

# Named tuples here and in copy.py and words.py: a dataclass of this size takes eight times
# as long to make, at every start.


class MountField(NamedTuple):
    """One ``key=value`` of a mount.

    ``key`` is the full name (``target`` for ``dst``), ``written`` the text of the field without
    CSV quotes, ``value`` None for a bare word. ``span`` is the field's place in the file and
    ``value_span`` its value's, both None where quotes or continuations blur it.
    """

    key: str
    written: str
    value: str | None
    span: Span | None
    value_span: Span | None


class Mount(NamedTuple):
    """A mount as BuildKit reads it; None is "not given".

    Values are as written, or expanded where an expansion was handed in. Where a key is
    given twice the last one counts. ``problem`` is BuildKit's message where it refuses the
    mount; the values are then those before the refusal. Checks of values that still
    contain a variable are left out.
    """

    flag: Flag
    fields: tuple[MountField, ...]
    type: str = "bind"
    target: str | None = None
    source: str | None = None
    from_: str | None = None
    id: str | None = None
    sharing: str | None = None
    mode: str | None = None
    uid: str | None = None
    gid: str | None = None
    readonly: bool | None = None
    required: bool | None = None
    size: str | None = None
    env: str | None = None
    problem: str | None = None

    @property
    def read_only(self) -> bool:
        """Whether writes are refused: as stated, else by default for all but cache and tmpfs."""
        if self.readonly is not None:
            return self.readonly
        return self.type not in ("cache", "tmpfs")

    def field(self, key: str) -> MountField | None:
        """The field that decides ``key``: the last one with that name."""
        return next((field for field in reversed(self.fields) if field.key == key), None)


class _Refusal(Exception):
    pass


def mounts(
    instruction: Instruction, expand: Callable[[str], str] | None = None
) -> tuple[Mount, ...]:
    """The mounts of a RUN, in order; none for other instructions.

    ``expand`` replaces the variables in a value and may raise LexError, which becomes
    the mount's ``problem``. In ``from`` a variable is refused in any case. What depends on
    the working directory or on other stages is not checked here.
    """
    if instruction.name != "RUN":
        return ()
    return tuple(
        _mount(flag, expand) for flag in instruction.flags if flag.name == "mount" and flag.value
    )


def clean(path: str) -> str:
    """``path`` without ``.``, ``..``, double and trailing slashes, as Go's path.Clean gives it."""
    normal = posixpath.normpath(path)
    return normal[1:] if normal.startswith("//") else normal


def cache_id(mount: Mount) -> str:
    """The id of a cache mount: as given, else its target as written, cleaned."""
    return mount.id or clean(mount.target or "")


def mount_target(target: str, workdir: str) -> str:
    """Where a target lies: relative ones under the working directory."""
    return clean(posixpath.join(workdir, target))


def parse_refusal(value: str) -> str | None:
    """Why BuildKit refuses a mount before it looks at the stage, if it does."""
    try:
        found = split_fields(value)
    except ValueError as error:
        return f"failed to parse csv mounts: {error}"
    for _, _, text in found:
        message = _from_refusal(text)
        if message:
            return message
    return None


def _from_refusal(text: str) -> str | None:
    key, _, value = text.partition("=")
    if key.lower() == "from" and "$" in value[:-1]:
        return "'from' doesn't support variable expansion, define alias stage instead"
    return None


def device_refusal(value: str) -> str | None:
    """Why BuildKit refuses a ``--device``, if it does."""
    try:
        found = split_fields(value)
    except ValueError as error:
        return f"failed to parse csv devices: {error}"
    name = ""
    for _, _, text in found:
        key, equals, content = text.partition("=")
        key = key.lower()
        if key == "name" and equals:
            if name:
                return f"device name already set to {name}"
            name = content
        elif key == "required":
            if equals and content not in _TRUE + _FALSE:
                return f"invalid value for required: {content}"
        elif not name:
            name = text
        elif equals:
            message = f"unexpected key '{key}' in '{text}'"
            return did_you_mean(message, key, ("name", "required"))
        else:
            return f"invalid field '{text}' must be a key=value pair"
    return None


def split_fields(value: str) -> list[tuple[int, int, str]]:
    """The fields of a CSV record: start and end in ``value``, and text without quotes.

    Raises ValueError with the message of the reader BuildKit uses.
    """
    if not value:
        raise ValueError("EOF")
    found = []
    at = 0
    while True:
        if value.startswith('"', at):
            text, end = _quoted(value, at)
        else:
            end = value.find(",", at)
            end = len(value) if end < 0 else end
            text = value[at:end]
            if '"' in text:
                raise _csv_error('bare " in non-quoted-field', value, at + text.index('"'))
        found.append((at, end, text))
        if end >= len(value):
            return found
        at = end + 1


def _quoted(value: str, start: int) -> tuple[str, int]:
    """The text of the quoted field that begins at ``start``, and where the field ends."""
    message = 'extraneous or missing " in quoted-field'
    parts = []
    at = start + 1
    while True:
        end = value.find('"', at)
        if end < 0:
            raise _csv_error(message, value, at)
        parts.append(value[at:end])
        following = value[end + 1 : end + 2]
        if following != '"':
            if following not in ("", ","):
                raise _csv_error(message, value, end)
            return "".join(parts), end + 1
        parts.append('"')
        at = end + 2


def _csv_error(message: str, value: str, at: int) -> ValueError:
    column = len(encode(value[:at])) + 1
    return ValueError(f"parse error on line 1, column {column}: {message}")


def _mount(flag: Flag, expand: Callable[[str], str] | None) -> Mount:
    value = flag.value or ""
    try:
        found = split_fields(value)
    except ValueError as error:
        return Mount(flag, (), problem=f"failed to parse csv mounts: {error}")
    places = _places(flag)
    fields = tuple(_field(start, end, text, places) for start, end, text in found)
    state = _State(expand)
    problem: str | None = None
    try:
        for field in fields:
            state.take(field)
        state.check()
    except (_Refusal, LexError) as error:
        problem = str(error)
    texts = state.texts
    return Mount(
        flag,
        fields,
        state.type,
        texts.get("target"),
        texts.get("source"),
        texts.get("from"),
        texts.get("id"),
        texts.get("sharing"),
        texts.get("mode"),
        texts.get("uid"),
        texts.get("gid"),
        state.readonly,
        state.required,
        texts.get("size"),
        texts.get("env"),
        problem,
    )


def _places(flag: Flag) -> list[int] | None:
    """The place in the file of each character of the flag's value, and of its end.

    None where that can't be told: the flag is broken over lines, or has escapes in it.
    """
    value = flag.value or ""
    if len(flag.span) != len(flag.text):
        return None
    start = len(flag.text) - len(value)
    if flag.text.endswith(value) and flag.text[:start] == f"--{flag.name}=":
        first = flag.span.start + start
        return list(range(first, first + len(value) + 1))
    return _unquoted_places(flag)


def _unquoted_places(flag: Flag) -> list[int] | None:
    if "\\" in flag.text or "`" in flag.text or not flag.text.isascii():
        return None
    quoted = ""
    kept = []
    for index, char in enumerate(flag.text):
        if char == quoted:
            quoted = ""
        elif not quoted and char in "'\"":
            quoted = char
        else:
            kept.append(flag.span.start + index)
    kept = kept[len(kept) - len(flag.value or "") :]
    return [*kept, kept[-1] + 1] if kept else None


def _field(start: int, end: int, text: str, places: list[int] | None) -> MountField:
    key, equals, value = text.partition("=")
    key = key.lower()
    span = value_span = None
    if places is not None:
        span = _run(places, start, end)
        # A CSV-quoted value is shorter than its place.
        if span is not None and equals and len(text) == end - start:
            value_span = Span(span.end - len(value), span.end)
    return MountField(_ALIASES.get(key, key), text, value if equals else None, span, value_span)


def _run(places: list[int], start: int, end: int) -> Span | None:
    """The span from ``start`` to ``end``, unless quotes stand in between."""
    if end == start:
        return Span(places[start], places[start])
    last = places[end - 1] + 1
    return Span(places[start], last) if last - places[start] == end - start else None


class _State:
    """A mount while its fields are read from left to right."""

    __slots__ = ("expand", "readonly", "required", "texts", "type", "type_known")

    def __init__(self, expand: Callable[[str], str] | None) -> None:
        self.expand = expand
        self.type = "bind"
        self.type_known = True
        self.readonly: bool | None = None
        self.required: bool | None = None
        self.texts: dict[str, str] = {}

    def take(self, field: MountField) -> None:
        """Read one field. Raises _Refusal, and LexError from the expansion."""
        if field.value is None:
            self.bare(field)
            return
        value, known = field.value, True
        message = _from_refusal(field.written)
        if message:
            raise _Refusal(message)
        if self.expand is not None:
            value = self.expand(value)
        else:
            known = "$" not in value
        self.store(field, value, known)

    def bare(self, field: MountField) -> None:
        if field.key in ("readonly", "readwrite"):
            self.readonly = field.key == "readonly"
        elif field.key == "required":
            self.only_for("required", "secret", "ssh")
            self.required = True
        else:
            raise _Refusal(f"invalid field '{field.written}' must be a key=value pair")

    def store(self, field: MountField, value: str, known: bool) -> None:
        key = field.key
        written = field.written.partition("=")[0].lower()
        if key == "type":
            self.take_type(value, known)
        elif key in ("readonly", "readwrite"):
            if known:
                self.readonly = _bool(written, value) == (key == "readonly")
        elif key == "required":
            self.only_for(key, "secret", "ssh")
            self.required = _bool(key, value) if known else None
        elif key in ("sharing", "size", "mode", "uid", "gid"):
            if key == "size":
                self.only_for(key, "tmpfs")
            if known:
                _check_value(key, value)
            self.texts[key] = value.lower() if key == "sharing" and known else value
        elif key in ("target", "source", "from", "id", "env"):
            self.texts[key] = value
        else:
            message = f"unexpected key '{key}' in '{field.written}'"
            raise _Refusal(did_you_mean(message, key, _KEYS))

    def take_type(self, value: str, known: bool) -> None:
        self.type_known = known
        self.type = value.lower() if known else value
        if known and self.type not in TYPES:
            message = f"unsupported mount type {quote(value)}"
            raise _Refusal(did_you_mean(message, value, TYPES))

    def only_for(self, key: str, *types: str) -> None:
        if self.type_known and self.type not in types:
            raise _Refusal(f"unexpected key '{key}' for mount type '{self.type}'")

    def check(self) -> None:
        """What can only be said about the mount as a whole. Raises _Refusal."""
        if not self.type_known:
            return
        texts = self.texts
        if self.type in ("bind", "tmpfs"):
            for key in ("mode", "uid", "gid"):
                if key in texts:
                    raise _Refusal(f"{key} not allowed for {quote(self.type)} type mounts")
        if self.type == "secret":
            if texts.get("from"):
                raise _Refusal("secret mount should not have a from")
            if texts.get("sharing"):
                raise _Refusal("secret mount should not define sharing")
            if not (texts.get("source") or texts.get("target") or texts.get("id")):
                raise _Refusal("invalid secret mount. one of source, target required")
            if texts.get("source") and texts.get("id"):
                raise _Refusal("both source and id can't be set")
        if self.type == "ssh" and texts.get("source"):
            raise _Refusal("ssh does not support source")
        if texts.get("sharing") and self.type != "cache":
            raise _Refusal(f"invalid cache sharing set for {self.type} mount")


def _check_value(key: str, value: str) -> None:
    if key == "sharing":
        if value.lower() not in SHARING:
            message = f"unsupported sharing value {quote(value)}"
            raise _Refusal(did_you_mean(message, value, SHARING))
    elif key == "size":
        if not _is_size(value):
            raise _Refusal(f"invalid value for size: {value}")
    elif not _is_number(value, "01234567" if key == "mode" else "0123456789"):
        raise _Refusal(f"invalid value {value} for {key}")


def _is_number(text: str, digits: str) -> bool:
    if not text or text.strip(digits):
        return False
    return int(text.lstrip("0")[:12] or "0", len(digits)) <= _LARGEST_ID


def _is_size(text: str) -> bool:
    """Whether the text is a size like ``64m`` or ``1.5 GiB``."""
    number = text.rstrip("kKmMgGtTpPbBiI").removesuffix(" ")
    unit = text[len(number) :].removeprefix(" ").lower()
    if unit not in ("", "b", *(f"{c}{end}" for c in "kmgtp" for end in ("", "b", "ib"))):
        return False
    whole, _, fraction = number.partition(".")
    digits = whole + fraction
    return bool(digits) and digits.isascii() and digits.isdigit()


def _bool(key: str, value: str) -> bool:
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise _Refusal(f"invalid value for {key}: {value}")
