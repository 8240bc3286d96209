"""The base images of the cases, made here and named as the public ones they stand for.

The engine keeps them under `dfcache-lab/`; builds are given them in place of `debian:bookworm`
and so on (`builds.py`), so that nobody's own images are touched. Differences from the public
ones, none of which changes what a package manager downloads or keeps: Python is Debian's 3.11
in a virtual environment at /usr/local, which `pip` as root and as others may install into as
in the public image; documentation is left out; every package manager is set to ask the
laboratory's index. Alpine's packages are in no registry that the laboratory may count on, so
what stands for it is the Debian one that says of itself that it is Alpine.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from lab.engine import Engine
from lab.machine import NoLab, bootstrap, debian_mirror, lab_folder, may_bootstrap, run

PREFIX = "dfcache-lab/"

# What the public debian image adds to a minimal system. The two hooks are why packages are
# not kept: they delete what apt downloaded after each run of dpkg and each update.
_CLEAN = (
    "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb"
    " /var/cache/apt/*.bin || true"
)
APT_CONF = {
    "docker-clean": (
        f'DPkg::Post-Invoke {{ "{_CLEAN}"; }};\n'
        f'APT::Update::Post-Invoke {{ "{_CLEAN}"; }};\n'
        'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n'
    ),
    "docker-gzip-indexes": 'Acquire::GzipIndexes "true";\n',
    "docker-no-languages": 'Acquire::Languages "none";\n',
    "docker-autoremove-suggests": 'Apt::AutoRemove::SuggestsImportant "false";\n',
}

# The tools that are not Debian's: the versions the public images carry.
_WHEELS = ("pip==24.0", "setuptools==65.5.1", "wheel==0.44.0", "uv==0.5.9")
_NPM = "npm@10.8.2"

_DOCKERFILE = """\
FROM {root} AS root
RUN printf 'deb {mirror} bookworm main\\n' > /etc/apt/sources.list \\
 && rm -rf /etc/apt/sources.list.d/* /usr/share/doc/* /usr/share/man/* /usr/share/locale/* \\
 && printf 'path-exclude /usr/share/%s/*\\n' doc man locale > /etc/dpkg/dpkg.cfg.d/lab \\
 && apt-get update \\
 && apt-get install -y --no-install-recommends adduser ca-certificates

FROM root AS python-tools
RUN DEBIAN_FRONTEND=noninteractive \\
    apt-get install -y --no-install-recommends python3 python3-venv \\
 && rm /usr/lib/python3.11/EXTERNALLY-MANAGED
RUN --mount=type=bind,source=wheels,target=/wheels \\
    python3 -m venv --copies --system-site-packages /usr/local \\
 && /usr/local/bin/python -m pip install --no-cache-dir --no-index --find-links=/wheels \\
    --no-compile --upgrade {wheels} \\
 && rm -rf /root/.cache
COPY pip.conf /etc/pip.conf
COPY uv.toml /etc/uv/uv.toml

FROM python-tools AS alpine-tools
RUN printf 'ID=alpine\\nVERSION_ID=3.20.0\\n' > /usr/lib/os-release \\
 && ln -sf ../usr/lib/os-release /etc/os-release

FROM root AS node-tools
RUN DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends nodejs
RUN --mount=type=bind,source=npm,target=/npm \\
    mkdir -p /usr/local/lib/node_modules/npm \\
 && tar -C /usr/local/lib/node_modules/npm --strip-components=1 --no-same-owner -xf /npm/npm.tgz \\
 && ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \\
 && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx \\
 && groupadd --gid 1000 node \\
 && useradd --uid 1000 --gid node --shell /bin/bash --create-home node
COPY npmrc /usr/local/etc/npmrc

FROM {{from}} AS {{stage}}
RUN apt-get clean \\
 && rm -rf /var/cache/apt/*.bin /var/log/* \\
 && find /var/lib/apt/lists -type f -delete
COPY apt.conf.d /etc/apt/apt.conf.d
RUN printf 'deb [trusted=yes] {url}/debian lab main\\n' > /etc/apt/sources.list
ENV LANG=C.UTF-8
"""

# Image -> the stage it is finished from.
_STAGES = {
    "debian": "root",
    "python": "python-tools",
    "alpine": "alpine-tools",
    "node": "node-tools",
}

# Public name -> the stage that stands for it.
STANDS_FOR = {
    "debian:bookworm": "debian",
    "debian:bookworm-slim": "debian",
    "python:3.11": "python",
    "python:3.11-slim": "python",
    "python:3.11-alpine": "alpine",
    "node:20": "node",
    "node:20-slim": "node",
}


def make(engine: Engine, url: str) -> Mapping[str, str]:
    """Make what is missing; the public names and the images that stand for them.

    The images are tagged by a digest of their recipe, so that a changed recipe or another
    address of the index gives new ones.
    """
    recipe = _DOCKERFILE.format(
        root=PREFIX + "root:bookworm",
        mirror=debian_mirror(),
        url=url,
        wheels=" ".join(_WHEELS),
    )
    files = (
        {
            stage: recipe.replace("{from}", made_from).replace("{stage}", stage)
            for stage, made_from in _STAGES.items()
        }
        | {
            "pip.conf": (
                f"[global]\nindex-url = {url}/simple/\ntrusted-host = 127.0.0.1\n"
                "disable-pip-version-check = true\n"
            ),
            "uv.toml": f'index-url = "{url}/simple/"\n',
            "npmrc": f"registry={url}/npm/\naudit=false\nfund=false\nupdate-notifier=false\n",
        }
        | {f"apt.conf.d/{name}": text for name, text in APT_CONF.items()}
    )
    digest = hashlib.sha256(repr([*sorted(files.items()), _NPM]).encode()).hexdigest()[:12]
    made = {stage: f"{PREFIX}{stage}:{digest}" for stage in _STAGES}
    missing = [stage for stage, tag in made.items() if not _has(engine, tag)]
    if missing:
        _root(engine)
        with tempfile.TemporaryDirectory() as name:
            context = Path(name)
            for path, text in files.items():
                (context / path).parent.mkdir(parents=True, exist_ok=True)
                (context / path).write_text(text)
            _tools(context)
            for stage in missing:
                engine(
                    *("buildx", "build", "--load", "--network=host"),
                    *(f"--file={context / stage}", f"--tag={made[stage]}", name),
                )
    return {public: made[stage] for public, stage in STANDS_FOR.items()}


def _has(engine: Engine, tag: str) -> bool:
    try:
        engine("image", "inspect", "--format", "{{.Id}}", tag)
    except NoLab:
        return False
    return True


def _root(engine: Engine) -> None:
    """A minimal Debian under our own name: the public image where it is to be had."""
    tag = PREFIX + "root:bookworm"
    if _has(engine, tag):
        return
    if not engine.own:
        try:
            engine("pull", "--quiet", "debian:bookworm-slim")
            engine("tag", "debian:bookworm-slim", tag)
        except NoLab:
            if not may_bootstrap():
                raise
        else:
            return
    folder = lab_folder() / "bookworm"
    bootstrap("bookworm", folder)
    packed = subprocess.Popen(
        ["tar", "-C", str(folder), "--exclude=./proc/*", "--exclude=./sys/*", "-c", "."],
        stdout=subprocess.PIPE,
    )
    taken = subprocess.run(
        [engine.docker, "import", "-", tag],
        stdin=packed.stdout,
        stdout=subprocess.DEVNULL,
        env={**os.environ, **engine.env},
        check=False,
    )
    if packed.wait() != 0 or taken.returncode != 0:
        raise NoLab("the minimal Debian system could not be imported")


def _tools(context: Path) -> None:
    """pip, uv and npm, fetched by this machine's own clients as they are set up."""
    wheels, npm = context / "wheels", context / "npm"
    wheels.mkdir()
    npm.mkdir()
    run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
            *("--only-binary=:all:", "--python-version=3.11", "--dest", wheels, *_WHEELS),
        ]
    )
    packed = run(["npm", "pack", "--silent", "--pack-destination", npm, _NPM])
    (npm / packed.strip().split("\n")[-1]).rename(npm / "npm.tgz")
