"""Where installs get their packages: from an index, a folder, or one after the other."""

from __future__ import annotations

from dfcache.model.asked import Asked, Given, asked
from dfcache.model.build import Build, RunStep, per_build
from dfcache.model.options import Option
from dfcache.record import record


@record
class Form:
    """How one command gets its packages.

    ``kind`` is "index" (it asks one), "offline" (it asks none), or one of the two halves of
    ``a || b``, which try the same: "first" (offline) and "second" (with the index). ``other`` is
    the other half.
    """

    asked: Asked
    kind: str
    other: Asked | None = None

    @property
    def place(self) -> Given | None:
        """The local folder of packages that it looks into, of the build context if it can be."""
        return place_of(self.asked)


def place_of(each: Asked) -> Given | None:
    """The local folder of packages of a command; one of the build context before others."""
    local = [given for given in each.links if given.path is not None]
    of_context = [given for given in local if given.origin and given.origin.path is not None]
    return next(iter((*of_context, *local)), None)


@per_build
def forms(build: Build, step: RunStep) -> tuple[Form, ...]:
    """The form of each command of a step that installs, downloads or builds Python packages."""
    found: list[Form] = []
    for each in asked(build, step):
        before = found[-1] if found else None
        if before is not None and before.kind == "offline" and _tries_again(before.asked, each):
            found[-1] = Form(before.asked, "first", each)
            found.append(Form(each, "second", before.asked))
        elif not each.needs_index:
            found.append(Form(each, "offline"))
        else:
            found.append(Form(each, "index"))
    return tuple(found)


def _tries_again(first: Asked, second: Asked) -> bool:
    """Whether ``second`` runs where ``first`` fails, and asks an index for the same."""
    one, two = first.use.invocation.command, second.use.invocation.command
    return (
        second.needs_index
        and first.use.tool is second.use.tool
        and first.use.spec is second.use.spec
        and two.joiner == "||"
        and one.after is not None
        and two.before is not None
        and one.after.span == two.before.span
    )


def switches_off(each: Asked) -> tuple[Option, ...]:
    """The options of a command that have it ask no index."""
    return tuple(o for o in each.use.options if o.name in ("--no-index", "--offline"))
