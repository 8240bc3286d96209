"""What makes a later RUN run again: pairs of instructions before it, and what BuildKit does.

This is the ground that `runs again on` stands on. Each row is built with the first text, then
with the second, and the RUN behind it is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    first: str
    second: str
    runs_again: bool
    arguments: tuple[str, str] | None = None


ROWS = (
    Row("LABEL changed", "LABEL v=1", "LABEL v=2", False),
    Row("LABEL gone", "LABEL v=1", "", False),
    Row("MAINTAINER changed", "MAINTAINER one", "MAINTAINER two", False),
    Row("EXPOSE changed", "EXPOSE 1", "EXPOSE 2", False),
    Row("CMD changed", "CMD one", "CMD two", False),
    Row("ENTRYPOINT changed", "ENTRYPOINT one", "ENTRYPOINT two", False),
    Row("HEALTHCHECK changed", "HEALTHCHECK CMD one", "HEALTHCHECK CMD two", False),
    Row("STOPSIGNAL changed", "STOPSIGNAL 1", "STOPSIGNAL 2", False),
    Row("VOLUME changed", "VOLUME /one", "VOLUME /two", False),
    Row("ONBUILD changed", "ONBUILD RUN one", "ONBUILD RUN two", False),
    Row("comment changed", "# one", "# two", False),
    Row("ENV changed", "ENV V=1", "ENV V=2", True),
    Row("ENV gone", "ENV V=1", "", True),
    Row("ENVs swapped", "ENV A=1\nENV B=2", "ENV B=2\nENV A=1", True),
    Row("ENV and LABEL swapped", "ENV A=1\nLABEL b=2", "LABEL b=2\nENV A=1", False),
    Row("ARG default changed", "ARG V=1", "ARG V=2", True),
    Row("ARG without a value renamed", "ARG V", "ARG W", False),
    Row("ARG set on the command line", "ARG V", "ARG V", True, ("V=1", "V=2")),
    Row("undeclared argument set", "", "", False, ("V=1", "V=2")),
    Row(
        "proxy set and not declared", "", "", False, ("HTTP_PROXY=http://a", "HTTP_PROXY=http://b")
    ),
    Row("ARG hidden by an ENV", "ARG V=1\nENV V=x", "ARG V=2\nENV V=x", False),
    Row("ARG taken into an ENV", "ARG V=1\nENV V=$V", "ARG V=2\nENV V=$V", True),
    Row("ARG that only a LABEL uses", "ARG V=1\nLABEL v=$V", "ARG V=2\nLABEL v=$V", True),
    Row("ARG of the platform declared", "", "ARG TARGETPLATFORM", True),
    Row("USER spelled otherwise", "USER 0", "USER root", True),
    Row("SHELL changed", 'SHELL ["/bin/sh", "-c"]', 'SHELL ["/bin/bash", "-c"]', True),
    Row("WORKDIR changed", "WORKDIR /one", "WORKDIR /two", True),
    Row("WORKDIR spelled otherwise", "WORKDIR /one", "WORKDIR /one/", True),
    Row("RUN with a comment more", "RUN true", "RUN true # again", True),
    Row("COPY of a changed file", "COPY changed /", "COPY changed /", True),
    Row("COPY --link of a changed file", "COPY --link changed /", "COPY --link changed /", True),
    Row("COPY of another file than the changed", "COPY same /", "COPY same /", False),
)
