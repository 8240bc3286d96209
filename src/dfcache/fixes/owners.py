"""Whose a cache mount has to be."""

from __future__ import annotations

from dfcache.fixes.plan import Plan
from dfcache.model.build import RunStep
from dfcache.model.uses import ToolUse


def mount_owner(step: RunStep, use: ToolUse, plan: Plan) -> tuple[int | None, int | None]:
    """The uid and gid of a mount that who runs ``use`` can write to; None where root's do.

    What can't be told from the file refuses the plan, or casts a doubt on it.
    """
    user = use.user
    if use.invocation.home_kept and not step.scope.user.root:
        plan.doubt("sudo without -H may keep the caller's HOME, and with it another cache")
    if user.root:
        if not user.sure:
            plan.doubt("the base image is not known: its steps are taken to run as root")
        return None, None
    if user.uid is not None:
        return user.uid, user.gid
    others = [other for other in step.scope.users.values() if other.name != user.name]
    ordinary = [o for o in others if o.sure and (o.uid is None or 1000 <= o.uid < 60000)]
    if not user.sure or ordinary:
        plan.refuse(f"the uid of {user.name or 'the user'} can't be told from this file")
    plan.doubt(f"{user.name} is taken to have uid 1000, as the first user of an image has")
    return 1000, user.gid
