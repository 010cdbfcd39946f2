"""How good forecasts of remaining times were: errors, coverage and calibration, each with an interval.

Orders that are still open when the log stops are not dropped: that would keep the short ones. Forecast and
outcome are both cut at the time that the log goes on after the forecast, which is the same for all orders of
one instant; the scores of what is cut so are proper, and known for every order (of the continuous ranked
probability score it is the threshold-weighted one; Gneiting and Ranjan, 2011). Where coverage can't be known,
an order that is still open counts by how likely its end lies in the interval, by the forecast itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.outlook import LEVELS

Floats = NDArray[np.float64]
RESAMPLES, AT_ONCE = 500, 50
BINS = len(LEVELS) + 1
"""Of the probability integral transform: between the levels, and beyond the outermost."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean with its 95 % interval by the bootstrap: orders are resampled, each with all its forecasts."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """What came of orders, one row a forecast; seconds since it was made."""

    order: NDArray[np.int64]
    """Which order: rows of one order depend on each other."""
    left_s: Floats
    """Until it ended, or until the log stopped."""
    ended: NDArray[np.bool_]
    limit_s: Floats
    """How long the log goes on."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Of one forecaster over one group of forecasts; hours, and shares of 1."""

    n: int
    orders: int
    mae_h: Figure
    bias_h: Figure
    """Median forecast less outcome: above 0 the forecast was late."""
    crps_h: Figure
    """Mean pinball loss over the levels, twice."""
    pinball_h: tuple[float, ...]
    """At LEVELS."""
    cover50: Figure
    cover90: Figure
    width50_h: Figure
    width90_h: Figure
    kept80: Figure
    """Share of orders that ended by the date forecast at 80 %."""
    kept90: Figure
    pit: tuple[float, ...]
    """Share of outcomes between each two levels, and beyond: all equal if the forecast is calibrated."""
    pit_deviation: float
    """Half the sum of what the shares differ from equal ones: 0 calibrated, towards 0.95 useless."""


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """What is averaged, one row a forecast."""

    columns: dict[str, Floats]
    pinball_h: Floats
    pit: Floats


def crps(truth: Floats, quantiles: Floats) -> Floats:
    """Continuous ranked probability score of quantiles at LEVELS, [row, level]: twice the mean pinball loss
    (Gneiting and Raftery, 2007), in their unit; lower is better."""
    return np.asarray(2 * pinball(truth, quantiles).mean(axis=1), np.float64)


def pinball(truth: Floats, quantiles: Floats) -> Floats:
    """Loss of each quantile at LEVELS, [row, level], in their unit."""
    levels = np.array(LEVELS)
    off = truth[:, None] - quantiles
    return np.asarray(np.maximum(levels * off, (levels - 1) * off), np.float64)


def scores(outcomes: Outcomes, left_s: Floats, seed: int = 0) -> Scores:
    """Of quantiles at LEVELS, [row, level], of the seconds left. Raises ValueError without any row."""
    if not len(left_s):
        raise ValueError("there is nothing to score")
    rows = _rows(outcomes, left_s)
    found = _figures(outcomes.order, rows.columns, seed)
    pit = rows.pit.mean(axis=0)
    return Scores(
        n=len(left_s),
        orders=len(np.unique(outcomes.order)),
        pinball_h=tuple(rows.pinball_h.mean(axis=0).tolist()),
        pit=tuple(pit.tolist()),
        pit_deviation=float(np.abs(pit - 1 / BINS).sum() / 2),
        **found,
    )


def ratio(outcomes: Outcomes, ours_s: Floats, theirs_s: Floats, seed: int = 0) -> Figure:
    """Continuous ranked probability score over that of another forecast of the same orders, paired."""
    a, b = (_rows(outcomes, left).columns["crps_h"] for left in (ours_s, theirs_s))
    sums, drawn = _sums(outcomes.order, {"a": a, "b": b}, seed)
    ratios = drawn["a"] / np.maximum(drawn["b"], 1e-12)
    low, high = np.quantile(ratios, [0.025, 0.975]).tolist()
    return Figure(float(sums["a"] / max(sums["b"], 1e-12)), low, high)


def _rows(outcomes: Outcomes, left_s: Floats) -> _Rows:
    limit = outcomes.limit_s[:, None]
    full = np.sort(np.maximum(left_s, 0.0), axis=1)
    q = np.minimum(full, limit)
    y = np.minimum(outcomes.left_s, outcomes.limit_s)
    losses_h = pinball(y, q) / 3600
    at = {level: i for i, level in enumerate(LEVELS)}
    error = (q[:, at[0.5]] - y) / 3600
    pit = _pit(outcomes, full)
    below = np.cumsum(pit, axis=1)
    columns = {
        "mae_h": np.abs(error),
        "bias_h": error,
        "crps_h": 2 * losses_h.mean(axis=1),
        "cover50": below[:, at[0.75]] - below[:, at[0.25]],
        "cover90": below[:, at[0.95]] - below[:, at[0.05]],
        "width50_h": (full[:, at[0.75]] - full[:, at[0.25]]) / 3600,
        "width90_h": (full[:, at[0.95]] - full[:, at[0.05]]) / 3600,
        "kept80": below[:, at[0.8]],
        "kept90": below[:, at[0.9]],
    }
    return _Rows(columns, losses_h, pit)


def _pit(outcomes: Outcomes, q: Floats) -> Floats:
    """[row, bin] where the outcome fell. What equals several quantiles is spread over their bins; an order
    that is still open, evenly over what the forecast holds possible beyond what it has lived."""
    y = outcomes.left_s[:, None]
    first, last = (q < y).sum(axis=1), (q <= y).sum(axis=1)
    bins = np.arange(BINS)
    inside = (bins >= first[:, None]) & (bins <= last[:, None])
    spread: Floats = inside / inside.sum(axis=1, keepdims=True)
    for row in np.flatnonzero(~outcomes.ended).tolist():
        lived = np.interp(outcomes.left_s[row], [0.0, *q[row]], [0.0, *LEVELS])
        beyond = np.clip((bins + 1) / BINS - lived, 0.0, 1 / BINS)
        spread[row] = beyond / beyond.sum()
    return spread


def _figures(order: NDArray[np.int64], columns: dict[str, Floats], seed: int) -> dict[str, Figure]:
    sums, drawn = _sums(order, {**columns, "n": np.ones(len(order))}, seed)
    found = {}
    for name in columns:
        low, high = np.quantile(drawn[name] / drawn["n"], [0.025, 0.975]).tolist()
        found[name] = Figure(float(sums[name] / sums["n"]), low, high)
    return found


def _sums(
    order: NDArray[np.int64], columns: dict[str, Floats], seed: int
) -> tuple[dict[str, float], dict[str, Floats]]:
    """Sums of columns, and the same with orders resampled: a number a resample."""
    _, which = np.unique(order, return_inverse=True)
    n = int(which.max()) + 1
    rng = np.random.default_rng(seed)
    table = np.column_stack([np.bincount(which, values, minlength=n) for values in columns.values()])
    drawn = []
    for _ in range(RESAMPLES // AT_ONCE):
        times = rng.multinomial(n, np.full(n, 1 / n), size=AT_ONCE).astype(np.float64)
        drawn.append(times @ table)
    sums, resampled = table.sum(axis=0), np.concatenate(drawn)
    return (
        {name: float(sums[i]) for i, name in enumerate(columns)},
        {name: resampled[:, i] for i, name in enumerate(columns)},
    )


def group(outcomes: Outcomes, chosen: NDArray[np.bool_]) -> Outcomes:
    """The chosen rows."""
    return Outcomes(
        outcomes.order[chosen], outcomes.left_s[chosen], outcomes.ended[chosen], outcomes.limit_s[chosen]
    )
