"""Reads Dockerfiles as BuildKit does and shell text as a shell does; never raises."""

from dfcache.parser.scripts import script

__all__ = ["script"]
