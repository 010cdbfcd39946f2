"""Who takes what: items choose queues and are offered, agents take what waits, the urgent interrupts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf

from simulation.agenda import Due, Rank
from simulation.crew import Clock
from simulation.custom import QueueView
from simulation.items import Item
from simulation.lines import position
from simulation.program import Assign, Program
from simulation.session import Options
from simulation.streams import Purpose, Stream
from simulation.working import Working

_QUEUE = int(Purpose.QUEUE)
_SHIFT = int(Rank.SHIFT)
_JFQ, _JAQ, _JDQ = int(Assign.JFQ), int(Assign.JAQ), int(Assign.JDQ)


class Matching(Working):
    """The middle part of a session: the meeting of items and agents."""

    def __init__(self, program: Program, stream: Stream, clocks: Sequence[Clock], options: Options) -> None:
        super().__init__(program, stream, clocks, options)
        orders = program.orders
        self._awake = [False] * len(self.clocks)
        """Per clock: whether its next coming on is on the agenda."""
        self._assigned = orders.assigned
        """A schedule's queues, [order, task]."""
        self._designated = orders.designated

    # Items choose queues.

    def _choose(self, item: Item, t: float) -> int:
        """The queue that the item joins."""
        queues: Sequence[int] = item.task.queues
        if len(queues) == 1:
            return queues[0]
        attended = self.crew.attended
        queues = [q for q in queues if attended(q)] or queues
        order, named = item.journey.order, -1
        if self._assigned is not None:
            named = int(self._assigned[order, item.task.number])
        if named in queues:
            return named
        if self.custom is not None and self.custom.chooses:
            return self._ask_queue(item, queues, t)
        assign = self.frame.assign
        if assign == _JDQ and self._designated is not None:
            queues = [q for q in queues if self._designated[order, q]] or queues
        if assign == _JFQ:
            queues = _least(queues, [self._response_s(item, q, t) for q in queues])
        elif assign != _JAQ:
            queues = _least(queues, [self.load[q] for q in queues])
        if len(queues) == 1:
            return queues[0]
        path = item.journey.path
        known = None if path is None else path.at(item.task.node, item.visit)
        if known is not None and known.queue in queues:
            return known.queue
        return queues[int(self.draws.uniform(order, item.task.node, item.visit, _QUEUE) * len(queues))]

    def _response_s(self, item: Item, queue: int, t: float) -> float:
        """How long the item has to expect to be in the queue."""
        work_s = self.micros[queue] * 1e-6
        present, here = self.crew.present, 0
        for agent in self.frame.line_agents[queue]:
            here += present[agent]
            for other in self.crew.working[agent]:
                work_s += self._left_now(other, t)
        return work_s / max(here, 1) + item.beyond(self.law_in(item, queue), item.done)

    def _ask_queue(self, item: Item, queues: Sequence[int], t: float) -> int:
        assert self.custom is not None
        item.rest = item.beyond(self.law_in(item, queues[0]), item.done)
        views = [
            QueueView(
                index=q,
                id=self.program.network.queue_ids[q],
                load=self.load[q],
                waiting=self.sums.waiting[q],
                work_s=self.micros[q] * 1e-6,
                expected_s=item.beyond(self.law_in(item, q), item.done),
            )
            for q in queues
        ]
        return self.custom.queue(item, views, t)

    # Items are offered.

    def _join(self, item: Item, t: float) -> None:
        """The item is ready: work on it begins at once if anybody can, else it waits."""
        item.ready = item.place = t
        item.again = 0
        if not item.task.queues:
            self._begin(item, -1, t)
            return
        if item.queue < 0 or not self._keeps_agent(item):
            item.queue = self._choose(item, t)
        self.load[item.queue] += 1
        self._offer(item, t)

    def _keeps_agent(self, item: Item) -> bool:
        """Whether the item waits for the one agent who began it."""
        return (
            self.frame.same_agent
            and item.law is not None
            and item.agent >= 0
            and self.crew.present[item.agent]
        )

    def _line(self, item: Item) -> int:
        return self.frame.n_queues + item.agent if self._keeps_agent(item) else item.queue

    def _offer(self, item: Item, t: float) -> None:
        """The item has joined its queue: whatever is first there now is begun if that can be."""
        self._appraise(item, t)
        line = self._line(item) if self.frame.same_agent else item.queue
        if self.sums.waiting[item.queue]:
            self._put(line, item, t)
            first = self.lines.first((line,), t)
            assert first is not None
            if self._hand(line, first, t):
                return
            item = first
        else:  # it is first, and need not be put in to be taken out again
            agent = self.crew.pick(line, item, t)
            if agent >= 0:
                self._begin(item, agent, t)
                return
            self._put(line, item, t)
        if not self._contest(line, item, t):
            self._wake(line, t)

    def _hand(self, line: int, item: Item, t: float) -> bool:
        """Give what is first in the line to an agent who can take it; whether there is one."""
        agent = self.crew.pick(line, item, t)
        if agent < 0:
            return False
        self._take(item, t)
        self._begin(item, agent, t)
        return True

    def _contest(self, line: int, item: Item, t: float) -> bool:
        """Let what is first in the line interrupt less urgent work; whether there is any."""
        if not self.frame.preemption or item.interrupted == t:
            return False
        victim = self._victim_by_score(line, item, t) if self.frame.averaged else self._victim(line, item, t)
        if victim is None:
            return False
        agent = victim.agent
        victim.preemptions += 1
        self.sums.preempted[agent] += 1
        self._interrupt(victim, t)
        victim.interrupted = t
        self._appraise(victim, t)
        back = self._line(victim)
        self._put(back, victim, t)
        self._take(item, t)
        self._begin(item, agent, t)
        first = self.lines.first((back,), t)
        if first is not None and not self._hand(back, first, t):
            self._wake(back, t)
        return True

    def _candidates(self, line: int, t: float) -> list[Item]:
        """What may be interrupted for the line."""
        cap, clocks, on = self.frame.cap, self.frame.clocks, self.crew.shifts.on
        working = self.crew.working
        return [
            item
            for agent in self.frame.line_agents[line]
            if working[agent] and on(clocks[agent], t)
            for item in working[agent]
            if item.task.preemptible and item.preemptions < cap
        ]

    def _victim(self, line: int, item: Item, t: float) -> Item | None:
        """The last of the candidates, if the item goes before it."""
        now, mine = self.keys.now, item.key
        found, last = None, None
        for other in self._candidates(line, t):
            key = now(other, t)
            if mine < key:
                place = (key, *position(other)[1:])
                if last is None or place > last:
                    found, last = other, place
        return found

    def _victim_by_score(self, line: int, item: Item, t: float) -> Item | None:
        """The candidate with the lowest score, if the item's is higher, of all there."""
        candidates = self._candidates(line, t)
        if not candidates:
            return None
        items = self.lines.members(line)
        for agent in self.frame.line_agents[line]:
            items += self.crew.working[agent]
        scores = dict(zip((i.serial for i in items), self.keys.scores(items, t), strict=True))
        victim = max(candidates, key=lambda i: (-scores[i.serial], *position(i)[1:]))
        return victim if scores[item.serial] > scores[victim.serial] else None

    # Agents take what waits.

    def _free(self, agent: int, t: float) -> None:
        """The agent has a free place more, and takes the first that waits for it."""
        self.crew.drop(agent)
        lines, crew = self.frame.agent_lines[agent], self.crew
        while crew.free[agent] > 0 and crew.present[agent]:
            item = self.lines.first(lines, t)
            if item is None:
                return
            if not crew.can_take(agent, t):
                self._wake_clock(self.frame.clocks[agent], t)
                return
            self._take(item, t)
            self._begin(item, agent, t)

    def _wake(self, line: int, t: float) -> None:
        """Something waits: see to it that those who are off shift are there when theirs begins."""
        for clock in self.frame.line_clocks[line]:
            self._wake_clock(clock, t)

    def _wake_clock(self, clock: int, t: float) -> None:
        shifts = self.crew.shifts
        if not self._awake[clock] and not shifts.on(clock, t) and shifts.until[clock] < inf:
            self._awake[clock] = True
            self.agenda.at(shifts.until[clock], _SHIFT, clock, 0, self._on_shift, clock)

    def _on_shift(self, event: Due) -> None:
        clock, t = event._value, self.agenda.now
        self._awake[clock] = False
        lines = self.frame.clock_lines[clock]
        if any(self.lines.waiting[line] for line in lines):
            self.t = t
            self._match(lines, t)

    def _match(self, lines: Iterable[int], t: float) -> None:
        """Give what waits in these lines to whoever can take it, item by item."""
        open_lines = list(lines)
        while True:
            item = self.lines.first(open_lines, t)
            if item is None:
                return
            line = item.line
            if not self._hand(line, item, t) and not self._contest(line, item, t):
                open_lines.remove(line)
                self._wake(line, t)


def _least(queues: Sequence[int], values: Sequence[float]) -> list[int]:
    least = min(values)
    return [queue for queue, value in zip(queues, values, strict=True) if value == least]
