"""Commands that ask a log: is it good evidence, and what does it say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ui.options import DB, Config, Db, Json, Log, Map, ProgressFile, Quarantine, TimeFormat, TimeZone


def quality(
    log: Log,
    until: Annotated[str | None, typer.Option(help="Judge only what was known at this instant.")] = None,
    mapping: Map = None,
    config: Config = None,
    time_format: TimeFormat = None,
    tz: TimeZone = None,
    quarantine: Quarantine = False,
    db: Db = DB,
    progress_file: ProgressFile = None,
    as_json: Json = False,
) -> None:
    """Say what is doubtful in a log, where, and what a twin makes of it."""
    from twin.imports import quality_command
    from twin.requests import log_request
    from twin.source import instant
    from ui import console
    from ui.import_tables import show_quality

    moment = instant(until, "--until") if until else None
    request = log_request(log, db, mapping, config, time_format, quarantine, moment, tz=tz)
    with console.progress(progress_file) as progress:
        report = quality_command(request, progress)
    show_quality(report, as_json)


def mine(
    log: Log,
    what: Annotated[
        str | None, typer.Argument(metavar="WHAT", help="What to ask; left out: a list of what there is.")
    ] = None,
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter", metavar="KEY=VALUE", help="Which part of the log; docs/mining.md has the keys."
        ),
    ] = None,
    by: Annotated[str, typer.Option(help="How it is told: see the list of what there is.")] = "",
    zone: Annotated[str, typer.Option(help="Time zone whose clock hours, days and weeks follow.")] = "UTC",
    out: Annotated[
        Path | None, typer.Option(help="Where to write all rows: .csv, .csv.gz, .parquet.")
    ] = None,
    mapping: Map = None,
    config: Config = None,
    db: Db = DB,
    progress_file: ProgressFile = None,
    as_json: Json = False,
) -> None:
    """Ask a log: directly-follows, variants, durations, waits, handovers, workload and more."""
    from ui import console, mined

    if what is None:
        mined.show_questions(as_json)
        return
    from twin.mine import mine_command
    from twin.requests import log_request

    request = log_request(log, db, mapping, config)
    with console.progress(progress_file) as progress:
        table = mine_command(request, what, filters or (), by, zone, out, progress)
    mined.show_mined(what, table, as_json, out)


def state(
    log: Log,
    at: Annotated[str | None, typer.Option(help="The instant; the log's last event if not given.")] = None,
    recorded_by: Annotated[
        str | None, typer.Option(help="Leave out live events that were received after this instant.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to write all open orders: .csv, .csv.gz, .parquet.")
    ] = None,
    mapping: Map = None,
    config: Config = None,
    db: Db = DB,
    progress_file: ProgressFile = None,
    as_json: Json = False,
) -> None:
    """Show the orders that are open at an instant: what is done, in progress, waiting, expected."""
    from twin.open_orders import state_command
    from twin.requests import log_request
    from twin.source import instant
    from ui import console, open_orders

    request = log_request(log, db, mapping, config, until=instant(at, "--at") if at else None)
    known = instant(recorded_by, "--recorded-by") if recorded_by else None
    with console.progress(progress_file) as progress:
        found = state_command(request, known, out, progress)
    open_orders.show_state(found, as_json, out)
