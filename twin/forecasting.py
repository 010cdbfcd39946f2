"""What the commands that look ahead do: a log's open orders in; a forecast or a quote, and files, out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from metagraph.model import Metagraph
from twin.announced import with_announced
from twin.files import check_picture_name, check_writable, write_forecast, write_system
from twin.outlook import Forecast, Quote
from twin.progress import Progress
from twin.quote_asked import Asked
from twin.renames import closing_in_log_words
from twin.source import LogRequest, LogSource, read_log


@dataclass(frozen=True, slots=True)
class ForecastRequest:
    """How to forecast, and where to write it."""

    as_of: datetime
    horizons_h: tuple[float, ...] = ()
    replications: int = 200
    seed: int = 0
    workers: int | None = None
    out: Path | None = None
    system_out: Path | None = None
    report: Path | None = None
    chart: Path | None = None
    wip_chart: Path | None = None
    load_chart: Path | None = None
    plain: bool = False
    """By the simulation alone, without what the log teaches."""


def forecast_command(
    model: Metagraph, request: LogRequest, wanted: ForecastRequest, progress: Progress
) -> Forecast:
    """Forecast the orders open at the instant and write the files that were asked for."""
    from twin.forecast import forecast
    from twin.learnt_kept import folder_of

    check_writable(wanted.out, wanted.system_out, wanted.report)
    for option, path in _pictures(wanted).items():
        check_picture_name(path, option)
        check_writable(path)
    source = _open_orders(model, request, progress.part(0.0, 0.1))
    told, etas, notes = with_announced(model, request)
    result = forecast(
        told,
        source.snapshot,
        open_rule=source.open_rule,
        etas=etas,
        replications=wanted.replications,
        horizons_h=wanted.horizons_h,
        seed=wanted.seed,
        workers=wanted.workers,
        learning=not wanted.plain,
        keep=folder_of(request.db),
        progress=progress.part(0.1, 1.0),
    )
    result = replace(result, notes=(*notes, *result.notes))
    if wanted.out:
        write_forecast(wanted.out, result)
    if wanted.system_out:
        write_system(wanted.system_out, result)
    if wanted.report:
        from twin.report import write_report

        write_report(wanted.report, model, forecast=result)
    _draw(model, result, wanted)
    return result


def _pictures(wanted: ForecastRequest) -> dict[str, Path | None]:
    return {
        "--chart": wanted.chart,
        "--wip-chart": wanted.wip_chart,
        "--load-chart": wanted.load_chart,
    }


def _draw(model: Metagraph, result: Forecast, wanted: ForecastRequest) -> None:
    """The pictures that were asked for."""
    if not any(_pictures(wanted).values()):
        return
    from twin.drawing_tools import write_picture
    from twin.forecast_charts import forecast_gantt
    from twin.load_charts import fans_chart, load_chart

    if wanted.chart:
        write_picture(wanted.chart, forecast_gantt(result, model))
    if wanted.wip_chart:
        write_picture(wanted.wip_chart, fans_chart(result))
    if wanted.load_chart:
        write_picture(wanted.load_chart, load_chart(result))


@dataclass(frozen=True, slots=True)
class QuoteRequest:
    """What is quoted, and how."""

    asked: Asked
    replications: int = 200
    seed: int = 0
    workers: int | None = None
    chart: Path | None = None
    plain: bool = False
    """By the simulation alone, without what the log teaches."""


def quote_command(
    model: Metagraph,
    request: LogRequest,
    wanted: QuoteRequest,
    progress: Progress,
    warn: Callable[[str], None],
) -> Quote:
    """Promise dates of a new order at the instant. `warn` is told if nothing is open then."""
    from twin.learnt_kept import folder_of
    from twin.quote import quote

    check_picture_name(wanted.chart)
    check_writable(wanted.chart)
    source = _open_orders(model, request, progress.part(0.0, 0.1))
    if not source.snapshot.is_open.any():
        warn(
            f"the log ends {source.report.last:%Y-%m-%d %H:%M} UTC, and nothing is open at the instant of "
            "the quote: it is for an empty process"
        )
    told, etas, notes = with_announced(model, request)
    result = quote(
        told,
        source.snapshot,
        wanted.asked,
        etas=etas,
        replications=wanted.replications,
        seed=wanted.seed,
        workers=wanted.workers,
        learning=not wanted.plain,
        keep=folder_of(request.db),
        progress=progress.part(0.1, 1.0),
    )
    result = replace(result, notes=(*notes, *result.notes))
    if wanted.chart:
        from twin.drawing_tools import write_picture
        from twin.quote_charts import quote_chart

        write_picture(wanted.chart, quote_chart(result))
    return result


def _open_orders(model: Metagraph, request: LogRequest, progress: Progress) -> LogSource:
    """The log as known then; without a list the twin's own closing rule tells who is open."""
    wanted = replace(request, closing=closing_in_log_words(model))
    return read_log(wanted, progress.step, lambda text: progress.step(text, 0.0))
