"""Which order of the past a new one takes after, and the dates that it gets from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from metagraph.orders import ALIKE, Sample
from simulation.kept import Kept
from simulation.program import Floats

_DAY_S = 86400.0
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """A sample as columns; NaN for what a row doesn't say."""

    sums: Floats
    """[hour of the week, row], or [0, row] where it never matters: cumulative weights of those to take
    after."""
    due_after_s: Floats
    lost_after_s: Floats
    days: Floats
    at_s: Floats


_rows: Kept[_Rows] = Kept(1024)


@dataclass(frozen=True, slots=True, eq=False)
class Coming:
    """New orders: when they come, and on which local day."""

    t_s: Floats
    """Seconds since `origin`."""
    day: Indices
    """Local date, as its proleptic Gregorian ordinal."""
    week_hour: Indices
    """Hour of the local week, 0 to 167 from Monday 00:00."""
    zone: ZoneInfo
    origin: datetime

    @classmethod
    def one(cls, t_s: float, zone: ZoneInfo, origin: datetime) -> Coming:
        """A single order."""
        local = (origin + timedelta(seconds=t_s)).astimezone(zone)
        hour = local.weekday() * 24 + local.hour
        return cls(np.array([t_s]), np.array([local.toordinal()]), np.array([hour]), zone, origin)


def taken(sample: Sample, coming: Coming, us: Floats) -> Indices:
    """The row that each new order takes after, by a number from 0 to below 1 each and the rows' weights."""
    sums = _columns(sample).sums
    if len(sums) == 1:
        return _drawn(sums[0], us)
    found = np.empty(len(us), np.int64)
    for hour in np.unique(coming.week_hour).tolist():
        mine = coming.week_hour == hour
        found[mine] = _drawn(sums[hour], us[mine])
    return found


def dates(sample: Sample, coming: Coming, rows: Indices) -> tuple[Floats, Floats]:
    """Due and lost-sale dates of new orders that take after these rows; NaN where a row has none.

    A due date on a day comes as many days later at the same local time; never before the release, where
    the order of the past was given time: then a day later. The sale is lost as long after it.
    """
    columns = _columns(sample)
    after_s, days = columns.due_after_s[rows], columns.days[rows]
    due_s, lost_s = coming.t_s + after_s, coming.t_s + columns.lost_after_s[rows]
    of_day = np.flatnonzero(~np.isnan(days))
    if len(of_day):
        at_s, n = columns.at_s[rows][of_day], days[of_day].astype(np.int64)
        came = coming.day[of_day]
        found = _instants(_days_later(came, n, sample.working_days), at_s, coming)
        early = (found < coming.t_s[of_day]) & ~(after_s[of_day] < 0)
        later = _days_later(came[early], n[early] + 1, sample.working_days)
        found[early] = _instants(later, at_s[early], coming)
        kept_s = (columns.lost_after_s[rows] - after_s)[of_day]
        due_s[of_day] = found
        lost_s[of_day] = np.where(np.isnan(kept_s), lost_s[of_day], found + kept_s)
    return due_s, lost_s


def end_of_day(day: int, at_s: float, zone: ZoneInfo, origin: datetime) -> float:
    """The instant of a local time of a day, seconds since `origin`; 86400 is the end of the day."""
    local = datetime.combine(date.fromordinal(day), time()) + timedelta(seconds=at_s)
    return (local.replace(tzinfo=zone).astimezone(UTC) - origin).total_seconds()


def _instants(days: Indices, at_s: Floats, coming: Coming) -> Floats:
    pairs, which = np.unique(days + 1j * at_s, return_inverse=True)  # sorts by both parts
    found = [end_of_day(int(pair.real), pair.imag, coming.zone, coming.origin) for pair in pairs.tolist()]
    return np.array(found, np.float64)[which]


def _days_later(day: Indices, n: Indices, working: bool) -> Indices:
    """Ordinals of the n-th days after others; of days from Monday to Friday, as `nth_working_day` has it."""
    if not working:
        return day + n
    weekday = (day - 1) % 7
    reached = (day - 1) // 7 * 5 + np.minimum(weekday, 4) + np.where(weekday > 4, np.maximum(n, 1), n)
    return np.asarray(reached // 5 * 7 + reached % 5 + 1, np.int64)


def _drawn(sums: Floats, us: Floats) -> Indices:
    last = int(np.searchsorted(sums, sums[-1]))
    found: Indices = np.minimum(np.searchsorted(sums, us * sums[-1], side="right"), last)
    return found


def _columns(sample: Sample) -> _Rows:
    return _rows.get((sample,), (), lambda: _made(sample))


def _made(sample: Sample) -> _Rows:
    def column(field: str) -> Floats:
        said = [getattr(row, field) for row in sample.rows]
        return np.array([np.nan if one is None else one for one in said], np.float64)

    names = ("due_after_s", "lost_after_s", "due_days", "due_at_s")
    weights, came = column("weight"), column("came_s")
    told = [weights] if np.isnan(came).all() else [_alike(came, weights, hour) for hour in range(168)]
    return _Rows(np.array([np.cumsum(each) for each in told]), *map(column, names))


def _alike(came_s: Floats, weights: Floats, hour: int) -> Floats:
    """Weights of those that came on the hour's weekday nearest to its middle, at least ALIKE orders; all
    weights where fewer came on that weekday."""
    apart = np.where(came_s // _DAY_S == hour // 24, np.abs(came_s - (hour + 0.5) * 3600.0), np.inf)
    order = np.argsort(apart, kind="stable")
    enough = int(np.searchsorted(np.cumsum(weights[order]), ALIKE))
    if enough == len(order) or not np.isfinite(apart[order[enough]]):
        return weights
    return np.where(apart <= apart[order[enough]], weights, 0.0)
