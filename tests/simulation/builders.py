"""Small processes built by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from metagraph.agents import Agent, Queue
from metagraph.blocks import Block, Leaf, skeleton
from metagraph.blocks import Sequence as Row
from metagraph.calendars import Calendar
from metagraph.distributions import Constant, Distribution, Fitted, Parametric
from metagraph.model import Metagraph
from metagraph.nodes import DelayTable, DurationRow, DurationTable, End, Start, Task
from metagraph.orders import Arrivals, Order
from metagraph.routing import Level, Routing, RoutingRow

ORIGIN = datetime(2024, 1, 1, tzinfo=UTC)
"""A Monday."""
ALWAYS = Calendar("always")
OFFICE = Calendar("office", tuple((d * 86400 + 9 * 3600.0, d * 86400 + 17 * 3600.0) for d in range(5)))


def fitted(law: Distribution) -> Fitted:
    return Fitted(law, 100, "task")


def always(law: Distribution) -> DurationTable:
    return DurationTable((DurationRow(fitted(law)),))


def expon(mean: float) -> Parametric:
    return Parametric("expon", (0.0, mean))


def row(*names: str) -> Row:
    return Row(tuple(Leaf(name, name.upper()) for name in names))


def process(
    block: Block,
    laws: Mapping[str, Distribution] | Distribution,
    *,
    queues: Sequence[Queue] = (),
    serves: Mapping[str, Sequence[str]] | None = None,
    agents: Sequence[Agent] = (),
    calendars: Sequence[Calendar] = (ALWAYS, OFFICE),
    weights: Mapping[str, Sequence[float]] | None = None,
    delays: Mapping[str, Distribution] | None = None,
    arrivals: Arrivals | None = None,
) -> Metagraph:
    """The process of a block; `serves` gives the queues of each task, `weights` those of each gateway."""
    shape = skeleton(block)
    serves, weights, delays = serves or {}, weights or {}, delays or {}
    tasks = [
        Task(
            node,
            label,
            always(laws[node] if isinstance(laws, Mapping) else laws),
            tuple(serves.get(node, ())),
            DelayTable(fitted(delays[node]), {}) if node in delays else None,
        )
        for node, label in shape.tasks
    ]
    routing = []
    for gateway in shape.gateways:
        if gateway.routes:
            flows = tuple(f.id for f in shape.flows if f.source == gateway.id)
            shares = tuple(weights.get(gateway.id, [1 / len(flows)] * len(flows)))
            routing.append(Routing(gateway.id, flows, (Level(),), (RoutingRow(0, (), shares, 100),)))
    return Metagraph(
        name="test",
        nodes=(Start("start"), *tasks, *shape.gateways, End("end")),
        flows=shape.flows,
        routing=tuple(routing),
        agents=tuple(agents),
        queues=tuple(queues),
        calendars=tuple(calendars),
        arrivals=arrivals,
    )


def station(law: Distribution, servers: int = 1, capacity: int = 1, calendar: str = "always") -> Metagraph:
    """One task, one queue, identical agents."""
    names = tuple(f"agent{i}" for i in range(servers))
    return process(
        row("a"),
        law,
        queues=[Queue("q", names)],
        serves={"a": ["q"]},
        agents=[Agent(name, calendar, capacity=capacity) for name in names],
    )


def tandem(law: Distribution, tasks: int = 8, servers: int = 1, calendar: str = "always") -> Metagraph:
    """Tasks in a row, each with a queue and agents of its own."""
    names = [f"t{i}" for i in range(tasks)]
    crew = {name: tuple(f"{name}.{k}" for k in range(servers)) for name in names}
    return process(
        row(*names),
        law,
        queues=[Queue(name, crew[name]) for name in names],
        serves={name: [name] for name in names},
        agents=[Agent(agent, calendar) for name in names for agent in crew[name]],
    )


def orders(releases: Sequence[float]) -> tuple[Order, ...]:
    return tuple(Order(str(i + 1), float(t)) for i, t in enumerate(releases))


def constant(value: float) -> Constant:
    return Constant(value)
