"""What uv's messages mean (``uv pip compile``, as of uv 0.13)."""

from __future__ import annotations

import re
from collections.abc import Collection

from dfcache.model.requirements import normalised

_NO_WHEEL = (
    r"([\w.-]+)(?:[=<>!~][^ ]*)? (?:has|have) no (?:usable )?wheels",
    r"Wheels are required for `([^`]+)` because building",
    r"Wheels are available for `([^`]+)`",
    r"we only found wheels for `([^`]+)`",
    r"source distribution is required for `([^`]+)`",
)
_DEPENDS = r"([\w.-]+)(?:[=<>!~][^ ]*)? depends on ([\w.-]*\w)"
_UNREACHABLE = (
    r"Request failed|Failed to fetch|error sending request|Failed to download|timed out|"
    r"Failed to unzip wheel|response body error"
)
_TOO_OLD = r"unexpected argument|invalid value '[^']*' for|unknown field"
# Answers that another attempt may change.
_PASSING = ("408", "425", "429")


def without_wheels(said: str) -> list[str]:
    """The packages that uv lacks wheels of, its reasoning first."""
    text = _flat(said)
    return [normalised(name) for each in _NO_WHEEL for name in re.findall(each, text)]


def deepest(names: Collection[str], said: str) -> str:
    """One of the names that depends on no other of them, as far as uv says."""
    needs: dict[str, set[str]] = {}
    for one, other in re.findall(_DEPENDS, _flat(said)):
        needs.setdefault(normalised(one), set()).add(normalised(other))
    for name in names:
        seen, waiting = {name}, [name]
        while waiting:
            more = needs.get(waiting.pop(), set()) - seen
            seen |= more
            waiting += more
        if len(seen.intersection(names)) == 1:
            return name
    return next(iter(names))


def is_unreachable(said: str) -> bool:
    """Whether uv failed at the network."""
    return re.search(_UNREACHABLE, said) is not None


def unreachable(said: str) -> tuple[str, bool]:
    """What uv could not reach and why, in a line, and whether that is final."""
    address = re.search(r"(?:Failed to fetch|url \()[: ]*`?(https?://[^\s`)]+)", said)
    what = address[1] if address else "the index"
    status = re.search(r"HTTP status client error \((\d+)( [^)]*)?\)", said)
    if status is not None and status[1] not in _PASSING:
        return f"{what}: the server answers {status[1]}{status[2] or ''}", True
    if "UnknownIssuer" in said:
        message = f"{what} has a certificate that is not trusted; "
        return f"{message}name the file of those to trust with SSL_CERT_FILE", True
    why = [line for line in shown(said).split("\n") if not line.startswith("hint:")]
    return f"{what} can't be reached: {why[-1] if why else 'no reason is told'}", False


def too_old(said: str) -> bool:
    """Whether this uv lacks an option."""
    return re.search(_TOO_OLD, said) is not None


def cut_in_wheel(said: str) -> bool:
    """Whether uv failed for want of what is in a wheel, not of an index's pages."""
    return is_unreachable(said) and (
        "unzip wheel" in said or re.search(r"\.whl\b", said) is not None
    )


def shown(said: str) -> str:
    """What uv said, without its marks."""
    lines = [line.rstrip() for line in said.split("\n") if line.strip()]
    lines = [line for line in lines if not line.startswith("warning:")]
    return "\n".join(re.sub(r"^(error|  cause): ", "", line) for line in lines)


def _flat(said: str) -> str:
    return re.sub(r"\s+", " ", said)
