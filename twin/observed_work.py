"""What executions of the past took of their agents' time, by the clocks of a twin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metagraph.agents import UNLIMITED
from metagraph.calendars import WorkClock
from metagraph.model import Metagraph

if TYPE_CHECKING:
    from datetime import datetime

    from calibration.spans import Spans
    from eventlogs.snapshot import Snapshot
    from simulation.program import Network

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
GRAIN_S = 1.0
"""Logs tell instants no finer."""


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """The agents of a twin in a log: their clocks, and what they worked on."""

    network: Network
    clocks: tuple[WorkClock | None, ...]
    """Per agent; None: always on. Usual hours where days are drawn."""
    rows: tuple[Ints, ...]
    """Per agent: rows of the log, by start."""
    start_s: Floats
    end_s: Floats
    """Of the log's rows; what still runs ends with the log."""
    pauses: Callable[[int], Sequence[tuple[float, float]]]
    """Of a row."""
    earliest_s: float
    """From when on clocks answer."""

    def by_clock(self, agent: int, row: int) -> float:
        """Working seconds of a row by an agent's clock, without pauses, whoever did it."""
        clock = self.clocks[agent]
        between = _wall if clock is None else clock.between
        start, end = float(self.start_s[row]), float(self.end_s[row])
        total = between(start, end) - sum(between(a, b) for a, b in self.pauses(row))
        return total if total > 0.0 else max(end - start, 0.0)

    def worked(self, agent: int, row: int) -> float:
        """Working seconds of a row by an agent's clock, without pauses and what others took of the time.

        One whose items share its time is divided among them; of more items than an agent can have in hand
        those begun last are worked on, as the others were interrupted. What lasted but lies off shift counts
        in wall-clock time.
        """
        start, end = float(self.start_s[row]), float(self.end_s[row])
        wall_s = end - start
        if agent < 0:
            return max(wall_s - sum(b - a for a, b in self.pauses(row)), 0.0)
        clock, record = self.clocks[agent], self.network.agents[agent]
        between = _wall if clock is None else clock.between
        shared, capacity = bool(record["shared"]), int(record["capacity"])
        total = 0.0
        for a, b, later, all_ in self._pieces(agent, row):
            share = 1.0 / all_ if shared else float(later < capacity)
            total += share * between(a, b) if share else 0.0
        total -= sum(between(a, b) for a, b in self.pauses(row))
        return total if total > 0.0 else max(wall_s, 0.0)

    def _pieces(self, agent: int, row: int) -> list[tuple[float, float, int, int]]:
        """The row's time in pieces: from, to, items begun later that are in hand, and all items in hand."""
        start, end = float(self.start_s[row]), float(self.end_s[row])
        mine = self.rows[agent]
        rank = int(np.flatnonzero(mine == row)[0])
        others = np.flatnonzero((self.start_s[mine] < end) & (self.end_s[mine] > start))
        others = others[others != rank]
        if not len(others):
            return [(start, end, 0, 1)]
        s, e = self.start_s[mine[others]], self.end_s[mine[others]]
        cuts = np.unique(np.clip(np.concatenate([[start, end], s, e]), start, end))
        inside = (s[:, None] <= cuts[None, :-1]) & (e[:, None] >= cuts[None, 1:])
        later = inside[others > rank].sum(axis=0)
        every = inside.sum(axis=0) + 1
        return list(zip(cuts[:-1].tolist(), cuts[1:].tolist(), later.tolist(), every.tolist(), strict=True))

    def free(self, agents: Sequence[int], from_s: float, to_s: float) -> Spans:
        """When at least one of these agents was on shift with a hand free, between two instants."""
        from calibration.spans import Spans, spans_where, union, without

        found = []
        for agent in agents:
            mine = self.rows[agent]
            mine = mine[(self.end_s[mine] > from_s) & (self.start_s[mine] < to_s)]
            mine = mine[self.end_s[mine] > self.start_s[mine]]
            times = np.concatenate([self.start_s[mine], self.end_s[mine]])
            steps = np.repeat([1, -1], len(mine))
            order = np.argsort(times, kind="stable")
            capacity = int(self.network.agents["capacity"][agent])
            on = self._on(agent, from_s, to_s)
            if capacity >= UNLIMITED or not len(mine):
                found.append(on)
                continue
            full = spans_where(times[order], np.cumsum(steps[order]) >= capacity)
            found.append(without(on, full).longer_than(GRAIN_S))
        return union(found) if found else Spans(np.empty(0), np.empty(0))

    def _on(self, agent: int, from_s: float, to_s: float) -> Spans:
        from calibration.spans import Spans

        clock = self.clocks[agent]
        starts: list[float] = []
        ends: list[float] = []
        t = from_s
        while t < to_s:
            begin = t if clock is None else clock.next_on(t)
            if begin >= to_s:
                break
            stop = to_s if clock is None else min(clock.on_until(begin), to_s)
            if ends and ends[-1] == begin:
                ends[-1] = stop
            else:
                starts.append(begin)
                ends.append(stop)
            t = stop
        return Spans(np.array(starts), np.array(ends))


def _wall(t0: float, t1: float) -> float:
    return t1 - t0


def people(
    metagraph: Metagraph, network: Network, log: Snapshot, origin: datetime, earliest_s: float
) -> People:
    """The twin's agents in a log that has its words; nothing is asked of clocks before `earliest_s`."""
    from simulation.streams import Stream

    calendars = {calendar.id: calendar for calendar in metagraph.calendars}
    plans = [network.clocks[number] for number in network.agents["clock"].tolist()]
    clocks: list[WorkClock | None] = []
    for agent, plan in zip(metagraph.agents, plans, strict=True):
        if plan is None:
            clocks.append(None)
        elif calendars[agent.calendar].shifts:
            clocks.append(WorkClock(calendars[agent.calendar], origin, earliest_s=earliest_s))
        else:
            clocks.append(plan.clock(Stream(0), inf))
    end_s = np.where(np.isnan(log.end_s), log.until_s, log.end_s)
    numbers = {name: i for i, name in enumerate(network.agent_ids)}
    of_resource = np.array([*(numbers.get(name, -1) for name in log.resources), -1], np.int64)
    agent_of = of_resource[log.resource]
    rows = []
    for number in range(len(network.agents)):
        mine = np.flatnonzero((agent_of == number) & (end_s > earliest_s))
        rows.append(mine[np.lexsort((mine, log.start_s[mine]))])
    begins = np.searchsorted(log.pauses.row, np.arange(log.n_events + 1))

    def pauses(row: int) -> Sequence[tuple[float, float]]:
        part = slice(begins[row], begins[row + 1])
        return list(zip(log.pauses.start_s[part].tolist(), log.pauses.end_s[part].tolist(), strict=True))

    start_s = np.maximum(log.start_s, earliest_s)
    return People(network, tuple(clocks), tuple(rows), start_s, end_s, pauses, earliest_s)
