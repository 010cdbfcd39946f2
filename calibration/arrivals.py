"""When orders arrive: rates by hour of the local week, corrected where the log's end hides late ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.fitting import quantile_law
from calibration.local_time import Floats, LocalTime, WeekClock, local_time
from calibration.settings import Settings
from calibration.window import ENOUGH, Window
from eventlogs.snapshot import Snapshot
from metagraph.distributions import Constant, Fitted
from metagraph.model import Default
from metagraph.orders import Arrivals

WEEK_S = 7 * 86400.0
FLOOR = 0.2
"""Arrivals are judged up to the instant from which at least this share of cases ends in time to be seen."""
EXPECTED_OPEN = 5.0
"""If so many cases should be open at the end and none is, they were left out of the log (chance: e^-5)."""
PRIOR_ARRIVALS = 4.0
"""An hour's rate is drawn towards weekday rate times hour-of-day profile as by this many arrivals seen."""


STEADY = 0.2
"""Gaps that vary by less than 1 - STEADY of what chance would make are kept as they are."""
EVEN = 0.1
"""And those that hardly vary are all the same."""


@dataclass(frozen=True, slots=True, eq=False)
class EndOfLog:
    """What the end of the log shows: are cases that were unfinished then missing from it?"""

    cut: bool
    words: str


def judge_end(snapshot: Snapshot, wanted: bool | None) -> EndOfLog:
    """Whether to correct for cases left out because they were unfinished at the end.

    With open cases in the log nothing is missing. Without any, Little's law tells how many there should be:
    arrival rate times mean cycle time.
    """
    release, cycle = _closed(snapshot)
    n_open = int(snapshot.is_open.sum())
    span = float(np.ptp(release)) if len(release) > 1 else 0.0
    expected = len(release) / span * float(cycle.mean()) if span > 0 else 0.0
    if wanted is not None:
        return EndOfLog(
            wanted and len(release) > 1, "corrected for cases left out at the end" if wanted else "as seen"
        )
    if n_open:
        return EndOfLog(False, f"{n_open} cases are open at the end: nothing is missing")
    if expected >= EXPECTED_OPEN:
        return EndOfLog(
            True,
            f"no case is open at the end though about {expected:.0f} should be: they were left out",
        )
    return EndOfLog(False, f"no case is open at the end, and no more than {expected:.1f} would be expected")


def _closed(snapshot: Snapshot) -> tuple[Floats, Floats]:
    """Release and cycle time of every closed case."""
    release, last = case_bounds(snapshot)
    closed = ~snapshot.is_open
    return release[closed], (last - release)[closed]


def case_bounds(snapshot: Snapshot) -> tuple[Floats, Floats]:
    """First start and last end of every case."""
    if not snapshot.n_cases:
        return np.empty(0), np.empty(0)
    begin = snapshot.offsets[:-1]
    last = np.fmax.reduceat(np.fmax(snapshot.end_s, snapshot.start_s), begin)
    return np.minimum.reduceat(snapshot.start_s, begin), last


def inclusion_weights(release: Floats, cycle: Floats, until_s: float) -> tuple[Floats, float]:
    """Weights 1 / F(until - release) of cases that are in the log only if they ended by `until_s`, and the
    instant up to which F is at least FLOOR.

    F, the cycle-time distribution, is itself seen only through that filter. The product-limit estimator for
    right truncation (Lynden-Bell, 1971) undoes it: F(t) = prod over c_j > t of (1 - d_j / n_j), d_j cases
    having taken c_j and n_j being those with c_i <= c_j <= until - release_i. What takes longer than the
    whole log can't be known: F is 1 at the longest cycle time seen.
    """
    left = np.sort(until_s - release)
    points, deaths = np.unique(cycle, return_counts=True)
    at_risk = np.cumsum(deaths) - np.searchsorted(left, points, side="left")
    stays = 1 - deaths / np.maximum(at_risk, 1)
    # Where all at risk left at once (the shortest of a few) the product would be 0 from there down.
    stays = np.where(stays > 0, stays, 0.5)
    share = np.append(np.cumprod(stays[::-1])[::-1][1:], 1.0)
    seen = share[np.searchsorted(points, until_s - release, side="right") - 1]
    reach = float(points[min(int(np.searchsorted(share, FLOOR)), len(points) - 1)])
    return 1 / np.maximum(seen, FLOOR), until_s - reach


def fit_arrivals(window: Window, settings: Settings) -> tuple[Arrivals, EndOfLog]:
    """Rates from the window's first arrival to its end, with what was seen at the end of the log."""
    snapshot = window.snapshot
    release, _ = case_bounds(snapshot)
    end = judge_end(snapshot, settings.arrivals_corrected)
    until = snapshot.until_s
    weights = np.ones(len(release))
    if end.cut:
        closed = np.flatnonzero(~snapshot.is_open)
        found, until = inclusion_weights(*_closed(snapshot), snapshot.until_s)
        weights[closed] = found
    mine = np.arange(len(release)) >= window.first_case
    first = float(release[mine].min()) if mine.any() else until
    # Never less than half of the window's cases, however few of them end in time.
    until = max(until, float(np.median(release[mine])) if mine.any() else until)
    mine &= release <= until
    arrivals = _rates(release[mine], weights[mine], first, until, snapshot, settings)
    return arrivals, end


def arrival_defaults(window: Window, arrivals: Arrivals) -> tuple[Default, ...]:
    """What the rates lack."""
    found = []
    if arrivals.n < ENOUGH:
        found.append(Default("arrivals", f"only {arrivals.n} were seen", "their rates by weekday and hour"))
    days = (window.snapshot.until_s - window.first_s) / 86400
    if days < 7:
        found.append(
            Default("arrivals", f"a whole week: {days:.1f} days were seen", "other days are like these")
        )
    return tuple(found)


def _rates(
    release: Floats, weights: Floats, first_s: float, until_s: float, snapshot: Snapshot, settings: Settings
) -> Arrivals:
    begin = float(np.floor(first_s / 3600) * 3600)
    until_s = max(until_s, begin + 3600)
    local = local_time(snapshot.origin, begin, until_s, settings.time_zone)
    hours = np.arange(begin, until_s, 3600.0)
    length_h = (np.minimum(hours + 3600, until_s) - hours) / 3600
    exposure = _by_hour(local, hours, _recent(hours, until_s, settings) * length_h)
    count = _by_hour(local, release, _recent(release, until_s, settings) * weights)
    rates = smooth_rates(count, exposure)
    dispersion = day_dispersion(release, weights, rates, hours, length_h, local)
    gap = None if dispersion > 0 else steady_gap(release, rates, local)
    note = f"{len(release)} arrivals in {(until_s - begin) / WEEK_S:.1f} weeks"
    return Arrivals(
        tuple(np.round(rates, 6).tolist()), settings.time_zone, dispersion, gap, len(release), note
    )


def steady_gap(release: Floats, rates: Floats, local: LocalTime) -> Fitted | None:
    """The law of the gaps on the time line on which the rate is even; None unless they vary less than chance.

    Poisson arrivals have gaps with a coefficient of variation of 1, with a standard error of about 1 /
    sqrt(n). The largest and the smallest hundredth (holidays) count neither for the mean nor the variation.
    """
    if len(release) <= ENOUGH:
        return None
    line = WeekClock(local, np.repeat(rates, 4))
    gaps = np.sort(np.diff(line.worked(np.sort(release))) / 3600)
    kept = gaps[len(gaps) // 100 : len(gaps) - len(gaps) // 100]
    if kept.mean() <= 0 or kept.std() / kept.mean() > 1 - max(3 / np.sqrt(len(gaps)), STEADY):
        return None
    kept = kept / kept.mean()
    law = Constant(1.0) if kept.std() < EVEN else quantile_law(kept)
    return Fitted(law, len(gaps), "all arrivals", note="steadier than chance")


def _hour(local: LocalTime, t: Floats) -> NDArray[np.int64]:
    return local.quarter(t) // 4


def _by_hour(local: LocalTime, t: Floats, weights: Floats) -> Floats:
    return np.bincount(_hour(local, t), weights, minlength=168).astype(np.float64)


def _recent(t: Floats, until_s: float, settings: Settings) -> Floats:
    """What an instant counts."""
    if settings.half_life_weeks is None:
        return np.ones(len(t))
    return np.exp2((t - until_s) / (settings.half_life_weeks * WEEK_S))


def smooth_rates(count: Floats, exposure: Floats) -> Floats:
    """Arrivals per hour for the 168 hours of the week from counts and hours of exposure.

    The gamma-Poisson mean (c + a) / (e + a / r): r is what the weekday's rate and the profile of the hours of
    the day say, a = PRIOR_ARRIVALS. Scaled to the observed total. A weekday that the log never saw takes the
    mean of the others.
    """
    days, exposed = count.reshape(7, 24), exposure.reshape(7, 24)
    per_day = np.where(
        exposed.sum(axis=1) > 0, days.sum(axis=1) / np.maximum(exposed.sum(axis=1), 1e-9), np.nan
    )
    per_day = np.where(np.isnan(per_day), np.nanmean(per_day), per_day)
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
    mean = np.bincount(day, rates[_hour(local, hours)] * length_h, minlength=n_days)
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
