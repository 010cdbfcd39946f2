"""The command that keeps a twin true while the process changes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ui.options import DB, HIGHEST_SEED, Config, Db, Json, Map, Open, ProgressFile, TimeFormat


def recalibrate(
    twin: Annotated[str, typer.Argument(metavar="TWIN", help="The name of a twin that the database keeps.")],
    log: Annotated[str, typer.Option("--log", help="The log, from before and since: path or name.")],
    as_of: Annotated[str | None, typer.Option(help="Use only what was known at this instant.")] = None,
    always: Annotated[
        bool,
        typer.Option(
            "--always",
            help="Build and judge challengers even where nothing has changed or the same was judged before.",
        ),
    ] = False,
    build: Annotated[
        bool,
        typer.Option(
            "--build",
            help="Where challengers are built, make all choices again for one of them, as tracetwin build "
            "does, however small the change.",
        ),
    ] = False,
    promote: Annotated[
        bool,
        typer.Option(
            "--promote/--ask", help="Let a better challenger become champion, or ask (the default)."
        ),
    ] = False,
    config: Config = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, max=HIGHEST_SEED, help="Default: the champion's.")
    ] = None,
    mapping: Map = None,
    open_cases: Open = None,
    time_format: TimeFormat = None,
    report: Annotated[
        Path | None, typer.Option(help="Also write a report to this file: .html, .md or .json.")
    ] = None,
    db: Db = DB,
    progress_file: ProgressFile = None,
    as_json: Json = False,
) -> None:
    """Look for drift; where there is some, build a challenger that replaces the champion if it is better."""
    from getpass import getuser

    from twin.recalibrate import Wanted, recalibrate_command
    from twin.requests import log_request
    from twin.source import instant
    from ui import console, results_recalibrated

    until = instant(as_of, "--as-of") if as_of else None
    request = log_request(log, db, mapping, time_format=time_format, until=until, open_file=open_cases)
    wanted = Wanted(twin, request, config, always, build, promote, seed, getuser())
    with console.progress(progress_file) as progress:
        result = recalibrate_command(wanted, report, progress)
    results_recalibrated.show_recalibration(result, as_json, report)
    results_recalibrated.end(result)
