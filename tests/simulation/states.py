"""What a paused run knows, in the words of a state: as somebody on the shop floor would tell it."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

import numpy as np

from metagraph.orders import Order
from metagraph.state import OpenOrder, Position, State
from simulation.program import PADDING, Network, Records
from simulation.session import COLLECTED, DELAYED, WORKING, Session, Snapshot


def state_of(session: Session, orders: Sequence[Order]) -> State:
    """All open orders of a paused run; `orders` are the program's."""
    return state_from(session.snapshot(), session.program.network, orders)


def state_from(found: Snapshot, network: Network, orders: Sequence[Order]) -> State:
    opened = []
    for i, journey in enumerate(found.journeys):
        items = found.items[found.items["order"] == journey["order"]]
        nodes = network.nodes
        visits = {
            network.node_ids[n]: int(found.visits[i, column])
            for n, column in enumerate(nodes["visit"])
            if column >= 0 and found.visits[i, column]
        }
        merged = {
            network.node_ids[n]: int(found.merged[i, column])
            for n, column in enumerate(nodes["merge"])
            if column >= 0 and found.merged[i, column]
        }
        opened.append(
            OpenOrder(
                orders[int(journey["order"])],
                tuple(position_of(item, network) for item in items),
                history_of(int(journey["history"]), network),
                visits,
                merged,
            )
        )
    return State(found.at_s, tuple(opened))


def position_of(item: Records, network: Network) -> Position:
    """One live item. When a delay will end nobody on the shop floor knows."""
    working, begun = item["status"] == WORKING, not isnan(item["start_s"])
    agent = network.agent_ids[item["agent"]] if item["agent"] >= 0 else None
    queue = network.queue_ids[item["queue"]] if item["queue"] >= 0 else None
    interrupted = begun and not working
    early = item["status"] in (DELAYED, COLLECTED)
    return Position(
        network.node_ids[item["node"]],
        float(item["enabled_s"]),
        float(item["start_s"]) if working else None,
        agent if begun else None,
        {code: label for label, code in network.codes.items()}.get(int(item["after"]), "something else"),
        None if early else float(item["ready_s"]),
        None if early else queue,
        float(item["start_s"]) if interrupted else None,
        float(item["done_s"]) if begun else None,
        int(item["preemptions"]),
        collected_s=float(item["since_s"]) if item["status"] == COLLECTED else None,
    )


def history_of(code: int, network: Network) -> tuple[str, ...]:
    """Completed activities, as far as the code goes back."""
    labels = {c: label for label, c in network.codes.items()}
    found: list[str] = []
    while code:
        found.append(labels.get(code % network.base, "something else"))
        code //= network.base
    return tuple(label for label in reversed(found) if label != labels[PADDING])


def equal(a: object, b: object) -> bool:
    """To the last bit; NaN equals NaN."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        if a.dtype.names:
            return len(a) == len(b) and all(equal(a[name], b[name]) for name in a.dtype.names)
        return a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    return a == b or (a != a and b != b)
