"""The order fulfilment of Examples 1 and 2: three tasks, four agents, in the simulator and in the scheduler.

Perez, Wassick and Grossmann, sections 4.1 and 4.2. The process is that of examples/example1.instance.json.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count, takewhile
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

from metagraph.instances import Instance, read_instance
from metagraph.orders import Order, profit_at
from metagraph.policies import PORTFOLIO, Policy

if TYPE_CHECKING:
    from optimization.problem import Problem
    from optimization.result import Result
    from optimization.settings import Formulation
    from simulation.run import Run

HOUR = 3600.0
HEURISTICS = ("P", "D", "S", "F1", "F2", "F3", "PD", "PS", "PDS")
"""The paper's nine, by their names there."""
LEAD_H, BETWEEN_H = 6, 2
"""What the quickest order takes, and the time between two orders of the slowest agent, who ships."""


@cache
def example1() -> Instance:
    """The five orders, and the process that both examples share."""
    return read_instance(Path(__file__).parents[1] / "example1.instance.json")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the orders."""

    done_h: tuple[float | None, ...]
    """Per order; None: not fulfilled."""
    profit: float
    """Money, on exact dates."""
    on_time: float
    """Share of all orders."""
    fulfilled: float
    """Share of all orders."""


def outcome(orders: Sequence[Order], done_s: Sequence[float | None]) -> Outcome:
    """What it yields that orders are done at these instants (seconds since their common release at 0)."""
    curve, n = example1().metagraph.orders.profit, len(orders)
    done_h = tuple(None if t is None or isnan(t) else float(t) / HOUR for t in done_s)
    kept = [
        (o, t * HOUR)
        for o, t in zip(orders, done_h, strict=True)
        if t is not None and (o.lost_s is None or t * HOUR <= o.lost_s)
    ]
    in_time = [order for order, t in kept if order.due_s is not None and t <= order.due_s]
    return Outcome(done_h, sum(profit_at(o, curve, t) for o, t in kept), len(in_time) / n, len(kept) / n)


def simulated(orders: Sequence[Order], heuristic: str | Policy, seed: int, horizon_h: float) -> Run:
    """A run under one of the paper's heuristics: strict preemption, equals behind each other."""
    from simulation import engines
    from simulation.lowering import lower

    one = example1()
    policy = PORTFOLIO[heuristic] if isinstance(heuristic, str) else heuristic
    program = lower(one.metagraph, orders, origin=one.origin, policy=policy)
    return engines.run(program, seed, until_s=horizon_h * HOUR)


def planned(
    orders: Sequence[Order], horizon_h: float, formulation: Formulation = "step"
) -> tuple[Problem, Result]:
    """The schedule that the scheduler proves to be optimal, on a grid of 1 h."""
    from optimization.settings import Settings, SolveOptions
    from optimization.solve import solve
    from optimization.stn import build_problem

    one = example1()
    settings = Settings(HOUR, "fixed", horizon_h * HOUR, levels=("profit",))
    problem = build_problem(one.metagraph, None, orders, one.origin, settings, start_s=0.0)
    return problem, solve(problem, SolveOptions(formulation, gap=0.0, time_limit_s=600.0))


def planned_outcome(orders: Sequence[Order], problem: Problem, result: Result) -> Outcome:
    """What the plan yields, on exact dates."""
    from optimization.problem import fulfilled

    grid = problem.grid
    points = fulfilled(problem, result.plan)
    done = [grid.at(int(t)) if t <= grid.periods else None for t in points]
    return outcome(orders, done)


def slots_h(horizon_h: float) -> list[int]:
    """When orders can be fulfilled at best: the first after 6 h, each next one 2 h later."""
    return list(takewhile(lambda t: t <= horizon_h, count(LEAD_H, BETWEEN_H)))


def assigned(orders: Sequence[Order], horizon_h: float) -> Outcome:
    """The best assignment of orders to these slots, which is an optimal schedule as well.

    All orders are there at 0 and take the same time. Whoever ships needs 2 h an order, and nobody else is as
    slow: the k-th order can't be fulfilled before the k-th slot, and in any order it can be by then. No order
    gains by waiting. (Linear assignment: scipy.optimize.linear_sum_assignment.)
    """
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    curve, slots = example1().metagraph.orders.profit, slots_h(horizon_h)
    worth = np.array([[profit_at(order, curve, t * HOUR) for t in slots] for order in orders])
    done: list[float | None] = [None] * len(orders)
    chosen = linear_sum_assignment(worth, maximize=True)
    for i, k in zip(*(side.tolist() for side in chosen), strict=True):
        late = orders[i].lost_s
        if late is None or slots[k] * HOUR <= late:
            done[i] = slots[k] * HOUR
    return outcome(orders, done)
