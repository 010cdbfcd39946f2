"""What a plan is worth: tables over the points of the grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from metagraph.model import Metagraph
from metagraph.orders import profit_at
from optimization.grid import Grid
from optimization.problem import Floats, Job, Level
from optimization.settings import LevelName, Settings


def levels_of(
    metagraph: Metagraph, jobs: Sequence[Job], grid: Grid, settings: Settings
) -> tuple[tuple[Level, ...], tuple[str, ...]]:
    """The levels that were asked for, and what is to be told about them."""
    valued = any(job.order.value is not None for job in jobs)
    names: Sequence[LevelName] = settings.levels or (("profit",) if valued else ("flow time",))
    notes = []
    if not valued and not settings.levels:
        notes.append(
            "The orders have no values: the plan makes the sum of the times from release to completion small."
        )
    return tuple(_level(name, jobs, grid, settings) for name in names), tuple(notes)


def _level(name: LevelName, jobs: Sequence[Job], grid: Grid, settings: Settings) -> Level:
    if name == "profit":
        worth = np.stack([_profit(job, grid) for job in jobs]) if jobs else np.zeros((0, grid.never + 1))
        return Level(name, "money", worth, settings.preemption.penalty, prices=True)
    hours = (grid.start_s + grid.dt_s * np.arange(grid.never + 1)) / 3600.0
    zero = np.zeros((len(jobs), grid.never + 1))
    if name == "preemptions":
        return Level(name, "", zero, 1.0)
    for i, job in enumerate(jobs):
        since_s = job.order.release_s if name == "flow time" else job.order.due_s
        if since_s is not None:
            zero[i] = np.minimum(since_s / 3600.0 - hours, np.inf if name == "flow time" else 0.0)
    return Level(name, "h", zero)


def _profit(job: Job, grid: Grid) -> Floats:
    """[point 0..never] the best profit at or after each point."""
    order = job.order
    found = np.array([profit_at(order, job.shape, grid.at(t)) for t in range(grid.periods + 1)])
    lost = profit_at(order, job.shape, np.inf)
    found = np.append(found, lost if order.lost_s is not None else min(lost, 0.0))
    return np.maximum.accumulate(found[::-1])[::-1].copy()
