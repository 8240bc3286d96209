"""Which folder is the build context of a Dockerfile.

The Dockerfile does not say. A compose file may; failing that, the folder where what is copied
exists is the one. Together with ``DirectoryContext`` this is all of the model that opens files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from dfcache.model.context import MOST_BYTES, DirectoryContext
from dfcache.model.globbing import clean, is_glob, roots
from dfcache.record import record

_MANIFESTS = (
    "requirements.txt", "pyproject.toml", "setup.py", "Pipfile", "package.json", "go.mod",
    "Cargo.toml", "Gemfile", "composer.json", "pom.xml", "build.gradle",
)  # fmt: skip


@record
class FoundContext:
    """The folder taken for the context, in words why, and whether that is certain."""

    path: Path
    how: str
    sure: bool


def find_context(
    dockerfile: Path,
    root: Path | None = None,
    explicit: Path | None = None,
    sources: Sequence[str] = (),
    installed: Callable[[], Sequence[str]] = tuple,
) -> FoundContext:
    """The build context of the Dockerfile at ``dockerfile``.

    ``explicit`` is what the user says; ``root`` is where the search began, and where that for
    compose files and parent folders ends if it is in no Git repository. ``sources`` are the
    files and folders that the Dockerfile copies from its context. ``installed`` gives the files
    of it that installs read; it is asked only where ``sources`` are no more than all of it.
    """
    if explicit is not None:
        return FoundContext(explicit, "as given", True)
    own = Path(os.path.abspath(dockerfile)).parent
    folders = _upwards(own, root)
    told = _informative(sources)
    composed = _from_compose(Path(os.path.abspath(dockerfile)), folders)
    if len(composed) == 1:
        path, how = composed.popitem()
        return FoundContext(Path(path), f"as {how} says", True)
    candidates = [Path(path) for path in composed] or folders
    hits = [sum(_there(folder, source) for source in told) for folder in candidates]
    if composed:
        best = hits.index(max(hits))
        return FoundContext(candidates[best], "one of several that compose files name", False)
    if not told:
        sure = not sources or len(folders) == 1 or _has_own_manifest(own, folders[1:])
        having = [] if sure else _having(folders, installed())
        if len(having) == 1:
            return FoundContext(having[0], "the only folder with what is installed from", True)
        return FoundContext(own, "the folder of the Dockerfile", sure)
    if len(told) in hits:
        best = hits.index(len(told))
        how = "the folder of the Dockerfile" if best == 0 else "the folder above with its sources"
        return FoundContext(folders[best], how, True)
    best = hits.index(max(hits))
    # Some of what is copied is built first, so it need not exist; most of it has to.
    if best and hits[best] * 2 >= len(told):
        return FoundContext(folders[best], "the folder above with most of its sources", False)
    return FoundContext(own, "the folder of the Dockerfile", False)


def _upwards(own: Path, root: Path | None) -> list[Path]:
    """The folder and those above it, up to the Git repository's or ``root``."""
    folders = [own, *own.parents]
    for index, folder in enumerate(folders):
        if (folder / ".git").exists():
            return folders[: index + 1]
    top = Path(os.path.abspath(root)) if root is not None else own
    return folders[: folders.index(top) + 1] if top in folders else [own]


def _having(folders: Sequence[Path], names: Sequence[str]) -> list[Path]:
    """The folders that have all the files: in others, the install would fail."""
    return [each for each in folders if names and all((each / name).is_file() for name in names)]


def _has_own_manifest(own: Path, above: Sequence[Path]) -> bool:
    """Whether a manifest is in the folder, and none of its name in those above.

    Of a Dockerfile that copies all of its context, this is what an install in it can mean.
    """
    return any(
        (own / name).exists() and not any((folder / name).exists() for folder in above)
        for name in _MANIFESTS
    )


def _informative(sources: Sequence[str]) -> list[str]:
    """The sources whose presence tells something; globs only where there is nothing else.

    A glob may match nothing and the build goes on.
    """
    told = [clean(source) for source in sources if "$" not in source and "://" not in source]
    told = sorted({source for source in told if source})
    return [source for source in told if not is_glob(source)] or told


def _there(folder: Path, source: str) -> bool:
    if not is_glob(source):
        return os.path.lexists(folder / source)
    return bool(roots(DirectoryContext(folder), source))


def _from_compose(dockerfile: Path, folders: Sequence[Path]) -> dict[str, str]:
    """The contexts that compose files give the Dockerfile, each with the name of a file."""
    found: dict[str, str] = {}
    wanted = os.path.realpath(dockerfile)
    for folder in folders:
        within = dockerfile.parent.relative_to(folder).parts
        for file in _compose_files(folder):
            text = _text(file)
            if text is None or not _may_name(text, dockerfile.name, within):
                continue
            for context, name in _builds(text):
                path = os.path.normpath(folder / context)
                if os.path.realpath(os.path.join(path, name)) == wanted:
                    found.setdefault(path, file.name)
    return found


def _compose_files(folder: Path) -> Iterator[Path]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for name in names:
        if name.endswith((".yml", ".yaml")) and name.startswith(("docker-compose", "compose")):
            yield folder / name


def _may_name(text: str, name: str, within: Sequence[str]) -> bool:
    """Whether it is worth loading the parser: most compose files build something else."""
    named = name in text or name == "Dockerfile"
    return "build" in text and named and (not within or within[0] in text or ".." in text)


@lru_cache(maxsize=64)
def _builds(text: str) -> tuple[tuple[str, str], ...]:
    """The context and Dockerfile of each service that is built, as far as they are certain."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    yaml = YAML(typ="safe", pure=True)
    yaml.allow_duplicate_keys = True
    try:
        data = yaml.load(text)
    except (YAMLError, ValueError, RecursionError, AttributeError, TypeError):
        return ()
    services = data.get("services", data) if isinstance(data, dict) else {}
    if not isinstance(services, dict):
        return ()
    found = map(_build, services.values())
    return tuple(build for build in found if build is not None)


def _build(service: object) -> tuple[str, str] | None:
    build = service.get("build") if isinstance(service, dict) else None
    if isinstance(build, str):
        build = {"context": build}
    if not isinstance(build, dict) or "dockerfile_inline" in build:
        return None
    context = _interpolated(build.get("context", "."))
    name = _interpolated(build.get("dockerfile", "Dockerfile"))
    if context is None or name is None or "://" in context or context.startswith("git@"):
        return None
    return context, name


def _interpolated(value: object) -> str | None:
    """A compose value with the defaults of its variables; None where one has no default."""
    if not isinstance(value, str) or "$" not in value:
        return value if isinstance(value, str) else None
    value = re.sub(r"\$\{\w+:?-([^${}]*)\}", r"\1", value.replace("$$", "\0"))
    return None if "$" in value else value.replace("\0", "$")


def _text(path: Path) -> str | None:
    try:
        with open(path, "rb") as file:
            return file.read(MOST_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None
