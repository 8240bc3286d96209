"""A Docker engine to build with: this machine's, or one started from Debian's packages.

The started one is Debian trixie's docker.io in a folder (Docker 26.1, BuildKit 0.13), or that
of the Debian suite that DFCACHE_LAB_SUITE names: dockerd runs in a chroot, without networks of
its own, and is reached by its socket's path in the folder. Any number of test runs may share
it. Each holds a lock on `users` while it does, and the last one to leave stops it; what a
killed run left behind is taken over by the next.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lab.machine import NoLab, bootstrap, lab_folder, may_bootstrap, run

SOCKET = "run/dfcache.sock"
USUAL_SUITE = "trixie"


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine that answers. `env` is what a docker client needs to reach it."""

    docker: str
    env: dict[str, str]
    own: bool

    def __call__(self, *words: str, timeout: float = 900) -> str:
        """Run `docker WORDS` and return what it printed; NoLab when it fails."""
        return run([self.docker, *words], env=self.env, timeout=timeout)


@contextmanager
def engine() -> Iterator[Engine]:
    """An engine, stopped afterwards if it was started here; NoLab where there is none.

    DFCACHE_LAB_ENGINE=own passes over the machine's engine, and so does DFCACHE_LAB_SUITE.
    DFCACHE_LAB_KEEP=1 leaves a started one running, to save its 5 seconds while tests are
    written.
    """
    suite = os.environ.get("DFCACHE_LAB_SUITE", "")
    if os.environ.get("DFCACHE_LAB_ENGINE") != "own" and not suite:
        found = _of_this_machine()
        if found is not None:
            yield found
            return
    if not may_bootstrap():
        raise NoLab("no Docker engine answers, and starting one needs root on a Debian system")
    suite = suite or USUAL_SUITE
    lab = lab_folder()
    root = lab / ("engine" if suite == USUAL_SUITE else f"engine-{suite}")
    lab.mkdir(parents=True, exist_ok=True)
    with (lab / f"users-{suite}").open("w") as users:
        with _only_one(lab):
            fcntl.flock(users, fcntl.LOCK_SH)
            started = _start(root, suite)
        try:
            yield started
        finally:
            with _only_one(lab):
                fcntl.flock(users, fcntl.LOCK_UN)
                if os.environ.get("DFCACHE_LAB_KEEP") != "1" and _last(users):
                    stop(root)


def _of_this_machine() -> Engine | None:
    docker = shutil.which("docker")
    if docker is None:
        return None
    found = Engine(docker, {"DOCKER_BUILDKIT": "1"}, own=False)
    try:
        found("buildx", "version", timeout=20)
        system = found("version", "--format", "{{.Server.Os}}", timeout=20).strip()
    except (NoLab, subprocess.TimeoutExpired):
        return None
    return found if system.endswith("linux") else None


@contextmanager
def _only_one(lab: Path) -> Iterator[None]:
    with (lab / "starting").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _last(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _start(root: Path, suite: str) -> Engine:
    socket = root / SOCKET
    if len(str(socket)) > 107:  # sun_path holds 108 bytes, unix(7)
        raise NoLab(f"the path of DFCACHE_LAB is too long for a socket: {root}")
    _install(root, suite)
    config = root.with_name(f"{root.name}.config")
    plugins = config / "cli-plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    if not (plugins / "docker-buildx").exists():
        shutil.copy2(root / "usr/libexec/docker/cli-plugins/docker-buildx", plugins)
    started = Engine(
        docker=str(root / "usr/bin/docker"),
        env={
            "DOCKER_HOST": f"unix://{socket}",
            "DOCKER_CONFIG": str(config),
            "DOCKER_BUILDKIT": "1",
            "DOCKER_CONTEXT": "default",
        },
        own=True,
    )
    if not _answers(started):
        stop(root)
        _mount(root)
        log = root.with_name(f"{root.name}.dockerd.log")
        _launch(root, log)
        deadline = time.monotonic() + 60
        while not _answers(started):
            if time.monotonic() > deadline:
                stop(root)
                raise NoLab(f"dockerd did not come up within 60 s; see {log}")
            time.sleep(0.3)
    return started


def _install(root: Path, suite: str) -> None:
    mark = root / "usr/libexec/docker/installed"
    if mark.exists():
        return
    stop(root)
    bootstrap(suite, root, include="ca-certificates")
    shutil.copyfile("/etc/resolv.conf", root / "etc/resolv.conf")
    script = (
        # A mirror may lag behind a suite that moves, whose lists are good for a week.
        "apt-get -o Acquire::Check-Valid-Until=false update"
        " && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends"
        " docker.io docker-cli docker-buildx && apt-get clean"
    )
    run(["chroot", root, "sh", "-c", script], root.with_name("engine.log"))
    mark.touch()


def _answers(candidate: Engine) -> bool:
    try:
        candidate("version", "--format", "{{.Server.Version}}", timeout=20)
    except (NoLab, subprocess.TimeoutExpired):
        return False
    return True


def _mount(root: Path) -> None:
    shutil.copyfile("/etc/resolv.conf", root / "etc/resolv.conf")
    # `docker load` and `import` remount the root of their chroot, which must be a mount.
    run(["mount", "--bind", root, root])
    # A private mount: what runs in the chroot must not show up outside of the folder.
    run(["mount", "--make-rprivate", root])
    for name in ("proc", "sys", "dev"):
        run(["mount", "--rbind", f"/{name}", root / name])
        run(["mount", "--make-rslave", root / name])


def _launch(root: Path, log: Path) -> None:
    with log.open("w") as out:
        subprocess.Popen(
            [
                "chroot",
                str(root),
                "dockerd",
                "--host=unix:///" + SOCKET,
                "--exec-root=/run/dfcache",
                "--pidfile=/run/dfcache.pid",
                "--iptables=false",
                "--ip6tables=false",
                "--bridge=none",
            ],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def stop(root: Path) -> None:
    """End every process that runs in the folder, and undo every mount below it."""
    for sign, patience in ((signal.SIGTERM, 20.0), (signal.SIGKILL, 5.0)):
        # Once each: dockerd takes a third SIGTERM as an order to leave all as it is.
        for process in _inside(root):
            _kill(process, sign)
        deadline = time.monotonic() + patience
        while _inside(root) and time.monotonic() < deadline:
            time.sleep(0.2)
    for target in reversed(_mounts(root)):
        subprocess.run(["umount", "--lazy", target], stderr=subprocess.DEVNULL, check=False)
    for name in ("dfcache.pid", "dfcache.sock"):
        (root / "run" / name).unlink(missing_ok=True)


def _inside(root: Path) -> list[int]:
    """The processes whose root is the folder: dockerd, containerd and their like."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            inside = os.path.realpath(os.readlink(entry / "root")) == os.path.realpath(root)
        except OSError:
            continue
        if inside:
            found.append(int(entry.name))
    return found


def _kill(process: int, sign: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(process, sign)


def _mounts(root: Path) -> list[str]:
    below = os.path.realpath(root)
    targets = [line.split(" ")[1] for line in Path("/proc/mounts").read_text().split("\n") if line]
    decoded = [target.encode().decode("unicode_escape") for target in targets]
    return [target for target in decoded if target == below or target.startswith(below + "/")]
