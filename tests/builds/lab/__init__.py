"""A laboratory that builds real images with a real BuildKit, without any public service.

`engine` finds or starts a Docker engine, `images` makes the base images, `index` serves
packages from memory and counts what is asked of it, `builds` runs builds and says which
steps ran, `filesystem` reads the files of a finished image.
"""
