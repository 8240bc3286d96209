"""What dfcache knows: the pages of its rules, package managers, base images."""

from dfcache.knowledge.loader import KnowledgeError, load, page, tools_for
from dfcache.knowledge.matching import find_image

__all__ = ["KnowledgeError", "find_image", "load", "page", "tools_for"]
