"""Tests of whether the newest values differ from those before, each with its size and an interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calibration.local_time import Floats

if TYPE_CHECKING:
    from calibration.drift_streams import Flags, Ints, Stream

WEEK_S, DAY_S = 7 * 86400.0, 86400.0
FEWEST_BLOCKS = 12
LEVEL = 0.95
"""Of intervals."""
WEEK_DAYS = 7
"""Counts of fewer days are too skewed for any test."""
FEWEST_VALUES = 5
"""Of the newest ones."""
BLOCK_TEST = "t test of block means"
RATE_TEST = "overdispersed counts (t and negative binomial)"
EXACT_TEST = "Fisher's exact test"
WAYS_TEST = "Fisher's exact test, counts thinned by what blocks have in common"


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
    # Where some blocks stand out, as busy times do, a variance is known as badly as from fewer blocks: the
    # variance of a sample variance is (2 + excess kurtosis) / n (Box and Andersen, 1955).
    kurtosis = max(n * float((means**4).sum()) / max(float((means**2).sum()) ** 2, 1e-300) - 3, 0.0)
    freedom = max(2 * n / (2 + kurtosis) - 1, 2.0)
    return Spread(max(inflation, 1.0) * (1 + rho) / (1 - rho), freedom)


def compare(stream: Stream, since_s: float, from_s: float) -> Tested | None:
    """The values from `from_s` on against those before `since_s`; None where there are too few."""
    before = stream.at_s < since_s
    after = (stream.at_s >= from_s) & (stream.at_s <= stream.until_s)
    if before.sum() < FEWEST_VALUES or after.sum() < FEWEST_VALUES:
        return None
    if stream.kind == "waits" and stream.until_s - from_s < WEEK_S:
        return None  # Queues are long for days, and that is no drift.
    if stream.kind == "arrivals":
        return _rates(stream, before, after)
    variance = float(stream.score[before].var())
    if variance == 0.0 or stream.kind == "structure":
        return _shares(stream, before, after)
    return _means(stream, before, after, variance)


def begun_s(stream: Stream, since_s: float, from_s: float) -> float:
    """Since when the values are those of the part from `from_s` on: the instant after `since_s` from which
    their sum of distances to the middle of both means is largest (Page, 1954, run backwards)."""
    before = stream.at_s < since_s
    new = (stream.at_s >= since_s) & (stream.at_s <= stream.until_s)
    after = new & (stream.at_s >= from_s)
    if not after.any() or not before.any():
        return from_s
    usual = float(stream.score[before].sum() / stream.expected[before].sum())
    now = float(stream.score[after].sum() / stream.expected[after].sum())
    away = (stream.score[new] - stream.expected[new] * (usual + now) / 2) * (now - usual)
    return float(stream.at_s[new][int(np.argmax(np.cumsum(away[::-1])[::-1]))])


def _rates(stream: Stream, before: Flags, after: Flags) -> Tested | None:
    """Orders against those expected by the weekdays, with the variance that blocks of time had: the larger p
    of a t test, which knows how well that variance is known, and of a negative binomial law, which knows that
    counts are skewed."""
    from scipy.stats import t as student

    expected, count = float(stream.expected[after].sum()), float(stream.score[after].sum())
    reference = float(stream.expected[before].sum())
    if expected < FEWEST_VALUES or reference <= 0 or after.sum() < WEEK_DAYS:
        return None
    residual = stream.score[before] - stream.expected[before]
    known = spread(stream.at_s[before], residual, stream.expected[before], 1.0)
    deviation = math.sqrt(expected * known.inflation * (1 + expected / reference))
    p = 2 * float(student.sf(abs(count - expected) / deviation, known.freedom))
    widened = deviation * math.sqrt(max(count / expected, 0.1))
    half = float(student.isf((1 - LEVEL) / 2, known.freedom)) * widened
    weekly = WEEK_DAYS * reference / float(before.sum())
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


def _skewed(count: float, mean: float, variance: float) -> float:
    """Two-sided p of a count by the negative binomial law of this mean and variance, at least Poisson's."""
    from scipy.stats import nbinom

    size = mean**2 / max(variance - mean, 1e-3 * mean)
    law = nbinom(size, size / (size + mean))
    return min(2 * float(min(law.sf(count - 1), law.cdf(count))), 1.0)


def _means(stream: Stream, before: Flags, after: Flags, variance: float) -> Tested:
    """Mean scores against each other, with the variance that blocks of time had before."""
    from scipy.stats import t as student

    x, y = stream.score[before], stream.score[after]
    known = spread(stream.at_s[before], x - x.mean(), np.ones(len(x)), variance)
    deviation = math.sqrt(variance * known.inflation * (1 / len(x) + 1 / len(y)))
    p = 2 * float(student.sf(abs(float(y.mean() - x.mean())) / deviation, known.freedom))
    if stream.kind == "routing":
        p = _thinned(x, y, known.inflation)
    quantile = float(student.isf((1 - LEVEL) / 2, known.freedom))
    raw = stream.raw
    if stream.kind == "routing":
        a, b = float(x.mean()), float(y.mean())
        own = max(b * (1 - b), 1 / (4 * len(y)))
        half = quantile * math.sqrt(known.inflation * (variance / len(x) + own / len(y)))
        return Tested(WAYS_TEST, p, a, b, b - a, b - a - half, b - a + half, len(x), len(y))
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


def _thinned(x: Floats, y: Floats, inflation: float) -> float:
    """Two-sided p of Fisher's exact test on as many independent decisions as these are worth."""
    from scipy.stats import hypergeom

    (old, n_old), (new, n_new) = (
        (round(float(part.sum()) / inflation), round(len(part) / inflation)) for part in (x, y)
    )
    law = hypergeom(n_old + n_new, old + new, n_new)
    return min(2 * float(min(law.sf(new - 1), law.cdf(new))), 1.0)


def _shares(stream: Stream, before: Flags, after: Flags) -> Tested:
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
