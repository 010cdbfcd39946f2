"""What is run for Example 4: one instance of orders under every approach, to a row of figures and courses."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from examples.by_hand import HOUR
from examples.paper.example3_day import BY_HAND, ORDERS, ORIGIN, orders, process
from metagraph.model import Metagraph
from metagraph.orders import Order
from metagraph.policies import PORTFOLIO
from twin.edits import edited
from twin.scenario import load_scenario
from twin.whatif_figures import UTILISATION, Window
from twin.whatif_runs import LOST, WAITING, WIP, Contender, Study, series_of

if TYPE_CHECKING:
    from simulation.program import Program

FOLDER = Path(__file__).parent / "example4_scenarios"
BASELINE = "Baseline"
APPROACHES = ("Disruption", "Restore", "Invest")
LOADERS = ("Loader 1", "Loader 2")
COV = 0.3
BEFORE_H, AFTER_H = 48.0, 120.0
"""Until the disturbance, and from it on, which is what is counted."""
STEP = "Load Goods"
SERIES = (WAITING + STEP, WIP, LOST)
"""Those of Figure 21."""
POINTS = 241
"""Half hours from the disturbance on."""
FIRST_DAYS = 1000
"""Stands for an instance: the days before the disturbance are the same in all."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """A network, who is lost, and the policy; the paper names none of them."""

    network: str
    lost: str
    policy: str

    @property
    def name(self) -> str:
        return f"{self.network}, {self.lost} lost, {self.policy}"


LONG = "long loading"
CASES = (
    Case(LONG, "Loader 2", "F1"),
    Case(LONG, "Loader 2", "PD"),
    Case("fitted", "Loader 2", "F1"),
    Case("fitted", "Loader 2", "PD"),
    Case("fitted", "Loader 1", "F1"),
    Case("by hand", "Loader 2", "F1"),
)
"""The first is shown in full."""


@dataclass(frozen=True, slots=True)
class Unit:
    """An instance of orders in a case."""

    case: Case
    instance: int
    simulations: int = 30
    after_h: float = AFTER_H

    @property
    def key(self) -> tuple[str, int, int, float]:
        return self.case.name, self.instance, self.simulations, self.after_h


def key_of(row: Row) -> tuple[str, int, int, float]:
    """That of the unit that made a row."""
    return row["case"], row["instance"], row["simulations"], row["after_h"]


def network(name: str) -> Metagraph:
    """A network of Example 3, or the one by hand with longer loading."""
    if name != LONG:
        return process(COV, "clip", name)
    return edited(process(COV, "clip", BY_HAND.name), load_scenario(FOLDER / "loading.toml")).metagraph


def contenders(case: Case) -> tuple[Contender, ...]:
    """The process as it was, and with the edits of each approach; its file says Loader 2."""
    twin, policy = network(case.network), PORTFOLIO[case.policy]
    begin = ORIGIN + timedelta(hours=BEFORE_H)
    found = [Contender(BASELINE, twin, policy)]
    for name in APPROACHES:
        scenario = load_scenario(FOLDER / f"{name.lower()}.toml")
        lose = tuple(said.model_copy(update={"agents": (case.lost,)}) for said in scenario.lose)
        hire = tuple(said.model_copy(update={"like": case.lost}) for said in scenario.hire)
        one = edited(twin, scenario.model_copy(update={"lose": lose, "hire": hire}), begin)
        found.append(Contender(name, one.metagraph, policy, one))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Instance:
    """Makes programs of the orders of an instance: two days that all have, then its own."""

    instance: int
    after_h: float

    def orders(self) -> tuple[Order, ...]:
        first = orders(FIRST_DAYS, BEFORE_H)
        return (*first, *(_later(order) for order in orders(self.instance, self.after_h)))

    def __call__(self, contender: Contender, replication: int) -> Program:
        from simulation.lowering import lower

        return lower(contender.metagraph, self.orders(), origin=ORIGIN, policy=contender.policy)


def _later(order: Order) -> Order:
    """The order after the days before the disturbance."""
    later = BEFORE_H * HOUR
    assert order.early_s is not None
    assert order.due_s is not None
    assert order.lost_s is not None
    return Order(
        f"{int(order.id) + round(ORDERS * BEFORE_H / 24):03d}",
        order.release_s + later,
        cls=order.cls,
        value=order.value,
        early_s=order.early_s + later,
        due_s=order.due_s + later,
        lost_s=order.lost_s + later,
    )


def run_unit(unit: Unit) -> Row:
    """Figures of each simulation, and courses, from the disturbance on."""
    window = Window(BEFORE_H * HOUR, (BEFORE_H + unit.after_h) * HOUR, POINTS)
    crew = contenders(unit.case)
    study = Study(Instance(unit.instance, unit.after_h), crew, unit.instance, window)
    begun = time.process_time()
    rows = [study(k) for k in range(unit.simulations)]
    series = series_of(crew[0].metagraph)
    return {
        "case": unit.case.name,
        "instance": unit.instance,
        "simulations": unit.simulations,
        "after_h": unit.after_h,
        "cpu_s": round(time.process_time() - begun, 3),
        "figures": {
            contender.name: [_figures(row[i].figures) for row in rows] for i, contender in enumerate(crew)
        },
        "courses": {
            contender.name: {
                name: [row[i].courses[series.index(name)].tolist() for row in rows] for name in SERIES
            }
            for i, contender in enumerate(crew)
        },
    }


def _figures(found: dict[str, float]) -> Row:
    """Those of Table 2: shares of all orders that were there, also of those still open at the end."""
    there = found["completed"] + found["lost"] + found["wip_end"]
    loads = [value for name, value in found.items() if name.startswith(UTILISATION + "Loader")]
    return {
        "profit_k": round(found["profit"] / 1000, 4),
        "on_time": round(100 * found["on_time_n"] / there, 4),
        "total": round(100 * found["completed"] / there, 4),
        "orders": there,
        "lost": found["lost"],
        "load": round(100 * sum(loads) / len(loads), 4),
    }
