"""What steps read and write, and which of them may change places."""

from __future__ import annotations

import pytest

from building import run
from dfcache.model.effects import Effects, above, combined, commute, overlap, run_effects, within


def effects(script: str, before: str = "") -> Effects:
    step = run(script, before)
    return run_effects(step.invocations, step.uses)


WRITES = [
    ("mkdir -p /a b", {"/a", "/app/b"}),
    ("touch /a/x", {"/a/x"}),
    ("chmod +x /a/x", {"/a/x"}),
    ("chown -R app:app /a", {"/a"}),
    ("rm -rf /a/*", {"/a"}),
    ("cp /a /b", {"/a", "/b"}),
    ("ln -s /a /b", {"/a", "/b"}),
    ("echo x > /a", {"/a"}),
    ("echo x >> a", {"/app/a"}),
    ("echo x > /dev/null 2>&1", set()),
    ("sort < /a > /b", {"/b"}),
    ("sed -i s/a/b/ x", {"/app/x"}),
    ("python -m venv /v", {"/v"}),
    ("virtualenv -p python3 /v", {"/v"}),
]


@pytest.mark.parametrize(("script", "expected"), WRITES)
def test_what_is_written(script: str, expected: set[str]):
    got = effects(script)
    assert not got.unknown
    assert expected <= got.writes


READS = [
    ("cat /a", {"/a"}),
    ("ls x", {"/app/x"}),
    ("test -f /a/b", {"/a/b"}),
    ("cp /a /b", {"/a"}),
    ("sort < /a", {"/a"}),
    ("pip install -r a.txt -c b.txt", {"/app/a.txt", "/app/b.txt"}),
    ("pip install .", {"/app"}),
    ("npm ci", {"/app/package.json", "/app/package-lock.json"}),
    ("pip install $(cat a.txt) x", None),
]


@pytest.mark.parametrize(("script", "expected"), READS)
def test_what_is_read(script: str, expected: set[str] | None):
    got = effects(script)
    if expected is None:
        assert got.unknown
    else:
        assert not got.unknown
        assert expected <= got.reads


UNKNOWN = [
    *("./configure", "make install", "python setup.py install", "python -c 'x'", "bash run.sh"),
    *("$TOOL x", "ssh h", "xz a.tar", "./gradlew"),
    *("cp $A /b", "echo x > $A", "chmod +x $(ls)", "apk fix"),
    *("curl -T a https://example.org", "curl -d @a https://example.org", "pip install -t /lib x"),
    *("pip install -r $A", "pip install --prefix=/p x", "true && ./x", "if a; then true; fi"),
    *("sh ./x.sh", ". ./x.sh", "sudo ./x", "env A=1 ./x", "exec ./x"),
]


@pytest.mark.parametrize("script", UNKNOWN)
def test_what_may_touch_anything(script: str):
    assert effects(script).unknown


HARMLESS = [
    *("set -eux", "export A=1", "echo hello", "true", "sleep 1", "id", "which python", "umask 022"),
    *("printf x", "exit 0", "date", "hostname"),
]


@pytest.mark.parametrize("script", HARMLESS)
def test_what_touches_nothing(script: str):
    assert effects(script) == Effects()


INSTALLS = ["pip install x", "apt-get install -y x", "apk add x", "yum install -y x", "npm ci"]


@pytest.mark.parametrize("script", INSTALLS)
def test_installs_are_told_as_such(script: str):
    got = effects(script)
    assert got.installs
    assert not got.unknown


COMMUTE = [
    ("touch /a", "touch /b", True),
    ("touch /a", "touch /a", False),
    ("touch /a/b", "rm -rf /a", False),
    ("cat /a", "cat /a", True),
    ("cat /a", "touch /a", False),
    ("echo x > /a", "cat /a", False),
    ("pip install x", "touch /a", True),
    ("pip install x", "apt-get install -y y", False),
    ("pip install -r a.txt", "touch a.txt", False),
    ("pip install -r a.txt", "touch b.txt", True),
    ("pip install .", "touch b.txt", False),
    ("pip install x", "touch /usr/local/lib/python3.12/site-packages/x", False),
    ("./x", "true", False),
    ("./x", "touch /a", False),
    ("npm ci", "touch node_modules/x", False),
    ("npm ci", "touch src/x", True),
    ("apt-get update", "touch /etc/apt/sources.list", False),
]


@pytest.mark.parametrize(("one", "other", "expected"), COMMUTE)
def test_which_steps_change_places(one: str, other: str, expected: bool):
    assert commute(effects(one), effects(other)) is expected
    assert commute(effects(other), effects(one)) is expected


def test_paths():
    assert within("/a/b", "/a")
    assert within("/a", "/a")
    assert within("/a", "/")
    assert not within("/ab", "/a")
    assert overlap(["/a"], ["/a/b"])
    assert overlap(["/a/b"], ["/a"])
    assert not overlap(["/a/b"], ["/a/c"])
    assert not overlap([], ["/"])


def test_the_folders_above_end_at_either_root():
    assert list(above("/home/app/src")) == ["/home/app", "/home"]
    assert list(above("//home/app")) == ["//home"]  # of WORKDIR /$HOME


def test_effects_of_several_commands():
    got = combined([Effects(frozenset("a")), Effects(writes=frozenset("b"), installs=True)])
    assert got == Effects(frozenset("a"), frozenset("b"), installs=True)
    assert combined([Effects(), Effects(unknown="x"), Effects(unknown="y")]).unknown == "x"
