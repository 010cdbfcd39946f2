"""The SimPy engine: readable, and what it does defines what a program means."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isnan

from simpy import Event

from metagraph.calendars import WorkClock
from simulation.agenda import Agenda, Rank
from simulation.crew import Crew
from simulation.lines import Item, Lines
from simulation.program import Program
from simulation.run import Run, run_of
from simulation.streams import Purpose, Stream
from simulation.tables import Table
from simulation.tokens import Journey, advance, routed

_WORK, _DELAY, _QUEUE = int(Purpose.WORK), int(Purpose.DELAY), int(Purpose.QUEUE)
_FINISH, _READY = int(Rank.FINISH), int(Rank.READY)


def run(program: Program, seed: int, replication: int = 0, until_s: float | None = None) -> Run:
    """Simulate the program once, to its end or up to and including `until_s`.

    The same program, seed and replication give the same result. Raises DataError for an order that never
    gets out of a loop.
    """
    engine = _Engine(program, Stream(seed, replication))
    begin_s = engine.agenda.now
    engine.begin()
    engine.agenda.run_to(inf if until_s is None else until_s)
    end_s = engine.agenda.now if until_s is None else until_s
    return run_of(program, engine.items, engine.completed, engine.left, begin_s, end_s)


class _Engine:
    """One run. Everything happens in callbacks of the agenda; agents act when they get free or come on
    shift, never by being asked in between."""

    def __init__(self, program: Program, stream: Stream) -> None:
        releases = [order.release_s for order in program.orders[len(program.standing) :]]
        first = program.at_s if program.at_s is not None else min(releases, default=0.0)
        self.program = program
        self.network = program.network
        self.stream = stream
        self.agenda = Agenda(first)
        self.crew = Crew(program.network, stream)
        self.lines = Lines(program)
        self.items: list[Item] = []
        self.completed: dict[int, float] = {}
        self.left: dict[int, float] = {}
        """When orders were lost."""
        self._awake = [False] * len(program.network.clocks)
        """Per clock: whether its next coming on is on the agenda."""
        self._mortal: dict[int, list[Item]] = {}
        """Items of the orders that can be lost."""
        arrivals = range(len(program.standing), len(program.orders))
        self._arrivals = iter(sorted(arrivals, key=lambda i: (program.orders[i].release_s, i)))

    # Orders come, and go.

    def begin(self) -> None:
        """Put the state's orders in their places, then let the others come."""
        self._resume(self.agenda.now)
        self._await_next()

    def _journey(self, index: int) -> Journey:
        order, network = self.program.orders[index], self.network
        classes, segments = network.classes, network.segments
        journey = Journey(index, order.id, classes.get(order.cls, 0), segments.get(order.segment, 0))
        if order.lost_s is not None:
            self._mortal[index] = []
            self.agenda.at(max(order.lost_s, self.agenda.now), Rank.LOSS, self._on_loss, journey)
        return journey

    def _await_next(self) -> None:
        index = next(self._arrivals, None)
        if index is not None:
            self.agenda.at(self.program.orders[index].release_s, Rank.RELEASE, self._on_release, index)

    def _on_release(self, event: Event) -> None:
        journey = self._journey(event._value)
        self._await_next()
        self._move(journey, self.network.start, self.agenda.now)

    def _on_loss(self, event: Event) -> None:
        journey, t = event._value, self.agenda.now
        if not journey.tokens:
            return
        journey.lost, journey.tokens = True, 0
        self.left[journey.order] = t
        live = [item for item in self._mortal.pop(journey.order) if isnan(item.end)]
        for item in live:
            self.lines.forget(item)
        for item in live:
            if not isnan(item.start):
                item.end = t
                if item.agent >= 0:
                    self._release(item.agent, t)

    # Tokens move.

    def _move(self, journey: Journey, node: int, t: float) -> None:
        """A token passes `node` and goes on to the tasks behind it."""
        for task in advance(self.network, journey, node, self.stream):
            self._enable(journey, task, t)
        if not journey.tokens:
            self.completed[journey.order] = t

    def _enable(self, journey: Journey, node: int, t: float) -> None:
        item = self._item(journey, node, t)
        work = item.work
        if work.delay is not None:
            ready = self._ready_at(item, journey.history % self.network.base, t)
            if ready > t:
                self.agenda.at(ready, _READY, self._on_ready, item)
                return
        self._join(item, t)

    def _item(self, journey: Journey, node: int, enabled_s: float) -> Item:
        work = self.network.works[node]
        assert work is not None
        item = Item(journey, node, work, journey.visits.get(node, 1), enabled_s)
        self.items.append(item)
        if journey.order in self._mortal:
            self._mortal[journey.order].append(item)
        return item

    def _on_ready(self, event: Event) -> None:
        item = event._value
        if not item.gone:
            self._join(item, self.agenda.now)

    # Items wait, and are worked on.

    def _join(self, item: Item, t: float) -> None:
        """The item is ready: work on it begins at once if anybody can, else it waits."""
        item.ready = t
        if not item.work.queues:
            self._begin(item, -1, t)
            return
        self._choose_queue(item)
        agent = self.crew.pick(item.queue, item.journey.order, item.node, item.visit, t)
        if agent >= 0:
            self._begin(item, agent, t)
        else:
            self._wait(item, t)

    def _choose_queue(self, item: Item) -> None:
        """Join the shortest queue, counting what is worked on; ties by lot."""
        queues, load = item.work.queues, self.lines.load
        queue = queues[0]
        if len(queues) > 1:
            least = min(load[q] for q in queues)
            shortest = [q for q in queues if load[q] == least]
            queue = shortest[0]
            if len(shortest) > 1:
                u = self.stream.uniform(item.journey.order, item.node, item.visit, _QUEUE)
                queue = shortest[int(u * len(shortest))]
        item.queue = queue
        load[queue] += 1

    def _wait(self, item: Item, t: float) -> None:
        self.lines.put(item, t)
        if self.lines.waiting[item.queue] == 1:
            self._wake(self.network.pools[item.queue].agents, t)

    def _begin(self, item: Item, agent: int, t: float) -> None:
        """Work on the item begins; when it ends is known at once, however often shifts interrupt it."""
        journey = item.journey
        item.start, item.agent = t, agent
        table = item.work.duration(journey.cls, journey.segment, agent)
        work_s = self._draw(table, item, _WORK)
        if agent >= 0:
            self.crew.hold(agent)
        clock = self._clock(agent)
        self._finish_at(t + work_s if clock is None else clock.after(t, work_s), item)

    def _draw(self, table: Table, item: Item, purpose: int, elapsed_s: float = 0.0) -> float:
        """A value of the table for this item, given that it is more than `elapsed_s`."""
        if table.fixed:
            return table.xs[0]
        u = self.stream.uniform(item.journey.order, item.node, item.visit, purpose)
        return table.draw_beyond(elapsed_s, u) if elapsed_s > 0.0 else table.draw(u)

    def _clock(self, agent: int) -> WorkClock | None:
        return None if agent < 0 else self.network.clocks[self.network.agent_clocks[agent]]

    def _finish_at(self, end: float, item: Item) -> None:
        if end < inf:
            self.agenda.at(end, _FINISH, self._on_finish, item)

    def _on_finish(self, event: Event) -> None:
        item = event._value
        if item.gone:
            return
        t, agent, journey, network = self.agenda.now, item.agent, item.journey, self.network
        item.end = t
        journey.history = (journey.history * network.base + item.work.label) % network.span
        if item.queue >= 0:
            self.lines.load[item.queue] -= 1
        target = network.targets[item.node][0]
        if agent < 0:
            self._move(journey, target, t)
        elif self.lines.best(network.agent_queues[agent]) < 0:
            self._release(agent, t)
            self._move(journey, target, t)
        else:  # what the order goes on to must not pass those who wait for this agent
            self._move(journey, target, t)
            self._release(agent, t)

    # Agents get free, and come on shift.

    def _release(self, agent: int, t: float) -> None:
        """The agent has one item less, and takes the first that waits for it."""
        self.crew.drop(agent)
        queues = self.network.agent_queues[agent]
        queue = self.lines.best(queues)
        if queue < 0:
            return
        if not self.crew.can_take(agent, t):
            self._wake((agent,), t)
            return
        while queue >= 0 and self.crew.free[agent] > 0:
            self._begin(self.lines.take(queue), agent, t)
            queue = self.lines.best(queues)

    def _wake(self, agents: tuple[int, ...], t: float) -> None:
        """Something waits: see to it that those of the agents who are off shift are there when it begins."""
        clocks, shifts, awake = self.network.agent_clocks, self.crew.shifts, self._awake
        for clock in {clocks[agent] for agent in agents}:
            if not awake[clock] and not shifts.on(clock, t) and shifts.until[clock] < inf:
                awake[clock] = True
                self.agenda.at(shifts.until[clock], Rank.SHIFT, self._on_shift, clock)

    def _on_shift(self, event: Event) -> None:
        clock = event._value
        self._awake[clock] = False
        network = self.network
        agents = [a for a, c in enumerate(network.agent_clocks) if c == clock]
        self._match(sorted({q for a in agents for q in network.agent_queues[a]}), self.agenda.now)

    def _match(self, queues: list[int], t: float) -> None:
        """Give what waits to whoever can take it, item by item."""
        lines = self.lines
        queue = lines.best(queues)
        while queue >= 0:
            item = lines.head(queue)[1]
            agent = self.crew.pick(queue, item.journey.order, item.node, item.visit, t)
            if agent >= 0:
                self._begin(lines.take(queue), agent, t)
            else:
                self._wake(self.network.pools[queue].agents, t)
                queues.remove(queue)
            queue = lines.best(queues)

    # The state at the start.

    def _resume(self, t: float) -> None:
        """Put the state's orders in their places: first who is worked on, then who waits, in their order."""
        idle = []
        busy_since: dict[int, float] = {}
        for index, standing in enumerate(self.program.standing):
            journey = self._journey(index)
            for node, token in routed(self.network, journey, standing, self.stream):
                item = self._item(journey, node, token.enabled_s)
                if token.started_s is None:
                    idle.append((item, token.after))
                    continue
                self._continue(item, token.agent, token.started_s, t)
                busy_since[token.agent] = max(busy_since.get(token.agent, -inf), token.started_s)
            if not journey.tokens:
                self.completed[index] = t
        waiting = []
        free: dict[tuple[int, ...], float] = {}
        for item, after in idle:
            queues = item.work.queues
            if queues not in free:
                free[queues] = self._last_free(queues, busy_since, t)
            waiting.append((self._ready_at(item, after, max(free[queues], item.enabled)), item))
        for ready, item in sorted(waiting, key=lambda pair: (pair[0], pair[1].journey.order)):
            if ready > t:
                self.agenda.at(ready, _READY, self._on_ready, item)
            elif item.work.queues:
                item.ready = ready
                self._choose_queue(item)
                self.lines.put(item, t)
            else:
                self._join(item, t)
        self._match(list(range(len(self.network.pools))), t)

    def _last_free(self, queues: tuple[int, ...], busy_since: Mapping[int, float], t: float) -> float:
        """The last instant up to t at which somebody could have taken work from the queues.

        An item that waits at t was still delayed then; whether it still is nobody knows. Who is busy at t was
        free when that work began, who is off shift when the shift ended: as far as a state tells.
        """
        agents = {agent for queue in queues for agent in self.network.pools[queue].agents}
        if not agents:
            return t
        last = -inf
        for agent in agents:
            clock = self._clock(agent)
            on = t if clock is None else clock.last_on(t)
            last = max(last, on if self.crew.free[agent] > 0 else min(on, busy_since.get(agent, t)))
        return last

    def _ready_at(self, item: Item, previous: int, t: float) -> float:
        """When the delay of an item ends that follows the activity `previous`, given that it lasts at t."""
        work, enabled = item.work, item.enabled
        if work.delay is None:
            return enabled
        table = work.delay_after.get(previous, work.delay)
        if work.pace is None:
            return enabled + self._draw(table, item, _DELAY, t - enabled)
        elapsed_s = work.pace.between(enabled, t) if t > enabled else 0.0
        return work.pace.after(enabled, self._draw(table, item, _DELAY, elapsed_s))

    def _continue(self, item: Item, agent: int, started_s: float, t: float) -> None:
        """Work that is under way at t ends as its law says, given how much of it is done."""
        journey, clock = item.journey, self._clock(agent)
        item.ready = item.start = started_s
        item.agent = agent
        if item.work.queues:
            serving = [q for q in item.work.queues if agent in self.network.pools[q].agents]
            item.queue = serving[0] if serving else item.work.queues[0]
            self.lines.load[item.queue] += 1
        if agent >= 0:
            self.crew.hold(agent)
        table = item.work.duration(journey.cls, journey.segment, agent)
        done = t - started_s if clock is None else clock.between(started_s, t)
        work_s = self._draw(table, item, _WORK, done)
        end = started_s + work_s if clock is None else clock.after(started_s, work_s)
        self._finish_at(max(end, t), item)
