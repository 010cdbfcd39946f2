"""How the level of arrivals goes from week to week in one replication."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from math import exp, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from metagraph.orders import ArrivalLevel
from simulation.philox import uniforms
from simulation.program import Floats
from simulation.streams import Purpose, Stream

ARRIVALS = 0xFFFFFFFF
"""Stands for a node in the counters of arrivals, apart from all tasks and gateways."""
WEEK_S = 7 * 86400.0
_NORMAL = NormalDist()
_NOW, _LATER, _WEEK = 1, 2, 3
"""Stand for visits in the counters of days."""


def levels(level: ArrivalLevel, starts: Floats, origin: datetime, stream: Stream, unknown: bool) -> Floats:
    """The level at each of these instants (seconds since the origin, ascending), as drawn by the stream;
    with what isn't known of it if `unknown`."""
    if not len(starts):
        return np.ones(0)
    since_s = (level.since - origin) / timedelta(seconds=1)
    week = np.maximum(np.floor((starts - since_s) / WEEK_S).astype(np.int64) + 1, 0)
    drawn = level if unknown else replace(level, drift_sd=0.0, now_sd=0.0, settles_sd=0.0)
    return _path(drawn, int(week[-1]), stream)[week]


def _path(level: ArrivalLevel, last: int, stream: Stream) -> Floats:
    """The level in weeks 0 (before `since`) to `last`."""

    def drawn(weeks: ArrayLike, visit: int) -> list[float]:
        us = uniforms(stream, weeks, ARRIVALS, visit, Purpose.DAY)
        return [_NORMAL.inv_cdf(u) for u in us.tolist()]

    step_sd = sqrt(level.week_sd**2 + level.drift_sd**2)
    now, later = level.now_sd * drawn([0], _NOW)[0], level.settles_sd * drawn([0], _LATER)[0]
    steps = drawn(np.arange(last + 1), _WEEK) if step_sd else [0.0] * (last + 1)
    y, variance, left, path = 0.0, 0.0, 1.0, np.ones(last + 1)
    for k in range(last + 1):
        if k:
            left *= level.memory
            y = level.memory * y + step_sd * steps[k]
            variance = level.memory**2 * variance + step_sd**2
        unknown = (left * level.now_sd) ** 2 + ((1 - left) * level.settles_sd) ** 2
        x = left * now + (1 - left) * later + y - (variance + unknown) / 2
        path[k] = level.settles ** (1 - left) * exp(x)
    return path
