"""The ladder from observations to a law: constant, atom at zero, few values, parametric family, quantiles."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.oddities import heap_in
from calibration.window import ENOUGH
from metagraph.distributions import Constant, Distribution, Empirical, Fitted, Parametric, ZeroInflated

Floats = NDArray[np.float64]

FAMILIES = ("expon", "gamma", "lognorm", "weibull_min", "norm", "uniform")
FREE_LOC = frozenset({"norm", "uniform"})
"""Families whose location is fitted; all others start at zero."""
SHIFTED = 100
"""Values from which a family may start above zero."""
SHIFT = 0.01
"""By how much nearer it then has to be."""
SHIFTED_NAME = ", shifted"
ZERO_S = 1e-3
"""Values up to here are zero."""
CAP = 2.0
"""A family is cut off at this multiple of the longest value seen."""
TAIL = {0.95: 1.5, 0.99: 2.0}
"""A family's quantile may be off by this factor either way."""
MEAN = 0.05
"""And its mean by this share."""
LEVELS = 201
"""Quantiles of an empirical law."""
_THINNED = 2000

_NONE: Floats = np.empty(0)


def fit_law(
    values: Floats,
    level: str,
    *,
    censored: Floats = _NONE,
    ks_limit: float = 0.1,
    families: Sequence[str] | None = None,
    fast: bool = False,
    pictured: int = 101,
) -> Fitted:
    """The law of non-negative `values`; `censored` are lower bounds of values that were not seen whole.

    The first rung that holds decides: all equal; a share of zeros, split off; fewer than ENOUGH values, their
    smoothed quantiles; values that heap at round numbers, their quantiles, with jumps at the heaps; a
    parametric family within `ks_limit` that keeps the mean and the upper quantiles; the quantile function.
    `families` names the only ones to be tried; `fast` tries none. At most `pictured` observed quantiles are
    kept. Raises ValueError without values.
    """
    if not len(values):
        raise ValueError("no observations to fit")
    values = np.sort(np.maximum(values, 0.0))
    observed = _rounded(np.quantile(values, np.linspace(0, 1, min(pictured, max(len(values), 2)))))
    zeros = int(np.searchsorted(values, ZERO_S, side="right"))
    positive = values[zeros:]
    if not len(positive):
        return Fitted(Constant(0.0), len(values), level, ks=0.0, observed=observed)
    law, candidates, note = _positive(positive, censored, ks_limit, families, fast)
    whole: Distribution = law
    if zeros:
        whole = ZeroInflated(zeros / len(values), law)
        atom = f"{zeros / len(values):.1%} take no time"
        note = f"{atom}; {note}" if note else ""
    return Fitted(
        whole, len(values), level, round(ks_distance(values, whole), 4), candidates or None, observed, note
    )


def _positive(
    values: Floats, censored: Floats, ks_limit: float, families: Sequence[str] | None, fast: bool
) -> tuple[Constant | Parametric | Empirical, Mapping[str, float], str]:
    """The law of sorted positive values, the families tried, and what was missing."""
    n = len(values)
    if values[-1] - values[0] <= 1e-6 * values[-1]:
        note = f"only {n} observations, all alike" if n < ENOUGH else ""
        return Constant(round(float(values.mean()), 6)), {}, note
    if n < ENOUGH:
        note = f"only {n} observations: their smoothed quantiles"
        return quantile_law(values, censored), {}, note
    heap = heap_in(values)
    if heap is not None:
        return quantile_law(values, censored), {}, f"{heap.words}: observed quantiles"
    if fast:
        return quantile_law(values, censored), {}, ""
    best, tried = _best_family(values, censored, ks_limit, families)
    if best is not None:
        return best, tried, ""
    nearest = min(tried, key=lambda f: tried[f], default="")
    note = (
        f"no family fits ({nearest} is nearest, {tried[nearest]:.2f} away)" if nearest else "no family fits"
    )
    return quantile_law(values, censored), tried, f"{note}: observed quantiles"


def _best_family(
    values: Floats, censored: Floats, ks_limit: float, families: Sequence[str] | None
) -> tuple[Parametric | None, dict[str, float]]:
    """The nearest law that passes the guards, and the KS distance of everything tried.

    Families start at zero by our own fits. fitter's fits, whose location is free, come in as shifted laws
    where there are enough values and nothing is censored; one must be nearer by SHIFT to be taken.
    """
    thin = _thinned(values, len(values))
    cut = _thinned(censored, len(values))
    top = round(CAP * float(max(values[-1], censored.max(initial=0))), 6)
    seen = _Seen.of(values, censored)
    laws: dict[str, Parametric] = {}
    for family in families or FAMILIES:
        params = _fit_family(family, thin, cut)
        if params is not None:
            laws[family] = Parametric(family, params, upper=top)
    if families is None and not len(censored) and len(values) >= SHIFTED:
        for family, params in _fitted_by_fitter(thin).items():
            laws[family + SHIFTED_NAME] = Parametric(family, params, upper=top)
    tried = {name: round(seen.distance(law), 4) for name, law in laws.items()}
    sane = [name for name in laws if tried[name] <= ks_limit and seen.allows(laws[name])]
    best = min(sane, key=lambda name: tried[name] + SHIFT * name.endswith(SHIFTED_NAME), default=None)
    return (laws[best] if best else None), tried


def _fitted_by_fitter(values: Floats) -> dict[str, tuple[float, ...]]:
    """fitter's parameters of the families that start at a location, where it found one above zero.

    Its free location ruins the tails of short samples and its gamma fits go astray now and then: what it
    finds has to pass the same guards as all else.
    """
    from fitter import Fitter

    shiftable = [family for family in FAMILIES if family not in FREE_LOC]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        fits = Fitter(values, distributions=shiftable, timeout=30, verbose=False)
        fits.fit(max_workers=1, prefer="threads")
    found = {str(f): tuple(float(p) for p in params) for f, params in fits.fitted_param.items()}
    return {f: p for f, p in found.items() if np.isfinite(p).all() and p[-2] > 0 and p[-1] > 0}


def _fit_family(family: str, values: Floats, censored: Floats) -> tuple[float, ...] | None:
    """Maximum-likelihood parameters, the location fixed at zero where the family starts there."""
    import scipy.stats

    law: Any = getattr(scipy.stats, family)
    fixed = {} if family in FREE_LOC else {"floc": 0}
    data: Any = values
    if len(censored):
        data = scipy.stats.CensoredData(uncensored=values, right=censored)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            params = tuple(float(p) for p in law.fit(data, **fixed))
    except (ValueError, RuntimeError, FloatingPointError, scipy.stats.FitError):
        return None
    return params if all(np.isfinite(params)) and params[-1] > 0 else None


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a law is held against: the distribution function of the observations, and their mean."""

    points: Floats
    below: Floats
    """Share of values before each point."""
    above: Floats
    """Share up to and including it."""
    mean: float | None
    """None where runs were cut short: the longest values are missing from the mean."""

    @classmethod
    def of(cls, values: Floats, censored: Floats) -> _Seen:
        """From sorted values; Kaplan and Meier's estimate where some are censored."""
        points, above = _distribution(values, censored)
        below = np.concatenate(([0.0], above[:-1]))
        return cls(points, below, above, None if len(censored) else float(values.mean()))

    def distance(self, law: Parametric) -> float:
        """KS distance; jumps of the observations count from both sides."""
        cdf = law.cdf(self.points)
        return float(max(np.max(np.abs(cdf - self.below)), np.max(np.abs(cdf - self.above))))

    def allows(self, law: Parametric) -> bool:
        """Whether the law keeps the mean and the upper quantiles, and stays above zero."""
        if float(law.cdf(0.0)) > 0.005:
            return False
        if self.mean is not None and abs(law.mean() - self.mean) > MEAN * self.mean:
            return False
        for u, factor in TAIL.items():
            at = int(np.searchsorted(self.above, u - 1e-12))
            if at < len(self.points):
                seen = float(self.points[at])
                if not seen / factor <= float(law.ppf(u)) <= seen * factor:
                    return False
        return True


def quantile_law(values: ArrayLike, censored: Floats = _NONE, levels: int = LEVELS) -> Empirical:
    """An empirical law of the values (Kaplan and Meier's estimate where some are censored).

    Straight lines between quantiles overrate a convex tail; the topmost quantile is moved so that the law's
    mean is the observed one.
    """
    values = np.sort(np.asarray(values, np.float64))
    count = min(max(len(values), 2), levels)
    grid = np.linspace(0, 1, count)
    if len(censored):
        return Empirical(_rounded(_kaplan_meier(values, censored, grid)))
    quantiles = np.quantile(values, grid)
    excess = (quantiles[:-1] + quantiles[1:]).mean() / 2 - values.mean()
    top = quantiles[-1] - 2 * (count - 1) * excess
    quantiles[-1] = np.clip(top, quantiles[-2], 2 * quantiles[-1] - quantiles[-2])
    return Empirical(_rounded(quantiles))


def _distribution(values: Floats, censored: Floats) -> tuple[Floats, Floats]:
    """Distinct values and P(X <= value): S(t) = prod over t_i <= t of (1 - d_i / r_i), r_i being how many
    were seen to last at least until t_i."""
    times, deaths = np.unique(values, return_counts=True)
    everyone = np.sort(np.concatenate((values, censored)))
    at_risk = len(everyone) - np.searchsorted(everyone, times, side="left")
    return times, np.asarray(1 - np.cumprod(1 - deaths / at_risk), np.float64)


def _kaplan_meier(values: Floats, censored: Floats, levels: Floats) -> Floats:
    """Quantiles; mass beyond the last value stays at the longest time seen."""
    times, reached = _distribution(values, censored)
    index = np.searchsorted(reached, levels - 1e-12, side="left")
    return np.append(times, max(values[-1], censored.max(initial=0.0)))[index]


def ks_distance(values: Floats, law: Distribution) -> float:
    """Kolmogorov-Smirnov distance between sorted observations and a law that may have atoms."""
    points = np.unique(values)
    share = np.searchsorted(values, points, side="right") / len(values)
    return float(np.max(np.abs(law.cdf(points) - share)))


def two_sample_distance(a: Floats, b: Floats) -> float:
    """Kolmogorov-Smirnov distance between two sorted samples."""
    points = np.concatenate((a, b))
    share_a = np.searchsorted(a, points, side="right") / len(a)
    share_b = np.searchsorted(b, points, side="right") / len(b)
    return float(np.max(np.abs(share_a - share_b)))


def differs(group: Floats, others: Floats, material: float = 0.15) -> bool:
    """Whether a sorted sample differs from another both materially and beyond chance (1 % level, as the
    two-sample test has it: 1.63 sqrt((n + m) / nm))."""
    n, m = len(group), len(others)
    if n < ENOUGH or m < ENOUGH:
        return False
    chance = 1.63 * float(np.sqrt((n + m) / (n * m)))
    return two_sample_distance(group, others) > max(material, chance)


def _thinned(sample: Floats, size: int) -> Floats:
    """Quantiles in place of a sample, by the factor that brings `size` down to _THINNED."""
    if size <= _THINNED or not len(sample):
        return sample
    count = max(round(len(sample) * _THINNED / size), 1)
    return np.quantile(sample, (np.arange(count) + 0.5) / count)


def _rounded(values: Floats) -> tuple[float, ...]:
    """To the millisecond."""
    return tuple(np.round(values, 3).tolist())
