"""Whether an install runs the project's own code, by what its manifest says."""

from __future__ import annotations

# What npm runs of a project by itself when it installs the dependencies.
# Source: https://docs.npmjs.com/cli/using-npm/scripts#life-cycle-operation-order
_NPM_SCRIPTS = frozenset(
    "preinstall install postinstall prepublish preprepare prepare postprepare dependencies".split()
)


WHOLE_PROJECT = "it installs the project itself"
"""What ``runs_code`` says where all of the project is read."""


def runs_code(name: str, text: str) -> str:
    """Why an install with the manifest ``name`` needs more of the project than it, or ""."""
    if name == "package.json":
        return _package_json(text)
    if name == "pyproject.toml":
        return _pyproject(text)
    return ""


def _package_json(text: str) -> str:
    import json

    try:
        data = json.loads(text)
    except ValueError:
        return "package.json can't be read"
    if not isinstance(data, dict):
        return "package.json can't be read"
    scripts = data.get("scripts")
    found = sorted(_NPM_SCRIPTS & set(scripts)) if isinstance(scripts, dict) else []
    if found:
        return f"package.json has a {found[0]} script, which may need the source"
    if "workspaces" in data:
        return "package.json has workspaces, whose manifests are read as well"
    for key in ("dependencies", "devDependencies", "optionalDependencies"):
        section = data.get(key)
        if isinstance(section, dict) and "@prisma/client" in section:
            return "@prisma/client is made from its schema when it is installed"
        values = section.values() if isinstance(section, dict) else ()
        if any(str(value).startswith(("file:", "link:", "workspace:", ".")) for value in values):
            return "package.json has local dependencies"
    return ""


def _pyproject(text: str) -> str:
    import tomllib

    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return "pyproject.toml can't be read"
    uv = data.get("tool", {}).get("uv", {})
    if "workspace" in uv or any(
        "path" in s for s in uv.get("sources", {}).values() if isinstance(s, dict)
    ):
        return "pyproject.toml has local dependencies"
    if "build-system" in data and uv.get("package") is not False:
        return WHOLE_PROJECT
    return ""
