"""Poetry's dependencies as the requirements (PEP 508) that poetry-core makes of them.

source: https://python-poetry.org/docs/dependency-specification/ and poetry-core's
src/poetry/core/constraints/version/parser.py
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

_OPERATORS = ("===", "==", "!=", "<=", ">=", "~=", "<", ">")
_PARTS = r"v?\d+(\.\d+)*"


def specifier(text: str) -> str | None:
    """A version constraint of poetry as a specifier (PEP 440), "" for any version.

    None where there is no such specifier: for alternatives (``||``), and for what is no constraint.
    """
    text = text.strip()
    if text in ("", "*", "x", "X"):
        return ""
    if "|" in text:
        return None
    # Clauses are parted by commas or blanks; a blank also stands between operator and version.
    joined = re.sub(r"(?<=[<>=~^!])\s+", "", text)
    found = [_clause(part) for part in re.split(r"[\s,]+", joined) if part]
    known = [part for part in found if part is not None]
    return ",".join(part for part in known if part) if len(known) == len(found) else None


def _clause(text: str) -> str | None:
    if text in ("*", "x", "X"):
        return ""
    if text.startswith("^"):
        return _range(text[1:], _caret)
    if text.startswith("~") and not text.startswith("~="):
        return _range(text[1:], _tilde)
    operator = next((each for each in _OPERATORS if text.startswith(each)), "")
    version = text[len(operator) :]
    if not operator and text.startswith("="):
        version = text[1:]
    if not re.match(r"v?\d", version):
        return None
    version = re.sub(r"\.[xX](?=$)", ".*", version.removeprefix("v"))
    return f"{operator or '=='}{version}"


def _range(version: str, upper: Callable[[list[int]], list[int]]) -> str | None:
    version = version.removesuffix(".*")
    match = re.match(_PARTS, version)
    if match is None:
        return None
    numbers = [int(part) for part in match[0].removeprefix("v").split(".")]
    top = upper(numbers)
    top += [0] * (len(numbers) - len(top))
    return f">={version.removeprefix('v')},<{'.'.join(map(str, top))}"


def _caret(numbers: list[int]) -> list[int]:
    """``^1.2.3`` is below 2.0.0, ``^0.2.3`` below 0.3.0: the first number that isn't 0 goes up."""
    at = next((i for i, number in enumerate(numbers) if number), len(numbers) - 1)
    return [*numbers[:at], numbers[at] + 1]


def _tilde(numbers: list[int]) -> list[int]:
    """``~1.2.3`` is below 1.3.0, ``~1.2`` as well, and ``~1`` below 2."""
    at = min(1, len(numbers) - 1)
    return [*numbers[:at], numbers[at] + 1]


def requirements(
    table: Mapping[str, object], folder: str = "."
) -> tuple[list[str], dict[str, str], list[str]]:
    """Requirements of one of poetry's tables of dependencies.

    The lines that are always wanted; those of optional packages, by package as it is written;
    and the packages of which none can be made. ``folder`` is put before the paths of local ones.
    """
    lines: list[str] = []
    optional: dict[str, str] = {}
    unknown: list[str] = []
    for name, wanted in table.items():
        if name.lower() == "python":
            continue
        for one in wanted if isinstance(wanted, list) else [wanted]:
            line = _requirement(name, one, folder)
            if line is None:
                unknown.append(name)
            elif isinstance(one, dict) and one.get("optional") is True:
                optional[name] = line
            else:
                lines.append(line)
    return lines, optional, unknown


def _requirement(name: str, wanted: object, folder: str) -> str | None:
    if isinstance(wanted, str):
        return _line(name, "", specifier(wanted), "")
    if not isinstance(wanted, dict):
        return None
    listed = wanted.get("extras")
    names = [str(each) for each in listed] if isinstance(listed, list) else []
    extras = f"[{','.join(names)}]" if names else ""
    markers = list(_markers(wanted))
    if None in markers:
        return None
    marker = " and ".join(f"({m})" if " or " in m else m for m in markers if m)
    for kind, prefix in (("url", ""), ("git", "git+"), ("path", "file:")):
        target = wanted.get(kind)
        if isinstance(target, str):
            url = f"{prefix}{target}"
            pin = next((wanted[k] for k in ("rev", "tag", "branch") if k in wanted), None)
            url += f"@{pin}" if kind == "git" and pin else ""
            part = wanted.get("subdirectory")
            url += f"#subdirectory={part}" if isinstance(part, str) else ""
            return f"{name}{extras} @ {url}" + (f" ; {marker}" if marker else "")
    version = wanted.get("version", "*")
    return _line(name, extras, specifier(version) if isinstance(version, str) else None, marker)


def _line(name: str, extras: str, version: str | None, marker: str) -> str | None:
    if version is None:
        return None
    return f"{name}{extras}{version}" + (f" ; {marker}" if marker else "")


def _markers(wanted: Mapping[str, object]) -> Iterator[str | None]:
    given = wanted.get("markers")
    if isinstance(given, str) and given:
        yield given
    python = wanted.get("python")
    if isinstance(python, str):
        found = specifier(python)
        yield None if found is None else _python(found)
    platform = wanted.get("platform")
    if isinstance(platform, str):
        yield f'sys_platform == "{platform}"'


def _python(found: str) -> str | None:
    """A specifier of Python versions as a marker."""
    clauses = []
    for clause in found.split(",") if found else ():
        match = re.fullmatch(r"(===?|~=|!=|<=?|>=?)(\d+(?:\.\d+)*(?:\.\*)?)", clause)
        if match is None:
            return None
        operator, version = match.groups()
        full = version.count(".") > 1 and not version.endswith("*")
        name = "python_full_version" if full else "python_version"
        if name == "python_version" and "." not in version:
            version += ".0"
        clauses.append(f'{name} {operator} "{version}"')
    return " and ".join(clauses)
