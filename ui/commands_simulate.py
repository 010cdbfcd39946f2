"""The command that simulates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ui.options import DB, Db, Json, ProgressFile, Seed, Workers


def simulate(
    twin: Annotated[
        str, typer.Argument(metavar="TWIN", help="A twin's file, name\\[@version], or an instance file.")
    ],
    cases: Annotated[
        int | None, typer.Option(min=1, help="New orders, drawn from the twin's arrivals.")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(help="When the first of them arrives (ISO 8601; UTC without a zone)."),
    ] = None,
    orders: Annotated[Path | None, typer.Option(help="The orders to simulate: .csv or .json.")] = None,
    state: Annotated[Path | None, typer.Option(help="The open orders to begin with: .json.")] = None,
    until: Annotated[
        str | None,
        typer.Option(
            help="When to stop: an instant, or hours from the beginning. Else when all orders have ended."
        ),
    ] = None,
    policy: Annotated[
        str,
        typer.Option(
            help="What goes first. own: each queue's own rule; P, D, S, F1, F2, F3, PD, PS, PDS, HPCS: a "
            "published portfolio; FIFO, LIFO, HP, SDD, SERPT: one rule; rule:EXPRESSION on orders; "
            "module:object in Python."
        ),
    ] = "own",
    schedule: Annotated[
        Path | None, typer.Option(help="A schedule instead of a policy: who does what, in which order.")
    ] = None,
    assign: Annotated[
        Literal["JSQ", "JFQ", "JAQ", "JDQ"] | None,
        typer.Option(help="Which queue work joins: the shortest, fastest, any, or designated one."),
    ] = None,
    tie: Annotated[
        Literal["keep", "back"] | None,
        typer.Option(help="Whether interrupted work keeps its place, or goes to the back of its equals."),
    ] = None,
    preemption: Annotated[
        bool | None,
        typer.Option(
            "--preemption/--no-preemption", help="Whether urgent work interrupts, where tasks allow it."
        ),
    ] = None,
    max_preemptions: Annotated[
        int | None, typer.Option(min=0, help="Work that was interrupted so often isn't any more.")
    ] = None,
    resume_penalty: Annotated[
        float | None, typer.Option(min=0.0, metavar="MIN", help="Minutes that each resumption adds.")
    ] = None,
    same_agent: Annotated[
        bool | None,
        typer.Option("--same-agent", help="Who began a task resumes it, nobody else.", show_default=False),
    ] = None,
    engine: Annotated[
        Literal["auto", "reference", "kernel"],
        typer.Option(
            help="auto: the compiled kernel where it can run it, else the reference. Their logs are equal."
        ),
    ] = "auto",
    replications: Annotated[
        int | None, typer.Option(min=1, help="So many runs (1 if not given); several give 95 % intervals.")
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            metavar="FIGURE=5%", help="Or as many runs as it takes until this figure's interval is so narrow."
        ),
    ] = None,
    antithetic: Annotated[
        bool, typer.Option("--antithetic", help="Every second run mirrors the one before it.")
    ] = False,
    backend: Annotated[
        str, typer.Option(help="Where runs run: auto, serial, threads, processes, dask, ray.")
    ] = "auto",
    workers: Workers = None,
    seed: Seed = 0,
    max_open: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="A run is broken off when more orders are open (200,000, or twice those of the state).",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The first log as .csv or .csv.gz, or all logs as .parquet.")
    ] = None,
    chart: Annotated[
        Path | None, typer.Option(help="Orders in process and queues over time: .svg, .png or .html.")
    ] = None,
    db: Db = DB,
    progress_file: ProgressFile = None,
    as_json: Json = False,
) -> None:
    """Simulate orders on a twin or on a process written by hand."""
    from metagraph.errors import UsageError
    from twin.given import read_given
    from twin.policies import Wanted, policy_of
    from twin.simulating import simulate_command
    from twin.simulation_request import SimulationRequest
    from twin.source import instant
    from ui import console, results_simulated

    if precision is not None and replications is not None:
        raise UsageError("--replications and --precision both say how many runs; leave one of them out")
    if cases is not None and orders is not None:
        raise UsageError("--cases and --orders both say which orders come; leave one of them out")
    given = read_given(twin, db, orders=orders, state=state, schedule=schedule)
    asked = Wanted(
        policy=policy,
        schedule=given.schedule,
        assignment=assign,
        tie=tie,
        preemption=preemption,
        max_preemptions=max_preemptions,
        resume_penalty_s=None if resume_penalty is None else 60 * resume_penalty,
        same_agent=same_agent,
    )
    with console.apart():
        chosen = policy_of(asked, Path.cwd())
    request = SimulationRequest(
        given=given,
        cases=cases,
        start=instant(start, "--start") if start else None,
        until=until or "",
        policy=chosen,
        named="schedule" if given.schedule else policy,
        engine=engine,
        replications=replications or 1,
        precision=precision or "",
        antithetic=antithetic,
        backend=backend,
        workers=workers,
        seed=seed,
        max_open=max_open,
        out=out,
        chart=chart,
    )
    with console.apart(), console.progress(progress_file) as progress:
        found = simulate_command(request, progress)
    results_simulated.show_simulated(found, as_json, [path for path in (out, chart) if path])
