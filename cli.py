"""The commands. Each one reads its arguments, calls twin/ and prints; the work is done elsewhere."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from metagraph.errors import TwinError
from ui import (
    commands_backtest,
    commands_bottlenecks,
    commands_forecast,
    commands_import,
    commands_jobs,
    commands_log,
    commands_models,
    commands_optimize,
    commands_recalibrate,
    commands_reschedule,
    commands_simulate,
    commands_twins,
    commands_whatif,
    commands_worklist,
)
from ui.options import (
    DB,
    HIGHEST_SEED,
    Config,
    Db,
    Json,
    Log,
    LogEnd,
    Map,
    Open,
    ProgressFile,
    Quarantine,
    Seed,
    TimeFormat,
    Twin,
)

app = typer.Typer(
    name="tracetwin",
    help="A calibrated digital twin of a business process, from its event log.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


app.add_typer(commands_import.app, name="import")
app.command()(commands_log.quality)
app.command()(commands_log.mine)
app.command()(commands_log.state)
app.command()(commands_twins.show)
app.command()(commands_twins.waits)
app.command()(commands_twins.arrivals)
app.command()(commands_recalibrate.recalibrate)
app.command()(commands_jobs.worker)
app.add_typer(commands_jobs.app, name="jobs")
app.command()(commands_worklist.worklist)
app.command()(commands_bottlenecks.bottlenecks)
app.command()(commands_simulate.simulate)
app.command()(commands_whatif.whatif)
app.command()(commands_forecast.forecast)
app.command()(commands_forecast.quote)
app.command()(commands_optimize.optimize)
app.command()(commands_reschedule.reschedule)
app.add_typer(commands_models.app, name="models")
app.add_typer(commands_optimize.schedule_app, name="schedule")
app.add_typer(commands_backtest.app, name="backtest")


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
    from twin.commands import build_command
    from twin.requests import log_request
    from twin.source import instant
    from ui import console, tables

    moment = instant(until, "--until") if until else None
    request = log_request(log, db, mapping, config, time_format, quarantine, moment, open_cases)
    with console.progress(progress_file) as progress:
        built = build_command(request, twin, config, seed, progress)
    tables.show_built(built, twin, as_json)


@app.command()
def validate(
    twin: Twin,
    log: Annotated[str, typer.Option("--log", help="A log the twin has not seen: path or name.")],
    train: Annotated[str | None, typer.Option(help="The log it was built from, for the references.")] = None,
    runs: Annotated[int, typer.Option(min=1, help="Simulated logs.")] = 10,
    log_end: LogEnd = None,
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
        result = validate_command(
            model, log, train, db, mapping, runs, seed, report, progress, console.warn, log_end
        )
    results.show_validation(result, as_json)


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
