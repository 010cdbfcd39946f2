"""The command that asks what if."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ui.options import DB, Db, Json, Map, Open, ProgressFile, Seed, Workers


def whatif(
    twin: Annotated[
        str, typer.Argument(metavar="TWIN", help="A twin's file, name\\[@version], or an instance file.")
    ],
    scenarios: Annotated[
        list[Path], typer.Argument(metavar="SCENARIO...", help="Scenario files; see docs/whatif.md.")
    ],
    log: Annotated[
        str | None,
        typer.Option("--log", help="Begin with the open orders of this log: path or name."),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(help="The instant at which they are open: nothing later is used.")
    ] = None,
    open_cases: Open = None,
    start: Annotated[
        str | None,
        typer.Option(help="Without a log: when it begins; else the Monday after the twin's own log."),
    ] = None,
    warm_up: Annotated[
        str | None,
        typer.Option(
            help="First go on as it is for so long (e.g. 14d); without a log from an empty process on."
        ),
    ] = None,
    horizon: Annotated[str, typer.Option(help="For how long it is compared, e.g. 12h, 7d.")] = "28d",
    replications: Annotated[int, typer.Option(min=1, help="Runs of each contender.")] = 100,
    policy: Annotated[str, typer.Option(help="What goes first in the baseline, as for simulate.")] = "own",
    seed: Seed = 0,
    workers: Workers = None,
    max_open: Annotated[
        int | None, typer.Option(min=1, help="A run is broken off when more orders are open.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Every figure of every scenario: .csv, .csv.gz or .parquet.")
    ] = None,
    chart: Annotated[
        Path | None, typer.Option(help="Orders in process and queues over time: .svg, .png or .html.")
    ] = None,
    differences: Annotated[
        Path | None, typer.Option(help="The main differences with their intervals: .svg, .png or .html.")
    ] = None,
    mapping: Map = None,
    db: Db = DB,
    progress_file: ProgressFile = None,
    as_json: Json = False,
) -> None:
    """Compare scenarios with the twin as it is."""
    from metagraph.errors import UsageError
    from twin.given import read_given
    from twin.policies import Wanted
    from twin.requests import log_request
    from twin.source import instant
    from twin.spans import seconds_of
    from twin.whatif import WhatIfRequest
    from twin.whatif_command import WhatIfFiles, whatif_command
    from ui import console, results_whatif

    if (log is None) != (as_of is None):
        raise UsageError("--log and --as-of go together: which log, and at which instant")
    moment = instant(as_of, "--as-of") if as_of else None
    request = WhatIfRequest(
        given=read_given(twin, db),
        scenarios=(),
        start=instant(start, "--start") if start else None,
        warm_up_s=seconds_of(warm_up, "--warm-up") if warm_up else 0.0,
        horizon_s=seconds_of(horizon, "--horizon"),
        replications=replications,
        policy=Wanted(policy=policy),
        seed=seed,
        workers=workers,
        max_open=max_open,
    )
    files = WhatIfFiles(
        scenarios=tuple(scenarios),
        log=log_request(log, db, mapping, until=moment, open_file=open_cases) if log else None,
        out=out,
        chart=chart,
        differences=differences,
    )
    with console.apart(), console.progress(progress_file) as progress:
        found = whatif_command(request, files, progress)
    results_whatif.show_whatif(found, as_json, [path for path in (out, chart, differences) if path])
