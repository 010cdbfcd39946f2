"""The pace of delays: how much work begins in each hour of the week."""

from __future__ import annotations

import numpy as np

from calibration.local_time import Floats, WeekClock, local_time
from calibration.settings import Settings
from eventlogs.snapshot import Snapshot
from metagraph.paces import Pace

PRIOR = 2.0
"""Starts added to the busiest hour, to the others in the proportion that weekday and hour of the day say."""


def fit_pace(
    start_s: Floats, snapshot: Snapshot, settings: Settings
) -> tuple[Pace, WeekClock] | tuple[None, None]:
    """The pace at which executions that waited begin, and its time line; nothing without such executions.

    Rates are the starts by hour of the local week, smoothed towards weekday times hour of the day, and scaled
    to a mean of 1. By the time-rescaling theorem delays at this pace end in the hours in which work began.
    """
    if not len(start_s):
        return None, None
    last = max(float(np.max(start_s)), snapshot.until_s)
    local = local_time(snapshot.origin, 0.0, last, settings.time_zone)
    counts = np.bincount(local.quarter(start_s) // 4, minlength=168).astype(np.float64)
    days, hours = counts.reshape(7, 24).sum(axis=1), counts.reshape(7, 24).sum(axis=0)
    expected = np.outer(days, hours).reshape(168) / counts.sum()
    rates = counts + PRIOR * expected / expected.max()
    rates = np.round(rates / rates.mean(), 4)
    note = f"{len(start_s)} executions that waited"
    pace = Pace("starts of work", tuple(rates.tolist()), settings.time_zone, note)
    return pace, WeekClock(local, np.repeat(rates, 4))
