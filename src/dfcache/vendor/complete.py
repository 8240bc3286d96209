"""Whether a folder of packages is what its manifest says, and was filled for what is asked now."""

from __future__ import annotations

from pathlib import Path

from dfcache.model.target import Target
from dfcache.vendor.hashes import has_one, sha256
from dfcache.vendor.jobs import Job
from dfcache.vendor.manifest import Entry, Input, Manifest
from dfcache.vendor.plan import Plan
from dfcache.vendor.store import size_of


def inputs_of(dockerfile: str, plan: Plan) -> tuple[Input, ...]:
    """What a manifest says was asked for."""
    jobs = (
        Input(
            dockerfile, job.target, tuple(sorted(set(job.requirements))),
            tuple(sorted(set(job.constraints))),
        )
        for job in plan.jobs
    )  # fmt: skip
    checkouts = (Input(dockerfile, each.target, (each.line,)) for each in plan.checkouts)
    return (*jobs, *checkouts)


def is_complete(
    folder: Path, plan: Plan, dockerfile: str, manifest: Manifest, builds: bool
) -> bool:
    """Whether the folder was filled for just this plan, and nothing of it has changed.

    ``builds`` says that what comes from version control can be built.
    """
    held = {each for each in manifest.inputs if each.dockerfile == dockerfile}
    names = {entry.name for entry in manifest.files.values() if entry.built}
    if builds and any(c.name not in names for c in plan.checkouts):
        return False
    return (
        held == set(inputs_of(dockerfile, plan))
        and all(_is_whole(folder / e.file, e) for e in manifest.files.values())
        and not any(unfit(folder, job, manifest) for job in plan.jobs)
    )


def unfit(folder: Path, job: Job, manifest: Manifest) -> list[str]:
    """The files for a job that have none of the hashes that it allows."""
    return [
        entry.file
        for entry in manifest.files.values()
        if job.target in entry.targets
        and (allowed := job.hashes.get(entry.name))
        and not has_one(folder / entry.file, allowed)
    ]


def _is_whole(path: Path, entry: Entry) -> bool:
    return size_of(path) == entry.size and sha256(path) == entry.sha256


def for_targets(manifest: Manifest, targets: set[Target]) -> tuple[Entry, ...]:
    """The files that are for some of these targets."""
    return tuple(e for e in manifest.files.values() if not targets.isdisjoint(e.targets))
