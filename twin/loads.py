"""The load ahead: at each instant, the hours of work that stand before every agent and in every queue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from simulation.kept import Beside
from twin.outlook import FAN, Fan, LoadOutlook
from twin.sampling import quantiles

if TYPE_CHECKING:
    from simulation.clocks import Clock
    from simulation.program import Network
    from simulation.run import Run

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
N = TypeVar("N", Floats, Ints)


@dataclass(frozen=True, slots=True, eq=False)
class Load:
    """What stood before agents and in queues in one run: [agent or queue, instant]."""

    agent_h: Floats
    agent_waiting: Ints
    queue_h: Floats
    queue_waiting: Ints


def load_of(run: Run, t: Floats) -> Load:
    """The load at instants `t` (ascending, seconds), from a run's log, whatever order it is of.

    An execution is ahead from when it is ready until its end; its work is what its agent's clock counts from
    start to end, by the calendar: breakdowns and interruptions count as work.
    """
    network, log = run.program.network, run.executions
    served = np.flatnonzero(log.agent >= 0)
    agent, queue = log.agent[served].astype(np.int64), log.queue[served].astype(np.int64)
    start_s = log.start_s[served]
    end_s = np.where(np.isnan(log.end_s[served]), run.until_s, log.end_s[served])
    ready_s = np.minimum(log.ready_s[served], start_s)
    clock = network.agents["clock"][agent]
    worked = _worked.of(network)
    from_s, to_s = worked.at(clock, start_s), worked.at(clock, end_s)
    bins = tuple(np.searchsorted(t, instant, "left") for instant in (ready_s, start_s, end_s))
    now_s = worked.table(network.agents["clock"], t)
    agents, queues = len(network.agent_ids), len(network.queue_ids)
    # In a queue, what is under way is done by several clocks, so it is counted by agent first.
    pairs, pair = np.unique(agent * (queues + 1) + queue + 1, return_inverse=True)
    parts = _ahead(pair, len(pairs), bins, from_s, to_s, now_s[pairs // (queues + 1)], len(t))
    by_agent, by_queue = pairs // (queues + 1), pairs % (queues + 1)
    hours, waiting = parts
    return Load(
        _summed(hours, by_agent, agents),
        _summed(waiting, by_agent, agents),
        _summed(hours, by_queue, queues + 1)[1:],
        _summed(waiting, by_queue, queues + 1)[1:],
    )


def _ahead(
    group: Ints, n: int, bins: Sequence[Ints], from_s: Floats, to_s: Floats, now_s: Floats, instants: int
) -> tuple[Floats, Ints]:
    """Hours ahead and items waiting, [group, instant].

    A waiting item counts its whole work; one that is worked on what its clock has left, end minus now.
    """
    ready, start, end = bins
    whole = _running(group, n, ready, to_s - from_s, instants) - _running(
        group, n, start, to_s - from_s, instants
    )
    left = _running(group, n, start, to_s, instants) - _running(group, n, end, to_s, instants)
    ones = np.ones(len(group))
    begun = _running(group, n, start, ones, instants)
    under_way = begun - _running(group, n, end, ones, instants)
    waiting = np.rint(_running(group, n, ready, ones, instants) - begun).astype(np.int64)
    return np.maximum(whole + left - np.rint(under_way) * now_s, 0.0) / 3600.0, waiting


def _running(group: Ints, n: int, bin_: Ints, weights: Floats, instants: int) -> Floats:
    """[group, instant]: the sum of what came by then."""
    flat = np.bincount(group * (instants + 1) + bin_, weights, n * (instants + 1))
    found: Floats = np.cumsum(flat.reshape(n, instants + 1)[:, :instants], axis=1)
    return found


def _summed(part: N, group: Ints, n: int) -> N:
    """Rows of one group together."""
    found: N = np.zeros((n, part.shape[1]), part.dtype)
    np.add.at(found, group, part)
    return found


def worked_s(network: Network, agent: Ints, t: Floats) -> Floats:
    """Per instant what the clock of the agent beside it has worked by then, by its usual hours; seconds."""
    return _worked.of(network).at(network.agents["clock"][agent], t)


class _Worked:
    """Working seconds of the clocks of a network up to an instant, by their usual hours."""

    def __init__(self, network: Network) -> None:
        self._lock = Lock()
        self._clocks = [None if plan is None else _usual(plan) for plan in network.clocks]
        self._knots: list[tuple[float, Floats, Floats]] = [
            (-np.inf, np.zeros(0), np.zeros(0)) for _ in self._clocks
        ]

    def at(self, clock: NDArray[np.int32], t: Floats) -> Floats:
        """Per instant, of the clock beside it (-1: always on)."""
        found = t.copy()
        for number in np.unique(clock).tolist():
            if number >= 0:
                mine = clock == number
                found[mine] = self._one(number, t[mine])
        return found

    def table(self, clock: NDArray[np.int32], t: Floats) -> Floats:
        """[clock, instant]"""
        known = {number: self._one(number, t) if number >= 0 else t for number in np.unique(clock).tolist()}
        return np.array([known[number] for number in clock.tolist()]).reshape(len(clock), len(t))

    def _one(self, number: int, t: Floats) -> Floats:
        clock = self._clocks[number]
        if clock is None:
            return t
        last_s = float(t.max(initial=0.0))
        reach_s, at_s, done_s = self._knots[number]
        if reach_s <= last_s:
            with self._lock:
                starts, ends, done, gone, reach_s = clock.grown(last_s)
                at_s = np.column_stack([starts, ends]).ravel() if starts else np.zeros(1)
                done_s = np.repeat(np.array(done), 2)[1:-1] if starts else np.zeros(1)
                self._knots[number] = (np.inf if gone else reach_s), at_s, done_s
        return np.interp(t, at_s, done_s)


def _usual(plan: object) -> Clock:
    """A clock without what differs between replications."""
    from simulation.clocks import ClockPlan
    from simulation.streams import Stream

    assert isinstance(plan, ClockPlan)
    calendar = plan.calendar if plan.days is None else plan.days.usual
    certain = replace(plan, calendar=calendar, days=None, breakdowns=None)
    return certain.clock(Stream(0, 0), plan.earliest_s)


_worked: Beside[Network, _Worked] = Beside(_Worked)


def outlooks(
    loads: Sequence[Load], agents: Sequence[str], queues: Sequence[str], horizons_h: Sequence[float]
) -> Iterator[LoadOutlook]:
    """Fans over the runs, agents before queues, the most work now or later first."""
    for kind, names, work, waiting in (
        ("agent", agents, [one.agent_h for one in loads], [one.agent_waiting for one in loads]),
        ("queue", queues, [one.queue_h for one in loads], [one.queue_waiting for one in loads]),
    ):
        hours = quantiles(np.array(work), FAN)
        items = quantiles(np.array(waiting, np.float64), FAN)
        most = np.max(hours[FAN.index(0.5)], axis=1, initial=0.0)
        for i in np.argsort(-most, kind="stable").tolist():
            if np.any(hours[:, i] > 0):
                yield LoadOutlook(
                    "agent" if kind == "agent" else "queue",
                    names[i],
                    tuple(horizons_h),
                    _fans(hours[:, i]),
                    _fans(items[:, i]),
                )


def _fans(levels: Floats) -> tuple[Fan, ...]:
    """[level, instant] by instant."""
    rows = [tuple(round(value, 4) for value in row) for row in levels.T.tolist()]
    return tuple((a, b, c, d, e) for a, b, c, d, e in rows)
