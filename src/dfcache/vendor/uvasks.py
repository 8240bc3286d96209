"""How uv is asked, and the lock that it answers with."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dfcache.model.requirements import normalised
from dfcache.model.target import Target
from dfcache.vendor.files import Locked
from dfcache.vendor.host import certificate, own_file
from dfcache.vendor.jobs import Indexes, Job, bare
from dfcache.vendor.metadata import Metadata
from dfcache.vendor.programs import uv

MACHINES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
"""What uv calls the processors of the platforms that it can resolve for."""
# The versions of glibc that uv knows as a platform, besides 2.17.
_GLIBC = ((2, 28), *((2, minor) for minor in range(31, 41)))
# The newest patch release is what a tag without one means.
_NEWEST_PATCH = ".99"


def platform_of(target: Target) -> str | None:
    """What uv calls a target's platform, or None where it knows none such."""
    machine = MACHINES.get(target.platform)
    if machine is None:
        return None
    if target.libc == "musl":
        return f"{machine}-unknown-linux-musl"
    fitting = [version for version in _GLIBC if version <= target.libc_version]
    major, minor = max(fitting, default=(2, 17))
    return f"{machine}-manylinux_{major}_{minor}"


def compiling(job: Job, platform: str, sources: Iterable[str]) -> list[str]:
    """The command that resolves a job, where the source is taken of ``sources``."""
    binary = {"--no-binary": dict.fromkeys((*job.no_binary, *sources))}
    if ":all:" not in job.no_binary:
        binary["--only-binary"] = {":all:": None}
    version = job.target.python + (_NEWEST_PATCH if job.target.python.count(".") == 1 else "")
    return [
        *uv(), "pip", "compile", "requirements.txt", "--constraints=constraints.txt",
        "--format=pylock.toml", "--no-header", "--no-python-downloads", "--quiet",
        "--output-file=pylock.toml", f"--python={sys.executable}",
        f"--python-version={version}", f"--python-platform={platform}",
        *(f"{option}={name}" for option, names in binary.items() for name in names),
        *(("--no-deps",) if job.no_deps else ()),
        *(("--prerelease=allow",) if job.pre else ()),
        *(("--index-strategy=unsafe-best-match",) if job.indexes.best else ()),
    ]  # fmt: skip


def environment(indexes: Indexes, built: Path | None, folder: Path) -> dict[str, str]:
    """Indexes, not on the command line: other users could read passwords there."""
    # The certificates of the system, as pip does; the latter is for older uvs.
    env = {"NO_COLOR": "1", "UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"}
    if indexes.index:
        env["UV_DEFAULT_INDEX"] = indexes.index
    if indexes.extra:
        env["UV_INDEX"] = " ".join(indexes.extra)
    links = (*indexes.links, *((str(built),) if built else ()))
    if links:
        env["UV_FIND_LINKS"] = ",".join(links)
    if indexes.trusted:
        env["UV_INSECURE_HOST"] = " ".join(indexes.trusted)
    trusted = certificate()
    if trusted:
        env["SSL_CERT_FILE"] = trusted
    if own_file() is not None:
        env["UV_CONFIG_FILE"] = str(folder / "uv.toml")
    return env


def configuration(told: Iterable[str], known: Mapping[tuple[str, str], Metadata]) -> list[str]:
    """What uv takes the packages ``told`` to depend on: nothing, or what is ``known``."""
    lines = [own_file() or ""]
    for name in told:
        lines += ["[[dependency-metadata]]", f'name = "{name}"', "requires-dist = []"]
    for (name, version), metadata in known.items():
        lines += ["[[dependency-metadata]]", f'name = "{name}"', f'version = "{version}"']
        lines += [f"requires-dist = {_array(metadata.requires)}"]
        lines += [f"provides-extra = {_array(metadata.extras)}"] if metadata.extras else []
    return lines


def locked(text: str) -> tuple[Locked, ...]:
    """The files of a pylock.toml (PEP 751)."""
    import tomllib

    found = []
    for package in tomllib.loads(text).get("packages", ()):
        wheels = package.get("wheels") or ()
        file: Any = wheels[0] if wheels else package.get("sdist") or package.get("archive")
        if file is None:
            continue
        url = file.get("url") or Path(file.get("path", "")).as_uri()
        found.append(
            Locked(
                normalised(package["name"]),
                str(package.get("version", "")),
                bare(url),
                file.get("hashes", {}).get("sha256", ""),
                file.get("size"),
            )
        )
    return tuple(found)


def _array(values: Sequence[str]) -> str:
    import json

    return json.dumps(list(values), ensure_ascii=False)
