"""What came of checking a folder of packages, for people and for programs."""

from __future__ import annotations

from dfcache.model.target import target_text
from dfcache.reporters.printable import printable
from dfcache.vendor.audit import Audit, Fault


def text(audit: Audit, folder: str, command: str, notes: bool = True) -> str:
    """A line for each fault; ``command`` is what mends those that can be mended so."""
    lines = [_line(fault, folder, command) for fault in audit.faults if notes or fault.error]
    count = sum(fault.error for fault in audit.faults)
    if count:
        lines.append(f"{folder}: {count} problem{'' if count == 1 else 's'}")
    elif notes:
        lines.append(_good(audit, folder))
    return "".join(f"{printable(line)}\n" for line in lines)


def _line(fault: Fault, folder: str, command: str) -> str:
    if not fault.error:
        return f"{folder}: note: {fault.message}"
    return f"{folder}: {fault.message}{f'; run {command}' if fault.mends else ''}"


def _good(audit: Audit, folder: str) -> str:
    if not audit.targets:
        return f"{folder}: nothing is installed with pip or uv pip"
    count = f"{len(audit.needed)} file{'' if len(audit.needed) == 1 else 's'}"
    targets = " and ".join(target_text(target) for target in audit.targets)
    doubt = "" if audit.sure else " that could be told"
    return f"{folder} holds all{doubt} that is installed: {count}, for {targets}"


def json_text(audit: Audit, folder: str, notes: tuple[str, ...]) -> str:
    """One JSON document of version 1."""
    import json

    document = {
        "version": 1,
        "folder": folder,
        "good": audit.good,
        "complete": audit.sure,
        "targets": [target_text(target) for target in audit.targets],
        "needed": sorted(audit.needed),
        "faults": [
            {
                "level": "error" if fault.error else "note",
                "kind": fault.kind,
                "package": fault.package or None,
                "file": fault.file or None,
                "message": fault.message,
                "mended_by_vendor": fault.error and fault.mends,
            }
            for fault in audit.faults
        ],
        "notes": list(notes),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
