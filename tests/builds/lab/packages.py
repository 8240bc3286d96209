"""Tiny packages made in memory: wheels, source distributions, .debs and npm tarballs.

The same call gives the same bytes, so that two builds that ask at different times agree.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import random
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

_EPOCH = 1_577_836_800  # 2020-01-01, a time that zip files can hold

_WHEEL = b"Wheel-Version: 1.0\nGenerator: lab\nRoot-Is-Purelib: true\nTag: %s\n"
_ANY = "py3-none-any"

# A build backend that lies in the source distribution itself, so that building it
# downloads nothing (PEP 517, "in-tree build backends"). Like one that compiles, it makes a
# wheel for the system it runs on, with a tag that says nothing of the C library.
_BACKEND = """\
import base64, hashlib, pathlib, platform, zipfile


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    here = pathlib.Path(__file__).parent
    system = platform.freedesktop_os_release()["ID"]
    tag = "py3-none-linux_" + platform.machine()
    files = {{
        "{module}.py": (here / "{module}.py").read_bytes() + f"BUILT_ON = {{system!r}}\\n".encode()
    }}
    info = "{module}-{version}.dist-info/"
    files[info + "METADATA"] = (here / "PKG-INFO").read_bytes()
    files[info + "WHEEL"] = (here / "WHEEL").read_bytes().replace(b"py3-none-any", tag.encode())
    record = "".join(
        "%s,sha256=%s,%d\\n"
        % (name, base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode()[:43], len(data))
        for name, data in files.items()
    )
    files[info + "RECORD"] = (record + info + "RECORD,,\\n").encode()
    name = "{module}-{version}-" + tag + ".whl"
    with zipfile.ZipFile(pathlib.Path(wheel_directory) / name, "w") as wheel:
        for path, data in files.items():
            wheel.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), data)
    return name
"""


@dataclass(frozen=True, slots=True)
class Package:
    """A package as an index offers it. `bulk` is a number of incompressible bytes it carries.

    `tag` says what a wheel fits (PEP 425), `extras` names what `requires` has markers for.
    """

    name: str
    version: str
    requires: tuple[str, ...] = ()
    bulk: int = 0
    source: bool = False
    tag: str = _ANY
    extras: tuple[str, ...] = ()

    @property
    def module(self) -> str:
        return self.name.replace("-", "_")


def payload(package: Package) -> bytes:
    return random.Random(f"{package.name} {package.version}").randbytes(package.bulk)


def _code(package: Package) -> bytes:
    return f'VERSION = "{package.version}"\n'.encode()


def metadata(package: Package) -> bytes:
    """A package's core metadata."""
    lines = ["Metadata-Version: 2.1", f"Name: {package.name}", f"Version: {package.version}"]
    lines += [f"Requires-Dist: {requirement}" for requirement in package.requires]
    lines += [f"Provides-Extra: {extra}" for extra in package.extras]
    return ("\n".join(lines) + "\n").encode()


def wheel(package: Package) -> tuple[str, bytes]:
    """The file name and the bytes of a wheel (the binary distribution format, PEP 427)."""
    info = f"{package.module}-{package.version}.dist-info/"
    files = {f"{package.module}.py": _code(package)}
    if package.bulk:
        files[f"{package.module}.bin"] = payload(package)
    files[info + "METADATA"] = metadata(package)
    files[info + "WHEEL"] = _WHEEL % package.tag.encode()
    record = ""
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(data)}\n"
    files[info + "RECORD"] = (record + info + "RECORD,,\n").encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, data in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), data)
    return f"{package.module}-{package.version}-{package.tag}.whl", out.getvalue()


def sdist(package: Package) -> tuple[str, bytes]:
    """The file name and the bytes of a source distribution that needs nothing to be built."""
    top = f"{package.module}-{package.version}"
    files = {
        f"{top}/PKG-INFO": metadata(package),
        f"{top}/WHEEL": _WHEEL % _ANY.encode(),
        f"{top}/pyproject.toml": (
            b'[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        ),
        f"{top}/backend.py": _BACKEND.format(
            module=package.module, version=package.version
        ).encode(),
        f"{top}/{package.module}.py": _code(package),
    }
    return f"{top}.tar.gz", _tar(files)


def deb(package: Package) -> tuple[str, bytes]:
    """The file name and the bytes of a binary Debian package, deb(5)."""
    control = (
        f"Package: {package.name}\nVersion: {package.version}\nArchitecture: all\n"
        "Maintainer: Lab <lab@example.org>\n"
        + (f"Depends: {', '.join(package.requires)}\n" if package.requires else "")
        + "Description: a package of the laboratory\n"
    )
    where = f"./usr/share/{package.name}/"
    data = {where + "version": f"{package.version}\n".encode()}
    if package.bulk:
        data[where + "bulk"] = payload(package)
    members = {
        "debian-binary": b"2.0\n",
        "control.tar.gz": _tar({"./control": control.encode()}),
        "data.tar.gz": _tar(data),
    }
    out = b"!<arch>\n"
    for name, body in members.items():
        header = f"{name:<16}{_EPOCH:<12}{0:<6}{0:<6}{'100644':<8}{len(body):<10}`\n"
        out += header.encode() + body + (b"\n" if len(body) % 2 else b"")
    return f"{package.name}_{package.version}_all.deb", out


def deb_control(package: Package, path: str, body: bytes) -> str:
    """The package's paragraph in a Packages index."""
    depends = f"Depends: {', '.join(package.requires)}\n" if package.requires else ""
    return (
        f"Package: {package.name}\nVersion: {package.version}\nArchitecture: all\n"
        f"Maintainer: Lab <lab@example.org>\n{depends}Filename: {path}\nSize: {len(body)}\n"
        f"SHA256: {hashlib.sha256(body).hexdigest()}\n"
        "Description: a package of the laboratory\n\n"
    )


def npm_tarball(package: Package) -> tuple[str, bytes]:
    """The file name and the bytes of an npm package."""
    import json

    manifest = {
        "name": package.name,
        "version": package.version,
        "main": "index.js",
        "dependencies": npm_requires(package),
    }
    files = {
        "package/package.json": json.dumps(manifest).encode(),
        "package/index.js": f'module.exports = "{package.version}";\n'.encode(),
    }
    if package.bulk:
        files["package/bulk.bin"] = payload(package)
    return f"{package.name}-{package.version}.tgz", _tar(files)


def npm_requires(package: Package) -> dict[str, str]:
    return dict(requirement.split("@", 1) for requirement in package.requires)


def _tar(files: Mapping[str, bytes]) -> bytes:
    plain = io.BytesIO()
    folders: set[str] = set()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path, data in files.items():
            parts = path.split("/")[:-1]
            for depth in range(1, len(parts) + 1):
                folder = "/".join(parts[:depth])
                if folder not in folders and folder != ".":
                    folders.add(folder)
                    entry = tarfile.TarInfo(folder)
                    entry.type, entry.mode, entry.mtime = tarfile.DIRTYPE, 0o755, _EPOCH
                    archive.addfile(entry)
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode, entry.mtime = len(data), 0o644, _EPOCH
            archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(plain.getvalue(), mtime=0)
