"""Nodes, flows, routing tables and laws of a metagraph as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, count, product

import numpy as np

from metagraph.blocks import Parallel, inclusive_blocks
from metagraph.errors import DataError
from metagraph.model import Metagraph
from metagraph.nodes import DelayTable, DurationTable, End, Gateway, Node, Start, Task
from metagraph.parse_blocks import parse_blocks
from metagraph.routing import MAX_VISIT, Level
from simulation.lowering_laws import Laws
from simulation.lowering_names import Names
from simulation.program import LEVEL, NODE, ROW, Floats, Ints, Kind, Records

_KINDS = {
    "xor_split": Kind.ROUTE,
    "loop_end": Kind.ROUTE,
    "and_split": Kind.SPLIT,
    "and_merge": Kind.MERGE,
    "xor_merge": Kind.PASS,
    "loop_start": Kind.PASS,
    "or_split": Kind.SOME,
    "or_merge": Kind.JOIN,
}
_LONGEST = 2**62
_MOST_LAWS = 50_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """What lowering finds of the nodes; fields as in Network."""

    start: int
    span: int
    visits: int
    merges: int
    tasks: int
    ruled: int
    nodes: Records
    targets: Ints
    outcomes: Ints
    task_queues: Ints
    durations: Ints
    delays: Ints
    levels: Records
    rows: Records
    cumulative: Floats
    eta_errors: Mapping[int, int]
    """Node -> number of the law."""


def cumulative(weights: Sequence[float], where: str) -> list[float]:
    """Running sums over their total; infinite from the last positive weight on, so that rounding never
    reaches a flow of weight 0."""
    total = sum(weights)
    if not total > 0 or min(weights) < 0:
        raise DataError(
            f"{where} has the weights {tuple(weights)}: they must be positive somewhere, negative nowhere"
        )
    last = max(i for i, w in enumerate(weights) if w > 0)
    sums = [value / total for value in accumulate(weights)]
    return sums[:last] + [float("inf")] * (len(sums) - last)


def inclusive_of(metagraph: Metagraph) -> tuple[Parallel, ...]:
    """The process's OR blocks. Raises DataError where they aren't nested blocks."""
    if not any(gateway.kind == "or_split" for gateway in metagraph.gateways()):
        return ()
    return tuple(inclusive_blocks(parse_blocks(metagraph)))


def lower_nodes(metagraph: Metagraph, names: Names, laws: Laws) -> Nodes:
    """All that a network has of nodes. Raises DataError for what can't be run."""
    return _Lowering(metagraph, names, laws).nodes()


class _Lowering:
    """The arrays while they grow."""

    def __init__(self, metagraph: Metagraph, names: Names, laws: Laws) -> None:
        self.graph = metagraph
        self.names = names
        self.laws = laws
        self.joins = {block.split: block.merge for block in inclusive_of(metagraph)}
        self.routing = {r.node: r for r in metagraph.routing}
        self.paces = {pace.id: i for i, pace in enumerate(metagraph.paces)}
        self.targets: list[int] = []
        self.outcomes: list[int] = []
        self.task_queues: list[int] = []
        self.durations: list[int] = []
        self.delays: list[int] = []
        self.levels: list[tuple[int, int, int, int, int, int, int]] = []
        self.rows: list[tuple[int, int, int]] = []
        self.cumulative: list[float] = []

    def nodes(self) -> Nodes:
        graph = self.graph
        starts = [i for i, node in enumerate(graph.nodes) if isinstance(node, Start)]
        if len(starts) != 1:
            raise DataError(f"the process {graph.name!r} has {len(starts)} start nodes: it needs one")
        span = self._span()
        records = self._records()
        return Nodes(
            start=starts[0],
            span=span,
            visits=int(records["visit"].max(initial=-1)) + 1,
            merges=int(records["merge"].max(initial=-1)) + 1,
            tasks=int(records["task"].max(initial=-1)) + 1,
            ruled=int(records["ruled"].max(initial=-1)) + 1,
            nodes=records,
            targets=np.array(self.targets, np.int32),
            outcomes=np.array(self.outcomes, np.int32),
            task_queues=np.array(self.task_queues, np.int32),
            durations=np.array(self.durations, np.int32),
            delays=np.array(self.delays, np.int32),
            levels=np.array(self.levels, LEVEL),
            rows=np.array(self.rows, ROW),
            cumulative=np.array(self.cumulative, np.float64),
            eta_errors={
                i: self.laws.number(node.eta_error)
                for i, node in enumerate(graph.nodes)
                if isinstance(node, Task) and node.eta_error is not None
            },
        )

    def _span(self) -> int:
        """How many histories are told apart."""
        base = self.names.base
        longest = max((level.history for r in self.graph.routing for level in r.levels), default=0)
        span: int = base ** max(longest, 1)
        if span > _LONGEST:
            raise DataError(
                f"the routing looks at the last {longest} of {base - 2} activities, which are too many "
                "histories to tell apart: shorten those of its levels"
            )
        return span

    def _records(self) -> Records:
        """NODE of each; the lists grow."""
        graph = self.graph
        records = np.zeros(len(graph.nodes), NODE)
        for name in ("visit", "merge", "task", "label", "delay", "pace", "batch", "ruled"):
            records[name] = -1
        visits, merges, tasks, ruled = count(), count(), count(), count()
        outgoing, incoming = graph.outgoing(), _incoming(graph)
        for record, node in zip(records, graph.nodes, strict=True):
            kind = record["kind"] = _kind(node)
            targets = self._targets(node, [flow.target for flow in outgoing[node.id]])
            record["target"], record["targets"] = len(self.targets), len(targets)
            self.targets += targets
            if kind in (Kind.ROUTE, Kind.TASK, Kind.SOME):
                record["visit"] = next(visits)
            if kind == Kind.MERGE:
                record["merge"], record["need"] = next(merges), incoming[node.id]
            if kind == Kind.JOIN:
                record["merge"] = next(merges)
            if kind == Kind.SOME:
                self._subsets(node, record)
            if kind in (Kind.ROUTE, Kind.SOME):
                self._route(node, record)
                if self.routing[node.id].rules:
                    record["ruled"] = next(ruled)
            if isinstance(node, Task):
                record["task"] = next(tasks)
                self._task(node, record)
        return records

    def _targets(self, node: Node, targets: list[str]) -> list[int]:
        routing = self.routing.get(node.id)
        if routing is not None and _kind(node) in (Kind.ROUTE, Kind.SOME):
            ends = {flow.id: flow.target for flow in self.graph.flows}
            missing = [flow for flow in routing.flows if flow not in ends]
            if missing:
                raise DataError(f"the routing of gateway {node.id!r} names an unknown flow {missing[0]!r}")
            targets = [ends[flow] for flow in routing.flows]
        if not targets and not isinstance(node, End):
            raise DataError(f"node {node.id!r} has no outgoing flow: orders would stop there")
        return [self.names.nodes[target] for target in targets]

    def _subsets(self, node: Node, record: np.void) -> None:
        """What an or_split can take together, and where it comes together again."""
        routing = self.routing.get(node.id)
        if routing is None or not routing.subsets:
            raise DataError(f"gateway {node.id!r} has no subsets: say which of its flows are taken together")
        record["outcome"], record["outcomes"] = len(self.outcomes), len(routing.subsets)
        self.outcomes += [
            sum(1 << i for i, flow in enumerate(routing.flows) if flow in subset)
            for subset in routing.subsets
        ]
        record["join"] = self.names.nodes[self.joins[node.id]]

    def _route(self, node: Node, record: np.void) -> None:
        if node.id not in self.routing:
            raise DataError(f"gateway {node.id!r} has no routing: say how often each of its flows is taken")
        table = self.routing[node.id]
        base = self.names.base
        found: list[dict[tuple[int, int], list[float]]] = [{} for _ in table.levels]
        overall = None
        for row in table.rows:
            weights = cumulative(row.weights, f"gateway {node.id!r}")
            wanted = len(table.outcomes())
            if len(weights) != wanted:
                raise DataError(f"gateway {node.id!r} has {wanted} ways on but {len(weights)} weights")
            found[row.level][self._row_key(table.levels[row.level], row.key)] = weights
            overall = weights if not row.key else overall
        if overall is None:
            raise DataError(f"gateway {node.id!r} has no weights that hold without context")
        record["level"], record["levels"] = len(self.levels), len(found) + 1
        for level, rows in zip((*table.levels, Level()), (*found, {(0, 0): overall}), strict=True):
            span = base**level.history
            asked = (level.cls, level.segment, level.visit, level.rule)
            self.levels.append((*asked, len(self.rows), len(rows), span))
            for (context, history), weights in sorted(rows.items()):
                self.rows.append((context, history, len(self.cumulative)))
                self.cumulative += weights

    def _row_key(self, level: Level, key: tuple[str, ...]) -> tuple[int, int]:
        """(context, history) of a row that is given in words."""
        parts = list(key)
        context, history = 0, 0
        if level.cls:
            context = self.names.classes[parts.pop(0)] + 1
        if level.segment:
            context = context << 24 | self.names.segments[parts.pop(0)] + 1
        if level.visit:
            context = context << 4 | min(int(parts.pop(0)), MAX_VISIT)
        if level.rule:
            context = context << 8 | int(parts.pop(0) or 0)
        for label in parts:
            history = history * self.names.base + self.names.codes[label]
        return context, history

    def _task(self, task: Task, record: np.void) -> None:
        unknown = [q for q in task.queues if q not in self.names.queues]
        if unknown:
            raise DataError(
                f"task {task.id!r} names the queue {unknown[0]!r}, which the process doesn't have"
            )
        record["code"] = self.names.codes[task.label]
        record["label"] = self.names.labels[task.label]
        record["queue"], record["queues"] = len(self.task_queues), len(task.queues)
        self.task_queues += [self.names.queues[q] for q in task.queues]
        record["preemptible"] = task.preemptible
        self._durations(task, task.durations, record)
        if task.delay is not None:
            self._delay(task, task.delay, record)

    def _delay(self, task: Task, table: DelayTable, record: np.void) -> None:
        """The law after each activity, as far as the table tells them apart."""
        record["delay"] = len(self.delays)
        default = self.laws.time(table.default, task)
        after = {self.names.codes[label]: self.laws.time(law, task) for label, law in table.after.items()}
        record["delay_after"] = bool(after)
        self.delays += [after.get(code, default) for code in range(self.names.base)] if after else [default]
        record["aged"] = table.since == "release"
        if table.pace is not None:
            if table.since == "release":
                raise DataError(
                    f"task {task.id!r} has a delay since the release at the pace {table.pace!r}: it runs by "
                    "the wall clock, so leave the pace out"
                )
            if table.pace not in self.paces:
                raise DataError(
                    f"task {task.id!r} has a delay at the pace {table.pace!r}, which the process doesn't have"
                )
            record["pace"] = self.paces[table.pace]

    def _durations(self, task: Task, table: DurationTable, record: np.void) -> None:
        """The law of each class, segment and agent, as far as the rows tell them apart."""
        rows = {(row.cls, row.segment, row.agent): self.laws.time(row.fitted, task) for row in table.rows}
        if (None, None, None) not in rows:
            raise DataError(f"task {task.id!r} has no duration that holds for all orders and agents")
        # Code 0 stands for the classes (segments, agents) that no row names.
        parts = (self.names.classes, self.names.segments, self.names.agents)
        axes = [
            (None, *part) if any(key[axis] is not None for key in rows) else (None,)
            for axis, part in enumerate(parts)
        ]
        n = len(axes[0]) * len(axes[1]) * len(axes[2])
        if len(self.durations) + n > _MOST_LAWS:
            raise DataError(
                f"task {task.id!r} tells {len(axes[0])} classes, {len(axes[1])} segments and {len(axes[2])} "
                "agents apart, which is too much: have fewer of them in its durations"
            )
        record["law"] = len(self.durations)
        record["law_agent"] = int(len(axes[2]) > 1)
        record["law_segment"] = len(axes[2]) * (len(axes[1]) > 1)
        record["law_cls"] = len(axes[1]) * len(axes[2]) * (len(axes[0]) > 1)
        self.durations += [_backed_off(rows, *key) for key in product(*axes)]


def _backed_off(
    rows: Mapping[tuple[str | None, str | None, str | None], int],
    cls: str | None,
    segment: str | None,
    agent: str | None,
) -> int:
    """The row that holds: agent before class before segment."""
    for a in (agent, None):
        for key in ((cls, segment, a), (cls, None, a), (None, segment, a), (None, None, a)):
            if key in rows:
                return rows[key]
    raise KeyError("no duration row that matches all orders and agents")


def _incoming(graph: Metagraph) -> dict[str, int]:
    counts = dict.fromkeys((node.id for node in graph.nodes), 0)
    for flow in graph.flows:
        counts[flow.target] += 1
    return counts


def _kind(node: Node) -> Kind:
    if isinstance(node, Gateway):
        return _KINDS[node.kind]
    return Kind.TASK if isinstance(node, Task) else Kind.END if isinstance(node, End) else Kind.PASS
