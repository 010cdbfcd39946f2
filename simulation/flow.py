"""How orders come, move, end and are lost, and how agents come and leave."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isnan, nan

import numpy as np

from simulation.agenda import Due, Rank
from simulation.batching import Batching
from simulation.crew import Clock
from simulation.frames import TaskFrame
from simulation.items import Item
from simulation.opening import Opening, opening
from simulation.program import Kind, Program
from simulation.recorded import paths_of
from simulation.session import COLLECTED, DELAYED, FOLLOWING, WAITING, WORKING, Options
from simulation.streams import Purpose, Stream
from simulation.tokens import MAX_STEPS, Journey, advance

_DELAY = int(Purpose.DELAY)
_READY, _RELEASE, _LOSS = int(Rank.READY), int(Rank.RELEASE), int(Rank.LOSS)
_PRESENCE = int(Rank.PRESENCE)
_TASK = int(Kind.TASK)


class Flow(Batching):
    """The upper part of a session: orders, and what isn't decided by anybody."""

    def __init__(self, program: Program, stream: Stream, clocks: Sequence[Clock], options: Options) -> None:
        super().__init__(program, stream, clocks, options)
        self.paces = [plan.clock() for plan in program.network.paces]
        self._paths = paths_of(program.orders)
        self.journeys: dict[int, Journey] = {}
        """Open orders."""
        self.completed = [nan] * len(program.orders)
        self.lost = [nan] * len(program.orders)
        first = len(program.standing)
        releases = np.maximum(program.orders.table["release_s"][first:], self.t)
        self.coming: list[int] = (np.argsort(releases, kind="stable") + first).tolist()
        """Orders still to come when the run begins, as they come."""
        self.came = 0
        """How many of them have come."""
        self.released = False
        """An order has come since this was reset."""
        self._serial = 0
        self._open(opening(program, stream))
        self._await_next()

    # Orders come, and go.

    def _open(self, found: Opening) -> None:
        """Put the state's orders in their places."""
        t = self.t
        for agent, present in enumerate(found.present.tolist()):
            self.crew.attend(agent, bool(present))
        for i in range(found.presence, len(self.program.network.presence)):
            when = float(self.program.network.presence["t"][i])
            self.agenda.at(when, _PRESENCE, i, 0, self._on_presence, i)
        for row, visits, merged in zip(found.journeys, found.visits, found.merged, strict=True):
            order = int(row["order"])
            if not row["tokens"]:
                self.completed[order] = t
                continue
            journey = self._journey(order, t)
            journey.tokens, journey.steps = int(row["tokens"]), int(row["steps"])
            journey.history = int(row["history"])
            journey.visits, journey.merged = visits.tolist(), merged.tolist()
        if found.released is not None:
            for collector, n in zip(self.collectors, found.released.tolist(), strict=True):
                collector.released = n
        items: list[Item] = []
        for record in found.items:
            items.append(self._placed(record, items))
        waiting = [item for item in items if item.status == WAITING]
        for item in sorted(waiting, key=lambda i: (i.ready, i.journey.order, i.serial)):
            if not item.task.queues:
                self._begin(item, -1, t)
                continue
            if item.queue < 0:
                item.queue = self._choose(item, t)
            self.load[item.queue] += 1
            self._appraise(item, t)
            self._put(self._line(item), item, t)
        self._match(range(len(self.frame.line_agents)), t)
        collected = [item for item in items if item.status == COLLECTED]
        for item in sorted(collected, key=lambda i: (i.since, i.journey.order, i.serial)):
            self._collect(item, item.since, t)

    def _placed(self, row: np.void, before: Sequence[Item]) -> Item:
        """An item of the state; what is worked on or delayed goes on. `before`: those with lower serials."""
        task = self.frame.tasks[row["node"]]
        assert task is not None
        journey = self.journeys[int(row["order"])]
        item = self._item(journey, task, int(row["visit"]), float(row["enabled_s"]))
        item.after, item.status = int(row["after"]), int(row["status"])
        item.preemptions = int(row["preemptions"])
        item.ready, item.start = float(row["ready_s"]), float(row["start_s"])
        if item.status == DELAYED:
            self.agenda.of(item, item.ready, _READY, self._on_ready)
        elif item.status == COLLECTED:
            item.since = float(row["since_s"])
        else:
            item.place, item.again = float(row["place_s"]), int(row["again"])
            item.queue, item.agent = int(row["queue"]), int(row["agent"])
            item.scale = float(row["scale"])
        if not isnan(item.start):
            item.done, item.left = float(row["done_s"]), float(row["left_s"])
            item.agent = int(row["agent"])
            item.law = task.law_of(journey.cls, journey.segment, item.agent)
        if row["leader"] >= 0:
            item.leader, item.status = before[int(row["leader"])], FOLLOWING
            item.leader.followers.append(item)
        elif item.status == WORKING:
            if item.queue >= 0:
                self.load[item.queue] += 1
                self.keys.find(item, self.t)
            self._work_on(item, self.t)
            if not isnan(float(row["finish_s"])):
                self._finish_at(item, float(row["finish_s"]))
        return item

    def _journey(self, order: int, t: float) -> Journey:
        columns = self.columns
        journey = Journey(
            self.frame,
            order,
            columns.cls[order],
            columns.segment[order],
            columns.ruled[order] if columns.ruled else (),
            self._paths.of(order),
        )
        self.journeys[order] = journey
        self.sums.order(1, t)
        if columns.lost[order] < inf:
            self.agenda.at(max(columns.lost[order], t), _LOSS, order, 0, self._on_loss, journey)
        return journey

    def _await_next(self) -> None:
        if self.came < len(self.coming):
            order = self.coming[self.came]
            when = max(self.columns.release[order], self.begin_s)
            self.agenda.at(when, _RELEASE, order, 0, self._on_release, order)

    def _on_release(self, event: Due) -> None:
        self.t = t = self.agenda.now
        self.released = True
        self.came += 1
        journey = self._journey(event._value, t)
        self._await_next()
        self._move(journey, self.program.network.start, t)

    def _on_loss(self, event: Due) -> None:
        journey, t = event._value, self.agenda.now
        if not journey.tokens:
            return
        self.t = t
        journey.tokens = 0
        self.lost[journey.order] = t
        self._close(journey, t)
        agents = []
        for item in list(journey.items):
            if item.status in (COLLECTED, FOLLOWING) or item.followers:
                self._leave_batch(item, t)
            elif item.status == WAITING:
                self._take(item, t)
                self.load[item.queue] -= 1
            elif item.status == WORKING:
                self._lay_down(item, t)
                agents.append(item.agent)
                if item.queue >= 0:
                    self.load[item.queue] -= 1
            self._end(item, t)
        for agent in agents:
            if agent >= 0:
                self._free(agent, t)

    def _close(self, journey: Journey, t: float) -> None:
        del self.journeys[journey.order]
        self.sums.order(-1, t)

    # Tokens move.

    def _move(self, journey: Journey, node: int, t: float) -> None:
        """A token reaches `node` and goes on to the tasks behind it."""
        frame = self.frame
        if frame.kinds[node] == _TASK and journey.steps < MAX_STEPS:
            journey.steps += 1
            column = frame.visit[node]
            visit = journey.visits[column] = journey.visits[column] + 1
            self._enable(journey, node, visit, t)
            return
        reached = advance(frame, journey, node, self.draws, self.program.orders.ids)
        for task, visit in reached:
            self._enable(journey, task, visit, t)
        if not journey.tokens:
            self.completed[journey.order] = t
            self._close(journey, t)

    def _item(self, journey: Journey, task: TaskFrame, visit: int, enabled_s: float) -> Item:
        item = Item(self._serial, journey, task, visit, enabled_s)
        self._serial += 1
        journey.items.append(item)
        return item

    def _enable(self, journey: Journey, node: int, visit: int, t: float) -> None:
        frame = self.frame
        task = frame.tasks[node]
        assert task is not None
        item, ready = self._item(journey, task, visit, t), t
        item.after = journey.history % frame.base
        if task.delay >= 0:
            law = frame.delays[task.delay + item.after * task.delay_after]
            known = None if journey.path is None else journey.path.at(node, visit)
            delay_s = law.xs[0]
            if known is not None and not isnan(known.delay_s):
                delay_s = known.delay_s
            elif not law.fixed:
                delay_s = law.draw(self.draws.uniform(journey.order, node, visit, _DELAY))
            if task.pace >= 0:
                ready = self.paces[task.pace].after(t, delay_s)
            else:
                ready = (self.columns.release[journey.order] if task.aged else t) + delay_s
        ready = max(ready, self.columns.material_of(journey.order, task))
        if ready > t:
            item.ready = ready
            self.agenda.of(item, ready, _READY, self._on_ready)
            return
        self._arrive(item, t)

    def _on_ready(self, event: Due) -> None:
        item = event._value
        if event.stamp == item.stamp:
            self.t = self.agenda.now
            self._arrive(item, self.t)

    def _on_finish(self, event: Due) -> None:
        item = event._value
        if event.stamp != item.stamp:
            return
        self.t = t = self.agenda.now
        agent, journey, frame, sums = item.agent, item.journey, self.frame, self.sums
        following = item.status == FOLLOWING
        if not following:
            self._lay_down(item, t, finished=True)
            self._dissolve(item, t)
        self._end(item, t)
        sums.executions += 1
        journey.history = (journey.history * frame.base + item.task.code) % frame.span
        if agent >= 0:
            sums.finished[agent] += 1
        if item.queue >= 0 and not following:
            self.load[item.queue] -= 1
        if agent < 0 or following:
            self._move(journey, item.task.next, t)
            return
        waiting = self.lines.waiting
        for line in frame.agent_lines[agent]:
            if waiting[line]:  # what the order goes on to must not pass those who wait for this agent
                self._move(journey, item.task.next, t)
                self._free(agent, t)
                return
        self.crew.drop(agent)
        self._move(journey, item.task.next, t)

    # Agents come, and leave.

    def _on_presence(self, event: Due) -> None:
        record, self.t = self.program.network.presence[event._value], self.agenda.now
        agent, present = int(record["agent"]), bool(record["present"])
        if self.crew.present[agent] == present:
            return
        self.crew.attend(agent, present)
        if present:
            self._come(agent, self.t)
        else:
            self._leave(agent, self.t)

    def _leave(self, agent: int, t: float) -> None:
        """Hand over what the agent has in hand, and what waits where nobody is left."""
        handed = list(self.crew.working[agent])
        for item in handed:
            self._interrupt(item, t)
        waiting = []
        if self.frame.same_agent:
            waiting += self.lines.items(self.frame.n_queues + agent)
        for queue in self.frame.agent_queues[agent]:
            if not self.crew.attended(queue):
                waiting += self.lines.items(queue)
        for item in waiting:
            self._take(item, t)
        self._reassign(handed + waiting, t)

    def _come(self, agent: int, t: float) -> None:
        """Take over what waits where nobody is, then whatever the agent can."""
        attended = self.crew.attended
        waiting = [
            item
            for queue in range(self.frame.n_queues)
            if self.lines.waiting[queue] and not attended(queue)
            for item in self.lines.items(queue)
            if any(attended(q) for q in item.task.queues)
        ]
        for item in waiting:
            self._take(item, t)
        self._reassign(waiting, t)
        self._match(self.frame.agent_lines[agent], t)

    def _reassign(self, items: list[Item], t: float) -> None:
        """Items that are in nobody's hands and no line choose a queue, as far as one is attended."""
        for item in items:
            self.load[item.queue] -= 1
        for item in items:
            if any(self.crew.attended(q) for q in item.task.queues):
                if not self._keeps_agent(item):
                    item.queue = self._choose(item, t)
                self.load[item.queue] += 1
                self._offer(item, t)
            else:
                self.load[item.queue] += 1
                self._appraise(item, t)
                self._put(item.queue, item, t)
