"""``python -m dfcache.parser FILE…``: one JSON line a file with BuildKit's view of it.

For conformance tests and bug reports. A file is ``-`` for standard input.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from dfcache.parser.arguments import KEYWORDS
from dfcache.parser.chars import decode, encode, lower, whole
from dfcache.parser.directives import frontend
from dfcache.parser.document import parse
from dfcache.parser.go import quote
from dfcache.parser.tree import Dockerfile, Heredoc, Instruction
from dfcache.parser.validity import NO_STAGE, NO_STAGES
from dfcache.parser.words import pairs

Json = dict[str, object]


def report(data: bytes) -> Json:
    """What BuildKit reads in a file with this content.

    ``{"err", "errlines"}`` where it refuses to parse it; else ``escape``, ``nodes``, ``dump``
    and, where there are any, ``warnings``, ``instr_err`` and ``syntax``.
    """
    source = decode(data)
    dockerfile = parse(source)
    if dockerfile.problems and dockerfile.problems[0].stage == "parse":
        problem = dockerfile.problems[0]
        return {"err": whole(problem.message), "errlines": [list(problem.lines)]}
    result: Json = {"escape": dockerfile.escape}
    if dockerfile.warnings:
        result["warnings"] = [
            {"line": line, "short": whole(message)} for line, message in dockerfile.warnings
        ]
    result["nodes"] = [_top_node(each) for each in dockerfile.instructions]
    result["dump"] = whole("\n".join(f"({_dump(each)})" for each in dockerfile.instructions))
    refused = _refused(dockerfile)
    if refused:
        result["instr_err"] = whole(refused)
    syntax = frontend(source)
    if syntax:
        result["syntax"] = whole(f"{syntax.image}|{syntax.text}")
    return result


def _refused(dockerfile: Dockerfile) -> str | None:
    for problem in dockerfile.problems:
        if problem.message == NO_STAGES:
            # Said by the conversion, not by the reading of instructions.
            return None
        if problem.message == NO_STAGE:
            return NO_STAGE
        return f"dockerfile parse error on line {problem.lines[0]}: {problem.message}"
    return None


def _top_node(instruction: Instruction) -> Json:
    node = _node(instruction)
    node["start"] = instruction.start_line
    node["end"] = instruction.end_line
    if instruction.heredocs:
        node["heredocs"] = [_heredoc(heredoc) for heredoc in instruction.heredocs]
    if instruction.comments:
        node["comments"] = [whole(comment) for comment in instruction.comments]
    return node


def _node(instruction: Instruction) -> Json:
    node: Json = {"value": whole(instruction.keyword)}
    if instruction.original:
        node["original"] = whole(instruction.original)
    if instruction.flags:
        node["flags"] = [whole(flag) for flag in _flags(instruction)]
    if instruction.form == "exec":
        node["attrs"] = {"json": True}
    if instruction.child:
        node["args"] = [_node(instruction.child)]
    else:
        args = arguments(instruction)
        if args:
            node["args"] = [whole(arg) for arg in args]
    return node


def arguments(instruction: Instruction) -> list[str]:
    """The arguments as BuildKit keeps them: ENV and LABEL give name, value and separator."""
    if instruction.name not in KEYWORDS:
        return [""]
    if instruction.name not in ("ENV", "LABEL"):
        return [word.value for word in instruction.words]
    found = []
    for pair in pairs(instruction):
        value = pair.value.value if pair.value else ""
        found += [pair.name, value, "" if pair.legacy else "="]
    return found


def _flags(instruction: Instruction) -> list[str]:
    return [
        f"--{flag.name}" if flag.value is None else f"--{flag.name}={flag.value}"
        for flag in instruction.flags
    ]


def _heredoc(heredoc: Heredoc) -> Json:
    return {
        "Name": heredoc.name,
        "FileDescriptor": heredoc.fd,
        "Expand": heredoc.expand,
        "Chomp": heredoc.chomp,
        "Content": whole(heredoc.body),
    }


def _dump(instruction: Instruction) -> str:
    parts = [lower(instruction.keyword)] if instruction.keyword else []
    if instruction.flags:
        parts.append(f"[{' '.join(map(quote, _flags(instruction)))}]")
    if instruction.child:
        parts.append(f"({_dump(instruction.child)})")
    else:
        parts += map(quote, arguments(instruction))
    return " ".join(parts)


def main(paths: list[str]) -> int:
    """Print the reports; 2 if a file can't be read."""
    status = 0
    for path in paths:
        try:
            data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        except OSError as error:
            print(f"{path}: {error.strerror}", file=sys.stderr)
            status = 2
            continue
        line = json.dumps(report(data), ensure_ascii=False)
        sys.stdout.buffer.write(encode(line + "\n"))
        sys.stdout.buffer.flush()
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
