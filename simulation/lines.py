"""Work items, and the lines in which they wait."""

from __future__ import annotations

from heapq import heappop, heappush
from math import inf, nan

from metagraph.rules import priority, profit_at
from simulation.network import Work
from simulation.program import Program
from simulation.tokens import Journey


class Item:
    """One execution of a task, from the token's arrival on. Times in seconds, NaN while unknown."""

    __slots__ = (
        "agent",
        "enabled",
        "end",
        "gone",
        "journey",
        "node",
        "queue",
        "ready",
        "start",
        "visit",
        "work",
    )

    def __init__(self, journey: Journey, node: int, work: Work, visit: int, enabled: float) -> None:
        self.journey = journey
        self.node = node
        self.work = work
        self.visit = visit
        self.enabled = enabled
        self.ready = nan
        self.start = nan
        self.end = nan
        self.queue = -1
        self.agent = -1
        self.gone = False
        """Its order was lost meanwhile."""


Head = tuple[float, float, int, int, int]
"""Priority, ready, order, node, visit: what comes first, and no two alike."""


class Lines:
    """What waits in each queue, first by the queue's rule, then by when it got ready."""

    __slots__ = ("_heaps", "_program", "load", "waiting")

    def __init__(self, program: Program) -> None:
        pools = program.network.pools
        self._program = program
        self._heaps: list[list[tuple[Head, Item]]] = [[] for _ in pools]
        self.waiting = [0] * len(pools)
        self.load = [0] * len(pools)
        """Items that wait or are worked on."""

    def put(self, item: Item, t: float) -> None:
        """The item waits in its queue from t on."""
        journey, network = item.journey, self._program.network
        rule, key = network.pools[item.queue].rule, 0.0
        if rule != "FIFO":
            order = self._program.orders[journey.order]
            key = priority(
                rule,
                profit=profit_at(order, network.profit, t),
                due_s=inf if order.due_s is None else order.due_s,
                expected_work_s=item.work.duration(journey.cls, journey.segment, -1).mean,
            )
        head = (key, item.ready, journey.order, item.node, item.visit)
        heappush(self._heaps[item.queue], (head, item))
        self.waiting[item.queue] += 1

    def head(self, queue: int) -> tuple[Head, Item]:
        """What comes first in a queue where something waits."""
        heap = self._heaps[queue]
        while heap[0][1].gone:
            heappop(heap)
        return heap[0]

    def best(self, queues: tuple[int, ...] | list[int]) -> int:
        """The queue with the first item of all; -1 if nothing waits."""
        waiting, found, first = self.waiting, -1, None
        for queue in queues:
            if waiting[queue]:
                head = self.head(queue)[0]
                if first is None or head < first:
                    found, first = queue, head
        return found

    def take(self, queue: int) -> Item:
        """Remove and return what comes first."""
        item = self.head(queue)[1]
        heappop(self._heaps[queue])
        self.waiting[queue] -= 1
        return item

    def forget(self, item: Item) -> None:
        """An item whose order was lost: neither waiting nor worked on any more."""
        item.gone = True
        if item.queue >= 0:
            self.load[item.queue] -= 1
            self.waiting[item.queue] -= item.start != item.start
