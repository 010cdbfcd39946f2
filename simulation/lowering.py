"""How a metagraph becomes a Network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import accumulate

from metagraph.agents import Agent, Queue
from metagraph.calendars import WorkClock
from metagraph.distributions import Fitted
from metagraph.errors import DataError, UsageError
from metagraph.model import Metagraph
from metagraph.nodes import End, Gateway, Node, Start, Task
from metagraph.paces import PaceClock
from metagraph.routing import MAX_VISIT, Routing
from metagraph.rules import RULES
from simulation.network import PADDING, Kind, Network, Pool, Route, RouteLevel, Work
from simulation.tables import Table, tabulate

_KINDS = {
    "xor_split": Kind.ROUTE,
    "loop_end": Kind.ROUTE,
    "and_split": Kind.SPLIT,
    "and_merge": Kind.MERGE,
    "xor_merge": Kind.PASS,
    "loop_start": Kind.PASS,
}

_last: tuple[Metagraph, tuple[object, ...], Network] | None = None


def network_of(metagraph: Metagraph, origin: datetime, policy: str, earliest_s: float) -> Network:
    """The metagraph lowered; the last one is kept, for replications that differ in their orders only."""
    global _last  # noqa: PLW0603
    key = (origin, policy, earliest_s)
    if _last is None or _last[0] is not metagraph or _last[1] != key:
        _last = (metagraph, key, _Lowering(metagraph).network(origin, policy, earliest_s))
    return _last[2]


class _Lowering:
    """The dictionaries that lowering needs: names to indices and codes."""

    def __init__(self, metagraph: Metagraph) -> None:
        self.graph = metagraph
        self.nodes = {node.id: i for i, node in enumerate(metagraph.nodes)}
        self.agents = {agent.id: i for i, agent in enumerate(metagraph.agents)}
        self.queues = {queue.id: i for i, queue in enumerate(metagraph.queues)}
        self.labels = {label: i for i, label in enumerate(dict.fromkeys(t.label for t in metagraph.tasks()))}
        self.codes = {"": PADDING}
        self.classes = _codes(metagraph, "cls")
        self.segments = _codes(metagraph, "segment")
        for label in (*self.labels, *_known_histories(metagraph)):
            self.codes.setdefault(label, len(self.codes) + 1)

    def network(self, origin: datetime, policy: str, earliest_s: float) -> Network:
        graph = self.graph
        longest = max((level.history for r in graph.routing for level in r.levels), default=0)
        base = len(self.codes) + 1
        kinds = tuple(_kind(node) for node in graph.nodes)
        outgoing = graph.outgoing()
        routing = {r.node: r for r in graph.routing}
        pools = tuple(self._pool(queue, policy) for queue in graph.queues)
        agent_queues = tuple(
            tuple(q for q, pool in enumerate(pools) if a in pool.agents) for a in range(len(graph.agents))
        )
        _check_rules(graph, pools, agent_queues)
        clocks = _clocks(graph, origin, earliest_s)
        paces = {pace.id: PaceClock(pace, origin) for pace in graph.paces}
        starts = [i for i, node in enumerate(graph.nodes) if isinstance(node, Start)]
        if len(starts) != 1:
            raise DataError(f"the process {graph.name!r} has {len(starts)} start nodes: it needs one")
        return Network(
            node_ids=tuple(node.id for node in graph.nodes),
            kinds=kinds,
            targets=tuple(
                self._targets(node, routing.get(node.id), [f.target for f in outgoing[node.id]])
                for node in graph.nodes
            ),
            needs=tuple(sum(f.target == node.id for f in graph.flows) for node in graph.nodes),
            routes=tuple(
                self._route(node, routing, base) if kind == Kind.ROUTE else None
                for node, kind in zip(graph.nodes, kinds, strict=True)
            ),
            works=tuple(self._work(node, paces) if isinstance(node, Task) else None for node in graph.nodes),
            start=starts[0],
            labels=tuple(self.labels),
            codes=self.codes,
            base=base,
            span=base ** max(longest, 1),
            classes=self.classes,
            segments=self.segments,
            queue_ids=tuple(queue.id for queue in graph.queues),
            pools=pools,
            agent_ids=tuple(agent.id for agent in graph.agents),
            capacities=tuple(_capacity(agent) for agent in graph.agents),
            agent_queues=agent_queues,
            agent_clocks=tuple(clocks[0][_calendar(graph, agent)] for agent in graph.agents),
            clocks=clocks[1],
            profit=graph.orders.profit,
        )

    def _targets(self, node: Node, routing: Routing | None, targets: Sequence[str]) -> tuple[int, ...]:
        if routing is not None and _kind(node) == Kind.ROUTE:
            ends = {flow.id: flow.target for flow in self.graph.flows}
            missing = [flow for flow in routing.flows if flow not in ends]
            if missing:
                raise DataError(f"the routing of gateway {node.id!r} names an unknown flow {missing[0]!r}")
            targets = [ends[flow] for flow in routing.flows]
        if not targets and not isinstance(node, End):
            raise DataError(f"node {node.id!r} has no outgoing flow: orders would stop there")
        return tuple(self.nodes[target] for target in targets)

    def _route(self, node: Node, routing: dict[str, Routing], base: int) -> Route:
        if node.id not in routing:
            raise DataError(f"gateway {node.id!r} has no routing: say how often each of its flows is taken")
        table = routing[node.id]
        rows: list[dict[int, tuple[float, ...]]] = [{} for _ in table.levels]
        overall = None
        for row in table.rows:
            weights = _cumulative(row.weights, f"gateway {node.id!r}")
            if len(weights) != len(table.flows):
                raise DataError(
                    f"gateway {node.id!r} has {len(table.flows)} flows but {len(weights)} weights"
                )
            rows[row.level][self._row_key(table, row.level, row.key, base)] = weights
            overall = weights if not row.key else overall
        if overall is None:
            raise DataError(f"gateway {node.id!r} has no weights that hold without context")
        levels = [
            RouteLevel(level.cls, level.segment, level.visit, base**level.history, found)
            for level, found in zip(table.levels, rows, strict=True)
        ]
        return Route((*levels, RouteLevel(False, False, False, 1, {0: overall})))

    def _row_key(self, table: Routing, index: int, key: tuple[str, ...], base: int) -> int:
        """`network.context_key` of a row that is given in words."""
        level, parts = table.levels[index], list(key)
        code, history = 0, 0
        if level.cls:
            code = self.classes[parts.pop(0)] + 1
        if level.segment:
            code = code << 24 | self.segments[parts.pop(0)] + 1
        if level.visit:
            code = code << 4 | min(int(parts.pop(0)), MAX_VISIT)
        for label in parts:
            history = history * base + self.codes[label]
        span: int = base**level.history
        return code * span + history

    def _work(self, task: Task, paces: Mapping[str, PaceClock]) -> Work:
        unknown = [q for q in task.queues if q not in self.queues]
        if unknown:
            raise DataError(
                f"task {task.id!r} names the queue {unknown[0]!r}, which the process doesn't have"
            )
        durations = {
            (
                -1 if row.cls is None else self.classes[row.cls],
                -1 if row.segment is None else self.segments[row.segment],
                -1 if row.agent is None else self.agents.get(row.agent, -2),
            ): _time(row.fitted, task)
            for row in task.durations.rows
        }
        if (-1, -1, -1) not in durations:
            raise DataError(f"task {task.id!r} has no duration that holds for all orders and agents")
        return Work(
            label=self.codes[task.label],
            row=self.labels[task.label],
            queues=tuple(self.queues[q] for q in task.queues),
            durations=durations,
            delay=None if task.delay is None else _time(task.delay.default, task),
            delay_after={}
            if task.delay is None
            else {self.codes[label]: _time(fitted, task) for label, fitted in task.delay.after.items()},
            pace=None if task.delay is None or task.delay.pace is None else paces[task.delay.pace],
        )

    def _pool(self, queue: Queue, policy: str) -> Pool:
        rule = queue.priority if policy == "FIFO" else policy
        if rule not in RULES:
            raise UsageError(f"the priority rule {rule!r} is unknown: take one of {', '.join(RULES)}")
        unknown = [agent for agent in queue.agents if agent not in self.agents]
        if unknown or not queue.agents:
            who = (
                f"names the agent {unknown[0]!r}, whom the process doesn't have"
                if unknown
                else "has no agents"
            )
            raise DataError(f"queue {queue.id!r} {who}: its work would never be done")
        weights = queue.weights if any(queue.weights) else (1.0,) * len(queue.agents)
        if len(weights) != len(queue.agents):
            raise DataError(f"queue {queue.id!r} has {len(queue.agents)} agents but {len(weights)} weights")
        return Pool(
            agents=tuple(self.agents[agent] for agent in queue.agents),
            cumulative=_cumulative(weights, f"queue {queue.id!r}"),
            weights=tuple(weights),
            rule=rule,
        )


def _time(fitted: Fitted, task: Task) -> Table:
    table = tabulate(fitted.law)
    if not table.xs[0] >= 0.0:
        raise DataError(f"task {task.id!r} has a time of {table.xs[0]:g} s: durations and delays start at 0")
    return table


def _kind(node: Node) -> Kind:
    if isinstance(node, Gateway):
        return _KINDS[node.kind]
    return Kind.TASK if isinstance(node, Task) else Kind.END if isinstance(node, End) else Kind.PASS


def _codes(metagraph: Metagraph, part: str) -> dict[str, int]:
    """Codes of the classes (or segments) that a duration or a routing row names; others are all alike."""
    names: dict[str, None] = {}
    for task in metagraph.tasks():
        names |= dict.fromkeys(
            n for n in (getattr(row, part) for row in task.durations.rows) if n is not None
        )
    for routing in metagraph.routing:
        for row in routing.rows:
            level = routing.levels[row.level]
            if getattr(level, part):
                names[row.key[1 if part == "segment" and level.cls else 0]] = None
    return {name: i + 1 for i, name in enumerate(names)}


def _known_histories(metagraph: Metagraph) -> Iterable[str]:
    for task in metagraph.tasks():
        yield from task.delay.after if task.delay else ()
    for routing in metagraph.routing:
        for row in routing.rows:
            history = routing.levels[row.level].history
            yield from row.key[-history:] if history else ()


def _cumulative(weights: Sequence[float], where: str) -> tuple[float, ...]:
    """Running sums over their total; infinite from the last positive weight on, so that rounding never
    reaches a flow of weight 0."""
    total = sum(weights)
    if not total > 0 or min(weights) < 0:
        raise DataError(
            f"{where} has the weights {tuple(weights)}: they must be positive somewhere, negative nowhere"
        )
    last = max(i for i, w in enumerate(weights) if w > 0)
    sums = [value / total for value in accumulate(weights)]
    return (*sums[:last], *(float("inf") for _ in sums[last:]))


def _capacity(agent: Agent) -> int:
    if agent.sharing == "shared" and agent.capacity > 1:
        raise UsageError(
            f"agent {agent.id!r} shares its time among {agent.capacity} items, which this engine doesn't do: "
            "set its sharing to 'parallel' or its capacity to 1"
        )
    return agent.capacity


def _calendar(graph: Metagraph, agent: Agent) -> str:
    if agent.calendar not in {calendar.id for calendar in graph.calendars}:
        raise DataError(
            f"agent {agent.id!r} has the calendar {agent.calendar!r}, which the process doesn't have"
        )
    return agent.calendar


def _clocks(
    graph: Metagraph, origin: datetime, earliest_s: float
) -> tuple[dict[str, int], tuple[WorkClock | None, ...]]:
    index = {calendar.id: i for i, calendar in enumerate(graph.calendars)}
    return index, tuple(
        None if c.always_open else WorkClock(c, origin, earliest_s=earliest_s) for c in graph.calendars
    )


def _check_rules(graph: Metagraph, pools: Sequence[Pool], agent_queues: Sequence[Sequence[int]]) -> None:
    for agent, queues in zip(graph.agents, agent_queues, strict=True):
        rules = sorted({pools[q].rule for q in queues})
        if len(rules) > 1:
            raise UsageError(
                f"agent {agent.id!r} serves queues with the rules {' and '.join(rules)}, between which "
                "nothing decides: give its queues one rule"
            )
