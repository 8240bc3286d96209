"""Which file of a folder satisfies which requirement: held against the pip that is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dfcache.model.requirements import Requirement, parse_requirement
from dfcache.model.target import Target
from dfcache.model.wheelhouse import (
    PackageFile,
    applies,
    best,
    fits,
    lacking,
    package_file,
    package_files,
    platforms,
    supported,
)

SLIM = Target("3.11", "linux/amd64", "glibc", (2, 36))
ALPINE = Target("3.12", "linux/arm64", "musl", (1, 2))
OLD = Target("3.7", "linux/amd64", "glibc", (2, 28))
ARM = Target("3.9", "linux/arm/v7", "glibc", (2, 31))
TARGETS = (SLIM, ALPINE, OLD, ARM)


def wanted(text: str) -> Requirement:
    found = parse_requirement(text)
    assert found is not None
    return found


def chosen(files: list[str], text: str, target: Target = SLIM, **options: Any) -> str | None:
    found = best(package_files(files), wanted(text), target, **options)
    return found.file if found else None


# --- Names --------------------------------------------------------------------------------


def test_a_wheel_is_read_from_its_name() -> None:
    found = package_file("Foo_Bar-1.0-2x-py2.py3-none-any.whl")
    assert found is not None
    assert (found.name, found.version, found.build, found.wheel) == (
        "foo-bar", "1.0", (2, "x"), True,
    )  # fmt: skip
    assert {str(tag) for tag in found.tags} == {"py2-none-any", "py3-none-any"}


def test_a_source_distribution_is_read_from_its_name() -> None:
    found = package_file("zope.interface-5.0.tar.gz")
    assert found == PackageFile(
        "zope.interface-5.0.tar.gz", "zope-interface", "5.0", frozenset(), ()
    )


@pytest.mark.parametrize(
    "file",
    ["README.md", "foo-1.0.whl", "foo-1.0-py3-none-any.whl.part", "foo.tar.gz", "dfcache.json",
     "foo-one-py3-none-any.whl", "foo-1.0.tar.bz2", ""],
)  # fmt: skip
def test_what_is_no_package(file: str) -> None:
    assert package_file(file) is None


# --- Tags -----------------------------------------------------------------------------------


def test_platforms_of_glibc() -> None:
    made = platforms(Target("3.11", "linux/amd64", "glibc", (2, 18)))
    assert made[:4] == (
        "manylinux_2_18_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64",
        "manylinux_2_16_x86_64",
    )  # fmt: skip
    assert made[-3:] == ("manylinux_2_5_x86_64", "manylinux1_x86_64", "linux_x86_64")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (
            Target("3.12", "linux/arm64/v8", "musl", (1, 1)),
            ("musllinux_1_1_aarch64", "musllinux_1_0_aarch64", "linux_aarch64"),
        ),
        (Target("3.11", "linux/arm/v6", "glibc", (2, 36)), ("linux_armv6l",)),
        (
            Target("3.11", "linux/arm64", "glibc", (2, 17)),
            ("manylinux_2_17_aarch64", "manylinux2014_aarch64", "linux_aarch64"),
        ),
    ],
)
def test_platforms_of_others(target: Target, expected: tuple[str, ...]) -> None:
    assert platforms(target) == expected


@pytest.mark.parametrize(
    ("file", "target", "expected"),
    [
        ("x-1-py3-none-any.whl", SLIM, True),
        ("x-1-py2-none-any.whl", SLIM, False),
        ("x-1-cp311-cp311-manylinux_2_36_x86_64.whl", SLIM, True),
        ("x-1-cp311-cp311-manylinux_2_37_x86_64.whl", SLIM, False),
        ("x-1-cp37-abi3-manylinux1_x86_64.whl", SLIM, True),
        ("x-1-cp312-abi3-manylinux1_x86_64.whl", SLIM, False),
        ("x-1-cp311-cp311-musllinux_1_2_x86_64.whl", SLIM, False),
        ("x-1-cp311-cp311-manylinux2014_aarch64.whl", SLIM, False),
        ("x-1-cp311-cp311-macosx_11_0_arm64.whl", SLIM, False),
        ("x-1-cp311-cp311t-manylinux2014_x86_64.whl", SLIM, False),
        ("x-1-cp312-cp312-musllinux_1_1_aarch64.whl", ALPINE, True),
        ("x-1-cp37-cp37m-manylinux1_x86_64.whl", OLD, True),
        ("x-1-cp37-cp37-manylinux1_x86_64.whl", OLD, False),
        ("x-1-cp39-cp39-manylinux2014_armv7l.whl", ARM, True),
        ("x-1.tar.gz", ARM, True),
    ],
)
def test_what_fits(file: str, target: Target, expected: bool) -> None:
    found = package_file(file)
    assert found is not None
    assert fits(found, target) is expected


@pytest.mark.parametrize("target", TARGETS)
def test_tags_are_those_of_pip(target: Target) -> None:
    tags = pytest.importorskip("pip._internal.utils.compatibility_tags")
    digits = target.python.replace(".", "")
    theirs = tags.get_supported(digits, list(platforms(target)), "cp", [abi(target)])
    assert {str(tag) for tag in supported(target)} == {str(tag) for tag in theirs}


def abi(target: Target) -> str:
    return "cp" + target.python.replace(".", "") + ("m" if target is OLD else "")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64", "i686", "armv7l", "s390x"])
def test_platforms_are_those_of_packaging_on_such_a_machine(
    machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from packaging import _manylinux, _musllinux

    monkeypatch.setattr(_manylinux, "_get_glibc_version", lambda: (2, 36))
    monkeypatch.setattr(_manylinux, "_have_compatible_abi", lambda *_: True)
    names = {"x86_64": "amd64", "aarch64": "arm64", "i686": "386", "armv7l": "arm/v7"}
    platform = f"linux/{names.get(machine, machine)}"
    glibc = Target("3.11", platform, "glibc", (2, 36))
    theirs = list(_manylinux.platform_tags([machine]))
    assert list(platforms(glibc)) == [*theirs, f"linux_{machine}"]
    version = _musllinux._MuslVersion(1, 2)
    monkeypatch.setattr(_musllinux, "_get_musl_version", lambda _: version)
    musl = Target("3.11", platform, "musl", (1, 2))
    theirs = list(_musllinux.platform_tags([machine]))
    assert list(platforms(musl)) == [*theirs, f"linux_{machine}"]


# --- Markers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        ("", True),
        ("sys_platform == 'win32'", False),
        ("platform_machine == 'x86_64' and sys_platform == 'linux'", True),
        ("python_version < '3.12'", True),
        ("python_full_version < '3.11.3'", None),
        ("python_full_version < '3.12'", True),
        ("implementation_name == 'pypy'", False),
        ("platform_system == 'Linux'", True),
        ("extra == 'speed'", True),
        ("extra == 'Other'", False),
        ("not a marker", True),
    ],
)
def test_markers_of_a_target(marker: str, expected: bool | None) -> None:
    assert applies(marker, SLIM, ["speed"]) is expected


# --- Choice -------------------------------------------------------------------------------

WHEELS = [
    "foo-1.0-py3-none-any.whl",
    "foo-1.1-cp311-cp311-manylinux2014_x86_64.whl",
    "foo-2.0-cp312-cp312-musllinux_1_1_aarch64.whl",
    "foo-3.0rc1-py3-none-any.whl",
    "bar-1.0.tar.gz",
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("foo", "foo-1.1-cp311-cp311-manylinux2014_x86_64.whl"),
        ("FOO<1.1", "foo-1.0-py3-none-any.whl"),
        ("foo>=2", "foo-3.0rc1-py3-none-any.whl"),
        ("foo==2.0", None),
        ("foo>=1.0rc1", "foo-3.0rc1-py3-none-any.whl"),
        ("foo (==1.0)", "foo-1.0-py3-none-any.whl"),
        ("bar", "bar-1.0.tar.gz"),
        ("baz", None),
    ],
)
def test_the_best_file(text: str, expected: str | None) -> None:
    assert chosen(WHEELS, text) == expected


def test_constraints_and_options_count() -> None:
    assert chosen(WHEELS, "foo", constraints=[wanted("Foo==1.0")]) == "foo-1.0-py3-none-any.whl"
    other = wanted("foo==1.0; sys_platform == 'win32'")
    assert chosen(WHEELS, "foo<3", constraints=[other]) == WHEELS[1]
    assert chosen(WHEELS, "foo", pre=True) == "foo-3.0rc1-py3-none-any.whl"
    assert chosen(WHEELS, "bar", sources=False) is None


def test_a_local_version_satisfies_the_public_one_and_not_the_other_way() -> None:
    files = ["torch-2.1.0+cpu-cp311-cp311-linux_x86_64.whl"]
    assert chosen(files, "torch==2.1.0") == files[0]
    assert chosen(files, "torch==2.1.0+cpu") == files[0]
    assert chosen(files, "torch==2.1.0+cu118") is None
    assert chosen(["torch-2.1.0-py3-none-any.whl"], "torch==2.1.0+cpu") is None


def test_an_epoch_is_newer() -> None:
    files = ["x-1!1.0-py3-none-any.whl", "x-2026.1-py3-none-any.whl"]
    assert chosen(files, "x") == files[0]
    assert chosen(files, "x<2027") == files[1]


VERSIONS = st.sampled_from(
    ["1.0", "1.0.post1", "1.1", "1.1+cpu", "2.0rc1", "2.0.dev1", "2.0", "1!0.5", "3.0a1"]
)
TAGS = st.sampled_from(
    [
        "py3-none-any", "py2.py3-none-any", "cp311-cp311-manylinux2014_x86_64", "cp311-none-any",
        "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", "cp312-cp312-manylinux1_x86_64",
        "cp36-abi3-manylinux_2_28_x86_64", "cp312-cp312-musllinux_1_1_aarch64", "py3-none-win32",
        "cp37-cp37m-manylinux1_x86_64", "cp39-cp39-linux_armv7l", "py3-none-manylinux1_x86_64",
    ]
)  # fmt: skip
FILES = st.lists(
    st.one_of(
        st.builds("foo-{}-{}.whl".format, VERSIONS, TAGS),
        st.builds("foo-{}-{}-{}.whl".format, VERSIONS, st.sampled_from(["1", "2a", "10"]), TAGS),
        st.builds("Foo-{}.tar.gz".format, VERSIONS),
        st.builds("foo_bar-{}-py3-none-any.whl".format, VERSIONS),
    ),
    max_size=8,
    unique=True,
)
SPECIFIERS = st.sampled_from(
    ["", ">=1", "==1.0", "==1.1", "~=1.0", "!=1.1,<3", ">1.0", "==1.*", ">=2.0rc1", "===2.0", "<1",
     ">=1!0", "==1.1+cpu", "<2.0", "==3.0a1,>=1"]
)  # fmt: skip


@settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(
    ["foo-1.0-1-py3-none-any.whl", "foo-1.0-10-py3-none-any.whl", "Foo-1.0.tar.gz"], "", SLIM, False
)
@given(FILES, SPECIFIERS, st.sampled_from(TARGETS), st.booleans())
def test_the_choice_is_that_of_pip(
    files: list[str], specifier: str, target: Target, pre: bool
) -> None:
    theirs = choice_of_pip(files, specifier, target, pre)
    assert chosen(files, f"foo{specifier}", target, pre=pre) == theirs


def choice_of_pip(files: list[str], specifier: str, target: Target, pre: bool) -> str | None:
    finder = pytest.importorskip("pip._internal.index.package_finder")
    from pip._internal.models.candidate import InstallationCandidate
    from pip._internal.models.link import Link
    from pip._internal.models.release_control import ReleaseControl
    from pip._internal.models.target_python import TargetPython
    from pip._vendor.packaging.specifiers import SpecifierSet

    python = TargetPython(
        platforms=list(platforms(target)),
        py_version_info=(int(target.python[0]), int(target.python[2:])),
        abis=[abi(target)],
        implementation="cp",
    )
    links = finder.LinkEvaluator(
        "foo", "foo", frozenset({"binary", "source"}), python, allow_yanked=True
    )
    found = []
    for file in files:
        link = Link(f"file:///pip_packages/{file}")
        kind, detail = links.evaluate_link(link)
        if kind is finder.LinkType.candidate:
            found.append(InstallationCandidate("foo", detail, link))
    evaluator = finder.CandidateEvaluator.create(
        "foo",
        target_python=python,
        release_control=ReleaseControl({":all:"} if pre else set()),
        specifier=SpecifierSet(specifier),
    )
    result = evaluator.compute_best_candidate(found).best_candidate
    return Path(result.link.path).name if result else None


# --- What is lacking -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "why"),
    [
        ("baz", "none", "is missing"),
        ("foo==9", "version", "is there only as 1.0, 1.1, 2.0, 3.0rc1"),
        (
            "foo==2.0",
            "platform",
            "is there only for other platforms or Pythons"
            " (foo-2.0-cp312-cp312-musllinux_1_1_aarch64.whl)",
        ),
        (
            "foo @ https://example.org/foo.zip",
            "address",
            "is fetched from its address, whatever the folder holds",
        ),
        ("foo==x", "unreadable", "has a specifier that can't be read: ==x"),
    ],
)
def test_what_is_lacking(text: str, kind: str, why: str) -> None:
    (lack,) = lacking(package_files(WHEELS), [wanted(text)], SLIM)
    assert (lack.kind, lack.why) == (kind, why)


def test_a_source_that_is_not_allowed_is_lacking() -> None:
    (lack,) = lacking(package_files(WHEELS), [wanted("bar")], SLIM, sources=False)
    assert (lack.kind, lack.why) == ("source", "is there only as source (bar-1.0.tar.gz)")


@pytest.mark.parametrize(
    "text",
    [
        "foo",
        "bar",
        "./local",
        "baz; sys_platform == 'win32'",
        "baz; python_full_version < '3.11.3'",
    ],
)
def test_what_is_not_lacking(text: str) -> None:
    assert list(lacking(package_files(WHEELS), [wanted(text)], SLIM)) == []


def test_requirements_of_one_name_need_one_file() -> None:
    asked = [wanted("foo==1.0"), wanted("foo>=1.1")]
    kinds = [lack.kind for lack in lacking(package_files(WHEELS), asked, SLIM)]
    assert kinds == ["version", "version"]
    apart = [wanted("foo==1.0"), wanted("foo>=1.1; sys_platform == 'win32'")]
    assert list(lacking(package_files(WHEELS), apart, SLIM)) == []


def test_a_constraint_makes_a_file_too_new() -> None:
    limits = [wanted("foo<1.0")]
    (lack,) = lacking(package_files(WHEELS), [wanted("foo")], SLIM, constraints=limits)
    assert lack.kind == "version"
