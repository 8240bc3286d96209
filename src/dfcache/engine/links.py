"""Where dfcache lives: pages of rules, and the place for bug reports."""

HOME = "https://github.com/dfcache/dfcache"
BUGS = f"{HOME}/issues"


def page_url(code: str, name: str) -> str:
    """The address of a rule's page."""
    return f"{HOME}/blob/main/rules/{code}-{name}.md"
