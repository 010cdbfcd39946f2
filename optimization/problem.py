"""The scheduling problem on its grid, and plans for it: what formulations, search and checks read.

Everything here is whole points of the grid and money; metagraph, state and calendars are behind it (stn.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metagraph.orders import Order, ProfitShape
from optimization.grid import Grid

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NOBODY = -1
"""The pool of what needs no agent; the start and mode of an operation that isn't done."""


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Units that are alike in all that matters to a plan: same calendar, same operations, same durations."""

    units: tuple[str, ...]
    """Ids of agents, each as often as it has places."""
    capacity: Ints
    """[period] places; those held to the end by work that can't be interrupted are left out."""
    price: float = 0.0
    """Money for having these units at all (bought hours); 0: they are there anyway."""
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Mode:
    """A way to do an operation: in a pool, or by nobody."""

    pool: int
    """Index into Problem.pools, or NOBODY."""
    work_s: float
    """Expected working seconds."""
    ends: Ints
    """[point 0..periods] when it is over if it begins there; `grid.never` where it can't begin or isn't over
    within the grid. Ascending over the points at which it can begin; always above the point itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One task of one order that still has to be done; once begun it goes on to its end."""

    job: int
    task: str
    """Id of the task's node."""
    preds: tuple[int, ...]
    """Operations of the same job that must be over before."""
    ready: int
    """The first point at which it can begin, whatever its predecessors do."""
    modes: tuple[Mode, ...]
    lag: Ints | None = None
    """[point 0..never] when it can begin if its predecessors are over at that point (a delay); ascending."""
    held: int | None = None
    """The mode of the agent who works on it now. It is preempted unless it begins at point 0 in this mode."""
    held_unit: str = ""
    """That agent."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """An order: its operations, and what it is worth when."""

    order: Order
    shape: ProfitShape | None
    """The curve that holds for it; None: `order.value` until it is lost."""
    ops: range
    """Its operations, each after its predecessors."""
    sinks: tuple[int, ...]
    """Operations that no other one of it waits for: it is fulfilled when all of them are over."""
    floor: int
    """The first point at which it can be fulfilled whatever the operations do (work that is under way)."""


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """One thing to maximise; the first level comes first, each next one among the best plans so far."""

    name: str
    """"profit", "flow time", "lateness", "preemptions"."""
    unit: str
    """"money", "h" or ""."""
    worth: Floats
    """[job, point 0..never] if fulfilled then (`never`: not within the grid). Descending along points: an
    order that is worth more later is kept until then."""
    per_preemption: float = 0.0
    """What each interruption of work that is under way costs."""
    prices: bool = False
    """Whether the prices of pools are subtracted."""


@dataclass(frozen=True, slots=True, eq=False)
class Running:
    """Work that is under way and goes on to its end, whatever is planned."""

    order: str
    task: str
    unit: str
    """"" for nobody."""
    begun_s: float
    end: int
    """The point at which it is expected to be over."""


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What is to be planned."""

    grid: Grid
    pools: tuple[Pool, ...]
    ops: tuple[Operation, ...]
    """By job; each after its predecessors."""
    jobs: tuple[Job, ...]
    levels: tuple[Level, ...]
    running: tuple[Running, ...] = ()
    most_preempted: int | None = None
    """How many of the held operations may be interrupted; None: all."""
    notes: tuple[str, ...] = ()
    """What was assumed, in words for users."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """When each operation begins, and in which mode. All operations of a job are done, or some are left out
    and it isn't fulfilled."""

    start: Ints
    """[operation] point, or NOBODY."""
    mode: Ints
    """[operation] index into its modes, or NOBODY."""


def ends_of(problem: Problem, plan: Plan) -> Ints:
    """[operation] when it is over; `never` for what isn't done."""
    never = problem.grid.never
    found = np.full(len(problem.ops), never, np.int64)
    for i, op in enumerate(problem.ops):
        if plan.mode[i] >= 0:
            found[i] = op.modes[int(plan.mode[i])].ends[int(plan.start[i])]
    return found


def fulfilled(problem: Problem, plan: Plan) -> Ints:
    """[job] the point from which on it can be delivered: its sinks are over; `never` if they aren't."""
    ends = ends_of(problem, plan)
    return np.array(
        [max([job.floor, *(int(ends[i]) for i in job.sinks)]) for job in problem.jobs], dtype=np.int64
    )


def preempted(problem: Problem, plan: Plan) -> list[int]:
    """Held operations that the plan interrupts."""
    return [
        i
        for i, op in enumerate(problem.ops)
        if op.held is not None and not (plan.start[i] == 0 and plan.mode[i] == op.held)
    ]


def values(problem: Problem, plan: Plan) -> tuple[float, ...]:
    """What the plan is worth on each level."""
    done = fulfilled(problem, plan)
    n_preempted = len(preempted(problem, plan))
    used = {op.modes[int(m)].pool for op, m in zip(problem.ops, plan.mode, strict=True) if m >= 0}
    spent = sum(problem.pools[pool].price for pool in used if pool >= 0)
    return tuple(
        float(level.worth[np.arange(len(done)), done].sum())
        - level.per_preemption * n_preempted
        - (spent if level.prices else 0.0)
        for level in problem.levels
    )
