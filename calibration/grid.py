"""A log's time line in quarter hours: where each lies in the local week, and work clocks over it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

QUARTER_S = 900
WEEK_QUARTERS = 672
_DAY = 96


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Quarter hours that cover a log, and the quarter of the local week each is (0 is Monday 00:00)."""

    begin_s: float
    slot: NDArray[np.int64]

    def index(self, t: ArrayLike) -> NDArray[np.int64]:
        """The quarter hour that each instant falls into; the nearest one for instants outside."""
        raw = np.floor((np.asarray(t, np.float64) - self.begin_s) / QUARTER_S)
        return np.clip(raw, 0, len(self.slot) - 1).astype(np.int64)


def make_grid(origin: datetime, first_s: float, last_s: float, time_zone: str) -> Grid:
    """Quarter hours from a day before `first_s` to a day after `last_s` (seconds since `origin`, a Monday
    00:00 UTC)."""
    begin = int(first_s // 86400 - 1) * _DAY
    days = int(last_s // 86400 + 2) - begin // _DAY
    offsets = _utc_offsets(origin + timedelta(seconds=begin * QUARTER_S), days, ZoneInfo(time_zone))
    slot = (begin + np.arange(days * _DAY) + offsets) % WEEK_QUARTERS
    return Grid(float(begin * QUARTER_S), slot.astype(np.int64))


def _utc_offsets(begin: datetime, days: int, zone: ZoneInfo) -> NDArray[np.int64]:
    """Offset from UTC in quarter hours, per quarter hour; days whose ends agree are not looked at closer."""

    def offset(quarter: int) -> int:
        delta = (begin + timedelta(seconds=quarter * QUARTER_S)).astimezone(zone).utcoffset()
        return 0 if delta is None else round(delta.total_seconds() / QUARTER_S)

    ends = [offset(day * _DAY) for day in range(days + 1)]
    out = np.repeat(np.array(ends[:-1], np.int64), _DAY)
    for day in range(days):
        if ends[day] != ends[day + 1]:
            out[day * _DAY : (day + 1) * _DAY] = [offset(day * _DAY + k) for k in range(_DAY)]
    return out


class GridClock:
    """A work clock for arrays of instants: the working time of one weekly calendar over the grid."""

    __slots__ = ("_done", "_on", "grid", "week")

    def __init__(self, grid: Grid, week: Mask) -> None:
        self.grid = grid
        self.week = week
        """Which of the 672 quarter hours of the local week are worked."""
        self._on = week[grid.slot]
        self._done = np.concatenate(([0.0], np.cumsum(self._on, dtype=np.float64) * QUARTER_S))

    def worked(self, t: ArrayLike) -> Floats:
        """Working seconds from the grid's begin to each instant."""
        t = np.asarray(t, np.float64)
        i = self.grid.index(t)
        rest = t - self.grid.begin_s - i * QUARTER_S
        return self._done[i] + np.where(self._on[i], rest, 0.0)

    def between(self, start_s: ArrayLike, end_s: ArrayLike) -> Floats:
        """Working seconds between two instants."""
        return self.worked(end_s) - self.worked(start_s)

    def is_on(self, t: ArrayLike) -> Mask:
        """Whether each instant is working time."""
        return self._on[self.grid.index(t)]

    def spans(self) -> tuple[Floats, Floats]:
        """Starts and ends of the working intervals, ascending."""
        edges = np.diff(self._on.astype(np.int8), prepend=0, append=0)
        starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
        return self._instants(starts), self._instants(ends)

    def _instants(self, quarters: NDArray[np.int64]) -> Floats:
        return np.asarray(self.grid.begin_s + quarters * float(QUARTER_S), np.float64)
