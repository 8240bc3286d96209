"""``dfcache mirror``: the files it writes, and what its check says of servers of many kinds."""

from __future__ import annotations

import configparser
import json
import os
import shutil
import socket
import ssl
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from building import built
from dfcache.engine.lint import examine
from dfcache.engine.settings import Settings
from dfcache.mirror.address import AddressError, address
from dfcache.mirror.asking import Answer, NoAnswer, Web
from dfcache.mirror.caching import obstacle
from dfcache.mirror.check import check
from dfcache.mirror.recipe import Recipe
from dfcache.mirror.simple import PageError, project_files
from dfcache.mirror.told import LACKS, NOTE, OK, Told
from dfcache.mirror.wanted import wanted
from dfcache.mirror.written import WriteError, write_all
from dfcache.model.context import MemoryContext
from mirrors import Fake, service, serving
from test_cli import run

# The address

SECRET = "s3cret-word"


@pytest.mark.parametrize(
    ("text", "url", "host"),
    [
        ("http://mirror:3141/root/pypi/+simple", "http://mirror:3141/root/pypi/+simple/", "mirror"),
        (f"https://me:{SECRET}@m.example/simple/", "https://m.example/simple/", "m.example"),
        (f"https://me:{SECRET}%40@m.example", "https://m.example/", "m.example"),
        ("http://[::1]:3141/simple/?x=1#y", "http://[::1]:3141/simple/", "::1"),
    ],
)
def test_an_address_without_its_secrets(text: str, url: str, host: str):
    found = address(text)
    assert (found.url, found.host) == (url, host)
    assert bool(found.authorization) == (SECRET in text)


@pytest.mark.parametrize(
    "text", ["mirror:3141", "ftp://m/x", "http://", f"http://me:{SECRET}@m:port/", "http://m/a b"]
)
def test_what_is_no_address_is_refused_without_its_secrets(text: str):
    with pytest.raises(AddressError) as error:
        address(text)
    assert SECRET not in str(error.value)


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_refused(text: str):
    try:
        found = address(text)
    except AddressError:
        return
    assert found.url.endswith("/")
    assert "@" not in found.url.partition("://")[2].partition("/")[0]


# Pages


def page(body: bytes, kind: str = "text/html", url: str = "https://m/simple/a-b/") -> Answer:
    return Answer(url, 200, {"content-type": kind}, body, True)


def test_links_of_a_page():
    body = (
        b'<!DOCTYPE html><a href="../../f/a_b-1.0-py3-none-any.whl#sha256=0">x</a>'
        b'<a href="https://other/a_b-2.0.tar.gz" data-requires-python="&gt;=3.9" data-yanked>y</a>'
        b"<a name=z>no link</a>"
    )
    one, two = project_files(page(body))
    assert (one.name, one.url) == (
        "a_b-1.0-py3-none-any.whl",
        "https://m/f/a_b-1.0-py3-none-any.whl",
    )
    assert (two.url, two.python, two.yanked) == ("https://other/a_b-2.0.tar.gz", ">=3.9", True)


def test_a_base_of_a_page_counts():
    body = b'<base href="/files/"><a href="a%2Bb-1.tar.gz">x</a>'
    (found,) = project_files(page(body))
    assert (found.name, found.url) == ("a+b-1.tar.gz", "https://m/files/a%2Bb-1.tar.gz")


def test_links_to_this_machine_are_none():
    body = (
        b'<a href="file:///etc/a-1.tar.gz">x</a><a href="data:,a-1.tar.gz">y</a><a href="//[">z</a>'
    )
    assert project_files(page(body)) == ()


@given(st.binary(max_size=200), st.sampled_from(["text/html", "application/json"]))
@example(b'{"files": [{"filename": 1, "url": "x", "size": "y"}]}', "application/json")
def test_any_page_has_files_or_is_none(body: bytes, kind: str):
    try:
        found = project_files(page(body, kind))
    except PageError:
        return
    assert all(isinstance(each.name, str) for each in found)


def test_files_of_json():
    files = [{"filename": "a-1.tar.gz", "url": "a-1.tar.gz", "size": 7, "yanked": "broken"}]
    body = json.dumps({"files": files}).encode()
    (found,) = project_files(page(body, "application/vnd.pypi.simple.v1+json; charset=utf-8"))
    assert (found.url, found.size, found.yanked) == ("https://m/simple/a-b/a-1.tar.gz", 7, True)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"[]", "application/json"),
        (b"{", "application/json"),
        (b"null", "application/vnd.pypi.simple.v1+json"),
        (b"<a href=x>", "text/plain"),
        (b"", ""),
    ],
)
def test_what_is_no_page(body: bytes, kind: str):
    with pytest.raises(PageError):
        project_files(page(body, kind))


# What pip keeps

DATE = {"date": "Sun, 22 Nov 2026 13:00:00 GMT"}


@pytest.mark.parametrize(
    ("headers", "wrong"),
    [
        ({"etag": '"x"'}, ""),
        ({**DATE, "cache-control": "max-age=365000000, immutable, public"}, ""),
        ({**DATE, "expires": "Sun, 22 Nov 2027 13:00:00 GMT"}, ""),
        ({"cache-control": "max-age=600"}, "neither ETag nor Date"),
        ({**DATE, "cache-control": "max-age=0"}, "neither ETag nor max-age"),
        ({**DATE, "last-modified": "x"}, "neither ETag nor max-age"),
        ({"etag": '"x"', "cache-control": "No-Store"}, "no-store"),
        ({"etag": '"x"', "vary": "*"}, "Vary"),
    ],
)
def test_what_pip_keeps(headers: dict[str, str], wrong: str):
    found = obstacle(Answer("", 200, headers, b"", True))
    assert found == "" if wrong == "" else wrong in found


# Servers of many kinds

ETAG = {"ETag": '"x"'}
FILES = ("alpha-1.0-py3-none-any.whl", "alpha-2.0-py3-none-any.whl", "alpha-3.0rc1.tar.gz")


@pytest.fixture
def fake() -> Iterator[Fake]:
    with serving(Fake()) as server:
        server.page("alpha", *FILES, **ETAG)
        yield server


def told(url: str, *requirements: str, base: str = "python:3.12-slim") -> dict[str, Told]:
    lines = "".join(f"{each}\n" for each in requirements)
    source = f"FROM {base}\nCOPY r.txt .\nRUN pip install -r r.txt\n"
    wishes, _ = wanted(built(source, {"r.txt": lines}), "Dockerfile", "", "linux/amd64")
    found = check(address(url), wishes, Web(address(url), timeout=0.5))
    return {each.text or each.about: each for each in found}


def test_a_good_mirror(fake: Fake):
    found = told(fake.url, "alpha")
    assert {each.state for each in found.values()} == {OK, NOTE}
    assert found["caching"].state == OK
    assert found["ranges"].state == NOTE
    assert found["alpha"].message == "2.0"


@pytest.mark.parametrize(
    ("requirement", "state", "message"),
    [
        ("alpha>=2", OK, "2.0"),
        ("alpha==1.*", OK, "1.0"),
        ("alpha>=3.0rc1", OK, "3.0rc1"),
        ("alpha>=4", LACKS, "no version will do; the newest is 3.0rc1"),
        ("ALPHA", OK, "2.0"),
    ],
)
def test_versions(fake: Fake, requirement: str, state: str, message: str):
    found = told(fake.url, requirement)[requirement]
    assert (found.state, found.message) == (state, message)
    assert (found.path, found.line) == ("r.txt", 1)


def test_what_markers_and_addresses_leave_out_is_not_asked_for(fake: Fake):
    found = told(
        fake.url,
        "alpha",
        'gone; sys_platform == "win32"',
        "other @ https://x.example/other-1.tar.gz",
        "./local",
    )
    assert [each.text for each in found.values() if each.about == "requirement"] == ["alpha"]


def test_a_constraint_counts(fake: Fake):
    source = "FROM python:3.12\nCOPY c.txt .\nRUN pip install -c c.txt alpha\n"
    wishes, _ = wanted(built(source, {"c.txt": "alpha<2\n"}), "Dockerfile", "", "linux/amd64")
    found = [each for each in check(address(fake.url), wishes) if each.about == "requirement"]
    assert [(each.message, each.path, each.line) for each in found] == [("1.0", "Dockerfile", 3)]


def test_files_have_to_fit_the_image(fake: Fake):
    fake.page("beta", "beta-1.0-cp312-cp312-manylinux_2_17_x86_64.whl", **ETAG)
    assert told(fake.url, "beta")["beta"].state == OK
    for base in ("python:3.11-slim", "python:3.12-alpine"):
        found = told(fake.url, "beta", base=base)["beta"]
        assert found.state == LACKS
        assert "no file for Python 3.1" in found.message
    assert told(fake.url, "beta", base="unheard/of")["beta"].state == OK


def test_what_was_withdrawn_is_there_only_for_who_names_it(fake: Fake):
    body = b'<a href="/files/gone-1.0.tar.gz" data-yanked="broken">x</a>'
    fake.answers["/simple/gone/"] = (200, {"Content-Type": "text/html"}, body)
    fake.answers["/files/gone-1.0.tar.gz"] = (200, ETAG, b"x")
    assert told(fake.url, "gone==1.0")["gone==1.0"].state == OK
    assert "withdrawn" in told(fake.url, "gone")["gone"].message


@pytest.mark.parametrize(
    ("headers", "word"), [({"Cache_Control": "no-store"}, "no-store"), ({}, "neither ETag")]
)
def test_a_mirror_that_pip_keeps_nothing_of(fake: Fake, headers: dict[str, str], word: str):
    fake.page("beta", "beta-1.0.tar.gz", **headers)
    found = told(fake.url, "beta")["caching"]
    assert found.state == LACKS
    assert word in found.message


def test_a_server_without_head(fake: Fake):
    fake.no_head = True
    assert told(fake.url, "alpha")["caching"].state == OK


def test_ranges(fake: Fake):
    assert told(fake.url, "alpha")["ranges"].state == NOTE
    fake.ranges = True
    assert told(fake.url, "alpha")["ranges"].state == OK


def test_files_of_another_host_are_told(fake: Fake):
    body = b'<a href="http://127.0.0.2:9/alpha-9.tar.gz">x</a>'
    fake.answers["/simple/alpha/"] = (200, {"Content-Type": "text/html"}, body)
    found = told(fake.url, "alpha")["files"]
    assert found.state == LACKS
    assert "no answer" in found.message


@pytest.mark.parametrize(
    ("status", "word"), [(401, "user and password"), (503, "status 503"), (404, "no package index")]
)
def test_a_mirror_that_refuses(fake: Fake, status: int, word: str):
    fake.answers["/simple/alpha/"] = (status, {}, b"")
    (only,) = told(fake.url, "alpha").values()
    assert only.state == LACKS
    assert word in only.message


def test_an_index_that_knows_nothing_of_the_project_is_an_index_all_the_same(fake: Fake):
    fake.answers["/simple/"] = (200, {"Content-Type": "text/html"}, b'<a href="x/">x</a>')
    found = told(fake.url, "beta")
    assert found["answers"].state == OK
    assert found["beta"].message == "the mirror doesn't know it"


def test_a_site_that_is_no_index(fake: Fake):
    fake.answers["/"] = (200, {"Content-Type": "text/html"}, b"<p>Welcome</p>")
    message = told(fake.url.removesuffix("simple/"), "beta")["answers"].message
    assert message.startswith("no package index: ")
    assert message.endswith(" is something else; the address of most ends in /simple/")


def test_a_mirror_that_is_down_and_one_that_says_nothing():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/simple/"
        assert told(url, "alpha")["answers"].message == "no answer: no byte came for 0.5 seconds"
    assert told(url, "alpha")["answers"].message == "no answer: connection refused"


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_a_certificate_that_nobody_knows_is_told(tmp_path: Path):
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "certificate.pem")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost".split()
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serving(Fake(), context) as server:
        url = server.url.replace("http:", "https:")
        found = told(url, "alpha")["answers"]
        there = address(url)
        answer = Web(there, trusted=certificate).ask(there.page("alpha"))
    assert found.message.startswith("no answer: its certificate is not trusted: ")
    assert answer.status == 404


def test_the_certificates_that_pip_trusts_are_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from dfcache.vendor import host

    mine, other = tmp_path / "mine.pem", tmp_path / "other.pem"
    mine.write_text("")
    other.write_text("")
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(host, "_VALUES", {})
    assert host.certificate() is None
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    assert host.certificate() == str(other)
    monkeypatch.setattr(host, "_VALUES", {"cert": str(mine)})
    assert host.certificate() == str(mine)
    monkeypatch.setenv("SSL_CERT_FILE", str(other))
    assert host.certificate() is None


def test_a_name_that_does_not_resolve_is_one_line():
    with pytest.raises(NoAnswer) as error:
        Web(address("http://nothing.invalid/")).ask("http://nothing.invalid/")
    assert "\n" not in str(error.value)


# Users and passwords


def secret_of(fake: Fake) -> str:
    return fake.url.replace("http://", f"http://me:{SECRET}@")


def test_user_and_password_go_to_the_mirror_and_nowhere_else(fake: Fake):
    with serving(Fake()) as other:
        other.page("beta", "beta-1.tar.gz", **ETAG)
        fake.answers["/simple/beta/"] = (302, {"Location": f"{other.url}beta/"}, b"")
        fake.answers["/simple/alpha/"] = (302, {"Location": "/moved/"}, b"")
        fake.answers["/moved/"] = (200, {"Content-Type": "text/html"}, b"<a href=x>")
        told(secret_of(fake), "alpha", "beta")
        assert {path for _, path, _ in fake.asked} >= {"/simple/alpha/", "/moved/"}
        assert all("Authorization" in headers for _, _, headers in fake.asked)
        assert other.asked
        assert not any("Authorization" in headers for _, _, headers in other.asked)


def test_the_password_is_never_shown(fake: Fake, tmp_path: Path):
    (tmp_path / "Dockerfile").write_text("FROM python:3.12-slim\nRUN pip install alpha beta\n")
    for words in ((), ("--format", "json")):
        done = run("mirror", "--check", secret_of(fake), *words, cwd=tmp_path)
        assert done.returncode == 1
        assert SECRET.encode() not in done.stdout + done.stderr
    done = run("mirror", "--check", f"http://me:{SECRET}@127.0.0.1:x/", cwd=tmp_path)
    assert done.returncode == 2
    assert SECRET.encode() not in done.stdout + done.stderr


# The command line


def test_the_exit_code_tells_whether_all_is_there(fake: Fake, tmp_path: Path):
    (tmp_path / "requirements.txt").write_text("alpha\n")
    (tmp_path / "Dockerfile").write_text(
        "FROM python:3.12-slim\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n"
    )
    good = run("mirror", "--check", fake.url, cwd=tmp_path)
    assert good.returncode == 0
    assert b"1 of 1 requirements are there" in good.stdout
    (tmp_path / "requirements.txt").write_text("alpha\n\nnope\n")
    bad = run("mirror", "--check", fake.url, cwd=tmp_path)
    assert bad.returncode == 1
    assert b"requirements.txt:3: nope: the mirror doesn't know it" in bad.stdout
    found = json.loads(run("mirror", "--check", fake.url, "--format=json", cwd=tmp_path).stdout)
    assert found["version"] == 1
    assert found["good"] is False
    assert [each for each in found["told"] if each["state"] == "lacks"] == [
        {
            "about": "requirement",
            "state": "lacks",
            "message": "the mirror doesn't know it",
            "requirement": "nope",
            "path": "requirements.txt",
            "line": 3,
        }
    ]


def test_what_can_not_be_done(fake: Fake, tmp_path: Path):
    for words in (
        ("mirror", "nowhere"),
        ("mirror", "--check", "nonsense"),
        ("mirror", "--host=-/"),
    ):
        done = run(*words, cwd=tmp_path)
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1
    (tmp_path / "Dockerfile").write_text("FROM a\nNOPE\n")
    assert run("mirror", "--check", fake.url, cwd=tmp_path).returncode == 2


def test_what_a_dockerfile_leaves_open_is_told(fake: Fake, tmp_path: Path):
    (tmp_path / "Dockerfile").write_text(
        "FROM python:3.12-slim\nRUN pip install $X alpha\nRUN uv sync\n"
    )
    done = run("mirror", "--check", fake.url, cwd=tmp_path)
    assert done.returncode == 0
    assert b"note   Dockerfile:2: `$X` can't be told" in done.stdout
    assert b"note   Dockerfile:3: what `uv sync` asks for is not read" in done.stdout


def test_without_write_nothing_is_written(tmp_path: Path):
    done = run("mirror", cwd=tmp_path)
    assert done.returncode == 0
    assert b"==> " + os.path.join("mirror", "compose.yaml").encode() in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_files_are_written_once_and_never_over_others(tmp_path: Path):
    assert run("mirror", "--write", cwd=tmp_path).returncode == 0
    folder = tmp_path / "mirror"
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["Dockerfile", "README.md", "compose.yaml", "pip.conf", "uv.toml"]
    assert stat.S_IMODE((folder / "compose.yaml").stat().st_mode) == 0o644
    assert run("mirror", "--write", cwd=tmp_path).returncode == 0
    (folder / "pip.conf").write_text("mine\n")
    (folder / "uv.toml").unlink()
    done = run("mirror", "--write", cwd=tmp_path)
    assert done.returncode == 2
    assert b"pip.conf: is there with other content" in done.stderr
    assert (folder / "pip.conf").read_text() == "mine\n"
    assert not (folder / "uv.toml").exists()


def test_writing_needs_a_folder(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError):
        write_all(str(tmp_path / "file" / "x"), {"a": "b"})


def test_host_and_port_are_those_of_index_url_or_as_given(tmp_path: Path):
    path = tmp_path / "dfcache.toml"
    path.write_text('index-url = "http://ours.example:8080/root/team/+simple/"\n')
    shown = run("mirror", cwd=tmp_path).stdout.decode()
    assert "index-url = http://ours.example:8080/root/team/+simple/\ntrusted-host = ours" in shown
    assert '"8080:3141"' in shown
    path.write_text('index-url = "https://ours.example/simple/"\n')
    shown = run("mirror", cwd=tmp_path).stdout.decode()
    assert "index-url = https://ours.example/simple/\n" in shown
    assert "\ntrusted-host" not in shown
    shown = run("mirror", "--host=other", "--port=99", cwd=tmp_path).stdout.decode()
    assert "http://other:99/root/pypi/+simple/" in shown
    assert "ours.example" not in shown


# The files

RECIPE = Recipe("mirror.example", 3142).files()


@pytest.mark.parametrize("index_url", [None, Recipe("mirror.example").url])
def test_the_dockerfile_passes_the_check(index_url: str | None):
    settings = Settings(index_url=index_url)
    found = examine(RECIPE["Dockerfile"], MemoryContext({}), settings).findings
    assert [each.message for each in found] == []


def test_pip_conf_and_uv_toml_name_the_index():
    pip = configparser.ConfigParser(interpolation=None)
    pip.read_string(RECIPE["pip.conf"])
    assert dict(pip["global"]) == {
        "index-url": "http://mirror.example:3142/root/pypi/+simple/",
        "trusted-host": "mirror.example",
    }
    (index,) = tomllib.loads(RECIPE["uv.toml"])["index"]
    assert index == {"url": "http://mirror.example:3142/root/pypi/+simple/", "default": True}


def test_the_compose_file_is_of_the_form_that_compose_takes():
    devpi = service()
    assert devpi["build"] == "."
    assert [type(word) for word in devpi["command"]] == [str] * 3
    assert devpi["volumes"] == ["packages:/data"]
    assert devpi["ports"] == ["3141:3141"]
    assert devpi["restart"] == "unless-stopped"
    health = devpi["healthcheck"]
    assert health["test"][0] == "CMD"
    assert set(health) == {"test", "interval", "timeout", "retries", "start_period"}
    compile(health["test"][3], "healthcheck", "exec")


def test_the_compose_file_fits_the_schema_of_compose(tmp_path: Path):
    pytest.importorskip("check_jsonschema", reason="check-jsonschema is not installed")
    good, bad = tmp_path / "compose.yaml", tmp_path / "bad.yaml"
    good.write_text(RECIPE["compose.yaml"])
    bad.write_text(RECIPE["compose.yaml"].replace("start_period", "start_perid"))
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    for path, code in ((good, 0), (bad, 1)):
        done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout


@pytest.mark.skipif(not shutil.which("docker"), reason="docker is not installed")
def test_docker_compose_takes_the_compose_file(tmp_path: Path):
    if subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        pytest.skip("docker has no compose")
    (tmp_path / "compose.yaml").write_text(RECIPE["compose.yaml"])
    command = ["docker", "compose", "--project-directory", str(tmp_path), "config", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_nothing_is_left_unfilled_and_no_line_is_for_the_image():
    for name, text in RECIPE.items():
        assert "@host@" not in text, name
        assert "@port@" not in text, name
        assert "ENV " not in text.replace("as ENV,", ""), name
