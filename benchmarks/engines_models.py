"""The processes that benchmarks/engines.py simulates: Example 3, tandem queues, pools, a loan office.

All of them are metagraphs, so that they come to the engines the way everything does. Times are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metagraph.agents import Agent, Queue
from metagraph.calendars import Calendar
from metagraph.distributions import Distribution, Fitted, Parametric
from metagraph.json_io import load
from metagraph.model import Metagraph
from metagraph.nodes import DurationRow, DurationTable, End, Flow, Gateway, GatewayKind, Start, Task
from metagraph.orders import ProfitShape
from metagraph.policies import Policy
from metagraph.routing import Level, Routing, RoutingRow
from simulation.lowering import lower
from simulation.orders import Numbered
from simulation.program import ORDER, Orders, Program, Records

ROOT = Path(__file__).resolve().parent.parent
ORIGIN = datetime(2026, 1, 5, tzinfo=UTC)
"""A Monday."""
HOUR, MINUTE = 3600.0, 60.0
CLASSES = ("A", "B", "C")
"""Of Example 3."""
GAP_S = 35 * MINUTE


def program(metagraph: Metagraph, orders: Records, policy: Policy | None = None) -> Program:
    """The process with orders that come as an array, which is taken over."""
    lowered = lower(metagraph, (), origin=ORIGIN, policy=policy)
    codes = np.asarray([lowered.network.classes.get(name, 0) for name in CLASSES], np.int32)
    for i in range(0, len(orders), 100_000):
        orders["cls"][i : i + 100_000] = codes[orders["cls"][i : i + 100_000]]
    return exchanged(lowered, orders)


def exchanged(first: Program, orders: Records) -> Program:
    """The same process with other orders, whose classes are codes already."""
    orders.setflags(write=False)
    return replace(first, orders=Orders(Numbered("", len(orders)), orders))


def orders_of(release_s: NDArray[np.float64]) -> Records:
    """ORDER records without dates, values and classes; cls counts in CLASSES."""
    table = np.zeros(len(release_s), ORDER)
    table["release_s"] = table["early_s"] = release_s
    table["due_s"] = table["lost_s"] = np.inf
    return table


def example3() -> Metagraph:
    """Perez, Wassick and Grossmann, section 4.3, as it lies in examples/."""
    return load(ROOT / "examples" / "example3.twin.json")


def example3_for_peers(orders: Records) -> dict[str, Any]:
    """The same network and orders as plain values: agents, mean and deviation of work by task and class."""
    work = {
        task.id: {
            cls: law.params
            for cls in CLASSES
            if isinstance(law := task.durations.lookup(cls, None, None).law, Parametric)
        }
        for task in example3().tasks()
    }
    names = ("release_s", "due_s", "lost_s", "value")
    rows = zip(*(orders[name].tolist() for name in names), orders["cls"].tolist(), strict=True)
    return {
        "agents": {task.id: len(task.queues) for task in example3().tasks()},
        "work_s": work,
        "profit": asdict(example3().orders.profit or ProfitShape()),
        "orders": [(*dates, CLASSES[cls]) for *dates, cls in rows],
    }


def example3_orders(n: int, seed: int, *, burst: int = 1, lost: bool = True) -> Records:
    """Example 3's orders. A `burst` comes at once, at even intervals and a load of 0.7; without `lost` all
    orders stay."""
    rng = np.random.default_rng(seed)
    gaps = rng.exponential(GAP_S, n) if burst == 1 else np.full(-(-n // burst), 1.3 * GAP_S * burst)
    np.cumsum(gaps, out=gaps)
    table = orders_of(gaps if burst == 1 else np.repeat(gaps, burst)[:n])
    del gaps
    for i in range(0, n, 100_000):
        part = table[i : i + 100_000]
        part["due_s"] = part["release_s"] + rng.uniform(2 * HOUR, 15 * HOUR, len(part))
        part["lost_s"] = part["due_s"] + rng.uniform(0, 5 * HOUR, len(part)) if lost else np.inf
        part["value"] = rng.normal(1000, 100, len(part))
        part["cls"] = rng.integers(0, 3, len(part))
    return table


def tandem(stations: int, capacity: int = 1) -> Metagraph:
    """Queues one after the other; work takes 1 on average, exponential."""
    names = [f"station_{i}" for i in range(stations)]
    crews = {name: tuple(f"{name}_{k}" for k in range(capacity)) for name in names}
    law = _always(Parametric("expon", (0.0, 1.0)))
    return Metagraph(
        "tandem queues",
        (Start("start"), *(Task(name, name, law, (name,)) for name in names), End("end")),
        _flows(" ".join(("start", *names, "end"))),
        (),
        tuple(Agent(agent, "always") for crew in crews.values() for agent in crew),
        tuple(Queue(name, crew) for name, crew in crews.items()),
        (Calendar("always"),),
    )


def poisson_orders(n: int, rate: float, seed: int) -> Records:
    rng = np.random.default_rng(seed)
    return orders_of(np.cumsum(rng.exponential(1 / rate, n)))


OFFICE = {"clerk": 8, "officer": 2, "appraiser": 2, "investigator": 2}
LOAN = {
    "check form": ("clerk", 60), "return form": ("clerk", 30), "check credit": ("clerk", 60),
    "appraise property": ("appraiser", 40), "check origin of money": ("investigator", 30),
    "assess risk": ("officer", 20), "reject": ("clerk", 10), "prepare pack": ("clerk", 45),
    "approve": ("officer", 30),
}  # fmt: skip
"""Role and mean work in minutes."""
DAY_S = (9 * HOUR, 17 * HOUR)
LOAN_GAP_S = 26.5 * MINUTE
SPREAD = 0.5
"""Deviation over mean of a loan office's work, lognormal."""


def loan() -> Metagraph:
    """A loan office like the one Prosimos is shown with: a loop, a parallel block, a choice, office hours.

    Each role has one queue, from which its people take the application that has waited longest.
    """
    crews = {role: tuple(f"{role} {k + 1}" for k in range(n)) for role, n in OFFICE.items()}
    week = tuple((day * 24 * HOUR + DAY_S[0], day * 24 * HOUR + DAY_S[1]) for day in range(5))
    tasks = tuple(
        Task(name.replace(" ", "_"), name, _always(lognormal(mean * MINUTE)), (role,))
        for name, (role, mean) in LOAN.items()
    )
    return Metagraph(
        "loan office",
        (
            Start("start"),
            *tasks,
            *_gates(again="loop_start", complete="loop_end", split="and_split", join="and_merge"),
            *_gates(grant="xor_split", decided="xor_merge"),
            End("end"),
        ),
        _flows(
            "start again check_form complete split check_credit join assess_risk grant reject decided end",
            "complete return_form again",
            "split appraise_property join",
            "split check_origin_of_money join",
            "grant prepare_pack approve decided",
        ),
        (
            _choice("complete", {"complete-split": 0.8, "complete-return_form": 0.2}),
            _choice("grant", {"grant-reject": 0.5, "grant-prepare_pack": 0.5}),
        ),
        tuple(Agent(agent, "office") for crew in crews.values() for agent in crew),
        tuple(Queue(role, crew) for role, crew in crews.items()),
        (Calendar("office", week),),
    )


def lognormal(mean: float) -> Parametric:
    """With this mean and a deviation of SPREAD times it."""
    sigma = float(np.sqrt(np.log1p(SPREAD**2)))
    return Parametric("lognorm", (sigma, 0.0, mean / float(np.sqrt(1 + SPREAD**2))))


def loan_orders(n: int, seed: int) -> Records:
    """Applications that come in office hours."""
    rng = np.random.default_rng(seed)
    day, within = np.divmod(np.cumsum(rng.exponential(LOAN_GAP_S, n)), DAY_S[1] - DAY_S[0])
    week, weekday = np.divmod(day, 5)
    return orders_of((week * 7 + weekday) * 24 * HOUR + DAY_S[0] + within)


def _choice(gateway: str, weights: Mapping[str, float]) -> Routing:
    row = RoutingRow(0, (), tuple(weights.values()), 0)
    return Routing(gateway, tuple(weights), (Level(),), (row,))


def _always(law: Distribution) -> DurationTable:
    return DurationTable((DurationRow(Fitted(law, 0, "human")),))


def _gates(**kinds: GatewayKind) -> tuple[Gateway, ...]:
    return tuple(Gateway(name, kind) for name, kind in kinds.items())


def _flows(*paths: str) -> tuple[Flow, ...]:
    steps = [path.split() for path in paths]
    pairs = [(a, b) for path in steps for a, b in pairwise(path)]
    return tuple(Flow(f"{a}-{b}", a, b) for a, b in dict.fromkeys(pairs))
