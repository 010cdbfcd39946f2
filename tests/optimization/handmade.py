"""Small problems made by hand: jobs in a row through pools, with descending worths."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from metagraph.orders import Order, ProfitShape
from optimization.grid import Grid
from optimization.problem import Ints, Job, Level, Mode, Operation, Plan, Pool, Problem

HOUR = 3600.0


def lasting(periods: int, grid: Grid) -> Ints:
    """Mode.ends of what takes so many periods whenever it begins."""
    points = np.arange(grid.periods + 1) + periods
    return np.where(points <= grid.periods, points, grid.never)


def by_dates(orders: Sequence[Order], shape: ProfitShape, grid: Grid) -> Level:
    """Profit by the orders' curves, as a descending table."""
    from metagraph.orders import profit_at

    rows = []
    for order in orders:
        found = [profit_at(order, shape, grid.at(t)) for t in range(grid.periods + 1)]
        found.append(profit_at(order, shape, float("inf")))
        rows.append(np.maximum.accumulate(np.array(found)[::-1])[::-1])
    return Level("profit", "money", np.array(rows).reshape(len(orders), grid.never + 1), prices=True)


def flow_shop(
    orders: Sequence[Order],
    durations: Sequence[int],
    shape: ProfitShape,
    periods: int,
    places: Sequence[int] | None = None,
) -> Problem:
    """Every order goes through one pool after the other, all at the same pace."""
    grid = Grid(0.0, HOUR, periods)
    pools = tuple(
        Pool(tuple(f"u{k}.{i}" for i in range(n)), np.full(periods, n, np.int64))
        for k, n in enumerate(places or [1] * len(durations))
    )
    ops: list[Operation] = []
    jobs: list[Job] = []
    for j, order in enumerate(orders):
        first = len(ops)
        for k, length in enumerate(durations):
            preds = (len(ops) - 1,) if k else ()
            mode = Mode(k, length * HOUR, lasting(length, grid))
            ops.append(Operation(j, f"t{k}", preds, grid.up(order.release_s), (mode,)))
        jobs.append(Job(order, shape, range(first, len(ops)), (len(ops) - 1,), 0))
    return Problem(grid, pools, tuple(ops), tuple(jobs), (by_dates(orders, shape, grid),))


def plan_of(starts: Sequence[int], modes: Sequence[int] | None = None) -> Plan:
    found = np.array(starts, np.int64)
    return Plan(found, np.where(found < 0, -1, 0) if modes is None else np.array(modes, np.int64))
