"""The paper's discrete-time State-Task-Network as printed (Perez, Wassick and Grossmann, section 3.4.1):
equations (1), (2), (6)-(9), (11)-(25), the reference beside the step form, with the same optimum.

Time points are the paper's: t = 1 is the beginning, t = 0 the initial state. tau may depend on when a task
begins (calendars, delays); a task without an agent has W without a unit. Two traps of the printed equations
are mended in paper_terms.py: the bound (15) of orders that are past due, and the slope where due and
lost-sale date are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from optimization.paper_rows import Key, PaperRows
from optimization.paper_terms import Terms, Unit, terms_of, units_of
from optimization.problem import NOBODY, Floats, Plan, Problem, fulfilled


@dataclass(frozen=True, slots=True, eq=False)
class PaperForm:
    """The model and how to read it."""

    problem: Problem
    units: tuple[Unit, ...]
    terms: tuple[Terms, ...]
    model: Any
    """pyomo.environ.ConcreteModel"""
    variables: list[Any]
    triggers: tuple[Key, ...]
    """The first columns: W."""

    def plan(self, values: Floats) -> Plan:
        """The plan behind a solution."""
        n = len(self.problem.ops)
        start, mode = np.full(n, NOBODY, np.int64), np.full(n, NOBODY, np.int64)
        for k in np.flatnonzero(values[: len(self.triggers)] > 0.5).tolist():
            i, m, _, t = self.triggers[k]
            start[i], mode[i] = t - 1, m
        return Plan(start, mode)

    def values(self, plan: Plan) -> Floats:
        """The columns W and D of a plan; the others are not numbers: the solver finds them."""
        found = np.full(len(self.variables), np.nan)
        found[: len(self.triggers)] = 0.0
        place = {key: k for k, key in enumerate(self.triggers)}
        for (i, m, t), unit in zip(*_assigned(self.problem, self.units, plan), strict=True):
            found[place[i, m, unit, t + 1]] = 1.0
        n_points = self.problem.grid.periods + 1
        first = len(self.triggers)
        for j, (terms, done) in enumerate(
            zip(self.terms, fulfilled(self.problem, plan).tolist(), strict=True)
        ):
            found[first + j * n_points : first + (j + 1) * n_points] = 0.0
            at = max(done + 1, terms.early)
            if at <= max(terms.due, terms.lost):
                found[first + j * n_points + at - 1] = 1.0
        return found


def paper_form(problem: Problem, *, tick: Callable[[], None] = lambda: None) -> PaperForm:
    """tick: called now and then; what it raises ends the building.

    Raises UsageError for what the paper's equations can't express.
    """
    import pyomo.environ as pyo
    from pyomo.common.gc_manager import PauseGC

    terms, units = terms_of(problem), units_of(problem)
    with PauseGC():
        builder = PaperRows(problem, terms, units)
        for family in (
            builder.assignment,
            builder.balance,
            builder.fulfilment,
            builder.latest,
            builder.disaggregation,
            builder.profit,
            builder.preemption,
            builder.objective,
        ):
            tick()
            family()
        model = builder.model
        variables = [v for part in model.component_objects(pyo.Var) for v in part.values()]
    return PaperForm(problem, tuple(units), tuple(terms), model, variables, tuple(builder.triggers))


def _assigned(
    problem: Problem, units: tuple[Unit, ...], plan: Plan
) -> tuple[list[tuple[int, int, int]], list[int]]:
    """What is done, as operation, mode and point in the order of begins; and which place does it."""
    done = sorted(
        (int(plan.start[i]), i, int(plan.mode[i])) for i in range(len(problem.ops)) if plan.mode[i] >= 0
    )
    free = [unit.since for unit in units]
    found, who = [], []
    for t, i, m in done:
        mode = problem.ops[i].modes[m]
        found.append((i, m, t))
        if mode.pool == NOBODY:
            who.append(NOBODY)
            continue
        unit = next(u for u, one in enumerate(units) if one.pool == mode.pool and free[u] <= t)
        free[unit] = int(mode.ends[t])
        who.append(unit)
    return found, who
