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
            print(f"{line}  {page.problem}{' (on request)' if page.on_request else ''}")
        return 0
    found = next((each for each in pages if name.upper() == each.code or name == each.name), None)
    if found is None:
        known = tuple(word for each in pages for word in (each.name, each.code))
        near = closest(name.upper() if name[:3].upper() == "DFC" else name, known)
        hint = f"did you mean {near}?" if near else "`dfcache rule` lists them all"
        print(f"dfcache: there is no rule {name}; {hint}", file=sys.stderr)
        return 2
    severity = found.severity.name.lower() + (", on request" if found.on_request else "")
    print(f"{found.code} {found.name} ({severity}; fix: {found.fix}; since {found.since})")
    print(page_url(found.code, found.name))
    print(f"\n{found.text.strip()}")
    return 0
