"""When the dependencies of a project can be installed before its source, and why not."""

from __future__ import annotations

import pytest

from dfcache.diagnostics import Finding, Safety
from dfcache.engine.fix import fix
from dfcache.engine.lint import Examined, examine
from dfcache.engine.settings import Settings
from dfcache.engine.verify import verify
from dfcache.model.context import Context, MemoryContext, NoContext

PROJECT = '[project]\nname = "app"\nversion = "1"\ndependencies = ["flask>=2"]\n'
DYNAMIC = (
    '[project]\nname = "app"\ndynamic = ["version", "dependencies"]\n'
    '[tool.setuptools.dynamic]\ndependencies = {file = "requirements.txt"}\n'
)
BACKEND = '[build-system]\nrequires = ["{0}"]\nbuild-backend = "{1}"\n'
SOURCE = {"app/main.py": "", "README.md": ""}
FILES = {"pyproject.toml": DYNAMIC, "requirements.txt": "flask>=2\n", **SOURCE}
UV = {"pyproject.toml": PROJECT, **SOURCE}
PIP = "RUN pip install pip==26.3\n"


def context_of(files: dict[str, str] | None) -> Context:
    return NoContext() if files is None else MemoryContext(files)


def looked(text: str, files: dict[str, str] | None) -> Examined:
    return examine(text, context_of(files), Settings(select=("DFC204",)))


def found(steps: str, files: dict[str, str] | None) -> list[Finding]:
    return looked(f"FROM python:3.12-slim\nWORKDIR /app\n{steps}", files).findings


def fixed(steps: str, files: dict[str, str], least: Safety = Safety.UNSAFE) -> str:
    text = f"FROM python:3.12-slim\nWORKDIR /app\n{steps}"
    got = fix(text, lambda source: looked(source, files), least)
    verify(got.passes)
    return got.source.removeprefix("FROM python:3.12-slim\nWORKDIR /app\n")


@pytest.mark.parametrize(
    ("steps", "files", "reason"),
    [
        ("COPY . .\nRUN pip install .\n", None, "the build context is not at hand"),
        ("COPY . .\nRUN pip install . ./app\n", FILES, "several projects are installed at once"),
        (
            "COPY . .\nRUN pip install --target=/x .\n",
            FILES,
            "it installs into a folder of its own",
        ),
        ("COPY . .\nRUN pip install -I .\n", FILES, "-I installs all of them again"),
        ("COPY . .\nRUN pip wheel .\n", FILES, "`pip wheel` gets them again"),
        ('COPY . .\nRUN ["pip", "install", "."]\n', FILES, "the command doesn't stand by itself"),
        ("COPY . .\nRUN <<EOF\npip install .\nEOF\n", FILES, "the command doesn't stand by itself"),
        ("COPY . .\nRUN if true; then pip install .; fi\n", FILES, "the command doesn't stand by"),
        ("COPY . .\nRUN pip install . || true\n", FILES, "the command is followed by ||"),
        ("COPY . .\nRUN make && pip install .\n", FILES, "the step runs `make` first"),
        ("COPY . .\nRUN make\nRUN pip install .\n", FILES, "line 5 can't go before line 4"),
        ("COPY . .\nUSER app\nRUN pip install .\n", FILES, "line 4 changes what line 5 runs in"),
        ("COPY . .\nARG GPU=1\nRUN pip install .\n", FILES, "line 4 sets GPU"),
        ("COPY . .\nRUN pip install -r gone.txt .\n", FILES, "gone.txt is not"),
        (
            "COPY . .\nRUN pip install .\n",
            {"setup.py": "import setuptools\nsetuptools.setup(install_requires=load())", **SOURCE},
            "setup.py computes install_requires",
        ),
        (
            "COPY . .\nRUN pip install .\n",
            {"pyproject.toml": PROJECT, **SOURCE},
            "only pip 26.2 or newer has --only-deps",
        ),
        (
            PIP + "COPY . .\nRUN pip install .\n",
            {
                "pyproject.toml": PROJECT + BACKEND.format("flit_core", "flit_core.buildapi"),
                **SOURCE,
            },
            "flit tells the dependencies of a project only with its source",
        ),
        (
            PIP + "COPY . .\nRUN pip install .\n",
            {"pyproject.toml": PROJECT + '[tool.setuptools]\npackages = ["app"]\n', **SOURCE},
            "setuptools looks for the packages that pyproject.toml names",
        ),
        (
            PIP + "COPY . .\nRUN pip install .\n",
            {
                "pyproject.toml": PROJECT
                + BACKEND.format("setuptools-scm", "setuptools.build_meta"),
                **SOURCE,
            },
            "the version of the project comes from the repository",
        ),
        ("COPY . .\nRUN uv pip install .[gpu]\n", UV, "the project has no extra gpu"),
        (
            "COPY . .\nRUN uv pip install ./app\n",
            {"app/pyproject.toml": PROJECT, "app/a.py": "", "uv.toml": ""},
            "",
        ),
        (
            "COPY . .\nWORKDIR /app/app\nRUN uv pip install .\n",
            {"app/pyproject.toml": PROJECT, "app/a.py": "", "uv.toml": ""},
            "uv reads /app/uv.toml too",
        ),
        (
            "COPY . .\nRUN uv pip install .\n",
            {"pyproject.toml": PROJECT + '[tool.uv.workspace]\nmembers = ["a"]\n', "a/b.py": ""},
            "the project is a workspace of several",
        ),
    ],
)
def test_the_finding_says_why_there_is_no_fix(
    steps: str, files: dict[str, str] | None, reason: str
) -> None:
    (one,) = found(steps, files)
    assert (one.fix is None) is bool(reason)
    assert reason in " ".join(one.notes)


@pytest.mark.parametrize(
    ("steps", "files"),
    [
        ("COPY . .\nRUN pip install --no-deps .\n", FILES),
        ("COPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .\n"
         "RUN pip install .\n", FILES),
        ("RUN pip install Flask\nCOPY . .\nRUN pip install .\n", FILES),
        ("COPY . .\nRUN uv sync\nRUN uv pip install .\n", UV),
        ("COPY pyproject.toml README.md ./\nRUN pip install .\nCOPY . .\n", FILES),
        ("RUN make r.txt\nRUN pip install -r r.txt\nCOPY . .\nRUN pip install .\n", FILES),
        ("RUN pip install -r r.txt\nCOPY . .\nRUN pip install .\n", None),
        ("ONBUILD COPY . .\nONBUILD RUN pip install .\n", FILES),
    ],
)  # fmt: skip
def test_nothing_is_said_where_the_dependencies_are_there(
    steps: str, files: dict[str, str] | None
) -> None:
    assert [one for one in found(steps, files) if "pip install" in one.message] == []


def test_what_is_put_before_the_source() -> None:
    source = "COPY . .\nRUN pip install -U -q -e .\n"
    assert fixed(source, FILES) == (
        "COPY requirements.txt .\nRUN pip install -q -r requirements.txt\n" + source
    )
    assert fixed(source, FILES, Safety.SAFE) == source
    source = (
        "COPY . .\nRUN set -e; uv pip install --system six \\\n\n  # own\n  . && rm -rf build\n"
    )
    assert fixed(source, UV, Safety.SAFE) == (
        "COPY pyproject.toml .\n"
        "RUN set -e; uv pip install --system six \\\n  -r pyproject.toml\n" + source
    )


def test_the_new_step_is_put_before_all_of_the_source() -> None:
    source = (
        "COPY pyproject.toml .\nCOPY app app\nCOPY README.md .\nRUN uv pip install --system .\n"
    )
    head, tail = source.split("COPY app", 1)
    assert fixed(source, UV, Safety.SAFE) == (
        f"{head}RUN uv pip install --system -r pyproject.toml\nCOPY app{tail}"
    )


def test_a_file_that_is_named_already_is_not_named_twice() -> None:
    source = "COPY . .\nRUN pip install . -r requirements.txt\n"
    assert fixed(source, FILES) == (
        "COPY requirements.txt .\nRUN pip install -r requirements.txt\n" + source
    )


def test_a_manifest_that_is_there_is_not_copied_again() -> None:
    source = "COPY pyproject.toml .\nRUN make\nCOPY . .\nRUN uv pip install --system .\n"
    assert fixed(source, UV, Safety.SAFE) == source.replace(
        "COPY . .", "RUN uv pip install --system -r pyproject.toml\nCOPY . ."
    )
