"""The command that plans again and again while a simulation runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ui.options import DB, Db, Json, ProgressFile, Seed
from ui.options_plan import (
    Dt,
    Forbid,
    Formulation,
    Gap,
    MostPerItem,
    MostPreemptions,
    Objective,
    Penalty,
    Preempt,
    ResumePenalty,
    SameAgent,
    TimeLimit,
)


def reschedule(
    twin: Annotated[
        str, typer.Argument(metavar="TWIN", help="A twin's file, name\\[@version], or an instance file.")
    ],
    cases: Annotated[
        int | None, typer.Option(min=1, help="New orders, drawn from the twin's arrivals.")
    ] = None,
    start: Annotated[str | None, typer.Option(help="When the first of them arrives (ISO 8601).")] = None,
    orders: Annotated[Path | None, typer.Option(help="The orders to simulate: .csv or .json.")] = None,
    state: Annotated[Path | None, typer.Option(help="The open orders to begin with: .json.")] = None,
    until: Annotated[
        str | None, typer.Option(help="When to stop: an instant, or hours from the beginning.")
    ] = None,
    on_arrival: Annotated[
        bool, typer.Option("--on-arrival/--not-on-arrival", help="Plan anew whenever an order arrives.")
    ] = True,
    every: Annotated[
        str | None, typer.Option(metavar="TIME", help="Also plan anew so often, e.g. 2h.")
    ] = None,
    at: Annotated[
        list[str] | None, typer.Option(metavar="INSTANT", help="Also plan anew then; may be repeated.")
    ] = None,
    computing: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="Simulated time that each plan takes: measured (what this machine needs, by which runs "
            "differ), or a time such as 1s.",
        ),
    ] = "measured",
    compare: Annotated[
        str, typer.Option(metavar="POLICIES", help="Policies to set beside it, joined by commas, e.g. PD,F1.")
    ] = "",
    dt: Dt = None,
    horizon: Annotated[
        str | None,
        typer.Option(
            metavar="HOW",
            help="How far each plan looks: rolling, a time from then such as 24h, until:INSTANT, or "
            "until-end of the simulation.",
        ),
    ] = None,
    objective: Objective = None,
    formulation: Formulation = "step",
    gap: Gap = 0.01,
    time_limit: TimeLimit = 60.0,
    preemption: Preempt = True,
    forbid: Forbid = None,
    max_preemptions: MostPreemptions = None,
    max_preemptions_per_item: MostPerItem = None,
    preemption_penalty: Penalty = 0.0,
    resume_penalty: ResumePenalty = 0.0,
    same_agent: SameAgent = False,
    replications: Annotated[int, typer.Option(min=1, help="So many runs; several give intervals.")] = 1,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes.")] = 1,
    seed: Seed = 0,
    max_open: Annotated[
        int | None, typer.Option(min=1, help="A run is broken off when more orders are open.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Every plan that was made, a row each (CSV).")] = None,
    db: Db = DB,
    progress_file: ProgressFile = None,
    as_json: Json = False,
) -> None:
    """Plan again and again while a simulation runs, beside policies on the same runs."""
    from optimization.settings import Preemption
    from twin.given import read_given
    from twin.planning_request import PlanRequest
    from twin.rescheduling import ReschedulingOptions, rescheduling_command
    from twin.simulation_request import SimulationRequest
    from twin.source import instant
    from ui import console, results_rescheduled

    given = read_given(twin, db, orders=orders, state=state)
    simulation = SimulationRequest(
        given=given,
        cases=cases,
        start=instant(start, "--start") if start else None,
        until=until or "",
        replications=replications,
        workers=workers,
        seed=seed,
        max_open=max_open,
    )
    interruptions = Preemption(
        allowed=preemption,
        forbidden=tuple(forbid or ()),
        most=max_preemptions,
        most_per_item=max_preemptions_per_item,
        penalty=preemption_penalty,
        resume_penalty_s=60 * resume_penalty,
        same_agent=same_agent,
    )
    plans = PlanRequest(
        dt=dt or "",
        horizon=horizon or "",
        objective=objective or "",
        preemption=interruptions,
        formulation=formulation,
        gap=gap,
        time_limit_s=time_limit,
        seed=seed,
        out=out,
    )
    asked = ReschedulingOptions(
        simulation=simulation,
        plans=plans,
        on_arrival=on_arrival,
        every=every or "",
        at=tuple(at or ()),
        computing=computing,
        against=tuple(filter(None, (name.strip() for name in compare.split(",")))),
    )
    with console.apart(), console.progress(progress_file) as progress:
        found = rescheduling_command(asked, progress)
    results_rescheduled.show_rescheduled(found, as_json, [out] if out else [])
