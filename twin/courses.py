"""How full a simulated process is over time: open orders and waiting items on one grid of instants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from simulation.run import Run

POINTS = 241
MOST_QUEUES = 6
WIP = "orders in process"


@dataclass(frozen=True, slots=True)
class Grid:
    """Reduces a run to numbers at these instants, where it was made."""

    t_s: tuple[float, ...]
    queues: tuple[str, ...]

    def __call__(self, run: Run) -> NDArray[np.int64]:
        """[series, instant]: open orders, then what waits in each queue."""
        t = np.array(self.t_s)
        return np.array([_at(t, *path) for path in (run.wip(), *map(run.queue_path, self.queues))])


@dataclass(frozen=True, slots=True, eq=False)
class Courses:
    """Open orders and queue lengths of several runs."""

    origin: datetime
    t_s: NDArray[np.float64]
    """Instants, seconds since the origin."""
    names: tuple[str, ...]
    """WIP, then queues."""
    counts: NDArray[np.int64]
    """[run, series, instant]"""
    left_out: int
    """Queues that aren't among the series."""


def grid_of(run: Run) -> Grid:
    """Instants from the beginning of a run to its end, and the queues in which most waited."""
    waiting = run.tally.waiting_s
    longest = np.argsort(-waiting, kind="stable")[:MOST_QUEUES]
    ids = run.program.network.queue_ids
    queues = tuple(ids[i] for i in longest if waiting[i] > 0)
    return Grid(tuple(np.linspace(run.begin_s, run.until_s, POINTS).tolist()), queues)


def courses(grid: Grid, run: Run, counts: Sequence[NDArray[np.int64]]) -> Courses:
    """What several runs counted on the grid; `run` is any of them."""
    waited = sum(1 for seconds in run.tally.waiting_s.tolist() if seconds > 0)
    return Courses(
        run.origin, np.array(grid.t_s), (WIP, *grid.queues), np.array(counts), waited - len(grid.queues)
    )


def _at(t: NDArray[np.float64], times: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """A number that changes at `times`, at the instants t; 0 before the first one."""
    found: NDArray[np.int64] = np.concatenate([[0], counts])[np.searchsorted(times, t, "right")]
    return found
