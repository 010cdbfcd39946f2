"""Who is free: agents' places, their presence and shifts, and the draw of one for an item."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from math import inf
from typing import Protocol

from simulation.frames import Frame
from simulation.items import Item
from simulation.streams import REDRAW, Purpose
from simulation.tokens import Uniforms

_AGENT = int(Purpose.AGENT)


class Clock(Protocol):
    """A time line on which work progresses."""

    def is_on(self, t: float) -> bool: ...
    def next_on(self, t: float) -> float: ...
    def on_until(self, t: float) -> float: ...
    def between(self, t0: float, t1: float) -> float: ...
    def after(self, t: float, work_s: float) -> float: ...
    def next_start(self, t: float) -> float: ...


class Always:
    """The clock of those who never stop."""

    __slots__ = ()

    def is_on(self, t: float) -> bool:
        return True

    def next_on(self, t: float) -> float:
        return t

    def on_until(self, t: float) -> float:
        return inf

    def between(self, t0: float, t1: float) -> float:
        return t1 - t0

    def after(self, t: float, work_s: float) -> float:
        return t + work_s

    def next_start(self, t: float) -> float:
        return inf


class Shifts:
    """Work clocks asked at times that never decrease: each answers until its next change."""

    __slots__ = ("_on", "clocks", "until")

    def __init__(self, clocks: Sequence[Clock]) -> None:
        self.clocks = clocks
        self._on = [True] * len(clocks)
        self.until = [-inf] * len(clocks)
        """Per clock: up to when the last answer holds; of one that is off, when it comes on."""

    def on(self, clock: int, t: float) -> bool:
        """Whether the clock runs at t."""
        if t >= self.until[clock]:
            line = self.clocks[clock]
            self._on[clock] = line.is_on(t)
            self.until[clock] = line.on_until(t) if self._on[clock] else line.next_on(t)
        return self._on[clock]


class Crew:
    """Places of all agents, and what they work on."""

    __slots__ = ("_clocks", "_draws", "_dry", "_frame", "_idle", "free", "present", "shifts", "working")

    def __init__(self, frame: Frame, draws: Uniforms, clocks: Sequence[Clock]) -> None:
        self._frame = frame
        self._draws = draws
        self._clocks = frame.clocks
        self.shifts = Shifts(clocks)
        self.present = list(frame.present)
        self.free = list(frame.capacities)
        """Items each agent could take; below 0 where a state says that it does more than it can."""
        self.working: list[list[Item]] = [[] for _ in self.free]
        """Per agent, in the order of beginning."""
        self._idle = [sum(self._spare(a) for a in team) for team in frame.line_agents]
        """Per line: agents present with a free place."""
        self._dry = [-inf] * len(frame.line_agents)
        """Per line: until when all these are known to be off shift."""

    def _spare(self, agent: int) -> bool:
        return self.present[agent] and self.free[agent] > 0

    def hold(self, agent: int) -> None:
        """One place less is free."""
        self.free[agent] -= 1
        if self.free[agent] == 0 and self.present[agent]:
            for line in self._frame.agent_lines[agent]:
                self._idle[line] -= 1

    def drop(self, agent: int) -> None:
        """One place more is free."""
        self.free[agent] += 1
        if self.free[agent] == 1 and self.present[agent]:
            for line in self._frame.agent_lines[agent]:
                self._idle[line] += 1
                self._dry[line] = -inf

    def attend(self, agent: int, present: bool) -> None:
        """The agent comes or leaves."""
        before, self.present[agent] = self._spare(agent), present
        change = self._spare(agent) - before
        for line in self._frame.agent_lines[agent]:
            self._idle[line] += change
            self._dry[line] = -inf

    def attended(self, queue: int) -> bool:
        """Whether an agent of the queue is present."""
        present = self.present
        return any(present[a] for a in self._frame.line_agents[queue])

    def can_take(self, agent: int, t: float) -> bool:
        """Whether the agent is present, has a free place and is on shift."""
        return self.free[agent] > 0 and self.present[agent] and self.shifts.on(self._clocks[agent], t)

    def pick(self, line: int, item: Item, t: float) -> int:
        """An agent of the line who can take the item, drawn by the queue's weights; -1: nobody can."""
        if not self._idle[line] or t < self._dry[line]:
            return -1
        team = self._frame.line_agents[line]
        if len(team) == 1:
            return team[0] if self.can_take(team[0], t) else -1
        path = item.journey.path
        known = None if path is None else path.at(item.task.node, item.visit)
        if known is not None and known.agent in team and self.can_take(known.agent, t):
            return known.agent
        able: list[int] = []
        tries = self._frame.tries[line]
        if tries == 1:  # a draw decides nothing where only one can
            able = self._able(line, t)
            if len(able) < 2:
                return team[able[0]] if able else -1
        for k in range(tries):
            agent = team[bisect_right(self._frame.queue_cumulative[line], self._draw(item, REDRAW * k))]
            if self.can_take(agent, t):
                return agent
        return self._among(line, able or self._able(line, t), item)

    def _draw(self, item: Item, redraw: int) -> float:
        return self._draws.uniform(item.journey.order, item.task.node, item.visit, _AGENT + redraw)

    def _able(self, line: int, t: float) -> list[int]:
        """Positions in the line's team of those who can take something."""
        free, present, clocks, on = self.free, self.present, self._clocks, self.shifts.on
        spare = [i for i, a in enumerate(self._frame.line_agents[line]) if free[a] > 0 and present[a]]
        team = self._frame.line_agents[line]
        able = [i for i in spare if on(clocks[team[i]], t)]
        if not able:
            self._dry[line] = min((self.shifts.until[clocks[team[i]]] for i in spare), default=-inf)
        return able

    def _among(self, line: int, able: list[int], item: Item) -> int:
        team, weights = self._frame.line_agents[line], self._frame.weights[line]
        if len(able) < 2:
            return team[able[0]] if able else -1
        sums = list(accumulate(weights[i] for i in able))
        if sums[-1] <= 0.0:
            sums = list(accumulate(1.0 for _ in able))
        u = self._draw(item, REDRAW * self._frame.tries[line])
        return team[able[min(bisect_right(sums, u * sums[-1]), len(able) - 1)]]
