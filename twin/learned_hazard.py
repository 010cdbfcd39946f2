"""When open orders end, learnt from past instants of the log: boosted trees of the hazard.

The time that an order has left is cut into periods at equal numbers of ends. Trees give the probability that
an order which is open at the beginning of a period ends in it, from what was known of it, the period, the age
it has then, and the hour and weekday (Singer and Willett 1993, discrete-time hazards; the learner is
scikit-learn's HistGradientBoostingClassifier). The product of what is left gives its distribution.

Orders that haven't ended when the log stops are no less part of the past than those that have: learning from
finished ones alone would make all others short. Each gets an end drawn from the lifetimes of all orders,
given the age that it had reached (Kaplan and Meier 1958).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from eventlogs.bounds import case_bounds
from eventlogs.snapshot import Snapshot
from twin.learned_rows import AGE, CODED, IDLE, Floats, Ints, Rows
from twin.lifetimes import lifetimes

PERIODS = 24
ROUNDS = 80
LEAVES = 15
RATE = 0.06
FEWEST_IN_LEAF = 60
MOST_ROWS = 20_000
"""Rows that are learnt from, and 12 times as many periods of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Hazard:
    """A learnt law of the time left."""

    trees: Any
    edges: Floats
    """Of the periods, from 0 on."""
    codes: tuple[Floats, ...]
    """Per coded column, what stands for its codes -1, 0, 1 ..."""

    def cdf(self, rows: Rows, times_s: Floats) -> Floats:
        """[row, time]: the probability that it has ended by then; 1 from the last period's end on."""
        from threadpoolctl import threadpool_limits

        n, periods = len(rows), len(self.edges) - 1
        if not n:
            return np.zeros((0, len(times_s)))
        row, period = np.repeat(np.arange(n), periods), np.tile(np.arange(periods), n)
        x = _with_period(_coded(rows.x, self.codes)[row], rows.at_s[row], self.edges, period)
        with threadpool_limits(1, "openmp"):
            ends = self.trees.predict_proba(x)[:, 1].reshape(n, periods)
        ends[:, -1] = 1.0
        hazard = np.cumsum(-np.log(np.maximum(1 - ends, 1e-9)), axis=1)
        total = np.hstack([np.zeros((n, 1)), hazard])
        at = np.clip(np.searchsorted(self.edges, times_s, side="right") - 1, 0, periods - 1)
        part = np.clip((times_s - self.edges[at]) / (self.edges[at + 1] - self.edges[at]), 0.0, 1.0)
        return np.asarray(1 - np.exp(-(total[:, at] * (1 - part) + total[:, at + 1] * part)), np.float64)

    @property
    def times_s(self) -> Floats:
        """Eight a period, between which the law is about linear."""
        places = np.arange(8 * (len(self.edges) - 1) + 1) / 8
        return np.interp(places, np.arange(len(self.edges)), self.edges)

    def quantiles(self, rows: Rows, levels: Floats) -> Floats:
        """[row, level]: seconds left."""
        return law_quantiles(self.times_s, self.cdf(rows, self.times_s), levels)


def law_quantiles(times_s: Floats, cdf: Floats, levels: Floats) -> Floats:
    """[row, level]: quantiles of laws that are linear between these times."""
    rising = cdf + np.arange(len(times_s)) * 1e-12
    return np.array([np.interp(levels, one, times_s) for one in rising]).reshape(len(cdf), len(levels))


def learnt(snapshot: Snapshot, rows: Rows, seed: int) -> Hazard | None:
    """A hazard from rows of this snapshot; None where too few orders have ended."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng(seed)
    if len(rows) > MOST_ROWS:
        rows = rows.some(np.sort(rng.choice(len(rows), MOST_ROWS, replace=False)))
    left = imputed(snapshot, rows, rng)
    if np.isfinite(rows.left_s).sum() < 2 * FEWEST_IN_LEAF:
        return None
    edges = np.unique(np.append(0.0, np.quantile(left, np.linspace(0, 1, PERIODS + 1)[1:])))
    codes = tuple(_order(rows.x[:, column], left) for column in CODED)
    last = np.clip(np.searchsorted(edges, left, side="left") - 1, 0, len(edges) - 2)
    row = np.repeat(np.arange(len(rows)), last + 1)
    period = np.arange(len(row)) - np.repeat(np.cumsum(last + 1) - (last + 1), last + 1)
    if len(row) > 12 * MOST_ROWS:
        kept = np.sort(rng.choice(len(row), 12 * MOST_ROWS, replace=False))
        row, period = row[kept], period[kept]
    trees = HistGradientBoostingClassifier(
        max_iter=ROUNDS,
        max_leaf_nodes=LEAVES,
        learning_rate=RATE,
        min_samples_leaf=FEWEST_IN_LEAF,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=seed,
    )
    x = _with_period(_coded(rows.x, codes)[row], rows.at_s[row], edges, period)
    # Threads of OpenMP that wait for a core that others use take many times as long as one alone.
    with threadpool_limits(1, "openmp"):
        trees.fit(x, period == last[row])
    return Hazard(trees, edges, codes)


def imputed(snapshot: Snapshot, rows: Rows, rng: np.random.Generator) -> Floats:
    """Seconds left of every row; for an order that hasn't ended, drawn given the age it has reached."""
    open_ = np.isinf(rows.left_s)
    age = snapshot.until_s - case_bounds(snapshot)[0][rows.case[open_]]
    left = rows.left_s.copy()
    left[open_] = rows.seen_s[open_] + longer(snapshot, age, rng.random(len(age)))
    return left


def longer(snapshot: Snapshot, age_s: Floats, u: Floats) -> Floats:
    """How much longer orders of these ages live, at level u of the lifetimes of all orders, as they ended in
    the last quarter of the log: those that were there before enter at the age they had at its beginning
    (the longest that ended counts as the longest there is).
    """
    first, last = case_bounds(snapshot)
    return lifetimes(first, np.where(snapshot.is_open, np.inf, last), snapshot.until_s).left(age_s, u)


def _order(code: Floats, left: Floats) -> Floats:
    """For codes from -1 on: the mean time left of their rows, drawn to that of all where they are few."""
    which = code.astype(np.int64) + 1
    n = np.bincount(which).astype(np.float64)
    total = np.bincount(which, left).astype(np.float64)
    found: Floats = np.divide(total + 20 * float(left.mean()), n + 20)
    return found


def _coded(x: Floats, codes: tuple[Floats, ...]) -> Floats:
    """Features with codes replaced by what stands for them; codes that were never seen are missing."""
    x = x.copy()
    for column, values in zip(CODED, codes, strict=True):
        which = x[:, column].astype(np.int64) + 1
        known = which < len(values)
        x[:, column] = np.where(known, values[np.minimum(which, len(values) - 1)], np.nan)
    return x


def _with_period(x: Floats, at_s: Floats, edges: Floats, period: Ints) -> Floats:
    """Features with the period, and age, idleness, hour and weekday in its middle."""
    middle = (edges[period] + edges[period + 1]) / 2
    then = at_s + middle
    clock = (then % 86400 // 1800, then // 86400 % 7)
    return np.column_stack([x, edges[period + 1], x[:, AGE] + middle, x[:, IDLE] + middle, *clock])
