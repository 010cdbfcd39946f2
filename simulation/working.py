"""Work on items: how it begins, progresses, is interrupted and ends, and what is expected of it."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from simulation.agenda import Agenda, Due, Rank
from simulation.crew import Clock, Crew
from simulation.custom import Custom
from simulation.draws import Draws
from simulation.frames import columns_of, frame_of
from simulation.items import ENDED, Item
from simulation.keys import Keys
from simulation.lines import Lines, ScoredLines
from simulation.program import Program
from simulation.session import WORKING, Options
from simulation.streams import Purpose, Stream
from simulation.sums import Sums
from simulation.tables import Table

_WORK = int(Purpose.WORK)
_FINISH = int(Rank.FINISH)


class Working:
    """The lowest part of a session: all that it consists of, and the work of agents on items."""

    def __init__(self, program: Program, stream: Stream, clocks: Sequence[Clock], options: Options) -> None:
        self.program = program
        self.frame = frame_of(program.network)
        self.columns = columns_of(program.orders)
        self.options = options
        self.begin_s = program.begin_s
        self.t = self.begin_s
        """The instant of the last event that did anything, or that was asked for."""
        self.agenda = Agenda(self.t)
        self.draws = Draws(stream, self.frame)
        self.clocks = clocks
        self.crew = Crew(self.frame, self.draws, clocks)
        self.sums = Sums(self.frame, self.t, options.paths)
        self.custom = Custom(program) if self.frame.python else None
        self.keys = Keys(program, self.frame, self.columns, self._left_now, self._ask)
        averaged = self.frame.averaged
        self.lines = ScoredLines(self.frame, self.keys.scores) if averaged else Lines(self.frame)
        self.ended: list[Item] = []
        """Items that were begun and have ended, if there is to be a log."""
        self._logged = options.log
        self._estimated = self.frame.estimated
        self.load = [0] * self.frame.n_queues
        """Per queue: items that wait or are worked on."""
        self.micros = [0] * self.frame.n_queues
        """Per queue: expected remaining work of what waits, in whole microseconds."""

    # What is expected.

    def law_in(self, item: Item, queue: int) -> Table:
        """The item's law if it waits in a queue: of who worked on it, else of the queue's first agent."""
        if item.law is not None:
            return item.law
        journey = item.journey
        return item.task.law_of(journey.cls, journey.segment, self.frame.line_agents[queue][0])

    def progress(self, item: Item, t: float) -> float:
        """Work done on an item since `since`."""
        agent = item.agent
        if agent < 0:
            return t - item.since
        worked_s = self.clocks[self.frame.clocks[agent]].between(item.since, t)
        return worked_s / len(self.crew.working[agent]) if self.frame.shared[agent] else worked_s

    def _left_now(self, item: Item, t: float) -> float:
        """Expected remaining work of an item that waits or is worked on."""
        if item.status != WORKING:
            return item.rest
        assert item.law is not None
        return item.beyond(item.law, item.done + self.progress(item, t))

    def _ask(self, item: Item, t: float) -> float:
        assert self.custom is not None
        return self.custom.key(item, t)

    # Waiting.

    def _appraise(self, item: Item, t: float) -> None:
        """Find the item's key, on joining its queue or when interrupted."""
        if self._estimated[item.queue]:
            item.rest = rest = item.beyond(self.law_in(item, item.queue), item.done)
            item.micro = round(rest * 1e6)
        self.keys.find(item, t)

    def _put(self, line: int, item: Item, t: float) -> None:
        self.sums.wait(item.queue, 1, t)
        self.micros[item.queue] += item.micro
        self.lines.put(line, item)

    def _take(self, item: Item, t: float) -> None:
        self.sums.wait(item.queue, -1, t)
        self.micros[item.queue] -= item.micro
        self.lines.remove(item)

    # Working.

    def _begin(self, item: Item, agent: int, t: float) -> None:
        """Work on the item begins; when it ends is known at once, however often shifts interrupt it."""
        journey, task = item.journey, item.task
        law = task.law_of(journey.cls, journey.segment, agent)
        if item.law is None:
            item.start = t
            item.left = self._draw(law, item)
            self.sums.started[task.node] += 1
            self.sums.wait_s[task.node] += t - item.enabled
        else:
            if item.agent != agent:
                total = item.done + item.left
                share = item.done / total if total > 0.0 else 0.0
                total = self._draw(law, item)
                item.done = share * total
                item.left = total - item.done
            item.left += self.frame.penalty_s
        item.law = law
        item.agent = agent
        self._work_on(item, t)

    def _work_on(self, item: Item, t: float) -> None:
        """The item's agent has it in hand from t on."""
        agent = item.agent
        item.status = WORKING
        item.since = t
        if agent < 0:
            self._finish_at(item, t + item.left)
            return
        self.crew.hold(agent)
        working = self.crew.working[agent]
        if self.frame.shared[agent]:
            self._settle(agent, t)
            working.append(item)
            self._share(agent, t)
        else:
            working.append(item)
            self._finish_at(item, self.clocks[self.frame.clocks[agent]].after(t, item.left))

    def _draw(self, law: Table, item: Item) -> float:
        path = item.journey.path
        known = None if path is None else path.at(item.task.node, item.visit)
        recorded_s = None if known is None else known.work(law, self.program.network.tables)
        if recorded_s is not None:
            return item.scale * recorded_s
        if law.fixed:
            return item.scale * law.xs[0]
        u = self.draws.uniform(item.journey.order, item.task.node, item.visit, _WORK)
        return item.scale * law.draw(u)

    def _finish_at(self, item: Item, end: float) -> None:
        item.stamp += 1
        item.finish = end
        if end < inf:
            self.agenda.of(item, end, _FINISH, self._on_finish)

    def _on_finish(self, event: Due) -> None:
        raise NotImplementedError

    def _settle(self, agent: int, t: float) -> None:
        """Count the progress of all that a shared agent works on, before their number changes."""
        for item in self.crew.working[agent]:
            self._count(item, self.progress(item, t))
            item.since = t

    def _share(self, agent: int, t: float) -> None:
        """All that a shared agent works on ends at another instant, as their number has changed."""
        clock, working = self.clocks[self.frame.clocks[agent]], self.crew.working[agent]
        for item in working:
            self._finish_at(item, clock.after(t, item.left * len(working)))

    def _count(self, item: Item, worked_s: float) -> None:
        item.done += worked_s
        item.left = max(item.left - worked_s, 0.0)
        if item.agent >= 0:
            self.sums.busy_s[item.agent] += worked_s

    def _lay_down(self, item: Item, t: float, *, finished: bool = False) -> None:
        """The item is out of its agent's hands; the agent's place is still taken."""
        agent = item.agent
        item.stamp += 1
        if agent < 0:
            return
        working = self.crew.working[agent]
        shared = self.frame.shared[agent]
        if finished:
            self._count(item, item.left)
            item.since = t
        elif not shared:
            self._count(item, self.progress(item, t))
        if shared:
            self._settle(agent, t)
        working.remove(item)
        if shared:
            self._share(agent, t)

    def _interrupt(self, item: Item, t: float) -> None:
        """Work on the item stops, its agent is free, and it has to wait; in which line isn't said yet."""
        self._lay_down(item, t)
        self.crew.drop(item.agent)
        if self.frame.back:
            item.place, item.again = t, 1

    def _end(self, item: Item, t: float) -> None:
        """The item is done or lost, and forgotten except for the log."""
        item.end = t
        item.status = ENDED
        item.stamp += 1
        item.journey.items.remove(item)
        if self._logged and item.law is not None:
            self.ended.append(item)
