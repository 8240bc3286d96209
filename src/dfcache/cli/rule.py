"""``dfcache rule``."""

from __future__ import annotations

import sys


def show(name: str | None) -> int:
    """Print a rule's page, or the table of all rules; the exit code."""
    from dfcache.engine.links import page_url
    from dfcache.engine.settings import closest
    from dfcache.knowledge import load

    pages = load().pages
    if name is None:
        wide = max((len(page.name) for page in pages), default=0)
        for page in pages:
            fix = "" if page.fix == "none" else page.fix
            line = f"{page.code}  {page.name:{wide}}  {page.severity.name.lower():7}  {fix:7}"
            print(f"{line}  {page.problem}")
        return 0
    page = next((each for each in pages if name.upper() == each.code or name == each.name), None)
    if page is None:
        known = tuple(word for each in pages for word in (each.name, each.code))
        near = closest(name.upper() if name[:3].upper() == "DFC" else name, known)
        hint = f"did you mean {near}?" if near else "`dfcache rule` lists them all"
        print(f"dfcache: there is no rule {name}; {hint}", file=sys.stderr)
        return 2
    severity = page.severity.name.lower()
    print(f"{page.code} {page.name} ({severity}; fix: {page.fix}; since {page.since})")
    print(page_url(page.code, page.name))
    print(f"\n{page.text.strip()}")
    return 0
