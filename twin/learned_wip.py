"""Orders in process at horizons, put together from what past instants of the log say each part is worth.

Parts: today's number; today's number and how it usually changes between these times of the week; the usual
number at that time of the week; open orders that will still be there, with new ones by how many come and how
long orders lately lived; and the simulation. Of the first three, one is chosen at many past instants, by
what was known then. It, open and new orders, and the simulation are weighed at the past instants that were
simulated, if there are enough. Horizons of one instant aren't independent, so instants are counted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from eventlogs.snapshot import Snapshot
from twin.learned_past import Past, rows_bounds
from twin.learned_rows import Floats
from twin.lifetimes import Lifetimes, lifetimes
from twin.outlook import LEVELS, InProcess

LOG_PARTS = ("today's number", "today's number and its usual change", "the usual number")
PARTS = (*LOG_PARTS, "open and new orders by what the log teaches", "the simulation")
INSTANTS, FIRST = 48, 0.3
"""Past instants at which one of the first three is chosen, from this share of the events on."""
FEWEST_INSTANTS = 8
FEWEST_SIMULATED = 6
"""With fewer simulated instants whose counts are known the simulation isn't weighed against the log."""
HALF = 0.3
"""An error that is older by this share of the log counts half as much: processes change."""
STEPS = 4
"""Weights are multiples of one part in so many."""
WEEKS = 6
"""So many of the latest weeks (days, in short logs) tell what is usual."""
_WEEK, _DAY = 7 * 86400.0, 86400.0


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """First start and end of every order, as they were known at an instant; seconds."""

    first_s: Floats
    last_s: Floats
    """Infinite where the order hadn't ended by then."""
    at_s: float
    begun_s: Floats
    """The first starts, ascending."""
    over_s: Floats
    """The ends, ascending."""
    lives: Lifetimes

    @property
    def now(self) -> float:
        return float(self.open_at(np.array([self.at_s]))[0])

    def open_at(self, times_s: Floats) -> Floats:
        """How many orders were open at instants up to now."""
        begun = np.searchsorted(self.begun_s, times_s, side="right")
        over = np.searchsorted(self.over_s, times_s, side="right")
        return np.asarray(begun - over, np.float64)

    def before(self, ahead_s: float) -> Floats:
        """How far back the same times of the week lie (of the day, where the log is short) for which it is
        known what was `ahead_s` later; the latest first, none in a log shorter than two such days."""
        reach = self.at_s - float(self.begun_s[0])
        for period in (_WEEK, _DAY):
            back = period * np.arange(max(math.ceil(ahead_s / period), 1), int(reach / period) + 1)
            if len(back) > 1:
                return np.asarray(back[:WEEKS], np.float64)
        return np.zeros(0)


def known(first_s: Floats, last_s: Floats, at_s: float) -> Known:
    """What was known at an instant."""
    begun = first_s <= at_s
    first, last = first_s[begun], np.where(last_s[begun] > at_s, np.inf, last_s[begun])
    return Known(first, last, at_s, np.sort(first), np.sort(last), lifetimes(first, last, at_s))


def by_log(then: Known, ahead_s: float) -> Floats:
    """The numbers that LOG_PARTS give for `ahead_s` later."""
    back, now = then.before(ahead_s), then.now
    if not len(back):
        return np.array([now, now, now])
    usual = then.open_at(then.at_s + ahead_s - back)
    change = usual - then.open_at(then.at_s - back)
    return np.array([now, max(now + change.mean(), 0.0), usual.mean()])


def new_orders(then: Known, ahead_s: float) -> float:
    """How many orders will have come and still be there: as many come as at the same times of past weeks, and
    they live as orders lately did."""
    back, lives = then.before(ahead_s), then.lives
    windows = then.at_s - back if len(back) else np.array([max(then.at_s - ahead_s, float(then.begun_s[0]))])
    here = [
        lives.outlive(ahead_s - (first - begin)).sum()
        for begin in windows.tolist()
        for first in [then.first_s[(then.first_s > begin) & (then.first_s <= begin + ahead_s)]]
    ]
    return float(np.mean(here))


def share_left(quantiles_s: Floats, ahead_s: float) -> float:
    """How many of these orders are still open then, by quantiles [order, level] of their seconds left."""
    return float(sum(1 - share_by(ahead_s, one) for one in quantiles_s))


def share_by(after_s: float, quantiles: Floats) -> float:
    """The probability of an end by then, from quantiles at LEVELS; the twentieth above them ends as far
    beyond the last as that is beyond the median."""
    far = max(2 * quantiles[-1] - quantiles[LEVELS.index(0.5)], quantiles[-1] + 1.0)
    points = np.concatenate([[0.0], quantiles, [far]]) + np.arange(len(quantiles) + 2) * 1e-6
    return float(np.interp(after_s, points, np.concatenate([[0.0], LEVELS, [1.0]]), left=0.0, right=1.0))


def in_process(
    snapshot: Snapshot,
    found: Sequence[Past],
    weight: float,
    hours: Sequence[float],
    left_s: Floats,
    simulated: Floats,
) -> tuple[InProcess, ...]:
    """Orders in process at the horizons of `found`, and the parts that they come from.

    `weight` of the simulation in the dates of open orders, `left_s` these dates as quantiles [order, level]
    of the seconds left, `simulated` the simulation's counts [horizon], with open orders as in these dates.
    """
    first, last = rows_bounds(snapshot)
    now = known(first, last, snapshot.until_s)
    thens = [known(first, last, t) for t in _instants(now).tolist()]
    pasts = [_LogPast(now, thens, hour * 3600) for hour in hours]
    share, n = _simulated_share(found, weight, hours, now, pasts)
    return tuple(
        _told(now, past, hour, share, n, share_left(left_s, hour * 3600), float(alone))
        for past, hour, alone in zip(pasts, hours, simulated, strict=True)
    )


class _LogPast:
    """What the parts of the log alone said of past instants, and which one was best then."""

    def __init__(self, now: Known, thens: Sequence[Known], ahead_s: float) -> None:
        self.ahead_s = ahead_s
        reached = [then for then in thens if then.at_s + ahead_s <= now.at_s]
        self.times = np.array([then.at_s for then in reached])
        self.enough = len(self.times) >= FEWEST_INSTANTS
        said = [by_log(then, ahead_s) for then in reached]
        self.said = np.array(said, np.float64).reshape(-1, len(LOG_PARTS))
        self.true = now.open_at(self.times + ahead_s)
        self.weights = np.array([1.0, 0.0, 0.0])
        if self.enough:
            self.weights = best(self.said, self.true, 1)
        told = self.said @ self.weights
        self.error = (
            float((np.abs(told - self.true) / np.maximum(self.true, 1.0)).mean()) if len(told) else 0.0
        )
        # Counts are uncertain as their roots are.
        self.errors = np.abs(told - self.true) / np.sqrt(np.maximum(told, 1.0))
        old = (now.at_s - self.times) / max(now.at_s - float(now.begun_s[0]), 1.0)
        self.counting = 0.5 ** (old / HALF)


def _instants(now: Known) -> Floats:
    marks = np.sort(np.concatenate([now.first_s, now.last_s[np.isfinite(now.last_s)]]))
    shares = np.linspace(FIRST, 1, INSTANTS, endpoint=False)
    return np.unique(np.quantile(marks, shares, method="lower")) + 1.0


def best(said: Floats, true: Floats, steps: int) -> Floats:
    """The weights of the columns, multiples of 1 / steps, with the lowest mean relative error; of equally
    good ones those that lean on the earlier columns."""
    each = [w for w in product(range(steps, -1, -1), repeat=said.shape[1]) if sum(w) == steps]
    weights = np.array(each, np.float64) / steps
    off = np.abs(said @ weights.T - true[:, None]) / np.maximum(true, 1.0)[:, None]
    found: Floats = weights[int(np.argmin(off.mean(axis=0).round(9)))]
    return found


def _simulated_share(
    found: Sequence[Past], weight: float, hours: Sequence[float], now: Known, pasts: Sequence[_LogPast]
) -> tuple[Floats | None, int]:
    """Weights of the log's chosen part, of open and new orders, and of the simulation; None: too few past
    instants tell. And how many do."""
    said, true, reached = [], [], set()
    for past in found:
        then = known(now.first_s, now.last_s, past.at_s)
        both = weight * past.simulated + (1 - weight) * past.learnt
        for i, hour in enumerate(hours):
            if np.isnan(past.wip[i]):
                continue
            ahead = hour * 3600
            left, alone = share_left(both, ahead), share_left(past.simulated, ahead)
            middle = past.wip_simulated[i][LEVELS.index(0.5)] + left - alone
            log = float(by_log(then, ahead) @ pasts[i].weights)
            said.append([log, left + new_orders(then, ahead), middle])
            true.append(past.wip[i])
            reached.add(past.at_s)
    if len(reached) < FEWEST_SIMULATED:
        return None, 0
    return best(np.array(said, np.float64), np.array(true, np.float64), STEPS), len(reached)


def _told(
    now: Known, past: _LogPast, hour: float, share: Floats | None, n: int, left: float, alone: float
) -> InProcess:
    """One horizon: the parts, their weights, and quantiles as wide as past errors were."""
    if share is None:
        share = np.array([1.0, 0.0, 0.0]) if past.enough else np.array([0.0, 0.0, 1.0])
    numbers = np.array([*by_log(now, past.ahead_s), left + new_orders(now, past.ahead_s), alone])
    weights = np.concatenate([share[0] * past.weights, share[1:]])
    middle = max(float(numbers @ weights), 0.0)
    quantiles = None
    if past.enough:
        wide = spread(past.errors, past.counting) * math.sqrt(max(middle, 1.0))
        quantiles = tuple(np.maximum(middle + wide, 0.0).tolist())
    return InProcess(
        horizon_h=hour,
        middle=middle,
        quantiles=quantiles,
        parts={name: (float(n), float(w)) for name, n, w in zip(PARTS, numbers, weights, strict=True)},
        instants=len(past.times),
        simulated_instants=n,
        error=past.error if past.enough else None,
    )


def spread(errors: Floats, weights: Floats | None = None) -> Floats:
    """At LEVELS, how far from the middle: of errors that count with these weights (all alike: 1) and one to
    come that counts with 1, the share within is at least what the levels say, or as much as the largest error
    gives (split conformal prediction, Vovk et al. 2005; weighted, Barber et al. 2023)."""
    weights = np.ones(len(errors)) if weights is None else weights
    order = np.argsort(errors, kind="stable")
    reached = np.cumsum(weights[order]) / (weights.sum() + 1.0)
    inside = np.abs(2 * np.array(LEVELS) - 1)
    rank = np.minimum(np.searchsorted(reached, inside - 1e-9, side="left"), len(errors) - 1)
    far = np.where(inside > 1e-9, errors[order][rank], 0.0)
    found: Floats = np.sign(np.array(LEVELS) - 0.5) * far
    return found
