"""What a backtest of forecasts says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from metagraph.errors import DataError
from twin.backtest_forecasts import NOW, TWIN, Made
from twin.conformal import recalibrated
from twin.forecast_scores import Figure, Outcomes, Scores, group, ratio, scores
from twin.outlook import LEVELS

Floats = NDArray[np.float64]
RECALIBRATED = "twin, recalibrated on past errors"
OLD, TO_GO = " old", " to go"
BANDS = 4
"""Ages and lead times are told in quarters."""
FEWEST = 20
"""Forecasts that a group needs to be told apart."""
MOST_TASKS = 12


@dataclass(frozen=True, slots=True)
class Instant:
    """One instant of the past."""

    at: datetime
    orders: int
    """Taken to be open, by what was known then."""
    over: int
    """Of them, those that had in truth ended: nothing more came. They are not scored."""
    missed: int
    """Orders taken for finished that went on: nothing was forecast for them."""
    still_open: int
    """Of those scored: open when the log stops."""
    built: str
    why: str
    cpu_s: float
    recalibrated: bool


@dataclass(frozen=True, slots=True)
class Forecaster:
    """One way to forecast, over all instants."""

    name: str
    scores: Scores
    twin_over_this: Figure | None
    """The twin's continuous ranked probability score over this one's, paired: below 1 the twin is better."""


@dataclass(frozen=True, slots=True)
class Group:
    """The twin's forecasts of one kind of order."""

    by: str
    """age, task or lead."""
    name: str
    forecaster: str
    scores: Scores


@dataclass(frozen=True, slots=True)
class WipScores:
    """Forecasts of the orders in process at one horizon, an instant each; intervals over instants."""

    horizon_h: float
    forecaster: str
    n: int
    mean: float
    """Orders in process, on average."""
    mae: Figure
    bias: Figure
    relative: float
    """Sum of errors over sum of what came."""
    cover90: float


@dataclass(frozen=True, slots=True)
class ForecastBacktest:
    """Forecasts of the past beside what came."""

    log: str
    twin: str
    replications: int
    seed: int
    instants: tuple[Instant, ...]
    forecasters: tuple[Forecaster, ...]
    groups: tuple[Group, ...]
    wip: tuple[WipScores, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """All forecasts that can be scored, one row each."""

    outcomes: Outcomes
    age_s: Floats
    standing: NDArray[np.object_]
    left_s: dict[str, Floats]


def pooled(made: Sequence[Made]) -> Pooled:
    """Orders that were in truth open, at all instants. Raises DataError where there was none."""
    better = recalibrated(made)
    ids: dict[str, int] = {}
    rows = [~one.asked.over for one in made]
    if not sum(int(kept.sum()) for kept in rows):
        raise DataError(
            "no order was open at any of these instants: name another period with --from and --to"
        )

    def column(of: Callable[[Made], NDArray[np.generic]]) -> NDArray[np.generic]:
        return np.concatenate([of(one)[kept] for one, kept in zip(made, rows, strict=True)])

    order = column(lambda one: np.array([ids.setdefault(case, len(ids)) for case in one.asked.ids], np.int64))
    left: dict[str, Floats] = {}
    for name in made[0].left_s:
        tables = [one.left_s[name] for one in made]
        left[name] = np.concatenate([table[kept] for table, kept in zip(tables, rows, strict=True)])
        if name == TWIN and any(found is not None for found in better):
            tables = [t if b is None else b for t, b in zip(tables, better, strict=True)]
            left[RECALIBRATED] = np.concatenate([t[kept] for t, kept in zip(tables, rows, strict=True)])
    outcomes = Outcomes(
        order.astype(np.int64),
        column(lambda one: one.asked.left_s).astype(np.float64),
        column(lambda one: one.asked.ended).astype(np.bool_),
        column(lambda one: np.full(len(one.asked.ids), one.asked.limit_s)).astype(np.float64),
    )
    return Pooled(
        outcomes,
        column(lambda one: one.asked.age_s).astype(np.float64),
        column(lambda one: np.array(one.asked.standing, dtype=object)).astype(object),
        left,
    )


def result(
    log: str,
    twin: str,
    horizons_h: Sequence[float],
    replications: int,
    seed: int,
    made: Sequence[Made],
    notes: Sequence[str],
) -> ForecastBacktest:
    """Everything that is told of forecasts at these instants."""
    rows = pooled(made)
    better = recalibrated(made)
    forecasters = [
        Forecaster(
            name,
            scores(rows.outcomes, left, seed),
            None if name == TWIN else ratio(rows.outcomes, rows.left_s[TWIN], left, seed),
        )
        for name, left in rows.left_s.items()
    ]
    return ForecastBacktest(
        log,
        twin,
        replications,
        seed,
        tuple(_instant(one, again is not None) for one, again in zip(made, better, strict=True)),
        tuple(forecasters),
        tuple(_groups(rows, seed)),
        tuple(_wip(made, horizons_h, seed)),
        tuple(notes),
    )


def _instant(one: Made, again: bool) -> Instant:
    rows = one.asked
    return Instant(
        rows.at,
        len(rows.ids),
        int(rows.over.sum()),
        rows.missed,
        int((~rows.ended & ~rows.over).sum()),
        one.built,
        one.why,
        round(one.cpu_s, 2),
        again,
    )


def _groups(rows: Pooled, seed: int) -> list[Group]:
    lead = rows.left_s[TWIN][:, LEVELS.index(0.5)]
    kinds = [("age", name, mask) for name, mask in _bands(rows.age_s, OLD)]
    kinds += [("lead", name, mask) for name, mask in _bands(lead, TO_GO)]
    names, n = np.unique(rows.standing.astype(str), return_counts=True)
    common = [str(names[i]) for i in np.argsort(-n, kind="stable")[:MOST_TASKS] if n[i] >= FEWEST]
    kinds += [("task", name, rows.standing == name) for name in common]
    return [
        Group(by, name, who, scores(group(rows.outcomes, mask), rows.left_s[who][mask], seed))
        for by, name, mask in kinds
        for who in (TWIN, RECALIBRATED)
        if who in rows.left_s
    ]


def _bands(values_s: Floats, what: str) -> list[tuple[str, NDArray[np.bool_]]]:
    """Quarters of the rows by a time, each with its bounds in words; one band where there are few rows."""
    from twin.words import span

    edges = np.unique(np.quantile(values_s, np.linspace(0, 1, BANDS + 1)))
    if len(values_s) < FEWEST * BANDS or len(edges) < 3:
        edges = np.array([values_s.min(), values_s.max()])
    found = []
    for i in range(len(edges) - 1):
        low, high = float(edges[i]), float(edges[i + 1])
        mask = (values_s >= low) & ((values_s < high) if i + 2 < len(edges) else (values_s <= high))
        if mask.any():
            found.append((f"{span(low)} to {span(high)}{what}", mask))
    return found


def _wip(made: Sequence[Made], horizons_h: Sequence[float], seed: int) -> list[WipScores]:
    found = []
    for h, hours in enumerate(horizons_h):
        came = np.array([one.wip_came[h] for one in made])
        seen = ~np.isnan(came)
        for name in (TWIN, NOW):
            if not seen.any():
                continue
            q = np.array([one.wip[name][h] for one in made])[seen]
            found.append(_counted(hours, name, q, came[seen], seed))
    return found


def _counted(hours: float, name: str, q: Floats, came: Floats, seed: int) -> WipScores:
    error = q[:, LEVELS.index(0.5)] - came
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(came), (1000, len(came)))

    def figure(values: Floats) -> Figure:
        low, high = np.quantile(values[drawn].mean(axis=1), [0.025, 0.975]).tolist()
        return Figure(float(values.mean()), low, high)

    return WipScores(
        hours,
        name,
        len(came),
        float(came.mean()),
        figure(np.abs(error)),
        figure(error),
        float(np.abs(error).sum() / max(float(came.sum()), 1e-9)),
        float(((q[:, 0] <= came) & (came <= q[:, -1])).mean()),
    )
