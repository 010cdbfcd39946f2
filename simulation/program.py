"""A metagraph, its orders and a state, lowered to what an engine interprets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from metagraph.errors import DataError
from metagraph.model import Metagraph
from metagraph.orders import Order
from metagraph.state import OpenOrder, Position, State
from simulation.lowering import network_of
from simulation.network import UNKNOWN, Kind, Network


@dataclass(frozen=True, slots=True)
class Token:
    """Where a token of an open order stands at the start."""

    node: int
    enabled_s: float
    started_s: float | None
    agent: int
    """-1: nobody, or nobody that the process knows."""
    after: int
    """Code of the activity whose completion put it there."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One open order at the start."""

    tokens: tuple[Token, ...]
    history: int
    visits: Mapping[int, int]
    merged: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Program:
    """All that an engine needs."""

    network: Network
    orders: tuple[Order, ...]
    """Open orders of the state first; an order's index is its key in the streams."""
    standing: tuple[Standing, ...]
    """Of the first orders; the others are released as their dates say."""
    origin: datetime
    """Time 0."""
    at_s: float | None
    """The instant of the state; None: the run begins empty with the first release."""


def lower(
    metagraph: Metagraph,
    orders: Sequence[Order],
    *,
    origin: datetime,
    state: State | None = None,
    policy: str = "FIFO",
) -> Program:
    """The program that simulates `orders` (and the open orders of `state`) on a process.

    `origin` is time 0, a Monday 00:00 UTC. `policy` other than FIFO is the priority rule of every queue,
    else each queue keeps its own. The process itself is lowered once for calls that share it.

    Raises DataError where the metagraph, an order or the state can't be run, UsageError for an unknown policy
    or an agent whose work is shared among its items, which this engine doesn't do.
    """
    earliest = 0.0 if state is None else min([0.0, *_started(state)])
    network = network_of(metagraph, origin, policy, earliest)
    standing = () if state is None else _standings(network, state.orders)
    everyone = (*(o.order for o in state.orders), *orders) if state else tuple(orders)
    _check_orders(everyone, len(standing), state)
    return Program(network, everyone, standing, origin, None if state is None else state.at_s)


def _check_orders(orders: Sequence[Order], standing: int, state: State | None) -> None:
    seen: set[str] = set()
    for i, order in enumerate(orders):
        if order.id in seen:
            raise DataError(f"order {order.id} is given twice: ids of orders must differ")
        seen.add(order.id)
        if state is not None and i >= standing and order.release_s < state.at_s:
            raise DataError(
                f"order {order.id} is released at {order.release_s:g} s, before the state's instant "
                f"{state.at_s:g} s: put it into the state or release it later"
            )


def _started(state: State) -> list[float]:
    return [p.started_s for o in state.orders for p in o.positions if p.started_s is not None]


def _standings(network: Network, orders: Sequence[OpenOrder]) -> tuple[Standing, ...]:
    nodes = {name: i for i, name in enumerate(network.node_ids)}
    agents = {name: i for i, name in enumerate(network.agent_ids)}

    def token(order: OpenOrder, position: Position) -> Token:
        node = nodes.get(position.node)
        if node is None:
            raise DataError(
                f"open order {order.order.id} stands at {position.node!r}, which the process doesn't have"
            )
        if position.started_s is not None and network.kinds[node] != Kind.TASK:
            raise DataError(
                f"open order {order.order.id} is worked on at {position.node!r}, which is no task"
            )
        agent = -1 if position.agent is None else agents.get(position.agent, -1)
        after = network.codes.get(position.after, UNKNOWN)
        return Token(node, position.enabled_s, position.started_s, agent, after)

    return tuple(
        Standing(
            tokens=tuple(token(order, position) for position in order.positions),
            history=network.history(order.history),
            visits={nodes[name]: n for name, n in order.visits.items() if name in nodes},
            merged={nodes[name]: n for name, n in order.merged.items() if name in nodes},
        )
        for order in orders
    )
