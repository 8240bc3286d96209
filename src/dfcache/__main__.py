"""``python -m dfcache``."""

from dfcache.cli import main

if __name__ == "__main__":
    main()
