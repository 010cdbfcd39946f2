"""Executions of the past as a replay needs them: who did them, what they took, how long they were delayed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from discovery.replayed import MISFIT
from metagraph.model import Metagraph
from metagraph.orders import Order
from metagraph.state import State
from twin.observed_work import GRAIN_S, people
from twin.order_facts import order_of

if TYPE_CHECKING:
    from calibration.spans import Spans
    from discovery.replayed import Replayed
    from eventlogs.snapshot import Snapshot
    from simulation.tables import Table

_WEEK_S = 7 * 86400.0


@dataclass(frozen=True, slots=True, eq=False)
class Execution:
    """One execution of the past that a replay comes to."""

    order: str
    node: str
    visit: int
    agent: str
    """'': nobody known."""
    law: Table
    """Of the work of who did it."""
    work_s: float
    """NaN: not seen to end."""
    level: tuple[float, float]
    """P(X < work), P(X <= work) by the law."""
    delay: Table | None
    """The law of the delay before it."""
    delay_level: tuple[float, float]
    """The levels between which the delay was; equal: at that instant, as `delay_s` says."""
    delay_s: float
    """The delay where the log shows it, in its own time; NaN: it lies between the levels."""
    waited_s: float
    """From enabled to its start."""
    held_s: float
    """The part of it that is surely delay: somebody could have begun."""


class Reader:
    """Reads executions off a replayed part of a log."""

    def __init__(
        self, metagraph: Metagraph, words: Snapshot, part: Snapshot, replayed: Replayed, state: State
    ) -> None:
        self._metagraph, self._words, self._part = metagraph, words, part
        self._replayed, self._state = replayed, state
        names = frozenset(part.cases)
        mine = np.array([case in names for case in words.cases], np.bool_)
        self._rows = np.flatnonzero(mine[words.case_of_row()])
        """Of the part, in the whole log."""

    def new_orders(self, came: frozenset[str]) -> Iterator[Order]:
        """Those that came, in order."""
        part = self._part
        for i, case in enumerate(part.cases):
            if case in came:
                has = {
                    name: values[i] or "" for name, values in part.attributes.items() if values[i] is not None
                }
                first = float(part.start_s[part.offsets[i] : part.offsets[i + 1]].min())
                yield order_of(self._metagraph, case, has, first, part.origin)

    def begin(self, orders: tuple[Order, ...]) -> None:
        """Lower the process, for its laws and clocks."""
        from simulation.lowering import lower
        from simulation.lowering_orders import earliest_of

        program = lower(self._metagraph, orders, origin=self._part.origin, state=self._state)
        self._network = program.network
        table = program.orders.table
        self._kinds = dict(
            zip(
                program.orders.ids,
                zip(table["cls"].tolist(), table["segment"].tolist(), strict=True),
                strict=True,
            )
        )
        self._release = dict(zip(program.orders.ids, table["release_s"].tolist(), strict=True))
        # The plans of clocks answer from there on.
        earliest = min(earliest_of(self._state)[0], self._state.at_s // _WEEK_S * _WEEK_S)
        started = [p.started_s for o in self._state.orders for p in o.positions if p.started_s is not None]
        earliest = min([self._state.at_s, *started]) if earliest <= 0.0 else earliest
        self._people = people(self._metagraph, self._network, self._words, self._part.origin, earliest)
        self._frees: dict[tuple[int, ...], Spans] = {}
        self._paces = [plan.clock() for plan in self._network.paces]

    def executions(self, at_s: float) -> Iterator[Execution]:
        """Those that end after an instant, or haven't."""
        part, replayed, network = self._part, self._replayed, self._network
        nodes = {name: i for i, name in enumerate(network.node_ids)}
        agents = {name: i for i, name in enumerate(network.agent_ids)}
        case_of, visits = part.case_of_row(), _visits(part, replayed)
        for row in np.flatnonzero((replayed.task != MISFIT) & ~(part.end_s <= at_s)).tolist():
            order = part.cases[case_of[row]]
            if order not in self._kinds:
                continue
            node = nodes[replayed.tasks[replayed.task[row]]]
            who = int(part.resource[row])
            agent = agents.get(part.resources[who], -1) if who >= 0 else -1
            law = self._law(node, *self._kinds[order], agent)
            work_s = self._work(row, node, agent)
            delay, between, delay_s = self._delay(row, order, node)
            enabled = float(replayed.enabled_s[row])
            start = max(float(part.start_s[row]), enabled)
            yield Execution(
                order=order,
                node=network.node_ids[node],
                visit=int(visits[row]),
                agent=network.agent_ids[agent] if agent >= 0 else "",
                law=law,
                work_s=work_s,
                level=(_below(law, work_s), law.level(work_s)) if work_s == work_s else (0.0, 0.0),
                delay=delay,
                delay_level=between,
                delay_s=delay_s,
                waited_s=start - enabled,
                held_s=0.0 if delay is None else self._ready_from(node, enabled, start) - enabled,
            )

    def _law(self, node: int, cls: int, segment: int, agent: int) -> Table:
        n, network = self._network.nodes[node], self._network
        at = n["law"] + cls * n["law_cls"] + segment * n["law_segment"] + (agent + 1) * n["law_agent"]
        found: Table = network.tables[int(network.durations[at])]
        return found

    def _work(self, row: int, node: int, agent: int) -> float:
        """Seconds of work; NaN where the log doesn't tell: it goes on, or was done with others at once."""
        network, part = self._network, self._part
        batch = int(network.nodes["batch"][node])
        if np.isnan(part.end_s[row]) or (batch >= 0 and network.batches["simultaneous"][batch]):
            return float("nan")
        n = network.nodes[node]
        if n["queues"] == 0:
            agent = -1
        elif agent < 0:
            queue = network.queues[network.task_queues[n["queue"]]]
            agent = int(network.queue_agents[queue["agent"]])
            return self._people.by_clock(agent, int(self._rows[row]))
        return self._people.worked(agent, int(self._rows[row]))

    def _delay(self, row: int, order: str, node: int) -> tuple[Table | None, tuple[float, float], float]:
        """The law of the delay before a row, the levels between which it was, and itself if it shows."""
        network, part, replayed = self._network, self._part, self._replayed
        n = network.nodes[node]
        if n["delay"] < 0:
            return None, (0.0, 0.0), float("nan")
        before = int(replayed.previous[row])
        after = 0 if before < 0 else network.codes.get(part.activities[before], 1)
        law = network.tables[network.delays[n["delay"] + after * n["delay_after"]]]
        enabled = float(replayed.enabled_s[row])
        start = max(float(part.start_s[row]), enabled)
        low = self._ready_from(node, enabled, start)
        if n["aged"]:
            since = self._release[order]
            low_s, high_s = low - since, start - since
            if high_s <= 0.0 or start <= enabled:
                low_s, high_s = 0.0, max(high_s, 0.0)
        elif n["pace"] >= 0:
            pace = self._paces[n["pace"]]
            low_s, high_s = pace.between(enabled, low), pace.between(enabled, start)
        else:
            low_s, high_s = low - enabled, start - enabled
        if start - low <= GRAIN_S:
            return law, (law.level(high_s), law.level(high_s)), high_s
        return law, (law.level(max(low_s, 0.0)), law.level(high_s)), float("nan")

    def _ready_from(self, node: int, enabled: float, start: float) -> float:
        """The first instant at which an execution can have been ready: nobody took it before."""
        network, n = self._network, self._network.nodes[node]
        if n["batch"] >= 0:
            return enabled
        queues = network.task_queues[n["queue"] : n["queue"] + n["queues"]].tolist()
        if not queues or start <= enabled:
            return start
        team = sorted(
            {
                int(agent)
                for q in queues
                for agent in network.queue_agents[
                    network.queues["agent"][q] : network.queues["agent"][q] + network.queues["agents"][q]
                ]
            }
        )
        key = tuple(team)
        if key not in self._frees:
            self._frees[key] = self._people.free(team, self._people.earliest_s, self._words.until_s)
        return float(np.clip(self._frees[key].last_before(np.array([start]))[0], enabled, start))


def _visits(part: Snapshot, replayed: Replayed) -> NDArray[np.int64]:
    """Per row: the how-manieth time its case came to its task."""
    key = part.case_of_row() * (len(replayed.tasks) + 1) + replayed.task + 1
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    first = np.searchsorted(ordered, ordered, side="left")
    found = np.empty(len(key), np.int64)
    found[order] = np.arange(len(key)) - first + 1
    return found


def _below(law: Table, x: float) -> float:
    """P(X < x): less than P(X <= x) where the law has an atom."""
    from bisect import bisect_left

    i = bisect_left(law.xs, x)
    if i == len(law.xs):
        return 1.0
    return law.us[i] if law.xs[i] == x else law.level(x)
