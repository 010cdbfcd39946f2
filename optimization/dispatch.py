"""Time passing over a problem from event to event, with whoever is free taking what goes first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import inf
from random import Random

import numpy as np

from metagraph.orders import profit_at
from metagraph.policies import Policy
from metagraph.rules import gain_score, quickness_score, urgency_score
from optimization.problem import NOBODY, Mode, Plan, Problem

_WAKE, _DONE, _READY, _LOST = range(4)
"""What happens first at one point."""


@dataclass(slots=True, eq=False)
class _Item:
    """An operation that waits in a queue."""

    op: int
    mode: Mode
    number: int
    """Of its mode."""
    place: tuple[int, int, int]
    """When it came, whether it had to make way since, and how many came before."""
    gain: float
    """The profit that its order would yield if it were fulfilled when it came."""


@dataclass(slots=True, eq=False)
class _Unit:
    """An agent with a queue."""

    places: int
    busy: dict[int, int] = field(default_factory=dict)
    """Operation, or below 0 for what isn't one -> when it is over."""
    fresh: list[_Item] = field(default_factory=list)
    """What has begun at this instant."""
    queue: list[_Item] = field(default_factory=list)


class Dispatch:
    """Time passing from event to event."""

    def __init__(self, problem: Problem, policy: Policy, importance: Mapping[str, float], seed: int) -> None:
        self._problem, self._policy, self._importance = problem, policy, importance
        self._random = Random(seed)
        n = len(problem.ops)
        self._start = np.full(n, NOBODY, np.int64)
        self._mode = np.full(n, NOBODY, np.int64)
        self._end = np.full(n, problem.grid.never, np.int64)
        self._missing = [len(op.preds) for op in problem.ops]
        self._after: list[list[int]] = [[] for _ in problem.ops]
        for i, op in enumerate(problem.ops):
            for pred in op.preds:
                self._after[pred].append(i)
        self._gone = [False] * len(problem.jobs)
        self._units: dict[tuple[int, str], _Unit] = {}
        self._by_pool: list[list[_Unit]] = []
        for i, pool in enumerate(problem.pools):
            own = {unit: _Unit(pool.units.count(unit)) for unit in dict.fromkeys(pool.units)}
            self._units |= {(i, unit): found for unit, found in own.items()}
            self._by_pool.append([] if pool.price > 0 else [*own.values()])
        self._events: list[tuple[int, int, int]] = []
        self._wakes: set[int] = set()
        """Points at which all queues are looked at again: once each, however many ask for it."""
        self._came = 0

    def plan(self) -> Plan:
        self._open()
        while self._events:
            t = self._events[0][0]
            if t > self._problem.grid.periods:
                break
            while self._events and self._events[0][0] == t:
                _, kind, i = heappop(self._events)
                if kind == _DONE:
                    self._over(i, t)
                elif kind == _READY:
                    self._join(i, t)
                elif kind == _LOST:
                    self._lose(i, t)
                else:
                    self._wakes.discard(t)
                    self._serve_all(t)
            for unit in self._units.values():
                unit.fresh.clear()
        return self._kept()

    def _open(self) -> None:
        problem, grid = self._problem, self._problem.grid
        held = {(op.modes[op.held].pool, op.held_unit) for op in problem.ops if op.held is not None}
        taken = [_elsewhere(problem, i) for i in range(len(problem.pools))]
        for (pool, name), unit in self._units.items():
            ends = [work.end for work in problem.running if work.unit == name]
            free = 0 if (pool, name) in held else unit.places
            while len(ends) < free and taken[pool]:
                ends.append(taken[pool].pop())
            for number, end in enumerate(ends):
                unit.busy[-1 - number] = end
                self._tell(end, _WAKE, 0)
        for i, op in enumerate(problem.ops):
            if op.held is not None and op.modes[op.held].ends[0] < grid.never:
                mode = op.modes[op.held]
                item = _Item(i, mode, op.held, (-1, 0, 0), 0.0)
                self._begin(self._units[mode.pool, op.held_unit], item, 0)
                self._units[mode.pool, op.held_unit].fresh.clear()
            elif not op.preds:
                self._tell(op.ready, _READY, i)
        for j, job in enumerate(problem.jobs):
            if job.order.lost_s is not None:
                self._tell(grid.down(job.order.lost_s) + 1, _LOST, j)

    def _tell(self, t: int, kind: int, i: int) -> None:
        t = max(t, 0)
        if kind == _WAKE:
            if t in self._wakes:
                return
            self._wakes.add(t)
        heappush(self._events, (t, kind, i))

    def _over(self, i: int, t: int) -> None:
        """What comes after it joins its queues first, then whoever did it is free."""
        if self._end[i] != t:
            return
        if not self._gone[self._problem.ops[i].job]:
            self._go_on(i, t)
        for unit in self._units.values():
            if unit.busy.pop(i, None) is not None:
                self._serve(unit, t)

    def _go_on(self, i: int, t: int) -> None:
        """What waited for the operation only comes to its queue, now or when it can begin."""
        for following in self._after[i]:
            self._missing[following] -= 1
            if not self._missing[following]:
                op = self._problem.ops[following]
                done = max(int(self._end[pred]) for pred in op.preds)
                free = max(done if op.lag is None else int(op.lag[done]), op.ready)
                if free <= t:
                    self._join(following, t)
                else:
                    self._tell(free, _READY, following)

    def _join(self, i: int, t: int) -> None:
        """The operation comes to a queue, or begins if it needs nobody."""
        op = self._problem.ops[i]
        if self._gone[op.job]:
            return
        job, t_s = self._problem.jobs[op.job], self._problem.grid.at(t)
        gain = profit_at(job.order, job.shape, t_s)
        ways: list[tuple[_Unit, _Item]] = []
        for number, mode in enumerate(op.modes):
            item = _Item(i, mode, number, (t, 0, self._came), gain)
            if mode.pool == NOBODY:
                self._begin(None, item, t)
                return
            if (mode.ends[t:] < self._problem.grid.never).any():
                ways += [(unit, item) for unit in self._by_pool[mode.pool]]
        self._came += 1
        if not ways:
            return
        unit, item = self._chosen(ways, t)
        unit.queue.append(item)
        self._serve(unit, t)
        if unit.queue and self._policy.preemption:
            self._contest(unit, t)

    def _chosen(self, ways: list[tuple[_Unit, _Item]], t: int) -> tuple[_Unit, _Item]:
        """The queue that is joined, and the way in which the operation is done there."""
        if self._policy.assignment == "JFQ":
            costs = [self._response(unit, t) + item.mode.work_s for unit, item in ways]
        elif self._policy.assignment == "JSQ":
            costs = [float(len(unit.queue) + len(unit.busy)) for unit, _ in ways]
        else:
            costs = [0.0] * len(ways)
        least = min(costs)
        best = [way for way, cost in zip(ways, costs, strict=True) if cost <= least + 1e-9]
        return best[0] if len(best) == 1 else self._random.choice(best)

    def _response(self, unit: _Unit, t: int) -> float:
        """Seconds of work ahead."""
        under_way = sum(end - t for end in unit.busy.values()) * self._problem.grid.dt_s
        return (sum(item.mode.work_s for item in unit.queue) + under_way) / unit.places

    def _contest(self, unit: _Unit, t: int) -> None:
        """What has begun at this instant makes way if something waits that goes strictly before it."""
        if not unit.fresh or not (able := self._able(unit, t)):
            return
        first = self._first(able)
        if len(self._policy.priorities) > 1:
            both = [*unit.queue, *unit.fresh]
            scores = dict(zip([item.op for item in both], self._totals(both), strict=True))
            victim = max(unit.fresh, key=lambda item: (-scores[item.op], item.place))
            urgent = scores[first.op] > scores[victim.op]
        else:
            rule = self._policy.priorities[0]
            victim = max(unit.fresh, key=lambda item: (self._key(rule, item), item.place))
            urgent = self._key(rule, first) < self._key(rule, victim)
        if not urgent:
            return
        i = victim.op
        self._start[i], self._mode[i], self._end[i] = NOBODY, NOBODY, self._problem.grid.never
        del unit.busy[i]
        unit.fresh.remove(victim)
        if self._policy.tie == "back":
            victim.place = (t, 1, victim.place[2])
        unit.queue.append(victim)
        unit.queue.remove(first)
        self._begin(unit, first, t)

    def _able(self, unit: _Unit, t: int) -> list[_Item]:
        """What can begin now; when something else can, one looks again."""
        never = self._problem.grid.never
        able = [item for item in unit.queue if item.mode.ends[t] < never]
        if unit.queue and not able:
            begins = [np.flatnonzero(item.mode.ends[t:] < never) for item in unit.queue]
            later = [t + int(found[0]) for found in begins if len(found)]
            if later:
                self._tell(min(later), _WAKE, 0)
        return able

    def _serve_all(self, t: int) -> None:
        for unit in self._units.values():
            for i in [i for i, end in unit.busy.items() if i < 0 and end <= t]:
                del unit.busy[i]
            self._serve(unit, t)

    def _serve(self, unit: _Unit, t: int) -> None:
        """Whoever is free takes what goes first."""
        while unit.queue and len(unit.busy) < unit.places:
            able = self._able(unit, t)
            if not able:
                return
            item = self._first(able)
            unit.queue.remove(item)
            self._begin(unit, item, t)

    def _first(self, items: list[_Item]) -> _Item:
        rules = self._policy.priorities
        if len(rules) > 1:
            pairs = zip(self._totals(items), items, strict=True)
            return min(pairs, key=lambda pair: (-pair[0], pair[1].place))[1]
        return min(items, key=lambda item: (self._key(rules[0], item), item.place))

    def _totals(self, items: list[_Item]) -> list[float]:
        """Each one's averaged score."""
        parts = [self._scores(rule, items) for rule in self._policy.priorities]
        return [sum(found) / len(parts) for found in zip(*parts, strict=True)]

    def _key(self, rule: str, item: _Item) -> float:
        order = self._problem.jobs[self._problem.ops[item.op].job].order
        if rule == "HP":
            return -item.gain
        if rule == "SDD":
            return inf if order.due_s is None else order.due_s
        if rule == "SERPT":
            return item.mode.work_s
        return -self._importance.get(order.segment, 0.0) if rule == "HPCS" else 0.0

    def _scores(self, rule: str, items: list[_Item]) -> list[float]:
        """Each one's ratio to the best there."""
        orders = [self._problem.jobs[self._problem.ops[item.op].job].order for item in items]
        if rule == "SDD":
            first = min(order.release_s for order in orders)
            times = [inf if order.due_s is None else order.due_s - first for order in orders]
            least = min([time for time in times if time > 0.0], default=inf)
            return [urgency_score(time, least) for time in times]
        if rule == "SERPT":
            shortest = min(item.mode.work_s for item in items)
            return [quickness_score(item.mode.work_s, shortest) for item in items]
        gains = [-self._key(rule, item) for item in items]
        return [gain_score(gain, max(gains)) for gain in gains]

    def _begin(self, unit: _Unit | None, item: _Item, t: int) -> None:
        end = int(item.mode.ends[t])
        self._start[item.op], self._mode[item.op], self._end[item.op] = t, item.number, end
        if unit is not None:
            unit.busy[item.op] = end
            unit.fresh.append(item)
        self._tell(end, _DONE, item.op)

    def _lose(self, j: int, t: int) -> None:
        """The order leaves; whoever works on it is free."""
        ops = self._problem.jobs[j].ops
        if all(self._end[i] <= t for i in ops):
            return
        self._gone[j] = True
        for unit in self._units.values():
            unit.queue = [item for item in unit.queue if item.op not in ops]
            # What was under way goes on in the plan: leaving it out would be an interruption.
            unit.busy = {i: end for i, end in unit.busy.items() if i not in ops or self._goes_on(i)}
            unit.fresh = [item for item in unit.fresh if item.op not in ops]
            self._serve(unit, t)

    def _goes_on(self, i: int) -> bool:
        """Whether it was under way at first and wasn't interrupted."""
        op = self._problem.ops[i]
        return op.held is not None and self._start[i] == 0 and self._mode[i] == op.held

    def _kept(self) -> Plan:
        """Without what was done for orders that aren't fulfilled, unless it is under way."""
        never = self._problem.grid.never
        for job, gone in zip(self._problem.jobs, self._gone, strict=True):
            if gone or any(self._end[i] >= never for i in job.ops):
                for i in job.ops:
                    if not self._goes_on(i):
                        self._start[i] = self._mode[i] = NOBODY
        return Plan(self._start, self._mode)


def _elsewhere(problem: Problem, pool: int) -> list[int]:
    """Until when places of a pool are taken by what isn't told."""
    there = problem.pools[pool]
    missing = len(there.units) - there.capacity
    for work in problem.running:
        missing[: work.end] -= work.unit in there.units
    most = int(missing.max(initial=0))
    return [int(np.flatnonzero(missing >= k)[-1]) + 1 for k in range(1, most + 1)]
