"""Small random scheduling problems, and the best plan of a tiny one found by trying all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

import numpy as np

from metagraph.orders import Order, ProfitShape, profit_at
from optimization.grid import Grid
from optimization.problem import NOBODY, Ints, Job, Level, Mode, Operation, Plan, Pool, Problem, values


@dataclass(frozen=True, slots=True)
class Kind:
    """What may be in a problem."""

    most_orders: int = 4
    most_ops: int = 4
    """Of one order."""
    most_periods: int = 14
    prices: bool = False
    """Whether pools may have a price."""
    levels: int = 1
    """More than one: total flow time follows the profit."""
    grid_dates: bool = False
    """Whether all dates are points of the grid."""


TINY = Kind(most_orders=2, most_ops=2, most_periods=7)
RICH = Kind(prices=True, levels=2)


def small_problem(seed: int, kind: Kind = Kind()) -> Problem:
    """Parallel branches, delays, shifts, work under way, orders that are late or lost already."""
    random = Random(seed)
    grid = Grid(random.choice((0.0, 900.0)), 3600.0, random.randint(4, kind.most_periods))
    pools = [_pool(random, grid, i, kind) for i in range(random.randint(1, 3))]
    shifts = [_shift(random, grid) for _ in pools]
    free = [int(pool.capacity[0]) for pool in pools]
    ops: list[Operation] = []
    jobs: list[Job] = []
    for j in range(random.randint(1, kind.most_orders)):
        first = len(ops)
        for _ in range(random.randint(1, kind.most_ops)):
            ops.append(_operation(random, grid, j, range(first, len(ops)), shifts, free, pools))
        own = range(first, len(ops))
        waited_for = {p for i in own for p in ops[i].preds}
        sinks = tuple(i for i in own if i not in waited_for)
        order = _order(random, grid, j, kind)
        shape = _shape(random)
        floor = random.randint(1, 4) if random.random() < 0.1 else 0
        jobs.append(
            Job(replace(order, profit=shape) if random.random() < 0.5 else order, shape, own, sinks, floor)
        )
    n_held = sum(op.held is not None for op in ops)
    levels = [
        Level(
            "profit",
            "money",
            np.array([worth(grid, job) for job in jobs]),
            random.choice((0.0, 0.0, 0.5, 40.0)),
            kind.prices,
        ),
        Level("flow time", "h", np.array([-(np.arange(grid.never + 1) * 1.0) for _ in jobs])),
    ][: kind.levels]
    most = random.randint(0, n_held) if n_held and random.random() < 0.3 else None
    return Problem(grid, tuple(pools), tuple(ops), tuple(jobs), tuple(levels), most_preempted=most)


def worth(grid: Grid, job: Job) -> np.ndarray:
    """[point 0..never] profit of an order that is delivered at the best point from each one on."""
    lost = profit_at(job.order, job.shape, float("inf")) if job.order.lost_s is not None else 0.0
    there = [profit_at(job.order, job.shape, grid.at(t)) for t in range(grid.periods + 1)]
    return np.maximum.accumulate(np.array([*there, lost])[::-1])[::-1]


def _pool(random: Random, grid: Grid, index: int, kind: Kind) -> Pool:
    """Units, some of which may be busy at first; never all of them to the end."""
    n = random.randint(1, 3)
    capacity = np.full(grid.periods, n, np.int64)
    if random.random() < 0.2:
        capacity[: random.randint(1, 3)] -= random.randint(1, n)
    price = float(random.choice((0, 5, 60))) if kind.prices else 0.0
    return Pool(tuple(f"p{index}u{unit}" for unit in range(n)), capacity, price)


def _shift(random: Random, grid: Grid) -> list[bool]:
    """[period] whether the units of a pool are there."""
    there = [True] * grid.periods
    if random.random() < 0.3:
        begin = random.randrange(grid.periods)
        for t in range(begin, min(begin + random.randint(1, 3), grid.periods)):
            there[t] = False
    return there


def ends_on(there: list[bool], length: int, resume: int = 0) -> Ints:
    """[point] when work of so many periods is over that begins there; `resume` periods more after point 0."""
    periods = len(there)
    ends = np.full(periods + 1, periods + 1, np.int64)
    for begin in range(periods):
        if not there[begin]:
            continue
        left = length + (resume if begin else 0)
        for t in range(begin, periods):
            left -= there[t]
            if left == 0:
                ends[begin] = t + 1
                break
    return ends


def _operation(
    random: Random,
    grid: Grid,
    job: int,
    earlier: range,
    shifts: list[list[bool]],
    free: list[int],
    pools: list[Pool],
) -> Operation:
    preds = tuple(sorted(random.sample(earlier, min(len(earlier), random.choice((0, 1, 1, 1, 2))))))
    lengths = [random.randint(1, 3) for _ in range(3)]
    chosen = random.sample(range(len(pools)), min(len(pools), random.choice((1, 1, 2))))
    if random.random() < 0.1:
        chosen = [NOBODY]
    always = [True] * grid.periods
    held = None
    resume = 0
    if not preds and random.random() < 0.4 and chosen[0] != NOBODY and free[chosen[0]] > 0:
        held, resume = 0, random.choice((0, 0, 1))
        free[chosen[0]] -= 1
    modes = tuple(
        Mode(
            pool,
            lengths[k] * grid.dt_s,
            ends_on(always if pool == NOBODY else shifts[pool], lengths[k], resume if held == k else 0),
        )
        for k, pool in enumerate(chosen)
    )
    if held is not None and modes[0].ends[0] > grid.periods:
        free[chosen[0]] += 1
        held = None
    lag = None
    if random.random() < 0.15:
        steps = np.arange(grid.never + 1)
        lag = np.minimum(
            np.maximum.accumulate(steps + np.array([random.randint(0, 2) for _ in steps])), grid.never
        )
    unit = pools[chosen[0]].units[free[chosen[0]]] if held is not None else ""
    ready = 0 if held is not None or random.random() < 0.6 else random.randint(0, 4)
    return Operation(job, f"task{random.randint(0, 3)}", preds, ready, modes, lag, held, unit)


def _order(random: Random, grid: Grid, j: int, kind: Kind) -> Order:
    """Dates may lie before the grid or beyond it; some are missing."""

    def date(low: float, high: float) -> float:
        t = random.uniform(low, high)
        return grid.at(round(t)) if kind.grid_dates else grid.start_s + round(t, 2) * grid.dt_s

    n = grid.periods
    early = date(-2, n / 2) if random.random() < 0.5 else None
    due = None if random.random() < 0.1 else date(-2, n + 1)
    lost = None if random.random() < 0.2 else max(date(-1, n + 3), -1e9 if due is None else due)
    value = float(random.randint(5, 100))
    return Order(f"o{j}", grid.start_s, value=value, early_s=early, due_s=due, lost_s=lost)


def _shape(random: Random) -> ProfitShape:
    late = random.choice((0.9, 0.7, 0.4))
    return ProfitShape(
        early=random.choice((1.0, 1.1, 1.1, 0.8)),
        due=1.0,
        late=late,
        final=late * random.choice((1.0, 0.5, 0.0)),
        lost=random.choice((0.0, 0.0, -0.2, 0.05)),
    )


def plans(problem: Problem) -> Iterator[Plan]:
    """Every plan that keeps precedence, capacity and `most_preempted`."""
    n = len(problem.ops)
    start, mode = np.full(n, NOBODY, np.int64), np.full(n, NOBODY, np.int64)
    left = [pool.capacity.copy() for pool in problem.pools]
    most = n if problem.most_preempted is None else problem.most_preempted

    def over(i: int) -> int:
        return int(problem.ops[i].modes[mode[i]].ends[start[i]])

    def from_op(i: int, interrupted: int) -> Iterator[Plan]:
        if interrupted > most:
            return
        if i == n:
            yield Plan(start.copy(), mode.copy())
            return
        op = problem.ops[i]
        yield from from_op(i + 1, interrupted + (op.held is not None))
        if any(mode[p] < 0 for p in op.preds):
            return
        after = max((over(p) for p in op.preds), default=0)
        first = max(op.ready, after if op.lag is None or not op.preds else int(op.lag[after]))
        for m, way in enumerate(op.modes):
            for t in range(first, problem.grid.periods + 1):
                end = int(way.ends[t])
                if end > problem.grid.periods:
                    continue
                if way.pool != NOBODY and left[way.pool][t:end].min() < 1:
                    continue
                if way.pool != NOBODY:
                    left[way.pool][t:end] -= 1
                start[i], mode[i] = t, m
                yield from from_op(i + 1, interrupted + (op.held is not None and (t, m) != (0, op.held)))
                start[i], mode[i] = NOBODY, NOBODY
                if way.pool != NOBODY:
                    left[way.pool][t:end] += 1

    yield from from_op(0, 0)


def best_by_trying(problem: Problem) -> tuple[tuple[float, ...], Plan]:
    """The lexicographically best values, and a plan that has them."""
    best: tuple[tuple[float, ...], Plan] | None = None
    for plan in plans(problem):
        found = tuple(round(value, 9) for value in values(problem, plan))
        if best is None or found > best[0]:
            best = found, plan
    assert best is not None, "not even the empty plan is allowed"
    return best
