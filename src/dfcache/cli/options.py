"""The options that commands share, each said once."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[PATHS]...",
        help="Dockerfiles, folders to search, or - for standard input. Default: this folder.",
        show_default=False,
    ),
]
Config = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Use this configuration instead of the nearest one."),
]
Select = Annotated[
    list[str] | None,
    typer.Option(metavar="RULES", help="Only these rules: names, codes or their beginnings."),
]
Ignore = Annotated[
    list[str] | None,
    typer.Option(metavar="RULES", help="Not these rules; adds to the configuration."),
]
ContextDir = Annotated[
    str | None,
    typer.Option(metavar="DIR", help="The build context, where it is not found by itself."),
]
Builder = Annotated[
    Literal["buildkit", "buildah", "kaniko", "classic"] | None,
    typer.Option(help="What builds the image. Default: buildkit.", show_default=False),
]
Pattern = Annotated[
    Literal["cache-mount", "offline", "hybrid"] | None,
    typer.Option(
        help="How installs get their packages: from the index through a cache, from a folder "
        "of packages alone, or from that folder first.",
        show_default=False,
    ),
]
Format = Annotated[Literal["text", "concise", "json"], typer.Option(help="How to show findings.")]
FixFormat = Annotated[
    Literal["diff", "text", "concise", "json"] | None,
    typer.Option(
        help="What to show: the diff, or the findings left. Default: diff, with --write text.",
        show_default=False,
    ),
]
Output = Annotated[
    str | None, typer.Option(metavar="FILE", help="Write there instead of standard output.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Findings and errors only.")]
ExitZero = Annotated[
    bool, typer.Option("--exit-zero", help="Exit with 0 also where there are findings.")
]
FailLevel = Annotated[
    Literal["info", "warning", "error"] | None,
    typer.Option(
        help="The least severity that makes the exit code 1. Default: warning.", show_default=False
    ),
]
Color = Annotated[
    Literal["auto", "always", "never"],
    typer.Option(help="Colour; auto is on a terminal where NO_COLOR isn't set."),
]
StdinFilename = Annotated[
    str | None,
    typer.Option(metavar="PATH", help="Where standard input belongs: names it in messages."),
]
