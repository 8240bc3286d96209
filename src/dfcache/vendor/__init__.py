"""A folder of the packages that a build installs, for builds without a network."""
