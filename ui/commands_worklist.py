"""The command that ranks what waits for each agent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ui.options import DB, Db, Json, Map, Open, ProgressFile, Seed, Twin, Workers


def worklist(
    twin: Twin,
    log: Annotated[str, typer.Option("--log", help="The log with the open orders: path or name.")],
    as_of: Annotated[str, typer.Option(help="The instant of the lists: nothing later is used.")],
    policy: Annotated[
        str,
        typer.Option(
            help="What goes first: own (the twin's rules), a name such as FIFO, SDD or PD, rule:EXPRESSION, "
            "milp for an optimized plan, or module:object for one written in Python."
        ),
    ] = "own",
    agent: Annotated[
        list[str] | None, typer.Option(help="An agent, or all of a role; may be repeated. Else everybody.")
    ] = None,
    open_cases: Open = None,
    soon: Annotated[
        str, typer.Option(metavar="TIME", help="What reaches a queue within this time is listed, too.")
    ] = "24h",
    replications: Annotated[int, typer.Option(min=1, help="Futures to simulate.")] = 200,
    time_limit: Annotated[
        float, typer.Option(min=1.0, help="Seconds to look for a plan, under milp.")
    ] = 30.0,
    explain: Annotated[
        bool, typer.Option(help="Under milp: why the plan puts first what it does (takes longer).")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="A row an agent and order (CSV).")] = None,
    chart: Annotated[Path | None, typer.Option(help="A picture: .svg, .png or .html.")] = None,
    seed: Seed = 0,
    mapping: Map = None,
    db: Db = DB,
    workers: Workers = None,
    progress_file: ProgressFile = None,
    as_json: Json = False,
) -> None:
    """Rank what waits for each agent, with the reason, dates and what is at stake."""
    from twin.requests import log_request
    from twin.source import instant, read_twin
    from twin.spans import seconds_of
    from twin.worklist_command import WorklistRequest, worklist_command
    from ui import console, results_worklist

    wanted = WorklistRequest(
        policy=policy,
        agents=tuple(agent or ()),
        soon_h=seconds_of(soon, "--soon") / 3600,
        replications=replications,
        time_limit_s=time_limit,
        explain=explain,
        seed=seed,
        workers=workers,
        out=out,
        chart=chart,
    )
    moment = instant(as_of, "--as-of")
    model = read_twin(twin, db)
    request = log_request(log, db, mapping, until=moment, open_file=open_cases)
    with console.apart(), console.progress(progress_file) as progress:
        found = worklist_command(model, request, wanted, progress)
    results_worklist.show_worklist(found, as_json, [path for path in (out, chart) if path])
