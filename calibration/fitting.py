"""The ladder from observations to a law: constant, atom at zero, few values, parametric family, quantiles."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.window import ENOUGH
from metagraph.distributions import Constant, Distribution, Empirical, Fitted, Parametric, ZeroInflated

Floats = NDArray[np.float64]

FAMILIES = ("expon", "gamma", "lognorm", "weibull_min", "norm", "uniform")
FREE_LOC = frozenset({"norm", "uniform"})
"""Families whose location is fitted; all others start at zero."""
REFITTED = 3
"""Families that fitter ranks best and that are fitted again with their location fixed."""
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
    smoothed quantiles; a parametric family within `ks_limit` that keeps the mean and the upper quantiles;
    the quantile function. `families` skips fitter's ranking. `fast` skips all families. At most `pictured`
    observed quantiles are kept. Raises ValueError without values.
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
    """The nearest family that passes the guards, and the KS distance of every family tried."""
    thin = values if len(values) <= _THINNED else np.quantile(values, _midpoints(_THINNED))
    tried: dict[str, float] = {}
    if families is None:
        tried = _ranked_by_fitter(thin)
        families = list(tried)[:REFITTED]
    fits: dict[str, Parametric] = {}
    for family in families:
        params = _fit_family(family, thin, censored)
        if params is None:
            continue
        law = Parametric(
            family, params, upper=round(CAP * float(max(values[-1], censored.max(initial=0))), 6)
        )
        tried[family] = round(_continuous_ks(values, law), 4)
        if tried[family] <= ks_limit and _sane(law, values, censored):
            fits[family] = law
    best = min(fits, key=lambda f: tried[f], default=None)
    return (fits[best] if best else None), tried


def _ranked_by_fitter(values: Floats) -> dict[str, float]:
    """KS distances of the families by fitter's own fits, the best by BIC first.

    fitter leaves the location free, which ruins the tails of short samples: only its ranking is used.
    """
    from fitter import Fitter

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        ranking = Fitter(values, distributions=list(FAMILIES), timeout=30, verbose=False)
        ranking.fit(max_workers=1, prefer="threads")
    table = ranking.df_errors.sort_values("bic", kind="stable")
    return {str(f): round(float(k), 4) for f, k in table["ks_statistic"].items() if np.isfinite(k)}


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


def _sane(law: Parametric, values: Floats, censored: Floats) -> bool:
    """Whether the family keeps the mean and the upper quantiles, and stays above zero."""
    if float(law.cdf(0.0)) > 0.005:
        return False
    mean = float(values.mean())
    # Where runs were cut short, the longest values are missing from the mean: it only bounds from below.
    if not len(censored) and abs(law.mean() - mean) > MEAN * mean:
        return False
    return all(
        q / factor <= float(law.ppf(u)) <= q * factor
        for u, factor in TAIL.items()
        if (q := float(np.quantile(values, u))) > 0
    )


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


def _kaplan_meier(values: Floats, censored: Floats, levels: Floats) -> Floats:
    """Quantiles from S(t) = prod over t_i <= t of (1 - d_i / r_i); mass beyond the last value stays at the
    longest time seen."""
    times, deaths = np.unique(values, return_counts=True)
    everyone = np.sort(np.concatenate((values, censored)))
    at_risk = len(everyone) - np.searchsorted(everyone, times, side="left")
    reached = 1 - np.cumprod(1 - deaths / at_risk)
    index = np.searchsorted(reached, levels - 1e-12, side="left")
    return np.append(times, everyone[-1])[index]


def ks_distance(values: Floats, law: Distribution) -> float:
    """Kolmogorov-Smirnov distance between sorted observations and a law that may have atoms."""
    points = np.unique(values)
    share = np.searchsorted(values, points, side="right") / len(values)
    return float(np.max(np.abs(law.cdf(points) - share)))


def _continuous_ks(values: Floats, law: Distribution) -> float:
    """The same for a continuous law: jumps of the observations count from both sides."""
    points = np.unique(values)
    cdf = law.cdf(points)
    below = np.searchsorted(values, points, side="left") / len(values)
    above = np.searchsorted(values, points, side="right") / len(values)
    return float(max(np.max(np.abs(cdf - below)), np.max(np.abs(cdf - above))))


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


def _midpoints(n: int) -> Floats:
    return (np.arange(n) + 0.5) / n


def _rounded(values: Floats) -> tuple[float, ...]:
    """To the millisecond."""
    return tuple(np.round(values, 3).tolist())
