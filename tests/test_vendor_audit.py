"""Whether a folder of packages holds what a build installs, and what goes when it is pruned."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast

import pytest

from dfcache.model.build import RunStep
from dfcache.model.requirements import parse_requirement
from dfcache.model.target import Target
from dfcache.vendor.audit import Audit, audit
from dfcache.vendor.check import Answers, UnknownTargetError, stage_targets
from dfcache.vendor.closure import Closure, Need, Rules, closure
from dfcache.vendor.house import House
from dfcache.vendor.jobs import Indexes, Job
from dfcache.vendor.manifest import Entry, Input, Manifest, read_manifest, write_manifest
from dfcache.vendor.plan import Checkout, Plan
from dfcache.vendor.prune import prune
from wheels import source, wheel

SLIM = Target("3.11", "linux/amd64", "glibc", (2, 36))
ARM = Target("3.11", "linux/arm64", "glibc", (2, 36))
LOCK = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'


@pytest.fixture
def house(tmp_path: Path) -> Path:
    return tmp_path / "pip_packages"


def job(*requirements: str, target: Target = SLIM, **more: object) -> Job:
    origins = {line: f"requirements.txt:{n}" for n, line in enumerate(requirements, 1)}
    return Job("Dockerfile:3", target, requirements, origins=origins, **more)  # type: ignore[arg-type]


def recorded(folder: Path, *inputs: Input, foreign: Iterable[str] = ()) -> Manifest:
    """Write a manifest of all packages in the folder."""
    entries = {}
    for path in sorted(folder.iterdir()):
        if path.suffix in (".whl", ".gz") and path.name not in foreign:
            data = path.read_bytes()
            name, version = path.name.removesuffix(".tar.gz").split("-")[:2]
            digest = hashlib.sha256(data).hexdigest()
            plain = name.lower().replace("_", "-")
            entries[path.name] = Entry(path.name, plain, version, digest, len(data), (SLIM,))
    manifest = Manifest(inputs, entries)
    write_manifest(folder, manifest)
    return manifest


def looked(folder: Path, *jobs: Job, complete: bool = True) -> Audit:
    manifest = read_manifest(folder) if folder.is_dir() else None
    plan = Plan(jobs, {}, (), (), () if complete else ("something can't be told",))
    return audit(folder, plan, "Dockerfile", manifest)


def errors(found: Audit) -> list[str]:
    return [fault.message for fault in found.faults if fault.error]


def notes(found: Audit) -> list[str]:
    return [fault.message for fault in found.faults if not fault.error]


# --- What is there ------------------------------------------------------------------------


def test_a_folder_that_holds_everything(house: Path) -> None:
    wheel(house, "Flask", "3.0.0", ["Werkzeug>=3", "asgiref>=3.2; extra == 'async'"])
    wheel(house, "werkzeug", "3.0.1", ["markupsafe>=2"])
    wheel(house, "markupsafe", "2.1.3", tag="cp311-cp311-manylinux_2_17_x86_64")
    recorded(house)
    found = looked(house, job("flask==3.0.0"))
    assert found.good
    assert found.faults == ()
    assert len(found.needed) == 3


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("absent", "absent is missing, asked for by requirements.txt:1"),
        ("absent==2.0", "absent 2.0 is missing, asked for by requirements.txt:1"),
        ("Absent[x,y]>=2", "absent[x,y]>=2 is missing, asked for by requirements.txt:1"),
        ("flask==4.0", "flask 4.0 is there only as 3.0.0, asked for by requirements.txt:1"),
        (
            "native==1.0",
            "native 1.0 is there only for other platforms or Pythons "
            "(native-1.0-cp312-cp312-win_amd64.whl), asked for by requirements.txt:1",
        ),
        (
            "modern",
            "modern is there only for other Pythons, or with dependencies that are not there, "
            "asked for by requirements.txt:1",
        ),
        (
            "top",
            "below>=2 is missing, asked for by top 1.0 (requirements.txt:1)",
        ),
        (
            "https://example.org/x/far-1.0-py3-none-any.whl",
            "far-1.0-py3-none-any.whl is missing, asked for by requirements.txt:1",
        ),
    ],
)
def test_what_is_missing_is_told_with_who_asks(house: Path, asked: str, message: str) -> None:
    wheel(house, "flask", "3.0.0")
    wheel(house, "native", "1.0", tag="cp312-cp312-win_amd64")
    wheel(house, "modern", "1.0", python=">=3.12")
    wheel(house, "top", "1.0", ["below>=2"])
    found = looked(house, job(asked))
    assert errors(found) == [message]
    assert not found.good
    assert all(fault.mends for fault in found.faults)


@pytest.mark.parametrize(
    "asked",
    [
        "flask; sys_platform == 'win32'",
        "absent; python_version < '3.9'",
        "absent; python_full_version < '3.11.4'",
        "flask==3.*",
        "FLASK",
        "flask[nothing]",
        "https://example.org/flask-3.0.0-py3-none-any.whl",
        "flask @ https://example.org/flask-3.0.0-py3-none-any.whl#sha256=00",
    ],
)
def test_what_is_not_missing(house: Path, asked: str) -> None:
    wheel(house, "flask", "3.0.0")
    assert errors(looked(house, job(asked))) == []


def test_the_folder_is_not_there(house: Path) -> None:
    assert errors(looked(house, job("flask"))) == ["the folder is not there"]
    assert looked(house).good


def test_extras_of_extras_and_of_dependencies(house: Path) -> None:
    wheel(house, "a", "1", ["b[fast]; extra == 'x'", "a[y]; extra == 'z'", "d; extra == 'y'"])
    wheel(house, "b", "1", ["c; extra == 'Fast'"])
    assert errors(looked(house, job("a"))) == []
    assert errors(looked(house, job("a[x]"))) == [
        "c is missing, asked for by b 1 (requirements.txt:1)"
    ]
    assert errors(looked(house, job("a[Z]"))) == [
        "d is missing, asked for by a 1 (requirements.txt:1)"
    ]


def test_no_deps_asks_for_nothing_more(house: Path) -> None:
    wheel(house, "a", "1", ["b"])
    assert looked(house, job("a", no_deps=True)).good
    assert not looked(house, job("a")).good


def test_constraints_count_for_dependencies(house: Path) -> None:
    wheel(house, "a", "1", ["b"])
    wheel(house, "b", "2")
    (message,) = errors(looked(house, job("a", constraints=("b<2",))))
    assert message.startswith("b can't be satisfied along with what else asks for it")


def test_local_versions_epochs_and_prereleases(house: Path) -> None:
    wheel(house, "torch", "2.1.0+cpu", tag="cp311-cp311-linux_x86_64")
    wheel(house, "era", "1!1.0")
    wheel(house, "early", "1.0rc1")
    wheel(house, "both", "1.0")
    wheel(house, "both", "2.0a1")
    found = looked(house, job("torch==2.1.0", "era", "early", "both"))
    assert errors(found) == []
    assert "both-1.0-py3-none-any.whl" in found.needed
    assert errors(looked(house, job("torch==2.1.0+cu118", "both==2.0a1"))) == [
        "torch 2.1.0+cu118 is there only as 2.1.0+cpu, asked for by requirements.txt:1"
    ]


def test_two_targets_in_one_folder(house: Path) -> None:
    wheel(house, "native", "1", tag="cp311-cp311-manylinux2014_x86_64")
    (message,) = errors(looked(house, job("native"), job("native", target=ARM)))
    assert message == (
        "native is there only for other platforms or Pythons "
        "(native-1-cp311-cp311-manylinux2014_x86_64.whl) "
        "for python3.11 linux/arm64 glibc2.36, asked for by requirements.txt:1"
    )
    wheel(house, "native", "1", tag="cp311-cp311-manylinux2014_aarch64")
    found = looked(house, job("native"), job("native", target=ARM))
    assert found.good
    assert len(found.needed) == 2


def test_what_one_command_asks_for_twice_has_to_agree(house: Path) -> None:
    wheel(house, "a", "1", ["b<2"])
    wheel(house, "b", "1")
    wheel(house, "b", "2")
    found = looked(house, job("b", "a"))
    assert found.good
    assert "b-1-py3-none-any.whl" in found.needed
    assert "b-2-py3-none-any.whl" not in found.needed


# --- Sources ------------------------------------------------------------------------------


def test_a_source_needs_what_builds_it(house: Path) -> None:
    source(house, "old", "1.0", ["dep"], LOCK)
    wheel(house, "dep", "1.0")
    assert errors(looked(house, job("old"))) == [
        "hatchling is missing, asked for by the build of old 1.0 (requirements.txt:1)"
    ]
    wheel(house, "hatchling", "1.25")
    found = looked(house, job("old"))
    assert found.good
    assert "hatchling-1.25-py3-none-any.whl" in found.needed


def test_a_new_setuptools_makes_wheels_itself(house: Path) -> None:
    source(house, "old", "1.0")
    wheel(house, "setuptools", "69.0")
    assert errors(looked(house, job("old"))) == [
        "wheel is missing, asked for by the build of old 1.0 (requirements.txt:1)"
    ]
    wheel(house, "setuptools", "75.0")
    assert looked(house, job("old")).good


def test_which_kind_of_file_is_allowed(house: Path) -> None:
    source(house, "old", "1.0", [], LOCK)
    wheel(house, "new", "1.0")
    assert errors(looked(house, job("old", only_binary=(":all:",)))) == [
        "old is there only as source (old-1.0.tar.gz), asked for by requirements.txt:1"
    ]
    assert errors(looked(house, job("new", no_binary=("new",)))) == [
        "new is there only as new-1.0-py3-none-any.whl, and may not be a wheel, "
        "asked for by requirements.txt:1"
    ]
    assert looked(house, job("new", no_binary=(":all:",), only_binary=("new",))).good


# --- Files ----------------------------------------------------------------------------------


def test_a_file_that_was_altered(house: Path) -> None:
    path = wheel(house, "a", "1")
    recorded(house)
    wheel(house, "a", "1", body="x")
    (message,) = errors(looked(house, job("a")))
    assert message.startswith("a-1-py3-none-any.whl isn't what dfcache put there: it has ")
    data = bytearray(path.read_bytes())
    recorded(house)
    data[30] ^= 1
    path.write_bytes(data)
    (message,) = errors(looked(house, job("a")))
    assert "its sha256 is not " in message


def test_a_file_that_is_gone(house: Path) -> None:
    path = wheel(house, "a", "1")
    wheel(house, "b", "2", tag="cp311-none-any")
    gone = wheel(house, "b", "2")
    recorded(house)
    path.unlink()
    gone.unlink()
    assert errors(looked(house, job("a", "b"))) == [
        "a is missing, asked for by requirements.txt:1",
        "b-2-py3-none-any.whl is in dfcache.json, but not in the folder",
    ]


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no zip at all", None])
def test_a_wheel_that_can_not_be_read(house: Path, data: bytes | None) -> None:
    path = wheel(house, "a", "1")
    path.write_bytes(path.read_bytes()[:60] if data is None else data)
    (message,) = errors(looked(house, job("a")))
    assert message.startswith("a-1-py3-none-any.whl can't be read: ")
    assert "\n" not in message
    assert message.count("a-1-py3-none-any.whl") == 1


def test_a_wheel_without_metadata(house: Path) -> None:
    import zipfile

    house.mkdir()
    with zipfile.ZipFile(house / "a-1-py3-none-any.whl", "w") as archive:
        archive.writestr("a.py", "")
    (message,) = errors(looked(house, job("a")))
    assert "it has no METADATA" in message


def test_hashes_of_requirements(house: Path) -> None:
    path = wheel(house, "a", "1")
    right = hashlib.sha256(path.read_bytes()).hexdigest()
    longer = hashlib.sha512(path.read_bytes()).hexdigest()
    for allowed in ((f"sha256:{'0' * 64}", f"sha256:{right}"), (f"sha512:{longer.upper()}",)):
        assert looked(house, job("a==1", hashes={"a": allowed})).good
    found = looked(house, job("a==1", hashes={"a": (f"sha256:{'0' * 64}", "nonsense:1")}))
    assert errors(found) == [
        "a-1-py3-none-any.whl has none of the hashes that are allowed, by requirements.txt:1"
    ]


def test_links(house: Path, tmp_path: Path) -> None:
    outside = wheel(tmp_path / "elsewhere", "a", "1")
    house.mkdir()
    (house / outside.name).symlink_to(outside)
    assert errors(looked(house, job("a"))) == [
        "a-1-py3-none-any.whl is a link out of the folder, where a build can't follow it"
    ]
    assert looked(house, job()).good
    outside.unlink()
    assert errors(looked(house, job("a"))) == [
        "a is missing (a-1-py3-none-any.whl is a link that leads nowhere), "
        "asked for by requirements.txt:1"
    ]
    (house / outside.name).unlink()
    wheel(house, "b", "1").rename(house / "kept")
    (house / "b-1-py3-none-any.whl").symlink_to("kept")
    assert looked(house, job("b")).good


def test_notes_are_no_faults(house: Path) -> None:
    wheel(house, "a", "1")
    wheel(house, "spare", "1")
    wheel(house, "mine", "1")
    (house / "a-2-py3-none-any.whl.part").write_bytes(b"x")
    (house / "README").write_text("x")
    recorded(house, foreign=["mine-1-py3-none-any.whl"])
    found = looked(house, job("a"))
    assert found.good
    assert notes(found) == [
        "1 file has arrived only in part",
        "mine-1-py3-none-any.whl is not put there by dfcache",
        "spare-1-py3-none-any.whl is not needed any more; `dfcache vendor --prune` removes it",
    ]


def test_where_not_all_is_known_nothing_is_called_spare(house: Path) -> None:
    wheel(house, "a", "1", ["missing"])
    wheel(house, "spare", "1")
    recorded(house)
    assert not any("not needed" in note for note in notes(looked(house, job("a"))))
    assert not any("not needed" in note for note in notes(looked(house, job(), complete=False)))
    assert any("not needed" in note for note in notes(looked(house, job())))


def test_what_other_dockerfiles_asked_for_is_needed(house: Path) -> None:
    wheel(house, "a", "1")
    wheel(house, "theirs", "1", ["deep"])
    wheel(house, "deep", "1")
    recorded(
        house,
        Input("Dockerfile", SLIM, ("theirs", "a")),
        Input("api/Dockerfile", SLIM, ("theirs",)),
    )
    found = looked(house, job("a"))
    assert found.faults == ()
    assert len(found.needed) == 3


@pytest.mark.parametrize("theirs", ["gone", "git+https://git.example/theirs@v1"])
def test_what_other_dockerfiles_may_need_makes_it_unsure(house: Path, theirs: str) -> None:
    wheel(house, "a", "1")
    wheel(house, "deep", "1")
    recorded(house, Input("api/Dockerfile", SLIM, (theirs,)))
    found = looked(house, job("a"))
    assert (found.good, found.sure) == (True, False)


def checked_out(folder: Path, name: str, extras: str = "") -> Audit:
    checkout = Checkout(
        "Dockerfile:3", f"git+https://example.org/{name}", name, extras, name,
        cast("RunStep", None), SLIM, Indexes(),
    )  # fmt: skip
    plan = Plan((), {}, (checkout,), (), ())
    return audit(folder, plan, "Dockerfile", read_manifest(folder))


def test_what_version_control_brings_is_needed_and_so_are_its_dependencies(house: Path) -> None:
    wheel(house, "spare", "1")
    recorded(house)
    found = checked_out(house, "mine")
    assert (found.faults, found.sure) == ((), False)
    wheel(house, "mine", "1", ["dep; extra == 'x'"])
    recorded(house)
    found = checked_out(house, "mine")
    assert found.good
    assert notes(found)[0].startswith("spare-1-py3-none-any.whl is not needed any more")
    assert errors(checked_out(house, "mine", "[x]")) == [
        "dep is missing, asked for by mine 1 (Dockerfile:3)"
    ]
    assert not checked_out(house, "").sure


def test_an_address_inside_a_package_is_a_note(house: Path) -> None:
    wheel(house, "a", "1", ["b @ https://example.org/b.zip"])
    found = looked(house, job("a"))
    assert found.good
    assert notes(found) == [
        "b is asked for by its address, by a 1 (requirements.txt:1): "
        "pip fetches it whatever the folder holds"
    ]


def test_each_file_is_read_once(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"p{number}" for number in range(400)]
    for name, following in zip(names, [*names[1:], ""], strict=True):
        wheel(house, name, "1", [following] if following else [])
    opened: list[str] = []
    from dfcache.vendor import house as module

    read = module.read_metadata
    monkeypatch.setattr(
        module, "read_metadata", lambda path: opened.append(path.name) or read(path)
    )
    found = looked(house, job(*reversed(names)))
    assert found.good
    assert sorted(opened) == sorted(set(opened))
    assert len(opened) == 400


# --- Against pip --------------------------------------------------------------------------

HOUSES: Mapping[str, tuple[list[tuple[str, str, list[str], str]], list[str]]] = {
    "plain": ([("a", "1", ["b>=1"], ""), ("b", "1", [], ""), ("b", "2", [], "")], ["a"]),
    "older for a constraint": (
        [("a", "1", ["b<2"], ""), ("b", "1", [], ""), ("b", "2", [], "")],
        ["b", "a"],
    ),
    "newest lacks a dependency": ([("a", "1", [], ""), ("a", "2", ["gone"], "")], ["a"]),
    "newest is for another Python": ([("a", "1", [], ""), ("a", "2", [], ">=3.99")], ["a"]),
    "a pre-release is no way out": ([("a", "1rc1", [], ""), ("a", "2", [], ">=3.99")], ["a"]),
    "two levels back": (
        [
            ("a", "1", [], ""),
            ("a", "2", ["b"], ""),
            ("b", "1", ["c"], ""),
            ("c", "1", ["gone"], ""),
        ],
        ["a"],
    ),
    "extras": ([("a", "1", ["b; extra == 'x'"], ""), ("b", "1", ["a[y]"], "")], ["a[x]"]),
    "conflict": (
        [
            ("a", "1", ["c<2"], ""),
            ("b", "1", ["c>=2"], ""),
            ("c", "1", [], ""),
            ("c", "2", [], ""),
        ],
        ["a", "b"],
    ),
    "each wants the other": ([("a", "1", ["a>=2"], ""), ("a", "2", ["a<2"], "")], ["a"]),
}


@pytest.mark.parametrize("name", HOUSES)
def test_what_is_taken_is_what_pip_takes(house: Path, name: str) -> None:
    packages, asked = HOUSES[name]
    for package, version, requires, python in packages:
        extras = ["x", "y"] if package == "a" else []
        wheel(house, package, version, requires, python=python, extras=extras)
    assert versions(taken(house, asked)) == versions_of_pip(house, asked)


def taken(house: Path, asked: list[str]) -> Closure:
    needs = [Need(read, "r", "r") for text in asked if (read := parse_requirement(text))]
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    rules = Rules(Target(here, "linux/amd64", "glibc", (2, 36)))
    return closure(House(house, sorted(os.listdir(house))), needs, rules)


def versions(found: Closure) -> dict[str, str] | None:
    if found.gaps:
        return None
    return {name: file.version for name, file in found.files.items()}


def versions_of_pip(house: Path, asked: list[str]) -> dict[str, str] | None:
    report = house.parent / "report.json"
    done = subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-index",
            "--find-links", str(house), "--report", str(report), "--no-cache-dir", *asked,
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        reasons = ("No matching distribution", "conflict", "requires a different Python")
        assert any(reason in done.stderr for reason in reasons), done.stderr
        return None
    installed = json.loads(report.read_text())["install"]
    return {each["metadata"]["name"]: each["metadata"]["version"] for each in installed}


# --- Pruning ----------------------------------------------------------------------------------


def test_pruning_takes_only_what_dfcache_put_there(house: Path) -> None:
    for name in ("kept", "spare", "mine"):
        wheel(house, name, "1")
    (house / "notes.txt").write_text("x")
    (house / "x.part").write_bytes(b"12")
    (house / ".dfcache-part").mkdir()
    (house / ".dfcache-part" / "y.part").write_bytes(b"345")
    manifest = recorded(house, foreign=["mine-1-py3-none-any.whl"])
    size = (house / "spare-1-py3-none-any.whl").stat().st_size
    pruned = prune(house, {"kept-1-py3-none-any.whl"}, manifest)
    assert pruned.removed == ("spare-1-py3-none-any.whl", "x.part", ".dfcache-part/y.part")
    assert pruned.size == size + 5
    assert pruned.left == ("mine-1-py3-none-any.whl", "notes.txt")
    assert sorted(path.name for path in house.iterdir()) == [
        "dfcache.json", "kept-1-py3-none-any.whl", "mine-1-py3-none-any.whl", "notes.txt",
    ]  # fmt: skip
    after = read_manifest(house)
    assert after is not None
    assert set(after.files) == {"kept-1-py3-none-any.whl"}


def test_pruning_deletes_a_link_and_not_what_it_leads_to(house: Path, tmp_path: Path) -> None:
    outside = wheel(tmp_path / "elsewhere", "a", "1")
    house.mkdir()
    (house / outside.name).symlink_to(outside)
    manifest = recorded(house)
    assert prune(house, set(), manifest).removed == (outside.name,)
    assert outside.is_file()


def test_pruning_a_clean_folder_writes_nothing(house: Path) -> None:
    wheel(house, "a", "1")
    manifest = recorded(house)
    before = (house / "dfcache.json").stat().st_mtime_ns
    assert prune(house, {"a-1-py3-none-any.whl"}, manifest).removed == ()
    assert (house / "dfcache.json").stat().st_mtime_ns == before


# --- Targets --------------------------------------------------------------------------------


def test_what_is_open_is_as_it_was_when_the_folder_was_filled() -> None:
    manifest = Manifest((Input("Dockerfile", ARM, ()), Input("api/Dockerfile", SLIM, ())))
    known = Target("3.11", "", "glibc", (2, 36))
    assert stage_targets(known, "Dockerfile", manifest, Answers()) == (ARM,)
    assert stage_targets(known, "api/Dockerfile", manifest, Answers()) == (SLIM,)
    assert stage_targets(known, "new/Dockerfile", manifest, Answers()) == (SLIM,)
    assert stage_targets(Target(), "Dockerfile", manifest, Answers()) == (ARM,)


def test_what_the_dockerfile_says_now_beats_what_was() -> None:
    manifest = Manifest((Input("Dockerfile", ARM, ()),))
    newer = Target("3.12", "", "glibc", (2, 36))
    found = stage_targets(newer, "Dockerfile", manifest, Answers())
    assert found == (Target("3.12", "linux/arm64", "glibc", (2, 36)),)
    older = Target("3.11", "", "glibc", (2, 31))
    found = stage_targets(older, "Dockerfile", manifest, Answers())
    assert found == (Target("3.11", "linux/arm64", "glibc", (2, 31)),)
    # That version is the one for a library of unknown version.
    guessed = Target("3.11", "", "glibc", (2, 28))
    assert stage_targets(guessed, "Dockerfile", manifest, Answers()) == (ARM,)


def test_answers_beat_both() -> None:
    manifest = Manifest((Input("Dockerfile", ARM, ()),))
    known = Target("3.11", "", "glibc", (2, 36))
    both = Answers(("linux/amd64", "linux/arm64"))
    assert stage_targets(known, "Dockerfile", manifest, both) == (SLIM, ARM)


def test_a_python_that_nobody_tells_is_asked_for() -> None:
    with pytest.raises(UnknownTargetError, match=r"give it: --python 3\.11"):
        stage_targets(Target(), "Dockerfile", None, Answers())
    with pytest.raises(ValueError, match="only Linux"):
        stage_targets(Target("", "windows/amd64"), "Dockerfile", None, Answers())
