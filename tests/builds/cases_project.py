"""Dependencies of a project in a step of their own, in front of its source."""

from __future__ import annotations

from lab.cases import Bump, Case
from parts import BETA

# Its backend is its own, so that building it downloads nothing.
_PROJECT = """\
[build-system]
requires = []
build-backend = "own"
backend-path = ["."]

[project]
name = "service"
version = "1.0"
dependencies = ["lab-alpha==1.0", "lab-beta==1.0"]
optional-dependencies = {bulk = ["lab-bulk==1.0"]}
"""
_BACKEND = """\
import tomllib
import zipfile


def build_wheel(folder, config_settings=None, metadata_directory=None):
    project = tomllib.load(open("pyproject.toml", "rb"))["project"]
    lines = ["Metadata-Version: 2.1", "Name: service", "Version: 1.0", "Provides-Extra: bulk"]
    lines += ["Requires-Dist: " + line for line in project["dependencies"]]
    lines += ["Requires-Dist: lab-bulk==1.0; extra == 'bulk'"]
    kind = "Wheel-Version: 1.0\\nGenerator: own\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    info = "service-1.0.dist-info/"
    with zipfile.ZipFile(folder + "/service-1.0-py3-none-any.whl", "w") as made:
        made.writestr("app.py", open("app.py").read())
        made.writestr(info + "METADATA", "\\n".join(lines) + "\\n")
        made.writestr(info + "WHEEL", kind)
        made.writestr(info + "RECORD", "")
    return "service-1.0-py3-none-any.whl"
"""
_FILES = {"app.py": "print('first')\n", "own.py": _BACKEND, "pyproject.toml": _PROJECT}
_BUMP = Bump(
    frozenset({BETA}), files={"pyproject.toml": _PROJECT.replace("beta==1.0", "beta==1.1")}
)
# uv notes there when the files of the project were made, which no two builds agree on.
_NOTED = tuple(
    f"/usr/{place}/service-1.0.dist-info"
    for place in ("local/lib/python3.11/dist-packages", "lib/python3/dist-packages")
)

PROJECT = (
    Case(
        name="uv-dependencies-of-a-project-first",
        dockerfile="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN uv pip install --system --no-cache ".[bulk]"
""",
        install='--system ".[bulk]"',
        files=_FILES,
        bump=_BUMP,
        caches=_NOTED,
        reruns=True,
        lane=True,
    ),
    Case(
        name="uv-dependencies-first-from-another-folder",
        dockerfile="""\
FROM python:3.11-slim
COPY . /srv/app
WORKDIR /srv/app
RUN uv pip install --system --no-cache --upgrade . && rm -rf build
""",
        install="--upgrade .",
        files=_FILES,
        bump=_BUMP,
        caches=_NOTED,
        reruns=True,
    ),
)
