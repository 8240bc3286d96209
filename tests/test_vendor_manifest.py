"""The manifest of a folder of packages: read back as written, the same for the same content."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest

from dfcache.model.target import Target, target_from, target_text
from dfcache.vendor.manifest import (
    NAME,
    Entry,
    Input,
    Manifest,
    ManifestError,
    parse,
    read_manifest,
    render,
    write_manifest,
)

SLIM = Target("3.11", "linux/amd64", "glibc", (2, 36))
ALPINE = Target("3.12", "linux/arm/v7", "musl", (1, 2))


def entry(file: str, *targets: Target, built: bool = False, digit: str = "0") -> Entry:
    name, version = file.split("-")[:2]
    return Entry(file, name, version, digit * 64, 10, targets or (SLIM,), built)


FLASK = entry("flask-3.0.0-py3-none-any.whl", SLIM, ALPINE)
LXML = entry("lxml-5.0-cp311-cp311-linux_x86_64.whl", built=True, digit="a")
FULL = Manifest(
    (
        Input("Dockerfile", SLIM, ("lxml", "flask==3.0.0"), ("click<9",)),
        Input("api/Dockerfile", ALPINE, ("flask",)),
    ),
    {LXML.file: LXML, FLASK.file: FLASK},
)


def test_the_text_is_made_for_diffs() -> None:
    assert render(FULL) == '''{
  "version": 1,
  "inputs": [
    {
      "dockerfile": "Dockerfile",
      "target": "python3.11 linux/amd64 glibc2.36",
      "requirements": [
        "flask==3.0.0",
        "lxml"
      ],
      "constraints": [
        "click<9"
      ]
    },
    {
      "dockerfile": "api/Dockerfile",
      "target": "python3.12 linux/arm/v7 musl1.2",
      "requirements": [
        "flask"
      ],
      "constraints": []
    }
  ],
  "files": {
    "flask-3.0.0-py3-none-any.whl": {"name": "flask", "version": "3.0.0", "sha256": "'''\
    + "0" * 64 + '''", "size": 10, "targets": ["python3.11 linux/amd64 glibc2.36", \
"python3.12 linux/arm/v7 musl1.2"], "built": false},
    "lxml-5.0-cp311-cp311-linux_x86_64.whl": {"name": "lxml", "version": "5.0", "sha256": "'''\
    + "a" * 64 + '''", "size": 10, "targets": ["python3.11 linux/amd64 glibc2.36"], "built": true}
  }
}
'''  # fmt: skip


@pytest.mark.parametrize("manifest", [Manifest(), FULL])
def test_it_is_read_back_as_written(tmp_path: Path, manifest: Manifest) -> None:
    write_manifest(tmp_path, manifest)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    back = read_manifest(tmp_path)
    assert back is not None
    assert render(back) == render(manifest) == (tmp_path / NAME).read_text("utf-8")
    assert dict(back.files) == dict(manifest.files)
    assert json.loads(render(manifest))["version"] == 1


def test_the_order_of_what_it_is_made_from_does_not_show() -> None:
    expected = render(FULL)
    rng = random.Random(1)
    for _ in range(20):
        inputs, files = list(FULL.inputs), list(FULL.files.items())
        rng.shuffle(inputs)
        rng.shuffle(files)
        assert render(Manifest(tuple(inputs), dict(files))) == expected


def test_a_folder_without_a_manifest(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) is None


@pytest.mark.parametrize("target", [SLIM, ALPINE])
def test_a_target_is_one_line(target: Target) -> None:
    assert target_from(target_text(target)) == target


def test_targets_are_those_of_the_inputs() -> None:
    assert FULL.targets == (SLIM, ALPINE)


def test_files_are_added_replaced_and_taken_out() -> None:
    base = Manifest().with_files([entry("a-1-x.whl", SLIM)])
    both = base.with_files([entry("a-1-x.whl", ALPINE), entry("b-1-x.whl")])
    assert set(both.files) == {"a-1-x.whl", "b-1-x.whl"}
    assert set(both.files["a-1-x.whl"].targets) == {SLIM, ALPINE}
    other = both.with_files([entry("a-1-x.whl", ALPINE, digit="1")])
    assert other.files["a-1-x.whl"].targets == (ALPINE,)
    assert set(other.without(["a-1-x.whl"]).files) == {"b-1-x.whl"}


def test_the_inputs_of_a_dockerfile_replace_those_it_had() -> None:
    made = FULL.with_inputs("Dockerfile", [Input("Dockerfile", ALPINE, ("x",))])
    assert {each.dockerfile for each in made.inputs} == {"Dockerfile", "api/Dockerfile"}
    assert [each.target for each in made.inputs if each.dockerfile == "Dockerfile"] == [ALPINE]


TEXT = render(FULL)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "dfcache.json:1: is not JSON; delete it and run `dfcache vendor`"),
        (TEXT[:-20], "is not JSON"),
        (
            "{\n<<<<<<< ours\n=======\n>>>>>>> theirs\n}",
            "dfcache.json:2: holds the marks of a merge",
        ),
        ("[]", "is no manifest of dfcache"),
        ('{"version": "1"}', "is no manifest of dfcache"),
        ('{"version": 7}', "is of version 7, and this dfcache knows 1: update dfcache"),
        ('{"version": 1}', "'inputs' is missing"),
        (TEXT.replace("glibc2.36", "glibc"), "is no target"),
        (TEXT.replace("0" * 64, "0" * 63), "the sha256 of flask"),
        (TEXT.replace('"flask-3.0.0', '"../flask-3.0.0'), "is no name of a package"),
        (TEXT.replace('"constraints": []', '"constraints": 3'), "is no list of texts"),
        (TEXT.replace('"size": 10', '"size": null'), "can't be understood"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(text: str, message: str) -> None:
    with pytest.raises(ManifestError) as caught:
        parse(text, "pip_packages/dfcache.json")
    said = str(caught.value)
    assert re.match(r"pip_packages/dfcache\.json:\d+: ", said)
    assert message in said
    assert "\n" not in said


def test_a_manifest_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"\xff\xfe")
    with pytest.raises(ManifestError, match="can't be read"):
        read_manifest(tmp_path)
