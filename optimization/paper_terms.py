"""The numbers in the paper's equations, from a Problem; and what those equations can't say."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, inf

import numpy as np

from metagraph.errors import UsageError
from optimization.grid import Grid
from optimization.problem import NOBODY, Floats, Ints, Job, Level, Pool, Problem


@dataclass(frozen=True, slots=True)
class Terms:
    """An order's profit, in the paper's time points: 1 is the beginning of the grid.

    Dates are rounded as in section 3.4.1, but slopes are those between the exact dates. The early date is
    rounded down: what is fulfilled before it counts in full, and rounding up would cost a part of the
    incentive.
    """

    early: int
    due: int
    """0 for an order that is past due (its bound in (15) would be negative)."""
    lost: int
    p_early: float
    """Intercept of the line until the due date, at `at_early`."""
    at_early: float
    m1: float
    p_late: float
    at_due: float
    m2: float
    """0 where lost-sale and due date are the same."""
    p_lost: float
    most_1: float
    """The most and least that an order on time can be worth."""
    least_1: float
    most_2: float
    least_2: float


@dataclass(frozen=True, slots=True)
class Unit:
    """One agent's place."""

    pool: int
    number: int
    name: str
    since: int
    """The first point at which it is free of work that goes on to its end, (4)."""


def terms_of(problem: Problem) -> list[Terms]:
    """[job]. Raises UsageError for what the paper's equations can't express."""
    level = _only_level(problem)
    found = [_terms(problem.grid, job, float(level.worth[j, -1])) for j, job in enumerate(problem.jobs)]
    for job, terms, worth in zip(problem.jobs, found, level.worth, strict=True):
        told = table(terms, problem.grid)
        if not np.allclose(told, worth, rtol=1e-6, atol=1e-6):
            raise UsageError(
                f"order {job.order.id}: what it is worth over time isn't a line until its due date and a "
                "line until its lost-sale date, as the paper's model wants it; use the step formulation"
            )
    return found


def _only_level(problem: Problem) -> Level:
    if len(problem.levels) != 1 or problem.levels[0].name != "profit":
        wanted = ", ".join(level.name for level in problem.levels)
        raise UsageError(f"the paper's model maximises profit alone, not {wanted}; use the step formulation")
    level = problem.levels[0]
    if level.prices and any(pool.price for pool in problem.pools):
        raise UsageError("the paper's model knows no hours that can be bought; use the step formulation")
    return level


def units_of(problem: Problem) -> list[Unit]:
    """Raises UsageError for pools that lose places as time goes by."""
    found = []
    for p, pool in enumerate(problem.pools):
        if len(pool.capacity) and np.any(np.diff(pool.capacity) < 0):
            who = ", ".join(dict.fromkeys(pool.units))
            raise UsageError(f"{who}: the paper's model knows no agents who leave; use the step formulation")
        names = _names(pool)
        for number in range(int(pool.capacity.max(initial=0))):
            since = int(np.argmax(pool.capacity > number))
            found.append(Unit(p, number, names[number], since))
    return found


def _names(pool: Pool) -> list[str]:
    """Agents with several places are told apart by a number."""
    return [
        f"{name}_{pool.units[:i].count(name)}" if name in pool.units[:i] else name
        for i, name in enumerate(pool.units)
    ]


def _terms(grid: Grid, job: Job, p_lost: float) -> Terms:
    order = job.order
    value = order.value or 0.0
    shape = order.profit or job.shape
    shares = (1.0, 1.0, 1.0, 1.0) if shape is None else (shape.early, shape.due, shape.late, shape.final)
    p_e, p_d, p_l, p_f = (value * share for share in shares)
    early_s = order.release_s if order.early_s is None else order.early_s
    due_s = inf if order.due_s is None or shape is None else order.due_s
    lost_s = inf if order.lost_s is None or shape is None else order.lost_s
    due, lost = grid.down(min(due_s, lost_s)), grid.down(lost_s)
    at_early, m1 = _number(grid, early_s), 0.0
    if early_s < due_s < inf and grid.at(due) > early_s:
        m1 = (p_e - p_d) / (_number(grid, due_s) - at_early)
    elif early_s == due_s and abs(grid.at(due) - due_s) <= 1e-6 * grid.dt_s:
        at_early, m1 = float(due), p_e - p_d
    m2 = 0.0
    if due_s < lost_s < inf:
        m2 = (p_l - p_f) / (_number(grid, lost_s) - _number(grid, due_s))
    first = max(0, min(floor(at_early - 1.0 + 1e-6), due))
    at_due = _number(grid, due_s) if due_s < inf else 0.0
    on_time = np.minimum(p_e - m1 * (_points(first, due) - at_early), max(p_e, p_d))
    late = p_l - m2 * (_points(max(due + 1, 0), lost) - at_due)
    return Terms(
        first + 1,
        due + 1,
        lost + 1,
        p_e,
        at_early,
        m1,
        p_l,
        at_due,
        m2,
        p_lost,
        float(on_time.max(initial=0.0)),
        float(on_time.min(initial=0.0)),
        float(late.max(initial=0.0)),
        float(late.min(initial=0.0)),
    )


def _number(grid: Grid, instant_s: float) -> float:
    """An instant as a time point of the paper, not rounded."""
    return (instant_s - grid.start_s) / grid.dt_s + 1.0


def _points(first: int, last: int) -> Floats:
    """The paper's time points of a range of ours."""
    return np.arange(first, last + 1, dtype=np.float64) + 1.0


def table(terms: Terms, grid: Grid) -> Floats:
    """[point 0..never] what the paper's equations give an order whose last task is over then: (6) to (12)."""
    worth = np.full(grid.never + 1, terms.p_lost)
    lines = (
        (terms.early, terms.due, terms.p_early, terms.at_early, terms.m1, terms.most_1),
        (max(terms.due + 1, 1), terms.lost, terms.p_late, terms.at_due, terms.m2, terms.most_2),
    )
    for first, last, p, at, slope, most in lines:
        points = _points(first - 1, last - 1)
        worth[first - 1 : last] = np.maximum(
            worth[first - 1 : last], np.minimum(p - slope * (points - at), most)
        )
    return np.maximum.accumulate(worth[::-1])[::-1]


def ends_by(problem: Problem) -> dict[tuple[int, int], Ints]:
    """[operation, mode][point] when what begins then is over; `never` where it can't begin."""
    return {(i, m): mode.ends for i, op in enumerate(problem.ops) for m, mode in enumerate(op.modes)}


def units_by_pool(units: list[Unit]) -> dict[int, list[int]]:
    """Places of each pool, as indices; NOBODY has one that is never taken."""
    found: dict[int, list[int]] = {NOBODY: [NOBODY]}
    for u, unit in enumerate(units):
        found.setdefault(unit.pool, []).append(u)
    return found
