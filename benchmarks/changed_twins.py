"""The bundled order-to-cash process with one thing changed, for what is to find such changes."""

from __future__ import annotations

from dataclasses import replace

from metagraph.distributions import Parametric
from metagraph.model import Metagraph
from metagraph.nodes import Task

SLOWER, REROUTED, LEFT = "Load Goods", "Clear Credit Hold | on", "Sofia Rossi"
"""The task that takes longer, the choice whose ways are taken otherwise, and the agent who left."""
HELD = 0.1705
"""Share of the orders that are put on hold in the process as it is."""


def slower(twin: Metagraph, factor: float) -> Metagraph:
    """A task takes so many times as long."""

    def longer(task: Task) -> Task:
        rows = tuple(
            replace(row, fitted=replace(row.fitted, law=replace(law, params=(*shape, factor * scale))))
            for row in task.durations.rows
            if isinstance(law := row.fitted.law, Parametric)
            for *shape, scale in (law.params,)
        )
        return replace(task, durations=replace(task.durations, rows=rows))

    nodes = (longer(n) if isinstance(n, Task) and n.label == SLOWER else n for n in twin.nodes)
    return replace(twin, nodes=tuple(nodes))


def busier(twin: Metagraph, factor: float) -> Metagraph:
    """So many times as many orders come."""
    if twin.arrivals is None:
        return twin
    rates = tuple(factor * rate for rate in twin.arrivals.rates_per_h)
    return replace(twin, arrivals=replace(twin.arrivals, rates_per_h=rates))


def rerouted(twin: Metagraph, held: float) -> Metagraph:
    """This share of the orders is put on hold, of every segment."""
    routing = (
        replace(r, rows=tuple(replace(row, weights=(1 - held, held)) for row in r.rows))
        if r.node == "hold"
        else r
        for r in twin.routing
    )
    return replace(twin, routing=tuple(routing))


def left(twin: Metagraph) -> Metagraph:
    """An agent is gone."""
    agents = tuple(agent for agent in twin.agents if agent.id != LEFT)
    queues = (replace(q, agents=tuple(a for a in q.agents if a != LEFT)) for q in twin.queues)
    return replace(twin, agents=agents, queues=tuple(queues))
