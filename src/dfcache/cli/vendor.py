"""``dfcache vendor``: from options to an exit code."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from dfcache.cli.stream import complain
from dfcache.cli.vendor_container import Builder
from dfcache.cli.vendor_report import report, safe
from dfcache.cli.vendor_show import Show
from dfcache.cli.vendor_subject import Request, Subject, VendorUsageError, subject_of, targets_of
from dfcache.record import replace

if TYPE_CHECKING:
    from dfcache.vendor.plan import Plan
    from dfcache.vendor.work import Done


def run_vendor(request: Request) -> int:
    """Fetch what the build installs; the exit code."""
    from dfcache.engine.settings import SettingsError
    from dfcache.vendor.manifest import ManifestError
    from dfcache.vendor.programs import ProgramError
    from dfcache.vendor.resolve import ResolveError
    from dfcache.vendor.store import VendorError

    show = Show(request.quiet)
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # Windows lacks the latter
            signal.signal(getattr(signal, name), _leave)
    try:
        subject = subject_of(request)
        if request.check:
            from dfcache.cli.vendor_check import run_check

            return run_check(request, subject)
        return _fill(request, subject, show)
    except SettingsError as error:
        place = f"{error.path}:{error.line}" if error.line else error.path or "dfcache"
        return _fail(show, f"{place}: {error}")
    except ResolveError as error:
        detail = [f"  {line}" for line in error.detail.split("\n") if line]
        if error.unreachable:
            detail.append("what has arrived stays; run it again to go on")
        return _fail(show, f"{error.where}: {error}", detail)
    except VendorError as error:
        return _fail(show, str(error), error.detail)
    except (VendorUsageError, ProgramError, ManifestError) as error:
        return _fail(show, str(error))
    except OSError as error:
        return _fail(show, f"{error.filename or 'dfcache'}: {error.strerror or error}")
    except KeyboardInterrupt:
        show.clear()
        complain("dfcache: stopped; what has arrived stays, run it again to go on")
        return 130
    finally:
        show.clear()


def _fill(request: Request, subject: Subject, show: Show) -> int:
    from dfcache.vendor.alone import alone
    from dfcache.vendor.host import configured
    from dfcache.vendor.manifest import read_manifest
    from dfcache.vendor.plan import plan, targets
    from dfcache.vendor.work import Order, vendor

    if not targets(subject.build):
        raise VendorUsageError(f"{subject.path}: installs nothing with pip or uv pip")
    place = subject.root / subject.folder
    wanted = targets_of(subject, read_manifest(place), request)
    default = configured(subject.settings.wishes.index_url)
    made = plan(subject.build, subject.path, wanted, subject.root, subject.folder, default)
    if not made.jobs and not made.checkouts:
        for note in (*made.unread, *made.notes):
            complain(f"dfcache: {safe(note)}")
        raise VendorUsageError(f"{subject.path}: nothing that could be fetched is installed")
    builder = Builder(request.build_options, subject, made, show)
    order = Order(
        subject.inside, place, made, request.sdist, builder.build if builder.can else None,
        builder.why_not, request.upgrade, request.retries,
    )  # fmt: skip
    pruned: Sequence[str] = ()
    with alone(place, show.doing):
        done = vendor(order, show)
        if request.prune:
            pruned, notes = _prune(subject, made, done)
            done = replace(done, notes=(*done.notes, *notes))
    show.clear()
    report(request, subject, made, done, pruned)
    return 0


def _prune(subject: Subject, made: Plan, done: Done) -> tuple[Sequence[str], Sequence[str]]:
    """Delete what nothing needs any longer: its names, and what to tell besides."""
    from dfcache.vendor.audit import audit
    from dfcache.vendor.prune import prune

    folder = subject.root / subject.folder
    found = audit(folder, made, subject.inside, done.manifest)
    if not found.sure:
        return (), ["nothing is pruned: what is needed can't be told for sure"]
    # What was just resolved, and what pip would take.
    resolved = () if done.unchanged else (each.file for each in done.files)
    pruned = prune(folder, found.needed.union(resolved), done.manifest)
    return pruned.removed, [f"{name} is not dfcache's, so it stays" for name in pruned.left]


def _fail(show: Show, message: str, detail: Sequence[str] = ()) -> int:
    show.clear()
    # The root of a context is absolute; nearby files are known by shorter names.
    complain(safe(f"dfcache: {message}".replace(os.getcwd() + os.sep, "")))
    for line in detail:
        complain(safe(line))
    return 2


def _leave(sign: int, frame: object) -> NoReturn:
    raise SystemExit(128 + sign)
