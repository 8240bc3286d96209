"""What installs of Python packages ask for, and where folders of packages come from."""

from __future__ import annotations

from building import built
from dfcache.model.asked import Asked, all_asked

HEAD = "FROM python:3.12-slim\nWORKDIR /app\n"


def asks(text: str, files: dict[str, str] | None = None) -> list[Asked]:
    return list(all_asked(built(HEAD + text, files)))


def test_requirements_of_files_stand_where_they_are_written():
    files = {
        "reqs/app.txt": "-c held.txt\n-r base.txt\nflask[async]==3.0 ; python_version>'3.8'\n",
        "reqs/base.txt": "# base\nrequests\n",
        "reqs/held.txt": "requests==2.32.3\n",
    }
    (one,) = asks("COPY reqs /etc/reqs\nRUN pip install -r /etc/reqs/app.txt 'numpy<2'\n", files)
    told = [(e.file, e.line, e.name, e.specifier, e.constraint) for e in one.entries]
    assert told == [
        ("reqs/held.txt", 1, "requests", "==2.32.3", True),
        ("reqs/base.txt", 2, "requests", "", False),
        ("reqs/app.txt", 3, "flask", "==3.0", False),
        ("", 1, "numpy", "<2", False),
    ]
    assert one.files == ("reqs/app.txt", "reqs/held.txt", "reqs/base.txt")
    assert [path for path, _ in one.named] == ["reqs/app.txt"]
    assert not one.unknown


def test_a_requirement_of_the_command_line_has_its_place_in_the_dockerfile():
    text = HEAD + "RUN pip install 'numpy<2'\n"
    (one,) = all_asked(built(text))
    (entry,) = one.wanted
    assert text[entry.span.start : entry.span.end] == "'numpy<2'"


def test_a_mounted_file_is_read_like_a_copied_one():
    mount = "--mount=type=bind,source=reqs/app.txt,target=/tmp/r.txt"
    (one,) = asks(f"RUN {mount} pip install -r /tmp/r.txt\n", {"reqs/app.txt": "flask\n"})
    assert [(e.file, e.name) for e in one.entries] == [("reqs/app.txt", "flask")]


def test_what_is_not_of_the_context_is_told():
    (one,) = asks("RUN pip install -r made.txt\n", {})
    assert one.unknown == ("/app/made.txt is not of the build context",)
    (two,) = asks("COPY . .\nRUN pip install $WHAT\n", {"a": ""})
    assert two.unknown


def test_settings_come_from_options_variables_and_files():
    files = {
        "r.txt": "-f wheels\n--extra-index-url https://x.example/simple\nflask\n",
        "wheels/a": "",
    }
    text = (
        "ARG PIP_INDEX_URL=http://m/simple\nENV PIP_NO_INDEX=1\nCOPY . .\n"
        "RUN pip install --trusted-host m -r r.txt\n"
    )
    (one,) = asks(text, files)
    assert {(g.kind, g.value, g.where) for g in one.given} == {
        ("trusted", "m", "option"),
        ("index", "http://m/simple", "env"),
        ("links", "wheels", "r.txt"),
        ("extra", "https://x.example/simple", "r.txt"),
    }
    assert one.links[0].path == "/app/wheels"
    assert one.flags == {"no-index"}
    assert not one.needs_index


def test_where_a_folder_of_packages_comes_from():
    files = {
        "pip_packages/six-1.0-py3-none-any.whl": "",
        ".dockerignore": "hidden\n",
        "hidden/a": "",
    }
    install = "pip install --no-index --find-links={} six\n"

    def origin(before: str, mount: str, folder: str) -> tuple[str, str | None, bool]:
        *_, one = asks(before + f"RUN {mount}" + install.format(folder), files)
        found = one.links[0].origin
        assert found is not None
        return found.how, found.path, found.there

    bind = "--mount=type=bind,source={0},target=/p "
    assert origin("", bind.format("pip_packages"), "/p") == ("mount", "pip_packages", True)
    assert origin("", bind.format("absent"), "/p") == ("mount", "absent", False)
    assert origin("", bind.format("hidden"), "/p") == ("mount", "hidden", False)
    assert origin("COPY pip_packages /w\n", "", "/w") == ("copy", "pip_packages", True)
    assert origin("COPY absent /w\n", "", "/w") == ("copy", "absent", False)
    assert origin("COPY --from=other /x /w\n", "", "/w") == ("stage", None, True)
    assert origin("RUN pip wheel -w /w six\n", "", "/w") == ("", None, True)


def test_local_projects_are_told_with_their_extras():
    files = {"pyproject.toml": "[project]\nname='x'\n", "lib/setup.py": ""}
    (one,) = asks("COPY . .\nRUN uv pip install --system -e .[dev] ./lib\n", files)
    assert [(p.path, p.origin.path, p.extras, p.editable) for p in one.projects] == [
        ("/app", "", ("dev",), True),
        ("/app/lib", "lib", (), False),
    ]


def test_configuration_files_are_read():
    files = {"docker/pip.conf": "[global]\nno-index = true\n[install]\nfind-links =\n  /w\n  /x\n"}
    (one,) = asks("COPY docker/pip.conf /etc/pip.conf\nRUN pip install a\n", files)
    assert not one.needs_index
    assert one.silent == ("docker/pip.conf",)
    assert [(each.value, each.where) for each in one.links] == [
        ("/w", "docker/pip.conf"),
        ("/x", "docker/pip.conf"),
    ]
    (other,) = asks("COPY docker/pip.conf /etc/pip.conf\nRUN uv pip install a\n", files)
    assert other.needs_index


def test_what_pip_config_has_written_counts_from_then_on():
    text = "RUN pip install a && pip config set global.no-index true\nRUN pip install b\n"
    assert [one.needs_index for one in asks(text)] == [True, False]
