"""One order as if it were alone: how soon it could be done, and how soon without some of what holds it.

An order that can't be done in time even so is no matter of what goes first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from math import ceil, floor, inf
from typing import Literal

from metagraph.model import Metagraph
from optimization.grid import Grid
from optimization.problem import NOBODY, Job, Mode, Operation, Pool, Problem
from optimization.work import Presence, presence

Kind = Literal["horizon", "grid", "delay", "busy", "work", "ready", "under way", "shift", "nobody", "date"]
FAR_S = 35 * 86400.0
"""How far beyond the horizon one looks for somebody who comes."""
_SLACK = 1e-6
"""Share of a period."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Something that holds an order back."""

    kind: Kind
    op: int = NOBODY
    """The operation that it is about; NOBODY: the order as a whole."""


def earliest(problem: Problem, job: int) -> int:
    """The first point at which an order could be fulfilled if it were alone; `never` if beyond the grid."""
    return soonest(problem.jobs[job], problem.ops, problem.grid, problem.pools)


def soonest(job: Job, ops: Sequence[Operation], grid: Grid, pools: Sequence[Pool] | None = None) -> int:
    """The same; without pools as if nothing were under way."""
    over: dict[int, int] = {}
    for i in job.ops:
        op = ops[i]
        before = max((over[pred] for pred in op.preds), default=0)
        after = before if op.lag is None or not op.preds else int(op.lag[before])
        ends = (_end(mode, max(after, op.ready), grid, pools) for mode in op.modes)
        over[i] = min(ends, default=grid.never)
        if op.held is not None and after == op.ready == 0:
            over[i] = min(over[i], int(op.modes[op.held].ends[0]))
    return max([job.floor, *(over[i] for i in job.sinks)])


def _end(mode: Mode, point: int, grid: Grid, pools: Sequence[Pool] | None) -> int:
    """The first end of an operation that begins at a point or later in a mode with a free place."""
    if point > grid.periods:
        return grid.never
    if mode.pool == NOBODY or pools is None:
        return int(mode.ends[point:].min())
    full = pools[mode.pool].capacity < 1
    for t in range(point, grid.periods):
        end = int(mode.ends[t])
        if end <= grid.periods and not full[t:end].any():
            return end
    return grid.never


class Alone:
    """Orders one by one, in seconds, with limits that can be dropped."""

    def __init__(self, problem: Problem, metagraph: Metagraph, origin: datetime) -> None:
        self.problem = problem
        grid = problem.grid
        self._far_s = grid.at(grid.periods) + FAR_S
        agents = {agent.id: agent for agent in metagraph.agents}
        self.presences: list[Presence | None] = [
            None
            if pool.price
            else presence(agents[pool.units[0]], metagraph, origin, grid.start_s, self._far_s)
            for pool in problem.pools
        ]
        """By pool; None for bought hours, which are there or not as their modes say."""
        self._free = [self._free_from(pool) for pool in range(len(problem.pools))]

    def limits(self, job: int) -> list[Limit]:
        """All that holds an order but its date, what explains least first."""
        problem, ops = self.problem, self.problem.jobs[job].ops
        found = [Limit("horizon"), Limit("grid")]
        found += [Limit("delay", i) for i in ops if problem.ops[i].lag is not None]
        found += [Limit("busy", i) for i in ops if any(self._busy_s(m) > 0 for m in problem.ops[i].modes)]
        found += [Limit("work", i) for i in ops]
        found += [Limit("ready", i) for i in ops if problem.ops[i].ready > 0]
        if problem.jobs[job].floor > 0:
            found.append(Limit("under way"))
        found += [Limit("shift", i) for i in ops if self._needs_somebody(problem.ops[i])]
        return [*found, *(Limit("nobody", i) for i in ops if not problem.ops[i].modes)]

    def done_s(self, job: int, limits: Set[Limit]) -> float:
        """When an order could be done under these limits, dates and the horizon aside."""
        over = self.over_s(job, limits)
        one, grid = self.problem.jobs[job], self.problem.grid
        floor_s = grid.at(one.floor) if Limit("under way") in limits else grid.start_s
        return max([grid.start_s, floor_s, *(over[i] for i in one.sinks)])

    def over_s(self, job: int, limits: Set[Limit]) -> dict[int, float]:
        """When each operation of an order could be over."""
        over: dict[int, float] = {}
        for i in self.problem.jobs[job].ops:
            begin = self.begin_s(i, over, limits)
            nobody = inf if Limit("nobody", i) in limits else begin
            over[i] = min(self._ends(i, begin, limits), default=nobody)
        return over

    def begin_s(self, i: int, over: dict[int, float], limits: Set[Limit]) -> float:
        """When an operation could begin if its agents were there; `over` says when its predecessors are."""
        op, grid = self.problem.ops[i], self.problem.grid
        t = max([grid.start_s, *(over[pred] for pred in op.preds)])
        if op.preds and Limit("delay", i) in limits:
            t = self._delayed(op, t)
        if Limit("ready", i) not in limits:
            return t
        return max(t, grid.at(op.ready) if Limit("grid") in limits else self._ready_s(op))

    def _ends(self, i: int, t: float, limits: Set[Limit]) -> Iterator[float]:
        """The end of an operation in each of its modes."""
        op, problem = self.problem.ops[i], self.problem
        on_grid, shifts = Limit("grid") in limits, Limit("shift", i) in limits
        for m, mode in enumerate(op.modes):
            begin = max(t, self._free[mode.pool]) if mode.pool >= 0 and Limit("busy", i) in limits else t
            if begin == inf:
                continue
            work_s = mode.work_s if Limit("work", i) in limits else 0.0
            held = m == op.held and t == problem.grid.start_s
            there = self.presences[mode.pool] if mode.pool >= 0 else None
            if shifts and mode.pool >= 0 and there is None:
                yield self._bought(mode, begin, work_s)
            elif shifts and there is not None:
                yield self._worked(mode, there, begin, work_s, on_grid, held)
            else:
                yield self._rounded(self._rounded(begin, on_grid) + work_s, on_grid, work_s > 0, begin)

    def _worked(
        self, mode: Mode, there: Presence, t: float, work_s: float, on_grid: bool, held: bool
    ) -> float:
        grid = self.problem.grid
        begin = t if held else next_on(there, t)
        if on_grid and not held and begin < inf:
            point = self._rounded(t, True)
            slack = _SLACK * grid.dt_s
            while there.worked(point + grid.dt_s) - there.worked(point) <= slack:
                later = next_on(there, point + grid.dt_s)
                if later == inf:
                    return inf
                point = grid.start_s + floor((later - grid.start_s) / grid.dt_s + _SLACK) * grid.dt_s
            begin = point
        k = round((begin - grid.start_s) / grid.dt_s) if begin < inf else grid.never
        if on_grid and work_s > 0 and k <= grid.periods and mode.ends[k] <= grid.periods:
            return grid.at(int(mode.ends[k]))
        end = there.after(begin, work_s) if work_s > 0 else begin
        return self._rounded(end, on_grid, work_s > 0, begin)

    def _bought(self, mode: Mode, t: float, work_s: float) -> float:
        grid = self.problem.grid
        point = ceil((t - grid.start_s) / grid.dt_s - _SLACK)
        for k in range(point, grid.periods + 1):
            if mode.ends[k] <= grid.periods:
                return grid.at(int(mode.ends[k])) if work_s > 0 else grid.at(k)
        return inf

    def _rounded(self, t: float, on_grid: bool, beyond: bool = False, begin: float = 0.0) -> float:
        """Up to a point if the grid counts; `beyond`: to a later one than the begin."""
        grid = self.problem.grid
        if not on_grid or t == inf:
            return t
        found = grid.start_s + ceil((t - grid.start_s) / grid.dt_s - _SLACK) * grid.dt_s
        return max(found, begin + grid.dt_s) if beyond else found

    def _delayed(self, op: Operation, t: float) -> float:
        """Beyond the grid a delay counts as long as it is from point 0 on."""
        grid = self.problem.grid
        assert op.lag is not None
        k = ceil((t - grid.start_s) / grid.dt_s - _SLACK) if t < inf else grid.never
        if k <= grid.periods and op.lag[k] <= grid.periods:
            return max(t, grid.at(int(op.lag[k])))
        return t + grid.dt_s * float(op.lag[0])

    def _ready_s(self, op: Operation) -> float:
        """When an operation can begin, before that is rounded up to a point, where one knows."""
        order, grid = self.problem.jobs[op.job].order, self.problem.grid
        told = [order.release_s, order.material_s.get(op.task, order.release_s)]
        return next((t for t in told if grid.up(t) == op.ready), grid.at(op.ready))

    def _free_from(self, pool: int) -> float:
        """When a pool has a place that nothing holds that was begun."""
        capacity, grid = self.problem.pools[pool].capacity, self.problem.grid
        free = (capacity > 0).nonzero()[0]
        return grid.at(int(free[0])) if len(free) else inf

    def _busy_s(self, mode: Mode) -> float:
        return self._free[mode.pool] - self.problem.grid.start_s if mode.pool >= 0 else 0.0

    def _needs_somebody(self, op: Operation) -> bool:
        return any(mode.pool >= 0 for mode in op.modes)

    def free_s(self, pool: int) -> float:
        """When a pool has a free place."""
        return self._free[pool]


def next_on(there: Presence, t: float) -> float:
    """The first instant at or after t at which somebody is there; infinite if never."""
    i = bisect_right(there.starts, t) - 1
    if i >= 0 and t < there.ends[i]:
        return t
    return there.starts[i + 1] if i + 1 < len(there.starts) else inf
