"""What is run for Example 3: one method on one day, to a row of figures."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from examples.paper.example3_day import DAY_S, ORIGIN, Below, Entry, orders, process
from metagraph.policies import PORTFOLIO
from optimization.settings import Settings, SolveOptions
from twin.reschedule import Rescheduling, Scheduler, reschedule

if TYPE_CHECKING:
    from simulation.program import Program
    from simulation.run import Run
    from twin.reschedule import Optimization

Row = dict[str, Any]

HEURISTICS = ("P", "D", "S", "F1", "F2", "F3", "PD", "PS", "PDS")
PERIOD_S = 900.0
FINE_S = 300.0
CHARGED_S = 1.0
"""Simulated time that an optimization takes: about what it takes here, always the same, so that runs can be
repeated to the last bit."""


@dataclass(frozen=True, slots=True)
class Case:
    """A coefficient of variation, and what becomes of durations below zero."""

    cov: float
    below: Below = "clip"

    @property
    def name(self) -> str:
        return f"{self.cov:.0%}" + (", drawn again" if self.below == "redraw" else "")


CASES = (Case(0.1), Case(0.3), Case(0.9), Case(0.9, "redraw"))


def _milp(horizon_s: float | None, dt_s: float) -> Rescheduling:
    settings = Settings(dt_s=dt_s)
    if horizon_s is not None:
        settings = replace(settings, horizon="shrinking", horizon_s=horizon_s)
    options = SolveOptions(gap=0.01, time_limit_s=600.0, threads=1)
    return Rescheduling(settings=settings, solve=options, charged=CHARGED_S)


MILPS: Mapping[str, Rescheduling] = {
    "Rolling MILP": _milp(None, PERIOD_S),
    "Shrinking MILP": _milp(DAY_S, PERIOD_S),
    "Rolling MILP, 5 min": _milp(None, FINE_S),
}
"""Triggered by every arrival, to 1 %, for at most ten minutes."""
FINE = "Rolling MILP, 5 min"
METHODS = (*HEURISTICS, *(name for name in MILPS if name != FINE))


@dataclass(frozen=True, slots=True)
class Unit:
    """A method on a day."""

    case: Case
    replication: int
    method: str
    entry: Entry = "47 a day"

    @property
    def key(self) -> tuple[str, int, str, str]:
        return self.case.name, self.replication, self.method, self.entry


def key_of(row: Row) -> tuple[str, int, str, str]:
    """That of the unit that made a row."""
    return row["case"], row["replication"], row["method"], row["entry"]


def run_unit(unit: Unit) -> Row:
    """The figures of a method on a day: after 24 hours, and when the orders that are open then have ended
    (no others come)."""
    begun = time.process_time()
    found = _heuristic(unit) if unit.method in HEURISTICS else _planned(unit)
    return {
        "case": unit.case.name,
        "replication": unit.replication,
        "method": unit.method,
        "entry": unit.entry,
        **found,
        "cpu_s": round(time.process_time() - begun, 3),
    }


def _heuristic(unit: Unit) -> Row:
    from simulation.engines import session
    from simulation.lowering import lower

    given = orders(unit.replication, unit.entry)
    model = process(unit.case.cov, unit.case.below)
    program = lower(model, given, origin=ORIGIN, policy=PORTFOLIO[unit.method])
    going = session(program, 0, unit.replication)
    going.run_to(DAY_S)
    day = going.result(DAY_S)
    going.run_to(np.inf)
    return {**_figures(day), "to_the_end": _worth(going.result())}


def _planned(unit: Unit) -> Row:
    from simulation.control import Control
    from simulation.engines import session
    from simulation.lowering import lower

    how = MILPS[unit.method]
    model = process(unit.case.cov, unit.case.below)
    program = lower(model, orders(unit.replication, unit.entry), origin=ORIGIN, policy=how.policy())
    going = session(program, 0, unit.replication)
    scheduler = Scheduler(model, ORIGIN, how)
    day = reschedule(going, scheduler, how.control(), until_s=DAY_S)
    made = len(scheduler.made)
    end = reschedule(going, Scheduler(model, ORIGIN, how), Control(on_arrival=False, at_s=(DAY_S,)))
    last = end.optimizations[0].objective if end.optimizations else 0.0
    figures = _figures(day.run)
    return {
        **figures,
        "to_the_end": _worth(end.run),
        "planned_k": round(figures["profit_k"] + last / 1000, 4),
        "optimizations": _effort(day.optimizations[:made]),
    }


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


def _figures(run: Run) -> Row:
    program, log = run.program, run.executions
    return {
        **_worth(run),
        "orders": len(run.order_ids),
        "preemptions": int(run.tally.preempted.sum()),
        "by_task": _by_task(program, log.node, log.preemptions),
        "busy": {
            agent: round(float(busy_s) / DAY_S, 4)
            for agent, busy_s in zip(run.agents, run.tally.busy_s, strict=True)
        },
        "most_open": run.tally.wip_most,
    }


def _by_task(program: Program, node: Any, preemptions: Any) -> Row:
    """Interruptions by activity."""
    labels = program.network.nodes["label"][node]
    sums = np.bincount(labels, preemptions, len(program.network.labels))
    return {label: int(n) for label, n in zip(program.network.labels, sums, strict=True)}
