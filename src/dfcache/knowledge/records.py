"""What dfcache knows: rules, package managers, base images. Plain values, read from ``rules/``."""

from __future__ import annotations

from collections.abc import Mapping

from dfcache.diagnostics import Severity
from dfcache.record import EMPTY, record


@record
class Example:
    """A Dockerfile of a rule page, and the files of its build context (path to text)."""

    dockerfile: str
    context: Mapping[str, str] | None


@record
class RulePage:
    """A page of ``rules/``: what the rule is called, and what it says to a reader.

    ``fix`` is "safe", "unsafe", "display" or "none": the most that the rule ever
    offers. ``problem`` is the one line that goes into tables. ``bad[i]`` becomes
    ``good[i]``; a page without a fix has examples that stand alone. ``text`` is the page
    without its front matter. A rule that is ``on_request`` runs only where it is selected by name.
    """

    code: str
    name: str
    severity: Severity
    fix: str
    since: str
    problem: str
    bad: tuple[Example, ...]
    good: tuple[Example, ...]
    text: str
    on_request: bool = False


@record
class CacheDir:
    """A folder in which a package manager keeps what it downloaded.

    ``default`` is absolute or starts with ``~`` (the user's home). ``xdg`` is the path
    under ``$XDG_CACHE_HOME`` where that is set, or None where the tool ignores it.
    ``env`` are variables that move it, the first to be set wins; ``options`` are command
    line options that do (they beat the variables). ``sharing`` is the sharing mode a mount
    needs. ``unwritable`` is what happens where the user can't write to it: "ignored"
    (works, without a cache) or "fails". ``root_owned`` is True where root refuses a
    folder that belongs to another user. ``filled_by`` names commands which must
    run in the same step before the others find anything in it (``apt-get update``); where it is
    not empty, the folder is of no use without them.
    ``libc`` is True where what it holds fits only the C library it was made with.
    ``keep_out`` are paths above the folder that belong in the image: no mount may cover them.
    """

    name: str
    default: str
    xdg: str | None
    env: tuple[str, ...]
    options: tuple[str, ...]
    sharing: str
    unwritable: str
    root_owned: bool
    filled_by: tuple[str, ...]
    libc: bool
    keep_out: tuple[str, ...] = ()


@record
class ToolCommand:
    """A subcommand of a package manager: ``install``, ``pip install``, ``cache purge``.

    ``effect`` is "downloads", "fills" (gets an index, not packages: apt-get update),
    "purges" (empties the caches) or "reads" (neither, but needs the caches, or is
    worth knowing). ``values`` are its options that take a value. ``reads`` maps options to
    what their value is: "requirements", "constraints", "project" (a local folder), "links" (a
    folder or page of packages), "group" (``[PATH:]NAME``, a group of PATH or
    ``pyproject.toml``), "file" (any other file), "workdir" (the folder it works in).
    ``operands`` is what its operands are: "requirements" (packages or local paths),
    "packages" (never local), "files" (requirements files), "program" (it starts one), "none".
    ``offline`` are options with which it asks no network.
    ``writes`` are options that make it write elsewhere than the installation (``--target``),
    and, without a ``-`` in front, paths that it writes in its working directory anyway
    (``node_modules``, ``.``): the order of such a step and a COPY decides content.
    ``manifests`` are files it reads from its working directory, unasked.
    ``project`` are the options without which it also installs, or runs code of, the project
    in its working directory; None where it never does.
    ``caches`` are the names of the caches that it uses, fills or purges; empty: all.
    """

    words: tuple[str, ...]
    effect: str
    values: frozenset[str]
    reads: Mapping[str, str]
    operands: str
    offline: frozenset[str]
    writes: frozenset[str]
    manifests: tuple[str, ...]
    project: tuple[str, ...] | None = None
    caches: tuple[str, ...] = ()


@record
class SwitchedOff:
    """How a package manager is told not to use its cache.

    ``options`` includes accepted abbreviations. ``env`` maps a variable to the values that do
    it: "boolean" (any value that is a boolean, also false: pip), "true" (only true-ish
    values: uv), "set" (anything but the empty string: pdm). ``config`` are commands (without the
    program) that write it into a configuration file, as the words that must be there in order.
    """

    options: frozenset[str]
    env: Mapping[str, str]
    config: tuple[tuple[str, ...], ...]


@record
class Index:
    """How a package manager is told which package index to ask.

    ``options`` name indexes. Answers of a plain ``http://`` index are not cached unless its host is
    named by ``trusted_options``. ``offline_env`` are variables that, set to a true value, have it
    ask no network, as a command's ``offline`` options do.
    """

    options: frozenset[str] = frozenset()
    trusted_options: frozenset[str] = frozenset()
    offline_env: tuple[str, ...] = ()


@record
class Tool:
    """A package manager: how it is called, where it caches, what its traps are.

    ``programs`` is a regular expression over the last part of the program's path; ``modules`` are
    its names behind ``python -m``. ``values`` are the options before the subcommand which take a
    value. ``symlinks`` are (option or variable, value) pairs which make what it installs point
    into the cache: with them a cache mount breaks the image. ``keep`` are the words to put behind
    the program so that the cache survives the image's own cleaning (apt's docker-clean), by
    program name; ``emptied_by`` is the file that does that cleaning. ``index`` is for those that
    cache no plain http. ``shorthands`` are programs that stand for the tool with a subcommand:
    ``npx`` is ``npm exec``.
    """

    name: str
    title: str
    programs: str
    modules: tuple[str, ...]
    values: frozenset[str]
    commands: tuple[ToolCommand, ...]
    caches: tuple[CacheDir, ...]
    off: SwitchedOff
    symlinks: tuple[tuple[str, str], ...]
    keep: Mapping[str, tuple[str, ...]]
    emptied_by: str | None
    url: str
    shorthands: Mapping[str, tuple[str, ...]] = EMPTY
    index: Index = Index()


@record
class BaseImage:
    """What is known of a well-known image: a ``FROM`` that it stands for, and how steps run in it.

    ``image`` and ``tag`` are patterns, in which ``*`` stands for any text, over the name without
    ``docker.io/`` and ``library/``, and over the tag ("" where none is given). ``user`` is the
    user its steps run as, with ``uid``/``gid`` (None where unknown) and ``home``. ``libc`` is
    "glibc", "musl" or None. ``env`` holds variables it sets that matter here. ``os`` is "linux"
    or "windows". ``users`` maps names of further users it has to (uid, gid, home).
    """

    image: str
    tag: str
    user: str
    uid: int | None
    gid: int | None
    home: str
    libc: str | None
    os: str
    env: Mapping[str, str]
    users: Mapping[str, tuple[int, int, str]]


@record
class System:
    """The release that images whose name and tag are like these are made from.

    ``libc`` is the C library and its version ("glibc 2.36"), ``python`` that of its package
    python3 ("3.11", "" where unknown).
    """

    image: tuple[str, ...]
    tag: tuple[str, ...]
    libc: str
    python: str


@record
class PythonImage:
    """Images with a CPython of their own.

    ``{python}`` in a pattern stands for its version, which else is ``python``.
    """

    image: tuple[str, ...]
    tag: tuple[str, ...]
    python: str


@record
class Knowledge:
    """All of it, as loaded from ``rules/``.

    ``mirrors`` are what names of official images may have in front (``docker.io/library/``),
    ``architectures`` the platforms that some of those stand for.
    """

    pages: tuple[RulePage, ...]
    tools: tuple[Tool, ...]
    images: tuple[BaseImage, ...]
    mirrors: tuple[str, ...] = ()
    architectures: Mapping[str, str] = EMPTY
    systems: tuple[System, ...] = ()
    pythons: tuple[PythonImage, ...] = ()
