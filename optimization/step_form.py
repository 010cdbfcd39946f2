"""The step form: when each operation has begun, as steps that never go down (time-indexed formulation of
Pritsker, Watters and Wolfe, 1969, in its cumulative form).

S[i, m, t] = 1 iff operation i has begun in mode m by point t. F[j, t] = 1 iff job j is delivered by point t.
Columns are there only where something can begin with anything to gain (network.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from optimization.network import Network, end_if_ready, gains, network
from optimization.problem import NOBODY, Floats, Plan, Problem
from optimization.step_rows import Columns, Rows, columns_of


@dataclass(frozen=True, slots=True, eq=False)
class StepForm:
    """The model and how to read it."""

    problem: Problem
    network: Network
    columns: Columns
    model: Any
    """pyomo.environ.ConcreteModel; an Objective a level."""
    variables: list[Any]
    """By column."""
    capacity_rows: tuple[tuple[int, int], ...] = ()
    """(pool, period) of each row of model.capacity."""

    def plan(self, values: Floats) -> Plan:
        """The plan behind a solution. What gains nothing is left out."""
        begun = np.asarray(values[: self.columns.n_steps]) > 0.5
        return _plan(self.problem, self.network, self.columns, begun)

    def values(self, plan: Plan) -> Floats:
        """The columns of a plan that keeps all constraints."""
        return _values(self.problem, self.network, self.columns, plan)


def step_form(
    problem: Problem, free: Iterable[int] = (), *, tick: Callable[[], None] = lambda: None
) -> StepForm:
    """With the capacity of the pools `free` left out: then it is a relaxation.

    tick: called now and then; what it raises ends the building.
    """
    import pyomo.environ as pyo
    from pyomo.common.gc_manager import PauseGC

    net = network(problem, free)
    columns = columns_of(problem, net)
    with PauseGC():
        model = pyo.ConcreteModel()
        names = [
            (i, m, t)
            for i, begins in enumerate(net.begins)
            for m, points in enumerate(begins)
            for t in points.tolist()
        ]
        model.S = pyo.Var(names, domain=pyo.Binary)
        model.F = pyo.Var(
            [(j, t) for j, points in enumerate(columns.deliveries) for t in points.tolist()], bounds=(0, 1)
        )
        model.Y = pyo.Var(columns.priced, domain=pyo.Binary)
        variables = [*model.S.values(), *model.F.values(), *model.Y.values()]
        rows = Rows(problem, net, columns, model, variables)
        for family in (
            rows.monotone,
            rows.one_mode,
            rows.precedence,
            rows.delivery,
            rows.capacity,
            rows.preemption,
            rows.prices,
        ):
            tick()
            family()
        for level in range(len(problem.levels)):
            rows.objective(level)
    return StepForm(problem, net, columns, model, variables, tuple(rows.capacity_rows))


def _plan(problem: Problem, net: Network, columns: Columns, begun: Any) -> Plan:
    never = problem.grid.never
    start = np.full(len(problem.ops), NOBODY, np.int64)
    mode = np.full(len(problem.ops), NOBODY, np.int64)
    over = np.full(len(problem.ops), never, np.int64)
    for i, op in enumerate(problem.ops):
        after = max([0, *(int(over[p]) for p in op.preds)])
        if after == never:
            continue
        if net.folded[i]:
            at = max(op.ready, int(after if op.lag is None or not op.preds else op.lag[after]))
            ends = op.modes[0].ends
            end = int(end_if_ready(op.modes[0], never)[at])
            if end < never:
                start[i], mode[i], over[i] = at + int(np.argmax(ends[at:] == end)), 0, end
            continue
        for m, points in enumerate(net.begins[i]):
            first = columns.first[i][m]
            up = np.flatnonzero(begun[first : first + len(points)])
            if len(up):
                start[i], mode[i], over[i] = int(points[up[0]]), m, int(op.modes[m].ends[points[up[0]]])
    gain = gains(problem)
    for j, job in enumerate(problem.jobs):
        done = max([job.floor, *(int(over[k]) for k in job.sinks)])
        if gain[j, done] <= 0:
            for i in job.ops:
                if problem.ops[i].held is None or start[i] != 0 or mode[i] != problem.ops[i].held:
                    start[i], mode[i] = NOBODY, NOBODY
    return Plan(start, mode)


def _values(problem: Problem, net: Network, columns: Columns, plan: Plan) -> Floats:
    found = np.zeros(columns.n)
    over = np.full(len(problem.ops), problem.grid.never, np.int64)
    for i, op in enumerate(problem.ops):
        if plan.mode[i] < 0:
            continue
        m, t = int(plan.mode[i]), int(plan.start[i])
        over[i] = op.modes[m].ends[t]
        if net.folded[i]:
            continue
        points, first = net.begins[i][m], columns.first[i][m]
        if t in points:
            found[first + int(np.searchsorted(points, t)) : first + len(points)] = 1.0
        if op.modes[m].pool in columns.priced:
            found[columns.n - len(columns.priced) + columns.priced.index(op.modes[m].pool)] = 1.0
    for j, points in enumerate(columns.deliveries):
        done = max([problem.jobs[j].floor, *(int(over[k]) for k in problem.jobs[j].sinks)])
        first = columns.first_delivery[j]
        found[first : first + len(points)] = points >= done
    return found
