"""What tests of the reference engine have in common: hours, processes of a few tasks, and reading a log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np

from metagraph.agents import Absence, Agent, Queue
from metagraph.blocks import Choice, Leaf
from metagraph.distributions import Constant, Distribution
from metagraph.model import Metagraph
from metagraph.nodes import DurationRow, DurationTable, Task
from metagraph.orders import Order, OrderModel, ProfitShape
from metagraph.policies import Policy
from simulation.lowering import lower
from simulation.program import Program
from simulation.run import Run
from tests.simulation.builders import ORIGIN, always, fitted, process, row

HOUR = 3600.0
FIFO = Policy(preemption=False)


def program(model: Metagraph, orders: Sequence[Order], policy: Any = FIFO) -> Program:
    return lower(model, orders, origin=ORIGIN, policy=policy)


def away(start_s: float, end_s: float | None = None, *, hands_over: bool = True) -> Absence:
    """An absence; None: for good."""
    end = None if end_s is None else ORIGIN + timedelta(seconds=end_s)
    return Absence(ORIGIN + timedelta(seconds=start_s), end, hands_over)


def with_tasks(model: Metagraph, **changes: Any) -> Metagraph:
    """All tasks changed alike."""
    return replace(
        model, nodes=tuple(replace(n, **changes) if isinstance(n, Task) else n for n in model.nodes)
    )


def by_class(model: Metagraph, work_s: Mapping[str, float]) -> Metagraph:
    """All tasks take so long, an hour for orders of other classes."""
    rows = tuple(DurationRow(fitted(Constant(v)), cls=c) for c, v in work_s.items())
    return with_tasks(model, durations=DurationTable((*always(Constant(HOUR)).rows, *rows)))


def worth(model: Metagraph, shape: ProfitShape | None = None) -> Metagraph:
    """Orders have profits."""
    return replace(model, orders=OrderModel(profit=shape or ProfitShape()))


def single(law: Distribution | None = None, *, preemptible: bool = True, **agent: Any) -> Metagraph:
    """One task, one queue, one agent x."""
    model = process(
        row("a"),
        law or Constant(HOUR),
        queues=[Queue("q", ("x",))],
        serves={"a": ["q"]},
        agents=[Agent("x", agent.pop("calendar", "always"), **agent)],
    )
    return with_tasks(model, preemptible=preemptible)


def parted(names: str, law: Distribution | None = None, **agents: Any) -> Metagraph:
    """One task that agents with a queue each can do; the queues are named as the agents, in capitals."""
    model = process(
        row("a"),
        law or Constant(HOUR),
        queues=[Queue(name.upper(), (name,)) for name in names],
        serves={"a": [name.upper() for name in names]},
        agents=[agents.get(name) or Agent(name, "always") for name in names],
    )
    return with_tasks(model, preemptible=True)


def two_tasks(law: Mapping[str, Distribution], agents: Sequence[str] = ("x",)) -> Metagraph:
    """Orders go to a or to b, by lot; each has a queue, both of the same agents."""
    model = process(
        Choice("c", "m", (Leaf("a", "A"), Leaf("b", "B"))),
        law,
        queues=[Queue("qa", tuple(agents)), Queue("qb", tuple(agents))],
        serves={"a": ["qa"], "b": ["qb"]},
        agents=[Agent(name, "always") for name in agents],
    )
    return with_tasks(model, preemptible=True)


def spans(run: Run) -> dict[str, tuple[float, float]]:
    """Order -> (start, end) of its last execution, in hours."""
    return {
        run.order_ids[o]: (float(s) / HOUR, float(e) / HOUR)
        for o, s, e in zip(run.order, run.start_s, run.end_s, strict=True)
    }


def who(run: Run) -> dict[str, str]:
    """Order -> agent of its last execution."""
    return {
        run.order_ids[o]: run.agents[a] if a >= 0 else "" for o, a in zip(run.order, run.agent, strict=True)
    }


def served(run: Run) -> list[str]:
    """Orders as they were begun."""
    return [run.order_ids[i] for i in run.order[np.lexsort((np.arange(len(run.order)), run.start_s))]]


def ended(run: Run) -> list[str]:
    """Orders as they were completed."""
    return [run.order_ids[i] for i in np.argsort(run.completed_s, kind="stable")]
