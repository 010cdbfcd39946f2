"""Which classes come when: their shares by hour of the week, where these differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from calibration.arrival_rates import hour_of_week, smooth_rates
from calibration.duration_rows import Groups
from calibration.local_time import Floats, LocalTime
from eventlogs.bounds import case_bounds
from eventlogs.snapshot import Snapshot
from metagraph.orders import OrderClass

SURE = 0.001
"""Chance of any class by hours in a log whose classes come alike at all times."""
FEWEST = 30
"""Orders of a class, and of all others together, that can tell anything."""
EXPECTED = 5.0
"""Orders of the rarer side that a weekday, or an hour of the day, must let expect to be compared."""


def with_hours(
    classes: tuple[OrderClass, ...], snapshot: Snapshot, groups: Groups, local: LocalTime
) -> tuple[OrderClass, ...]:
    """The classes with their shares by hour of the week, if any of them comes by another week than the rest.

    A class is compared with all others by weekdays, and by hours of the day, with Pearson's chi-squared test,
    at SURE over twice the number of classes. Where one differs, the rate of each class in each hour is that
    of `arrival_rates.smooth_rates`, of which its share is made.
    """
    release, _ = case_bounds(snapshot)
    if len(classes) < 2 or not len(release):
        return classes
    hour = hour_of_week(local, release)
    keys = list(zip(groups.cls, groups.segment, strict=True))
    mine = np.array([[key == (c.cls, c.segment) for key in keys] for c in classes])
    alpha = SURE / (2 * len(classes))
    if not any(_differs(hour, rows, alpha) for rows in mine):
        return classes
    rates = np.array(
        [
            smooth_rates(np.bincount(hour[rows], minlength=168).astype(np.float64), np.ones(168))
            for rows in mine
        ]
    )
    total = rates.sum(axis=0)
    share = np.array([c.share for c in classes])[:, None]
    factors = np.where(total > 0, rates / np.where(total > 0, total, 1.0) / share, 1.0)
    return tuple(
        replace(c, by_hour=tuple(np.round(row, 4).tolist())) for c, row in zip(classes, factors, strict=True)
    )


def _differs(hour: NDArray[np.int64], mine: NDArray[np.bool_], alpha: float) -> bool:
    """Whether the orders of a class come at other times than all others."""
    from scipy.stats import chi2

    if min(mine.sum(), (~mine).sum()) < FEWEST:
        return False
    for slot, n in ((hour // 24, 7), (hour % 24, 24)):
        counts = np.array([np.bincount(slot[rows], minlength=n) for rows in (mine, ~mine)], np.float64)
        expected = _expected(counts)
        enough = expected.min(axis=0) >= EXPECTED
        counts = counts[:, enough]
        if counts.shape[1] > 1:
            expected = _expected(counts)
            if chi2.sf(((counts - expected) ** 2 / expected).sum(), counts.shape[1] - 1) < alpha:
                return True
    return False


def _expected(counts: Floats) -> Floats:
    return np.asarray(np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum())
