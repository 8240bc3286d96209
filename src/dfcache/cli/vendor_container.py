"""What ``dfcache vendor`` builds in containers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dfcache.builders.docker import Docker
    from dfcache.cli.vendor_show import Show
    from dfcache.cli.vendor_subject import Subject
    from dfcache.vendor.jobs import Job
    from dfcache.vendor.plan import Plan


class Builder:
    """Builds wheels of sources in a container, where there is docker."""

    def __init__(self, options: Sequence[str], subject: Subject, made: Plan, show: Show) -> None:
        from dfcache.builders.docker import BuilderError, Docker

        self._subject = subject
        self._plan = made
        self._show = show
        self._docker: Docker | None = None
        self.why_not = ""
        try:
            self._docker = Docker(options, "building wheels")
        except BuilderError as error:
            self.why_not = str(error)

    @property
    def can(self) -> bool:
        """Whether there is docker; else ``why_not`` says what is lacking."""
        return self._docker is not None

    def build(self, wanted: Sequence[str], job: Job, sources: Path, to: Path) -> Sequence[Path]:
        """See ``dfcache.vendor.work.Make``."""
        from dfcache.builders.docker import BuilderError
        from dfcache.builders.wheels import Place, make_wheels
        from dfcache.vendor.store import VendorError

        assert self._docker is not None
        where = job.where.partition(" (")[0]
        step = self._plan.steps[where]
        place = Place(self._subject.build, step, str(self._subject.root), job.target.platform)
        try:
            return make_wheels(
                self._docker, place, wanted, sources, to, _pip_settings(job), self._show.step
            )
        except BuilderError as error:
            raise VendorError(
                f"{where}: building {', '.join(wanted)} in a container failed: {error}",
                [
                    *(f"  {line}" for line in error.log.split("\n") if line),
                    "with --sdist the source is kept, and each build of the image builds it",
                ],
            ) from error


def _pip_settings(job: Job) -> dict[str, str]:
    """The indexes of a job as pip's configuration; those of this machine's loopback left out."""
    from urllib.parse import urlsplit

    def reached(addresses: Iterable[str]) -> str:
        own = ("localhost", "127.0.0.1", "::1")
        return " ".join(
            each for each in addresses if "://" in each and urlsplit(each).hostname not in own
        )

    indexes = job.indexes
    found = {
        "index-url": reached([indexes.index] if indexes.index else []),
        "extra-index-url": reached(indexes.extra),
        "trusted-host": " ".join(indexes.trusted),
    }
    return {name: value for name, value in found.items() if value}
