"""The command line: files, options, exit codes; nothing else."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run ``dfcache``. No traceback reaches a user: the last resort is one line."""
    code: object = 2
    try:
        done = _plain(sys.argv[1:])
        if done is not None:
            code = done
        else:
            from dfcache.cli.app import app

            app(prog_name="dfcache")
    except SystemExit as leaving:
        code = leaving.code
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        code = _hang_up()
    except Exception as error:
        from dfcache.engine.run import bug

        print(f"dfcache: {bug(error)}", file=sys.stderr)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = _hang_up()
    sys.exit(code if isinstance(code, int) else 0 if code is None else 2)


def _plain(words: list[str]) -> int | None:
    """Run ``check PATHS`` and ``fix --write PATHS`` without typer, which takes 60 ms to load.

    These are what a hook runs at every commit. None for all other command lines.
    """
    command, paths = words[:1], words[1:]
    write = command == ["fix"] and paths[:1] == ["--write"]
    if write:
        paths = paths[1:]
    if (command != ["check"] and not write) or any(path.startswith("-") for path in paths):
        return None
    from dfcache.cli.work import Request, run_check, run_fix

    request = Request(tuple(paths))
    return run_fix(request, write=True, unsafe=False) if write else run_check(request)


def _hang_up() -> int:
    """The reader of our output has gone: say nothing more, as other programs in a pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141
