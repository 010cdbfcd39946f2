"""Distributions of times and values, as plain values that can be written to JSON.

Every distribution offers `mean()`, `ppf(u)`, `cdf(x)` and `residual(u, elapsed)`; arrays in, arrays out.
Durations are in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metagraph import families
from metagraph.tagged import Tagged

Floats = NDArray[np.float64]

ENOUGH = 30
"""Observations from which a number stands on its own; what rests on fewer is marked wherever it is shown."""


@dataclass(frozen=True, slots=True)
class Constant:
    """Always `value`."""

    value: float
    kind: Literal["constant"] = "constant"

    def mean(self) -> float:
        return self.value

    def ppf(self, u: ArrayLike) -> Floats:
        return np.full(np.shape(u), self.value)

    def cdf(self, x: ArrayLike) -> Floats:
        return (np.asarray(x, float) >= self.value).astype(float)

    def residual(self, u: ArrayLike, elapsed: float) -> Floats:
        """What is left after `elapsed`; nothing once `value` has passed."""
        return np.full(np.shape(u), max(self.value - elapsed, 0.0))


@dataclass(frozen=True, slots=True)
class Parametric:
    """A scipy.stats family with its parameters (shapes, loc, scale), cut off above at `upper`."""

    family: str
    params: tuple[float, ...]
    upper: float | None = None
    """Values above are not drawn: the law is conditioned on X <= upper."""
    kind: Literal["parametric"] = "parametric"

    def _law(self) -> Any:
        found = families.law(self.family, self.params)
        if found is not None:
            return found
        import scipy.stats

        return getattr(scipy.stats, self.family)(*self.params)

    def _mass(self) -> float:
        return 1.0 if self.upper is None else float(self._law().cdf(self.upper))

    def mean(self) -> float:
        if self.upper is None:
            return float(self._law().mean())
        u = (np.arange(4096) + 0.5) / 4096
        return float(self.ppf(u).mean())

    def ppf(self, u: ArrayLike) -> Floats:
        values = np.asarray(self._law().ppf(np.asarray(u, float) * self._mass()), np.float64)
        return np.asarray(np.maximum(values, 0.0), np.float64)

    def cdf(self, x: ArrayLike) -> Floats:
        x = np.asarray(x, float)
        below = np.asarray(self._law().cdf(x), float) / self._mass()
        return np.where(x < 0, 0.0, np.minimum(below, 1.0))

    def below(self, x: float) -> float:
        """P(X <= x) of the family itself, before values below 0 are taken for 0."""
        return float(self._law().cdf(x)) / self._mass()

    def residual(self, u: ArrayLike, elapsed: float) -> Floats:
        return _residual(self, u, elapsed)


@dataclass(frozen=True, slots=True)
class Empirical:
    """A quantile function by linear interpolation between `quantiles` at equally spaced levels 0..1."""

    quantiles: tuple[float, ...]
    """Ascending; at least two."""
    kind: Literal["empirical"] = "empirical"

    def mean(self) -> float:
        q = np.asarray(self.quantiles)
        return float((q[:-1] + q[1:]).mean() / 2)

    def ppf(self, u: ArrayLike) -> Floats:
        levels = np.linspace(0, 1, len(self.quantiles))
        values = np.interp(np.asarray(u, np.float64), levels, np.asarray(self.quantiles))
        return np.asarray(values, np.float64)

    def cdf(self, x: ArrayLike) -> Floats:
        """P(X <= x); jumps where neighbouring quantiles are equal."""
        x = np.asarray(x, float)
        q = np.asarray(self.quantiles)
        levels = np.linspace(0, 1, len(q))
        above = np.clip(np.searchsorted(q, x, side="right"), 0, len(q) - 1)
        below = np.maximum(above - 1, 0)
        gap = np.where(q[above] > q[below], q[above] - q[below], 1.0)
        inside = levels[below] + (levels[above] - levels[below]) * (x - q[below]) / gap
        return np.where(x >= q[-1], 1.0, np.where(x < q[0], 0.0, np.clip(inside, 0.0, 1.0)))

    def residual(self, u: ArrayLike, elapsed: float) -> Floats:
        return _residual(self, u, elapsed)


@dataclass(frozen=True, slots=True)
class ZeroInflated:
    """Zero with probability `p_zero`, else drawn from `positive`."""

    p_zero: float
    positive: Annotated[Constant | Parametric | Empirical, Tagged()]
    kind: Literal["zero_inflated"] = "zero_inflated"

    def mean(self) -> float:
        return (1 - self.p_zero) * self.positive.mean()

    def ppf(self, u: ArrayLike) -> Floats:
        u = np.asarray(u, float)
        if self.p_zero >= 1:
            return np.zeros(np.shape(u))
        inner = np.clip((u - self.p_zero) / (1 - self.p_zero), 0.0, 1.0)
        return np.where(u < self.p_zero, 0.0, self.positive.ppf(inner))

    def cdf(self, x: ArrayLike) -> Floats:
        x = np.asarray(x, float)
        return np.where(x < 0, 0.0, self.p_zero + (1 - self.p_zero) * self.positive.cdf(x))

    def residual(self, u: ArrayLike, elapsed: float) -> Floats:
        return self.positive.residual(u, elapsed) if elapsed > 0 else self.ppf(u)


Distribution = Annotated[Constant | Parametric | Empirical | ZeroInflated, Tagged()]


def _residual(law: Parametric | Empirical, u: ArrayLike, elapsed: float) -> Floats:
    """X - e given X > e, at quantile u: ppf(F(e) + (1 - F(e)) u) - e; zero where the law ends before e."""
    passed = float(law.cdf(elapsed))
    if passed >= 1.0:
        return np.zeros(np.shape(u))
    return np.maximum(law.ppf(passed + (1 - passed) * np.asarray(u, float)) - elapsed, 0.0)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A distribution with where it comes from."""

    law: Distribution
    n: int = 0
    """Observations behind it; 0 for a default or a value set by hand."""
    level: str = "human"
    """What was pooled: 'agent', 'class', 'task', 'all tasks', 'default' or 'human'."""
    ks: float | None = None
    """Kolmogorov-Smirnov distance between observations and `law`."""
    candidates: Mapping[str, float] | None = None
    """KS distance of each family that was tried."""
    observed: tuple[float, ...] = ()
    """Observed quantiles at equally spaced levels 0..1, for pictures (at most 101)."""
    note: str = ""
    """What was missing and what was done instead; empty when nothing was."""

    @property
    def few(self) -> bool:
        """Whether it rests on too few observations; what people set by hand doesn't."""
        return self.level != "human" and self.n < ENOUGH
