"""Faults of a state against the process whose orders it holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from metagraph.agents import Queue
from metagraph.faults import Fault, listed, shown
from metagraph.model import Metagraph
from metagraph.nodes import Gateway, Node, Task
from metagraph.order_extras import material_faults
from metagraph.state import OpenOrder, Position, State


def state_faults(state: State, metagraph: Metagraph) -> Iterator[Fault]:
    """Every fault: places and people that the process doesn't have, instants that can't follow each other."""
    known = _Known(metagraph)
    for open_order in state.orders:
        yield from known.order(open_order, state.at_s)


class _Known:
    def __init__(self, metagraph: Metagraph) -> None:
        self.nodes: dict[str, Node] = {node.id: node for node in metagraph.nodes}
        self.labels = [*dict.fromkeys(task.label for task in metagraph.tasks())]
        self.tasks = [task.id for task in metagraph.tasks()]
        self.agents = {agent.id for agent in metagraph.agents}
        self.queues: dict[str, Queue] = {queue.id: queue for queue in metagraph.queues}
        self.incoming = Counter(flow.target for flow in metagraph.flows)

    def order(self, open_order: OpenOrder, at_s: float) -> Iterator[Fault]:
        where = f"order {shown(open_order.order.id)}"
        if not open_order.positions and not open_order.merged:
            yield Fault(f"{where}, positions", "none; leave out an order that isn't open")
        if open_order.order.release_s > at_s:
            yield Fault(
                f"{where}, release", "it lies after the instant of the state; such an order isn't open yet"
            )
        for place, n in Counter(position.node for position in open_order.positions).items():
            if n > 1:
                yield Fault(f"{where}, position {shown(place)}", f"{n} positions; an order is there once")
        yield from material_faults(open_order.order, self.tasks)
        for label in dict.fromkeys(open_order.history):
            yield from self._label(label, f"{where}, history")
        for position in open_order.positions:
            yield from self.position(position, f"{where}, position {shown(position.node)}", at_s)
        for name, n in open_order.visits.items():
            node = self.nodes.get(name)
            if not isinstance(node, (Task, Gateway)) or (isinstance(node, Gateway) and not node.routes):
                yield Fault(f"{where}, visits", f"{shown(name)} is no task and no gateway that chooses")
            elif n < 1:
                yield Fault(f"{where}, visits, {shown(name)}", f"{n}; expected 1 or more")
        for name, n in open_order.merged.items():
            node = self.nodes.get(name)
            if not isinstance(node, Gateway) or node.kind != "and_merge":
                yield Fault(f"{where}, merged", f"{shown(name)} is no and_merge of this twin")
            elif not 1 <= n < self.incoming[name]:
                most = self.incoming[name] - 1
                yield Fault(f"{where}, merged, {shown(name)}", f"{n} tokens wait; expected 1 to {most}")

    def position(self, position: Position, where: str, at_s: float) -> Iterator[Fault]:
        node = self.nodes.get(position.node)
        if not isinstance(node, (Task, Gateway)):
            yield Fault(f"{where}, node", "it is no task and no gateway of this twin")
        if position.after:
            yield from self._label(position.after, f"{where}, after")
        yield from _instants(position, where, at_s)
        worked = position.started_s is not None
        if position.agent is not None and position.agent not in self.agents:
            yield Fault(f"{where}, agent", f"{shown(position.agent)} is no agent of this twin")
        if position.queue is not None and position.queue not in self.queues:
            yield Fault(f"{where}, queue", f"{shown(position.queue)} is no queue of this twin")
        if isinstance(node, Gateway) and worked:
            yield Fault(f"{where}, started", "a gateway isn't worked on")
        if not isinstance(node, Task):
            return
        if position.queue in self.queues and position.queue not in node.queues:
            names = listed(node.queues) or "none"
            yield Fault(
                f"{where}, queue", f"{shown(position.queue)} doesn't serve it; its queues are {names}"
            )
        if worked and node.queues and position.agent is None:
            yield Fault(f"{where}, agent", "missing; whoever works on it since `started` must be named")
        yield from _collected(position, node, where)
        serving = {agent for queue in node.queues for agent in self._agents(queue)}
        if worked and position.agent in self.agents and position.agent not in serving:
            able = listed(sorted(serving)) or "nobody"
            yield Fault(f"{where}, agent", f"{shown(position.agent)} serves none of its queues; {able} can")

    def _label(self, label: str, where: str) -> Iterator[Fault]:
        if label not in self.labels:
            yield Fault(where, f"{shown(label)} is no activity of this twin; there are {listed(self.labels)}")

    def _agents(self, queue: str) -> tuple[str, ...]:
        return self.queues[queue].agents if queue in self.queues else ()


def _collected(position: Position, node: Task, where: str) -> Iterator[Fault]:
    """Faults about batches."""
    if position.collected_s is not None and node.batch is None:
        yield Fault(f"{where}, collected", "the task has no batch")
    told = [position.started_s, position.ready_s, position.begun_s]
    if position.collected_s is not None and any(at is not None for at in told):
        yield Fault(f"{where}, collected", "it was released already; what is collected has no other instant")
    if position.eta_s is not None and node.batch is not None:
        yield Fault(f"{where}, eta", "what is collected into batches can't be announced; leave it out")


def _instants(position: Position, where: str, at_s: float) -> Iterator[Fault]:
    for name in ("enabled", "started", "ready", "collected", "begun"):
        at: float | None = getattr(position, f"{name}_s")
        if at is not None and at > at_s:
            yield Fault(f"{where}, {name}", "it lies after the instant of the state")
        if at is not None and at < position.enabled_s:
            yield Fault(f"{where}, {name}", "it lies before the instant at which the task was enabled")
    begun, started = position.begun_s, position.started_s
    if begun is not None and started is not None and started < begun:
        yield Fault(f"{where}, started", "it lies before the first beginning of the work, `begun`")
    if position.worked_s and begun is None and started is None:
        yield Fault(f"{where}, begun", "missing; work was done, so say when it first began")
