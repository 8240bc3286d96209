"""DFC311: a password or token for a package index stays in the image or in its history."""

from __future__ import annotations

from collections.abc import Iterator

from dfcache.checks.registry import Report, check_for
from dfcache.diagnostics import Elsewhere, Severity
from dfcache.model.build import Build
from dfcache.model.credentials import Exposed, exposed
from dfcache.text import Span


@check_for("DFC311", on=Build)
def check(build: Build, _: Build) -> Iterator[Report]:
    told: set[tuple[str, Span]] = set()
    delivered = build.lineage(len(build.stages) - 1) if build.stages else ()
    for each in exposed(build):
        where = (each.file, each.place if each.file else each.span)
        if where in told:
            continue
        told.add(where)
        own = each.step is not None and each.step.stage in delivered
        yield Report(
            each.span,
            _message(each, own),
            notes=tuple(_notes(each, own)),
            severity=None if own or each.file else Severity.WARNING,
            elsewhere=Elsewhere(each.file, each.place) if each.file else None,
        )


def _message(each: Exposed, own: bool) -> str:
    keeps = "the image keeps" if each.how == "ENV" else "the image's history keeps"
    keeps = keeps if own else "the build cache keeps"
    if each.how == "file":
        return f"{each.name} holds passwords, and becomes part of a layer"
    if _is_password(each):
        return f"{each.how} {each.name} is a password or token: {keeps} it"
    what = f"the credentials for {each.host or 'the package index'}"
    if each.how == "literal":
        return f"{what} stand in {'a file of the build context' if each.file else 'the Dockerfile'}"
    return f"{what} come from {each.how} {each.name}: {keeps} them"


def _is_password(each: Exposed) -> bool:
    """Whether the variable is one that package managers take a password or token from."""
    return not each.host and (each.name.endswith("_PASSWORD") or "_TOKEN_" in each.name)


def _notes(each: Exposed, own: bool) -> Iterator[str]:
    if each.tool == "git":
        yield "give the key by `RUN --mount=type=ssh`, and ask for git+ssh://git@…"
    elif each.how == "file":
        yield (
            "mount it instead: `RUN --mount=type=secret,id=netrc,target=/root/.netrc …`, and build"
            " with `--secret id=netrc,src=$HOME/.netrc`"
        )
    elif each.tool == "uv":
        name = each.name if _is_password(each) else "UV_DEFAULT_INDEX"
        yield (
            f"mount it instead: `RUN --mount=type=secret,id=index,env={name} uv …`, and build with"
            " `--secret id=index,env=…`; env= needs Dockerfile syntax 1.10"
        )
    else:
        yield (
            "mount it instead: `RUN --mount=type=secret,id=pip_conf,target=/etc/pip.conf pip"
            " install …`, and build with `--secret id=pip_conf,src=pip.conf`"
        )
    if each.how == "ARG":
        yield f"every other value of {each.name} also runs the steps behind it again"
    if not own and not each.file and each.step is not None:
        yield "the last stage isn't built from this one; the builder's cache is shared, still"
