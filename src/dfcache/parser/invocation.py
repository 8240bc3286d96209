"""Commands that run other commands: ``sudo pip …``, ``sh -c '…'``, ``su user -c '…'``.

Everything here works on the words of a command without their quotes.
"""

from __future__ import annotations

from collections.abc import Sequence

SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh"})

STDIN = -1
"""In the place of a word's index: the script comes through standard input."""

# The options of each that take a value, and how many operands stand before the command.
_RUNNERS: dict[str, tuple[frozenset[str], int]] = {
    name: (frozenset(options.split()), operands)
    for name, options, operands in (
        ("sudo", "-u -g -h -p -C -r -t -U -D -R -T --user --group --host --chdir", 0),
        ("env", "-u -C --unset --chdir", 0),
        ("exec", "-a", 0),
        ("command", "", 0),
        ("nohup", "", 0),
        ("setsid", "", 0),
        ("nice", "-n --adjustment", 0),
        ("ionice", "-c -n --class --classdata", 0),
        ("timeout", "-k -s --kill-after --signal", 1),
        ("stdbuf", "-i -o -e", 0),
        ("time", "-f -o", 0),
        ("xvfb-run", "-e -f -n -p -s -w", 0),
        ("runuser", "-u -g -G", 0),
        ("setpriv", "", 0),
        ("gosu", "", 1),
        ("su-exec", "", 1),
        ("conda", "-n -p --name --prefix --cwd", 1),
        ("mamba", "-n -p --name --prefix --cwd", 1),
        ("micromamba", "-n -p -r --name --prefix --root-prefix --cwd", 1),
    )
}
CANDIDATES = SHELLS | _RUNNERS.keys() | {"su", "eval"}
"""The programs that may run a script; all others can be passed over."""

_RUN_ONLY = frozenset({"conda", "mamba", "micromamba"})
_OTHER_USER = frozenset({"su", "runuser", "sudo", "gosu", "su-exec", "setpriv"})
_SHELL_VALUES = frozenset({"--rcfile", "--init-file"})


def program(path: str) -> str:
    """The last part of a program's path, in lower case and without ``.exe``."""
    return path.replace("\\", "/").rpartition("/")[2].lower().removesuffix(".exe")


def program_index(words: Sequence[str]) -> int | None:
    """Where the program stands that really runs: behind ``sudo``, ``env A=b``, ``timeout 9`` ….

    0 where nothing is wrapped around it; None where there is only the wrapper.
    """
    at = 0
    while at < len(words):
        runner = _RUNNERS.get(program(words[at]))
        following = words[at + 1] if at + 1 < len(words) else ""
        if runner is None or (program(words[at]) in _RUN_ONLY and following != "run"):
            return at
        at = _skip(words, at + 1, *runner)
    return None


def nested_script(words: Sequence[str]) -> tuple[int, tuple[str, ...]] | None:
    """The index of the word that is a script (or STDIN), and the context it runs in.

    The context is ("shell",), after "user" where it may run as another user. None for
    commands that run no script.
    """
    start = program_index(words)
    if start is None:
        return None
    name = program(words[start])
    at = None
    if name in SHELLS:
        at = _shell_script(words, start + 1)
    elif name == "eval":
        at = start + 1 if len(words) == start + 2 else None
    elif name == "su":
        at = _command_option(words, start + 1)
    if at is None and program(words[0]) == "runuser":
        at = _command_option(words, 1)
    if at is None:
        return None
    other = any(program(word) in _OTHER_USER for word in words[: start + 1])
    return at, ("user", "shell") if other else ("shell",)


def _skip(words: Sequence[str], at: int, values: frozenset[str], operands: int) -> int:
    """Past the options, assignments and operands that stand before the command."""
    while at < len(words):
        word = words[at]
        if word == "--":
            return at + 1 + operands
        if word.startswith("-"):
            at += 1 + (word in values)
        elif "=" in word.partition("/")[0]:
            at += 1
        elif operands:
            operands -= 1
            at += 1
        else:
            break
    return at


def _shell_script(words: Sequence[str], at: int) -> int | None:
    """The script among the arguments of a shell, which start at ``at``."""
    command = stdin = False
    while at < len(words):
        word = words[at]
        if word in ("-", "--"):
            at += 1
            break
        if word in _SHELL_VALUES:
            at += 1
        elif word[:1] in ("-", "+") and word[1:2] != "-" and len(word) > 1:
            command |= word[0] == "-" and "c" in word
            stdin |= word[0] == "-" and "s" in word
            at += word.count("o") + word.count("O")
        elif not word.startswith("--"):
            break
        at += 1
    if command:
        return at if at < len(words) else None
    return STDIN if stdin or at >= len(words) else None


def _command_option(words: Sequence[str], at: int) -> int | None:
    """The value of ``-c`` of ``su`` or ``runuser``."""
    for index in range(at, len(words) - 1):
        word = words[index]
        short = word[:1] == "-" and word[1:2] != "-" and word.endswith("c")
        if short or word in ("--command", "--session-command"):
            return index + 1
        if word == "--":
            break
    return None
