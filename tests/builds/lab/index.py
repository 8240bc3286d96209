"""A package index on the loopback that counts, cuts and refuses.

It serves a Python index (/simple/, PEP 503), a Debian archive (/debian) and an npm registry
(/npm/) from memory, with the headers that caches need: an ETag and a max-age. What a build
downloads is what `fetched` returns, in bytes that went over the wire.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from lab.packages import (
    Package,
    deb,
    deb_control,
    metadata,
    npm_requires,
    npm_tarball,
    sdist,
    wheel,
)

PORT = int(os.environ.get("DFCACHE_LAB_PORT", "8763"))

PYTHON = (
    Package("lab-alpha", "1.0", requires=("lab-gamma>=1",)),
    Package("lab-alpha", "2.0", requires=("lab-gamma>=1",)),
    Package("lab-beta", "1.0"),
    Package("lab-beta", "1.1"),
    Package("lab-gamma", "1.0"),
    Package("lab-source", "1.0", source=True),
    Package("lab-source", "1.1", source=True),
    Package("lab-bulk", "1.0", bulk=4_000_000),
    Package("lab-bulk", "1.1", bulk=4_000_000),
)
DEBIAN = (
    Package("lab-tool", "1.0", requires=("lab-lib",)),
    Package("lab-lib", "1.0"),
    Package("lab-heavy", "1.0", bulk=4_000_000),
    Package("lab-other", "1.0"),
)
NPM = (
    Package("lab-left", "1.0.0", requires=("lab-middle@^1.0.0",)),
    Package("lab-left", "1.1.0", requires=("lab-middle@^1.0.0",)),
    Package("lab-middle", "1.0.0"),
    Package("lab-right", "1.0.0", bulk=2_000_000),
)


@dataclass(frozen=True, slots=True)
class Request:
    """One answered request: `sent` counts the bytes of the body, `package` is a file's name."""

    path: str
    status: int
    sent: int
    package: str | None


@dataclass(slots=True)
class Index:
    """The server. Use it as a context manager; `port` 0 takes a free one.

    `rate` holds each connection to so many bytes a second; 0 is as fast as it goes. `python` are
    its Python packages; with `metadata` it serves what is in their wheels besides (PEP 658). With
    a `login`, as user:password, it answers nobody else.
    """

    port: int = PORT
    ranges: bool = False
    rate: int = 0
    python: Sequence[Package] = PYTHON
    metadata: bool = False
    login: str = ""
    requests: list[Request] = field(default_factory=list)
    _cuts: dict[str, int] = field(default_factory=dict)
    _refusing: bool = False
    _answers: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut(self, name: str, at: int) -> None:
        """From now on, drop the connection after `at` bytes of each file whose name starts so."""
        self._cuts[name] = at

    def refuse_all(self) -> None:
        """From now on, drop every connection without an answer, like a network that is down."""
        self._refusing = True

    def heal(self) -> None:
        """Take back `cut` and `refuse_all`."""
        self._cuts.clear()
        self._refusing = False

    def forget(self) -> None:
        """Start counting anew."""
        self.requests.clear()

    def fetched(self) -> dict[str, int]:
        """The bytes sent for each package file since `forget`, in the order of asking."""
        totals: dict[str, int] = {}
        for request in list(self.requests):
            if request.package is not None and request.sent:
                totals[request.package] = totals.get(request.package, 0) + request.sent
        return totals

    def size(self, package: str) -> int:
        """The whole size in bytes of a package file."""
        return len(next(b for p, (_, b) in self._answers.items() if p.endswith("/" + package)))

    def __enter__(self) -> Index:
        index = self

        class Handler(_Handler):
            lab = index

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        python = _python(self.python, self.metadata)
        self._answers = python | _debian() | _npm(self.url)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    lab: Index
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: `Index.requests` is the log."""

    def do_GET(self) -> None:
        self._answer(body_wanted=True)

    def do_HEAD(self) -> None:
        self._answer(body_wanted=False)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._note(404, 0)
        self._head(404, 0)

    def _answer(self, *, body_wanted: bool) -> None:
        if self.lab._refusing:
            self.close_connection = True
            return
        if self.lab.login and self.headers.get("Authorization") != _basic(self.lab.login):
            self._note(401, 0)
            self._head(401, 0, more={"WWW-Authenticate": 'Basic realm="lab"'})
            return
        found = self.lab._answers.get(self.path.split("?")[0])
        if found is None:
            self._note(404, 0)
            self._head(404, 0)
            return
        kind, body = found
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        caching = {"ETag": tag, "Cache-Control": self._age()}
        if self.headers.get("If-None-Match") == tag:
            self._note(304, 0)
            self.send_response(304)
            for name, value in caching.items():
                self.send_header(name, value)
            self.end_headers()
            return
        status, start = 200, 0
        if self.lab.ranges and self.headers.get("Range", "").startswith("bytes="):
            first, _, last = self.headers["Range"][len("bytes=") :].partition("-")
            start = int(first) if first else len(body) - int(last)
            end = int(last) + 1 if first and last else len(body)
            caching["Content-Range"] = f"bytes {start}-{min(end, len(body)) - 1}/{len(body)}"
            status, body = 206, body[start:end]
        self._head(status, len(body), kind, caching)
        if body_wanted:
            self._send(status, body, start)
        else:
            self._note(status, 0)

    def _send(self, status: int, body: bytes, start: int) -> None:
        name = self._package()
        limits = [at for prefix, at in self.lab._cuts.items() if name and name.startswith(prefix)]
        whole = len(body)
        if limits:
            body = body[: max(0, min(limits) - start)]
        self._note(status, len(body))
        part = self.lab.rate // 20 or whole or 1
        for at in range(0, len(body), part):
            self.wfile.write(body[at : at + part])
            if self.lab.rate:
                time.sleep(0.05)
        if len(body) < whole:
            self.wfile.flush()
            self.close_connection = True

    def _head(
        self, status: int, length: int, kind: str = "text/plain", more: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("Content-Type", kind)
        if self.lab.ranges:
            self.send_header("Accept-Ranges", "bytes")
        for name, value in (more or {}).items():
            self.send_header(name, value)
        self.end_headers()

    def _age(self) -> str:
        return "max-age=31536000, immutable" if self._package() else "max-age=0"

    def _package(self) -> str | None:
        name = self.path.split("?")[0].rsplit("/", 1)[1]
        return name if name.endswith((".whl", ".tar.gz", ".deb", ".tgz")) else None

    def _note(self, status: int, sent: int) -> None:
        self.lab.requests.append(Request(self.path, status, sent, self._package()))


def _basic(login: str) -> str:
    return "Basic " + base64.b64encode(login.encode()).decode()


def _python(packages: Sequence[Package], metadata_too: bool) -> dict[str, tuple[str, bytes]]:
    answers = {}
    names = sorted({package.name for package in packages})
    for name in names:
        links = ""
        for package in packages:
            if package.name == name:
                file, body = sdist(package) if package.source else wheel(package)
                answers[f"/simple/files/{file}"] = ("application/octet-stream", body)
                digest = hashlib.sha256(body).hexdigest()
                more = ""
                if metadata_too and not package.source:
                    inside = metadata(package)
                    answers[f"/simple/files/{file}.metadata"] = ("text/plain", inside)
                    of_it = hashlib.sha256(inside).hexdigest()
                    more = f' data-core-metadata="sha256={of_it}"'
                links += f'<a href="../files/{file}#sha256={digest}"{more}>{file}</a><br>\n'
        page = f"<!DOCTYPE html><html><body>\n{links}</body></html>\n"
        answers[f"/simple/{name}/"] = ("text/html", page.encode())
    page = "".join(f'<a href="{name}/">{name}</a><br>\n' for name in names)
    answers["/simple/"] = (
        "text/html",
        f"<!DOCTYPE html><html><body>\n{page}</body></html>\n".encode(),
    )
    return answers


def _debian() -> dict[str, tuple[str, bytes]]:
    answers = {}
    paragraphs = ""
    for package in DEBIAN:
        file, body = deb(package)
        path = f"pool/{file}"
        answers[f"/debian/{path}"] = ("application/octet-stream", body)
        paragraphs += deb_control(package, path, body)
    lists = {"Packages": paragraphs.encode()}
    lists["Packages.gz"] = gzip.compress(lists["Packages"], mtime=0)
    sums = ""
    for architecture in ("amd64", "arm64"):
        for name, body in lists.items():
            path = f"main/binary-{architecture}/{name}"
            answers[f"/debian/dists/lab/{path}"] = ("application/octet-stream", body)
            sums += f" {hashlib.sha256(body).hexdigest()} {len(body)} {path}\n"
    release = (
        "Origin: Lab\nSuite: lab\nCodename: lab\nArchitectures: amd64 arm64\nComponents: main\n"
        f"Date: {_http_date()}\nSHA256:\n{sums}"
    )
    answers["/debian/dists/lab/Release"] = ("text/plain", release.encode())
    return answers


def _http_date() -> str:
    return time.strftime("%a, %d %b %Y %H:%M:%S UTC", time.gmtime(1_577_836_800))


def _npm(url: str) -> dict[str, tuple[str, bytes]]:
    answers = {}
    for name in {package.name for package in NPM}:
        versions: dict[str, object] = {}
        for package in NPM:
            if package.name == name:
                file, body = npm_tarball(package)
                path = f"/npm/{name}/-/{file}"
                answers[path] = ("application/octet-stream", body)
                versions[package.version] = {
                    "name": name,
                    "version": package.version,
                    "dependencies": npm_requires(package),
                    "dist": {
                        "tarball": url + path,
                        "shasum": hashlib.sha1(body).hexdigest(),
                        "integrity": integrity(body),
                    },
                }
        document = {
            "name": name,
            "dist-tags": {"latest": max(versions)},
            "versions": versions,
        }
        answers[f"/npm/{name}"] = ("application/json", json.dumps(document).encode())
    return answers


def integrity(body: bytes) -> str:
    """A tarball's integrity as package-lock.json states it."""
    return "sha512-" + base64.b64encode(hashlib.sha512(body).digest()).decode()


def npm_lock(project: str, version: str, wanted: Iterable[tuple[str, str]], url: str) -> str:
    """The package-lock.json that npm writes for direct dependencies given as (name, version)."""
    direct = dict(wanted)
    packages: dict[str, dict[str, object]] = {}
    pending = list(direct.items())
    while pending:
        name, exact = pending.pop()
        exact = exact.lstrip("^")
        package = next(p for p in NPM if p.name == name and p.version == exact)
        file, body = npm_tarball(package)
        packages[f"node_modules/{name}"] = {
            "version": exact,
            "resolved": f"{url}/npm/{name}/-/{file}",
            "integrity": integrity(body),
        }
        requires = npm_requires(package)
        if requires:
            packages[f"node_modules/{name}"]["dependencies"] = requires
        pending += requires.items()
    top = {"name": project, "version": version}
    tree = {"": {**top, "dependencies": direct}} | dict(sorted(packages.items()))
    lock = {**top, "lockfileVersion": 3, "requires": True, "packages": tree}
    return json.dumps(lock, indent=2) + "\n"
