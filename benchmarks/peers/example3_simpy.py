"""The Example-3 network as one writes it in SimPy: a process an order, a PreemptiveResource an agent.

    python -m benchmarks.peers.example3_simpy model.json SEED

An order joins the shorter queue of a task's agents; the one that would yield the highest profit if it were
fulfilled now goes first and interrupts; interrupted work is resumed where it stopped; an order that isn't
fulfilled by its lost-sale date leaves.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import simpy

from benchmarks.peers._measured import measured

Events = Generator[simpy.Event, Any, bool]


class Order:
    __slots__ = ("cls", "due_s", "lost_s", "release_s", "value", "working")

    def __init__(self, release_s: float, due_s: float, lost_s: float, value: float, cls: str) -> None:
        self.release_s, self.due_s, self.lost_s, self.value, self.cls = release_s, due_s, lost_s, value, cls
        self.working: list[simpy.Process] = []


class Process:
    """The network, its agents and what is counted."""

    def __init__(self, model: dict[str, Any], seed: int) -> None:
        self.env = simpy.Environment()
        self.random = random.Random(seed)
        self.agents = {
            task: [simpy.PreemptiveResource(self.env) for _ in range(n)]
            for task, n in model["agents"].items()
        }
        self.laws: dict[str, dict[str, tuple[float, float]]] = model["work_s"]
        self.shares: dict[str, float] = model["profit"]
        self.executions = self.preemptions = self.fulfilled = self.lost = 0
        self.cycle_s = self.profit = 0.0

    def run(self, orders: list[Order]) -> dict[str, Any]:
        self.env.process(self.arrivals(orders))
        self.env.run()
        return {
            "executions": self.executions,
            "orders": len(orders),
            "cycle_s": self.cycle_s / max(self.fulfilled, 1),
            "fulfilled": self.fulfilled / len(orders),
            "profit": self.profit / len(orders),
            "preemptions": self.preemptions / len(orders),
        }

    def arrivals(self, orders: list[Order]) -> Events:
        for order in orders:
            yield self.env.timeout(order.release_s - self.env.now)
            self.env.process(self.order(order))
        return True

    def order(self, order: Order) -> Events:
        me = self.env.active_process
        assert me is not None
        self.env.process(self.deadline(order))
        for task in ("create", "credit"):
            if not (yield from self.task(order, task, me)):
                return False
        if not (yield from self.both(order, "schedule", "reserve")):
            return False
        for task in ("check_in", "load"):
            if not (yield from self.task(order, task, me)):
                return False
        if not (yield from self.both(order, "invoice", "issue")):
            return False
        now = self.env.now
        self.fulfilled += 1
        self.cycle_s += now - order.release_s
        self.profit += self.worth(order, now)
        order.working = []
        order.lost_s = -1.0
        return True

    def both(self, order: Order, one: str, other: str) -> Events:
        """Two tasks at the same time."""
        branches = [self.env.process(self.branch(order, task)) for task in (one, other)]
        yield branches[0] & branches[1]
        return bool(branches[0].value and branches[1].value)

    def branch(self, order: Order, task: str) -> Events:
        me = self.env.active_process
        assert me is not None
        return (yield from self.task(order, task, me))

    def task(self, order: Order, task: str, me: simpy.Process) -> Events:
        """True: done. False: the order was lost meanwhile."""
        env = self.env
        agent = min(self.agents[task], key=lambda a: a.count + len(a.queue))
        mean, deviation = self.laws[task][order.cls]
        left = max(self.random.gauss(mean, deviation), 0.0)
        order.working.append(me)
        while True:
            begun = -1.0
            try:
                key: Any = -self.worth(order, env.now)
                with agent.request(priority=key) as request:
                    yield request
                    begun = env.now
                    yield env.timeout(left)
                order.working.remove(me)
                self.executions += 1
                return True
            except simpy.Interrupt as interrupt:
                if interrupt.cause == "lost":
                    return False
                left -= env.now - begun
                self.preemptions += 1

    def deadline(self, order: Order) -> Events:
        yield self.env.timeout(order.lost_s - self.env.now)
        if order.lost_s >= 0.0:
            self.lost += 1
            for process in order.working:
                process.interrupt("lost")
        return True

    def worth(self, order: Order, t: float) -> float:
        """Profit if the order were fulfilled now: it falls, drops at the due date, and falls on."""
        shares = self.shares
        if t > order.lost_s:
            return shares["lost"] * order.value
        if t <= order.due_s:
            share = (t - order.release_s) / (order.due_s - order.release_s)
            return order.value * (shares["early"] + (shares["due"] - shares["early"]) * share)
        share = (t - order.due_s) / (order.lost_s - order.due_s)
        return order.value * (shares["late"] + (shares["final"] - shares["late"]) * share)


def main() -> None:
    model = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    orders = [Order(*row) for row in model["orders"]]
    measured("simpy", lambda: Process(model, int(sys.argv[2])).run(orders))


if __name__ == "__main__":
    main()
