"""What dfcache knows: the pages of its rules, package managers, base images."""

from dfcache.knowledge.loader import KnowledgeError, load, page, tools_for
from dfcache.knowledge.matching import find_architecture, find_image, find_python, find_system

__all__ = [
    "KnowledgeError",
    "find_architecture",
    "find_image",
    "find_python",
    "find_system",
    "load",
    "page",
    "tools_for",
]
