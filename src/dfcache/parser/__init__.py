"""Reads Dockerfiles as BuildKit does and shell text as a shell does; never raises."""
