"""The user's docker with buildx, run as they would run it.

A builder of measurements has a name of its own. It is the namespace of the cache mounts
(``BUILDKIT_CACHE_MOUNT_NS``, a build argument that the Dockerfile frontend knows), so that no mount
of theirs is read or written; and it is a line of /etc/hosts while steps run (``--add-host``), which
BuildKit counts among what a RUN depends on, so that none comes from a layer of theirs.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from dfcache.builders.progress import Plain, Progress, RawJson, Step
from dfcache.record import record

Tell = Callable[[str], None]

_LINES = 15


class BuilderError(Exception):
    """Docker can't be used, or a build failed; ``log`` is the end of what the build printed."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


@record
class Built:
    """A finished build: its steps, and the seconds it took, less those for its base images."""

    steps: tuple[Step, ...]
    seconds: float


class Docker:
    """Builds with ``docker buildx``. ``options`` are added to each build's command."""

    def __init__(self, options: Sequence[str] = (), what: str = "measuring") -> None:
        """``what`` needs it. Raises BuilderError where there is no docker, or no buildx."""
        self._options = tuple(options)
        self._raw = _version(what) >= (0, 13)

    def build(self, name: str, context: str, dockerfile: str, tell: Tell) -> Built:
        """Build without keeping the image. ``tell`` gets each step as it starts.

        Raises BuilderError where the build fails.
        """
        start = time.monotonic()
        progress = self._build(
            context, dockerfile, tell, "--output=type=cacheonly",
            f"--build-arg=BUILDKIT_CACHE_MOUNT_NS={name}", f"--add-host={name}:127.0.0.1",
        )  # fmt: skip
        seconds = time.monotonic() - start
        return Built(progress.steps(), max(0.0, seconds - progress.pulling()))

    def export(
        self, to: str, context: str, dockerfile: str, options: Sequence[str], tell: Tell
    ) -> None:
        """Build, and put the files of the image into the folder ``to``.

        Raises BuilderError where the build fails.
        """
        self._build(context, dockerfile, tell, f"--output=type=local,dest={to}", *options)

    def _build(self, context: str, dockerfile: str, tell: Tell, *options: str) -> Progress:
        progress: Progress = RawJson() if self._raw else Plain()
        command = [
            *("docker", "buildx", "build", f"--progress={'rawjson' if self._raw else 'plain'}"),
            *options,
            f"--file={dockerfile}",
            *self._options,
            context,
        ]
        code = _run(command, progress, tell)
        if code != 0:
            raise BuilderError(_reason(progress, code), _last(progress))
        return progress

    def forget(self, names: Sequence[str]) -> None:
        """Delete the cache mounts of these builders; where that fails, they are left to age."""
        chosen = [each for each in self._options if each.startswith("--builder=")]
        listed = _output(["docker", "buildx", "du", "--verbose", *chosen])
        for mount in mounts_of(listed, names):
            _output(["docker", "buildx", "prune", "--force", f"--filter=id={mount}", *chosen])


def mounts_of(listed: str, names: Sequence[str]) -> list[str]:
    """The ids of the cache mounts in the namespaces, from ``docker buildx du --verbose``."""
    found = []
    # A description holds the command of a step, which may have many lines.
    for block in re.split(r"^(?=ID:\s)", listed, flags=re.M):
        identity = re.match(r"ID:\s*(\w+)", block)
        mount = re.search(
            r'^Description:\s*cached mount .*? with id "([^"]*)"$', block, re.M | re.S
        )
        if identity and mount and any(mount[1].startswith(f"{name}/") for name in names):
            found.append(identity[1])
    return found


def _version(what: str) -> tuple[int, ...]:
    try:
        done = subprocess.run(
            ["docker", "buildx", "version"], capture_output=True, text=True, errors="replace",
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except OSError as error:
        why = "is not installed" if isinstance(error, FileNotFoundError) else "can't be run"
        raise BuilderError(f"docker {why}; {what} needs it, with buildx") from error
    found = re.search(r"\bv?(\d+)\.(\d+)\.", done.stdout)
    if done.returncode != 0 or found is None:
        raise BuilderError(f"docker has no buildx, which {what} needs: docker buildx version fails")
    return int(found[1]), int(found[2])


def _run(command: Sequence[str], progress: Progress, tell: Tell) -> int:
    """Run a build to its end; its exit code. Interrupted, it leaves no build running."""
    # A session of its own: a Ctrl-C reaches docker through us, once, and is a request to stop.
    running = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    assert running.stderr is not None
    told = ""
    try:
        for line in running.stderr:
            progress.line(line.decode("utf-8", "replace").rstrip("\n"))
            if progress.current() != told:
                told = progress.current()
                tell(told)
        return running.wait()
    finally:
        if running.poll() is None:
            _stop(running)
        running.stderr.close()


def _stop(running: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        running.terminate()
        return
    for sign, patience in ((signal.SIGINT, 10.0), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(running.pid, sign)
            running.wait(patience)
            return
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            return


def _reason(progress: Progress, code: int) -> str:
    """What the client said at the end, in one line."""
    said = [each for each in progress.rest().split("\n") if each.startswith("ERROR: ")]
    if said:
        return said[-1].removeprefix("ERROR: ")
    rest = progress.rest().strip().rsplit("\n", 1)[-1]
    return rest or f"docker buildx build failed with exit code {code}"


def _last(progress: Progress) -> str:
    """The end of what the failed step printed; of what the client printed where none failed."""
    failed = [each for each in progress.steps() if each.error and each.output.strip()]
    text = failed[-1].output if failed else progress.rest()
    lines = [each.rstrip() for each in re.split(r"[\r\n]+", text) if each.strip()]
    title = [failed[-1].name] if failed else []
    return "\n".join([*title, *lines[-_LINES:]])


def _output(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            timeout=60, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout
