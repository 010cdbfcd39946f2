"""Commands about the twins that there are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ui.options import DB, Db, Json, Seed, Twin


def show(
    twin: Twin,
    db: Db = DB,
    svg: Annotated[Path | None, typer.Option(help="Write the process diagram to this file.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the report (HTML) to this file.")] = None,
    choices: Annotated[
        bool, typer.Option("--choices", help="Only what it was chosen among: every candidate's scores.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Summarise a twin: tasks, agents, how it was chosen, what it assumes."""
    from twin.commands import write_pictures
    from twin.source import read_twin
    from ui import tables

    model = read_twin(twin, db)
    write_pictures(model, svg, report)
    if choices and not as_json:
        tables.show_choices(model)
    else:
        tables.show_twin(model, as_json)


def waits(
    twin: Twin,
    db: Db = DB,
    out: Annotated[Path | None, typer.Option(help="Write a row a task to this file (CSV).")] = None,
    chart: Annotated[Path | None, typer.Option(help="Draw it to this file: .svg, .png or .html.")] = None,
    as_json: Json = False,
) -> None:
    """Where the time of orders goes: off shift, busy agents, prioritisation, batching, and what remains."""
    from twin.commands import write_waits
    from twin.source import read_twin
    from ui import tables

    model = read_twin(twin, db)
    times = write_waits(model, out, chart)
    tables.show_waits(model, times, as_json, out)


def arrivals(
    twin: Twin,
    weeks: Annotated[int | None, typer.Option(min=1, help="So many weeks (8 if not given).")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Or so many days, one by one.")] = None,
    start: Annotated[
        str | None,
        typer.Option(
            help="The day it begins with (ISO 8601); else the first whole day after the twin's log."
        ),
    ] = None,
    replications: Annotated[int, typer.Option(min=2, help="Futures to draw.")] = 1000,
    out: Annotated[Path | None, typer.Option(help="Write a row a day or week to this file (CSV).")] = None,
    chart: Annotated[Path | None, typer.Option(help="Draw it to this file: .svg, .png or .html.")] = None,
    seed: Seed = 0,
    db: Db = DB,
    as_json: Json = False,
) -> None:
    """How many orders will come, by week or day, with 80 and 95 % intervals."""
    from metagraph.errors import UsageError
    from twin.commands import foresee_arrivals
    from twin.source import instant, read_twin
    from ui import results_volume

    if weeks is not None and days is not None:
        raise UsageError("--weeks and --days both say how far to look; leave one of them out")
    asked: dict[Literal["day", "week"], int] = {"day": days} if days else {"week": weeks or 8}
    begin = instant(start, "--start") if start else None
    model = read_twin(twin, db)
    volume = foresee_arrivals(model, asked, begin, replications, seed, out, chart)
    results_volume.show_volume(volume, as_json, [path for path in (out, chart) if path])
