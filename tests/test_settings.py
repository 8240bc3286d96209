"""Configuration: where it is found, what it may say, and how mistakes are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfcache.diagnostics import Severity
from dfcache.engine.run import Session
from dfcache.engine.settings import Finder, Settings, SettingsError, load, matches
from fakes import finds, rules


def write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_every_key(tmp_path: Path):
    path = write(
        tmp_path / "dfcache.toml",
        'select = ["DFC1"]\nignore = ["uncached-install"]\nexclude = ["vendor"]\n'
        'context = "sub"\nbuilder = "kaniko"\n'
        'fail-level = "error"\n',
    )
    settings = load(path)
    assert settings == Settings(
        select=("DFC1",),
        ignore=("uncached-install",),
        exclude=("vendor",),
        context=str(tmp_path / "sub"),
        builder="kaniko",
        fail_level=Severity.ERROR,
        root=str(tmp_path),
        source=path,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("selct = []", "unknown key selct; did you mean select?"),
        ("zzz = 1", "unknown key zzz; known are select, extend-select, ignore,"),
        ('builder = "buildkid"', "unknown value of builder: buildkid; did you mean buildkit?"),
        ('select = "DFC101"', 'select must be a list of texts, as in select = ["…"]'),
        ("builder = 3", "builder must be a text, not 3"),
        ("overrides = 3", "overrides must be an array of tables"),
        ("[[overrides]]\nignore = []", 'an overrides table needs paths = ["…"]'),
        ('[[overrides]]\npaths = ["a"]\nexclude = []', "unknown key exclude"),
    ],
)
def test_a_mistake_is_told_with_what_to_do(tmp_path: Path, text: str, message: str):
    path = write(tmp_path / "dfcache.toml", text)
    with pytest.raises(SettingsError) as caught:
        load(path)
    assert message in str(caught.value)
    assert caught.value.path == path


def test_broken_toml_is_told_with_its_place(tmp_path: Path):
    path = write(tmp_path / "dfcache.toml", "select = []\nbuilder = \n")
    with pytest.raises(SettingsError, match="not valid TOML") as caught:
        load(path)
    assert (caught.value.line, caught.value.column) == (2, 11)


def test_the_nearest_wins_and_others_are_not_read(tmp_path: Path):
    write(tmp_path / "dfcache.toml", 'builder = "kaniko"\n')
    write(tmp_path / "a" / "pyproject.toml", '[tool.dfcache]\nbuilder = "buildah"\n')
    write(tmp_path / "a" / "b" / "pyproject.toml", '[project]\nname = "dfcache-user"\n')
    finder = Finder()
    assert finder.near(str(tmp_path)).builder == "kaniko"
    assert finder.near(str(tmp_path / "a")).builder == "buildah"
    assert finder.near(str(tmp_path / "a" / "b")).builder == "buildah"
    assert finder.near(str(tmp_path / "c")).builder == "kaniko"


def test_dfcache_toml_beats_pyproject_beside_it(tmp_path: Path):
    write(tmp_path / "dfcache.toml", 'builder = "kaniko"\n')
    write(tmp_path / "pyproject.toml", '[tool.dfcache]\nbuilder = "buildah"\n')
    assert Finder().near(str(tmp_path)).builder == "kaniko"


def test_a_file_given_by_the_user_is_used_everywhere(tmp_path: Path):
    write(tmp_path / "dfcache.toml", 'builder = "kaniko"\n')
    other = write(tmp_path / "other.toml", 'builder = "classic"\n')
    assert Finder(other).near(str(tmp_path)).builder == "classic"


def test_overrides_change_single_paths(tmp_path: Path):
    path = write(
        tmp_path / "dfcache.toml",
        'builder = "kaniko"\n[[overrides]]\npaths = ["docker/*"]\nbuilder = "buildah"\n'
        '[[overrides]]\npaths = ["*.dev"]\nignore = ["DFC1"]\n',
    )
    settings = load(path)
    assert settings.for_path(str(tmp_path / "Dockerfile")) == settings
    assert settings.for_path(str(tmp_path / "docker" / "Dockerfile")).builder == "buildah"
    both = settings.for_path(str(tmp_path / "docker" / "Dockerfile.dev"))
    assert (both.builder, both.ignore) == ("buildah", ("DFC1",))


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        ("vendor/x/Dockerfile", "vendor", True),
        ("a/vendor/Dockerfile", "vendor", True),
        ("a/vendor/Dockerfile", "/vendor", False),
        ("a/vendor/Dockerfile", "a/vendor", True),
        ("a/vendor/Dockerfile", "a/vendor/**", True),
        ("a/b/Dockerfile", "**/Dockerfile", True),
        ("Dockerfile", "**/Dockerfile", True),
        ("Dockerfile.dev", "*.dev", True),
        ("vendors/Dockerfile", "vendor", False),
    ],
)
def test_patterns_over_paths(tmp_path: Path, path: str, pattern: str, expected: bool):
    assert matches(str(tmp_path / path), str(tmp_path), (pattern,)) is expected


def test_a_rule_that_does_not_exist_is_an_error_with_a_suggestion(tmp_path: Path):
    write(tmp_path / "dfcache.toml", 'ignore = ["rule-1O1"]\n')
    dockerfile = write(tmp_path / "Dockerfile", "FROM a\nRUN x\n")
    outcome = Session(rules=rules(finds("DFC101", "x"))).file(dockerfile)
    assert outcome.trouble is not None
    assert outcome.trouble.message == "there is no rule rule-1O1; did you mean rule-101?"
    assert outcome.trouble.path == str(tmp_path / "dfcache.toml")


def test_the_command_line_beats_the_configuration(tmp_path: Path):
    write(tmp_path / "dfcache.toml", 'select = ["DFC2"]\nignore = ["DFC202"]\n')
    dockerfile = write(tmp_path / "Dockerfile", "FROM a\nRUN x\n")
    made = rules(*(finds(code, "x") for code in ("DFC101", "DFC201", "DFC202")))

    def codes(session: Session) -> list[str]:
        return [each.code for each in session.file(dockerfile).findings]

    assert codes(Session(rules=made)) == ["DFC201"]
    assert codes(Session(given={"select": ("DFC",)}, rules=made)) == ["DFC101", "DFC201"]
    assert codes(Session(ignored=("rule-201",), rules=made)) == []
