"""Groups that share a law but for a factor, as far as more than chance tells them apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.local_time import Floats

Codes = NDArray[np.int64]

LEAST_FREEDOM = 10
"""Observations beyond the number of groups that the spread within groups is judged by, at least."""
CHANCE = 0.01
"""Groups differ if chance makes them differ as much less often than this."""
WINSOR = 0.01
"""Values beyond this quantile on either side count as the quantile: one slip must not make a slow agent."""


@dataclass(frozen=True, slots=True, eq=False)
class Effects:
    """What each group adds to the centre, by empirical Bayes."""

    centre: float
    of_group: Floats
    """Per group, towards 0 the fewer observations it has; 0 for groups without any."""
    between: float
    """Variance of the groups' true means."""
    within: float
    """Variance of single observations around their group's mean."""


def group_effects(x: Floats, group: Codes, n_groups: int) -> Effects | None:
    """Shrunk group means of `x`, given the group (0 to n_groups - 1) of each; None where the groups differ
    no more than by chance, or too little is known.

    The model is x_ij = m + a_j + e_ij with variances t2 of a and s2 of e. s2 is the pooled variance within
    groups, t2 the moment estimate of DerSimonian and Laird (1986), and group j's effect is the parametric
    empirical Bayes one (Morris, 1983): t2 / (t2 + s2 / n_j) of its distance from the centre m, the mean of
    the group means weighted by 1 / (t2 + s2 / n_j).
    """
    if len(x) < 2:
        return None
    x = np.clip(x, *np.quantile(x, (WINSOR, 1 - WINSOR))) if WINSOR * len(x) >= 1 else x
    n = np.bincount(group, minlength=n_groups).astype(np.float64)
    seen = n > 0
    freedom = len(x) - int(seen.sum())
    if seen.sum() < 2 or freedom < LEAST_FREEDOM:
        return None
    means = np.bincount(group, x, minlength=n_groups) / np.maximum(n, 1)
    rest = x - means[group]
    within = max(float(rest @ rest) / freedom, 1e-12)
    spread = float(n @ (means - x.mean()) ** 2) / within
    if _chance_of(spread, n[seen], rest, within) > CHANCE:
        return None
    k = int(seen.sum())
    between = max(spread - (k - 1), 0.0) / (n.sum() - float(n @ n) / n.sum()) * within
    if between <= 0:
        return None
    weight = np.where(seen, 1 / (between + within / np.maximum(n, 1)), 0.0)
    centre = float(weight @ means / weight.sum())
    return Effects(centre, between * weight * (means - centre), between, within)


def _chance_of(spread: float, n: Floats, rest: Floats, within: float) -> float:
    """P(Q >= spread) if all groups had one mean, Q being the sum of n_j (mean_j - mean)^2 / s2.

    Q's mean is k - 1 and its variance 2 (k - 1) + g sum_j n_j (1 / n_j - 1 / N)^2, g being the excess
    kurtosis; a scaled chi-squared law with both is taken (Satterthwaite, 1946). Of 0 and 1, and of long
    tails, single observations make many groups: without g chance would look like difference.
    """
    from scipy.stats import chi2

    k, total = len(n), n.sum()
    kurtosis = float(np.mean(rest**4)) / float(np.mean(rest**2)) ** 2 - 3 if rest.any() else 0.0
    variance = max(2 * (k - 1) + kurtosis * float(n @ (1 / n - 1 / total) ** 2), 0.2 * (k - 1))
    scale = variance / (2 * (k - 1))
    return float(chi2.sf(spread / scale, (k - 1) / scale))


def beyond(quantiles: Floats, reached: Floats) -> Floats:
    """E[X | X > c] for each c of `reached`, X having these (equally spaced, ascending) quantiles; c itself
    where X ends before (Buckley and James, 1979, replace a censored value by it)."""
    tails = np.append(np.cumsum(quantiles[::-1])[::-1] / np.arange(len(quantiles), 0, -1), -np.inf)
    at = np.searchsorted(quantiles, reached, side="right")
    return np.asarray(np.maximum(tails[at], reached), np.float64)
