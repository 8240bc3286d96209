"""dfcache finds where a Docker build throws its downloads away, and mends it."""

__version__ = "0.1.0"
