"""Users that commands create, and who a USER names."""

from __future__ import annotations

import shlex

import pytest

from building import last_run
from dfcache.model.accounts import created_group, created_user

GROUPS = {"web": 4321}
USERADD = [
    ("app", None, None, "/home/app"),
    ("-m -u 1000 app", 1000, 1000, "/home/app"),
    ("-u1000 app", 1000, 1000, "/home/app"),
    ("-mu 1000 app", 1000, 1000, "/home/app"),
    ("app -u 1000", 1000, 1000, "/home/app"),
    ("--uid=1000 --gid=2000 app", 1000, 2000, "/home/app"),
    ("--uid 1000 --gid web app", 1000, 4321, "/home/app"),
    ("-u 1000 -g elsewhere app", 1000, None, "/home/app"),
    ("-rm -d /srv/app -s /bin/bash -G sudo -u 1001 app", 1001, 1001, "/srv/app"),
    ("--home-dir /srv/app app", None, None, "/srv/app"),
    ("--home /srv/app app", None, None, "/srv/app"),
    ("-b /srv/ -u 5 app", 5, 5, "/srv/app"),
    ("--base-dir=/srv app", None, None, "/srv/app"),
    ("-c 'the user' -k /etc/skel -u 7 app", 7, 7, "/home/app"),
    ("--system --no-create-home --shell /usr/sbin/nologin app", None, None, "/home/app"),
    ("-u ? app", None, None, "/home/app"),
    ("-o -u 0 toor", 0, 0, "/home/toor"),
]
ADDUSER = [
    ("--disabled-password --gecos '' app", None, None, "/home/app"),
    ("--uid 1500 --ingroup web app", 1500, 4321, "/home/app"),
    ("--uid 1500 --gid 99 app", 1500, 99, "/home/app"),
    ("--uid=1500 --home=/srv/app app", 1500, 1500, "/srv/app"),
    ("--system --group app", None, None, None),
    ("--system --uid 300 --home /srv app", 300, 300, "/srv"),
    ("-D app", None, None, "/home/app"),
    ("-D -u 1000 app", 1000, 1000, "/home/app"),
    ("-D -h /srv/app -u 1000 app", 1000, 1000, "/srv/app"),
    ("-S -D -H -G web app", None, 4321, "/home/app"),
    ("-u 1000 -G web -s /bin/sh -D app", 1000, 4321, "/home/app"),
    ("-D -g 'the user' -u 1000 app", 1000, 1000, "/home/app"),
    ("-DHu 1000 app", 1000, 1000, "/home/app"),
]
GROUPADD = [
    ("-g 1000 app", ("app", 1000)),
    ("-r -g 1000 app", ("app", 1000)),
    ("--gid=1000 app", ("app", 1000)),
    ("--gid 1000 --system app", ("app", 1000)),
    ("-g1000 app", ("app", 1000)),
    ("-S -g 1000 app", ("app", 1000)),
    ("app", None),
    ("-r app", None),
    ("-g ? app", None),
    ("somebody agroup", None),
    ("-g 1000", None),
]


@pytest.mark.parametrize(("args", "uid", "gid", "home"), USERADD)
def test_useradd(args: str, uid: int | None, gid: int | None, home: str | None):
    user = created_user("useradd", shlex.split(args), GROUPS)
    assert user is not None
    assert (user.uid, user.gid, user.home) == (uid, gid, home)
    assert user.name in ("app", "toor")


@pytest.mark.parametrize(("args", "uid", "gid", "home"), ADDUSER)
def test_adduser_of_debian_and_of_busybox(
    args: str, uid: int | None, gid: int | None, home: str | None
):
    user = created_user("adduser", shlex.split(args), GROUPS)
    assert user is not None
    assert (user.name, user.uid, user.gid, user.home) == ("app", uid, gid, home)


SYSTEM = [
    ("useradd", "app", True),
    ("useradd", "-r app", False),
    ("useradd", "--system app", False),
    ("useradd", "-r -u 300 app", True),
    ("adduser", "--system --group app", False),
    ("adduser", "--system --uid 300 app", True),
    ("adduser", "-S -D app", False),
    ("adduser", "-S -D -u 300 app", True),
    ("adduser", "-D app", True),
]


@pytest.mark.parametrize(("program", "args", "sure"), SYSTEM)
def test_the_uid_of_a_system_user_is_a_guess(program: str, args: str, sure: bool):
    user = created_user(program, shlex.split(args), GROUPS)
    assert user is not None
    assert user.sure is sure


@pytest.mark.parametrize("args", ["", "-D", "-m -u 1000"])
def test_useradd_without_a_name(args: str):
    assert created_user("useradd", shlex.split(args), GROUPS) is None


def test_adduser_that_adds_a_user_to_a_group():
    assert created_user("adduser", ["app", "sudo"], GROUPS) is None


@pytest.mark.parametrize(("args", "group"), GROUPADD)
def test_groupadd(args: str, group: tuple[str, int] | None):
    assert created_group(shlex.split(args)) == group


KNOWN = [
    # what stands before, and uid, gid, home and whether that is sure
    ("", (0, 0, "/root", True)),
    ("USER root\n", (0, 0, "/root", True)),
    ("USER 0\n", (0, 0, "/root", True)),
    ("USER 0:5\n", (0, 5, "/root", True)),
    ("USER nobody\n", (65534, 65534, "/nonexistent", True)),
    ("USER 4711\n", (4711, None, "/", True)),
    ("USER 4711:4712\n", (4711, 4712, "/", True)),
    ("USER somebody\n", (None, None, None, False)),
    ("RUN useradd -u 7 app\nUSER app\n", (7, 7, "/home/app", True)),
    ("RUN useradd -u 7 app\nUSER 7\n", (7, 7, "/home/app", True)),
    ("RUN useradd -u 7 app\nUSER 7:9\n", (7, 9, "/home/app", True)),
    ("RUN groupadd -g 8 web && useradd -u 7 -g web app\nUSER app\n", (7, 8, "/home/app", True)),
    ("RUN groupadd -g 8 web && useradd -u 7 app\nUSER app:web\n", (7, 8, "/home/app", True)),
    ("RUN useradd app\nUSER app\n", (None, None, "/home/app", True)),
    ("RUN useradd -u 7 app && usermod -u 8 app\nUSER app\n", (None, None, None, False)),
    ("ARG U=7\nRUN useradd -u $U app\nUSER app\n", (None, None, "/home/app", False)),
    ("ARG U\nRUN useradd -u $U app\nUSER app\n", (None, None, "/home/app", False)),
    ("ENV WHO=nobody\nUSER ${WHO}\n", (65534, 65534, "/nonexistent", True)),
    ("USER app\nUSER root\n", (0, 0, "/root", True)),
    ("USER www-data\n", (33, 33, "/var/www", True)),
]


@pytest.mark.parametrize(("before", "expected"), KNOWN)
def test_who_a_step_runs_as(before: str, expected: tuple[object, ...]):
    user = last_run(f"FROM python:3.12-slim\n{before}RUN x\n").scope.user
    assert (user.uid, user.gid, user.home, user.sure) == expected


IMAGES = [
    ("node:22-slim", "USER node\n", (1000, 1000, "/home/node", True)),
    ("docker.io/library/node:22-alpine", "USER node\n", (1000, 1000, "/home/node", True)),
    ("registry.example.org/x:1", "", (0, 0, "/root", False)),
    ("registry.example.org/x:1", "RUN apt-get update\n", (0, 0, "/root", True)),
    ("registry.example.org/x:1", "RUN sudo apt-get update\n", (0, 0, "/root", False)),
    ("registry.example.org/x:1", "USER 1000\n", (1000, None, None, True)),
    ("scratch", "", (0, 0, "/root", True)),
]


@pytest.mark.parametrize(("image", "before", "expected"), IMAGES)
def test_what_the_image_says(image: str, before: str, expected: tuple[object, ...]):
    user = last_run(f"FROM {image}\n{before}RUN x\n").scope.user
    assert (user.uid, user.gid, user.home, user.sure) == expected
