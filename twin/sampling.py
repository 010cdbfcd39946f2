"""How sure so many futures are: quantiles and their intervals by order statistics, means."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.outlook import Expected

Floats = NDArray[np.float64]


def quantiles(values: Floats, levels: Sequence[float]) -> Floats:
    """[level, ...] of the values along their first axis.

    The k-th smallest of n stands at level k / (n + 1), which is the share of all futures that lies below it
    on average, whatever their law (Weibull 1939; Hyndman and Fan 1996, definition 6): an interval between
    two of these quantiles holds as often as it says. A level beyond the first or last of them gives that one.
    """
    return np.asarray(np.quantile(values, levels, axis=0, method="weibull"), np.float64)


def ranks(n: int, level: float, confidence: float = 0.95) -> tuple[int | None, int | None]:
    """Of n values in ascending order, the indices between which the true quantile lies so surely.

    The number of values below it is Binomial(n, level), whatever their law (David and Nagaraja, Order
    Statistics, 2003, section 7.1). None: not even the least or greatest of them is far enough out.
    """
    from scipy.special import bdtr

    # below[k]: P(at most k of the n values lie below the quantile)
    below = bdtr(np.arange(n + 1, dtype=np.float64), n, level)
    tail = (1 - confidence) / 2
    # The value with index i lies above the quantile where at most i values lie below it.
    low = int(np.searchsorted(below, tail, side="right")) - 1
    high = int(np.searchsorted(below, 1 - tail, side="left"))
    return (low if low >= 0 else None), (high if high < n else None)


def between(values: Floats, level: float) -> tuple[Floats | None, Floats | None]:
    """The 95 % interval of a quantile along the first axis; None where so few values can't tell."""
    low, high = ranks(len(values), level)
    ordered = np.sort(values, axis=0)
    return (None if low is None else ordered[low]), (None if high is None else ordered[high])


def expected(values: ArrayLike) -> Expected:
    """The mean of at least one value with its t-interval."""
    from simulation.kpis import interval

    found = interval(np.asarray(values, np.float64))
    if found.n < 2:
        return Expected(found.mean, None, None)
    return Expected(found.mean, found.low, found.high)
