"""What installing a local project asks for: its dependencies, extras, and what builds it.

Everything is read from the manifests; where only a run of the build would tell, the answer is the
reason, as a sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dfcache.model.projects import Project
from dfcache.model.requirements import Requirement, normalised, parse_requirement
from dfcache.record import replace


def requirements_of(project: Project, extras: Iterable[str] = ()) -> tuple[Requirement, ...] | str:
    """What ``pip install`` of the project with ``extras`` asks for, or why that can't be told.

    Their ``file`` is the manifest that declares the project. Markers are not evaluated. An extra
    that the project doesn't have adds nothing, as pip has it; extras of its own are followed
    (``all = ["app[db,web]"]``).
    """
    if project.unsure and not project.installable:
        return project.unsure[0]
    if not project.installable:
        return f"{project.folder or 'the folder'} holds no project"
    if project.dependencies is None:
        return project.unknown.get("", "the build declares the dependencies")
    lines: dict[str, None] = dict.fromkeys(project.dependencies)
    names = {normalised(name): name for name in project.extras}
    wanted = [normalised(extra) for extra in extras]
    done: set[str] = set()
    while wanted:
        extra = wanted.pop(0)
        if extra in done:
            continue
        done.add(extra)
        reason = _unknown(project, extra, known=extra in names)
        if reason:
            return reason
        for line in project.extras.get(names.get(extra, ""), ()):
            own = parse_requirement(line)
            if own is not None and own.name and own.name == normalised(project.name):
                wanted += [normalised(each) for each in own.extras]
            else:
                lines[line] = None
    return _parsed(lines, project)


def build_requirements_of(project: Project) -> tuple[Requirement, ...] | str:
    """What must be there to build the project, or why that can't be told."""
    return _parsed(project.build_requires, project)


def group_requirements_of(project: Project, group: str) -> tuple[Requirement, ...] | str:
    """What a dependency group of the project asks for, or why that can't be told."""
    names = {normalised(name): name for name in project.dependency_groups}
    if normalised(group) not in names:
        return f"{project.folder or 'the project'} has no group {group}"
    return _parsed(project.dependency_groups[names[normalised(group)]], project)


def _unknown(project: Project, extra: str, known: bool) -> str:
    named = {normalised(name): reason for name, reason in project.unknown.items() if name}
    if extra in named:
        return named[extra]
    return "" if known else project.unknown.get("*", "")


def _parsed(lines: Iterable[str], project: Project) -> tuple[Requirement, ...] | str:
    file = project.manifests[0] if project.manifests else ""
    found: list[Requirement] = []
    for line in lines:
        entry = parse_requirement(line)
        if entry is None:
            return f"{file}: {line!r} is no requirement"
        found.append(replace(entry, file=file))
    return tuple(found)


def sources_of(project: Project, extras: Sequence[str]) -> tuple[str, ...]:
    """The requirements files that all of ``requirements_of`` comes from, or none."""
    keys = [""]
    names = {normalised(name): name for name in project.extras}
    for extra in extras:
        name = names.get(normalised(extra))
        if name is not None and project.extras[name]:
            keys.append(name)
    found: dict[str, None] = {}
    for key in keys:
        lines = project.extras[key] if key else project.dependencies
        if not lines:
            continue
        files = project.sources.get(key)
        if not files:
            return ()
        found.update(dict.fromkeys(files))
    return tuple(found)
