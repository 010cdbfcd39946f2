"""A plan as a schedule, with agents, ranks and instants; a schedule as a plan, where that still can be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from metagraph.schedule import Assignment, Schedule
from optimization.generation import Generator, Priorities
from optimization.problem import NOBODY, Operation, Plan, Problem, ends_of
from optimization.units import units_of

UNDER_WAY = -1.0
"""The rank of work that goes on to its end."""
_FIRST_S = 1e-6


def schedule_of(
    problem: Problem, plan: Plan, first_there: Callable[[str, float], float] | None = None
) -> Schedule:
    """Who does what when, and what goes first: a rank for each start, in the order of the starts.

    Work under way that isn't interrupted keeps its begin where that is known. Tasks that need no agent, and
    orders that are left out, aren't named. `first_there` tells when an agent is there at or after an instant:
    a plan may begin something in a period in which the shift opens.
    """
    grid, ends, units = problem.grid, ends_of(problem, plan), units_of(problem, plan)
    found = [
        Assignment(work.order, work.task, work.unit, UNDER_WAY, work.begun_s, _instant(problem, work.end))
        for work in problem.running
        if work.unit
    ]
    todo = [i for i, unit in enumerate(units) if unit]
    # A further execution of a task that is under way can't be told apart from it.
    named = {(one.order, one.task) for one in found}
    for rank, i in enumerate(sorted(todo, key=lambda i: (int(plan.start[i]), int(ends[i]), i))):
        op = problem.ops[i]
        order = problem.jobs[op.job].order.id
        if (order, op.task) in named:
            continue
        named.add((order, op.task))
        start_s = grid.at(int(plan.start[i]))
        if first_there is not None and not (op.held is not None and plan.start[i] == 0):
            start_s = max(first_there(units[i], start_s), start_s)
        end_s = max(_instant(problem, int(ends[i])), start_s)
        found.append(Assignment(order, op.task, units[i], float(rank), start_s, end_s))
    return Schedule(tuple(found), grid.start_s)


def plan_of(problem: Problem, schedule: Schedule, generator: Generator | None = None) -> Plan:
    """A schedule that was made earlier, or for another grid, as a plan for what there is now.

    Operations go in the order of the schedule's starts (without them: of its ranks), by its agents where
    those can still do them; what it doesn't name comes last. A plan's own schedule gives a plan that is at
    least as good.
    """
    told = {(one.order, one.task): one for one in schedule.assignments}
    pool_of = {unit: i for i, pool in enumerate(problem.pools) for unit in pool.units}
    last = max((_when(one, problem) for one in schedule.assignments), default=0.0) + problem.grid.never
    keys = np.full(len(problem.ops), last)
    prefer = np.full(len(problem.ops), NOBODY, np.int64)
    keep = np.zeros(len(problem.ops), np.int64)
    for i, op in enumerate(problem.ops):
        one = told.get((problem.jobs[op.job].order.id, op.task))
        if one is not None:
            keys[i] = _when(one, problem)
            pool = pool_of.get(one.agent)
            prefer[i] = next((m for m, mode in enumerate(op.modes) if mode.pool == pool), NOBODY)
            keep[i] = _goes_on(op, one, problem)
        elif all(mode.pool == NOBODY for mode in op.modes):
            # Nobody's work isn't named: it goes on as soon as it can.
            keys[i] = max((keys[pred] for pred in op.preds), default=-1.0)
    use = generator or Generator(problem)
    most = problem.most_preempted
    if most is not None and sum(op.held is not None for op in problem.ops) - int(keep.sum()) > most:
        keep[:] = 1
    return use.plan(Priorities(keys, prefer, keep, closed=_not_bought(problem, prefer)))


def _not_bought(problem: Problem, prefer: np.ndarray) -> np.ndarray:
    """[pool] 1: it has a price, and the schedule gives it nothing."""
    used = {op.modes[int(m)].pool for op, m in zip(problem.ops, prefer, strict=True) if m >= 0}
    return np.array([p.price > 0 and i not in used for i, p in enumerate(problem.pools)], np.int64)


def _goes_on(op: Operation, one: Assignment, problem: Problem) -> bool:
    return (
        op.held is not None
        and one.agent == op.held_unit
        and (one.start_s is None or one.start_s <= problem.grid.start_s + _FIRST_S)
    )


def _when(one: Assignment, problem: Problem) -> float:
    """Where an assignment comes, in points of the grid."""
    if one.start_s is None:
        return one.rank
    return (one.start_s - problem.grid.start_s) / problem.grid.dt_s


def _instant(problem: Problem, point: int) -> float:
    """The instant of a point; of what is over beyond the grid, its end."""
    return problem.grid.at(min(point, problem.grid.periods))
