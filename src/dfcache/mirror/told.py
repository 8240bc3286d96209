"""What a check of a mirror says."""

from __future__ import annotations

from dfcache.record import record

OK, NOTE, LACKS = "ok", "note", "lacks"


@record
class Told:
    """One thing about a mirror.

    ``about`` is "answers", "trust", "files", "caching", "ranges", "requirement" or "unread" (what
    a Dockerfile asks for that can't be told). ``state`` is OK, NOTE (good to know) or LACKS.
    For a requirement ``text`` is what was asked for, and ``path`` and ``line`` where; ``message``
    is then the version that is there, or what is wrong.
    """

    about: str
    state: str
    message: str
    text: str = ""
    path: str = ""
    line: int = 0
