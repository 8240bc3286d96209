"""Expanding variables with what a scope knows of them."""

from __future__ import annotations

import re

from dfcache.model.scope import Scope
from dfcache.parser.lexer import LexError, lex
from dfcache.record import record


@record
class Resolved:
    """What a text expands to.

    ``value`` is None where it can't be known; ``fixed`` is False where a build argument may
    change it.

    ``unset`` are the variables that nothing in the file or the known base image sets;
    BuildKit takes them for empty.
    """

    value: str | None
    fixed: bool
    unset: tuple[str, ...] = ()


def is_loose(raw: str, scope: Scope) -> bool:
    """Whether a word of a script names a variable that a build argument may change."""
    if "$" not in raw:
        return False
    names = re.findall(r"\$\{?(\w+)", raw)
    return any(n in scope.variables and not scope.variables[n].fixed for n in names)


def resolve(text: str, scope: Scope, escape: str) -> Resolved:
    """``text`` as BuildKit expands it in an instruction other than RUN."""
    if "$" not in text and "'" not in text and '"' not in text and escape not in text:
        return Resolved(text, fixed=True)
    known = {name: v.value for name, v in scope.variables.items() if v.value is not None}
    try:
        expansion = lex(text, known, escape)
    except LexError:
        return Resolved(None, fixed=True)
    unknown = [name for name in expansion.unset if name in scope.variables]
    if unknown:
        return Resolved(None, fixed=False)
    fixed = all(scope.variables[name].fixed for name in expansion.used)
    return Resolved(expansion.value, fixed, tuple(sorted(expansion.unset)))
