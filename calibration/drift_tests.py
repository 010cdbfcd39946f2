"""Tests of whether the newest values differ from those before, each with its size and an interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calibration.local_time import Floats

if TYPE_CHECKING:
    from calibration.drift_streams import Ints, Stream

WEEK_S, DAY_S = 7 * 86400.0, 86400.0
FEWEST_BLOCKS = 12
LEVEL = 0.95
"""Of intervals."""
BLOCK_TEST = "t test of block means"
RATE_TEST = "t test of counts, overdispersed"
EXACT_TEST = "Fisher's exact test"


@dataclass(frozen=True, slots=True)
class Tested:
    """A comparison of two parts of a stream."""

    test: str
    p: float
    """Two-sided where nothing else is said, uncorrected."""
    before: float
    after: float
    """In the unit of the stream: orders a week, geometric mean seconds, share."""
    size: float
    """after / before of rates and times, after - before of shares."""
    low: float
    high: float
    """Its 95 % interval, uncorrected."""
    n_before: int
    n_after: int


@dataclass(frozen=True, slots=True)
class Spread:
    """By how much means over time vary more than those of independent values, and how well that is known."""

    inflation: float
    """Of the variance; at least 1."""
    freedom: float
    """Degrees of freedom."""


def spread(at_s: Floats, residual: Floats, expected: Floats, variance: float) -> Spread:
    """The inflation of the variance of means, from blocks of time.

    Blocks are weeks, or days where there are fewer than FEWEST_BLOCKS weeks. If values were independent the
    squared sum of residuals of a block would be its size times `variance` on average; the ratio tells what
    they have in common, and (1 + rho) / (1 - rho), rho being the correlation of neighbouring blocks' means,
    what neighbouring blocks do (batch means: Law, Simulation Modeling and Analysis, 5th ed., section 9.5.3).
    """
    first, last = float(at_s[0]), float(at_s[-1])
    width = WEEK_S if (last - first) / WEEK_S >= FEWEST_BLOCKS else DAY_S
    block = ((at_s - first) // width).astype(np.int64)
    size = np.bincount(block, expected)
    sums = np.bincount(block, residual)
    filled = size > 0
    size, sums = size[filled], sums[filled]
    n = len(size)
    if n < 3 or variance <= 0:
        return Spread(1.0, max(n - 1.0, 1.0))
    inflation = float((sums**2).sum() / size.sum()) / variance
    means = sums / np.sqrt(size)
    rho = float((means[1:] * means[:-1]).sum() / max(float((means**2).sum()), 1e-300))
    # A mean taken out of n blocks makes neighbours look opposite by 1 / n.
    rho = min(max(rho + 1 / n, 0.0), 0.8)
    return Spread(max(inflation, 1.0) * (1 + rho) / (1 - rho), n - 1.0)


def compare(stream: Stream, since_s: float, from_s: float) -> Tested | None:
    """The values from `from_s` on against those before `since_s`; None where there are too few."""
    before = stream.at_s < since_s
    after = (stream.at_s >= from_s) & (stream.at_s <= stream.until_s)
    if before.sum() < 3 or after.sum() < 3:
        return None
    if stream.kind == "arrivals":
        return _rates(stream, before, after)
    variance = float(stream.score[before].var())
    if variance == 0.0 or stream.kind == "structure":
        return _shares(stream, before, after)
    return _means(stream, before, after, variance)


def _rates(stream: Stream, before: Floats, after: Floats) -> Tested | None:
    """Orders against those expected by the weekdays: a normal law with the variance that weeks had."""
    from scipy.stats import t as student

    expected, count = float(stream.expected[after].sum()), float(stream.score[after].sum())
    reference = float(stream.expected[before].sum())
    if expected < 3 or reference <= 0:
        return None
    residual = stream.score[before] - stream.expected[before]
    known = spread(stream.at_s[before], residual, stream.expected[before], 1.0)
    deviation = math.sqrt(expected * known.inflation * (1 + expected / reference))
    p = 2 * float(student.sf(abs(count - expected) / deviation, known.freedom))
    half = (
        float(student.isf((1 - LEVEL) / 2, known.freedom)) * deviation * math.sqrt(max(count / expected, 0.1))
    )
    weekly = 7 * reference / float(before.sum())
    ratio = count / expected
    return Tested(
        RATE_TEST,
        p,
        weekly,
        weekly * ratio,
        ratio,
        max(ratio - half / expected, 0.0),
        ratio + half / expected,
        round(reference),
        round(count),
    )


def _means(stream: Stream, before: Floats, after: Floats, variance: float) -> Tested:
    """Mean scores against each other, with the variance that blocks of time had before."""
    from scipy.stats import t as student

    x, y = stream.score[before], stream.score[after]
    known = spread(stream.at_s[before], x - x.mean(), np.ones(len(x)), variance)
    deviation = math.sqrt(variance * known.inflation * (1 / len(x) + 1 / len(y)))
    p = 2 * float(student.sf(abs(float(y.mean() - x.mean())) / deviation, known.freedom))
    quantile = float(student.isf((1 - LEVEL) / 2, known.freedom))
    raw = stream.raw
    if stream.kind == "routing":
        a, b = float(x.mean()), float(y.mean())
        own = max(b * (1 - b), 1 / (4 * len(y)))
        half = quantile * math.sqrt(known.inflation * (variance / len(x) + own / len(y)))
        return Tested(BLOCK_TEST, p, a, b, b - a, b - a - half, b - a + half, len(x), len(y))
    logs = np.log(np.maximum(raw, 1.0))
    u, v = (logs[part & np.isfinite(logs)] for part in (before, after))
    if not len(v):
        v = u
    half = quantile * math.sqrt(known.inflation * (float(u.var()) / len(u) + float(v.var()) / len(v)))
    step = float(v.mean() - u.mean())
    return Tested(
        BLOCK_TEST,
        p,
        math.exp(float(u.mean())),
        math.exp(float(v.mean())),
        math.exp(step),
        math.exp(step - half),
        math.exp(step + half),
        len(x),
        len(y),
    )


def _shares(stream: Stream, before: Floats, after: Floats) -> Tested:
    """Shares of cases, by Fisher's exact test: as often or more often than seen, if nothing changed."""
    return exact(
        int(stream.score[before].sum()), int(before.sum()), int(stream.score[after].sum()), int(after.sum())
    )


def exact(hits_before: int, n_before: int, hits: int, n: int) -> Tested:
    """One-sided: whether something happens more often than it did (Fisher's exact test); Wilson's interval of
    what it does now, less what it did."""
    from scipy.stats import hypergeom, norm

    total = n_before + n
    p = float(hypergeom.sf(hits - 1, total, hits_before + hits, n))
    a, b = hits_before / n_before, hits / n
    z = float(norm.isf((1 - LEVEL) / 2))
    centre = (b + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(b * (1 - b) / n + z * z / (4 * n * n))
    return Tested(EXACT_TEST, p, a, b, b - a, centre - half - a, centre + half - a, n_before, n)


def holm(p: Floats) -> Floats:
    """Adjusted p values: any below alpha with probability at most alpha if nothing changed (Holm, 1979)."""
    order: Ints = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    out = np.empty(len(p))
    out[order] = np.minimum(raised, 1.0)
    return out
