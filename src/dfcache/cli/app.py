"""The commands and their options."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from dfcache import __version__
from dfcache.cli import options

app = typer.Typer(
    name="dfcache",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Finds where a Docker build throws its downloads away, and mends the Dockerfile.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dfcache {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Finds where a Docker build throws its downloads away, and mends the Dockerfile."""


@app.command()
def check(
    paths: options.Paths = None,
    config: options.Config = None,
    select: options.Select = None,
    ignore: options.Ignore = None,
    context: options.ContextDir = None,
    builder: options.Builder = None,
    pattern: options.Pattern = None,
    format: options.Format = "text",
    output: options.Output = None,
    quiet: options.Quiet = False,
    exit_zero: options.ExitZero = False,
    fail_level: options.FailLevel = None,
    color: options.Color = "auto",
    stdin_filename: options.StdinFilename = None,
) -> None:
    """Show what throws downloads away, where and why.

    Exits with 0 if there is nothing to say, 1 if there are findings, and 2 if dfcache
    could not do its work: wrong usage, or a file that can't be read.
    """
    from dfcache.cli.work import Request, run_check

    request = Request(
        tuple(paths or ()), config, _words(select), _words(ignore), context, builder, format,
        output, quiet, exit_zero, fail_level, color, stdin_filename, pattern,
    )  # fmt: skip
    raise typer.Exit(run_check(request))


@app.command()
def fix(
    paths: options.Paths = None,
    write: Annotated[
        bool,
        typer.Option("--write/--diff", help="Change the files, or (the default) show how."),
    ] = False,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Also fixes that depend on what dfcache can't see.")
    ] = False,
    config: options.Config = None,
    select: options.Select = None,
    ignore: options.Ignore = None,
    context: options.ContextDir = None,
    builder: options.Builder = None,
    pattern: options.Pattern = None,
    format: options.FixFormat = None,
    output: options.Output = None,
    quiet: options.Quiet = False,
    exit_zero: options.ExitZero = False,
    fail_level: options.FailLevel = None,
    color: options.Color = "auto",
    stdin_filename: options.StdinFilename = None,
) -> None:
    """Show the changes that keep the downloads; with --write, make them.

    A changed Dockerfile is checked to build the same before it is written. With - and
    --write the mended text goes to standard output. Exits with 0 if there is nothing left
    to say, 1 if there is a diff or findings are left, and 2 if dfcache could not do its work.
    """
    from dfcache.cli.work import Request, run_fix

    request = Request(
        tuple(paths or ()), config, _words(select), _words(ignore), context, builder,
        format or ("text" if write else "diff"), output, quiet, exit_zero, fail_level, color,
        stdin_filename, pattern,
    )  # fmt: skip
    raise typer.Exit(run_fix(request, write, unsafe))


@app.command()
def measure(
    context: Annotated[
        str, typer.Argument(metavar="[CONTEXT]", help="The build context.", show_default=False)
    ] = ".",
    file: Annotated[
        str | None,
        typer.Option(
            "--file", "-f", metavar="DOCKERFILE", help="Default: Dockerfile in the context."
        ),
    ] = None,
    build_arg: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A build argument.")
    ] = None,
    build_option: Annotated[
        list[str] | None,
        typer.Option(metavar="OPTION", help="An option for docker buildx build: --target=app."),
    ] = None,
    cold: Annotated[
        bool, typer.Option("--cold", help="Also report the first builds, with empty caches.")
    ] = False,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Also fixes that depend on what dfcache can't see.")
    ] = False,
    format: Annotated[Literal["text", "json"], typer.Option(help="How to show it.")] = "text",
    output: options.Output = None,
) -> None:
    """Build the project as it is and as it would be fixed, and show what the fix saves.

    Needs docker with buildx. Copies the context to a temporary folder and builds both there: all of
    it once, after an edit of the source, and with another version of one dependency. Changes
    no file and tags no image. The builds share no cache with yours: their cache mounts are deleted
    in the end, their layers are left in the builder until it discards them. Exits with 2 where
    a build fails.
    """
    from dfcache.cli.measure import Request, run

    request = Request(
        context, file, tuple(build_arg or ()), tuple(build_option or ()), cold, unsafe, format,
        output,
    )  # fmt: skip
    raise typer.Exit(run(request))


@app.command()
def mirror(
    folder: Annotated[
        str, typer.Argument(metavar="[FOLDER]", help="The project's folder.", show_default=False)
    ] = ".",
    check: Annotated[
        str | None, typer.Option(metavar="URL", help="Check the mirror at this address.")
    ] = None,
    write: Annotated[
        bool, typer.Option("--write/--show", help="Write the files, or (the default) show them.")
    ] = False,
    host: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The machine it runs on. Default: as index-url says."),
    ] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Default: 3141.")] = None,
    config: options.Config = None,
    format: Annotated[
        Literal["text", "json"], typer.Option(help="How to show what --check finds.")
    ] = "text",
    output: options.Output = None,
) -> None:
    """Set up a mirror of the package index for a team, or check one.

    Shows the files of a mirror with devpi, for the folder mirror of the project: a compose file and
    its Dockerfile, settings for pip and uv, and how builds are led to it; --write writes them, and
    never over a file that differs. With --check it asks a mirror whether it answers, sends what
    pip needs to cache, and has what the Dockerfiles of the project ask for. Exits with 0, 1 where a
    mirror lacks something, or 2 where dfcache could not do its work.
    """
    from dfcache.cli.mirror import Request, run

    request = Request(folder, check, write, host, port, config, format, output)
    raise typer.Exit(run(request))


@app.command()
def explain(
    dockerfile: Annotated[
        str,
        typer.Argument(
            metavar="[DOCKERFILE]",
            help="A Dockerfile, the folder of one, or - for standard input. Default: this folder.",
            show_default=False,
        ),
    ] = ".",
    change: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH", help="Only for a change of this file or folder; may be repeated."
        ),
    ] = None,
    arg: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Only for another value of this build argument; may be repeated."
        ),
    ] = None,
    format: Annotated[
        Literal["text", "json", "html"],
        typer.Option(help="html is a page that shows it before and after the fix."),
    ] = "text",
    context: options.ContextDir = None,
    config: options.Config = None,
    output: options.Output = None,
    color: options.Color = "auto",
) -> None:
    """Show which steps run again when a file, a build argument or a base image changes.

    And which of them then download packages that no cache keeps. Needs no Docker. Exits
    with 0, or 2 where there is no Dockerfile that BuildKit takes.
    """
    from dfcache.cli.explain import Wanted, run_explain

    wanted = Wanted(
        dockerfile, tuple(change or ()), tuple(arg or ()), context, config, format, output, color
    )
    raise typer.Exit(run_explain(wanted))


@app.command()
def vendor(
    dockerfile: Annotated[
        str,
        typer.Argument(
            metavar="[DOCKERFILE]",
            help="A Dockerfile, or the folder of one. Default: this folder.",
            show_default=False,
        ),
    ] = ".",
    context: options.ContextDir = None,
    into: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER",
            help="The folder of packages, in the build context. Default: pip_packages, or what the "
            "configuration says.",
            show_default=False,
        ),
    ] = None,
    platform: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PLATFORM", help="What the image is for: linux/amd64; may be repeated."
        ),
    ] = None,
    python: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="The image's Python, where its name doesn't tell."),
    ] = None,
    libc: Annotated[
        str | None,
        typer.Option(metavar="LIBC", help="The image's C library: glibc-2.36 or musl-1.2."),
    ] = None,
    sdist: Annotated[
        bool,
        typer.Option(
            "--sdist", help="Keep the source of what has no wheel, rather than build it here."
        ),
    ] = False,
    upgrade: Annotated[
        bool,
        typer.Option("--upgrade", help="Take the newest versions, not those of the folder."),
    ] = False,
    retries: Annotated[
        int,
        typer.Option(
            metavar="TIMES", min=0, help="How often to try again what could not be fetched."
        ),
    ] = 3,
    build_option: Annotated[
        list[str] | None,
        typer.Option(metavar="OPTION", help="For docker buildx build, where wheels are built."),
    ] = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete the packages that are no longer needed.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Only say whether the folder has all; asks no network, changes nothing."
        ),
    ] = False,
    quiet: options.Quiet = False,
    format: Annotated[Literal["text", "json"], typer.Option(help="How to show it.")] = "text",
    config: options.Config = None,
) -> None:
    """Fetch the packages that the build installs with pip, for builds without a network.

    For the image's Python and platform, not this machine's. What has arrived stays, whatever
    happens, and another run fetches the rest. Needs uv: pip install 'dfcache[vendor]'. Exits
    with 0; with --check, 1 where something is lacking; 2 where it could not be done.
    """
    from dfcache.cli.vendor import run_vendor
    from dfcache.cli.vendor_subject import Request

    request = Request(
        dockerfile, context, into, tuple(platform or ()), python, libc, sdist, prune, check,
        upgrade, retries, tuple(build_option or ()), quiet, format, config,
    )  # fmt: skip
    raise typer.Exit(run_vendor(request))


@app.command()
def rule(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[RULE]", help="A name or a code, as in a finding."),
    ] = None,
) -> None:
    """Show the page of a rule; without one, list them all."""
    from dfcache.cli.rule import show

    raise typer.Exit(show(name))


def _words(given: list[str] | None) -> tuple[str, ...]:
    """Values of an option that may be repeated and may hold commas."""
    return tuple(word.strip() for each in given or () for word in each.split(",") if word.strip())
