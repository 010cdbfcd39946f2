"""The week of arrivals: rates by its hours, days busier than others, gaps steadier than chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calibration.fitting import quantile_law
from calibration.local_time import Floats, LocalTime, OpenDays, WeekClock
from calibration.window import ENOUGH
from metagraph.distributions import Constant, Fitted

PRIOR_ARRIVALS = 4.0
"""An hour's rate is drawn towards weekday rate times hour-of-day profile as by this many arrivals seen."""
STEADY = 0.2
"""Gaps that vary by less than 1 - STEADY of what chance would make are kept as they are."""
NIGHT = slice(0, 5)
"""Hours of the day in which nothing comes to those who keep office hours."""
EVEN = 0.1
"""And those that hardly vary are all the same."""
MOSTLY = 0.8
"""So many of them must be alike for a timetable."""
_NEVER = np.zeros(0, np.int64)


def by_hour(local: LocalTime, t: Floats, weights: Floats) -> Floats:
    """Sum of the weights in each of the 168 hours of the local week."""
    return np.bincount(hour_of_week(local, t), weights, minlength=168).astype(np.float64)


def hour_of_week(local: LocalTime, t: Floats) -> NDArray[np.int64]:
    """0 to 167 from Monday 00:00 local time."""
    return local.quarter(t) // 4


def steady_gap(
    release: Floats, rates: Floats, local: LocalTime, free: NDArray[np.int64] | None = None
) -> Fitted | None:
    """The law of the gaps on the time line on which the rate is even; None unless they vary less than chance.

    Poisson arrivals have gaps with a coefficient of variation of 1, with a standard error of about 1 /
    sqrt(n). The line stands still on the `free` days (from the Monday of the log's origin); the largest and
    the smallest hundredth of the gaps count neither for the mean nor the variation.
    """
    if len(release) <= ENOUGH:
        return None
    line = OpenDays(WeekClock(local, np.repeat(rates, 4)), local, _NEVER if free is None else free)
    gaps = np.sort(np.diff(line.worked(np.sort(release))) / 3600)
    kept = gaps[len(gaps) // 100 : len(gaps) - len(gaps) // 100]
    if kept.mean() <= 0 or kept.std() / kept.mean() > 1 - max(3 / np.sqrt(len(gaps)), STEADY):
        return None
    kept = kept / kept.mean()
    # Hours that the rates blur at the edges of the day make some gaps of a timetable look short or long.
    alike = np.mean(np.abs(kept / np.median(kept) - 1) < EVEN / 2) >= MOSTLY
    law = Constant(1.0) if kept.std() < EVEN or alike else quantile_law(kept)
    return Fitted(law, len(gaps), "all arrivals", note="steadier than chance")


def evenness(gap: Fitted) -> float:
    """Variance over mean of counts of orders whose gaps have this law, of mean 1: in the long run the gaps'
    variance (Cox, Renewal theory, 1962), and never quite 0, for a log is never quite even."""
    return max(float(gap.law.ppf((np.arange(2000) + 0.5) / 2000).var()), EVEN**2)


def smooth_rates(count: Floats, exposure: Floats) -> Floats:
    """Arrivals per hour for the 168 hours of the week from counts and hours of exposure.

    The gamma-Poisson mean (c + a) / (e + a / r): r is what the weekday's rate and the profile of the hours of
    the day say, a = PRIOR_ARRIVALS. Scaled to the observed total. A weekday that the log never saw takes the
    mean of the others; a Saturday or Sunday that of the weekend, and where that wasn't seen at all and
    nothing came at NIGHT, none come.
    """
    days, exposed = count.reshape(7, 24), exposure.reshape(7, 24)
    per_day = np.where(
        exposed.sum(axis=1) > 0, days.sum(axis=1) / np.maximum(exposed.sum(axis=1), 1e-9), np.nan
    )
    unseen = np.isnan(per_day)
    weekend = np.arange(7) >= 5
    if not unseen.all():
        per_day[unseen & ~weekend] = np.nanmean(per_day[:5] if not unseen[:5].all() else per_day)
        asleep = not days[:, NIGHT].any()
        of_weekend = (
            np.nanmean(per_day[5:]) if not unseen[5:].all() else 0.0 if asleep else per_day[:5].mean()
        )
        per_day[unseen & weekend] = of_weekend
    expected = (per_day[:, None] * exposed).sum(axis=0)
    profile = days.sum(axis=0) / np.where(expected > 0, expected, 1.0)
    prior = (per_day[:, None] * profile[None, :]).reshape(168)
    known = prior > 0
    rates = np.zeros(168)
    rates[known] = (count[known] + PRIOR_ARRIVALS) / (exposure[known] + PRIOR_ARRIVALS / prior[known])
    total = float(rates @ exposure)
    return rates * (count.sum() / total) if total > 0 else rates


def day_dispersion(
    release: Floats, weights: Floats, rates: Floats, hours: Floats, length_h: Floats, local: LocalTime
) -> float:
    """Variance of the day factor by moments: sum((N - m)^2 - m) / sum(m^2) over whole local days, m being
    what the rates expect; at least 0. Days many of whose cases are missing from the log are left out."""
    weekday = local.quarter(hours) // 96
    day = np.cumsum(np.diff(weekday, prepend=weekday[:1]) != 0)
    n_days = int(day[-1]) + 1
    mean = np.bincount(day, rates[hour_of_week(local, hours)] * length_h, minlength=n_days)
    whole = np.bincount(day, length_h, minlength=n_days) >= 23
    at = np.clip(np.searchsorted(hours, release, side="right") - 1, 0, len(hours) - 1)
    seen = np.bincount(day[at], minlength=n_days)
    thinned = release[weights > 1.25]
    if len(thinned):
        whole &= np.arange(n_days) < day[np.searchsorted(hours, thinned.min(), side="right") - 1]
    mean, seen = mean[whole], seen[whole]
    if len(mean) < 14 or not mean.any():
        return 0.0
    return round(float(max(((seen - mean) ** 2 - mean).sum() / (mean**2).sum(), 0.0)), 4)
