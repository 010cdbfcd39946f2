"""Who is free: agents' spare capacity, their shifts, and the draw of one for an item."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from math import inf

from metagraph.calendars import WorkClock
from simulation.network import Network
from simulation.streams import REDRAW, Purpose, Stream

_AGENT = int(Purpose.AGENT)


class Shifts:
    """Work clocks asked at times that never decrease: each answers until its next change."""

    __slots__ = ("_clocks", "_on", "until")

    def __init__(self, clocks: tuple[WorkClock | None, ...]) -> None:
        self._clocks = clocks
        self._on = [True] * len(clocks)
        self.until = [inf if clock is None else -inf for clock in clocks]
        """Per clock: up to when the last answer holds; of one that is off, when it comes on."""

    def on(self, clock: int, t: float) -> bool:
        """Whether the clock runs at t."""
        if t >= self.until[clock]:
            self._look(clock, t)
        return self._on[clock]

    def _look(self, index: int, t: float) -> None:
        clock = self._clocks[index]
        assert clock is not None
        self._on[index] = clock.is_on(t)
        self.until[index] = clock.on_until(t) if self._on[index] else clock.next_on(t)


class Crew:
    """Spare capacity of all agents."""

    __slots__ = ("_clocks", "_dry", "_idle", "_network", "_stream", "free", "shifts")

    def __init__(self, network: Network, stream: Stream) -> None:
        self._network = network
        self._stream = stream
        self._clocks = network.agent_clocks
        self.shifts = Shifts(network.clocks)
        self.free = list(network.capacities)
        """Items each agent could take; below 0 where a state says that it does more than it can."""
        self._idle = [len(pool.agents) for pool in network.pools]
        self._dry = [-inf] * len(network.pools)
        """Per queue: until when all its free agents are known to be off shift."""

    def hold(self, agent: int) -> None:
        """The agent takes one item more."""
        self.free[agent] -= 1
        if self.free[agent] == 0:
            for queue in self._network.agent_queues[agent]:
                self._idle[queue] -= 1

    def drop(self, agent: int) -> None:
        """The agent has one item less."""
        self.free[agent] += 1
        if self.free[agent] == 1:
            for queue in self._network.agent_queues[agent]:
                self._idle[queue] += 1
                self._dry[queue] = -inf

    def can_take(self, agent: int, t: float) -> bool:
        """Whether the agent has capacity and is on shift."""
        return self.free[agent] > 0 and self.shifts.on(self._clocks[agent], t)

    def pick(self, queue: int, order: int, node: int, visit: int, t: float) -> int:
        """An agent that serves the queue now, drawn by the queue's weights among those who can; -1: nobody.

        The first draw is from all agents, and holds if that one can: the same law, without looking at all.
        """
        if not self._idle[queue] or t < self._dry[queue]:
            return -1
        pool = self._network.pools[queue]
        if len(pool.agents) == 1:
            return pool.agents[0] if self.can_take(pool.agents[0], t) else -1
        u = self._stream.uniform(order, node, visit, _AGENT)
        agent = pool.agents[bisect_right(pool.cumulative, u)]
        if self.can_take(agent, t):
            return agent
        return self._pick_among(queue, order, node, visit, t)

    def _pick_among(self, queue: int, order: int, node: int, visit: int, t: float) -> int:
        pool, free, clocks, on = self._network.pools[queue], self.free, self._clocks, self.shifts.on
        able = [i for i, a in enumerate(pool.agents) if free[a] > 0 and on(clocks[a], t)]
        if not able:
            until = self.shifts.until
            self._dry[queue] = min((until[clocks[a]] for a in pool.agents if free[a] > 0), default=-inf)
            return -1
        if len(able) == 1:
            return pool.agents[able[0]]
        sums = list(accumulate(pool.weights[i] for i in able))
        if sums[-1] <= 0.0:
            sums = list(accumulate(1.0 for _ in able))
        u = self._stream.uniform(order, node, visit, _AGENT + REDRAW)
        return pool.agents[able[min(bisect_right(sums, u * sums[-1]), len(able) - 1)]]
