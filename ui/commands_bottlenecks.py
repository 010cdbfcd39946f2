"""The command that says who is short, and what would help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ui.options import DB, Db, Json, Map, Open, ProgressFile, Seed, Twin, Workers


def bottlenecks(
    twin: Twin,
    log: Annotated[
        str | None, typer.Option("--log", help="A log to set beside the twin: path or name.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Use only what the log knew at this instant (ISO 8601).")
    ] = None,
    open_cases: Open = None,
    weeks: Annotated[
        float, typer.Option(min=0.1, max=520, help="Weeks of arrivals that are simulated.")
    ] = 8.0,
    start: Annotated[
        str | None, typer.Option(help="When they begin (ISO 8601); else where the twin's log ends.")
    ] = None,
    replications: Annotated[int, typer.Option(min=2, help="Runs of each change.")] = 30,
    policy: Annotated[
        str, typer.Option(help="What goes first: own, a name such as FIFO or PD, rule:EXPRESSION.")
    ] = "own",
    hours: Annotated[
        float, typer.Option(min=0.1, max=84, help="Hours a week more; their value is told per hour.")
    ] = 1.0,
    most: Annotated[int, typer.Option(min=1, help="So many agents and activities are tried at most.")] = 10,
    out: Annotated[Path | None, typer.Option(help="A row a figure (CSV).")] = None,
    chart: Annotated[Path | None, typer.Option(help="A picture: .svg, .png or .html.")] = None,
    seed: Seed = 0,
    mapping: Map = None,
    db: Db = DB,
    workers: Workers = None,
    progress_file: ProgressFile = None,
    as_json: Json = False,
) -> None:
    """Find the bottlenecks in a log and its twin, and what an hour more or a robot would bring."""
    from metagraph.errors import UsageError
    from twin.bottlenecks import BottleneckRequest, bottlenecks_command
    from twin.requests import log_request
    from twin.source import instant, read_twin
    from ui import console, results_bottlenecks

    if log is None and (until or open_cases or mapping):
        raise UsageError("--until, --open and --map say how a log is read: name it with --log")
    wanted = BottleneckRequest(
        weeks=weeks,
        start=instant(start, "--start") if start else None,
        replications=replications,
        policy=policy,
        step_h=hours,
        most=most,
        seed=seed,
        workers=workers,
        out=out,
        chart=chart,
    )
    model = read_twin(twin, db)
    moment = instant(until, "--until") if until else None
    request = log_request(log, db, mapping, until=moment, open_file=open_cases) if log else None
    with console.apart(), console.progress(progress_file) as progress:
        found = bottlenecks_command(model, request, wanted, progress)
    results_bottlenecks.show_bottlenecks(found, as_json, [path for path in (out, chart) if path])
