"""Snapshots of Example 3 under heavy load: what the scheduler's benchmark plans, and tests may use.

The network of Perez, Wassick and Grossmann, section 4.3, runs first come first served from empty until n
orders are open; the instance is the state at that instant, work that is under way included. The same
arguments give the same instance on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from math import inf
from typing import Literal

import numpy as np

from examples.by_hand import CLASSES, TASKS, by_hand, example3
from metagraph.agents import Agent, Queue
from metagraph.distributions import Parametric
from metagraph.instances import Instance
from metagraph.model import Metagraph
from metagraph.nodes import DurationRow, DurationTable, Task
from metagraph.orders import Order
from metagraph.policies import Policy

Variant = Literal["plain", "balanced", "heterogeneous"]
"""Plain: Example 3, whose customer service is the bottleneck. Balanced: every agent has the same load.
Heterogeneous: tasks with several agents, none of whom work at the same speed."""

ORIGIN = datetime(2026, 11, 23, tzinfo=UTC)
MINUTE, HOUR = 60.0, 3600.0
SPREAD = 0.3
"""Coefficient of variation of all work; plans see the means and what is left of work under way."""
FIRST_COME = Policy("first come first served", "JFQ", ("FIFO",), preemption=False)
STEADY, OPEN_AT_ONCE = 35.0 / 32.0, 15.0
MOST_ORDERS = 5_000


@dataclass(frozen=True, slots=True)
class Crew:
    """A variant's task: mean minutes of work for class B, and each agent's pace (1: takes that time)."""

    minutes: float
    paces: Mapping[str, float]


def crews(variant: Variant) -> dict[str, Crew]:
    """Node -> who does it and how long it takes. Balanced: 15 minutes with one agent, 30 with two, which
    keeps the least lead time of 120 minutes. Heterogeneous: three tasks have agents whose paces differ, their
    capacity together being that of Example 3 (customer service: two people where there was one)."""
    found = {node: Crew(minutes, dict.fromkeys(agents, 1.0)) for node, (_, minutes, agents) in TASKS.items()}
    if variant == "balanced":
        found = {node: replace(crew, minutes=15.0 * len(crew.paces)) for node, crew in found.items()}
    if variant == "heterogeneous":
        found["create"] = Crew(64.0, {"Customer Service 1": 1.25, "Customer Service 2": 0.75})
        for node in ("reserve", "load"):
            first, second = found[node].paces
            found[node] = Crew(found[node].minutes, {first: 1.2, second: 0.8})
    return found


@cache
def process(variant: Variant = "plain") -> Metagraph:
    """The network of a variant; every task may be interrupted."""
    base, who = example3(SPREAD), crews(variant)
    if variant == "plain":
        return base
    agents = tuple(agent for crew in who.values() for agent in crew.paces)
    return replace(
        base,
        name=f"example3, {variant}",
        nodes=tuple(_task(n, who[n.id]) if isinstance(n, Task) else n for n in base.nodes),
        agents=tuple(Agent(agent, "always") for agent in agents),
        queues=tuple(Queue(agent, (agent,)) for agent in agents),
    )


def _task(task: Task, crew: Crew) -> Task:
    def row(cls: str | None, share: float, agent: str | None, pace: float) -> DurationRow:
        mean_s = round(crew.minutes * MINUTE * share / pace, 6)
        return DurationRow(by_hand(Parametric("norm", (mean_s, round(SPREAD * mean_s, 6)))), cls, None, agent)

    rows = [row(None, 1.0, None, 1.0)]
    for agent, pace in ((None, 1.0), *crew.paces.items()):
        if agent is not None and pace == 1.0:
            continue
        shares = {cls: share for cls, share in CLASSES.items() if share != 1.0 or agent is not None}
        rows += [row(cls, share, agent, pace) for cls, share in shares.items()]
    return replace(task, durations=DurationTable(tuple(rows)), queues=tuple(crew.paces))


def orders_of(n: int, seed: int, gap_s: float) -> tuple[Order, ...]:
    """Orders of Example 3's law that come every `gap_s` on average: due 2 to 15 hours after their release,
    lost up to 5 hours later, worth Normal(1000, 100) at the due date; classes A, B, C."""
    rng = np.random.default_rng(seed)
    release = np.cumsum(rng.exponential(gap_s, n))
    due = release + rng.uniform(2 * HOUR, 15 * HOUR, n)
    lost = due + rng.uniform(0.0, 5 * HOUR, n)
    value, cls = rng.normal(1000.0, 100.0, n), rng.choice(list(CLASSES), n)
    columns = (np.round(column, 6).tolist() for column in (release, value, due, lost))
    return tuple(
        Order(f"{i}", came, str(kind), value=worth, early_s=came, due_s=by, lost_s=until)
        for i, (kind, came, worth, by, until) in enumerate(zip(cls, *columns, strict=True), 1)
    )


def gap_s(n: int, variant: Variant = "plain") -> float:
    """Mean time between orders: Example 3's load (0.91) for few orders; for many as much more as lets n be
    open at once before they are lost."""
    bottleneck = max(crew.minutes / sum(crew.paces.values()) for crew in crews(variant).values())
    return bottleneck * MINUTE * min(STEADY, OPEN_AT_ONCE / n)


def snapshot(n: int, seed: int = 0, dt_s: float = 900.0, variant: Variant = "plain") -> Instance:
    """The instant at which n orders are open for the first time, as an order comes.

    Raises RuntimeError if that doesn't happen within MOST_ORDERS orders.
    """
    from simulation import engines
    from simulation.lowering import lower
    from simulation.session import Options
    from simulation.snapshots import state_of

    metagraph = process(variant)
    orders = orders_of(min(MOST_ORDERS, 60 * n), seed, gap_s(n, variant))
    program = lower(metagraph, orders, origin=ORIGIN, policy=FIRST_COME)
    session = engines.session(program, seed, options=Options(log=False))
    while session.run_to(inf, pause_on_release=True):
        seen = session.snapshot()
        if len(seen.journeys) == n:
            state = state_of(program, seen)
            return Instance(metagraph, (), state, ORIGIN, state.at_s, None, dt_s)
    raise RuntimeError(f"no {n} orders were open at once in a run of {len(orders)} (seed {seed}, {variant})")
