"""Tests of two twins by what they tell of their data: laws with observed quantiles, rates, and counts.

Where one twin's data are part of the other's (the same log, recorded longer), the part that both have can't
differ: what is tested is the part that only one has, told from both by subtraction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import exp, log, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metagraph.distributions import Constant, Fitted
from metagraph.model import Metagraph
from twin.diff import Change, Test

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot

Floats = NDArray[np.float64]
Counts = Sequence[float]
KS = "Kolmogorov-Smirnov, two samples"
G = "G-test of homogeneity"
FISHER = "Fisher's exact test"
DAY_MEDIANS = "Mann-Whitney test of daily medians"
RATES = "z-test of the log ratio of rates, widened for busier days"
Z = 1.959964
FEWEST = 8
"""Observations on each side, below which nothing is tested."""
EXPECTED = 5.0
"""Cells of a table with fewer expected counts are thrown together."""
LEVELS = 100
"""Steps in which the twins keep observed quantiles: the distance of two laws is known to one of them."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What the two twins know of the same process."""

    same: bool
    """Both come from the same data: nothing that differs is chance."""
    nested: bool
    """All that is behind the earlier twin is behind the later one, too."""
    swapped: bool
    """The later twin is the one that is held to be before."""
    cut: datetime | None
    """Where nested: the instant up to which the earlier one was recorded."""
    words: str

    def variance(self, spreads: tuple[float, float], n: tuple[float, float]) -> float:
        """Of a difference of two means, given the variances of one observation.

        What both have in common cancels out of it.
        """
        if self.nested:
            return max(spreads) * abs(1 / max(n[0], 1) - 1 / max(n[1], 1))
        return spreads[0] / max(n[0], 1) + spreads[1] / max(n[1], 1)

    def parts(self, n_before: float, n_after: float) -> tuple[float, float] | None:
        """How many observations only belong to each side, the common ones counted before; None: too few."""
        if self.nested:
            few, many = (n_after, n_before) if self.swapped else (n_before, n_after)
            n_before, n_after = (many - few, few) if self.swapped else (few, many - few)
        return (n_before, n_after) if min(n_before, n_after) >= FEWEST else None


@dataclass(frozen=True, slots=True, eq=False)
class Logs:
    """What the twins were built from."""

    before: Snapshot
    after: Snapshot
    basis: Basis
    """Of the whole logs: a twin that used only a part of its log has another one."""

    @property
    def pair(self) -> tuple[Snapshot, Snapshot]:
        return self.before, self.after

    def disjoint(self) -> tuple[Snapshot, Snapshot]:
        """The logs, of the longer one only the cases that begin where the other one ends, if it is a part."""
        if self.basis.cut is None:
            return self.pair
        earlier, later = self.pair[::-1] if self.basis.swapped else self.pair
        rest = _since(later, self.basis.cut)
        return (rest, earlier) if self.basis.swapped else (earlier, rest)


def basis_of(
    before: Metagraph,
    after: Metagraph,
    snapshots: tuple[Snapshot, Snapshot] | None = None,
    *,
    whole: bool = False,
) -> Basis:
    """What the twins' provenances tell of their data, proven by the snapshots where there are any.

    `whole`: of their logs, whatever part of them was used.
    """
    old, new = before.provenance, after.provenance
    if old is None or new is None:
        words = "One of them has no log behind it: only what it says of its numbers is compared."
        return Basis(False, False, False, None, words)
    if old.content_hash == new.content_hash and old.content_hash:
        words = (
            "Both were fitted to the same data, so that nothing between them is chance: all of it was chosen."
        )
        return Basis(True, False, False, None, words)
    windows = not whole and ("window" in old.facts or "window" in new.facts)
    swapped = old.until > new.until
    one_log = old.log == new.log and old.first_event == new.first_event and old.until != new.until
    if snapshots is not None:
        one_log = one_log and _part_of(*(snapshots[::-1] if swapped else snapshots))
    if one_log and not windows:
        cut = min(old.until, new.until)
        words = (
            f"The data of one are part of the other's: what came until {cut:%Y-%m-%d %H:%M} UTC is held "
            "against what came later."
        )
        return Basis(False, True, swapped, cut, words)
    share = old.log == new.log and old.first_event < new.until and new.first_event < old.until
    words = (
        "Their data overlap and are taken for independent, which makes the tests cautious."
        if share
        else "Their data are taken for independent of each other."
    )
    return Basis(False, False, False, None, words)


def _since(snapshot: Snapshot, cut: datetime) -> Snapshot:
    from eventlogs.bounds import case_bounds
    from eventlogs.split import subset

    first, _ = case_bounds(snapshot)
    return subset(snapshot, first >= (cut - snapshot.origin).total_seconds())


def _part_of(earlier: Snapshot, later: Snapshot) -> bool:
    """Whether nearly all executions of one log are in the other: few may have been corrected since."""
    known = _executions(later)
    return len(_executions(earlier) - known) <= earlier.n_events / 100


def _executions(snapshot: Snapshot) -> set[tuple[str, str, float]]:
    start = snapshot.origin.timestamp() + snapshot.start_s
    rows = zip(snapshot.case_of_row(), snapshot.activity, start, strict=True)
    return {(snapshot.cases[c], snapshot.activities[a], round(float(s), 3)) for c, a, s in rows}


def holm(values: Sequence[float]) -> list[float]:
    """p-values after Holm's correction (S. Holm, 1979): the chance of any false finding among them all."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    adjusted, highest = [1.0] * len(values), 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, (len(values) - rank) * values[i]))
        adjusted[i] = highest
    return adjusted


def laws_test(before: Fitted, after: Fitted, basis: Basis) -> Test | None:
    """Whether two samples of which the twins keep the quantiles come from one law; None: can't be told.

    Of nested samples the distance of the two parts is that of the whole ones times n / (n - m), m being the
    smaller number; the quantiles' steps are taken off, so that they can't pass for a change.
    """
    from scipy.stats import kstwobign

    parts = basis.parts(before.n, after.n)
    if parts is None or basis.same:
        return None
    distance = _distance(before, after)
    if basis.nested:
        many, few = max(before.n, after.n), min(before.n, after.n)
        distance = max(distance - 1 / LEVELS, 0.0) * many / (many - few)
    else:
        distance = max(distance - 1 / LEVELS, 0.0)
    n = parts[0] * parts[1] / (parts[0] + parts[1])
    p = float(kstwobign.sf(min(distance, 1.0) * (sqrt(n) + 0.12 + 0.11 / sqrt(n))))
    return Test(KS, *parts, p)


def _distance(before: Fitted, after: Fitted) -> float:
    """The largest distance of the two distribution functions, each told by its quantiles."""
    one, other = _quantiles(before), _quantiles(after)
    at = np.unique(np.concatenate((one, other)))
    return float(np.abs(_share_up_to(one, at) - _share_up_to(other, at)).max())


def _share_up_to(quantiles: Floats, at: Floats) -> Floats:
    """The distribution function: linear between quantiles, with a jump where several are equal."""
    last = np.searchsorted(quantiles, at, "right")
    several = last - np.searchsorted(quantiles, at, "left") > 1
    jump = np.clip(last - 1, 0, LEVELS) / LEVELS
    inside = np.interp(at, quantiles, np.linspace(0, 1, LEVELS + 1))
    return np.asarray(np.where(several, jump, inside), float)


def _quantiles(fitted: Fitted) -> Floats:
    levels = np.linspace(0, 1, LEVELS + 1)
    if len(fitted.observed) > 1:
        have = np.linspace(0, 1, len(fitted.observed))
        return np.asarray(np.interp(levels, have, np.asarray(fitted.observed, float)), float)
    return np.asarray(fitted.law.ppf(np.clip(levels, 0.0005, 0.9995)), float)


def ratio_of_means(before: Fitted, after: Fitted, basis: Basis) -> Change | None:
    """The relative change of a mean time with its 95 % interval (delta method, logarithm); None: no ratio."""
    was, now = float(before.law.mean()), float(after.law.mean())
    if min(was, now) <= 0:
        return None
    shift = log(now / was)
    if basis.same or min(before.n, after.n) < 2:
        return Change("ratio", was, now, "s", exp(shift) - 1)
    error = sqrt(basis.variance((_variation(before) ** 2, _variation(after) ** 2), (before.n, after.n)))
    return Change(
        "ratio", was, now, "s", exp(shift) - 1, exp(shift - Z * error) - 1, exp(shift + Z * error) - 1
    )


def _variation(fitted: Fitted) -> float:
    """Standard deviation over mean."""
    mean = float(fitted.law.mean())
    if isinstance(fitted.law, Constant) or mean <= 0:
        return 0.0
    draws = fitted.law.ppf((np.arange(2000) + 0.5) / 2000)
    return float(draws.std() / mean)


def counts_test(counts: tuple[Counts, Counts], basis: Basis, spread: float = 1.0) -> Test | None:
    """Whether counts of the same categories come from one distribution; None: too few to tell.

    `spread` by how much the counts vary more than by chance alone. Categories with few expected counts are
    thrown together; tables of two by two are tested exactly.
    """
    from scipy.stats import chi2, fisher_exact

    if basis.same:
        return None
    table = _disjoint(np.asarray(counts[0], float), np.asarray(counts[1], float), basis)
    n = table.sum(axis=1)
    sizes = float(n[0]), float(n[1])
    if min(sizes) < FEWEST:
        return None
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return Test(G, *sizes, 1.0)
    if table.shape[1] == 2 and spread == 1.0:
        return Test(FISHER, *sizes, float(fisher_exact(np.rint(table)).pvalue))
    expected = np.outer(n, table.sum(axis=0)) / table.sum()
    rare = expected.min(axis=0) < EXPECTED
    if rare.any():
        table, expected = (
            np.column_stack((part[:, ~rare], part[:, rare].sum(axis=1))) for part in (table, expected)
        )
    if table.shape[1] < 2:
        return Test(G, *sizes, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(table > 0, table * np.log(table / expected), 0.0)
    # The logarithms overrate tables with few counts a little (D. A. Williams, 1976).
    k = table.shape[1]
    held = 1 + (k + 1) * (n.sum() * (1 / n).sum() - 1) / (6 * n.sum())
    return Test(G, *sizes, float(chi2.sf(2 * terms.sum() / spread / held, k - 1)))


def _disjoint(before: Floats, after: Floats, basis: Basis) -> Floats:
    """The two rows of a table, without what both count."""
    if basis.nested:
        if basis.swapped:
            before = np.maximum(before - after, 0.0)
        else:
            after = np.maximum(after - before, 0.0)
    return np.vstack((before, after))


def share_change(shares: tuple[float, float], n: tuple[float, float], unit: str, basis: Basis) -> Change:
    """A share's change with its 95 % interval (R. G. Newcombe, 1998, method 10; of nested samples normal)."""
    from twin.words import share_interval

    was, now = shares
    size = now - was
    if basis.same or min(n) < 1:
        return Change("share", was, now, unit, size)
    if basis.nested:
        spread = max(was * (1 - was), now * (1 - now))
        half = Z * sqrt(spread * (1 / min(n) - 1 / max(n)))
        return Change("share", was, now, unit, size, size - half, size + half)
    low_was, high_was = share_interval(was, max(round(n[0]), 1))
    low_now, high_now = share_interval(now, max(round(n[1]), 1))
    low = size - sqrt((now - low_now) ** 2 + (high_was - was) ** 2)
    return Change(
        "share", was, now, unit, size, low, size + sqrt((high_now - now) ** 2 + (was - low_was) ** 2)
    )
