"""Orders that come together: several at one instant or within seconds."""

from __future__ import annotations

import math

import numpy as np

from calibration.local_time import Floats

WITHIN_S = (0.0, 1.0, 10.0, 60.0)
"""Gaps that may count as one instant, seconds."""
NOTABLE = 0.02
"""Batches are told from chance if this share of all gaps is too many."""
RARE = 0.1
"""Gaps up to this share of the longer ones (their upper quartile) are rare by chance."""
SURE = 4.0
"""And this many standard errors."""
ALMOST = 0.8
"""The shortest gap is taken that explains this share of what the best one does."""
MOST = 1000
"""Larger batches count as so large."""


def fit_batches(release: Floats) -> tuple[tuple[float, ...], float]:
    """Shares of arrivals that bring 1, 2, 3, ... orders, empty where all come alone; and the longest gap, in
    seconds, between two orders of a batch.

    In a stream without batches short gaps are as likely as somewhat longer ones: there are no more gaps up to
    d than from d to 2d, if d is short against the time between arrivals. Where there are many more, gaps up
    to d are those inside batches. At d = 0 half of the gaps of one unit of the clock are the measure, for
    stamps that are rounded to it.
    """
    gaps = np.diff(np.sort(release))
    if not len(gaps):
        return (), 0.0
    unit = _unit(release)
    longest = RARE * float(np.quantile(gaps, 0.75))
    if unit > longest:
        return (), 0.0
    found = []
    for d in WITHIN_S:
        if 0 < d < 2 * unit or d > longest:
            continue
        short = float((gaps <= d).sum())
        others = (
            float(((gaps > d) & (gaps <= 2 * d)).sum()) if d else float((gaps[gaps > 0] <= unit).sum()) / 2
        )
        excess = short - others
        if excess > max(NOTABLE * len(gaps), SURE * math.sqrt(short + others)):
            found.append((d, excess))
    if not found:
        return (), 0.0
    best = max(excess for _, excess in found)
    within = next(d for d, excess in found if excess >= ALMOST * best)
    sizes = np.diff(np.flatnonzero(np.concatenate(([True], gaps > within, [True]))))
    counts = np.bincount(np.minimum(sizes, MOST))[1:]
    return tuple(np.round(counts / counts.sum(), 9).tolist()), within


def _unit(release: Floats) -> float:
    """The coarsest of day, hour, minute, second and millisecond in which all instants are whole."""
    return next((u for u in (86400.0, 3600.0, 60.0, 1.0) if not np.any(np.mod(release, u))), 0.001)


def bunching(batches: tuple[float, ...]) -> float:
    """Variance over mean of counts of orders whose batches come by chance: E S^2 / E S."""
    if not batches:
        return 1.0
    sizes = np.arange(1, len(batches) + 1)
    return float((np.array(batches) * sizes**2).sum() / (np.array(batches) * sizes).sum())
