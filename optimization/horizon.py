"""How far a plan looks ahead."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from heapq import heapify, heappop, heappush, heapreplace
from math import ceil, inf

from metagraph.errors import InfeasibleError, UsageError
from metagraph.model import Metagraph
from metagraph.nodes import Task
from metagraph.paces import PaceClock
from metagraph.state import Position
from optimization.grid import periods_of
from optimization.operations import Todo
from optimization.routes import Step
from optimization.settings import Settings
from optimization.work import Expected, Presence, able, law_of, places, presence

_DAY_S = 86400.0
MOST_PERIODS = 20_000
"""Of a grid; more would only fill the memory."""


def latest_s(
    metagraph: Metagraph,
    todo: Sequence[Todo],
    now_s: float,
    origin: datetime,
    settings: Settings,
    dt_s: float,
    expected: Expected,
) -> float:
    """The horizon's end, seconds since the origin.

    Rolling: the last lost-sale date; where an order has none, when a plan first come, first served has done
    all of them. Raises UsageError for a horizon without a time, or one that is over.
    """
    if settings.horizon == "fixed":
        return now_s + _told(settings)
    if settings.horizon == "shrinking":
        return _told(settings)
    dates = [one.order.lost_s for one in todo]
    if todo and all(date is not None for date in dates):
        end_s = max(now_s, *(date for date in dates if date is not None))
    else:
        end_s = _makespan(metagraph, todo, now_s, origin, dt_s, expected)
    return end_s if settings.horizon_s is None else min(end_s, now_s + settings.horizon_s)


def periods(now_s: float, end_s: float, dt_s: float, settings: Settings) -> int:
    """Of the grid. Rounded down where nothing may be planned beyond the horizon.

    Raises InfeasibleError for a grid coarser than the horizon, UsageError for a horizon that is over or for a
    grid finer than can be handled.
    """
    length_s = end_s - now_s
    found = periods_of(length_s, dt_s, whole=settings.horizon != "rolling")
    if found < 1 and settings.horizon == "rolling":
        return 1
    if length_s <= 0 and settings.horizon != "rolling":
        raise UsageError(f"the horizon ends {-length_s / 3600:,.0f} h before now: name a later end")
    if found < 1:
        raise InfeasibleError(
            f"nothing can be planned: the horizon of {length_s / 3600:.3g} h holds no period of "
            f"{dt_s / 3600:.3g} h: take a finer grid or a longer horizon"
        )
    if found > MOST_PERIODS:
        raise UsageError(
            f"a grid of {dt_s:g} s has {found} periods up to the horizon, {length_s / 3600:.0f} h "
            f"ahead; {MOST_PERIODS} are the most: take a coarser grid or a shorter horizon"
        )
    return found


def _told(settings: Settings) -> float:
    if settings.horizon_s is None:
        raise UsageError(f"a {settings.horizon} horizon needs a time: give `horizon_s`")
    return settings.horizon_s


def _makespan(
    metagraph: Metagraph,
    todo: Sequence[Todo],
    now_s: float,
    origin: datetime,
    dt_s: float,
    expected: Expected,
) -> float:
    """When all is done first come, first served, each step by who is done with it first; every step takes
    whole periods, so that the grid can hold it. An order for which nobody ever comes doesn't count."""
    window_s = 60 * _DAY_S
    while True:
        last = window_s > 2000 * _DAY_S
        rehearsal = _Rehearsal(metagraph, now_s, origin, dt_s, expected, now_s + window_s)
        end_s = rehearsal.end_s(todo, give_up=last)
        if end_s is not None:
            return end_s
        window_s *= 2


class _Rehearsal:
    """List scheduling in the order in which steps are ready (Graham, 1966)."""

    def __init__(
        self,
        metagraph: Metagraph,
        now_s: float,
        origin: datetime,
        dt_s: float,
        expected: Expected,
        window_end_s: float,
    ) -> None:
        self._metagraph, self._origin = metagraph, origin
        self._now_s, self._dt_s, self._window_end_s = now_s, dt_s, window_end_s
        self._expected = expected
        self._agents = {agent.id: agent for agent in metagraph.agents}
        self._paces = {
            pace.id: PaceClock(pace, origin, earliest_s=min(now_s, 0.0)) for pace in metagraph.paces
        }
        self._there: dict[str, Presence] = {}
        self._free: dict[str, list[float]] = {}

    def end_s(self, todo: Sequence[Todo], *, give_up: bool) -> float | None:
        """When the last order is done; None if that lies beyond the window, unless one gives up on orders
        that end later."""
        ends: list[list[float]] = [[inf] * len(one.route.steps) for one in todo]
        waits = [[len(step.preds) for step in one.route.steps] for one in todo]
        after = [_followers(one) for one in todo]
        agenda = [
            (self._ready(todo[j], i, ends[j]), j, i)
            for j, found in enumerate(waits)
            for i, n in enumerate(found)
            if n == 0
        ]
        heapify(agenda)
        last = self._now_s
        while agenda:
            ready, j, i = heappop(agenda)
            end = ends[j][i] = self._done(todo[j], i, ready)
            if end >= self._window_end_s:
                if give_up:
                    continue
                return None
            last = max(last, end)
            for k in after[j][i]:
                waits[j][k] -= 1
                if waits[j][k] == 0:
                    heappush(agenda, (self._ready(todo[j], k, ends[j]), j, k))
        return last + self._dt_s

    def _ready(self, one: Todo, i: int, ends: Sequence[float]) -> float:
        step = one.route.steps[i]
        ready = max([self._now_s, one.order.release_s, *(ends[p] for p in step.preds)])
        delay = step.task.delay
        if delay is not None:
            mean_s = step.visits * self._expected.mean(delay.lookup(step.after).law)
            ready = ready + mean_s if delay.pace is None else self._paces[delay.pace].after(ready, mean_s)
        ready = max(ready, one.order.material_s.get(step.task.id, ready))
        return _rounded(ready, self._now_s, self._dt_s)

    def _done(self, one: Todo, i: int, ready: float) -> float:
        """When a step is done by who is done with it first, who is busy until then."""
        step, dt_s = one.route.steps[i], self._dt_s
        served = able(self._metagraph, step.task)
        if not served:
            return ready + _whole(self._work_s(one, step, None), dt_s)
        best, chosen = inf, served[0]
        position = step.position
        if position is not None and position.started_s is not None and position.agent in self._agents:
            served = (position.agent,)
        for agent in served:
            work_s = _whole(self._work_s(one, step, agent), dt_s)
            end = self._presence(agent).after(max(ready, self._places(agent)[0]), work_s)
            if end < best:
                best, chosen = end, agent
        if best < self._window_end_s:
            best = _rounded(best, self._now_s, dt_s)
            heapreplace(self._places(chosen), best)
        return best

    def _work_s(self, one: Todo, step: Step, agent: str | None) -> float:
        """Working seconds; of what was begun what is left, which may be longer than a whole one."""
        whole_s = step.visits * _mean(one, step.task, agent, self._expected)
        position = step.position
        if position is None or not (position.worked_s or position.started_s is not None):
            return whole_s
        law = law_of(step.task, one.order.cls, one.order.segment, position.agent)
        left_s = self._expected.left(law, self._worked_s(position))
        return max(whole_s, left_s + (step.visits - 1.0) * self._expected.mean(law))

    def _worked_s(self, position: Position) -> float:
        if position.worked_s is not None or position.started_s is None:
            return position.worked_s or 0.0
        if position.agent not in self._agents:
            return self._now_s - position.started_s
        agent = self._agents[position.agent]
        there = presence(agent, self._metagraph, self._origin, position.started_s, self._now_s)
        return there.worked(self._now_s)

    def _places(self, agent: str) -> list[float]:
        """From when on each of an agent's places is free, the first one first."""
        if agent not in self._free:
            self._free[agent] = [self._now_s] * min(places(self._agents[agent]), 1000)
        return self._free[agent]

    def _presence(self, agent: str) -> Presence:
        if agent not in self._there:
            self._there[agent] = presence(
                self._agents[agent], self._metagraph, self._origin, self._now_s, self._window_end_s
            )
        return self._there[agent]


def _followers(one: Todo) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in one.route.steps]
    for i, step in enumerate(one.route.steps):
        for p in step.preds:
            found[p].append(i)
    return found


def _mean(one: Todo, task: Task, agent: str | None, expected: Expected) -> float:
    return expected.mean(law_of(task, one.order.cls, one.order.segment, agent))


def _whole(work_s: float, dt_s: float) -> float:
    return ceil(work_s / dt_s) * dt_s


def _rounded(t: float, now_s: float, dt_s: float) -> float:
    return now_s + ceil((t - now_s) / dt_s - 1e-6) * dt_s
