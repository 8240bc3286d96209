"""Small projects in the shapes that real ones have, for benchmarks/rebuild.py.

``advised`` is the Dockerfile after what hadolint says about the original was followed by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lab.index import PORT, npm_lock

_REQUIREMENTS = "lab-alpha==1.0\nlab-beta==1.0\nlab-bulk==1.0\n"
_BUMPED = _REQUIREMENTS.replace("beta==1.0", "beta==1.1")


@dataclass(frozen=True, slots=True)
class Project:
    """A project; ``bump`` holds the files that change with one requirement."""

    name: str
    original: str
    advised: str
    files: Mapping[str, str]
    bump: Mapping[str, str]
    edit: str = "app.py"


def _node(left: str) -> dict[str, str]:
    wanted = [("lab-left", left), ("lab-right", "1.0.0")]
    listed = ", ".join(f'"{name}": "{version}"' for name, version in wanted)
    return {
        "package.json": f'{{"name": "app", "version": "1.0.0", "dependencies": {{{listed}}}}}\n',
        "package-lock.json": npm_lock("app", "1.0.0", wanted, f"http://127.0.0.1:{PORT}"),
    }


PROJECTS = (
    Project(
        name="pip",
        original="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install -r requirements.txt
CMD ["python", "app.py"]
""",
        advised="""\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -r requirements.txt
CMD ["python", "app.py"]
""",
        files={"app.py": "", "requirements.txt": _REQUIREMENTS},
        bump={"requirements.txt": _BUMPED},
    ),
    Project(
        name="pip, files that include others",
        original="""\
FROM python:3.11-slim
ENV PYTHONUNBUFFERED=1
WORKDIR /srv
COPY . /srv/
RUN pip install --upgrade -r requirements/production.txt
CMD ["python", "-m", "shop"]
""",
        advised="""\
FROM python:3.11-slim
ENV PYTHONUNBUFFERED=1
WORKDIR /srv
COPY . /srv/
RUN pip install --no-cache-dir --upgrade -r requirements/production.txt
CMD ["python", "-m", "shop"]
""",
        files={
            "shop/__main__.py": "",
            "requirements/production.txt": "-r base.txt\n-c constraints.txt\nlab-bulk==1.0\n",
            "requirements/base.txt": "lab-alpha\nlab-beta\n",
            "requirements/constraints.txt": "lab-alpha==1.0\nlab-beta==1.0\n",
        },
        bump={"requirements/constraints.txt": "lab-alpha==1.0\nlab-beta==1.1\n"},
        edit="shop/__main__.py",
    ),
    Project(
        name="pip, as a user",
        original="""\
FROM python:3.11-slim
RUN useradd --create-home --uid 1000 app
USER app
WORKDIR /home/app/src
COPY --chown=app:app . .
RUN pip install --user -r requirements.txt
CMD ["python", "app.py"]
""",
        advised="""\
FROM python:3.11-slim
RUN useradd --create-home --uid 1000 app
USER 1000
WORKDIR /home/app/src
COPY --chown=app:app . .
RUN pip install --no-cache-dir --user -r requirements.txt
CMD ["python", "app.py"]
""",
        files={"app.py": "", "requirements.txt": _REQUIREMENTS},
        bump={"requirements.txt": _BUMPED},
    ),
    Project(
        name="apt and pip in one step",
        original="""\
FROM python:3.11-slim
WORKDIR /app
COPY . /app
RUN apt-get update && apt-get install -y lab-tool lab-heavy \\
 && pip install -r requirements.txt
CMD ["python", "app.py"]
""",
        advised="""\
FROM python:3.11-slim
WORKDIR /app
COPY . /app
RUN apt-get update && apt-get install -y --no-install-recommends lab-tool=1.0 lab-heavy=1.0 \\
 && rm -rf /var/lib/apt/lists/* \\
 && pip install --no-cache-dir -r requirements.txt
CMD ["python", "app.py"]
""",
        files={"app.py": "", "requirements.txt": _REQUIREMENTS},
        bump={"requirements.txt": _BUMPED},
    ),
    Project(
        name="pip, a venv from another stage",
        original="""\
FROM python:3.11-slim AS build
WORKDIR /src
COPY . .
RUN python -m venv /venv && /venv/bin/pip install -r requirements.txt

FROM python:3.11-slim
COPY --from=build /venv /venv
COPY app.py /app/
CMD ["/venv/bin/python", "/app/app.py"]
""",
        advised="""\
FROM python:3.11-slim AS build
WORKDIR /src
COPY . .
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir -r requirements.txt

FROM python:3.11-slim
COPY --from=build /venv /venv
COPY app.py /app/
CMD ["/venv/bin/python", "/app/app.py"]
""",
        files={"app.py": "", "requirements.txt": _REQUIREMENTS},
        bump={"requirements.txt": _BUMPED},
    ),
    Project(
        name="npm",
        original="""\
FROM node:20-slim
WORKDIR /app
COPY . .
RUN npm ci
CMD ["node", "server.js"]
""",
        advised="""\
FROM node:20-slim
WORKDIR /app
COPY . .
RUN npm ci
CMD ["node", "server.js"]
""",
        files={"server.js": "", **_node("1.0.0")},
        bump=_node("1.1.0"),
        edit="server.js",
    ),
)
