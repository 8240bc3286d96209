"""A shared mirror of the package index: what sets one up, and whether one is good for a project."""
