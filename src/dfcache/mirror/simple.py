"""Pages of a simple index: as HTML (PEP 503) and as JSON (PEP 691)."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from urllib.parse import unquote, urljoin, urlsplit

from dfcache.mirror.asking import Answer
from dfcache.record import record

ACCEPT = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2,"
    " text/html;q=0.1"
)
"""What pip asks for: JSON rather than HTML."""


class PageError(Exception):
    """An answer that is no page of a simple index; ``str()`` says why."""


@record
class File:
    """A file of a project: ``url`` is absolute, ``size`` is None where the page doesn't tell.

    ``yanked`` tells that only who asks for exactly this version should get it (PEP 592).
    ``python`` are the versions of Python it is for (``Requires-Python``), "" for all.
    """

    name: str
    url: str
    yanked: bool
    python: str
    size: int | None


def project_files(answer: Answer) -> tuple[File, ...]:
    """The files on web servers that a project's page lists. Raises PageError."""
    return tuple(file for file in _listed(answer) if file.url.startswith(("http://", "https://")))


def _listed(answer: Answer) -> tuple[File, ...]:
    kind = answer.header("content-type").partition(";")[0].strip().lower()
    if kind.endswith("json"):
        return _of_json(answer)
    if kind not in ("text/html", "application/vnd.pypi.simple.v1+html"):
        raise PageError(f"its page is {kind or 'of no known kind'}, neither HTML nor JSON")
    links = _Links(answer.url)
    links.feed(answer.body.decode("utf-8", "replace"))
    links.close()
    return tuple(links.files)


def _of_json(answer: Answer) -> tuple[File, ...]:
    try:
        page = json.loads(answer.body)
        return tuple(
            File(
                str(each["filename"]),
                urljoin(answer.url, each["url"]),
                bool(each.get("yanked")),
                str(each.get("requires-python") or ""),
                each["size"] if isinstance(each.get("size"), int) else None,
            )
            for each in page["files"]
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise PageError("its page is JSON, but not that of a simple index (PEP 691)") from None


class _Links(HTMLParser):
    """Collects the links of a page; one that can't be read is none."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.base = url
        self.files: list[File] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        try:
            url = urljoin(self.base, given.get("href") or "").partition("#")[0]
            name = unquote(urlsplit(url).path.rpartition("/")[2])
        except ValueError:
            return
        if tag == "base" and given.get("href"):
            self.base = url
        if tag == "a" and given.get("href"):
            python = given.get("data-requires-python") or ""
            self.files.append(File(name, url, "data-yanked" in given, python, None))
