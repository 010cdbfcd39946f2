"""Expected work, and when agents get it done on the grid."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf

import numpy as np

from metagraph.agents import UNLIMITED, Agent
from metagraph.calendars import WorkClock, cut, merge
from metagraph.distributions import Constant, Distribution
from metagraph.model import Metagraph
from metagraph.nodes import Task
from optimization.grid import Grid
from optimization.problem import Floats, Ints

LEVELS = (np.arange(2000) + 0.5) / 2000
"""Where a law's quantile function is read for its mean: what is below 0 counts as 0, as in the simulator."""
_SLACK = 1e-6
"""Share of a period by which sums of work may miss a point."""


class Expected:
    """Means of laws, each found once."""

    def __init__(self) -> None:
        self._means: dict[Distribution, float] = {}

    def mean(self, law: Distribution) -> float:
        """E[max(X, 0)], seconds."""
        found = self._means.get(law)
        if found is None:
            found = law.value if isinstance(law, Constant) else _mean(law)
            self._means[law] = found
        return found

    def left(self, law: Distribution, elapsed_s: float) -> float:
        """E[X | X >= elapsed] - elapsed (Perez, Wassick and Grossmann, 3.4.1): what is left, seconds."""
        if elapsed_s <= 0:
            return self.mean(law)
        return float(np.mean(law.residual(LEVELS, elapsed_s)))


def _mean(law: Distribution) -> float:
    """Exact where no value is below 0, else from quantiles."""
    if float(law.ppf(LEVELS[:1])[0]) > 0.0 and float(law.cdf(0.0)) <= 0.0:
        return float(law.mean())
    return float(np.mean(law.ppf(LEVELS)))


@dataclass(frozen=True, slots=True, eq=False)
class Presence:
    """When an agent works, seconds since the origin; from some time before the state on."""

    starts: tuple[float, ...]
    ends: tuple[float, ...]
    done: tuple[float, ...]
    """Working seconds before each interval."""

    def worked(self, t: float) -> float:
        """Working seconds up to t, from a fixed zero."""
        i = bisect_right(self.starts, t) - 1
        return 0.0 if i < 0 else self.done[i] + min(t, self.ends[i]) - self.starts[i]

    def after(self, t: float, work_s: float) -> float:
        """When `work_s` of work begun at t is done; infinite where the intervals end before."""
        target = self.worked(t) + work_s
        for start, end, done in zip(self.starts, self.ends, self.done, strict=True):
            if end > t and done + (end - start) >= target - 1e-9:
                return max(start, t, start + target - done)
        return inf

    def on(self, grid: Grid) -> Floats:
        """[point] working seconds since point 0."""
        points = grid.start_s + grid.dt_s * np.arange(grid.periods + 1)
        if not self.starts:
            return np.zeros(grid.periods + 1)
        edges = np.column_stack([self.starts, self.ends]).ravel()
        sums = np.column_stack([self.done, np.add(self.done, np.subtract(self.ends, self.starts))]).ravel()
        found = np.interp(points, edges, sums)
        return np.asarray(found - found[0], np.float64)


def presence(agent: Agent, metagraph: Metagraph, origin: datetime, begin_s: float, end_s: float) -> Presence:
    """An agent's working time between two instants: calendar, hiring and announced absences.

    Of a calendar with drawn shifts the usual hours count; breakdowns aren't foreseen.
    """
    calendar = {c.id: c for c in metagraph.calendars}[agent.calendar]
    clock = WorkClock(calendar, origin, earliest_s=begin_s)
    spans: list[tuple[float, float]] = []
    t = clock.next_on(begin_s)
    while t < end_s:
        until = min(clock.on_until(t), end_s)
        spans.append((t, until))
        t = clock.next_on(until) if until < end_s else inf
    spans = merge(spans)
    if agent.hired is not None:
        spans = cut(spans, -inf, (agent.hired - origin).total_seconds())
    for absence in agent.absences:
        over = inf if absence.end is None else (absence.end - origin).total_seconds()
        spans = cut(spans, (absence.start - origin).total_seconds(), over)
    lengths = [end - start for start, end in spans]
    done = (0.0, *np.cumsum(lengths).tolist())[: len(spans)]
    return Presence(tuple(s for s, _ in spans), tuple(e for _, e in spans), tuple(done))


def ends_at(on: Floats, work_s: float, grid: Grid) -> Ints:
    """Mode.ends: when work is over that begins at each point, by working seconds since point 0.

    Nothing begins in a period without working time.
    """
    slack = _SLACK * grid.dt_s
    found = np.searchsorted(on, on + max(work_s, 2 * slack) - slack, side="left").astype(np.int64)
    begins = np.append(np.diff(on) > slack, False)
    return np.where(begins & (found <= grid.periods), found, grid.never)


def wall_ends(seconds: float, grid: Grid) -> Ints:
    """Mode.ends of what needs nobody and lasts so long."""
    points = np.arange(grid.periods + 1)
    found = points + max(grid.spans(seconds), 1)
    return np.where(found <= grid.periods, found, grid.never)


def law_of(task: Task, cls: str, segment: str, agent: str | None) -> Distribution:
    return task.durations.lookup(cls, segment, agent).law


def able(metagraph: Metagraph, task: Task) -> tuple[str, ...]:
    """Agents of the queues that serve a task, in their order."""
    queues = {queue.id: queue for queue in metagraph.queues}
    return tuple(dict.fromkeys(agent for name in task.queues for agent in queues[name].agents))


def places(agent: Agent) -> int:
    """How many operations it holds at once. Shared ones get no more done by holding several."""
    return agent.capacity if agent.sharing == "parallel" or agent.capacity >= UNLIMITED else 1


def likeness(metagraph: Metagraph, tasks: Sequence[Task]) -> dict[str, tuple[object, ...]]:
    """By agent: what tells it from others, beside its working time."""
    mine: dict[str, list[object]] = {agent.id: [places(agent), agent.capacity] for agent in metagraph.agents}
    for task in tasks:
        for agent in able(metagraph, task):
            rows = [(r.cls, r.segment, r.fitted.law) for r in task.durations.rows if r.agent == agent]
            mine[agent].append((task.id, tuple(rows)))
    return {agent: tuple(found) for agent, found in mine.items()}
