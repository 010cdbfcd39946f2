"""The group of commands that hold the twin, or what to do with it, against what happened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ui import commands_backtest_forecasts
from ui.options import DB, Db, Json, Map, Open, ProgressFile, Seed, Twin, Workers

if TYPE_CHECKING:
    from twin.backtest_commands import TryRequest
    from twin.source import LogRequest

app = typer.Typer(help="Hold the twin's forecasts, or policies, against the past.", no_args_is_help=True)
app.command()(commands_backtest_forecasts.forecasts)

_Log = Annotated[str, typer.Option("--log", help="The log with the past: path or name.")]
_Own = Annotated[
    str, typer.Option("--own", metavar="POLICY", help="What is in force: own (the twin's rules), or another.")
]
_Since = Annotated[
    str, typer.Option(help="When the first period begins; by default so that the last is over.")
]
_Period = Annotated[str, typer.Option(metavar="TIME", help="How long a period is, e.g. 7d.")]
_Periods = Annotated[int, typer.Option(min=1, help="How many, one after the other.")]
_Replications = Annotated[int, typer.Option(min=1, help="Runs a period, for what the log doesn't tell.")]
_Objective = Annotated[
    str,
    typer.Option(
        help="profit, late_h, lead_h, on_time, lost, wip or preemptions; by default as orders have it."
    ),
]
_AsIs = Annotated[
    bool,
    typer.Option("--as-is", help="Take the twin as it is, instead of fitting it to what was known then."),
]
_Out = Annotated[Path | None, typer.Option(help="A row a period and contender (CSV).")]
_Chart = Annotated[Path | None, typer.Option(help="Differences and periods: .svg, .png or .html.")]
_Margin = Annotated[float, typer.Option(min=0.0, help="A gain too small to matter, as a share.")]


@app.command()
def policies(
    twin: Twin,
    log: _Log,
    policies: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="What to try, joined by commas: names such as P, D, S, PD, FIFO; milp (plans made again and "
            "again); module:object (Python).",
        ),
    ] = "P,D,S,F1,PD,PS,PDS",
    rule: Annotated[
        list[str] | None, typer.Option(metavar="EXPR", help="Also try this expression on orders; repeatable.")
    ] = None,
    own: _Own = "own",
    since: _Since = "",
    period: _Period = "7d",
    periods: _Periods = 8,
    replications: _Replications = 8,
    objective: _Objective = "",
    margin: _Margin = 0.01,
    as_is: _AsIs = False,
    plan_every: Annotated[str, typer.Option(metavar="TIME", help="milp: how often a plan is made.")] = "4h",
    computing: Annotated[
        str, typer.Option(metavar="TIME", help="milp: simulated time until a plan counts.")
    ] = "1m",
    gap: Annotated[
        float, typer.Option(min=0.0, help="milp: a plan proven to be so good is good enough.")
    ] = 0.05,
    time_limit: Annotated[float, typer.Option(min=0.1, help="milp: seconds to look for each plan.")] = 5.0,
    open_cases: Open = None,
    out: _Out = None,
    chart: _Chart = None,
    seed: Seed = 0,
    workers: Workers = None,
    mapping: Map = None,
    db: Db = DB,
    progress_file: ProgressFile = None,
    as_json: Json = False,
) -> None:
    """Try policies on the past: same orders, ways and work, from what was known at each period's start."""
    from twin.backtest_commands import policies_command
    from twin.planned_policy import Planning
    from twin.requests import log_request
    from twin.spans import seconds_of
    from ui import console, results_backtested

    wanted = _request(
        twin,
        log_request(log, db, mapping, open_file=open_cases),
        (own, since, period, as_is),
        (periods, replications, seed, workers, margin, objective),
        (out, chart),
    )
    wanted = replace(
        wanted,
        policies=tuple(filter(None, (name.strip() for name in policies.split(",")))),
        rules=tuple(rule or ()),
        planning=Planning(
            seconds_of(plan_every, "--plan-every"), seconds_of(computing, "--computing"), gap, time_limit
        ),
    )
    with console.apart(), console.progress(progress_file) as progress:
        found = policies_command(wanted, progress)
    results_backtested.show_backtested(found, as_json, [path for path in (out, chart) if path])


@app.command()
def scenario(
    twin: Twin,
    file: Annotated[Path, typer.Argument(metavar="SCENARIO", help="What is different (TOML).")],
    log: _Log,
    own: _Own = "own",
    since: _Since = "",
    period: _Period = "7d",
    periods: _Periods = 8,
    replications: _Replications = 8,
    objective: _Objective = "",
    margin: _Margin = 0.01,
    as_is: _AsIs = False,
    open_cases: Open = None,
    out: _Out = None,
    chart: _Chart = None,
    seed: Seed = 0,
    workers: Workers = None,
    mapping: Map = None,
    db: Db = DB,
    progress_file: ProgressFile = None,
    as_json: Json = False,
) -> None:
    """Try a change of the process on the past: the same orders and work, as far as the change leaves them."""
    from twin.backtest_commands import scenario_command
    from twin.requests import log_request
    from ui import console, results_backtested

    wanted = _request(
        twin,
        log_request(log, db, mapping, open_file=open_cases),
        (own, since, period, as_is),
        (periods, replications, seed, workers, margin, objective),
        (out, chart),
    )
    with console.apart(), console.progress(progress_file) as progress:
        found = scenario_command(wanted, file, progress)
    results_backtested.show_backtested(found, as_json, [path for path in (out, chart) if path])


@app.command("list")
def list_(
    twin: Annotated[str | None, typer.Option("--twin", help="Only those of this twin, by its name.")] = None,
    db: Db = DB,
    as_json: Json = False,
) -> None:
    """List the backtests that the database keeps."""
    from twin.kept_backtests import backtests_of
    from ui import results_backtested

    results_backtested.show_kept(backtests_of(db, twin), as_json)


@app.command()
def show(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="As tracetwin backtest list tells it.")],
    db: Db = DB,
    as_json: Json = False,
) -> None:
    """Show a backtest as it was kept."""
    from twin.backtest_results import PolicyBacktest
    from twin.kept_backtests import kept_backtest
    from ui import results_backtest_forecasts, results_backtested

    found = kept_backtest(db, number)
    if isinstance(found, PolicyBacktest):
        results_backtested.show_backtested(found, as_json)
    else:
        results_backtest_forecasts.show_forecasts(found, as_json)


def _request(
    twin: str,
    log: LogRequest,
    past: tuple[str, str, str, bool],
    how: tuple[int, int, int, int | None, float, str],
    files: tuple[Path | None, Path | None],
) -> TryRequest:
    """What both commands ask: what is in force, since when, how long a period is, and whether the twin stays;
    periods, replications, seed, workers, margin and objective; table and picture."""
    from twin.backtest_commands import TryRequest
    from twin.backtest_results import BacktestOptions

    own, since, period, as_is = past
    periods, replications, seed, workers, margin, objective = how
    options = BacktestOptions(
        periods=periods,
        replications=replications,
        seed=seed,
        workers=workers,
        margin=margin,
        objective=objective,
    )
    out, chart = files
    return TryRequest(
        twin, log, own, since=since, period=period, options=options, as_is=as_is, out=out, chart=chart
    )
