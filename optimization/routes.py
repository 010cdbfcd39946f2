"""What an order still has to do: its steps, each after others."""

from __future__ import annotations

from dataclasses import dataclass

from metagraph.model import Metagraph
from metagraph.nodes import End, Gateway, Start, Task
from metagraph.orders import Order
from metagraph.state import OpenOrder, Position


@dataclass(frozen=True, slots=True)
class Step:
    """One task that is planned."""

    task: Task
    preds: tuple[int, ...]
    """Steps that must be over before; indices into the route, lower than its own."""
    visits: float = 1.0
    """How often it is expected to be done, given that it is: its work is so many times that of one."""
    after: str = ""
    """The activity completed last before it, as far as can be told."""
    position: Position | None = None
    """Where the order stands at it now; None: it isn't there yet."""


@dataclass(frozen=True, slots=True)
class Route:
    """The steps of one order."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()


def route_of(metagraph: Metagraph, order: Order, standing: OpenOrder | None) -> Route:
    """What is left to do: from the positions of an open order, or from the start."""
    return _Walk(metagraph, standing).route()


class _Walk:
    """Follows the tokens of one order to the end, each gateway its likeliest way."""

    def __init__(self, metagraph: Metagraph, standing: OpenOrder | None) -> None:
        self._nodes = {node.id: node for node in metagraph.nodes}
        self._outgoing = metagraph.outgoing()
        self._incoming: dict[str, int] = {}
        for flow in metagraph.flows:
            self._incoming[flow.target] = self._incoming.get(flow.target, 0) + 1
        self._routing = {routing.node: routing for routing in metagraph.routing}
        self._steps: list[Step] = []
        self._standing = standing
        self._arrived: dict[str, int] = dict(standing.merged) if standing is not None else {}
        self._waiting: dict[str, tuple[int, ...]] = {}

    def route(self) -> Route:
        if self._standing is None:
            start = next(node for node in self._nodes.values() if isinstance(node, Start))
            todo: list[tuple[str, tuple[int, ...], str, Position | None]] = [(start.id, (), "", None)]
        else:
            todo = [(p.node, (), p.after, p) for p in self._standing.positions]
        while todo:
            name, preds, after, position = todo.pop(0)
            todo += self._pass(name, preds, after, position)
        return Route(tuple(self._steps))

    def _pass(
        self, name: str, preds: tuple[int, ...], after: str, position: Position | None
    ) -> list[tuple[str, tuple[int, ...], str, Position | None]]:
        node = self._nodes[name]
        if isinstance(node, End):
            return []
        if isinstance(node, Task):
            self._steps.append(Step(node, preds, 1.0, after, position))
            preds, after = (len(self._steps) - 1,), node.label
        targets = [flow.target for flow in self._outgoing[name]]
        if isinstance(node, Gateway):
            if node.kind == "and_merge":
                self._arrived[name] = self._arrived.get(name, 0) + 1
                self._waiting[name] = tuple(dict.fromkeys((*self._waiting.get(name, ()), *preds)))
                if self._arrived[name] < self._incoming[name]:
                    return []
                preds = self._waiting[name]
            elif node.routes:
                targets = self._likeliest(node)
        return [(target, preds, after, None) for target in targets]

    def _likeliest(self, node: Gateway) -> list[str]:
        routing = self._routing[node.id]
        weights = routing.overall().weights
        best = max(range(len(weights)), key=lambda i: weights[i])
        taken = routing.outcomes()[best]
        return [flow.target for flow in self._outgoing[node.id] if flow.id in taken]
