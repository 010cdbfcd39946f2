"""Who is short: what one more unit of a pool would be worth, by the dual values of the relaxation."""

from __future__ import annotations

from dataclasses import dataclass

from optimization.highs import Limits, relax
from optimization.problem import Floats, Problem
from optimization.standard_form import standard_form
from optimization.step_form import StepForm, step_form

_SAME = 1e-6
"""Worth an hour below which a pool isn't short, as a share of the largest."""


@dataclass(frozen=True, slots=True)
class PoolWorth:
    """Units that are alike, and what more of them would be worth at the margin."""

    pool: int
    units: tuple[str, ...]
    per_h: float
    """What one more hour of one of them gains on the first level, on average over the hours in which they are
    short."""
    short_h: float
    """Hours of the horizon in which more of them would gain anything."""
    level: str
    """What is gained: the first level's name and unit."""
    unit: str

    @property
    def whole(self) -> float:
        """What one more unit would gain at most if it were there in all of these hours."""
        return self.per_h * self.short_h


def pool_worths(problem: Problem, time_limit_s: float = 10.0, threads: int = 2) -> tuple[PoolWorth, ...]:
    """The pools that are short, the dearest first.

    The dual value of a capacity row is what the relaxation gains by one more place in that period. They hold
    for a little more of one pool, with all else as it is. Empty where the time doesn't suffice.
    """
    form = step_form(problem)
    if not form.capacity_rows:
        return ()
    answer = relax(standard_form(form.model, form.variables), Limits(time_limit_s, threads))
    if answer.ended != "optimal" or answer.duals is None:
        return ()
    return _worths(problem, form, answer.duals[_first_row(form) :])


def _first_row(form: StepForm) -> int:
    """The number of the first capacity row: rows are in the order in which families were added."""
    import pyomo.environ as pyo

    before = 0
    for family in form.model.component_objects(pyo.Constraint):
        if family.local_name == "capacity":
            break
        before += len(family)
    return before


def _worths(problem: Problem, form: StepForm, duals: Floats) -> tuple[PoolWorth, ...]:
    """A row speaks for the time until the pool's next one: nothing begins in between."""
    dt_h = problem.grid.dt_s / 3600.0
    rows = form.capacity_rows
    worth, short = dict[int, float](), dict[int, float]()
    for k, (pool, t) in enumerate(rows):
        if duals[k] <= 0:
            continue
        following = rows[k + 1] if k + 1 < len(rows) else (pool, t + 1)
        until = following[1] if following[0] == pool else t + 1
        worth[pool] = worth.get(pool, 0.0) + float(duals[k])
        short[pool] = short.get(pool, 0.0) + (until - t) * dt_h
    least = _SAME * max(worth.values(), default=0.0)
    found = [
        PoolWorth(
            pool,
            tuple(dict.fromkeys(problem.pools[pool].units)),
            gain / short[pool],
            short[pool],
            problem.levels[0].name,
            problem.levels[0].unit,
        )
        for pool, gain in worth.items()
        if gain > least
    ]
    return tuple(sorted(found, key=lambda one: (-one.whole, one.pool)))
