"""Whether pip would keep a response: what its HTTP cache asks of the headers.

Source: src/pip/_vendor/cachecontrol/controller.py (CacheController.cache_response) of pip 26.3.
"""

from __future__ import annotations

from dfcache.mirror.asking import Answer


def obstacle(answer: Answer) -> str:
    """Why pip would not keep the answer, "" where it would."""
    given = _directives(answer.header("cache-control"))
    if "no-store" in given:
        return "it says no-store"
    if "*" in answer.header("vary"):
        return "it says Vary: *"
    if answer.header("etag"):
        return ""
    if not answer.header("date"):
        return "it sends neither ETag nor Date"
    age = given.get("max-age", "")
    if (age.isdigit() and int(age) > 0) or (not age and answer.header("expires")):
        return ""
    return "it sends neither ETag nor max-age"


def _directives(header: str) -> dict[str, str]:
    pairs = (each.partition("=") for each in header.lower().split(","))
    return {name.strip(): value.strip().strip('"') for name, _, value in pairs if name.strip()}
