"""Which pools models leave out, and how large models are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from optimization.network import light, network
from optimization.problem import Plan, Problem

LIGHT = 0.6
"""Pools with less than this share of the busiest one's work are first left out of the model: what gets
through the busiest ones seldom waits there, so the bound hardly rises while the model gets much smaller."""
SMALLER = 0.7
"""Such a model is worth its while if it has less than this share of the whole one's columns."""
MOST_COLUMNS = 150_000
"""A model with more isn't built: its relaxation wouldn't end in any time that people wait."""


def left_out(problem: Problem, tick: Callable[[], object] = lambda: None) -> frozenset[int]:
    """Pools that the first model leaves out; all but the busiest ones where the model is too large else.

    tick: called now and then, may raise.
    """
    free = frozenset(light(problem, LIGHT))
    few = n_columns(problem, free)
    tick()
    if few > MOST_COLUMNS:
        return frozenset(light(problem, 1.0))
    return free if few < SMALLER * n_columns(problem, frozenset()) else frozenset()


def smaller(problem: Problem, free: frozenset[int]) -> bool:
    """Whether leaving out these pools makes the model much smaller."""
    return n_columns(problem, free) < SMALLER * n_columns(problem, frozenset())


def n_columns(problem: Problem, free: frozenset[int]) -> int:
    return sum(len(points) for begins in network(problem, free).begins for points in begins)


def overloaded(problem: Problem, plan: Plan, free: frozenset[int]) -> frozenset[int]:
    """Pools in which the plan has more at once than they can take."""
    used = {pool: np.zeros(problem.grid.periods, np.int64) for pool in free}
    for i, op in enumerate(problem.ops):
        if plan.mode[i] >= 0 and (pool := op.modes[int(plan.mode[i])].pool) in free:
            start = int(plan.start[i])
            used[pool][start : int(op.modes[int(plan.mode[i])].ends[start])] += 1
    return frozenset(pool for pool in free if np.any(used[pool] > problem.pools[pool].capacity))
