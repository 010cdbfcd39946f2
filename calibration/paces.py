"""The pace of delays: how much work begins in each hour of the week."""

from __future__ import annotations

import numpy as np

from calibration.holidays import Ints, holidays_of
from calibration.local_time import Floats, OpenDays, WeekClock, local_time
from calibration.settings import Settings
from eventlogs.snapshot import Snapshot
from metagraph.paces import Pace

PRIOR = 2.0
"""Starts added to the busiest hour, to the others in the proportion that weekday and hour of the day say."""


STARTS = "starts of work"


def fit_pace(
    start_s: Floats, snapshot: Snapshot, settings: Settings, name: str = STARTS
) -> tuple[Pace, OpenDays] | tuple[None, None]:
    """The pace at which executions that waited begin, and its time line; nothing without such executions.

    Rates are the starts by hour of the local week, smoothed towards weekday times hour of the day, and scaled
    to a mean of 1. Days on which hardly anybody worked count neither for the rates nor as time, and no delay
    goes on then or on holidays to come. By the time-rescaling
    theorem delays at this pace end in the hours in which work began.
    """
    if not len(start_s):
        return None, None
    first, last = float(np.min(start_s)), max(float(np.max(start_s)), snapshot.until_s)
    local = local_time(snapshot.origin, min(first, 0.0), last, settings.time_zone)
    off = holidays_of(snapshot, settings)
    free = off.days(snapshot.origin)
    day = np.floor(local.of(start_s) / 86400.0).astype(np.int64)
    counts = np.bincount(local.quarter(start_s[~np.isin(day, free)]) // 4, minlength=168).astype(np.float64)
    if not counts.any():
        return None, None
    counts *= np.repeat(_made_up(day, free), 24)
    days, hours = counts.reshape(7, 24).sum(axis=1), counts.reshape(7, 24).sum(axis=0)
    expected = np.outer(days, hours).reshape(168) / counts.sum()
    rates = counts + PRIOR * expected / expected.max()
    rates = np.round(rates / rates.mean(), 4)
    note = f"{len(start_s)} executions that waited"
    pace = Pace(name, tuple(rates.tolist()), settings.time_zone, note, off.dates)
    return pace, OpenDays(WeekClock(local, np.repeat(rates, 4)), local, free)


def _made_up(day: Ints, free: Ints) -> Floats:
    """For each weekday how many of them there were, over how many were not free."""
    weekday = np.arange(day.min(), day.max() + 1)
    all_of = np.bincount(weekday % 7, minlength=7)
    worked = np.bincount(weekday[~np.isin(weekday, free)] % 7, minlength=7)
    return np.where(worked > 0, all_of / np.maximum(worked, 1), 1.0)
