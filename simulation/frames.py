"""A program's arrays as Python's own lists and small objects, which Python reads several times faster."""

from __future__ import annotations

from functools import lru_cache
from math import inf
from typing import Any

import numpy as np

from simulation.order_extras import points_at
from simulation.program import NO_CAP, Assign, Kind, Network, Orders, Rule
from simulation.tables import Table

_DEPENDING = 16
"""Among so many agents or fewer one draw is made before looking at all of them; see `Frame.tries`."""
_TRIES = 8


class Shared:
    """What forks of a session have in common."""

    __slots__ = ()

    def __deepcopy__(self, memo: object) -> Any:
        return self


class TaskFrame(Shared):
    """What a task asks for."""

    __slots__ = (
        "aged",
        "batch",
        "code",
        "delay",
        "delay_after",
        "law",
        "law_agent",
        "law_cls",
        "law_segment",
        "laws",
        "next",
        "node",
        "number",
        "pace",
        "preemptible",
        "queues",
        "visit",
    )

    def __init__(self, network: Network, index: int, laws: list[Table]) -> None:
        node = network.nodes[index]
        first, n = int(node["queue"]), int(node["queues"])
        self.node = index
        self.number = int(node["task"])
        self.code = int(node["code"])
        """Of its activity in histories."""
        self.visit = int(node["visit"])
        self.next = int(network.targets[node["target"]])
        self.queues = tuple(network.task_queues[first : first + n].tolist())
        self.laws = laws
        self.law = int(node["law"])
        self.law_cls = int(node["law_cls"])
        self.law_segment = int(node["law_segment"])
        self.law_agent = int(node["law_agent"])
        self.delay = int(node["delay"])
        self.delay_after = int(node["delay_after"])
        self.pace = int(node["pace"])
        self.aged = bool(node["aged"])
        self.preemptible = bool(node["preemptible"])
        self.batch = int(node["batch"])

    def law_of(self, cls: int, segment: int, agent: int) -> Table:
        """The law of its work."""
        at = self.law + cls * self.law_cls + segment * self.law_segment + (agent + 1) * self.law_agent
        return self.laws[at]


class RouteLevel(Shared):
    """One back-off level of a gateway: where the cumulative weights of (context, history) begin."""

    __slots__ = ("cls", "rows", "rule", "segment", "span", "visit")

    def __init__(self, network: Network, level: np.void) -> None:
        self.cls = bool(level["cls"])
        self.segment = bool(level["segment"])
        self.visit = bool(level["visit"])
        self.rule = bool(level["rule"])
        self.span = int(level["span"])
        first, n = int(level["row"]), int(level["rows"])
        rows = network.rows[first : first + n]
        self.rows: dict[tuple[int, int], int] = {(c, h): w for c, h, w in rows.tolist()}


class Frame(Shared):
    """A network: nodes, lines and agents by index. Lines are the queues and behind them, as far as anything
    can wait there, one of each agent's own."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.policy = network.policy[0]
        nodes = network.nodes
        self.base = network.base
        self.span = network.span
        self.kinds: list[int] = nodes["kind"].tolist()
        self.needs: list[int] = nodes["need"].tolist()
        self.visit: list[int] = nodes["visit"].tolist()
        self.merge: list[int] = nodes["merge"].tolist()
        self.ruled: list[int] = nodes["ruled"].tolist()
        self.targets: list[tuple[int, ...]] = [
            tuple(network.targets[first : first + n].tolist())
            for first, n in zip(nodes["target"].tolist(), nodes["targets"].tolist(), strict=True)
        ]
        self.joins: list[int] = nodes["join"].tolist()
        self.subsets: list[tuple[tuple[int, ...], ...]] = [
            tuple(
                tuple(target for i, target in enumerate(targets) if mask >> i & 1)
                for mask in network.outcomes[first : first + n].tolist()
            )
            for targets, first, n in zip(
                self.targets, nodes["outcome"].tolist(), nodes["outcomes"].tolist(), strict=True
            )
        ]
        """Per or_split: nodes behind the flows that are taken together."""
        self.cumulative: list[float] = network.cumulative.tolist()
        self.levels = [
            tuple(
                RouteLevel(network, network.levels[i])
                for i in range(int(node["level"]), int(node["level"]) + int(node["levels"]))
            )
            if node["kind"] in (Kind.ROUTE, Kind.SOME)
            else ()
            for node in nodes
        ]
        laws = [network.tables[i] for i in network.durations.tolist()]
        self.delays = [network.tables[i] for i in network.delays.tolist()]
        self.tasks = [
            TaskFrame(network, i, laws) if kind == Kind.TASK else None for i, kind in enumerate(self.kinds)
        ]
        self._take_policy()
        self._take_lines()
        self.estimated = self._estimated()
        """Per queue: whether anybody asks for the expected work of what waits there."""

    def _take_policy(self) -> None:
        policy, network = self.policy, self.network
        self.assign = int(policy["assign"])
        self.parts = int(policy["parts"])
        self.preemption = bool(policy["preemption"])
        self.back = bool(policy["back"])
        self.cap = int(policy["cap"])
        self.capped = self.cap < NO_CAP
        self.same_agent = bool(policy["same_agent"])
        self.penalty_s = float(policy["penalty_s"])
        self.curve = tuple(float(policy[name]) for name in ("early", "due", "late", "final", "lost"))
        self.python = network.custom is not None

    def _estimated(self) -> list[bool]:
        if self.parts or self.python:
            return [True] * self.n_queues
        compared = {
            q for task in self.tasks if task is not None and len(task.queues) > 1 for q in task.queues
        }
        fastest = self.assign == Assign.JFQ
        return [self.rules[q] == Rule.SERPT or (fastest and q in compared) for q in range(self.n_queues)]

    def _take_lines(self) -> None:
        network = self.network
        agents = network.agents
        self.n_queues = len(network.queues)
        spans = [(int(q["agent"]), int(q["agents"])) for q in network.queues]
        queue_agents: list[tuple[int, ...]] = [
            tuple(network.queue_agents[f : f + n].tolist()) for f, n in spans
        ]
        own = [(a,) for a in range(len(agents))] if self.same_agent else []
        self.line_agents = [*queue_agents, *own]
        self.weights: list[list[float]] = [network.queue_weights[f : f + n].tolist() for f, n in spans]
        self.queue_cumulative: list[list[float]] = [
            network.queue_cumulative[f : f + n].tolist() for f, n in spans
        ]
        self.tries = [1 if len(a) <= _DEPENDING else _TRIES for a in queue_agents]
        spans = [(int(a["queue"]), int(a["queues"])) for a in agents]
        self.agent_queues: list[tuple[int, ...]] = [
            tuple(network.agent_queues[f : f + n].tolist()) for f, n in spans
        ]
        self.agent_lines = [
            (*queues, self.n_queues + a) if self.same_agent else queues
            for a, queues in enumerate(self.agent_queues)
        ]
        self.capacities: list[int] = agents["capacity"].tolist()
        self.shared = [bool(s) for s in agents["shared"]]
        self.clocks: list[int] = agents["clock"].tolist()
        self.present = [bool(p) for p in agents["present"]]
        self.line_clocks = [tuple(sorted({self.clocks[a] for a in team})) for team in self.line_agents]
        self.clock_lines = [
            sorted({line for a, c in enumerate(self.clocks) if c == clock for line in self.agent_lines[a]})
            for clock in range(len(network.clocks))
        ]
        rules = network.queues["rule"].tolist()
        self.rules = [*rules, *(rules[q[0]] if q else 0 for q in self.agent_queues if self.same_agent)]
        self.averaged = Rule.AVERAGE in self.rules


class Columns(Shared):
    """Orders, each field a list."""

    __slots__ = (
        "cls",
        "curves",
        "due",
        "early",
        "importance",
        "lost",
        "material",
        "points",
        "release",
        "rule",
        "ruled",
        "segment",
        "value",
    )

    def __init__(self, orders: Orders) -> None:
        table = orders.table
        self.release = table["release_s"].tolist()
        self.value = table["value"].tolist()
        self.early = table["early_s"].tolist()
        self.due = table["due_s"].tolist()
        self.lost = table["lost_s"].tolist()
        self.importance = table["importance"].tolist()
        self.rule = table["rule"].tolist()
        self.cls = table["cls"].tolist()
        self.segment = table["segment"].tolist()
        self.ruled: list[list[int]] = [] if orders.ruled is None else orders.ruled.tolist()
        self.curves = None if orders.curves is None else orders.curves.tolist()
        self.points = None if orders.points is None else [points_at(orders, i) for i in range(len(orders))]
        self.material: list[list[float]] | None = None
        if orders.material is not None:
            self.material = orders.material.tolist()

    def material_of(self, order: int, task: TaskFrame) -> float:
        """When what an order's task needs is there; minus infinity if it waits for nothing."""
        return -inf if self.material is None else self.material[order][task.number]


@lru_cache(maxsize=8)
def frame_of(network: Network) -> Frame:
    """The frame of a network; the last ones are kept, for replications."""
    return Frame(network)


@lru_cache(maxsize=2)
def columns_of(orders: Orders) -> Columns:
    """The columns of orders; the last ones are kept, for replications."""
    return Columns(orders)
