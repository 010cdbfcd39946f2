"""Work clocks of the very days of a log, for agents who don't keep to the same hours every week."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from calibration.local_time import Floats, LocalTime, Mask, WeekClock
from calibration.spans import Spans


class DayClock(WeekClock):
    """The working time of actual intervals of a log; `week` are the usual hours."""

    __slots__ = ("_there",)

    def __init__(self, local: LocalTime, week: Mask | Floats, there: Spans) -> None:
        super().__init__(local, week)
        self._there = there

    def worked(self, t: ArrayLike) -> Floats:
        """Working seconds up to each instant, from the first interval's begin."""
        t = np.asarray(t, np.float64)
        return self._there.covered(np.full(t.shape, -np.inf), t)

    def is_on(self, t: ArrayLike) -> Mask:
        """Whether each instant lies inside an interval, its begin counted and its end not."""
        t = np.asarray(t, np.float64)
        i = np.searchsorted(self._there.start, t, side="right") - 1
        return np.asarray((i >= 0) & (t < self._there.end[np.maximum(i, 0)]), np.bool_)

    def spans(self) -> tuple[Floats, Floats]:
        """Starts and ends of the intervals, ascending."""
        return self._there.start, self._there.end


def instants(local: LocalTime, at: Floats) -> Floats:
    """Seconds since the log's origin of local ones."""
    near = at - local.offset_s[local.part(at)]
    return np.asarray(at - local.offset_s[local.part(near)], np.float64)
