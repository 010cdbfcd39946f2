"""Quantiles recalibrated on past errors: conformal prediction with outcomes that are partly still to come.

Where past outcomes fell in their forecasts (the probability integral transform) should be uniform. Its
distribution is estimated from what was known at the instant of the new forecast, orders still open then
counting with a lower bound (Kaplan and Meier, 1958); the new forecast's quantile at level p is replaced by
that at the level below which a share p of the past outcomes fell (Kuleshov, Fenner and Ermon, 2018; with the
n + 1 of conformal prediction, Vovk, Gammerman and Shafer, 2005).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twin.backtest_forecasts import TWIN, Made
from twin.outlook import LEVELS

Floats = NDArray[np.float64]
FEWEST = 30
"""Past outcomes that must be known, or quantiles stay as they are."""
_SCALE = np.array([0.0, *LEVELS, 1.0])


def recalibrated(made: Sequence[Made]) -> list[Floats | None]:
    """The twin's quantiles at each instant (ascending), recalibrated on the instants before; None where too
    little had come of those by then."""
    return [_at(made[:i], one) for i, one in enumerate(made)]


def _at(before: Sequence[Made], now: Made) -> Floats | None:
    places, known = _past(before, now)
    if known.sum() < FEWEST:
        return None
    wanted = _levels_for(places, known)
    return np.array([np.interp(wanted, _SCALE, row) for row in _extended(now.left_s[TWIN])])


def _past(before: Sequence[Made], now: Made) -> tuple[Floats, NDArray[np.bool_]]:
    """Where in their forecasts the outcomes of earlier instants lie, or where they have got so far, and which
    of the two, by what was known at `now`."""
    places, known = [], []
    for one in before:
        since = (now.asked.at - one.asked.at).total_seconds()
        now_s = now.at_s - since
        for case, row in zip(one.asked.ids, _extended(one.left_s[TWIN]), strict=True):
            last = now.known_by_then.get(case)
            left = since if last is None else max(last - now_s, 0.0)
            if last is not None and left == 0.0:
                continue  # It was over already: that is for who said it was open.
            places.append(float(np.interp(left, row, _SCALE)))
            known.append(last is not None)
    return np.array(places), np.array(known, np.bool_)


def _extended(left_s: Floats) -> Floats:
    """With the quantiles at 0 and 1: nothing left, and beyond the last as far as an exponential tail goes."""
    first, tail = np.zeros(len(left_s)), 2 * (left_s[:, -1] - left_s[:, LEVELS.index(0.75)])
    rows = np.column_stack([first, left_s, left_s[:, -1] + tail])
    # Strictly ascending, so that a place in the forecast is one place.
    ascending: Floats = rows + np.arange(rows.shape[1]) * 1e-6
    return ascending


def _levels_for(places: Floats, known: NDArray[np.bool_]) -> Floats:
    """The levels below which shares LEVELS of the past outcomes fell."""
    n = len(places)
    at, fell = np.unique(places[known], return_counts=True)
    at_risk = n - np.searchsorted(np.sort(places), at, side="left")
    below = 1.0 - np.cumprod(1.0 - fell / at_risk)
    wanted = np.minimum(np.array(LEVELS) * (n + 1) / n, 1.0)
    levels: Floats = np.interp(wanted, [0.0, *below], [0.0, *at], right=1.0)
    return levels
