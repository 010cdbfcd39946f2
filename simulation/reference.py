"""The SimPy engine: readable, and with docs/simulation.md it says what a program means."""

from __future__ import annotations

from copy import deepcopy
from heapq import heappop
from math import inf, isnan
from typing import Any

import numpy as np

from metagraph.errors import DataError, UsageError
from simulation.agenda import Rank
from simulation.batching import Collector
from simulation.continued import began_s
from simulation.crew import Always
from simulation.flow import Flow
from simulation.items import Item
from simulation.program import Floats, Ints, Program, Rule
from simulation.run import Run, Stopped, floats, frozen, ints
from simulation.session import DELAYED, WAITING, WORKING, Options, Snapshot
from simulation.steering import refuse_batch
from simulation.streams import Stream
from simulation.taking import journeys_of, live_of, log_of
from simulation.tokens import Journey

_READY = int(Rank.READY)
_PLAIN = Options()


def run(
    program: Program,
    seed: int,
    replication: int = 0,
    until_s: float | None = None,
    options: Options = _PLAIN,
) -> Run:
    """Simulate the program once, to its end or up to and including `until_s`.

    The same program, seed and replication give the same result. Raises DataError for an order that never gets
    out of a loop, and for a policy written in Python that fails.
    """
    going = session(program, seed, replication, options)
    going.run_to(inf if until_s is None else until_s)
    return going.result(until_s if going.now_s == until_s or not going.limited else None)


def session(program: Program, seed: int, replication: int = 0, options: Options = _PLAIN) -> Reference:
    """A run at its beginning."""
    return Reference(program, seed, replication, options)


class Reference(Flow):
    """One run, as simulation.session.Session describes it. Everything happens in callbacks of the agenda;
    agents act when they get free, come, or come on shift, never by being asked in between."""

    def __init__(self, program: Program, seed: int, replication: int, options: Options) -> None:
        stream = Stream(seed, replication, antithetic=options.antithetic)
        plans, begin_s = program.network.clocks, began_s(program)
        clocks = [Always() if plan is None else plan.clock(stream, begin_s) for plan in plans]
        self._limit: Stopped | None = None
        """The one at which the run stopped."""
        super().__init__(program, stream, clocks, options)

    @property
    def now_s(self) -> float:
        return self.t

    @property
    def limited(self) -> bool:
        """Whether a limit has ended the run."""
        return self._limit is not None

    # Going on.

    def run_to(self, until_s: float, *, pause_on_release: bool = False) -> bool:
        """See Session."""
        if self._limit:
            return False
        entries, step, n = self.agenda.entries, self.agenda.step, len(self.coming)
        journeys, sums, limits = self.journeys, self.sums, self.options.limits
        most_open = limits.most_open(self.program)
        stop_s, self.released = until_s, False
        while journeys or self.came < n:
            if not entries or entries[0][0] > stop_s:
                break
            if sums.executions >= limits.executions or sums.open > most_open:
                if self.next_s() > stop_s:
                    break
                self._limit = "executions" if sums.executions >= limits.executions else "open orders"
                return False
            step()
            if pause_on_release and self.released:
                stop_s = min(self.t, stop_s)
        else:
            return False
        if until_s < inf and not (pause_on_release and self.released):
            self.t = max(self.t, until_s)
        return self.next_s() < inf

    def next_s(self) -> float:
        """See Session."""
        if self._limit or not (self.journeys or self.came < len(self.coming)):
            return inf
        entries = self.agenda.entries
        while entries:
            at_s, _, stamp, event = entries[0]
            about = event._value
            over = not about.tokens if isinstance(about, Journey) else False
            if not over and not (isinstance(about, (Item, Collector)) and about.stamp != stamp):
                return float(at_s)
            heappop(entries)
        return inf

    # Being looked at.

    def _live(self) -> list[Item]:
        items = [item for journey in self.journeys.values() for item in journey.items]
        return sorted(items, key=lambda item: item.serial)

    def snapshot(self) -> Snapshot:
        """See Session."""
        t, items = self.t, self._live()
        shown = [item.leader or item for item in items]
        progress = [self.progress(item, t) if item.status == WORKING else 0.0 for item in shown]
        journeys = [self.journeys[order] for order in sorted(self.journeys)]
        network = self.program.network
        return Snapshot(
            at_s=t,
            items=live_of(items, t, progress),
            journeys=journeys_of(journeys),
            visits=ints(np.reshape([j.visits for j in journeys], (len(journeys), network.visits))),
            merged=ints(np.reshape([j.merged for j in journeys], (len(journeys), network.merges))),
            present=ints(self.crew.present),
            released=ints([collector.released for collector in self.collectors]),
        )

    def result(self, until_s: float | None = None) -> Run:
        """See Session. Raises UsageError for an end before now."""
        end_s = self.t if until_s is None else until_s
        if end_s < self.t:
            raise UsageError(f"the run is at {self.t:g} s: it can't be counted to {end_s:g} s, which is over")
        live, options = self._live(), self.options
        under_way = [
            (item.agent, self.progress(item, end_s))
            for item in live
            if item.status == WORKING and item.agent >= 0
        ]
        on_s = [self.clocks[clock].between(self.begin_s, end_s) for clock in self.frame.clocks]
        begun = [item for item in live if item.law is not None]
        return Run(
            program=self.program,
            engine="reference",
            log=log_of([*self.ended, *begun]) if options.log else None,
            tally=self.sums.tally(end_s, under_way, on_s),
            completed_s=floats(self.completed),
            lost_s=floats(self.lost),
            begin_s=self.begin_s,
            until_s=end_s,
            stopped=self._limit or ("end" if self.next_s() == inf else "horizon"),
            paths=self.sums.paths(),
        )

    # Being steered.

    def fork(self) -> Reference:
        """See Session."""
        shared = [
            self.clocks,
            self.draws,
            self.paces,
            self.coming,
            self.options,
            self.keys.ranks,
            self._assigned,
            self._designated,
            *self.ended,
            *(item.law for item in self._live()),
        ]
        memo: dict[int, Any] = {id(thing): thing for thing in shared}
        memo[id(self.ended)] = list(self.ended)
        return deepcopy(self, memo)

    def reschedule(self, ranks: Floats, assigned: Ints) -> None:
        """See Session. Raises UsageError if no queue is ordered by ranks, or for arrays of another shape."""
        shape = (len(self.program.orders), self.program.network.tasks)
        if Rule.RANK not in self.frame.rules:
            raise UsageError("no queue is ordered by a schedule's ranks: give the run a policy with RANK")
        if ranks.shape != shape or assigned.shape != shape:
            raise UsageError(
                f"the new schedule has ranks {ranks.shape} and queues {assigned.shape}: "
                f"both are [order, task], which is {shape} here"
            )
        t, lines = self.t, self.lines
        self.keys.ranks, self._assigned = frozen(ranks.copy()), frozen(assigned.copy())
        for line in range(len(self.frame.line_agents)):
            for item in lines.items(line):
                lines.remove(item)
                self.keys.find(item, t)
                lines.put(line, item)
        for item in self._live():
            if item.status == WORKING and item.queue >= 0:
                self.keys.find(item, t)
        moving = [
            item
            for queue in range(self.frame.n_queues)
            for item in lines.items(queue)
            if int(assigned[item.journey.order, item.task.number]) not in (-1, queue)
        ]
        for item in moving:
            self._take(item, t)
            self.load[item.queue] -= 1
        for item in moving:
            item.queue = self._choose(item, t)
            self.load[item.queue] += 1
            self._appraise(item, t)
            self._put(self._line(item), item, t)
        self._match(range(len(self.frame.line_agents)), t)

    def announce(self, order: int, node: int, eta_s: float) -> None:
        """See Session."""
        refuse_batch(self.program, node)
        item, t = self._told_of(order, node), self.t
        eta_s = max(eta_s, t, self._material(item))
        if not item.task.queues:
            if item.status == DELAYED:
                self._join(item, t)
            self._count(item, self.progress(item, t))
            item.since, item.left = t, eta_s - t
            self._finish_at(item, eta_s)
            return
        if item.status == WAITING:
            if eta_s <= t:
                return
            self._take(item, t)
            self.load[item.queue] -= 1
            item.status, item.queue, item.again = DELAYED, -1, 0
        item.ready = eta_s
        item.stamp += 1
        self.agenda.of(item, item.ready, _READY, self._on_ready)

    def _material(self, item: Item) -> float:
        """When what an item needs is there; minus infinity if it has begun."""
        return self.columns.material_of(item.journey.order, item.task) if isnan(item.start) else -inf

    def _told_of(self, order: int, node: int) -> Item:
        """The first live item of the order at the node that no agent works on."""
        journey = self.journeys.get(order)
        items = [] if journey is None else [i for i in journey.items if i.task.node == node]
        for item in items:
            if item.status != WORKING or item.agent < 0:
                return item
        name, where = self.program.orders.ids[order], self.program.network.node_ids[node]
        why = "is already worked on there" if items else "isn't there"
        raise DataError(f"an end was announced for order {name} at task {where!r}, but it {why}")
