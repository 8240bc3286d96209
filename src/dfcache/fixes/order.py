"""Copying what an install reads first, and the rest behind it."""

from __future__ import annotations

from dfcache.fixes.moves import manifest_copies, move_after
from dfcache.fixes.plan import Plan
from dfcache.model.build import Build
from dfcache.model.late import Late
from dfcache.model.order import move_behind


def copy_manifests_first(build: Build, late: Late) -> Plan:
    """Move the COPY behind the install, and leave its manifests where it was."""
    plan = Plan()
    if late.read.unknown:
        plan.refuse(late.read.unknown)
        return plan
    if not build.context.known:
        plan.doubt("the build context is not at hand: requirements may include other files")
    move = move_behind(build, late.copy, late.install, late.read)
    if move.refused:
        plan.refuse(move.refused)
        return plan
    manifests = manifest_copies(late.copy, late.needed, late.folders)
    if manifests is None:
        plan.refuse("the manifests can't be copied on their own")
        return plan
    without = {late.copy.outer.span: late.named} if late.named else {}
    move_after(
        build.dockerfile,
        move.steps,
        late.install.outer,
        plan,
        instead=manifests,
        without=without,
    )
    return plan
