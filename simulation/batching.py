"""Batches: items are collected, released together, and perhaps worked on as one."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, nan

from simulation.agenda import Due, Rank
from simulation.crew import Clock
from simulation.items import Item
from simulation.matching import Matching
from simulation.program import Program
from simulation.session import COLLECTED, FOLLOWING, WAITING, Options
from simulation.streams import Purpose, Stream

_BATCH, _FINISH = int(Rank.BATCH), int(Rank.FINISH)
_SIZE = int(Purpose.SIZE)


class Collector:
    """Where the items of one task wait for each other."""

    __slots__ = (
        "clock",
        "items",
        "law",
        "needed",
        "node",
        "number",
        "per_item",
        "released",
        "simultaneous",
        "stamp",
        "wait_s",
    )

    def __init__(self, program: Program, number: int) -> None:
        batch = program.network.batches[number]
        law = int(batch["law"])
        self.number = number
        self.node = int(batch["node"])
        self.law = None if law < 0 else program.network.tables[law]
        self.clock = int(batch["clock"])
        self.wait_s = float(batch["wait_s"])
        self.per_item = float(batch["per_item"])
        self.simultaneous = bool(batch["simultaneous"])
        self.items: list[Item] = []
        """By the instant since which they are here."""
        self.needed = 0.0
        """So many release the batch."""
        self.released = 0
        """Batches so far."""
        self.stamp = 0
        """Its version, as that of an item."""


class Batching(Matching):
    """The part of a session between the end of a delay and the joining of a queue."""

    def __init__(self, program: Program, stream: Stream, clocks: Sequence[Clock], options: Options) -> None:
        super().__init__(program, stream, clocks, options)
        self.collectors = [Collector(program, i) for i in range(len(program.network.batches))]

    def _arrive(self, item: Item, t: float) -> None:
        """The item's delay is over."""
        if item.task.batch < 0:
            self._join(item, t)
        else:
            self._collect(item, t, t)

    def _collect(self, item: Item, since: float, t: float) -> None:
        """The item waits for others, since an instant not later than now; enough of them are released."""
        collector = self.collectors[item.task.batch]
        item.status, item.since = COLLECTED, since
        collector.items.append(item)
        if len(collector.items) == 1:
            collector.needed = self._needed(collector)
            self._set_alarm(item.task.batch, t)
        if len(collector.items) >= collector.needed:
            self._release(item.task.batch, t)

    def _needed(self, collector: Collector) -> float:
        law = collector.law
        if law is None:
            return inf
        size = law.xs[0]
        if not law.fixed:
            size = law.draw(self.draws.uniform(0, collector.node, collector.released + 1, _SIZE))
        return max(int(size + 0.5), 1)

    def _set_alarm(self, number: int, t: float) -> None:
        """The batch is released when its first item has waited long enough, or at a time of the week."""
        collector = self.collectors[number]
        collector.stamp += 1
        latest = max(collector.items[0].since + collector.wait_s, t)
        when = min(latest, self.clocks[collector.clock].next_start(t))
        self.agenda.at(when, _BATCH, number, collector.stamp, self._on_batch, collector)

    def _on_batch(self, event: Due) -> None:
        collector = event._value
        if event.stamp == collector.stamp:
            self.t = self.agenda.now
            self._release(collector.number, self.t)

    def _release(self, number: int, t: float) -> None:
        """All that was collected is ready."""
        collector = self.collectors[number]
        items, collector.items = collector.items, []
        collector.stamp += 1
        collector.released += 1
        for item in items:
            self.sums.collected_s[collector.node] += t - item.since
        if not collector.simultaneous:
            for item in items:
                self._join(item, t)
            return
        leader, *followers = items
        leader.scale = 1.0 + collector.per_item * len(followers)
        leader.followers = followers
        for item in followers:
            item.status, item.leader = FOLLOWING, leader
            item.ready = item.place = t
        self._join(leader, t)

    # Simultaneous batches go by their first item, the leader.

    def _begin(self, item: Item, agent: int, t: float) -> None:
        """Work on the item begins, and with it that on those that follow it."""
        first = item.law is None
        super()._begin(item, agent, t)
        for other in item.followers:
            other.law, other.agent, other.queue = item.law, agent, item.queue
            if first:
                other.start = t
                self.sums.started[other.task.node] += 1
                self.sums.wait_s[other.task.node] += t - other.enabled

    def _dissolve(self, item: Item, t: float) -> None:
        """The batch that goes by the item is done: each of the others ends at this instant, by itself."""
        for other in item.followers:
            other.leader = None
            other.place, other.again = item.place, item.again
            other.since, other.done, other.left = t, item.done, item.left
            self._finish_at(other, t)
        item.followers = []

    def _leave_batch(self, item: Item, t: float) -> None:
        """The order of an item that is collected, or part of a simultaneous batch, is lost."""
        if item.status == COLLECTED:
            self._uncollect(item, t)
        elif item.status == FOLLOWING:
            assert item.leader is not None
            item.leader.followers.remove(item)
        else:
            self._succeed(item, t)

    def _uncollect(self, item: Item, t: float) -> None:
        collector = self.collectors[item.task.batch]
        first = collector.items[0] is item
        collector.items.remove(item)
        if not collector.items:
            collector.stamp += 1
        elif first:
            self._set_alarm(item.task.batch, t)

    def _succeed(self, item: Item, t: float) -> None:
        """The batch goes by the next of its items from now on, where it is; nothing else changes for it."""
        heir, *others = item.followers
        heir.followers, heir.leader, item.followers = others, None, []
        for other in others:
            other.leader = heir
        for name in ("queue", "agent", "law", "ready", "place", "again", "interrupted"):
            setattr(heir, name, getattr(item, name))
        heir.preemptions, heir.scale = item.preemptions, item.scale
        heir.done, heir.left, heir.since = item.done, item.left, item.since
        if item.status == WAITING:
            self._take(item, t)
            self._appraise(heir, t)
            self._put(self._line(heir), heir, t)
            return
        heir.status = item.status
        if item.agent >= 0:
            working = self.crew.working[item.agent]
            working[working.index(item)] = heir
        self._finish_at(heir, item.finish)
        item.finish = nan
