"""A file fetched by pip: from servers that want more than a password in the address.

pip knows keyrings, .netrc files, client certificates and the system's trust store; but it keeps
nothing of a file whose download is given up.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from dfcache.vendor.files import Locked
from dfcache.vendor.jobs import Indexes
from dfcache.vendor.programs import pip, run


def download(file: Locked, to: Path, indexes: Indexes) -> None:
    """Have pip fetch a wheel, as ``to``. Raises OSError where it can't."""
    command = pip()
    if command is None:
        raise OSError("the server asks for more than dfcache can give it, and there is no pip")
    if file.source:
        # pip would run the package's own code here, to learn its name.
        raise OSError("the server asks for more than dfcache can give it")
    env = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    for name, value in (
        ("PIP_INDEX_URL", indexes.index or ""),
        ("PIP_EXTRA_INDEX_URL", " ".join(indexes.extra)),
        ("PIP_TRUSTED_HOST", " ".join(indexes.trusted)),
    ):
        if value:
            env[name] = value
    with tempfile.TemporaryDirectory(prefix="dfcache-") as folder:
        hashed = f" --hash=sha256:{file.sha256}" if file.sha256 else ""
        Path(folder, "file.txt").write_text(f"{file.name} @ {file.url}{hashed}\n", "utf-8")
        ran = run(
            (*command, "download", "--quiet", "--no-deps", "--only-binary=:all:",
             *_tags(file.file), f"--dest={folder}", "-r", "file.txt"),
            env, folder,
        )  # fmt: skip
        got = Path(folder, file.file)
        if ran.code != 0 or not got.is_file():
            said = [line for line in ran.err.split("\n") if line.startswith("ERROR: ")]
            raise OSError((said or ["pip download failed"])[0].removeprefix("ERROR: "))
        shutil.move(got, to)


def _tags(wheel: str) -> list[str]:
    """The options that make pip take a wheel, whatever it runs on."""
    python, abi, platform = wheel.removesuffix(".whl").rsplit("-", 3)[1:]
    version = python.split(".")[-1]
    return [
        f"--implementation={version[:2]}",
        f"--python-version={version[2:]}",
        f"--abi={abi.split('.')[0]}",
        *(f"--platform={each}" for each in platform.split(".")),
    ]
