"""The demo: the whole way on the bundled log, in the folder the user names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from twin.commands import (
    ForecastRequest,
    build_command,
    forecast_command,
    import_command,
    log_request,
    quote_command,
)
from twin.progress import Progress
from ui import console

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot
    from metagraph.model import Metagraph
    from twin.outlook import Forecast
    from twin.validation import Validation

T = TypeVar("T")

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
LOG = EXAMPLES / "order_to_cash.csv"
CONFIG = EXAMPLES / "order_to_cash.toml"
VALIDATION_RUNS = 5


def run_demo(out: Path, seed: int, json_wanted: bool) -> None:
    """Import, build, validate on the last fifth, forecast, quote; pictures and report.html in `out`."""
    from twin.report import write_report

    out.mkdir(parents=True, exist_ok=True)
    db = str(out / "demo.duckdb")
    request = log_request(str(LOG), db, config=CONFIG)
    say = _Steps(quiet=json_wanted)
    say("1/5  Import the bundled order-to-cash log into an embedded DuckDB file")
    with console.progress() as progress:
        report = import_command(request, None, progress)
    say.show(console.show_import, report)
    say("2/5  Validate: a twin of the first four fifths simulates the last fifth")
    with console.progress() as progress:
        validation = _validated(db, report.log, seed, progress)
    say.show(console.show_validation, validation)
    say("3/5  Build the twin from the whole log")
    with console.progress() as progress:
        model = build_command(request, out / "twin.json", CONFIG, seed, progress)
    say.show(console.show_twin, model)
    say("4/5  Forecast the open orders")
    wanted = ForecastRequest(as_of=report.last, horizons_h=(24.0, 168.0), seed=seed, out=out / "forecast.csv")
    request = log_request(report.log, db, config=CONFIG, until=report.last)
    with console.progress() as progress:
        forecast = forecast_command(model, request, wanted, progress)
    say.show(console.show_forecast, forecast)
    say("5/5  Quote a promise date for a new order")
    segment = model.orders.classes[0].segment if model.orders.classes else ""
    with console.progress() as progress:
        quote = quote_command(model, request, "", segment, 200, seed, None, progress)
    say.show(console.show_quote, quote)
    write_report(out / "report.html", model, validation=validation, forecast=forecast, quote=quote)
    _pictures(out, model, validation, forecast)
    say(f"Done. Open {out / 'report.html'}; pictures and forecast.csv are beside it.")
    say("Next: 'make app' shows it in the browser; 'tracetwin build YOUR_LOG.csv --twin twin.json' is yours.")


def _validated(db: str, log: str, seed: int, progress: Progress) -> Validation:
    """A twin built from what was known after four fifths of the events, judged on the cases after that."""
    from eventlogs.historian import Historian
    from eventlogs.split import closed_cases, split_snapshot
    from twin.build import build, request_of
    from twin.source import LogRequest, read_log
    from twin.validate import validate

    with Historian(db) as historian:
        whole: Snapshot = historian.snapshot(log)
    train, test = split_snapshot(closed_cases(whole), 0.8)
    cut = whole.origin + timedelta(seconds=train.until_s)
    source = read_log(LogRequest(log, db, until=cut))
    model = build(source, request_of(CONFIG, "four fifths", seed), progress.part(0.0, 0.7))
    return validate(model, test, train, runs=VALIDATION_RUNS, seed=seed, progress=progress.part(0.7, 1.0))


def _pictures(out: Path, model: Metagraph, validation: Validation, forecast: Forecast) -> None:
    """The process, the validation and the forecast as pictures of their own."""
    from metagraph.drawing import draw_svg

    from twin.charts import forecast_gantt, to_svg, validation_bars

    (out / "process.svg").write_text(draw_svg(model), encoding="utf-8")
    (out / "validation.svg").write_text(to_svg(validation_bars(validation)), encoding="utf-8")
    (out / "forecast.svg").write_text(to_svg(forecast_gantt(forecast)), encoding="utf-8")


class _Steps:
    """Headlines and results for people; with JSON wanted, results only."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet

    def __call__(self, text: str) -> None:
        if not self._quiet:
            console.OUT.print(f"\n[bold blue]{text}[/bold blue]")

    def show(self, how: Callable[[T, bool], None], result: T) -> None:
        how(result, self._quiet)
