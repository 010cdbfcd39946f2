"""The demo: the whole way on the bundled log, in the folder the user names."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, TypeVar

from rich.markup import escape

from metagraph.errors import DataError
from twin.commands import build_command
from twin.forecasting import ForecastRequest, QuoteRequest, forecast_command, quote_command
from twin.imports import take_command
from twin.json_out import dump
from twin.progress import Progress
from twin.requests import log_request
from ui import console, import_tables, results, results_forecast, results_quote, tables
from ui.tasks import holdout

if TYPE_CHECKING:
    from metagraph.model import Metagraph
    from twin.outlook import Forecast
    from twin.validation import Validation

T = TypeVar("T")

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
LOG = EXAMPLES / "order_to_cash.csv"
CONFIG = EXAMPLES / "order_to_cash.toml"
VALIDATION_RUNS = 5


def run_demo(out: Path, seed: int, json_wanted: bool) -> None:
    """Import, build, validate on the last fifth, forecast, quote; pictures and report.html in `out`.

    Raises DataError if the folder can't be made.
    """
    from twin.quote_asked import Asked
    from twin.report import write_report

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"--out {out}: no such folder can be made ({error.strerror}); name another"
        ) from error
    db = str(out / "demo.duckdb")
    request = log_request(str(LOG), db, config=CONFIG)
    steps = _Steps(json_wanted)
    with steps("1/5  Import the bundled order-to-cash log into an embedded DuckDB file") as progress:
        report = take_command(request, None, progress)
    steps.show("import", import_tables.show_import, report)
    with steps("2/5  Validate: a twin of the first four fifths simulates the last fifth") as progress:
        validation = holdout(Path(db), report.log, CONFIG, VALIDATION_RUNS, seed, progress)
    steps.show("validation", results.show_validation, validation)
    with steps("3/5  Build the twin from the whole log") as progress:
        model = build_command(request, out / "twin.json", CONFIG, seed, progress).twin
    steps.show("twin", tables.show_twin, model)
    wanted = ForecastRequest(as_of=report.last, horizons_h=(24.0, 168.0), seed=seed, out=out / "forecast.csv")
    request = log_request(report.log, db, config=CONFIG, until=report.last)
    with steps("4/5  Forecast the open orders") as progress:
        forecast = forecast_command(model, request, wanted, progress)
    steps.show("forecast", results_forecast.show_briefly, forecast)
    steps.rest(
        "Every order, the load of queues and people, and what the dates rest on:",
        f"tracetwin forecast {quote(str(out / 'twin.json'))} --log {report.log} --horizons-h 24,168",
        f"--as-of {report.last.isoformat()} --seed {seed} --db {quote(db)}",
    )
    segment = model.orders.classes[0].segment if model.orders.classes else ""
    asked = QuoteRequest(Asked(segment=segment), seed=seed)
    with steps("5/5  Quote a promise date for a new order") as progress:
        quoted = quote_command(model, request, asked, progress, console.warn)
    steps.show("quote", results_quote.show_quote, quoted)
    write_report(out / "report.html", model, validation=validation, forecast=forecast, quote=quoted)
    _pictures(out, model, validation, forecast)
    steps.end(
        f"Done. Open {out / 'report.html'}; pictures and forecast.csv are beside it.",
        "Next: 'tracetwin build YOUR_LOG.csv --twin twin.json' does the same for your log; so do the "
        "pages that 'make app' opens, where 'Try the bundled example' builds this twin anew.",
    )


def _pictures(out: Path, model: Metagraph, validation: Validation, forecast: Forecast) -> None:
    """The process, the validation and the forecast as pictures of their own."""
    from metagraph.drawing import draw_svg
    from twin.charts import forecast_gantt, to_svg, validation_bars

    (out / "process.svg").write_text(draw_svg(model), encoding="utf-8")
    (out / "validation.svg").write_text(to_svg(validation_bars(validation)), encoding="utf-8")
    (out / "forecast.svg").write_text(to_svg(forecast_gantt(forecast)), encoding="utf-8")


class _Steps:
    """Headlines and results for people, step by step; as JSON all results in one object."""

    def __init__(self, json_wanted: bool) -> None:
        self._json_wanted = json_wanted
        self._results: list[str] = []

    def __call__(self, headline: str) -> AbstractContextManager[Progress]:
        if not self._json_wanted:
            console.OUT.print(f"\n[bold blue]{headline}[/bold blue]")
        return console.progress()

    def show(self, name: str, how: Callable[[T, bool], None], result: T) -> None:
        if not self._json_wanted:
            how(result, False)
            return
        from metagraph.json_io import to_json
        from metagraph.model import Metagraph

        text = to_json(result) if isinstance(result, Metagraph) else dump(result)
        self._results.append(f'"{name}": {text.strip()}')

    def rest(self, told: str, *command: str) -> None:
        """Name the command, in as many lines, that shows what the step leaves out."""
        if not self._json_wanted:
            console.say(told)
            console.OUT.print(escape("  " + " \\\n      ".join(command)), soft_wrap=True)

    def end(self, *sentences: str) -> None:
        if self._json_wanted:
            sys.stdout.write("{" + ",\n".join(self._results) + "}\n")
            return
        console.OUT.print()
        for sentence in sentences:
            console.OUT.print(f"[bold blue]{escape(sentence)}[/bold blue]")
