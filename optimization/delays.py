"""Delays on the grid: when what waits for something can begin."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from metagraph.paces import HOUR_S, Pace, PaceClock
from optimization.grid import Grid
from optimization.problem import Floats, Ints


class Delays:
    """Maps of points, each made once."""

    def __init__(self, paces: Sequence[Pace], grid: Grid, origin: datetime) -> None:
        self._grid = grid
        self.clocks = {pace.id: PaceClock(pace, origin, earliest_s=min(grid.start_s, 0.0)) for pace in paces}
        """By pace."""
        self._lags: dict[tuple[str | None, float], Ints] = {}

    def lag(self, pace: str | None, mean_s: float) -> Ints:
        """Operation.lag of a delay: [point 0..never] the point at which it is over."""
        key = (pace, mean_s)
        if key not in self._lags:
            grid = self._grid
            points: Floats = grid.start_s + grid.dt_s * np.arange(grid.periods + 1, dtype=np.float64)
            over: Floats = points + mean_s if pace is None else _paced(self.clocks[pace], points, mean_s)
            self._lags[key] = np.append(grid.ups(over), grid.never)
        return self._lags[key]


def _paced(clock: PaceClock, points: Floats, mean_s: float) -> Floats:
    """When so many paced seconds begun at each point are over: PaceClock.after for all of them."""
    first, speeds, done = clock.grown(clock.after(float(points[-1]), mean_s))
    hour = np.floor(points / HOUR_S).astype(np.int64)
    passed = np.asarray(done)[hour - first] + np.asarray(speeds)[hour - first] * (points - hour * HOUR_S)
    target = passed + mean_s
    at = np.searchsorted(done, target, side="left") - 1
    over = (at + first) * HOUR_S + (target - np.asarray(done)[at]) / np.asarray(speeds)[at]
    return np.asarray(np.maximum(points, over), np.float64)
