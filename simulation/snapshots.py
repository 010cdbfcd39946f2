"""A run at an instant, as the State that a controller (or another program) begins from."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan
from typing import Any

from metagraph.orders import Order
from metagraph.state import OpenOrder, Position, State
from simulation.orders import by_code, order_at
from simulation.program import PADDING, UNKNOWN, Kind, Network, Program
from simulation.session import COLLECTED, DELAYED, WAITING, WORKING, Snapshot


def state_of(program: Program, snapshot: Snapshot, announced: Mapping[int, float] | None = None) -> State:
    """The open orders of a snapshot. `announced`: ends or beginnings that were, by the item's serial.

    It says what could be known then: not how long a delay or the work on an item still takes, which the run
    has drawn already. A class or segment that the metagraph doesn't name is ''. Of the history the activities
    that the process looks back at are there; one that it doesn't know is '?'.
    """
    network = program.network
    reader = _Reader(network, announced or {})
    places: dict[int, list[Position]] = {}
    for item in snapshot.items:
        places.setdefault(int(item["order"]), []).append(reader.position(item))
    # What an or_merge waits for is told by where the order stands.
    columns = [
        (i, int(n["visit"]), -1 if n["kind"] == Kind.JOIN else int(n["merge"]))
        for i, n in enumerate(network.nodes)
    ]
    orders = []
    for row, journey in enumerate(snapshot.journeys):
        order = int(journey["order"])
        visits, merged = snapshot.visits[row].tolist(), snapshot.merged[row].tolist()
        orders.append(
            OpenOrder(
                order=order_of(program, order),
                positions=tuple(places.get(order, ())),
                history=reader.history(int(journey["history"])),
                visits={network.node_ids[i]: visits[v] for i, v, _ in columns if v >= 0 and visits[v]},
                merged={network.node_ids[i]: merged[m] for i, _, m in columns if m >= 0 and merged[m]},
            )
        )
    return State(snapshot.at_s, tuple(orders))


def order_of(program: Program, index: int) -> Order:
    """An order as a plain value again."""
    network = program.network
    tasks = dict(zip(network.nodes["task"].tolist(), network.node_ids, strict=True))
    return order_at(program.orders, index, by_code(network.classes), by_code(network.segments), tasks)


class _Reader:
    """Names for the numbers of a snapshot."""

    def __init__(self, network: Network, announced: Mapping[int, float]) -> None:
        self._network = network
        self._announced = announced
        self._activities = {code: name for name, code in network.codes.items()}
        unknown = "?"
        while unknown in network.codes:
            unknown += "?"
        self._activities[UNKNOWN] = unknown
        self._activities[PADDING] = ""

    def history(self, value: int) -> tuple[str, ...]:
        found = []
        while value:
            value, code = divmod(value, self._network.base)
            found.append(self._activities[code])
        return tuple(reversed(found))

    def position(self, item: Any) -> Position:
        network, status = self._network, int(item["status"])
        agent, queue, start_s = int(item["agent"]), int(item["queue"]), float(item["start_s"])
        begun, queued = not isnan(start_s), queue >= 0
        worked = begun and queued
        return Position(
            node=network.node_ids[item["node"]],
            enabled_s=float(item["enabled_s"]),
            started_s=start_s if status == WORKING else None,
            agent=network.agent_ids[agent] if agent >= 0 else None,
            after=self._activities[int(item["after"])],
            ready_s=float(item["ready_s"]) if status == WAITING or (status == WORKING and queued) else None,
            queue=network.queue_ids[queue] if queued and status not in (DELAYED, COLLECTED) else None,
            collected_s=float(item["since_s"]) if status == COLLECTED else None,
            begun_s=start_s if worked and (status != WORKING or item["preemptions"]) else None,
            worked_s=float(item["done_s"]) if worked else None,
            preemptions=int(item["preemptions"]),
            eta_s=self._announced.get(int(item["serial"])),
        )
