"""Sums over a run, changed event by event; docs/simulation.md says when, so that both engines add alike."""

from __future__ import annotations

from simulation.frames import Frame
from simulation.run import Paths, Tally, floats, ints, longs


class Sums:
    """What becomes the tally of a run."""

    __slots__ = (
        "_changed",
        "_longest",
        "_paths",
        "_waiting_s",
        "_wip_changed",
        "_wip_most",
        "_wip_s",
        "busy_s",
        "collected_s",
        "executions",
        "finished",
        "open",
        "preempted",
        "started",
        "wait_s",
        "waiting",
    )

    def __init__(self, frame: Frame, begin_s: float, paths: bool) -> None:
        nodes, queues, agents = len(frame.kinds), frame.n_queues, len(frame.clocks)
        self.started = [0] * nodes
        self.wait_s = [0.0] * nodes
        self.collected_s = [0.0] * nodes
        self.busy_s = [0.0] * agents
        self.finished = [0] * agents
        self.preempted = [0] * agents
        self.executions = 0
        self.waiting = [0] * queues
        """Items that wait now, those in agents' own lines included."""
        self._waiting_s = [0.0] * queues
        self._longest = [0] * queues
        self._changed = [begin_s] * queues
        self.open = 0
        """Orders."""
        self._wip_s = 0.0
        self._wip_most = 0
        self._wip_changed = begin_s
        self._paths: list[tuple[float, int, int]] | None = [] if paths else None

    def wait(self, queue: int, change: int, t: float) -> None:
        """One item more (1) or less (-1) waits in the queue."""
        n, last = self.waiting[queue], self._changed[queue]
        if t > last:
            self._waiting_s[queue] += n * (t - last)
            self._longest[queue] = max(self._longest[queue], n)
            self._changed[queue] = t
        self.waiting[queue] = n + change
        if self._paths is not None:
            self._paths.append((t, queue, n + change))

    def order(self, change: int, t: float) -> None:
        """One order more (1) or less (-1) is open."""
        if t > self._wip_changed:
            self._wip_s += self.open * (t - self._wip_changed)
            self._wip_most = max(self._wip_most, self.open)
            self._wip_changed = t
        self.open += change

    def tally(self, until_s: float, under_way: list[tuple[int, float]], on_s: list[float]) -> Tally:
        """The sums to `until_s`; `under_way` are (agent, progress) that no event counted, by serial."""
        waiting_s, longest, busy_s = list(self._waiting_s), list(self._longest), list(self.busy_s)
        for queue, (n, last) in enumerate(zip(self.waiting, self._changed, strict=True)):
            if until_s > last:
                waiting_s[queue] += n * (until_s - last)
                longest[queue] = max(longest[queue], n)
        wip_s, wip_most = self._wip_s, self._wip_most
        if until_s > self._wip_changed:
            wip_s += self.open * (until_s - self._wip_changed)
            wip_most = max(wip_most, self.open)
        for agent, progress in under_way:
            busy_s[agent] += progress
        return Tally(
            started=longs(self.started),
            wait_s=floats(self.wait_s),
            collected_s=floats(self.collected_s),
            busy_s=floats(busy_s),
            on_s=floats(on_s),
            finished=longs(self.finished),
            preempted=longs(self.preempted),
            waiting_s=floats(waiting_s),
            longest=longs(longest),
            wip_s=wip_s,
            wip_most=wip_most,
            executions=self.executions,
        )

    def paths(self) -> Paths | None:
        """The changes of `waiting` so far, if they are kept."""
        if self._paths is None:
            return None
        times, queues, waiting = zip(*self._paths, strict=True) if self._paths else ((), (), ())
        return Paths(floats(times), ints(queues), ints(waiting))
