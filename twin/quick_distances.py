"""The distances of twin/distances.py, computed on arrays: for choosing, where thousands are needed.

A test holds them against the library, which is what is reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Ints = NDArray[np.int64]
HOUR_NS = 3_600_000_000_000
MISSING_DAY_H = 23.0
"""CEDD's distance for a weekday that only one of the logs has."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """A log's executions by case, start and end; instants in nanoseconds since 1970."""

    activity: NDArray[np.object_]
    start: Ints
    end: Ints
    offsets: Ints
    """Rows of case i are offsets[i]:offsets[i + 1]."""

    @property
    def arrival(self) -> Ints:
        """First start of each case."""
        return np.minimum.reduceat(self.start, self.offsets[:-1])

    @property
    def cycle(self) -> Ints:
        """Time from first start to last end of each case."""
        return np.maximum.reduceat(self.end, self.offsets[:-1]) - self.arrival

    @property
    def stamps(self) -> Ints:
        """All starts, then all ends."""
        return np.concatenate((self.start, self.end))


def columns(log: pd.DataFrame) -> Columns:
    """From a frame with frames.COLUMNS."""
    import pandas as pd

    start, end = (
        pd.DatetimeIndex(log[name]).tz_convert("UTC").tz_localize(None).as_unit("ns").asi8
        for name in ("start_time", "end_time")
    )
    codes, _ = pd.factorize(log["case_id"], sort=True)
    order = np.lexsort((end, start, codes))
    sizes = np.bincount(codes)
    return Columns(
        log["activity"].to_numpy(dtype=object)[order],
        start[order],
        end[order],
        np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
    )


def quick_distances(observed: Columns, simulated: Columns) -> dict[str, float]:
    """All of validation.METRICS, and "circadian": CEDD with the weekdays weighted by their share of the
    stamps of both logs. CEDD counts all weekdays alike, so that one stamp on a Saturday would decide."""
    from scipy.stats import wasserstein_distance as wasserstein

    a, b = observed, simulated
    first = min(int(a.start.min()), int(b.start.min())) // HOUR_NS * HOUR_NS
    shortest = min(int(a.cycle.min()), int(b.cycle.min()))
    days = list(_weekdays(a, b))
    return {
        "NGD": _n_grams(a, b),
        "AEDD": float(wasserstein((a.stamps - first) // HOUR_NS, (b.stamps - first) // HOUR_NS)),
        "CADD": float(wasserstein((a.arrival - first) // HOUR_NS, (b.arrival - first) // HOUR_NS)),
        "CEDD": sum(apart for apart, _ in days) / 7,
        "REDD": float(wasserstein(_relative(a), _relative(b))),
        "CTDD": float(wasserstein((a.cycle - shortest) // HOUR_NS, (b.cycle - shortest) // HOUR_NS)),
        "circadian": sum(apart * share for apart, share in days),
    }


def _relative(log: Columns) -> Ints:
    """Whole hours from the start of its case to each stamp."""
    since = np.repeat(log.arrival, np.diff(log.offsets))
    return (log.stamps - np.tile(since, 2)) // HOUR_NS


def _weekdays(a: Columns, b: Columns) -> Iterator[tuple[float, float]]:
    """For each weekday the distance of its hours in the two logs, and its mean share of the stamps."""
    from scipy.stats import wasserstein_distance as wasserstein

    hours = [log.stamps // HOUR_NS for log in (a, b)]
    # The epoch was a Thursday.
    weekday = [(h // 24 + 3) % 7 for h in hours]
    for day in range(7):
        x, y = (h[d == day] % 24 for h, d in zip(hours, weekday, strict=True))
        share = (len(x) / len(hours[0]) + len(y) / len(hours[1])) / 2
        both = bool(len(x)) and bool(len(y))
        neither = not len(x) and not len(y)
        yield (float(wasserstein(x, y)) if both else 0.0 if neither else MISSING_DAY_H), share


def _n_grams(a: Columns, b: Columns) -> float:
    labels: Mapping[str, int] = {
        label: 1 + i for i, label in enumerate(sorted({*a.activity.tolist(), *b.activity.tolist()}))
    }
    base = len(labels) + 1
    counts = [_trigrams(log, labels, base) for log in (a, b)]
    keys = np.unique(np.concatenate([found for found, _ in counts]))
    x, y = (_spread(found, n, keys) for found, n in counts)
    return float(np.abs(x - y).sum() / (x.sum() + y.sum()))


def _spread(found: Ints, n: Ints, keys: Ints) -> Ints:
    spread = np.zeros(len(keys), np.int64)
    spread[np.searchsorted(keys, found)] = n
    return spread


def _trigrams(log: Columns, labels: Mapping[str, int], base: int) -> tuple[Ints, Ints]:
    """Codes and counts of three activities in a row, with two blanks before and after each case."""
    sizes = np.diff(log.offsets)
    padded = np.zeros(int((sizes + 2).sum()) + 2, np.int64)
    at = np.arange(len(log.activity)) + 2 + 2 * np.repeat(np.arange(len(sizes)), sizes)
    padded[at] = [labels[label] for label in log.activity.tolist()]
    codes = (padded[:-2] * base + padded[1:-1]) * base + padded[2:]
    return np.unique(codes, return_counts=True)
