"""Which of several policies is better over periods: paired, and corrected for how many they are.

Periods are the clusters: replications of one period share its orders, so their mean is one value. Against the
policy in force: paired t-tests, p-values stepped down after Holm (Scand. Journal of Statistics 6, 1979).
Against the best of the others: simultaneous intervals of multiple comparisons with the best (Hsu, Annals of
Statistics 12, 1984), of paired differences with Bonferroni's factor, as variances differ and common random
numbers make the policies dependent (Nelson and Matejcik, Management Science 41, 1995).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite, nan, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twin.words import percent

Floats = NDArray[np.float64]
Call = Literal["switch", "stay", "can't tell"]
FEWEST = 3
"""Periods without which nothing is recommended."""
ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Compared:
    """One policy beside the others; more is better."""

    policy: str
    mean: float
    difference: float
    """From the policy in force: mean over the periods."""
    low: float
    high: float
    """Its 95 % interval, by itself; NaN for fewer than two periods."""
    p: float
    """Two-sided, as if it were the only one; NaN likewise."""
    p_corrected: float
    """After Holm, over all policies but the one in force."""
    best_low: float
    best_high: float
    """Simultaneous 95 % interval of its distance from the best of the others: above 0 it is the best, below 0
    it isn't."""

    @property
    def may_be_best(self) -> bool:
        """Whether nothing shows that another one is better."""
        return not self.best_high < 0.0

    @property
    def shown(self) -> Literal["better", "worse", ""]:
        """Against the policy in force, after correction."""
        if not self.p_corrected < ALPHA:
            return ""
        return "better" if self.difference > 0 else "worse"


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do next, from what is known."""

    call: Call
    policy: str
    """To follow next."""
    reason: str
    gains: Mapping[str, float]
    """What it rests on: by contender, the mean difference from the policy in force; more is better."""


def p_text(p: float) -> str:
    """With three decimals; '' where there is none."""
    return "" if np.isnan(p) else "<0.001" if p < 0.0005 else f"{p:.3f}"


def compare(values: Mapping[str, Sequence[float] | Floats], own: str) -> tuple[Compared, ...]:
    """All policies, the best mean first; `values` over the same periods, more is better.

    Raises ValueError where their numbers differ or `own` isn't among them.
    """
    columns = {name: np.asarray(column, np.float64) for name, column in values.items()}
    if own not in columns or len({len(column) for column in columns.values()}) != 1:
        raise ValueError("policies are compared over the same periods, with the one in force among them")
    others = [name for name in columns if name != own]
    tests = {name: _paired(columns[name] - columns[own]) for name in others}
    corrected = dict(zip(others, holm([tests[name].p for name in others]), strict=True))
    found = []
    for name, column in columns.items():
        test = tests.get(name, _Test(0.0, 0.0, 0.0, nan))
        low, high = _from_best(columns, name)
        p = corrected.get(name, nan)
        mean = float(column.mean())
        found.append(Compared(name, mean, test.mean, test.low, test.high, test.p, p, low, high))
    return tuple(sorted(found, key=lambda one: (-one.mean, one.policy != own)))


@dataclass(frozen=True, slots=True)
class _Test:
    mean: float
    low: float
    high: float
    p: float


def _paired(change: Floats, alpha: float = ALPHA) -> _Test:
    """The paired t-test of no change, and the interval at 1 - alpha."""
    mean, half, se = _spread(change, alpha)
    if not isfinite(half):
        return _Test(mean, nan, nan, nan)
    if se == 0.0:
        return _Test(mean, mean, mean, 1.0 if mean == 0.0 else 0.0)
    from scipy.special import stdtr

    p = 2.0 * float(stdtr(len(change) - 1, -abs(mean) / se))
    return _Test(mean, mean - half, mean + half, p)


def _spread(change: Floats, alpha: float) -> tuple[float, float, float]:
    """Mean, half the width of its interval (infinite for a single period), standard error."""
    n = len(change)
    mean = float(change.mean()) if n else nan
    if n < 2:
        return mean, inf, inf
    from scipy.special import stdtrit

    se = float(change.std(ddof=1)) / sqrt(n)
    return mean, float(stdtrit(n - 1, 1.0 - alpha / 2.0)) * se, se


def holm(ps: Sequence[float]) -> list[float]:
    """P-values stepped down: the smallest times their number, the next times one less, never falling."""
    order = sorted(range(len(ps)), key=lambda i: (np.isnan(ps[i]), ps[i]))
    found, highest = [nan] * len(ps), 0.0
    for rank, i in enumerate(order):
        if np.isnan(ps[i]):
            continue
        highest = max(highest, min((len(ps) - rank) * ps[i], 1.0))
        found[i] = highest
    return found


def _from_best(columns: Mapping[str, Floats], name: str) -> tuple[float, float]:
    """Hsu's interval of a policy's mean less that of the best other."""
    others = [other for other in columns if other != name]
    if not others:
        return 0.0, 0.0
    # One-sided bounds of each difference; all policies with all others are that many.
    alpha = 2.0 * ALPHA / max(len(columns) * (len(columns) - 1), 1)
    spreads = [_spread(columns[name] - columns[other], alpha) for other in others]
    if any(not isfinite(half) for _, half, _ in spreads):
        return -inf, inf
    high = min(mean + half for mean, half, _ in spreads)
    low = min(mean - half for mean, half, _ in spreads)
    return low, high


def advise(values: Mapping[str, Sequence[float] | Floats], own: str, margin: float) -> Advice:
    """What to do next after these periods, as known by now; `margin`: a gain too small to matter,
    as a share of the mean of the policy in force.

    Switch: a policy is better than the one in force, also after correction, and by the best mean. Stay: no
    policy is better by more than the margin, of all that the data allow. Else nobody can tell.
    """
    columns = {name: np.asarray(column, np.float64) for name, column in values.items()}
    periods = len(columns[own])
    gains = {n: float((c - columns[own]).mean()) for n, c in columns.items() if n != own and periods}
    if periods < FEWEST:
        return Advice(
            "can't tell",
            own,
            f"{periods} period{'s' * (periods != 1)} known by then; at least {FEWEST} are needed",
            gains,
        )
    found = {one.policy: one for one in compare(values, own)}
    better = [one for one in found.values() if one.shown == "better"]
    if better:
        best = max(better, key=lambda one: one.difference)
        return Advice(
            "switch",
            best.policy,
            f"{best.policy} was better over {periods} periods (p {p_text(best.p_corrected)} after Holm)",
            gains,
        )
    least = margin * abs(found[own].mean)
    # The most that each policy could be better by, all at once (Bonferroni).
    level = ALPHA / max(len(found) - 1, 1)
    changes = {name: columns[name] - columns[own] for name in gains}
    most = {name: sum(_spread(change, 2.0 * level)[:2]) for name, change in changes.items()}
    if all(high <= least for high in most.values()):
        return Advice(
            "stay", own, f"no policy was better by more than {percent(margin)}, over {periods} periods", gains
        )
    name = max(most, key=lambda one: most[one])
    return Advice(
        "can't tell",
        own,
        f"over {periods} periods {name} may be better by more than {percent(margin)}, but it isn't shown",
        gains,
    )
