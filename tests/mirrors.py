"""Mirrors for tests: a real devpi, and a server that answers as it is told."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_server
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from dfcache.mirror.recipe import Recipe

LAB = Path(__file__).parent / "builds"
if str(LAB) not in sys.path:
    sys.path.insert(0, str(LAB))


def free_port() -> int:
    with create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def clean_environment() -> dict[str, str]:
    """This one without what pip, uv and proxies are told on this machine."""
    prefixes = ("PIP_", "UV_", "DEVPISERVER_", "VIRTUAL_ENV", "HTTP_PROXY", "HTTPS_PROXY")
    kept = {k: v for k, v in os.environ.items() if not k.upper().startswith(prefixes)}
    path = os.pathsep.join((str(Path(sys.executable).parent), kept.get("PATH", "")))
    return kept | {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1", "PATH": path}


# A secret for a test need not cost a second of all processors.
CHEAP = {
    "DEVPISERVER_ARGON2_MEMORY_COST": "8",
    "DEVPISERVER_ARGON2_PARALLELISM": "1",
    "DEVPISERVER_ARGON2_TIME_COST": "1",
}


@dataclass
class Devpi:
    """devpi-server, started by the command line of the compose file."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.root}/root/pypi/+simple/"

    def start(self, **environment: str) -> None:
        """Run the service's command; without root/pypi, which asks the index of the world."""
        given = {"DEVPISERVER_NO_ROOT_PYPI": "1", **CHEAP, **environment}
        log = (self.folder / "log.txt").open("ab")
        with log:
            self.process = subprocess.Popen(
                self.command(), env=clean_environment() | given, stdout=log, stderr=log
            )
        end = time.monotonic() + 300
        while not self.answers():
            said = (self.folder / "log.txt").read_text(errors="replace")
            assert self.process.poll() is None, said
            assert time.monotonic() < end, said
            time.sleep(0.1)

    def command(self) -> list[str]:
        """The compose file's, in a folder and on a port of its own."""
        words = service()["command"]
        places = {
            "$$": "$",
            "/data": str(self.folder),
            "3141": str(self.port),
            "0.0.0.0": "127.0.0.1",
        }
        for old, new in places.items():
            words = [word.replace(old, new) for word in words]
        return words

    def answers(self) -> bool:
        try:
            with urlopen(f"{self.root}/+api", timeout=5) as response:
                return bool(response.status == 200)
        except URLError:
            return False

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)

    def mirror(self, upstream: str) -> None:
        """Make root/pypi a mirror of an index, as root, whose password is set first."""
        word = "a-word-for-tests"
        subprocess.run(
            ["devpi-passwd", "--serverdir", str(self.folder / "server"), "root"],
            input=f"{word}\n{word}\n".encode(),
            env=clean_environment(),
            check=True,
            capture_output=True,
        )
        login = self._call("POST", "/+login", {"user": "root", "password": word}, {})
        from base64 import b64encode

        token = b64encode(f"root:{login['result']['password']}".encode()).decode()
        config = {"type": "mirror", "mirror_url": upstream, "volatile": False}
        self._call("PUT", "/root/pypi", config, {"X-Devpi-Auth": token})

    def _call(self, method: str, path: str, body: object, headers: Mapping[str, str]) -> Any:
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **headers}
        with urlopen(Request(self.root + path, data, headers, method=method)) as response:
            return json.load(response)


def service() -> dict[str, Any]:
    """The service of the compose file."""
    from ruamel.yaml import YAML

    compose = YAML(typ="safe").load(Recipe().files()["compose.yaml"])
    (found,) = compose["services"].values()
    return dict(found)


@dataclass
class Fake:
    """A server that answers a path as told: status, headers, body. `asked` are its requests."""

    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    no_head: bool = False
    ranges: bool = False
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/simple/"

    def page(self, name: str, *files: str, **headers: str) -> None:
        links = "".join(f'<a href="/files/{file}">{file}</a>' for file in files)
        self.answers[f"/simple/{name}/"] = (200, {"Content-Type": "text/html"}, links.encode())
        for file in files:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            self.answers[f"/files/{file}"] = (200, given, b"x" * 100)


@contextmanager
def serving(fake: Fake, tls: ssl.SSLContext | None = None) -> Iterator[Fake]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            self.answer()

        def do_HEAD(self) -> None:
            self.answer()

        def answer(self) -> None:
            fake.asked.append((self.command, self.path, dict(self.headers)))
            status, headers, body = fake.answers.get(self.path, (404, {}, b""))
            if self.command == "HEAD" and fake.no_head:
                status, headers, body = 405, {}, b""
            if fake.ranges and status == 200 and "Range" in self.headers:
                status, body = 206, body[1:]
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda request, address: None  # type: ignore[method-assign]
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    fake.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
