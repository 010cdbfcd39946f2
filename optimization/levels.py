"""What counts in a plan, first things first: tables of what each order is worth at the points of the grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from metagraph.errors import UsageError
from metagraph.orders import profit_at
from optimization.alone import soonest
from optimization.grid import Grid
from optimization.problem import Floats, Job, Level, Operation
from optimization.settings import LevelName, Settings

Flags = NDArray[np.bool_]
NAMES: tuple[LevelName, ...] = ("profit", "flow time", "lateness", "preemptions")


def levels_of(
    jobs: Sequence[Job], ops: Sequence[Operation], grid: Grid, settings: Settings
) -> tuple[tuple[Level, ...], tuple[str, ...]]:
    """The levels that were asked for, else those that the orders suggest; and what is to be told about them.

    Raises UsageError for levels that don't exist or that none of the orders has anything for.
    """
    profit = np.stack([_profit(job, grid) for job in jobs]) if jobs else np.zeros((0, grid.never + 1))
    flat = _whenever(jobs, ops, grid, profit)
    names = settings.levels or _suggested(jobs, flat)
    _check(names, jobs)
    found = []
    for name in names:
        if name == "profit":
            found.append(Level(name, "money", profit, settings.preemption.penalty, prices=True))
        elif name == "preemptions":
            found.append(Level(name, "", np.zeros_like(profit), 1.0))
        else:
            found.append(Level(name, "h", -_hours(name, jobs, ops, grid)))
    return tuple(found), tuple(_told(names, jobs, int(flat.sum()), settings))


def _suggested(jobs: Sequence[Job], flat: Flags) -> tuple[LevelName, ...]:
    """Profit if orders have values; flow time behind it where it leaves open when some of them are done. Else
    flow time, and lateness where there are due dates."""
    if any(job.order.value is not None for job in jobs):
        open_ended = flat.any() or any(job.order.value is None for job in jobs)
        return ("profit", "flow time") if open_ended else ("profit",)
    dated = any(job.order.due_s is not None for job in jobs)
    return ("flow time", "lateness") if dated else ("flow time",)


def _whenever(jobs: Sequence[Job], ops: Sequence[Operation], grid: Grid, profit: Floats) -> Flags:
    """[job] whether it has a value, which is the same at all points at which it can be done in time."""
    found = np.zeros(len(jobs), bool)
    for j, job in enumerate(jobs):
        reached = profit[j, soonest(job, ops, grid) :]
        found[j] = job.order.value is not None and 1 < np.count_nonzero(reached == reached[0]) < len(reached)
        found[j] &= bool(np.all((reached == reached[0]) | (reached == reached[-1])))
    return found


def _check(names: Sequence[LevelName], jobs: Sequence[Job]) -> None:
    for name in names:
        if name not in NAMES:
            raise UsageError(f"{name!r} can't be asked for: take one or more of {', '.join(NAMES)}")
        if names.count(name) > 1:
            raise UsageError(f"{name} is asked for {names.count(name)} times; once is enough")
    if jobs and "profit" in names and all(job.order.value is None for job in jobs):
        raise UsageError("no order has a value, so no plan has a profit: give values, or ask for flow time")
    if jobs and "lateness" in names and all(job.order.due_s is None for job in jobs):
        raise UsageError("no order has a due date, so none is late: give due dates, or ask for flow time")


def _told(names: Sequence[LevelName], jobs: Sequence[Job], whenever: int, settings: Settings) -> list[str]:
    n = len(jobs)
    unvalued = sum(job.order.value is None for job in jobs)
    undated = sum(job.order.due_s is None for job in jobs)
    told = []
    if not settings.levels and names[0] == "flow time" and n:
        then = ", then the hours beyond due dates" if "lateness" in names else ""
        told.append(
            "The orders have no values: the plan makes the sum of the times from release to completion "
            f"small{then}."
        )
    if "profit" in names and unvalued:
        behind = f"; of plans with the same profit the best {names[1]} decides" if len(names) > 1 else ""
        told.append(f"{unvalued} of {n} orders have no value and count nothing in the profit{behind}.")
    if "profit" in names and whenever:
        then = f"; {names[1]} decides when" if len(names) > 1 else ": when they are done doesn't matter"
        told.append(f"{whenever} of {n} orders are worth the same whenever they are done in time{then}.")
    if "lateness" in names and undated:
        told.append(f"{undated} of {n} orders have no due date and are never late.")
    if "profit" not in names and settings.preemption.penalty:
        told.append("The penalty for interruptions is money and isn't weighed, as profit doesn't count.")
    return told


def _profit(job: Job, grid: Grid) -> Floats:
    """[point 0..never] the best profit at or after each point; an order without a lost-sale date that isn't
    done within the horizon brings nothing."""
    order = job.order
    found = np.array([profit_at(order, job.shape, grid.at(t)) for t in range(grid.periods + 1)])
    lost = profit_at(order, job.shape, np.inf)
    found = np.append(found, lost if order.lost_s is not None else min(lost, 0.0))
    return np.maximum.accumulate(found[::-1])[::-1].copy()


def _hours(name: LevelName, jobs: Sequence[Job], ops: Sequence[Operation], grid: Grid) -> Floats:
    """[job, point 0..never] hours from its release, or beyond its due date.

    What isn't done within the horizon counts as begun at its end, with everybody there.
    """
    found = np.zeros((len(jobs), grid.never + 1))
    points_s = grid.start_s + grid.dt_s * np.arange(grid.periods + 1)
    for row, job in zip(found, jobs, strict=True):
        since_s = job.order.release_s if name == "flow time" else job.order.due_s
        if since_s is None:
            continue
        beyond_s = points_s[-1] + max(_work_s(job, ops), grid.dt_s)
        row[:] = (np.append(points_s, beyond_s) - since_s) / 3600.0
    return found if name == "flow time" else np.maximum(found, 0.0)


def _work_s(job: Job, ops: Sequence[Operation]) -> float:
    """The longest chain of an order's work, each operation in its quickest mode, seconds."""
    over: dict[int, float] = {}
    for i in job.ops:
        before = max((over[pred] for pred in ops[i].preds), default=0.0)
        over[i] = before + min((mode.work_s for mode in ops[i].modes), default=0.0)
    return max(over.values(), default=0.0)
