"""Files fetched over a network that breaks: what arrived is never fetched again.

Neither pip nor uv keeps the part of a file that had arrived when they give up (measured with pip 26
and uv 0.13), and ``pip download`` keeps no file at all. So the files, whose address and hash the
resolver has told, are fetched here: into ``NAME.part`` in a hidden folder beside them, which a
later attempt or run goes on with (HTTP Range), and from there in one step to their
place, once the hash is right.
"""

from __future__ import annotations

import errno
import http.client
import os
import queue
import shutil
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from dfcache.record import EMPTY, record
from dfcache.vendor.files import Locked
from dfcache.vendor.hashes import sha256

PARTS = ".dfcache-part"
"""The folder, within that of the packages, of files that have not arrived as a whole."""

RETRIES = 3
"""How often to go over what is missing again, unless it is said otherwise."""

_CHUNK = 1 << 16
_WORKERS = 4
_FRUITLESS = 3  # attempts in a row that brought no byte, before a file waits for the next round
_TIMEOUT = 30.0  # seconds without a byte
# Errors of this machine's disk, which stay however often it is tried.
_OWN = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM))


class Tell(Protocol):
    """Hears how it goes; called from several threads."""

    def arrived(self, count: int) -> None:
        """So many bytes have arrived; negative where a part turned out useless."""

    def finished(self, file: Locked, size: int) -> None:
        """A file is complete and in its place."""

    def trouble(self, file: Locked, reason: str) -> None:
        """An attempt has failed; there may be more."""


@record
class Network:
    """How the servers are spoken to.

    ``logins`` are (user, password) by host and port as in an address, ``insecure`` are hosts whose
    certificates are not checked; ``trusted`` is a file of certificates to trust instead of the
    usual ones. ``other`` fetches what can't be fetched so, as where a server
    wants more than a password: it is given the file and a folder to put it into, and
    raises OSError.
    """

    logins: Mapping[str, tuple[str, str]]
    insecure: frozenset[str] = frozenset()
    trusted: str | None = None
    other: Callable[[Locked, Path], None] | None = None


class HashError(Exception):
    """What has arrived is not what was locked."""


class _Stopped(Exception):
    """The fetching was given up by the user."""


class _Final(Exception):
    """An answer that another attempt would not change."""


def pauses_of(retries: int) -> tuple[float, ...]:
    """The seconds to wait before each round: none before the first, then longer and longer."""
    return tuple(min(60.0, 1.25 * 2**number) if number else 0.0 for number in range(retries + 1))


def fetch(
    files: Sequence[Locked],
    folder: Path,
    network: Network,
    tell: Tell,
    pauses: Sequence[float],
) -> dict[Locked, str]:
    """Fetch the files into the folder; what could not be fetched, with the reasons.

    ``pauses`` are the seconds before each round over what is missing, see ``pauses_of``.
    Files that are there are taken as they are. Stopped by an exception, such as
    KeyboardInterrupt, it leaves complete files, and the parts of others to go on with.
    """
    missing = [file for file in files if not (folder / file.file).is_file()]
    failed: dict[Locked, str] = {}
    final: dict[Locked, str] = {}
    for number, pause in enumerate(pauses):
        if not missing:
            break
        if number:
            time.sleep(pause)
        failed, refused = _round(missing, folder, network, tell)
        final.update(refused)
        missing = [file for file in missing if file in failed and file not in final]
    _tidy(folder)
    return {**{file: failed[file] for file in missing}, **final}


def _round(
    files: Sequence[Locked], folder: Path, network: Network, tell: Tell
) -> tuple[dict[Locked, str], dict[Locked, str]]:
    """One attempt at each file: those that failed, and those that always will."""
    waiting: queue.SimpleQueue[Locked] = queue.SimpleQueue()
    for file in files:
        waiting.put(file)
    failed: dict[Locked, str] = {}
    final: dict[Locked, str] = {}
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            try:
                file = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                _File(file, folder, network, tell, stop).fetch()
            except (_Final, HashError) as error:
                final[file] = str(error)
            except (OSError, http.client.HTTPException) as error:
                failed[file] = reason(error)
            except _Stopped:
                return

    # Daemons, so that Ctrl-C need not wait for a server that has gone silent: a part is good
    # whenever its writing stops.
    workers = [threading.Thread(target=work, daemon=True) for _ in range(min(_WORKERS, len(files)))]
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            while worker.is_alive():
                worker.join(0.2)
    finally:
        stop.set()
    return failed, final


class _File:
    """The fetching of one file."""

    def __init__(
        self, file: Locked, folder: Path, network: Network, tell: Tell, stop: threading.Event
    ) -> None:
        self._file = file
        self._folder = folder
        self._network = network
        self._tell = tell
        self._stop = stop
        self._resumed = False
        self._part = part_of(file, folder)

    def fetch(self) -> None:
        """Raises OSError or HTTPException where it failed, _Final or HashError for good."""
        self._part.parent.mkdir(parents=True, exist_ok=True)
        scheme = urlsplit(self._file.url).scheme
        if scheme == "file":
            self._copy()
        elif scheme in ("http", "https"):
            self._download()
        else:
            raise _Final(f"{scheme or 'no'} addresses are not supported")

    def _copy(self) -> None:
        from urllib.request import url2pathname

        source = Path(url2pathname(urlsplit(self._file.url).path))
        if not source.is_file():
            raise _Final(f"{source} is not there")
        shutil.copyfile(source, self._part)
        self._keep()

    def _download(self) -> None:
        fruitless = 0
        while True:
            before = self._size()
            try:
                self._attempt()
                break
            except urllib.error.HTTPError as error:
                if error.code == 416 and self._size():  # there is no more of it
                    self._resumed = True
                    break
                if error.code in (401, 403, 407) and self._network.other is not None:
                    self._elsewhere()
                    break
                if 400 <= error.code < 500 and error.code not in (408, 416, 425, 429):
                    raise _Final(f"the server answers {error.code} {error.reason}") from error
                fruitless = self._again(error, fruitless + 1)
            except ssl.SSLCertVerificationError:
                if self._network.other is None:
                    raise
                self._elsewhere()
                break
            except (OSError, http.client.HTTPException) as error:
                if _untrusted(error) and self._network.other is not None:
                    self._elsewhere()
                    break
                if isinstance(error, OSError) and error.errno in _OWN:
                    raise _Final(error.strerror) from error
                fruitless = self._again(error, 0 if self._size() > before else fruitless + 1)
        try:
            self._keep()
        except HashError:
            if not self._resumed:
                raise
            # The parts were not of one file; from the beginning, it may be right.
            self._resumed = False
            self._download()

    def _again(self, error: Exception, fruitless: int) -> int:
        if fruitless >= _FRUITLESS:
            raise error
        self._tell.trouble(self._file, reason(error))
        if self._stop.wait(0.3 * 2**fruitless):
            raise _Stopped
        return fruitless

    def _attempt(self) -> None:
        """Get what is missing. Raises OSError or HTTPException where the connection ends early."""
        # Without a hash, nothing would tell whether the rest is of the same file.
        start = self._size() if self._file.sha256 else 0
        if start and start == self._file.size:
            return
        with self._open(start) as response:
            if start and response.status != 206:
                self._tell.arrived(-start)
                start = 0
            self._resumed = self._resumed or start > 0
            length = response.headers.get("Content-Length")
            with open(self._part, "ab" if start else "wb") as part:
                got = self._read(response, part)
            if length is not None and length.isdigit() and got < int(length):
                whole = (start + int(length)) / 1e6
                raise ConnectionError(
                    f"connection lost after {(start + got) / 1e6:.1f} of {whole:.1f} MB"
                )

    def _read(self, response: Any, part: Any) -> int:
        got = 0
        while chunk := response.read1(_CHUNK):
            if self._stop.is_set():
                raise _Stopped
            part.write(chunk)
            part.flush()
            got += len(chunk)
            self._tell.arrived(len(chunk))
        return got

    def _open(self, start: int) -> Any:
        more = {"Range": f"bytes={start}-"} if start else {}
        return open_address(self._file.url, self._network, more)

    def _elsewhere(self) -> None:
        assert self._network.other is not None
        self._network.other(self._file, self._part)

    def _keep(self) -> None:
        """Check the hash, and put the file in its place. Raises HashError."""
        digest = sha256(self._part)
        size = self._size()
        if self._file.sha256 and digest != self._file.sha256:
            self._part.unlink()
            self._tell.arrived(-size)
            raise HashError(
                f"the hash is not the locked one: sha256 {digest[:16]}…, "
                f"not {self._file.sha256[:16]}…"
            )
        if not self._file.sha256 and not _is_archive(self._part):
            self._part.unlink()
            self._tell.arrived(-size)
            raise ConnectionError("what has arrived is no archive")
        with open(self._part, "rb") as part:
            os.fsync(part.fileno())
        os.replace(self._part, self._folder / self._file.file)
        self._tell.finished(self._file, size)

    def _size(self) -> int:
        try:
            return self._part.stat().st_size
        except FileNotFoundError:
            return 0


def _is_archive(path: Path) -> bool:
    import tarfile
    import zipfile

    return zipfile.is_zipfile(path) or tarfile.is_tarfile(path)


def part_of(file: Locked, folder: Path) -> Path:
    """Where what has arrived of a file is."""
    # The hash in the name: a part of another build of the file is of no use.
    return folder / PARTS / f"{file.file}.{file.sha256[:16] or 'unknown'}.part"


def reason(error: Exception) -> str:
    """Why an attempt failed, in words and without an address."""
    inner = getattr(error, "reason", None)
    if isinstance(inner, Exception):
        return reason(inner)
    if isinstance(error, TimeoutError):
        return f"no answer within {_TIMEOUT:.0f} seconds"
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def open_address(
    address: str, network: Network, headers: Mapping[str, str] = EMPTY, method: str = "GET"
) -> Any:
    """The answer of a server. Raises OSError, HTTPException."""
    # As the file is: of what a server compresses, the hash would be another.
    more = {"User-Agent": "dfcache", "Accept-Encoding": "identity", **headers}
    request = urllib.request.Request(address, headers=more, method=method)
    host = urlsplit(address).netloc
    login = network.logins.get(host)
    if login is not None:
        import base64

        text = base64.b64encode(":".join(login).encode()).decode()
        # Unredirected: another server must not get it.
        request.add_unredirected_header("Authorization", f"Basic {text}")
    bare_host = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    insecure = not network.insecure.isdisjoint((host, bare_host))
    return _opener(insecure, network.trusted).open(request, timeout=_TIMEOUT)


def _untrusted(error: Exception) -> bool:
    return isinstance(getattr(error, "reason", None), ssl.SSLCertVerificationError)


def _opener(insecure: bool, trusted: str | None) -> urllib.request.OpenerDirector:
    if not insecure and trusted is None:
        return urllib.request.build_opener()
    context = ssl.create_default_context(cafile=trusted)
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))


def _tidy(folder: Path) -> None:
    """Delete the folder of parts where it is empty."""
    try:
        (folder / PARTS).rmdir()
    except OSError:
        return
