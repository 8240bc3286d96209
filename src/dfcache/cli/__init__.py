"""The command line: files, options, exit codes; nothing else."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run ``dfcache``. No traceback reaches a user: the last resort is one line."""
    code: object = 2
    try:
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


def _hang_up() -> int:
    """The reader of our output has gone: say nothing more, as other programs in a pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141
