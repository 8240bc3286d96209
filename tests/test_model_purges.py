"""Commands that empty caches or fail on a mount: globs, braces, dot files, parents, find."""

from __future__ import annotations

import pytest

from building import run
from dfcache.model.purges import Purge, expand_braces, purges

PIP = ("/root/.cache/pip",)


def found(script: str, targets: tuple[str, ...] = PIP, before: str = "") -> list[Purge]:
    step = run(script, before)
    return list(purges(step.invocations, step.uses, targets))


def summary(script: str, before: str = "") -> list[tuple[str | None, bool, bool]]:
    """The words that go, whether they fail on the mount, and whether nothing else is removed."""
    return [
        (p.operand.raw if p.operand else None, p.breaks, p.whole)
        for p in found(script, PIP, before)
    ]


REMOVALS = [
    ("rm -rf /root/.cache/pip", [("/root/.cache/pip", True, True)]),
    ("rm -rf /root/.cache/pip/", [("/root/.cache/pip/", True, True)]),
    ("rm -rf /root/.cache", [("/root/.cache", True, True)]),
    ("rm -Rf /root/.cache/", [("/root/.cache/", True, True)]),
    ("rm -fr -- /root/.cache", [("/root/.cache", True, True)]),
    ("rm --recursive --force /root/.cache", [("/root/.cache", True, True)]),
    ("rm /root/.cache -rf", [("/root/.cache", True, True)]),
    ("rm -rf ~/.cache", [("~/.cache", True, True)]),
    ("rm -rf $HOME/.cache", [("$HOME/.cache", True, True)]),
    ('rm -rf "${HOME}/.cache"', [('"${HOME}/.cache"', True, True)]),
    ("rm -rf '/root/.cache'", [("'/root/.cache'", True, True)]),
    ("rm -rf /root/.cache/*", [("/root/.cache/*", True, True)]),
    ("rm -rf /root/.cache/p?p", [("/root/.cache/p?p", True, True)]),
    ("rm -rf /root/.cache/[p]*", [("/root/.cache/[p]*", True, True)]),
    ("rm -rf /root/.c*", [("/root/.c*", True, True)]),
    ("rm -rf /root/.[acpw]*", [("/root/.[acpw]*", True, True)]),
    ("rm -rf /root/.cache/pip/*", [("/root/.cache/pip/*", False, True)]),
    ("rm -rf /root/.cache/pip/http", [("/root/.cache/pip/http", False, True)]),
    ("rm -f /root/.cache/pip/x", [("/root/.cache/pip/x", False, True)]),
    ("rm -rf /root/.cache /tmp/x", [("/root/.cache", True, False)]),
    (
        "rm -rf /tmp/x /root/.cache /tmp/y ~/.cache",
        [("/root/.cache", True, False), ("~/.cache", True, False)],
    ),
    ("rm -rf /root/.cache ~/.cache", [("/root/.cache", True, True), ("~/.cache", True, True)]),
    ("cd /root && rm -rf .cache", [(".cache", True, True)]),
    ("cd /root/.cache && rm -rf pip", [("pip", True, True)]),
    ("cd /root/.cache/pip && rm -rf *", [("*", False, True)]),
    ("sudo rm -rf /root/.cache", [("/root/.cache", True, True)]),
    ("rm -rf /root/x/../.cache", [("/root/x/../.cache", True, True)]),
    ("sh -c 'rm -rf /root/.cache'", [("/root/.cache", True, True)]),
    ("pip cache purge", [(None, False, True)]),
    ("python -m pip cache purge", [(None, False, True)]),
]


@pytest.mark.parametrize(("script", "expected"), REMOVALS)
def test_removals(script: str, expected: list[tuple[str | None, bool, bool]]):
    assert summary(script) == expected


HARMLESS = [
    *("rm -rf /tmp/*", "rm -rf /root/.cache/uv", "rm -rf /root/*", "rm -rf /root/.npm"),
    *(
        "rm -f /root/.cache",
        "rm /root/.cache/pip",
        "rm -rf /root/.cache/pip3",
        "rm -rf /root/.cachepip",
    ),
    *("rm -rf /root/cache", "rm -rf .cache", "rm -rf '/root/.cache*x'", "rm -rf /*/x"),
    *(
        "rmdir /root/.cache",
        "echo rm -rf /root/.cache",
        "rm -rf /root/[a-z]*",
        "rm -rf /var/cache/*",
    ),
    *("find /tmp -delete", "find /root/.cache -name '*.pyc' -delete", "find /root/.cache -type f"),
    *("uv cache clean", "npm cache clean --force", "pip cache info", "pip install x"),
    "echo 'rm -rf /root/.cache' > x.sh",
]


@pytest.mark.parametrize("script", HARMLESS)
def test_what_leaves_the_cache_alone(script: str):
    assert found(script) == []


def test_the_home_of_the_user_counts():
    assert summary("rm -rf ~/.cache", "ENV HOME=/srv\n") == []
    assert summary("rm -rf ~/.cache", "RUN useradd -u 7 app\nUSER app\n") == []


UNSURE = [
    *(
        "rm -rf $CACHE",
        "rm -rf ${MY_CACHE_DIR}",
        "rm -rf $(pip cache dir)/cache",
        "rm -rf /root/{.cache,.npm}",
    ),
    *("find /root/.cache -delete", "find /root -type d -exec rm -rf {} +"),
]


@pytest.mark.parametrize("script", UNSURE)
def test_what_may_take_the_cache_away(script: str):
    (purge,) = found(script)
    assert not purge.certain


def test_a_word_that_holds_several_operands_is_not_taken_apart():
    assert [p.certain for p in found("rm -rf $D", PIP, "ENV D='/root/.cache /tmp/x'\n")] == [False]


def test_apt_has_two_folders():
    targets = ("/var/cache/apt", "/var/lib/apt/lists")
    got = found("rm -rf /var/lib/apt/lists/* /var/cache/apt/archives /tmp/*", targets)
    assert [(p.path, p.operand.raw, p.breaks) for p in got if p.operand] == [
        ("/var/lib/apt/lists", "/var/lib/apt/lists/*", False),
        ("/var/cache/apt", "/var/cache/apt/archives", False),
    ]
    assert not any(p.whole for p in got)
    assert [p.path for p in found("apt-get clean", targets)] == ["/var/cache/apt"]
    assert found("apt-get clean", ("/var/lib/apt/lists",)) == []


BRACES = [
    ("a", ["a"]),
    ("a{b,c}", ["ab", "ac"]),
    ("{a,b}/{c,d}", ["a/c", "a/d", "b/c", "b/d"]),
    ("a{b}", ["a{b}"]),
    ("a{,b}", ["a", "ab"]),
    ("${a,b}", ["${a,b}"]),
    ("a}b{", ["a}b{"]),
]


@pytest.mark.parametrize(("text", "expected"), BRACES)
def test_braces(text: str, expected: list[str]):
    assert expand_braces(text) == expected
