"""`dfcache vendor --check`: which targets are to be checked, and the checking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from dfcache.model.build import Build
from dfcache.model.target import OLDEST, Target, with_answers
from dfcache.record import record, replace
from dfcache.vendor.audit import Audit, audit
from dfcache.vendor.jobs import Indexes
from dfcache.vendor.manifest import Manifest, read_manifest
from dfcache.vendor.plan import plan, targets


@record
class Checked:
    """An audit, and ``notes`` on what of the build could not be followed."""

    audit: Audit
    notes: tuple[str, ...]


@record
class Answers:
    """What the command line says of the targets; empty where it says nothing.

    ``own_platform`` is that of builds on this machine.
    """

    platforms: tuple[str, ...] = ()
    python: str = ""
    libc: str = ""
    version: str = ""
    own_platform: str = "linux/amd64"


class UnknownTargetError(ValueError):
    """The Python of an image is not known, and neither answers nor the manifest tell it."""


def check(
    build: Build, name: str, dockerfile: str, root: Path, folder: str, answers: Answers
) -> Checked:
    """Check the ``folder`` of the context at ``root`` for a build.

    ``name`` is how messages call the Dockerfile, ``dockerfile`` its path in the context. Raises
    ManifestError, OSError, and ValueError where an answer can't be used or one is needed.
    """
    place = root / folder
    manifest = read_manifest(place) if place.is_dir() else None
    wanted = all_targets(build, name, dockerfile, manifest, answers)
    made = plan(build, name, wanted, root, folder, Indexes())
    found = audit(place, made, dockerfile, manifest)
    return Checked(found, (*made.unread, *made.notes))


def all_targets(
    build: Build, name: str, dockerfile: str, manifest: Manifest | None, answers: Answers
) -> Mapping[int, Sequence[Target]]:
    """The targets of each stage; see ``stage_targets``.

    A Python that is given is that of the stages whose own nothing tells, and of all where there is
    none such. Raises UnknownTargetError where one is lacking, else ValueError, with the place.
    """
    known = targets(build)
    some_open = any(not target.python for target in known.values())
    found = {}
    for stage, target in known.items():
        mine = replace(answers, python="") if some_open and target.python else answers
        try:
            found[stage] = stage_targets(target, dockerfile, manifest, mine)
        except UnknownTargetError as error:
            raise UnknownTargetError(f"{name}:{_line(build, stage)}: {error}") from None
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return found


def _line(build: Build, stage: int) -> int:
    """The line of a stage's FROM."""
    froms = [each for each in build.dockerfile.instructions if each.name == "FROM"]
    return build.dockerfile.source.count("\n", 0, froms[stage].span.start) + 1


def stage_targets(
    known: Target, dockerfile: str, manifest: Manifest | None, answers: Answers
) -> Sequence[Target]:
    """The targets to check a stage for, of which ``known`` is what the Dockerfile tells.

    What is open is as it was when the folder was filled for this Dockerfile. Raises ValueError.
    """
    recorded = [i.target for i in manifest.inputs if i.dockerfile == dockerfile] if manifest else []
    recorded = list(dict.fromkeys(recorded))
    platforms = answers.platforms or ((known.platform,) if known.platform else ())
    platforms = platforms or tuple(dict.fromkeys(each.platform for each in recorded))
    found = []
    for platform in platforms or (answers.own_platform,):
        target = with_answers(
            known,
            python=answers.python,
            platform=platform,
            libc=answers.libc,
            version=answers.version,
        )
        same = [each for each in recorded if _is_like(each, target)]
        found += same or [_whole(target)]
    return tuple(dict.fromkeys(found))


def _is_like(recorded: Target, target: Target) -> bool:
    """Whether ``recorded`` is ``target`` as far as that is known."""
    fields: Mapping[str, str] = {
        "python": target.python,
        "platform": target.platform,
        "libc": target.libc,
    }
    if any(value and getattr(recorded, name) != value for name, value in fields.items()):
        return False
    guessed = not target.libc or target.libc_version == OLDEST.get(target.libc)
    return guessed or recorded.libc_version == target.libc_version


def _whole(target: Target) -> Target:
    if not target.linux:
        raise ValueError(f"{target.platform} is not supported: only Linux images are")
    if not target.python:
        message = "the base image doesn't tell which Python 3 it has; give it: --python 3.11"
        raise UnknownTargetError(message)
    return target if target.libc else with_answers(target, libc="glibc")
