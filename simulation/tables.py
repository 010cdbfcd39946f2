"""Distributions as tables: a quantile function that is linear between tabulated levels.

Engines evaluate nothing else while they run, so a draw is the same to the last bit on every machine.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from metagraph.distributions import Constant, Distribution, Empirical, Floats, Parametric, ZeroInflated

TAIL_FROM = 0.95
"""The level from which on a law's tail tells of what lasts longer than all that is known."""
_TAIL = 1e-6
_HALF = np.geomspace(_TAIL, 0.5, 200)
_LEVELS = np.concatenate([_HALF, 1.0 - _HALF[-2::-1]])


@dataclass(frozen=True, slots=True)
class Table:
    """Values `xs` at levels `us`, both ascending; levels go from 0 to 1 and repeat where the value jumps."""

    us: tuple[float, ...]
    xs: tuple[float, ...]
    slopes: tuple[float, ...]
    """Between one level and the next; 0 where they are equal, and at the last."""
    tails: tuple[float, ...]
    """Per level: the mean of what lies above it, times its probability; the first is the mean."""
    fixed: bool
    """There is one value only."""
    grid: Floats = field(compare=False, repr=False)
    """The four once more as an array, [4, level]."""

    @property
    def mean(self) -> float:
        return self.tails[0]

    def draw(self, u: float) -> float:
        """The quantile at 0 < u < 1."""
        i = bisect_right(self.us, u) - 1
        return self.xs[i] + (u - self.us[i]) * self.slopes[i]

    def draws(self, us: Floats) -> Floats:
        """`draw` of many, to the same last bit."""
        levels, values, slopes, _ = self.grid
        i = np.searchsorted(levels, us, side="right") - 1
        found: Floats = values[i] + (us - levels[i]) * slopes[i]
        return found

    def level(self, x: float) -> float:
        """P(X <= x)."""
        i = bisect_right(self.xs, x) - 1
        if i < 0:
            return 0.0
        if i == len(self.xs) - 1:
            return 1.0
        share = (x - self.xs[i]) / (self.xs[i + 1] - self.xs[i])
        return self.us[i] + (self.us[i + 1] - self.us[i]) * share

    def far(self, x: float) -> float:
        """P(X > x) beyond all that the table knows, by the Pareto law that its highest twentieth fits (Hill
        1975)."""
        begin = self.draw(TAIL_FROM)
        if begin <= 0.0:
            return 0.0
        above = TAIL_FROM + (1.0 - TAIL_FROM) * (np.arange(50) + 0.5) / 50
        mean = float(np.log(self.draws(above) / begin).mean())
        return (1.0 - TAIL_FROM) * (x / begin) ** (-1.0 / mean) if mean > 0.0 else 0.0

    def draw_beyond(self, elapsed: float, u: float) -> float:
        """The quantile at u of X given X > elapsed; the largest value there is where `elapsed` passed it."""
        passed = self.level(elapsed)
        if passed >= 1.0:
            return self.xs[-1]
        u = passed + (1.0 - passed) * u
        return self.draw(u) if u < 1.0 else self.xs[-1]

    def beyond(self, done: float) -> float:
        """E[X | X > done] - done for done > 0: what is still to be expected; 0 where the law ends before.

        The mean for done = 0.
        """
        if done <= 0.0:
            return self.tails[0]
        i = bisect_right(self.xs, done) - 1
        if i < 0:
            return self.tails[0] - done
        if i == len(self.xs) - 1:
            return 0.0
        share = (done - self.xs[i]) / (self.xs[i + 1] - self.xs[i])
        u = self.us[i] + (self.us[i + 1] - self.us[i]) * share
        if u >= 1.0:
            return 0.0
        above = self.tails[i + 1] + (self.us[i + 1] - u) * (done + self.xs[i + 1]) / 2.0
        left = above / (1.0 - u) - done
        return left if left > 0.0 else 0.0


@lru_cache(maxsize=8192)
def tabulate(law: Distribution) -> Table:
    """The table of a law; its mean is the law's own to 0.1 % and constants stay exact."""
    match law:
        case Constant(value):
            return _table([0.0, 1.0], [value, value])
        case Empirical(quantiles):
            return _table(np.linspace(0.0, 1.0, len(quantiles)), quantiles)
        case ZeroInflated(p_zero, positive):
            if p_zero >= 1.0:
                return _table([0.0, 1.0], [0.0, 0.0])
            if p_zero <= 0.0:
                return tabulate(positive)
            inner = tabulate(positive)
            us = np.concatenate([[0.0, p_zero], p_zero + (1.0 - p_zero) * np.array(inner.us[:-1]), [1.0]])
            return _table(us, [0.0, 0.0, *inner.xs])
        case Parametric():
            return _parametric(law)


def _parametric(law: Parametric) -> Table:
    us = np.concatenate([[0.0], _LEVELS, [1.0]])
    xs = np.asarray(law.ppf(us), np.float64)
    xs[0] = xs[0] if np.isfinite(xs[0]) else xs[1]
    if not np.isfinite(xs[-1]):
        xs[-1] = _last(law, us, xs)
    return _table(us, xs)


def _last(law: Parametric, us: Floats, xs: Floats) -> float:
    """An end for an unbounded law, such that the last piece carries all of the mean beyond it."""
    widths, mean = np.diff(us), law.mean()
    below = float((widths[:-1] * (xs[1:-1] + xs[:-2]) / 2).sum())
    if not np.isfinite(mean):
        return float(law.ppf(1.0 - _TAIL / 10))
    return max(2.0 * (mean - below) / float(widths[-1]) - float(xs[-2]), float(xs[-2]))


def _table(us: object, xs: object) -> Table:
    levels, values = np.asarray(us, np.float64), np.asarray(xs, np.float64)
    values = np.maximum.accumulate(values)
    width, rise = np.diff(levels), np.diff(values)
    slopes = np.divide(rise, width, out=np.zeros_like(rise), where=width > 0)
    pieces = width * (values[1:] + values[:-1]) / 2.0
    tails = np.append(np.cumsum(pieces[::-1])[::-1], 0.0)
    grid = np.stack([levels, values, np.append(slopes, 0.0), tails])
    grid.flags.writeable = False
    fixed = bool(values[0] == values[-1])
    us_, xs_, slopes_, tails_ = (tuple(row) for row in grid.tolist())
    return Table(us_, xs_, slopes_, tails_, fixed, grid)
