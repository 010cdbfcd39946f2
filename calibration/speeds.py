"""Duration rows of groups by their speed: the parent's law times a factor for those seen too rarely."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.fitting import ZERO_S, Floats, ks_distance
from calibration.inclusion import evened
from calibration.pooling import Codes, beyond, group_effects
from calibration.scaling import scaled
from metagraph.distributions import Constant, Distribution, Fitted, ZeroInflated

KNOTS = 1000
"""Quantiles of the parent's law from which what a running execution will take is judged."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Work of some executions, as equally long columns."""

    work: Floats
    ended: NDArray[np.bool_]
    """False: still running, the work so far is a lower bound."""
    weight: Floats
    """For how many executions of the process each stands; see inclusion.py."""

    def where(self, members: NDArray[np.bool_]) -> Sample:
        return Sample(self.work[members], self.ended[members], self.weight[members])

    @property
    def values(self) -> Floats:
        return self.work[self.ended]

    @property
    def fair(self) -> Floats:
        """As many values, all alike in weight, with the distribution of the process."""
        weight = self.weight[self.ended]
        return self.values if (weight == 1.0).all() else evened(self.values, weight)

    @property
    def censored(self) -> Floats:
        """Lower bounds that say something."""
        return self.work[~self.ended & (self.work > ZERO_S)]


Law = Callable[[Sample, str], Fitted]
"""The law of a sample, of a level."""


def by_speed(
    sample: Sample, group: Codes, n_groups: int, level: str, fit: Law, pictured: int
) -> Iterator[tuple[int, Fitted]]:
    """A law for every group that ended something: the shape that all have in common, times the group's factor
    and with its share of zeros; nothing where the groups don't differ beyond chance.

    Factors are empirical Bayes means of logarithms (see `group_effects`); running executions count with the
    logarithm that is to be expected of them. The common law is that of the work divided by the factor, and
    the mean over all executions stays what it is.
    """
    ended = sample.ended
    positive = sample.work > ZERO_S
    log_factor = _log_factors(sample, group, n_groups, positive)
    no_time = group_effects((~positive[ended]).astype(np.float64), group[ended], n_groups)
    if log_factor is None and no_time is None:
        return
    factor = np.exp(np.zeros(n_groups) if log_factor is None else log_factor)
    even = np.where(positive, sample.work / factor[group], 0.0)
    common = fit(replace(sample, work=even), level)
    share = np.full(n_groups, float(np.mean(~positive[ended])))
    if no_time is not None:
        share = np.clip(no_time.centre + no_time.of_group, 0.0, 1.0)
    counts = np.bincount(group[ended], minlength=n_groups)
    whole = common.law.positive if isinstance(common.law, ZeroInflated) else common.law
    weighted = np.bincount(group[ended], sample.weight[ended], minlength=n_groups)
    expected = float(weighted @ ((1 - share) * factor)) * whole.mean()
    seen_s = float(sample.values @ sample.weight[ended])
    kept = 1.0 if (~ended).any() or expected <= 0 else seen_s / expected
    for g in np.flatnonzero(counts):
        mine = np.sort(sample.values[group[ended] == g])
        law = _with_zeros(scaled(whole, factor[g] * kept), float(share[g]))
        note = f"the law of all of them times {factor[g]:.2f}, from {_times(len(mine))}"
        if no_time is not None:
            note = f"{share[g]:.0%} take no time, else {note}"
        levels = np.linspace(0, 1, min(pictured, max(len(mine), 2)))
        seen = tuple(np.round(np.quantile(mine, levels), 3).tolist())
        ks = round(ks_distance(mine, law), 4)
        yield int(g), replace(common, law=law, n=len(mine), ks=ks, observed=seen, note=note)


def _log_factors(sample: Sample, group: Codes, n_groups: int, positive: NDArray[np.bool_]) -> Floats | None:
    seen = np.log(sample.work[positive & sample.ended])
    if not len(seen):
        return None
    running = np.log(sample.work[positive & ~sample.ended])
    logs = np.empty(int(positive.sum()))
    finished = sample.ended[positive]
    logs[finished] = seen
    logs[~finished] = beyond(np.quantile(seen, np.linspace(0, 1, KNOTS)), running)
    found = group_effects(logs, group[positive], n_groups)
    return None if found is None else found.of_group


def _with_zeros(law: Distribution, share: float) -> Distribution:
    if share <= 0 or isinstance(law, ZeroInflated):
        return law
    return Constant(0.0) if share >= 1 else ZeroInflated(round(share, 6), law)


def _times(n: int) -> str:
    return f"{n} execution" + ("s" if n != 1 else "")
