"""Whether a mirror is good for a project: asked over HTTP, as pip would."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from dfcache.mirror.address import Address
from dfcache.mirror.asking import Answer, NoAnswer, Web
from dfcache.mirror.caching import obstacle
from dfcache.mirror.simple import ACCEPT, File, PageError, project_files
from dfcache.mirror.told import LACKS, NOTE, OK, Told
from dfcache.mirror.wanted import Wanted, newest, shortcoming
from dfcache.record import record

_AT_ONCE = 8
_PROBE = "pip"
_DEVPI = "x-devpi-server-version"
# A file that is fetched whole to see what a mirror says about it from then on.
_LARGEST = 20_000_000


@record
class _Page:
    """A project's page: its ``files``, or ``wrong`` says what came instead."""

    answer: Answer | None
    files: tuple[File, ...]
    wrong: str


def check(address: Address, wishes: Sequence[Wanted], web: Web | None = None) -> Iterator[Told]:
    """All there is to say about the mirror, the most general first."""
    web = web or Web(address)
    names = list(dict.fromkeys(wish.requirement.name for wish in wishes)) or [_PROBE]
    first = _page(web, address, names[0])
    if first.answer is None or first.answer.status not in (200, 404):
        yield Told("answers", LACKS, first.wrong)
        return
    pages = {names[0]: first} | _pages(web, address, names[1:])
    known = [page for page in pages.values() if not page.wrong]
    wrong = "" if known else _no_index(web, address, first)
    if wrong:
        yield Told("answers", LACKS, wrong)
        return
    version = first.answer.header(_DEVPI)
    yield Told("answers", OK, f"devpi-server {version}" if version else "a package index")
    yield from _trust(address)
    file = _sample(known, wishes, pages)
    if file is not None:
        yield from _about_files(web, address, file)
    yield from (_requirement(wish, pages[wish.requirement.name]) for wish in wishes)


# --- Pages -----------------------------------------------------------------------------------


def _page(web: Web, address: Address, name: str) -> _Page:
    try:
        answer = web.ask(address.page(name), headers={"Accept": ACCEPT})
    except NoAnswer as error:
        return _Page(None, (), f"no answer: {error}")
    if answer.status == 404:
        return _Page(answer, (), "the mirror doesn't know it")
    if answer.status in (401, 403, 407):
        return _Page(answer, (), f"it refuses ({answer.status}): user and password are wanted")
    if answer.status != 200:
        return _Page(answer, (), f"it answers with status {answer.status}")
    if not answer.whole:
        return _Page(answer, (), "its page is too long to be one")
    try:
        return _Page(answer, project_files(answer), "")
    except PageError as error:
        return _Page(answer, (), str(error))


def _pages(web: Web, address: Address, names: Sequence[str]) -> dict[str, _Page]:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(
            zip(names, pool.map(lambda name: _page(web, address, name), names), strict=True)
        )


def _no_index(web: Web, address: Address, first: _Page) -> str:
    """What is wrong with an address that knows no project; "" where it is an index all the same."""
    if first.answer is not None and first.answer.status == 200:
        return f"no package index: {first.wrong}"
    try:
        root = web.ask(address.url, headers={"Accept": ACCEPT}, limit=65536)
    except NoAnswer as error:
        return f"no answer: {error}"
    kind = root.header("content-type")
    if root.header(_DEVPI) and "+simple" not in address.url:
        return "no package index: that of devpi ends in /+simple/, as in /root/pypi/+simple/"
    if root.status == 200 and ("simple.v1" in kind or b"<a " in root.body.lower()):
        return ""
    what = "is something else" if root.status == 200 else f"answers with status {root.status}"
    hint = "" if "/simple/" in address.url else "; the address of most ends in /simple/"
    return f"no package index: {address.url} {what}{hint}"


# --- What pip needs ---------------------------------------------------------------------------


def _trust(address: Address) -> Iterator[Told]:
    if not address.secure:
        what = "pip caches nothing" if address.own_machine else "pip refuses it"
        yield Told("trust", NOTE, f"plain http: {what} without PIP_TRUSTED_HOST={address.host}")


def _sample(
    known: Sequence[_Page], wishes: Sequence[Wanted], pages: dict[str, _Page]
) -> File | None:
    """A file to look at: the smallest, where sizes are told, else one of a wanted version."""
    files = [file for page in known for file in page.files]
    sized = [file for file in files if file.size is not None]
    if sized:
        return min(sized, key=lambda file: file.size or 0)
    for wish in wishes:
        version = newest(pages[wish.requirement.name].files, wish)
        for file in pages[wish.requirement.name].files:
            if version is not None and f"-{version}" in file.name:
                return file
    return files[-1] if files else None


def _about_files(web: Web, address: Address, file: File) -> Iterator[Told]:
    place = urlsplit(file.url).netloc.rpartition("@")[2]
    if place != urlsplit(address.url).netloc:
        yield Told("files", NOTE, f"files come from {place}: the mirror only tells where they are")
    try:
        yield _caching(web, file)
        yield _ranges(web, file)
    except NoAnswer as error:
        yield Told("files", LACKS, f"{file.name}: no answer: {error}")


def _caching(web: Web, file: File) -> Told:
    head = _head(web, file)
    if head.status != 200:
        return Told("files", LACKS, f"{file.name}: status {head.status}")
    wrong = obstacle(head)
    devpi = bool(head.header(_DEVPI))
    if not wrong and not devpi:
        return Told("caching", OK, "pip can keep what it downloads")
    # devpi hands a file through while it fetches it, and says how long it holds from then on.
    whole = web.ask(file.url, limit=_LARGEST) if wrong else head
    if whole.status != 200:
        return Told("files", LACKS, f"{file.name}: status {whole.status}")
    if not wrong or _settled(web, file, (0, 0.2, 0.5, 1, 2) if devpi else (0,)):
        return Told("caching", OK, "pip can keep a file from its second download on")
    return Told("caching", LACKS, f"pip keeps nothing of what it downloads: {wrong}")


def _settled(web: Web, file: File, pauses: Sequence[float]) -> bool:
    """Whether pip would keep the file now; the mirror may still be storing it."""
    for pause in pauses:
        time.sleep(pause)
        if not obstacle(_head(web, file)):
            return True
    return False


def _head(web: Web, file: File) -> Answer:
    """The headers of a file; from a GET where the server knows no HEAD."""
    answer = web.ask(file.url, "HEAD")
    return web.ask(file.url, limit=0) if answer.status in (400, 403, 405, 501) else answer


def _ranges(web: Web, file: File) -> Told:
    answer = web.ask(file.url, headers={"Range": "bytes=1-"}, limit=0)
    if answer.status == 206:
        return Told("ranges", OK, "pip 25.2 and later go on with a file where the line broke")
    return Told("ranges", NOTE, "no Range requests: pip fetches a file anew where the line broke")


# --- Requirements -----------------------------------------------------------------------------


def _requirement(wish: Wanted, page: _Page) -> Told:
    version = None if page.wrong else newest(page.files, wish)
    state = LACKS if version is None else OK
    message = version or page.wrong or shortcoming(page.files, wish)
    return Told("requirement", state, message, wish.requirement.text, wish.path, wish.line)
