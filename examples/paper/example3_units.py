"""What is run for Example 3: one method on one day, to a row of figures."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from examples.by_hand import HOUR
from examples.paper.example3_day import BY_HAND, ORIGIN, Below, orders, process
from metagraph.policies import PORTFOLIO, Policy
from optimization.settings import Settings, SolveOptions
from twin.reschedule import Rescheduling, Scheduler, reschedule

if TYPE_CHECKING:
    from simulation.program import Program
    from simulation.run import Run
    from twin.reschedule import Optimization

Row = dict[str, Any]
Key = tuple[str, float, str, int, str]

HEURISTICS = ("P", "D", "S", "F1", "F2", "F3", "PD", "PS", "PDS")
PERIOD_S = 900.0
FINE_S = 300.0
CHARGED_S = 1.0
"""Simulated time that an optimization takes: about what it takes here, always the same, so that runs can be
repeated to the last bit."""

LIMIT_S = 5.0
"""Wall-clock seconds of an optimization; the paper's limit was ten minutes."""


@dataclass(frozen=True, slots=True)
class Case:
    """A coefficient of variation, and what becomes of durations below zero."""

    cov: float
    below: Below = "clip"

    @property
    def name(self) -> str:
        return f"{self.cov:.0%}" + (", drawn again" if self.below == "redraw" else "")


CASES = (Case(0.1), Case(0.3), Case(0.9), Case(0.9, "redraw"))


ROLLING, SHRINKING, FINE = "Rolling MILP", "Shrinking MILP", "Rolling MILP, 5 min"
MILPS = (ROLLING, SHRINKING, FINE)
METHODS = (*HEURISTICS, ROLLING, SHRINKING)
"""The paper's."""


def rescheduling(method: str, end_s: float) -> Rescheduling:
    """A plan at every arrival, to 1 %, for at most a few seconds."""
    settings = Settings(dt_s=FINE_S if method == FINE else PERIOD_S)
    if method == SHRINKING:
        settings = replace(settings, horizon="shrinking", horizon_s=end_s)
    options = SolveOptions(gap=0.01, time_limit_s=LIMIT_S, threads=1)
    return Rescheduling(at_beginning=False, settings=settings, solve=options, charged=CHARGED_S)


@dataclass(frozen=True, slots=True)
class Unit:
    """A method on a day."""

    case: Case
    replication: int
    method: str
    network: str = BY_HAND.name
    hours: float = 24.0

    @property
    def key(self) -> Key:
        return self.network, self.hours, self.case.name, self.replication, self.method


def key_of(row: Row) -> Key:
    """That of the unit that made a row."""
    return row["network"], row["hours"], row["case"], row["replication"], row["method"]


def run_unit(unit: Unit) -> Row:
    """The figures of a method on a day: after 24 hours, and when the orders that are open then have ended
    (no others come)."""
    begun = time.process_time()
    found = _heuristic(unit) if unit.method in HEURISTICS else _planned(unit)
    return {
        "network": unit.network,
        "hours": unit.hours,
        "case": unit.case.name,
        "replication": unit.replication,
        "method": unit.method,
        **found,
        "cpu_s": round(time.process_time() - begun, 3),
    }


def _heuristic(unit: Unit) -> Row:
    from simulation.engines import session

    going = session(_program(unit, PORTFOLIO[unit.method]), 0, unit.replication)
    end_s = unit.hours * HOUR
    going.run_to(end_s)
    day = going.result(end_s)
    going.run_to(np.inf)
    return {**_figures(day, end_s), "to_the_end": _worth(going.result())}


def _planned(unit: Unit) -> Row:
    from simulation.engines import session
    from simulation.triggers import Control

    end_s = unit.hours * HOUR
    how = rescheduling(unit.method, end_s)
    program = _program(unit, how.policy())
    going = session(program, 0, unit.replication)
    scheduler = Scheduler(process(unit.case.cov, unit.case.below, unit.network), ORIGIN, how)
    day = reschedule(going, scheduler, how.control(), until_s=end_s)
    end = reschedule(going, scheduler, Control(on_arrival=False, at_s=(end_s,)))
    last = end.optimizations[0].objective if end.optimizations else 0.0
    figures = _figures(day.run, end_s)
    return {
        **figures,
        "to_the_end": _worth(end.run),
        "planned_k": round(figures["profit_k"] + last / 1000, 4),
        "optimizations": _effort(day.optimizations),
    }


def _program(unit: Unit, policy: Policy) -> Program:
    from simulation.lowering import lower

    model = process(unit.case.cov, unit.case.below, unit.network)
    return lower(model, orders(unit.replication, unit.hours), origin=ORIGIN, policy=policy)


def _effort(made: tuple[Optimization, ...]) -> Row:
    """What the plans of a day took, were promised to be and planned to interrupt."""
    solved = [one for one in made if one.status != "infeasible"]
    return {
        "n": len(made),
        "infeasible": len(made) - len(solved),
        "orders": [one.orders for one in solved],
        "columns": [one.columns for one in solved],
        "build_s": [round(one.build_s, 3) for one in solved],
        "solve_s": [round(one.solve_s, 3) for one in solved],
        "gap": [round(one.gap, 5) for one in solved],
        "over_time": sum(one.status == "time" for one in solved),
        "preemptions": sum(one.preemptions for one in solved),
    }


def _worth(run: Run) -> Row:
    """Profit in thousands; on-time and total fulfilment in per cent of all orders."""
    from simulation.money import profits

    found = profits(run)
    assert found is not None
    due_s, done_s = run.program.orders.table["due_s"], run.completed_s
    return {
        "profit_k": round(float(np.nansum(found)) / 1000, 4),
        "on_time": round(100 * float(np.mean(done_s <= due_s)), 3),
        "total": round(100 * float(np.mean(~np.isnan(done_s))), 3),
    }


def _figures(run: Run, end_s: float) -> Row:
    program, log = run.program, run.executions
    return {
        **_worth(run),
        "orders": len(run.order_ids),
        "preemptions": int(run.tally.preempted.sum()),
        "by_task": _by_task(program, log.node, log.preemptions),
        "busy": {
            agent: round(float(busy_s) / end_s, 4)
            for agent, busy_s in zip(run.agents, run.tally.busy_s, strict=True)
        },
        "most_open": run.tally.wip_most,
    }


def _by_task(program: Program, node: Any, preemptions: Any) -> Row:
    """Interruptions by activity."""
    labels = program.network.nodes["label"][node]
    sums = np.bincount(labels, preemptions, len(program.network.labels))
    return {label: int(n) for label, n in zip(program.network.labels, sums, strict=True)}
