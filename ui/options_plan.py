"""Options of the commands that plan."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

Dt = Annotated[
    str | None,
    typer.Option(
        "--dt",
        metavar="TIME",
        help="The grid, e.g. 15m, 1h, 90s; the instance's, else one that fits the work.",
    ),
]
Horizon = Annotated[
    str | None,
    typer.Option(
        "--horizon",
        metavar="HOW",
        help="How far to look: rolling (to the last lost-sale date, or until all is done), a time from "
        "now such as 12h, or until:INSTANT. Under the last two nothing is done beyond it.",
    ),
]
Objective = Annotated[
    str | None,
    typer.Option(
        "--objective",
        metavar="NAMES",
        help="What counts, first things first: profit, flow (the sum of times to completion), lateness, "
        "preemptions, joined by commas. Else profit if orders have values, or flow.",
    ),
]
Formulation = Annotated[
    Literal["step", "paper"],
    typer.Option(
        "--formulation",
        help="step: fast; paper: the published equations, for comparison. Their optima are equal.",
    ),
]
Gap = Annotated[
    float,
    typer.Option(
        "--gap", min=0.0, max=1.0, help="Enough is a plan proven to be this close to the best; 0.01 is 1 %."
    ),
]
TimeLimit = Annotated[
    float, typer.Option("--time-limit", min=0.1, metavar="SECONDS", help="Or the best plan found by then.")
]
Preempt = Annotated[
    bool,
    typer.Option("--preemption/--no-preemption", help="Whether work that is under way may be interrupted."),
]
Forbid = Annotated[
    list[str] | None,
    typer.Option("--forbid", metavar="TASK", help="Never interrupt this task; may be repeated."),
]
MostPreemptions = Annotated[
    int | None, typer.Option("--max-preemptions", min=0, help="So many interruptions in a plan at most.")
]
MostPerItem = Annotated[
    int | None,
    typer.Option(
        "--max-preemptions-per-item", min=0, help="Work that was interrupted so often isn't any more."
    ),
]
Penalty = Annotated[
    float,
    typer.Option("--preemption-penalty", min=0.0, metavar="MONEY", help="What each interruption costs."),
]
ResumePenalty = Annotated[
    float,
    typer.Option("--resume-penalty", min=0.0, metavar="MIN", help="Minutes that each resumption adds."),
]
SameAgent = Annotated[bool, typer.Option("--same-agent", help="Who began a task resumes it, nobody else.")]
