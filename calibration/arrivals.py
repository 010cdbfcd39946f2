"""When orders arrive: several models, of which the build takes the one that foretells the log's end best.

"weekly": mean rates by hour of the local week, corrected where the log's end hides late arrivals. "fading":
the same, with arrivals counting half after `half_life_weeks`. "recent": the same week, at the level that the
log has at its end, from which it goes on wandering or returns to the long run, as it did. "trend": the same
with growth or decline that ebbs away, where the log shows any.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from calibration.arrival_batches import bunching, fit_batches
from calibration.arrival_level import LevelFit, fit_level
from calibration.arrival_rates import by_hour, day_dispersion, evenness, smooth_rates, steady_gap
from calibration.arrival_stream import free_hours, hours_of, rates_of, share_noise, weeks_of
from calibration.holidays import Holidays, holidays_of
from calibration.inclusion import (
    EndOfLog,
    closed_bounds,
    end_of_arrivals,
    fit_inclusion,
    inclusion_weights,
    judge_end,
)
from calibration.local_time import WEEK_S, Floats, LocalTime, local_time
from calibration.settings import FADING, Settings
from calibration.window import ENOUGH
from eventlogs.bounds import case_bounds
from eventlogs.snapshot import Snapshot
from metagraph.model import Default
from metagraph.orders import ArrivalLevel, Arrivals

FEWEST_WEEKS = 4.0
"""A level that wanders is looked for in at least so many weeks."""
MANY = 80
"""And in so many cases."""


def models(snapshot: Snapshot, half_life_weeks: float | None = None) -> tuple[str, ...]:
    """Names of the models that this log has enough cases and weeks for, the simplest first; with a half-life
    the one that it is for."""
    if half_life_weeks is not None:
        return (FADING,)
    release, _ = case_bounds(snapshot)
    weeks = float(np.ptp(release)) / WEEK_S if len(release) else 0.0
    enough = weeks >= FEWEST_WEEKS and len(release) >= MANY
    return ("weekly", "recent", "trend") if enough else ("weekly",)


def fit_arrivals(snapshot: Snapshot, settings: Settings) -> tuple[Arrivals, EndOfLog]:
    """The model that `settings.arrivals` names, for what comes after the log; and what its end hides."""
    end = judge_end(snapshot, settings.arrivals_corrected)
    if settings.arrivals in ("weekly", FADING) or not snapshot.n_cases:
        return _weekly(snapshot, settings, end), end
    return _levelled(snapshot, settings, end), end


def arrival_defaults(snapshot: Snapshot, arrivals: Arrivals) -> tuple[Default, ...]:
    """What the rates lack."""
    found = []
    if arrivals.n < ENOUGH:
        found.append(Default("arrivals", f"only {arrivals.n} were seen", "their rates by weekday and hour"))
    release, _ = case_bounds(snapshot)
    days = (snapshot.until_s - float(release.min(initial=snapshot.until_s))) / 86400
    if days < 7:
        found.append(
            Default(
                "arrivals",
                f"a whole week: {days:.1f} days were seen",
                "other days are like these, but no orders come on weekends unless some came at night",
            )
        )
    return tuple(found)


def _weekly(snapshot: Snapshot, settings: Settings, end: EndOfLog) -> Arrivals:
    """Mean rates."""
    release, _ = case_bounds(snapshot)
    until, seen = snapshot.until_s, None
    weights = np.ones(len(release))
    if end.cut:
        closed = np.flatnonzero(~snapshot.is_open)
        weights[closed], until = inclusion_weights(*closed_bounds(snapshot), snapshot.until_s)
        seen = fit_inclusion(*closed_bounds(snapshot), snapshot.until_s)
    if len(release):
        until = min(until, end_of_arrivals(release, snapshot.until_s, seen) + 1.0)
    first = float(release.min(initial=until))
    # Never less than half of the cases, however few of them end in time.
    until = max(until, float(np.median(release)) if len(release) else until)
    mine = release <= until
    return _rates(release[mine], weights[mine], first, until, snapshot, settings)


def _rates(
    release: Floats, weights: Floats, first_s: float, until_s: float, snapshot: Snapshot, settings: Settings
) -> Arrivals:
    begin = float(np.floor(first_s / 3600) * 3600)
    until_s = max(until_s, begin + 3600)
    local = local_time(snapshot.origin, begin, until_s, settings.time_zone)
    off = holidays_of(snapshot, settings)
    free = off.days(snapshot.origin)
    n, hours = len(release), np.arange(begin, until_s, 3600.0)
    if free_hours(local, hours, free).all():  # nothing else is known of so short a window
        free = free[:0]
    hours = hours[~free_hours(local, hours, free)]
    came = ~free_hours(local, release, free)
    release, weights = release[came], weights[came]
    length_h = (np.minimum(hours + 3600, until_s) - hours) / 3600
    exposure = by_hour(local, hours, _recent(hours, until_s, settings) * length_h)
    count = by_hour(local, release, _recent(release, until_s, settings) * weights)
    rates = smooth_rates(count, exposure)
    dispersion = day_dispersion(release, weights, rates, hours, length_h, local)
    gap = None if dispersion > 0 else steady_gap(release, rates, local, free)
    note = f"{n} arrivals in {(until_s - begin) / WEEK_S:.1f} weeks"
    open_share = _open_share(snapshot, off, rates, local, (begin, until_s))
    note += _less(open_share)
    return Arrivals(
        tuple(np.round(rates * open_share, 6).tolist()),
        settings.time_zone,
        dispersion,
        gap,
        n,
        note,
        holidays=off.dates,
        on_holidays=_on_holidays(snapshot, off, rates, local),
    )


def _on_holidays(snapshot: Snapshot, off: Holidays, rates: Floats, local: LocalTime) -> float:
    """How many arrivals there were on the days that are unlike others, as a share of those on others of the
    same weekdays; 0 where the log has no such day."""
    days = np.array([(day - snapshot.origin.date()).days for day in (*off.free, *off.past)], np.int64)
    days = np.unique(days)
    expected = float(rates.reshape(7, 24).sum(axis=1)[days % 7].sum())
    release, _ = case_bounds(snapshot)
    came = int(free_hours(local, release, days).sum())
    return round(came / expected, 4) if expected > 0 else 0.0


def _open_share(
    snapshot: Snapshot, off: Holidays, rates: Floats, local: LocalTime, span_s: tuple[float, float]
) -> float:
    """What is left of the rates of ordinary days by free days that are no country's holidays. As many will
    come, but nobody knows when: so that the orders of a year are right, every day brings a little less."""
    per_day = rates.reshape(7, 24).sum(axis=1)
    first, last = np.floor(local.of(np.array(span_s)) / 86400.0).astype(np.int64).tolist()
    unknown = [(day - snapshot.origin.date()).days for day in off.free if day not in off.past]
    lost = sum(per_day[day % 7] for day in unknown if first <= day <= last)
    whole = float(per_day[np.arange(first, last + 1) % 7].sum())
    return 1.0 - (1.0 - min(_on_holidays(snapshot, off, rates, local), 1.0)) * lost / whole if lost else 1.0


def _less(open_share: float) -> str:
    return (
        f", less {1 - open_share:.1%} for free days whose dates to come aren't known"
        if open_share < 1
        else ""
    )


def _recent(t: Floats, until_s: float, settings: Settings) -> Floats:
    """What an instant counts."""
    if settings.arrivals != FADING or settings.half_life_weeks is None:
        return np.ones(len(t))
    return np.exp2((t - until_s) / (settings.half_life_weeks * WEEK_S))


def _levelled(snapshot: Snapshot, settings: Settings, end: EndOfLog) -> Arrivals:
    """Rates at the level of the log's end, and how it goes on from there."""
    release, _ = case_bounds(snapshot)
    hours = hours_of(snapshot, settings, end)
    rates = rates_of(hours)
    batches, _ = fit_batches(release)
    off = holidays_of(snapshot, settings)
    gap = None if batches else steady_gap(release, rates, hours.local, off.days(snapshot.origin))
    noise = share_noise(snapshot, end, hours.until_s)
    weeks, dispersion = weeks_of(hours, rates, noise, bunching(batches) if gap is None else evenness(gap))
    fit = fit_level(weeks, trend=settings.arrivals == "trend")
    open_share = _open_share(snapshot, off, rates, hours.local, (float(hours.begin_s[0]), hours.until_s))
    n_weeks = (hours.until_s - hours.begin_s[0]) / WEEK_S
    return Arrivals(
        tuple(np.round(rates * np.exp(fit.now) * open_share, 6).tolist()),
        settings.time_zone,
        0.0 if gap else dispersion,
        gap,
        len(release),
        f"{len(release)} arrivals in {n_weeks:.1f} weeks{_less(open_share)}",
        _level(snapshot, hours.until_s, fit),
        batches,
        off.dates,
        _on_holidays(snapshot, off, rates, hours.local),
    )


def _level(snapshot: Snapshot, until_s: float, fit: LevelFit) -> ArrivalLevel:
    return ArrivalLevel(
        snapshot.origin + timedelta(seconds=round(until_s)),
        settles=round(float(np.exp(fit.settles - fit.now)), 6),
        memory=fit.memory,
        week_sd=round(fit.week_sd, 6),
        drift_sd=round(fit.drift_sd, 6),
        now_sd=round(fit.now_sd, 6),
        settles_sd=round(fit.settles_sd, 6),
        trend_per_week=round(fit.trend, 6),
    )
