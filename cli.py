"""The commands. Each one reads its arguments, calls twin/ and prints; the work is done elsewhere."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from metagraph.errors import TwinError, UsageError

app = typer.Typer(
    name="tracetwin",
    help="A calibrated digital twin of a business process, from its event log.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

Log = Annotated[str, typer.Argument(metavar="LOG", help="A log file's path, or the name of an imported log.")]
Twin = Annotated[str, typer.Argument(metavar="TWIN", help="A twin file's path, or name[@version].")]
Db = Annotated[str, typer.Option("--db", help="The database file.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Map = Annotated[
    str | None,
    typer.Option("--map", help="Which column is what: case=…,activity=…,resource=…,start=…,end=…"),
]
HIGHEST_SEED = 2**32 - 1
Seed = Annotated[
    int, typer.Option("--seed", min=0, max=HIGHEST_SEED, help="The same seed gives the same result.")
]
Config = Annotated[Path | None, typer.Option("--config", help="twin.toml; see docs/configuration.md.")]
Open = Annotated[Path | None, typer.Option("--open", help="File with the ids of the open cases, one a line.")]
Quarantine = Annotated[
    bool, typer.Option("--quarantine", help="Set unusable rows aside instead of refusing the file.")
]
TimeFormat = Annotated[
    str | None,
    typer.Option("--time-format", help="dmy, mdy, ymd or a strptime pattern, where times are ambiguous."),
]
ProgressFile = Annotated[
    Path | None,
    typer.Option("--progress-file", help="Also append progress to this file, a JSON line a step."),
]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Processes; all cores if not given.")]
DB = "tracetwin.duckdb"
LONGEST_HORIZON_H = 87600


@app.command("import")
def import_log(
    log: Annotated[Path, typer.Argument(metavar="FILE", help="A .csv, .csv.gz, .xes or .xes.gz file.")],
    db: Db = DB,
    name: Annotated[
        str | None, typer.Option("--log", help="Name in the database; default: the file's.")
    ] = None,
    mapping: Map = None,
    config: Config = None,
    time_format: TimeFormat = None,
    quarantine: Quarantine = False,
    as_json: Json = False,
) -> None:
    """Take a log into the database and say what was found in it."""
    from twin.commands import import_command, log_request
    from ui import console, tables

    request = log_request(str(log), db, mapping, config, time_format, quarantine)
    with console.progress() as progress:
        report = import_command(request, name, progress)
    tables.show_import(report, as_json)


@app.command()
def build(
    log: Log,
    twin: Annotated[Path, typer.Option("--twin", help="Where to write the twin.")],
    mapping: Map = None,
    config: Config = None,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed",
            min=0,
            max=HIGHEST_SEED,
            help="Same seed, same twin; default: the configuration's, else 0.",
        ),
    ] = None,
    db: Db = DB,
    until: Annotated[str | None, typer.Option(help="Use only what was known at this instant.")] = None,
    open_cases: Open = None,
    time_format: TimeFormat = None,
    quarantine: Quarantine = False,
    progress_file: ProgressFile = None,
    as_json: Json = False,
) -> None:
    """Discover and calibrate a twin from a log."""
    from twin.commands import build_command, log_request
    from twin.source import instant
    from ui import console, tables

    moment = instant(until, "--until") if until else None
    request = log_request(log, db, mapping, config, time_format, quarantine, moment, open_cases)
    with console.progress(progress_file) as progress:
        built = build_command(request, twin, config, seed, progress)
    tables.show_built(built, twin, as_json)


@app.command()
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
    db: Db = DB,
    as_json: Json = False,
) -> None:
    """Ask a log: directly-follows, variants, durations, waits, handovers, workload and more."""
    from ui import console, mined

    if what is None:
        mined.show_questions(as_json)
        return
    from twin.commands import log_request
    from twin.mine import mine_command

    request = log_request(log, db, mapping)
    with console.progress() as progress:
        table = mine_command(request, what, filters or (), by, zone, out, progress)
    mined.show_mined(what, table, as_json, out)


@app.command()
def simulate(
    twin: Twin,
    cases: Annotated[int, typer.Option(min=1, help="Orders to simulate.")],
    start: Annotated[str, typer.Option(help="When the first order arrives (ISO 8601; UTC without a zone).")],
    out: Annotated[Path | None, typer.Option(help="Where to write the (first) log: .csv or .csv.gz.")] = None,
    seed: Seed = 0,
    replications: Annotated[int, typer.Option(min=1, help="Runs; KPIs get 95 % intervals.")] = 1,
    policy: Annotated[str, typer.Option(help="Priority rule at the queues.")] = "FIFO",
    db: Db = DB,
    workers: Workers = None,
    progress_file: ProgressFile = None,
    as_json: Json = False,
) -> None:
    """Simulate new orders from an empty process, all run to their end."""
    from twin.commands import simulate_command
    from twin.source import instant, read_twin
    from ui import console, results

    model = read_twin(twin, db)
    with console.progress(progress_file) as progress:
        kpis = simulate_command(
            model,
            cases=cases,
            start=instant(start, "--start"),
            seed=seed,
            replications=replications,
            policy=policy,
            out=out,
            workers=workers,
            progress=progress,
        )
    results.show_kpis(kpis, as_json, written=out)


@app.command()
def validate(
    twin: Twin,
    log: Annotated[str, typer.Option("--log", help="A log the twin has not seen: path or name.")],
    train: Annotated[str | None, typer.Option(help="The log it was built from, for the references.")] = None,
    runs: Annotated[int, typer.Option(min=1, help="Simulated logs.")] = 10,
    seed: Seed = 0,
    mapping: Map = None,
    report: Annotated[Path | None, typer.Option(help="Also write a report (HTML) to this file.")] = None,
    db: Db = DB,
    progress_file: ProgressFile = None,
    as_json: Json = False,
) -> None:
    """Measure how far simulated logs are from a log the twin has not seen."""
    from twin.commands import validate_command
    from twin.source import read_twin
    from ui import console, results

    model = read_twin(twin, db)
    with console.progress(progress_file) as progress:
        result = validate_command(model, log, train, db, mapping, runs, seed, report, progress, console.warn)
    results.show_validation(result, as_json)


@app.command()
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
    horizons_h: Annotated[str, typer.Option(help="Horizons in hours, e.g. 24,168.")] = "",
    replications: Annotated[int, typer.Option(min=1, help="Futures to simulate.")] = 200,
    seed: Seed = 0,
    mapping: Map = None,
    report: Annotated[Path | None, typer.Option(help="Also write a report (HTML) to this file.")] = None,
    db: Db = DB,
    workers: Workers = None,
    progress_file: ProgressFile = None,
    as_json: Json = False,
) -> None:
    """Forecast every order that is open at an instant."""
    from twin.commands import ForecastRequest, forecast_command, log_request
    from twin.source import instant, read_twin
    from ui import console, results

    request = ForecastRequest(
        as_of=instant(as_of, "--as-of"),
        horizons_h=_horizons(horizons_h, system_out),
        replications=replications,
        seed=seed,
        workers=workers,
        out=out,
        system_out=system_out,
        report=report,
    )
    model = read_twin(twin, db)
    logs = log_request(log, db, mapping, until=request.as_of, open_file=open_cases)
    with console.progress(progress_file) as progress:
        result = forecast_command(model, logs, request, progress)
    results.show_forecast(result, as_json, written=out)


@app.command()
def quote(
    twin: Twin,
    log: Annotated[str, typer.Option("--log", help="The log with the open orders: path or name.")],
    as_of: Annotated[str, typer.Option(help="When the new order arrives.")],
    cls: Annotated[str, typer.Option("--class", help="Its class.")] = "",
    segment: Annotated[str, typer.Option(help="Its customer segment.")] = "",
    open_cases: Open = None,
    replications: Annotated[int, typer.Option(min=1, help="Futures to simulate.")] = 200,
    seed: Seed = 0,
    mapping: Map = None,
    db: Db = DB,
    workers: Workers = None,
    progress_file: ProgressFile = None,
    as_json: Json = False,
) -> None:
    """Quote promise dates for a new order, given everything that is open."""
    from twin.commands import log_request, quote_command
    from twin.source import instant, read_twin
    from ui import console, results

    model = read_twin(twin, db)
    logs = log_request(log, db, mapping, until=instant(as_of, "--as-of"), open_file=open_cases)
    with console.progress(progress_file) as progress:
        result = quote_command(model, logs, cls, segment, replications, seed, workers, progress, console.warn)
    results.show_quote(result, as_json)


@app.command()
def show(
    twin: Twin,
    db: Db = DB,
    svg: Annotated[Path | None, typer.Option(help="Write the process diagram to this file.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the report (HTML) to this file.")] = None,
    as_json: Json = False,
) -> None:
    """Summarise a twin: tasks, agents, how it was chosen, what it assumes."""
    from twin.commands import write_pictures
    from twin.source import read_twin
    from ui import tables

    model = read_twin(twin, db)
    write_pictures(model, svg, report)
    tables.show_twin(model, as_json)


@app.command()
def models(
    db: Db = DB,
    promote: Annotated[
        str | None,
        typer.Option(metavar="NAME@VERSION", help="Make this version the one that the name alone means."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the twins that the database keeps; each build is kept as a version of its file's name."""
    from getpass import getuser

    from twin.commands import list_models, promote_model
    from ui import tables

    if promote:
        promote_model(db, promote, getuser())
    tables.show_models(list_models(db), as_json)


@app.command()
def serve(
    db: Db = DB,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The first port to try; 0: any.")] = 8501,
    as_json: Json = False,
) -> None:
    """Serve the pages and the REST interface; all other commands then work through this process."""
    from service.server import serve as run
    from ui import console
    from ui.serving import show_served

    run(Path(db), host, port, lambda served: show_served(served, as_json), console.warn)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the twin, pictures and the report.")] = Path("demo"),
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """The whole way on the bundled order-to-cash log: import, build, validate, forecast, quote."""
    from ui.demo import run_demo

    run_demo(out, seed, as_json)


def _horizons(text: str, system_out: Path | None) -> tuple[float, ...]:
    try:
        horizons = tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise UsageError(f"--horizons-h {text}: expected hours, e.g. 24,168") from error
    if not all(0 < h <= LONGEST_HORIZON_H for h in horizons):
        raise UsageError(
            f"--horizons-h {text}: expected hours above 0, up to {LONGEST_HORIZON_H} (ten years)"
        )
    if system_out and not horizons:
        raise UsageError("--system-out needs horizons: add e.g. --horizons-h 24,168")
    return horizons


class _Stopped(BaseException):
    """A signal asked the program to end; no handler of mere errors may swallow it."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(signal_number).name}")
        self.exit_code = 128 + signal_number


def _stop(signal_number: int, frame: FrameType | None) -> None:
    raise _Stopped(signal_number)


def main() -> None:
    """Run the commands; faults of the input end in one sentence and the exit code of their kind."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        app()
    except TwinError as error:
        _end(str(error), error.exit_code)
    except _Stopped as stopped:
        _end(f"{stopped}; no file is half-written", stopped.exit_code)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _end(f"{where}{error.strerror or error}; check the path, its permissions and the free space", 3)


def _end(sentence: str, exit_code: int) -> None:
    sys.stderr.write(f"tracetwin: {sentence}\n")
    sys.exit(exit_code)


if __name__ == "__main__":
    main()
