"""Puts what is in ``rules/`` into the wheel, as one JSON file.

A wheel then needs no YAML parser to start. An editable install reads the folder itself,
so that a rule is in force as soon as it is saved.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class RulesHook(BuildHookInterface):  # type: ignore[type-arg]
    """Compiles the rules when a wheel is built."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the compiled rules to the files of the wheel, unless it is an editable one."""
        if self.target_name != "wheel" or version == "editable":
            return
        root = Path(self.root)
        sys.path.insert(0, str(root / "src"))
        try:
            from dfcache.knowledge.compiling import compile_folder

            rules = compile_folder(root / "rules")
        finally:
            sys.path.remove(str(root / "src"))
        with tempfile.NamedTemporaryFile(
            "w", suffix=".json", delete=False, encoding="utf-8"
        ) as file:
            json.dump(rules, file, ensure_ascii=False, separators=(",", ":"))
        self.compiled = Path(file.name)
        self.compiled.chmod(0o644)
        build_data["force_include"][file.name] = "dfcache/knowledge/rules.json"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the file again once it is in the wheel."""
        compiled = getattr(self, "compiled", None)
        if compiled is not None:
            compiled.unlink()
