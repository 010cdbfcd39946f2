"""The commands that look ahead: forecast and quote."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ui.options import DB, Db, Json, Map, Open, ProgressFile, Seed, Twin, Workers


def forecast(
    twin: Twin,
    log: Annotated[str, typer.Option("--log", help="The log with the open orders: path or name.")],
    as_of: Annotated[str, typer.Option(help="The instant of the forecast: nothing later is used.")],
    out: Annotated[
        Path | None, typer.Option(help="Quantiles of completion, a row an open order (CSV).")
    ] = None,
    open_cases: Open = None,
    system_out: Annotated[
        Path | None, typer.Option(help="WIP, completions and arrivals at the horizons (CSV).")
    ] = None,
    horizons_h: Annotated[
        str,
        typer.Option(help="Horizons in hours, e.g. 24,168; else even steps for as long as most orders take."),
    ] = "",
    replications: Annotated[int, typer.Option(min=1, help="Futures to simulate.")] = 200,
    seed: Seed = 0,
    mapping: Map = None,
    report: Annotated[Path | None, typer.Option(help="Also write a report (HTML) to this file.")] = None,
    chart: Annotated[
        Path | None, typer.Option(help="The open orders on a time line: .svg, .png or .html.")
    ] = None,
    wip_chart: Annotated[
        Path | None, typer.Option(help="Orders in process, completed and arrived over time: the same kinds.")
    ] = None,
    load_chart: Annotated[
        Path | None, typer.Option(help="The load of queues and agents over time: the same kinds.")
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="The simulation alone, without what the log teaches; faster.")
    ] = False,
    db: Db = DB,
    workers: Workers = None,
    progress_file: ProgressFile = None,
    as_json: Json = False,
) -> None:
    """Forecast every order that is open at an instant."""
    from twin.forecasting import ForecastRequest, forecast_command
    from twin.requests import log_request, parse_horizons
    from twin.source import instant, read_twin
    from ui import console, results_forecast

    request = ForecastRequest(
        as_of=instant(as_of, "--as-of"),
        horizons_h=parse_horizons(horizons_h),
        replications=replications,
        seed=seed,
        workers=workers,
        out=out,
        system_out=system_out,
        report=report,
        chart=chart,
        wip_chart=wip_chart,
        load_chart=load_chart,
        plain=plain,
    )
    model = read_twin(twin, db)
    logs = log_request(log, db, mapping, until=request.as_of, open_file=open_cases)
    with console.progress(progress_file) as progress:
        result = forecast_command(model, logs, request, progress)
    files = (out, system_out, report, chart, wip_chart, load_chart)
    results_forecast.show_forecast(result, as_json, [path for path in files if path])


def quote(
    twin: Twin,
    log: Annotated[str, typer.Option("--log", help="The log with the open orders: path or name.")],
    as_of: Annotated[str, typer.Option(help="When the new order arrives.")],
    cls: Annotated[str, typer.Option("--class", help="Its class.")] = "",
    segment: Annotated[str, typer.Option(help="Its customer segment.")] = "",
    value: Annotated[
        float | None, typer.Option(min=0.0, help="What it is worth, in the log's money.")
    ] = None,
    due: Annotated[str | None, typer.Option(help="The due date that the customer asks for.")] = None,
    policy: Annotated[
        str, typer.Option(help="What goes first: own (the twin's rules), or any that simulate takes.")
    ] = "own",
    against: Annotated[
        list[str] | None, typer.Option(help="Another policy to compare with; may be given several times.")
    ] = None,
    alternatives: Annotated[
        bool,
        typer.Option(
            "--alternatives/--no-alternatives",
            help="What another priority and one more agent would change.",
        ),
    ] = True,
    chart: Annotated[
        Path | None, typer.Option(help="Dates, history and where the time goes: .svg, .png or .html.")
    ] = None,
    open_cases: Open = None,
    replications: Annotated[int, typer.Option(min=1, help="Futures to simulate.")] = 200,
    seed: Seed = 0,
    plain: Annotated[
        bool, typer.Option("--plain", help="The simulation alone, without what the log teaches; faster.")
    ] = False,
    mapping: Map = None,
    db: Db = DB,
    workers: Workers = None,
    progress_file: ProgressFile = None,
    as_json: Json = False,
) -> None:
    """Quote promise dates for a new order, given everything that is open."""
    from twin.forecasting import QuoteRequest, quote_command
    from twin.policies import Wanted, policy_of
    from twin.quote_asked import Asked
    from twin.requests import log_request
    from twin.source import instant, read_twin
    from ui import console, results_quote

    with console.apart():
        chosen = policy_of(Wanted(policy), Path.cwd())
        others = tuple((name, policy_of(Wanted(name), Path.cwd(), "--against")) for name in against or ())
    asked = Asked(
        cls=cls,
        segment=segment,
        value=value,
        due=instant(due, "--due") if due else None,
        policy=chosen,
        named=policy,
        against=others,
        alternatives=alternatives,
    )
    model = read_twin(twin, db)
    logs = log_request(log, db, mapping, until=instant(as_of, "--as-of"), open_file=open_cases)
    wanted = QuoteRequest(asked, replications, seed, workers, chart, plain)
    with console.apart(), console.progress(progress_file) as progress:
        result = quote_command(model, logs, wanted, progress, console.warn)
    results_quote.show_quote(result, as_json, [chart] if chart else [])
