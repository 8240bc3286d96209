"""What packages have to fit: the Python, platform and C library of the image that a stage is.

All of it comes from the base image, as far as ``rules/images.yaml`` knows it, and from what the
stage's own steps say (``apt-get install python3.11``, ``uv venv --python 3.12``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dfcache.knowledge import find_architecture, find_python, find_system
from dfcache.model.build import Build, RunStep, per_build
from dfcache.model.invocations import Invocation
from dfcache.model.scope import ROOT, Scope, Variable
from dfcache.model.variables import resolve
from dfcache.parser import pairs
from dfcache.parser.tree import Instruction
from dfcache.record import record, replace

_TEXT = r"python(3\.\d+) ([a-z0-9]+(?:/[a-z0-9._-]+){1,2}) (glibc|musl)(\d+)\.(\d+)"


@record
class Target:
    """What is known of where packages are installed; "" is what can't be told.

    ``python`` is the version of CPython, major and minor ("3.11"). ``platform`` is as Docker writes
    it ("linux/amd64"); it is only known where the Dockerfile says it, else the builder decides.
    ``libc`` is "glibc" or "musl". ``libc_version`` is its version or, where only the library is
    known, that of the oldest release in use; (0, 0) without ``libc``.
    """

    python: str = ""
    platform: str = ""
    libc: str = ""
    libc_version: tuple[int, int] = (0, 0)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The names of the fields that have to be asked for."""
        return tuple(name for name in ("python", "platform", "libc") if not getattr(self, name))

    @property
    def linux(self) -> bool:
        """Whether it is Linux, as far as is known: nothing else is supported."""
        return self.platform.startswith("linux/") or not self.platform


def target_text(target: Target) -> str:
    """A target in one line: ``python3.11 linux/amd64 glibc2.36``."""
    version = ".".join(map(str, target.libc_version))
    return f"python{target.python} {target.platform} {target.libc}{version}"


def target_from(text: str) -> Target:
    """The target of such a line. Raises ValueError."""
    found = re.fullmatch(_TEXT, text)
    if found is None:
        raise ValueError(f"{text!r} is no target")
    return Target(found[1], found[2], found[3], (int(found[4]), int(found[5])))


# Debian 10 and RHEL 8 have glibc 2.28, and what pip brings with older ones knows no newer wheels.
OLDEST = {"glibc": (2, 28), "musl": (1, 2)}

_REFERENCE = re.compile(r"(?P<name>[^@]*?)(:(?P<tag>[^:/@]*))?(@.*)?$", re.DOTALL)


@per_build
def target_of(build: Build, stage: int) -> Target:
    """What packages that ``stage`` installs have to fit."""
    root = build.stages[build.lineage(stage)[0]]
    image = root.image
    if image is not None and image.os != "linux":
        return Target(platform=f"{image.os}/amd64")
    match = _REFERENCE.match(root.base) if root.base else None
    name, tag = (match["name"], match["tag"] or "") if match else ("", "")
    system = find_system(name, tag)
    scope = build.stages[stage].end
    libc, version = (image.libc if image else None) or scope.libc or "", (0, 0)
    if system is not None:
        libc, _, text = system.libc.partition(" ")
        version = _numbers(text)
    elif libc:
        version = OLDEST[libc]
    own = find_python(name, tag)
    python = _python(build, stage, own, system.python if system else "")
    platform = _platform(build, root.index) or find_architecture(name)
    return Target(python, platform, libc, version)


def with_answers(
    target: Target, *, python: str = "", platform: str = "", libc: str = "", version: str = ""
) -> Target:
    """``target`` with what was asked for (``--python 3.11``) in the place of what is known.

    ``version`` is that of the C library, "2.36". Raises ValueError with what is wrong.
    """
    if python:
        found = re.fullmatch(r"(3\.\d+)(\.\d+)?", python)
        if not found:
            raise ValueError(f"{python} is not a Python version like 3.11")
        target = replace(target, python=found[1])
    if platform:
        if platform.count("/") not in (1, 2):
            raise ValueError(f"{platform} is not a platform like linux/amd64")
        target = replace(target, platform=platform)
    if libc:
        if libc not in OLDEST:
            raise ValueError(f"the C library is glibc or musl, not {libc}")
        target = replace(target, libc=libc, libc_version=OLDEST[libc])
    if version:
        if not re.fullmatch(r"\d+\.\d+", version):
            raise ValueError(f"{version} is not a version of a C library like 2.36")
        target = replace(target, libc_version=_numbers(version))
    return target


def _numbers(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    return int(major), int(minor)


# --- Platform ------------------------------------------------------------------------------


def _platform(build: Build, stage: int) -> str:
    """The value of ``FROM --platform``, "" where the builder decides or a variable is open."""
    scope = _globals(build)
    froms = [each for each in build.dockerfile.instructions if each.name == "FROM"]
    flag = next((flag for flag in froms[stage].flags if flag.name == "platform"), None)
    if flag is None or not flag.value:
        return ""
    got = resolve(flag.value, scope, build.dockerfile.escape)
    value = "" if got.unset else got.value or ""
    return _normal(value)


def _normal(platform: str) -> str:
    """As Docker normalises it: ``arm64`` and ``linux/aarch64`` are ``linux/arm64``."""
    names = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "armhf": "arm/v7"}
    system, slash, rest = platform.lower().partition("/")
    if not slash:
        system, rest = ("linux", system) if system not in ("linux", "windows") else (system, "")
    if not rest:
        return ""
    rest = names.get(rest, rest).removesuffix("/v8") if rest != "arm" else "arm/v7"
    return f"{system}/{rest}"


def _globals(build: Build) -> Scope:
    """The build arguments before the first FROM, with their defaults."""
    scope = Scope({}, "/", ROOT, {}, (), None)
    for instruction in _before_from(build.dockerfile.instructions):
        for pair in pairs(instruction) if instruction.name == "ARG" else ():
            value = pair.value
            got = resolve(value.value, scope, build.dockerfile.escape).value if value else None
            scope = scope.with_variable(pair.name, Variable(got, False, False, pair.span))
    return scope


def _before_from(instructions: Iterable[Instruction]) -> Iterator[Instruction]:
    for instruction in instructions:
        if instruction.name == "FROM":
            return
        yield instruction


# --- Python --------------------------------------------------------------------------------

_PACKAGES = frozenset(
    "python3 python3-pip python3-dev python3-venv python3-full python3-minimal python-is-python3"
    " python3-setuptools python3-wheel py3-pip".split()
)
_VERSION = re.compile(r"(?:cpython-?|python)?=*(3\.\d+)(?:\.\d+)?(?:\.\*)?(?:-.*)?")


def _python(build: Build, stage: int, own: str, packaged: str) -> str:
    """The image's own Python, or the one that its steps install or name, if there is only one."""
    named, system = set[str](), False
    for number in build.lineage(stage):
        for step in build.stages[number].steps:
            for made in step.invocations if isinstance(step, RunStep) else ():
                words = [argument.value or "" for argument in made.args]
                if made.program in ("apt-get", "apt", "apk"):
                    system = system or (not own and not _PACKAGES.isdisjoint(words))
                    words = [] if own else [word for word in words if word.startswith("python3.")]
                else:
                    words = list(_versions(made, words))
                named |= {_version(word) for word in words}
    if system:
        named.add(packaged)
    if own:
        named.add(own)
    asked = build.stages[stage].end.value("UV_PYTHON")
    if asked:
        named.add(_version(asked))
    return named.pop() if len(named) == 1 else ""


def _version(word: str) -> str:
    """The version in a word, "" where it holds none: that of something unknown."""
    found = _VERSION.fullmatch(word)
    return found[1] if found else ""


def _versions(made: Invocation, words: list[str]) -> Iterator[str]:
    """The words of a command that name the Python it installs, makes an environment of, or is."""
    program = made.program or ""
    if program.startswith(("python3.", "pip3.")):
        yield program.replace("pip", "python")
    elif program == "uv":
        yield from _after(words, "--python", "-p")
        if words[:2] == ["python", "install"]:
            yield from (word for word in words[2:] if not word.startswith("-"))
    elif program in ("conda", "mamba", "micromamba", "virtualenv"):
        yield from (word for word in words if word.startswith("python="))
        yield from _after(words, "--python", "-p")


def _after(words: list[str], *options: str) -> Iterator[str]:
    for word, value in zip(words, [*words[1:], ""], strict=True):
        name, equals, own = word.partition("=")
        if name in options:
            word = own if equals else value
            # The path of an environment tells nothing of what is in it.
            if "/" not in word and word not in ("python", "python3", "3"):
                yield word
