"""When somebody came and went on a day, from the first and last stamps of many days.

From the last stamp of a day to its end an agent was idle or had something in hand. With something in hand
the next stamp comes after an exponential time; idle, after an exponential number of beginnings of others who
do the same work: while they begin nothing, neither would it. The end of the day cuts either short. The law of
the ends is a mixture of hours on the quarters of the clock: beginning with the usual hour, that one is added
at which the likelihood rises most steeply (Lindsay, 1983), weights and rates are fitted anew by the EM
algorithm, as long as the logarithm of the likelihood grows by more than Schwarz's criterion asks for. Begins
are ends on a clock that runs backwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from calibration.local_time import QUARTER_S, Floats, Mask

STEPS = 30
"""Of the EM algorithm."""
MOST = 8
"""Hours that are kept."""
BEYOND = 1e-3
"""The likelihood of an hour before the last stamp: there is always somebody who once stayed longer."""


@dataclass(frozen=True, slots=True, eq=False)
class Spells:
    """What passed between consecutive stamps of a day: how often and how much, in beginnings of others while
    idle, and in seconds with something in hand."""

    n: Floats
    """[2]"""
    total: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """The hours at which days end (or, with a sign, begin), ascending, and how often."""

    at_s: Floats
    weight: Floats
    rate: Floats
    """Of stamps: for each beginning of others while idle, and a second with something in hand."""
    like: Floats
    """The likelihood of each hour, [day, hour]."""
    score: float
    """The logarithm of the whole likelihood."""


def find_edges(last_s: Floats, held: Mask, passed: Callable[[Floats], Floats], spells: Spells) -> Edges:
    """The ends of days with these last stamps, seconds after the usual end, with something in hand or not.

    `passed` gives what passed from each of them until the same number of hours, [day, hour], in beginnings of
    others. For begins all signs are turned.
    """
    low = np.floor(min(float(last_s.min()), 0.0) / QUARTER_S)
    high = np.ceil(max(float(last_s.max()), 0.0) / QUARTER_S)
    grid = np.arange(low, high + 1) * QUARTER_S
    past = grid[None, :] - last_s[:, None]
    cost = np.where(held[:, None], np.maximum(past, 0.0), np.maximum(passed(grid), 0.0))
    before = past < -1.0
    chosen = [int(-low)]
    best = _fitted(grid, chosen, cost, before, held, spells)
    while len(chosen) < min(MOST, len(grid)):
        every = _likelihood(best.rate, cost, before, held)
        gain = (every / (best.like @ best.weight)[:, None]).sum(axis=0)
        gain[chosen] = 0.0
        more = sorted([*chosen, int(np.argmax(gain))])
        found = _fitted(grid, more, cost, before, held, spells)
        if found.score - best.score <= np.log(len(last_s)):
            break
        best, chosen = found, more
    return best


def _likelihood(rate: Floats, cost: Floats, before: Mask, held: Mask) -> Floats:
    return np.asarray(np.where(before, BEYOND, np.exp(-rate[held.astype(np.int64)][:, None] * cost)))


def _fitted(grid: Floats, chosen: list[int], cost: Floats, before: Mask, held: Mask, spells: Spells) -> Edges:
    """Weights and rates."""
    cost, before = cost[:, chosen], before[:, chosen]
    weight = np.full(len(chosen), 1 / len(chosen))
    rate = np.maximum(spells.n, 0.5) / np.maximum(spells.total, 1.0)
    like = _likelihood(rate, cost, before, held)
    for _ in range(STEPS):
        chance = like * weight
        chance /= chance.sum(axis=1, keepdims=True)
        rest = (chance * cost).sum(axis=1)
        spent = spells.total + np.array([rest[~held].sum(), rest[held].sum()])
        weight = chance.mean(axis=0)
        rate = np.maximum(spells.n, 0.5) / np.maximum(spent, 1.0)
        like = _likelihood(rate, cost, before, held)
    within = float((spells.n * np.log(rate) - rate * spells.total).sum())
    score = within + float(np.log(like @ weight).sum())
    return Edges(grid[chosen], weight, rate, like, score)
