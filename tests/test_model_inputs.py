"""What each step runs again on. Held against real builds in tests/builds/test_inputs.py."""

from __future__ import annotations

from pathlib import Path

from building import built
from dfcache.knowledge import load
from dfcache.model.assemble import build
from dfcache.model.context import DirectoryContext
from dfcache.model.inputs import changed, runs_again_on
from dfcache.parser import parse

FILES = {
    "requirements.txt": "flask\n",
    "src/app.py": "import flask\n",
    "src/data/a.csv": "1\n",
    "docs/index.md": "# docs\n",
    "main.py": "pass\n",
}


def again(dockerfile: str, files=FILES, **change) -> str:
    """The lines whose steps run again, `?` behind those that may be cached."""
    found = changed(built(dockerfile, files), **change)
    return " ".join(f"{each.step.outer.start_line}{'' if each.sure else '?'}" for each in found)


SPLIT = """\
FROM python:3.12
WORKDIR /app
COPY requirements.txt .
RUN pip install -r requirements.txt
COPY src src
LABEL a=b
RUN python -m compileall src
CMD ["python"]
"""


def test_a_step_runs_again_on_the_files_copied_by_then():
    assert again(SPLIT, path="requirements.txt") == "3 4 5 7"
    assert again(SPLIT, path="src/app.py") == "5 7"
    assert again(SPLIT, path="docs/index.md") == ""


def test_inputs_are_plain_values():
    found = built(SPLIT, FILES)
    install = next(iter(found.runs()))
    inputs = runs_again_on(found, install)
    assert inputs.sure.files == {"requirements.txt"}
    assert inputs.sure.bases == {"python:3.12"}
    assert inputs.sure.texts == {(0, -1), (0, 0), (0, 1), (0, 2)}
    assert not inputs.may.files
    assert not inputs.unknown


def test_an_added_file_counts_where_a_copy_takes_it():
    assert again("FROM a\nCOPY src /src\n", path="src/new/b.py") == "2"
    assert again("FROM a\nCOPY *.py /\nRUN x\n", path="new.py") == "2 3"
    assert again("FROM a\nCOPY *.py /\nRUN x\n", path="src/new.py") == ""
    assert again("FROM a\nCOPY . /\n", path=".git/index") == "2"


def test_ignored_files_do_not_count():
    files = {**FILES, ".dockerignore": "docs\n!docs/index.md\n*.log\n"}
    assert again("FROM a\nCOPY . /\n", files, path="docs/other.md") == ""
    assert again("FROM a\nCOPY . /\n", files, path="docs/index.md") == "2"
    assert again("FROM a\nCOPY . /\n", files, path="new.log") == ""
    assert again("FROM a\nCOPY . /\n", files, path=".dockerignore") == "2"


def test_excluded_files_do_not_count():
    source = "FROM a\nCOPY --exclude=data --exclude=*.md src /src\n"
    assert again(source, path="src/data/a.csv") == ""
    assert again(source, path="src/readme.md") == ""
    assert again(source, path="src/app.py") == "2"


def test_a_bind_mount_counts_what_it_mounts():
    one = "FROM a\nRUN --mount=type=bind,source=requirements.txt,target=/r pip install -r /r\n"
    assert again(one, path="requirements.txt") == "2"
    assert again(one, path="main.py") == ""
    assert again("FROM a\nRUN --mount=target=/src make\n", path="docs/index.md") == "2"
    assert again("FROM a\nRUN --mount=type=cache,target=/src make\n", path="main.py") == ""


def test_a_declared_argument_counts_for_every_run_behind_it():
    source = "FROM a\nRUN one\nARG V=1\nCOPY main.py /\nRUN two\n"
    assert again(source, arg="V") == "5"
    assert again(source, arg="W") == ""
    assert again("FROM a\nARG V\nENV V=x\nRUN one\n", arg="V") == ""
    assert again("FROM a\nARG V\nENV W=$V\nRUN one\n", arg="V") == "4"


def test_an_argument_counts_elsewhere_only_where_it_is_used():
    assert again("FROM a\nARG D=/x\nCOPY main.py $D\nCOPY docs /docs\n", arg="D") == "3 4"
    assert again("FROM a\nARG D=/x\nWORKDIR $D\nCOPY main.py .\n", arg="D") == "3 4"
    assert again("FROM a\nARG D=/x\nWORKDIR /y\nCOPY main.py .\n", arg="D") == ""
    assert again("FROM a\nARG U=1\nENV W=$U\nCOPY --chown=$W main.py .\n", arg="U") == "4"


def test_a_global_argument_counts_through_from_and_as_a_default():
    assert again("ARG V=3\nFROM python:$V\nCOPY main.py /\n", arg="V") == "3"
    assert again("ARG V=3\nFROM a\nRUN x\n", arg="V") == ""
    assert again("ARG B=3\nARG V=$B\nFROM a\nARG V\nRUN x\n", arg="B") == "5"
    assert again("ARG B=3\nARG V=$B\nFROM a\nARG V=4\nRUN x\n", arg="B") == ""


def test_a_base_image_counts_for_its_stages():
    source = "FROM a AS one\nCOPY main.py /\nFROM b\nCOPY docs /docs\nCOPY --from=one /main.py /\n"
    assert again(source, base="b") == "4 5"
    assert again(source, base="a") == "2"
    assert again("FROM a\nCOPY --from=uv:1 /uv /bin/\nRUN uv sync\n", base="uv:1") == "2? 3?"


def test_a_copy_from_a_stage_counts_by_content():
    source = """\
FROM a AS build
COPY src /src
COPY docs /docs
{}FROM a
COPY --from=build /src /src
RUN x
"""
    assert again(source.format(""), path="src/app.py") == "2 3 5 6"
    assert again(source.format(""), path="docs/index.md") == "3"
    assert again(source.format("RUN make\n"), path="docs/index.md") == "3 4 6? 7?"
    assert again(source.format("RUN mkdir /other\n"), path="docs/index.md") == "3 4"
    assert again(source.format("COPY main.py /src/app.py\n"), path="src/app.py") == "2 3 4"


def test_stages_that_the_target_does_not_need_are_not_built():
    source = "FROM a AS test\nCOPY . /\nFROM a AS app\nCOPY src /src\n"
    assert again(source, path="src/app.py") == "4"
    assert again(source, path="src/app.py", target=0) == "2"


def test_a_stage_built_from_another_has_its_steps_before_it():
    source = "FROM a AS base\nCOPY main.py /\nARG V\nFROM base\nRUN x\n"
    assert again(source, path="main.py") == "2 5"
    assert again(source, arg="V") == "5"


def test_a_linked_copy_may_do_without_the_steps_before_it():
    source = "FROM a\nCOPY main.py /\nCOPY --link docs /docs\nRUN x\n"
    assert again(source, path="main.py") == "2 3? 4"
    assert again(source, path="docs/index.md") == "3 4"


def test_metadata_and_triggers_run_nothing():
    assert again("FROM a\nONBUILD COPY . /\nLABEL x=y\nENV a=b\n", path="main.py") == ""


def test_without_the_context_the_sources_tell():
    assert again(SPLIT, None, path="requirements.txt") == "3 4 5 7"
    assert again(SPLIT, None, path="src/x.py") == "5 7"
    found = built(SPLIT, None)
    inputs = runs_again_on(found, next(iter(found.runs())))
    assert inputs.unknown == {"the build context is not at hand"}


def test_what_can_not_be_known_is_said():
    source = "FROM a\nARG N\nCOPY $N /\nADD https://example.org/a.tgz /\nRUN x\n"
    found = built(source, FILES)
    assert runs_again_on(found, next(iter(found.runs()))).unknown == {
        "line 3: what it copies can't be told",
        "line 4: whether https://example.org/a.tgz changes can't be told",
    }


def test_triggers_run_in_the_stages_built_from_theirs():
    source = "FROM a AS one\nONBUILD COPY src /src\nFROM one AS two\nRUN x\nFROM two\nRUN y\n"
    assert again(source, path="src/app.py") == "2 4 6"
    assert again(source, path="main.py") == ""


def test_links_that_are_named_are_followed(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a").write_text("")
    (tmp_path / "file").symlink_to("real/a")
    (tmp_path / "folder").symlink_to("real")
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside/b").symlink_to("../real/a")
    source = "FROM a\nCOPY {} /x\n"
    for named, runs in (("file", 1), ("folder", 1), ("folder/a", 1), ("inside", 0), (".", 1)):
        found = build(parse(source.format(named)), DirectoryContext(tmp_path), load())
        assert len(changed(found, path="real/a")) == runs, named
