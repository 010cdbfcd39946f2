"""Local time of a log, and work clocks that repeat every local week, for arrays of instants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eventlogs.snapshot import Snapshot

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

QUARTER_S = 900
WEEK_QUARTERS = 672
WEEK_S = 7 * 86400.0


@dataclass(frozen=True, slots=True, eq=False)
class LocalTime:
    """A zone's offset from UTC over the span of a log: constant between a few changes."""

    begin: Floats
    """When each offset begins to hold (seconds since the log's origin); the first begins with the span."""
    offset_s: Floats
    end_s: float
    """The span's end."""

    def part(self, t: ArrayLike) -> NDArray[np.int64]:
        """Which offset holds at each instant; the nearest for instants outside of the span."""
        return np.maximum(np.searchsorted(self.begin, t, side="right") - 1, 0)

    def of(self, t: ArrayLike) -> Floats:
        """Local seconds since Monday 00:00 local time in the week of the origin."""
        return np.asarray(np.asarray(t, np.float64) + self.offset_s[self.part(t)], np.float64)

    def instants(self, local_s: ArrayLike) -> Floats:
        """The inverse of `of`; in the hour that a clock is put back, the second time."""
        part = np.maximum(np.searchsorted(self.begin + self.offset_s, local_s, side="right") - 1, 0)
        return np.asarray(np.asarray(local_s, np.float64) - self.offset_s[part], np.float64)

    def quarter(self, t: ArrayLike) -> NDArray[np.int64]:
        """The quarter hour of the local week, 0 to 671 from Monday 00:00."""
        return np.floor(self.of(t) / QUARTER_S).astype(np.int64) % WEEK_QUARTERS


def log_time(snapshot: Snapshot, time_zone: str) -> LocalTime:
    """The local time of a whole log."""
    ends = np.fmax(snapshot.end_s, snapshot.start_s)
    last = max(float(np.max(ends, initial=0.0)), snapshot.until_s)
    return local_time(snapshot.origin, float(np.min(snapshot.start_s, initial=last)), last, time_zone)


def local_time(origin: datetime, first_s: float, last_s: float, time_zone: str) -> LocalTime:
    """The zone's offsets from a day before `first_s` to a day after `last_s` (seconds since `origin`, a
    Monday 00:00 UTC). Changes are found to the quarter hour, by bisection of the days whose ends differ."""
    zone = ZoneInfo(time_zone)

    def offset(quarter: int) -> float:
        delta = (origin + timedelta(seconds=quarter * QUARTER_S)).astimezone(zone).utcoffset()
        return 0.0 if delta is None else delta.total_seconds()

    day = 86400 // QUARTER_S
    begin, end = (int(first_s // 86400) - 1) * day, (int(last_s // 86400) + 2) * day
    changes = [(begin, offset(begin))]
    for morning in range(begin, end, day):
        low, high, after = morning, morning + day, offset(morning + day)
        if after == changes[-1][1]:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if offset(middle) == after else (middle, high)
        changes.append((high, after))
    quarters, offsets = zip(*changes, strict=True)
    return LocalTime(np.array(quarters) * float(QUARTER_S), np.array(offsets), end * float(QUARTER_S))


class WeekClock:
    """The working time of one weekly calendar, or paced time with a speed for every quarter hour."""

    __slots__ = ("_before", "_done", "_local", "week")

    def __init__(self, local: LocalTime, week: Mask | Floats) -> None:
        self.week = week
        """Which of the 672 quarter hours of the local week are worked, or the speed in each of them."""
        self._local = local
        self._done = np.concatenate(([0.0], np.cumsum(week, dtype=np.float64) * QUARTER_S))
        starts = self._periodic(local.begin + local.offset_s)
        ends = self._periodic(local.begin[1:] + local.offset_s[:-1])
        # Working time up to the begin of each part, less what the local time line would say there.
        self._before = np.concatenate(([0.0], np.cumsum(ends - starts[:-1]))) - starts

    def worked(self, t: ArrayLike) -> Floats:
        """Working seconds up to each instant, from the span's begin."""
        t = np.asarray(t, np.float64)
        part = self._local.part(t)
        return self._before[part] + self._periodic(t + self._local.offset_s[part])

    def between(self, start_s: ArrayLike, end_s: ArrayLike) -> Floats:
        """Working seconds between two instants."""
        return self.worked(end_s) - self.worked(start_s)

    def is_on(self, t: ArrayLike) -> Mask:
        """Whether each instant is working time."""
        return np.asarray(self.week[self._local.quarter(t)] > 0)

    def spans(self) -> tuple[Floats, Floats]:
        """Starts and ends of the working intervals of the log's span, ascending."""
        edges = np.diff((self.week > 0).astype(np.int8), prepend=0, append=0)
        opens, closes = (np.flatnonzero(edges == sign) * float(QUARTER_S) for sign in (1, -1))
        starts, ends = [], []
        stops = np.append(self._local.begin[1:], self._local.end_s)
        for begin, stop, offset in zip(self._local.begin, stops, self._local.offset_s, strict=True):
            weeks = np.arange(np.floor((begin + offset) / WEEK_S), np.ceil((stop + offset) / WEEK_S)) * WEEK_S
            starts.append(np.clip((weeks[:, None] + opens).ravel() - offset, begin, stop))
            ends.append(np.clip((weeks[:, None] + closes).ravel() - offset, begin, stop))
        start, end = np.concatenate(starts), np.concatenate(ends)
        start, end = start[start < end], end[start < end]
        apart = start[1:] > end[:-1]
        return start[np.append(True, apart)[: len(start)]], end[np.append(apart, True)[: len(end)]]

    def _periodic(self, local: Floats) -> Floats:
        """Working seconds on the local time line since its zero, as if no clock had ever been changed."""
        weeks = np.floor(local / WEEK_S)
        rest = local - weeks * WEEK_S
        quarter = np.minimum((rest // QUARTER_S).astype(np.int64), WEEK_QUARTERS - 1)
        inside = self.week[quarter] * (rest - quarter * QUARTER_S)
        return np.asarray(weeks * self._done[-1] + self._done[quarter] + inside, np.float64)


class OpenDays:
    """A week clock that stands still on some days."""

    __slots__ = ("_before", "_clock", "_done", "_starts", "_stops")

    def __init__(self, clock: WeekClock, local: LocalTime, days: NDArray[np.int64]) -> None:
        """`days`: local days since the Monday of the log's origin, ascending."""
        self._clock = clock
        self._starts = local.instants(days * 86400.0)
        self._done = clock.worked(self._starts)
        self._stops = clock.worked(local.instants((days + 1) * 86400.0))
        self._before = np.concatenate(([0.0], np.cumsum(self._stops - self._done)))

    def worked(self, t: ArrayLike) -> Floats:
        """Working seconds up to each instant, from the span's begin."""
        done = self._clock.worked(t)
        if not len(self._starts):
            return done
        k = np.searchsorted(self._starts, t, side="right") - 1
        last = np.minimum(done, self._stops[k]) - self._done[k]
        return done - np.where(k >= 0, self._before[np.maximum(k, 0)] + last, 0.0)

    def between(self, start_s: ArrayLike, end_s: ArrayLike) -> Floats:
        """Working seconds between two instants."""
        return self.worked(end_s) - self.worked(start_s)
