"""The twin itself on trial: forecasts made at past instants, each by what was known then, and what came."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metagraph.model import Metagraph
from twin.backtest_origins import Asked, Truth, asked
from twin.progress import Progress
from twin.source import LogRequest, LogSource, announced, read_then

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot
    from twin.outlook import Forecast

Floats = NDArray[np.float64]
TWIN, SIMULATED, NOW = "twin", "twin, simulation alone", "as many as then"
AGE, LAST, BOOSTED = "residual life by age", "residual life by last event", "gradient boosting"
REFITTED, CHOSEN = "refitted", "chosen"


@dataclass(frozen=True, slots=True)
class BacktestRequest:
    """What to forecast in the past, and how."""

    log: LogRequest
    """An imported log, by its name."""
    horizons_h: tuple[float, ...]
    twin: Metagraph | None = None
    """Its choices are kept, its parameters fitted anew at every instant. None: one is chosen at the first
    instant by what was known then, and again whenever drift is found."""
    config: Path | None = None
    replications: int = 200
    seed: int = 0
    workers: int | None = None
    plain: bool = False
    """The simulation alone, without what `tracetwin forecast` learns from the log besides."""
    boosted: bool = True
    """Also hold gradient boosting against the log: it takes most of the time."""


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """What was forecast at one instant, and what came."""

    asked: Asked
    at_s: float
    """The instant, in seconds since the log's origin."""
    left_s: Mapping[str, Floats]
    """By forecaster, quantiles at LEVELS of the seconds left: [order, level]."""
    wip: Mapping[str, Floats]
    """By forecaster, quantiles of the orders in process: [horizon, level]."""
    wip_came: tuple[float, ...]
    """NaN where the log stops before."""
    known_by_then: Mapping[str, float]
    """Order -> seconds of its last event since the log's origin, of those taken for finished then."""
    built: str
    why: str
    cpu_s: float
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Twins:
    """The twin of each instant; instants come in their order."""

    request: BacktestRequest
    _chosen: Metagraph | None = None
    _looked: datetime | None = None

    def __post_init__(self) -> None:
        self._chosen = self.request.twin

    def at(self, source: LogSource, at: datetime, progress: Progress) -> tuple[Metagraph, str, str]:
        """The twin by what was known at `at`, whether it was refitted or chosen, and why."""
        from twin.build import build, request_of
        from twin.rebuild import refit

        why = self._drifted(source.snapshot) if self.request.twin is None else ""
        self._looked = at
        if self._chosen is not None and not why:
            words = {"open orders": source.open_rule}
            return refit(self._chosen, source.snapshot, words=words), REFITTED, ""
        wanted = request_of(self.request.config, source.snapshot.name, self.request.seed)
        self._chosen = build(source, wanted, progress)
        return self._chosen, CHOSEN, why or "the first instant"

    def resume(self, made: Sequence[Made], progress: Progress) -> None:
        """Be where the instants that were done already had left them: what was chosen is chosen again."""
        from twin.build import build, request_of

        chosen = [one.asked.at for one in made if one.built == CHOSEN]
        if made:
            self._looked = made[-1].asked.at
        if chosen:
            source = read_then(self.request.log, chosen[-1])
            wanted = request_of(self.request.config, source.snapshot.name, self.request.seed)
            self._chosen = build(source, wanted, progress)

    def _drifted(self, snapshot: Snapshot) -> str:
        from metagraph.errors import DataError
        from twin.drift import watch

        if self._chosen is None:
            return ""
        try:
            found = watch(self._chosen, snapshot, self._looked).found
        except DataError:
            # So little was known when it was chosen that nothing can be compared: more is known by now.
            return "too few orders were known when it was chosen"
        return "; ".join(one.words for one in found)


def made_at(
    request: BacktestRequest, twins: Twins, at: datetime, truth: Truth | None, progress: Progress
) -> Made:
    """Build, forecast and compare at one instant. Nothing that came later is read but by `truth`, which only
    says what came (None: nothing is compared)."""
    began = process_time()
    progress.step(f"{at:%Y-%m-%d %H:%M}: reading what was known", 0.0)
    source = read_then(request.log, at, lambda text: progress.step(text, 0.0))
    progress.step(f"{at:%Y-%m-%d %H:%M}: fitting the twin", 0.05)
    model, built, why = twins.at(source, at, progress.part(0.05, 0.4))
    forecast = _forecast(request, model, source, at, progress.part(0.4, 0.8))
    progress.step(f"{at:%Y-%m-%d %H:%M}: simple forecasts", 0.8)
    rows = asked(source.snapshot, at, truth or Truth({}, {}, source.snapshot.until_s))
    left = {**_left(forecast, rows, at, request.plain), **_simple(source.snapshot, request.boosted)}
    now = np.full((len(request.horizons_h), len(_levels())), float(len(rows.ids)))
    return Made(
        asked=rows,
        at_s=source.snapshot.until_s,
        left_s=left,
        wip={TWIN: _wip(forecast, request.horizons_h), NOW: now},
        wip_came=tuple(_came(truth, at, hours, source.snapshot) for hours in request.horizons_h),
        known_by_then=_finished(source.snapshot),
        built=built,
        why=why,
        cpu_s=process_time() - began,
        notes=forecast.notes,
    )


def _levels() -> tuple[float, ...]:
    from twin.outlook import LEVELS

    return LEVELS


def _forecast(
    request: BacktestRequest, model: Metagraph, source: LogSource, at: datetime, progress: Progress
) -> Forecast:
    """As `tracetwin forecast` makes it."""
    from twin.forecast import forecast

    etas = announced(replace(request.log, until=at))
    return forecast(
        model,
        source.snapshot,
        open_rule=source.open_rule,
        etas=etas,
        replications=request.replications,
        horizons_h=request.horizons_h,
        seed=request.seed,
        workers=request.workers,
        learning=not request.plain,
        progress=progress,
    )


def _left(forecast: Forecast, rows: Asked, at: datetime, plain: bool) -> dict[str, Floats]:
    """What the command says, and the simulation's own part of it where the log was asked, too."""
    by_id = {order.case_id: order for order in forecast.orders}

    def table(quantiles: Iterable[Sequence[datetime]]) -> Floats:
        left = [[(q - at).total_seconds() for q in row] for row in quantiles]
        return np.array(left, np.float64).reshape(len(rows.ids), len(_levels()))

    orders = [by_id[case] for case in rows.ids]
    found = {TWIN: table(order.quantiles for order in orders)}
    if not plain:
        found[SIMULATED] = table(order.simulated or order.quantiles for order in orders)
    return found


def _simple(snapshot: Snapshot, with_boosting: bool) -> dict[str, Floats]:
    """Forecasts that know the same events and no process."""
    from twin.boosted import boosted
    from twin.residual_life import by_age, by_last

    methods: dict[str, Callable[[Snapshot], Floats]] = {AGE: by_age, LAST: by_last}
    if with_boosting:
        methods[BOOSTED] = boosted
    return {name: method(snapshot) for name, method in methods.items()}


def _wip(forecast: Forecast, horizons_h: tuple[float, ...]) -> Floats:
    found = {s.horizon_h: s.quantiles for s in forecast.system if s.metric == "wip"}
    return np.array([found[hours] for hours in horizons_h]).reshape(len(horizons_h), len(_levels()))


def _came(truth: Truth | None, at: datetime, hours: float, snapshot: Snapshot) -> float:
    then_s = (at + timedelta(hours=hours) - snapshot.origin).total_seconds()
    return float("nan") if truth is None or then_s > truth.until_s else float(truth.in_process(then_s))


def _finished(snapshot: Snapshot) -> dict[str, float]:
    from eventlogs.bounds import case_bounds

    _, last = case_bounds(snapshot)
    return {snapshot.cases[i]: float(last[i]) for i in np.flatnonzero(~snapshot.is_open).tolist()}
