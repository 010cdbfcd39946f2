"""What the command that backtests forecasts does: a log in; what its forecasts were worth, out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from metagraph.errors import UsageError
from metagraph.model import Metagraph
from twin import backtest_forecast_kept as kept_instants
from twin.backtest_forecast_result import ForecastBacktest, result
from twin.backtest_forecast_words import notes_on
from twin.backtest_forecasts import BacktestRequest, Made, Twins, made_at
from twin.backtest_origins import Truth, origins, truth_of
from twin.files import check_picture_name, check_writable
from twin.kept_backtests import keep
from twin.progress import Progress
from twin.source import LogRequest, read_log

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot

SHARES = (0.01, 0.05)
"""Horizons for the orders in process, unless told, as shares of the log's span."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to backtest, and where to write it."""

    origins: int = 10
    begin: datetime | None = None
    end: datetime | None = None
    horizons_h: tuple[float, ...] = ()
    replications: int = 200
    seed: int = 0
    workers: int | None = None
    plain: bool = False
    boosted: bool = True
    config: Path | None = None
    out: Path | None = None
    chart: Path | None = None
    named: str = ""
    """The twin, as it was asked for."""


_ASKED = ("origins", "begin", "end", "replications", "seed", "plain", "boosted", "config")


def backtest_forecasts_command(
    twin: Metagraph | None, log: LogRequest, wanted: Wanted, progress: Progress
) -> ForecastBacktest:
    """Forecasts at past instants of the log beside what came; the files that were asked for are written.

    `twin` None: chosen at the first instant from what was known then.
    """
    from twin.backtest_forecast_charts import backtest_chart
    from twin.backtest_forecast_rows import write_rows
    from twin.drawing_tools import write_picture

    check_picture_name(wanted.chart)
    check_writable(wanted.out, wanted.chart)
    if wanted.begin and wanted.end and wanted.begin >= wanted.end:
        raise UsageError(f"--from {wanted.begin}: it isn't before --to {wanted.end}; name an earlier instant")
    source = read_log(log, progress.part(0.0, 0.05).step, lambda text: progress.step(text, 0.0))
    request = _request(twin, log, wanted, source.snapshot)
    instants = origins(source.snapshot, wanted.origins, wanted.begin, wanted.end)
    made = _all(request, instants, truth_of(source.snapshot), source.snapshot, wanted, progress)
    notes = notes_on(twin, source, instants, made)
    found = result(
        source.snapshot.name,
        twin.name if twin else "built at the first instant",
        request.horizons_h,
        wanted.replications,
        wanted.seed,
        made,
        notes,
    )
    asked = {name: getattr(wanted, name) for name in _ASKED} | {"horizons_h": request.horizons_h}
    keep("forecasts", log.db, wanted.named, twin, source, asked, found)
    if wanted.chart:
        write_picture(wanted.chart, backtest_chart(found))
    if wanted.out:
        write_rows(wanted.out, made)
        kept_instants.kept_beside(wanted.out).unlink(missing_ok=True)
    return found


def _request(twin: Metagraph | None, log: LogRequest, wanted: Wanted, whole: Snapshot) -> BacktestRequest:
    if twin is not None:
        from twin.build_record import record_of

        record_of(twin)  # Refused at once where it doesn't say how it was built.
    span_h = (whole.until_s - float(whole.start_s.min())) / 3600
    horizons = wanted.horizons_h or tuple(float(max(1, round(span_h * share))) for share in SHARES)
    named = replace(log, log=whole.name, mapping=None, closing=None)
    return BacktestRequest(
        named,
        horizons,
        twin,
        wanted.config,
        wanted.replications,
        wanted.seed,
        wanted.workers,
        wanted.plain,
        wanted.boosted,
    )


def _all(
    request: BacktestRequest,
    instants: Sequence[datetime],
    truth: Truth,
    whole: Snapshot,
    wanted: Wanted,
    progress: Progress,
) -> list[Made]:
    """Every instant in turn; those that were done before a stop are taken from the file beside the rows."""
    path = kept_instants.kept_beside(wanted.out) if wanted.out else None
    key = _key(request, whole)
    done = kept_instants.load(path, key)
    # Each instant rests on the choices before: what follows a gap can't be taken over.
    kept = [done[at] for at in takewhile(done.__contains__, instants)]
    kept_instants.start(path, key, {one.asked.at: one for one in kept})
    twins, made = Twins(request), list(kept)
    twins.resume(kept, progress.part(0.05, 0.1))
    for i, at in enumerate(instants[len(kept) :], start=len(kept)):
        part = progress.part(0.05 + 0.95 * i / len(instants), 0.05 + 0.95 * (i + 1) / len(instants))
        made.append(made_at(request, twins, at, truth, part))
        kept_instants.add(path, made[-1])
    return made


def _key(request: BacktestRequest, whole: Snapshot) -> str:
    """Tells backtests apart: the log's content, the twin, and all that was asked for."""
    from metagraph.json_io import to_json

    twin = to_json(request.twin) if request.twin else str(request.config)
    asked = (request.horizons_h, request.replications, request.seed, request.plain, request.boosted)
    text = json.dumps([whole.content_hash, twin, asked])
    return hashlib.sha256(text.encode()).hexdigest()
