"""The time grid of a scheduler: points `dt_s` apart, rounded so that no plan promises too much."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

_SLACK = 1e-6
"""Share of a period by which floating-point sums may miss a point."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Points 0..periods; the paper's time point t is our t - 1 (Perez, Wassick and Grossmann, 3.4.1)."""

    start_s: float
    """The instant of point 0, seconds since the origin."""
    dt_s: float
    periods: int

    @property
    def never(self) -> int:
        """Stands for a point that lies beyond the grid."""
        return self.periods + 1

    def at(self, point: int) -> float:
        """The instant of a point, seconds since the origin."""
        return self.start_s + point * self.dt_s

    def up(self, t: float) -> int:
        """The first point at or after an instant, 0 to `never`: releases and early dates."""
        value = (t - self.start_s) / self.dt_s - _SLACK
        return ceil(min(max(value, 0.0), self.never))

    def ups(self, t: NDArray[np.float64]) -> NDArray[np.int64]:
        """`up` of many instants."""
        value = (t - self.start_s) / self.dt_s - _SLACK
        return np.ceil(np.clip(value, 0.0, self.never)).astype(np.int64)

    def down(self, t: float) -> int:
        """The last point at or before an instant, -1 to `periods`: due and lost-sale dates."""
        value = (t - self.start_s) / self.dt_s + _SLACK
        return floor(min(max(value, -1.0), self.periods))

    def spans(self, seconds: float) -> int:
        """Periods that hold a time span: durations."""
        return max(0, ceil(seconds / self.dt_s - _SLACK))


def periods_of(seconds: float, dt_s: float, *, whole: bool) -> int:
    """Periods of a horizon: rounded up, or down where it must not be exceeded (`whole`)."""
    return floor(seconds / dt_s + _SLACK) if whole else ceil(seconds / dt_s - _SLACK)
