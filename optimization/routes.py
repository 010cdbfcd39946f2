"""What an order still has to do: its steps, each after others.

The paper leaves XOR and loops open. Here every order walks at random to its end many times, from where it
stands and with all that its gateways look at. Planned is one of its walks: the one whose tasks are nearest to
those that are likelier done than not, so that its branches go together and its tasks are in an order that
can be. A task is planned once, with as much work as is expected of it on all ways, how often it may be done
again or left out: so agents have as much to do as is to be expected. Once a gateway has chosen, the order
stands elsewhere, and the next plan knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np

from metagraph.blocks import Parallel, inclusive_blocks
from metagraph.expressions import parse
from metagraph.model import Metagraph
from metagraph.nodes import Task
from metagraph.orders import Order
from metagraph.parse_blocks import parse_blocks
from metagraph.state import OpenOrder, Position, awaited
from optimization.token_net import END, TASK, Ints, Kind, TokenNet
from optimization.walks import Standing, Walks, walk
from optimization.ways import Execution, executions, predecessors
from optimization.work import Expected

WALKS = 20_000
"""Of all orders together, as far as that is neither too few nor too many for each kind of standing."""
_FEWEST, _MOST = 100, 1000
_TOLD = 5
"""Activities that a note names."""
_LEAST_H = 0.05
"""Work that a note names."""


@dataclass(frozen=True, slots=True)
class Step:
    """One task that is planned."""

    task: Task
    preds: tuple[int, ...]
    """Steps that must be over before; indices into the route, lower than its own."""
    visits: float = 1.0
    """How often it is expected to be done from now on, below 1 for what may be left out: its work is so many
    times that of one. Where the order stands at it, 1 for this time and what is expected of it later."""
    after: str = ""
    """The activity completed last before it, as far as can be told."""
    position: Position | None = None
    """Where the order stands at it now; None: it isn't there yet."""


@dataclass(frozen=True, slots=True)
class Route:
    """The steps of one order. One task may have two: where the order stands at it now, and later again."""

    steps: tuple[Step, ...]
    expected: Mapping[str, float] = field(default_factory=dict)
    """Per task that may be done: expected executions from now on, planned or not."""


@dataclass(frozen=True, slots=True)
class Routes:
    """Of all orders, as they were given."""

    routes: tuple[Route, ...]
    notes: tuple[str, ...] = ()
    """What was assumed, in words."""


def routes_of(
    metagraph: Metagraph,
    standing: Sequence[tuple[Order, OpenOrder | None]],
    *,
    seed: int = 0,
    variant: int = 0,
    walks: int | None = None,
) -> Routes:
    """What is left to do: from the positions of open orders, or from the start.

    `variant` 0: the walk of each order that stands for its others; 1, 2, ...: one drawn for each order, as it
    is. `walks`: from each kind of standing; None: fewer where there are many of them. Nothing else of the
    other orders changes what is found for one. Raises DataError for gateways without weights.
    """
    return _Router(metagraph, seed).routes(standing, variant, walks)


class _Router:
    def __init__(self, metagraph: Metagraph, seed: int) -> None:
        self._graph = metagraph
        self._net = TokenNet(metagraph)
        self._seed = seed
        self._expected = Expected()
        tasks = [i for i, kind in enumerate(self._net.kind) if kind == TASK]
        self._tasks = np.array(tasks, np.int64)
        self._rules = [
            [parse(rule.when, f"rule {i} of gateway {table.node!r}") for i, rule in enumerate(table.rules, 1)]
            for table in self._net.routing
        ]
        inclusive = any(gateway.kind == "or_split" for gateway in metagraph.gateways())
        self._inclusive: tuple[Parallel, ...] = (
            tuple(inclusive_blocks(parse_blocks(metagraph))) if inclusive else ()
        )

    def routes(
        self, standing: Sequence[tuple[Order, OpenOrder | None]], variant: int, walks: int | None
    ) -> Routes:
        places = [self._standing(order, found) for order, found in standing]
        kinds = list(dict.fromkeys(places))
        walked: dict[Standing, Walks] = {}
        if self._net.routing and kinds:
            n = walks or min(max(WALKS // len(kinds), _FEWEST), _MOST)
            seeds = [_digest(self._seed, kind) for kind in kinds]
            walked = dict(zip(kinds, walk(self._net, self._sojourns(), kinds, seeds, n), strict=True))
        chosen = {kind: representative(made.counts[:, self._tasks]) for kind, made in walked.items()}
        routes = []
        for (order, found), place in zip(standing, places, strict=True):
            mine = walked.get(place)
            number = chosen.get(place, 0)
            if variant and mine is not None:
                number = _digest(variant, order.id) % len(mine.counts)
            routes.append(self._route(found, place, mine, number, drawn=variant > 0))
        return Routes(tuple(routes), self._notes(routes, walked))

    def _standing(self, order: Order, found: OpenOrder | None) -> Standing:
        """Where an order stands; nothing else of it may change its walks."""
        net = self._net
        asked = [
            next((str(i) for i, rule in enumerate(rules, 1) if rule.meets(order)), "")
            for rules in self._rules
        ]
        kind = Kind(*self._named(order), tuple(asked))
        visits, merged = [0] * len(net.routing), [0] * net.merges
        if found is None:
            return Standing((net.start,), kind, 0, tuple(visits), tuple(merged), False)
        places = tuple(net.index[position.node] for position in found.positions)
        for i, table in enumerate(net.routing):
            visits[i] = found.visits.get(table.node, 0)
        for place in places:
            if net.gateway[place] >= 0:
                visits[net.gateway[place]] = max(visits[net.gateway[place]] - 1, 0)
        for name, n in {**found.merged, **awaited(self._inclusive, found)}.items():
            if name in net.index and net.merge[net.index[name]] >= 0:
                merged[net.merge[net.index[name]]] = n
        history = net.history(found.history)
        moving = any(net.kind[place] not in (TASK, END) for place in places)
        return Standing(places, kind, history, tuple(visits), tuple(merged), moving)

    def _named(self, order: Order) -> tuple[str, str]:
        """Class and segment, as far as routing looks at them."""
        levels = [level for table in self._net.routing for level in table.levels]
        return (
            order.cls if any(level.cls for level in levels) else "",
            order.segment if any(level.segment for level in levels) else "",
        )

    def _sojourns(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """[node] mean seconds from enabled to end, as far as they were observed."""
        found = np.zeros(len(self._net.nodes))
        for i in self._tasks.tolist():
            task = self._net.nodes[i]
            assert isinstance(task, Task)
            found[i] = self._expected.mean(task.durations.default.law)
            if task.delay is not None:
                found[i] += self._expected.mean(task.delay.default.law)
            if task.waits is not None:
                found[i] = task.waits.whole_s
        return np.maximum(found, 1e-3)

    def _route(
        self, found: OpenOrder | None, place: Standing, walks: Walks | None, number: int, *, drawn: bool
    ) -> Route:
        after = [position.after for position in found.positions] if found is not None else [""]
        choices = walks.choices(number) if walks is not None else {}
        made = executions(self._net, list(zip(place.places, after, strict=True)), place.merged, choices)
        first = _first(made)
        counts = _counts(self._net, made) if walks is None else walks.counts
        mine = counts[[number]] if drawn and walks is not None else counts
        steps = []
        for execution, preds in zip(first, predecessors(made, first), strict=True):
            one = made[execution]
            task = self._net.nodes[one.node]
            assert isinstance(task, Task)
            position = found.positions[one.place] if found is not None and one.place is not None else None
            visits = _visits(one, [made[i] for i in first], mine[:, one.node])
            steps.append(Step(task, preds, visits, one.after, position))
        means = counts.mean(axis=0)
        expected = {self._net.nodes[i].id: float(means[i]) for i in self._tasks.tolist() if means[i] > 0}
        return Route(tuple(steps), expected)

    def _notes(self, routes: Sequence[Route], walked: Mapping[Standing, Walks]) -> tuple[str, ...]:
        notes = []
        cut = sum(walks.cut for walks in walked.values())
        if cut:
            notes.append(
                f"{cut} of {sum(len(walks.counts) for walks in walked.values())} walks through the process "
                "were broken off in loops that are hardly ever left: what they would do isn't expected"
            )
        tasks = {task.id: task for task in self._graph.tasks()}
        planned: dict[str, float] = {}
        expected: dict[str, float] = {}
        for route in routes:
            for step in route.steps:
                planned[step.task.id] = planned.get(step.task.id, 0.0) + step.visits
            for task, n in route.expected.items():
                expected[task] = expected.get(task, 0.0) + n
        if walked:
            notes += _told(tasks, planned, expected, self._expected)
        return tuple(notes)


def representative(counts: Ints) -> int:
    """Which walk [walk, task: executions] stands for the others.

    Each task that is likelier done than not and isn't, or the other way round, counts by how sure that is;
    tasks that are always done together count as one. Among equals the nearest in how often tasks are done.
    """
    seen = np.unique(counts > 0, axis=1)
    share = seen.mean(axis=0)
    cost = np.where(seen, 1.0 - share, share).sum(axis=1)
    equal = np.flatnonzero(cost <= cost.min() + 1e-9)
    kinds, at = np.unique(counts[equal], axis=0, return_index=True)
    apart = [np.abs(counts - one).sum(axis=1).mean() for one in kinds[:_MOST_KINDS]]
    best = min(range(len(apart)), key=lambda i: (round(float(apart[i]), 9), int(at[i])))
    return int(equal[at[best]])


_MOST_KINDS = 50


def _first(made: Sequence[Execution]) -> list[int]:
    """The executions that steps stand for: those under way, and the first one later of each task."""
    later: dict[int, int] = {}
    for i, execution in enumerate(made):
        if execution.place is None:
            later.setdefault(execution.node, i)
    chosen = {*later.values()}
    return [i for i, execution in enumerate(made) if execution.place is not None or i in chosen]


def _counts(net: TokenNet, made: Sequence[Execution]) -> Ints:
    counts = np.zeros((1, len(net.nodes)), np.int64)
    for execution in made:
        counts[0, execution.node] += 1
    return counts


def _visits(step: Execution, steps: Sequence[Execution], counts: Ints) -> float:
    """Expected executions that a step stands for; `counts` of its task by walk."""
    same = [one for one in steps if one.node == step.node]
    standing = [one for one in same if one.place is not None]
    further = counts - len(standing)
    if step.place is None:
        return float(further.mean())
    if len(same) > len(standing) or step is not standing[0]:
        return 1.0
    return 1.0 + float(further.mean())


def _told(
    tasks: Mapping[str, Task], planned: Mapping[str, float], expected: Mapping[str, float], laws: Expected
) -> list[str]:
    """How much of the expected work isn't planned."""
    hours = {name: laws.mean(task.durations.default.law) / 3600 for name, task in tasks.items()}
    missing = {
        name: (n - planned.get(name, 0.0)) * hours[name]
        for name, n in expected.items()
        if (n - planned.get(name, 0.0)) * hours[name] >= _LEAST_H
    }
    whole = sum(n * hours[name] for name, n in expected.items())
    taken = sum(n * hours[name] for name, n in planned.items())
    note = (
        "where gateways are still to choose, the way is planned that stands best for all likely ones, each "
        f"task with its expected work: {taken:.1f} of the {whole:.1f} h that are expected on all ways"
    )
    if not missing:
        return [note]
    most = sorted(missing, key=lambda name: -missing[name])[:_TOLD]
    words = ", ".join(f"{tasks[name].label} {missing[name]:.1f} h" for name in most)
    return [f"{note}; left out as less likely: {words}{' and others' if len(missing) > _TOLD else ''}"]


def _digest(*parts: object) -> int:
    """A number that depends on nothing but these values."""
    return int.from_bytes(blake2b(repr(parts).encode(), digest_size=8).digest(), "big")
