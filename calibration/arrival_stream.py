"""A log's arrivals hour by hour: how many, how many could be seen, and what weeks and days of them tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.arrival_level import Weeks
from calibration.arrival_rates import by_hour, hour_of_week, smooth_rates
from calibration.holidays import holidays_of
from calibration.inclusion import EndOfLog, closed_bounds, end_of_arrivals, fit_inclusion
from calibration.local_time import Floats, LocalTime, local_time
from calibration.settings import Settings
from eventlogs.bounds import case_bounds
from eventlogs.snapshot import Snapshot

WEEK_H, DAY_H = 168, 24
HARDLY = 0.05
"""Hours from which fewer cases than this share can be seen tell nothing."""
MOSTLY = 0.9
"""Weeks of which this share is seen show how fast cases end."""
FEW_WEEKS = 4
"""With fewer such weeks the share of unfinished cases is taken to be off by UNKNOWN."""
UNKNOWN = 0.25
"""Variance of a log share that nothing is known of."""
SLIVER = 2 / 7
"""A first week of which less was seen is left out."""

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """Hours up to the end of the log, each with its arrivals."""

    begin_s: Floats
    week_hour: Indices
    """0 to 167."""
    count: Floats
    exposure_h: Floats
    """Length times the chance that a case which arrives then is in the log."""
    local: LocalTime
    until_s: float

    def back(self, hours: int) -> Indices:
        """How many whole spans of so many hours lie between each hour and the end."""
        # An hour of which less than a second is left lies in the last span, too.
        left_s = np.maximum(self.until_s - self.begin_s - 1.0, 0.0)
        return (left_s // (hours * 3600.0)).astype(np.int64)


def hours_of(snapshot: Snapshot, settings: Settings, end: EndOfLog) -> Hours:
    """All hours from the first arrival on; the snapshot has at least one case. Days on which hardly anybody
    worked have neither arrivals nor exposure."""
    release, _ = case_bounds(snapshot)
    seen = fit_inclusion(*closed_bounds(snapshot), snapshot.until_s) if end.cut else None
    until = max(end_of_arrivals(release, snapshot.until_s, seen), float(release.max()) + 1.0)
    begin = np.arange(np.floor(release.min() / 3600) * 3600, until, 3600.0)
    length = (np.minimum(begin + 3600, until) - begin) / 3600
    chance = np.ones(len(begin))
    if seen is not None:
        chance = seen.chance(snapshot.until_s - begin - length * 1800)
        chance = np.where(chance < HARDLY, 0.0, chance)
    local = local_time(snapshot.origin, float(begin[0]), until, settings.time_zone)
    chance[free_hours(local, begin, holidays_of(snapshot, settings).days(snapshot.origin))] = 0.0
    at = np.searchsorted(begin, release, side="right") - 1
    count = np.where(chance > 0, np.bincount(at, minlength=len(begin)), 0.0)
    return Hours(begin, hour_of_week(local, begin), count, length * chance, local, until)


def free_hours(local: LocalTime, t: Floats, free: Indices) -> NDArray[np.bool_]:
    """Which instants lie in one of these local days, counted from the Monday of the log's origin."""
    return np.isin(np.floor(local.of(t) / 86400.0).astype(np.int64), free)


def rates_of(hours: Hours) -> Floats:
    """Mean arrivals in each of the 168 hours of the week."""
    count = by_hour(hours.local, hours.begin_s, hours.count)
    return smooth_rates(count, by_hour(hours.local, hours.begin_s, hours.exposure_h))


def weeks_of(hours: Hours, rates: Floats, noise: Floats, bunching: float) -> tuple[Weeks, float]:
    """The weeks that end with the log, and the dispersion of days about their week's level.

    `noise` is the variance of the log of the share seen, for the last weeks, the very last one first.
    `bunching` is the variance over the mean of counts that chance alone gives: above 1 for batches.
    """
    expected = rates[hours.week_hour] * hours.exposure_h
    week, day = hours.back(WEEK_H), hours.back(DAY_H)
    n = int(week[0]) + 1
    if n > 1 and (week == n - 1).sum() < SLIVER * WEEK_H:
        n -= 1
    mine = week < n
    by_day = np.bincount(day[mine], expected[mine], minlength=7 * n)[: 7 * n].reshape(n, 7)
    seen = np.bincount(day[mine], hours.count[mine], minlength=7 * n)[: 7 * n].reshape(n, 7)
    per_week, counted = by_day.sum(axis=1), seen.sum(axis=1)
    known = per_week > 0.5 * (rates[hours.week_hour].sum() / len(hours.begin_s) * WEEK_H)
    dispersion = _within_weeks(by_day[known], seen[known], bunching)
    ratio = (counted + 1) / (per_week + 1)
    squares = (by_day**2).sum(axis=1) / np.maximum(per_week, 1e-9)
    off = np.zeros(n)
    off[: min(n, len(noise))] = noise[:n]
    phi = bunching + (dispersion * squares + off * per_week) * ratio
    return Weeks(counted[::-1], per_week[::-1], phi[::-1]), dispersion


def _within_weeks(expected: Floats, seen: Floats, bunching: float) -> float:
    """Variance of the day factor, by moments, from how days differ from their share of their own week.

    For shares s_i and means m_i of a week's days, E (N_i - s_i N)^2 = bunching m_i (1 - s_i) + dispersion
    (m_i^2 (1 - 2 s_i) + s_i^2 sum m^2).
    """
    total = expected.sum(axis=1, keepdims=True)
    share = expected / np.maximum(total, 1e-9)
    mean = share * seen.sum(axis=1, keepdims=True)
    chance = bunching * mean * (1 - share)
    weight = mean**2 * (1 - 2 * share) + share**2 * (mean**2).sum(axis=1, keepdims=True)
    if len(expected) < 2 or not weight.sum() > 0:
        return 0.0
    return round(float(max(((seen - mean) ** 2 - chance).sum() / weight.sum(), 0.0)), 4)


def share_noise(snapshot: Snapshot, end: EndOfLog, until_s: float) -> Floats:
    """How far off the share of cases seen may be in the last weeks: the variance of its logarithm, for the
    very last week first.

    Earlier weeks, nearly all of whose cases are in the log, show what share of a week's cases had ended so
    many weeks later (Mack, Distribution-free calculation of the standard error of chain ladder reserve
    estimates, 1993).
    """
    if not end.cut:
        return np.zeros(0)
    release, cycle = closed_bounds(snapshot)
    seen = fit_inclusion(release, cycle, until_s)
    back = ((until_s - release) // (WEEK_H * 3600.0)).astype(np.int64)
    n = int(back.max()) + 1
    share = seen.chance((np.arange(n, dtype=np.float64) + 0.5) * WEEK_H * 3600.0)
    size = np.bincount(back, minlength=n)
    whole = np.flatnonzero((share >= MOSTLY) & (size > 2))
    thin = np.flatnonzero(share < 0.99)
    found = np.full(len(thin), UNKNOWN)
    if len(whole) >= FEW_WEEKS:
        for k in thin.tolist():
            ended = cycle <= until_s - release - (back - k) * WEEK_H * 3600.0
            of_week = np.bincount(back, ended, minlength=n)[whole]
            found[k] = float(np.log((of_week + 0.5) / (size[whole] + 0.5)).var(ddof=1))
    return found
