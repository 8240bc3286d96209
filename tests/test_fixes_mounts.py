"""Mount flags: their text, where they go, and how one is changed."""

from __future__ import annotations

import pytest

from building import built, last_run
from dfcache.fixes.frontend import raise_frontend
from dfcache.fixes.mounts import add_flags, cache_mount, change_mount
from dfcache.fixes.plan import Plan
from dfcache.parser import parse
from dfcache.text import apply

M = "--mount=type=cache,target=/c"


def test_the_text_of_a_mount():
    assert cache_mount("/c") == M
    assert cache_mount("/c", sharing="shared", uid=0, gid=0) == M
    assert cache_mount("/c", sharing="locked") == M + ",sharing=locked"
    assert cache_mount("/c", uid=7, gid=8) == M + ",uid=7,gid=8"
    assert cache_mount("/c", id="a") == "--mount=type=cache,id=a,target=/c"


# Each: an instruction, and the same with the flag M (written M).
PLACES = [
    ("RUN a b\n", "RUN M \\\n    a b\n"),
    ("RUN a b", "RUN M \\\n    a b"),
    ("run a\n", "run M \\\n    a\n"),
    ("  RUN   a\n", "  RUN M \\\n    a\n"),
    ("RUN a \\\n  b\n", "RUN M \\\n  a \\\n  b\n"),
    ("RUN a \\\n\tb\n", "RUN M \\\n\ta \\\n\tb\n"),
    ("RUN a \\\n# why\n  b\n", "RUN M \\\n  a \\\n# why\n  b\n"),
    ("RUN a \\\r\n  b\r\n", "RUN M \\\r\n  a \\\r\n  b\r\n"),
    ("RUN a\r\n", "RUN M \\\r\n    a\r\n"),
    ("RUN \\\n  a\n", "RUN M \\\n  a\n"),
    ("RUN --network=host a\n", "RUN --network=host M \\\n    a\n"),
    ("RUN --mount=type=ssh a\n", "RUN --mount=type=ssh M \\\n    a\n"),
    ("RUN --mount=type=ssh \\\n  a\n", "RUN --mount=type=ssh \\\n  M \\\n  a\n"),
    (
        "RUN --mount=type=ssh \\\n  --network=host \\\n  a\n",
        "RUN --mount=type=ssh \\\n  --network=host \\\n  M \\\n  a\n",
    ),
    ("RUN <<E\na\nE\n", "RUN M <<E\na\nE\n"),
    ("RUN --network=host <<E\na\nE\n", "RUN --network=host M <<E\na\nE\n"),
    ("RUN bash <<E\na\nE\n", "RUN M \\\n    bash <<E\na\nE\n"),
    ('RUN ["a", "b"]\n', 'RUN M \\\n    ["a", "b"]\n'),
    ("ONBUILD RUN a\n", "ONBUILD RUN M \\\n    a\n"),
    ("RUN b \\\n  c\nRUN a\n", "RUN b \\\n  c\nRUN M \\\n  a\n"),
]


@pytest.mark.parametrize(("text", "expected"), PLACES)
def test_where_a_flag_goes(text: str, expected: str):
    source = "FROM x\r\n" + text if "\r" in text else "FROM x\n" + text
    tree = parse(source)
    instruction = tree.instructions[-1].child or tree.instructions[-1]
    got = apply(source, [add_flags(tree, instruction, [M])])
    assert got.partition("\n")[2] == expected.replace("M", M)
    assert not parse(got).problems
    assert parse(got).instructions[-1].form == tree.instructions[-1].form


def test_several_flags_get_a_line_each():
    source = "FROM x\nRUN a\n"
    tree = parse(source)
    got = apply(source, [add_flags(tree, tree.instructions[-1], ["--network=host", M])])
    assert got == f"FROM x\nRUN --network=host \\\n    {M} \\\n    a\n"


def test_the_backquote_folds_where_it_is_the_escape():
    source = "# escape=`\nFROM x\nRUN a\n"
    tree = parse(source)
    got = apply(source, [add_flags(tree, tree.instructions[-1], [M])])
    assert got == f"# escape=`\nFROM x\nRUN {M} `\n    a\n"


CHANGES = [
    ("type=cache,target=/x", {"target": "/c"}, (), "type=cache,target=/c"),
    ("type=cache,dst=/x", {"target": "/c"}, (), "type=cache,dst=/c"),
    ("target=/x,type=cache", {"uid": "7"}, (), "target=/x,type=cache,uid=7"),
    (
        "type=cache,target=/x,uid=1",
        {"uid": "7", "gid": "8"},
        (),
        "type=cache,target=/x,uid=7,gid=8",
    ),
    ("type=cache,mode=0777,target=/x", {}, ("mode",), "type=cache,target=/x"),
    ("type=cache,id=a,target=$H/x", {"target": "/c"}, (), "type=cache,id=a,target=/c"),
    (
        "type=cache,target=/x,sharing=shared",
        {"sharing": "locked"},
        (),
        "type=cache,target=/x,sharing=locked",
    ),
    ("type=cache,target=/x,readonly", {"uid": "7"}, (), "type=cache,target=/x,readonly,uid=7"),
]


@pytest.mark.parametrize(("fields", "changes", "without", "expected"), CHANGES)
def test_changes(fields: str, changes: dict[str, str], without: tuple[str, ...], expected: str):
    source = f"FROM x\nRUN --mount={fields} a\n"
    changed = change_mount(last_run(source).mounts[0].mount, changes, without)
    assert changed is not None
    edit, text = changed
    assert text == f"--mount={expected}"
    assert apply(source, [edit]) == f"FROM x\nRUN --mount={expected} a\n"


@pytest.mark.parametrize(
    "flag",
    [
        '--mount="type=cache,target=/x"',
        "--mount='type=cache,target=/x'",
        "--mount=type=cache,\\\ntarget=/x",
        '--mount=type=cache,"target=/x"',
    ],
)
def test_what_is_quoted_or_broken_over_lines_stays(flag: str):
    (mount,) = last_run(f"FROM x\nRUN {flag} a\n").mounts
    assert change_mount(mount.mount, {"uid": "7"}) is None


MOUNTS = [
    # the flag, and the target, id, sharing, uid and gid that BuildKit makes of it
    ("type=cache,target=/c", ("/c", "/c", "shared", 0, 0)),
    ("type=cache,target=/c/", ("/c", "/c", "shared", 0, 0)),
    ("type=cache,target=c", ("/app/c", "c", "shared", 0, 0)),
    ("type=cache,dst=/c,id=a", ("/c", "a", "shared", 0, 0)),
    ("type=cache,destination=/c,sharing=locked", ("/c", "/c", "locked", 0, 0)),
    ("type=cache,target=/c,uid=7,gid=8", ("/c", "/c", "shared", 7, 8)),
    ("type=cache,target=$D/x", ("/d/x", "/d/x", "shared", 0, 0)),
    ("type=cache,target=/c,uid=$U", ("/c", "/c", "shared", -1, 0)),
    ("type=cache,target=$U/x", (None, None, "shared", 0, 0)),
    ("type=cache,target=$NOTHING/x", ("/x", "/x", "shared", 0, 0)),
    ("type=cache,target=~/x", ("/app/~/x", "~/x", "shared", 0, 0)),
]


@pytest.mark.parametrize(("fields", "expected"), MOUNTS)
def test_mounts_as_buildkit_makes_them(fields: str, expected: tuple[object, ...]):
    source = f"FROM x\nENV D=/d\nARG U\nWORKDIR /app\nRUN --mount={fields} a\n"
    (mount,) = last_run(source).mounts
    assert (mount.target, mount.id, mount.sharing, mount.uid, mount.gid) == expected


def test_what_a_mount_covers():
    (mount,) = last_run("FROM x\nRUN --mount=type=cache,target=/c/d a\n").mounts
    assert [mount.covers(path) for path in ("/c/d", "/c/d/e", "/c/de", "/c")] == [
        True,
        True,
        False,
        False,
    ]


def test_a_mount_that_buildkit_refuses_is_none():
    step = next(iter(built("FROM x\nRUN --mount=type=nothing,target=/c a\n").runs()))
    assert step.mounts == ()


OWNED = "--mount=type=cache,target=/x,uid=1000"
PLAIN = "--mount=type=cache,target=/x"


@pytest.mark.parametrize(
    ("image", "flag", "raised"),
    [
        ("docker/dockerfile:1.0", PLAIN, "docker/dockerfile:1.2"),
        ("docker/dockerfile:1.1.7", PLAIN, "docker/dockerfile:1.2"),
        ("docker.io/docker/dockerfile:1.1", PLAIN, "docker.io/docker/dockerfile:1.2"),
        ("docker/dockerfile:1.2", OWNED, None),
        ("docker/dockerfile:1", OWNED, None),
        ("docker/dockerfile", OWNED, None),
        ("docker/dockerfile:experimental", OWNED, None),
        ("docker/dockerfile:1.0-experimental", PLAIN, None),
        ("docker/dockerfile:1.0-experimental", OWNED, "docker/dockerfile:1.2-labs"),
        ("docker/dockerfile:1.1-experimental", OWNED, None),
        ("docker/dockerfile:1.1.1-experimental", OWNED, "docker/dockerfile:1.2-labs"),
    ],
)
@pytest.mark.parametrize(
    "line", ["# syntax={}", "#syntax = {}\n# escape=`", "# check=skip=all\n#syntax={}"]
)
def test_a_frontend_too_old_for_the_mount_is_raised(
    line: str, image: str, flag: str, raised: str | None
):
    dockerfile = parse(f"{line.format(image)}\nFROM a\nRUN b\n")
    plan = Plan()
    raise_frontend(dockerfile, [flag], plan)
    assert (plan.refused, plan.doubts) == ([], [])
    after = apply(dockerfile.source, plan.edits)
    assert after == f"{line.format(raised or image)}\nFROM a\nRUN b\n"


def test_a_comment_is_no_syntax_line():
    plan = Plan()
    text = "# a comment\n# syntax=docker/dockerfile:1.0\nFROM a\nRUN b\n"
    raise_frontend(parse(text), [PLAIN], plan)
    assert (plan.refused, plan.doubts, plan.edits) == ([], [], [])


@pytest.mark.parametrize(
    ("line", "refused", "doubted"),
    [
        ("# syntax=docker/dockerfile:1.0@sha256:ab", True, False),
        ("// syntax=docker/dockerfile:1.0", True, False),
        ("# syntax=docker/dockerfile@sha256:ab", False, True),
        ("# syntax=host:5000/docker/dockerfile:1.4", False, True),
        ("# syntax=docker/dockerfile:1.4@sha256:ab", False, False),
    ],
)
def test_a_frontend_that_can_not_be_raised(line: str, refused: bool, doubted: bool):
    plan = Plan()
    raise_frontend(parse(f"{line}\nFROM a\nRUN b\n"), [PLAIN], plan)
    assert (bool(plan.refused), bool(plan.doubts), plan.edits) == (refused, doubted, [])


def test_a_frontend_whose_file_mounts_already_is_trusted():
    plan = Plan()
    text = "# syntax=example/frontend\nFROM a\nRUN --mount=type=bind,target=/x b\nRUN c\n"
    raise_frontend(parse(text), [PLAIN], plan)
    assert (plan.refused, plan.doubts, plan.edits) == ([], [], [])
