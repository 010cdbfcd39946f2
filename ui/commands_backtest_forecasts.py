"""The command that holds forecasts against the past."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ui.options import DB, Config, Db, Json, Map, ProgressFile, Seed, Workers


def forecasts(
    log: Annotated[str, typer.Option("--log", help="The log to go back into: path or name.")],
    twin: Annotated[
        str | None,
        typer.Argument(
            metavar="[TWIN]",
            help="A twin's file, or name\\[@version]: its choices are kept, its parameters fitted at every "
            "instant to what was known then.",
        ),
    ] = None,
    build: Annotated[
        bool,
        typer.Option(
            "--build",
            help="Instead of a TWIN: choose one at the first instant from what was known then, and again "
            "where drift is found.",
        ),
    ] = False,
    origins: Annotated[
        int, typer.Option(min=1, help="So many instants, evenly among the log's events.")
    ] = 10,
    begin: Annotated[
        str | None, typer.Option("--from", help="The earliest instant; else in the log's last 30 %.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="The latest instant; else early enough to see what came.")
    ] = None,
    horizons_h: Annotated[
        str,
        typer.Option(help="Hours after which orders in process are counted; else 1 % and 5 % of the log."),
    ] = "",
    replications: Annotated[int, typer.Option(min=1, help="Futures to simulate at every instant.")] = 200,
    plain: Annotated[
        bool, typer.Option("--plain", help="The simulation alone, without what is learnt from the log.")
    ] = False,
    boosting: Annotated[
        bool, typer.Option(help="Also compare with gradient boosting, which takes most of the time.")
    ] = True,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Every forecast with what came (CSV). A stopped run goes on with the same options."
        ),
    ] = None,
    chart: Annotated[Path | None, typer.Option(help="Draw it to this file: .svg, .png or .html.")] = None,
    config: Config = None,
    seed: Seed = 0,
    mapping: Map = None,
    db: Db = DB,
    workers: Workers = None,
    progress_file: ProgressFile = None,
    as_json: Json = False,
) -> None:
    """Forecast at past instants by what was known then, and compare with what came."""
    from metagraph.errors import UsageError
    from twin.backtesting import Wanted, backtest_forecasts_command
    from twin.requests import log_request, parse_horizons
    from twin.source import instant, read_twin
    from ui import console, results_backtest_forecasts

    if (twin is None) != build:
        raise UsageError("name a TWIN whose choices are kept, or say --build to choose from what was known")
    wanted = Wanted(
        origins=origins,
        begin=instant(begin, "--from") if begin else None,
        end=instant(end, "--to") if end else None,
        horizons_h=parse_horizons(horizons_h),
        replications=replications,
        seed=seed,
        workers=workers,
        plain=plain,
        boosted=boosting,
        config=config,
        out=out,
        chart=chart,
        named=twin or "",
    )
    model = read_twin(twin, db) if twin else None
    logs = log_request(log, db, mapping, config)
    with console.progress(progress_file) as progress:
        found = backtest_forecasts_command(model, logs, wanted, progress)
    results_backtest_forecasts.show_forecasts(found, as_json, [path for path in (out, chart) if path])
