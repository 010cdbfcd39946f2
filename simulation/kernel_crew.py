"""Who can take an item: spare capacity, presence, shifts, and the draw of one agent among several."""

from __future__ import annotations

from simulation.kernel_clocks import INFINITE, on_shift, wake
from simulation.kernel_jit import Record, float_at, int_at, leaf, long_at, lowest_bit, part, put_long
from simulation.kernel_numbers import recorded, uniform
from simulation.kernel_records import agent_of, clock_of, crew_of, item_of, line_of, queue_of, recorded_of
from simulation.streams import REDRAW, Purpose

_AGENT = int(Purpose.AGENT)
_REDRAW = int(REDRAW)
SMALL = 16
"""Up to so many agents one draw is made, then all are looked at."""
TRIES = 8


@part
def set_idle(w: Record, agent: int, idle: bool) -> None:
    """In all its queues the agent begins, or ceases, to be one who is present with spare capacity."""
    a = agent_of(w.agents, agent)
    for i in range(a.queue, a.queue + a.queues):
        line = line_of(w.lines, int_at(w.agent_queues, i))
        seat = int_at(w.agent_seats, i)
        word = line.bits + (seat >> 6)
        bit = 1 << (seat & 63)
        if idle:
            put_long(w.idle_bits, word, long_at(w.idle_bits, word) | bit)
            line.idle += 1
            line.dry = -INFINITE
        else:
            put_long(w.idle_bits, word, long_at(w.idle_bits, word) & ~bit)
            line.idle -= 1


@leaf
def occupy(w: Record, agent: int) -> None:
    """The agent has one place less."""
    crew = crew_of(w.crew, agent)
    crew.room -= 1
    if crew.room == 0 and crew.present != 0:
        set_idle(w, agent, False)


@leaf
def vacate(w: Record, agent: int) -> None:
    """The agent has one place more."""
    crew = crew_of(w.crew, agent)
    crew.room += 1
    if crew.room == 1 and crew.present != 0:
        set_idle(w, agent, True)


@leaf
def can_take(w: Record, agent: int, t: float) -> bool:
    """Whether the agent is present, has spare capacity and is on shift."""
    crew = crew_of(w.crew, agent)
    return crew.present != 0 and crew.room > 0 and on_shift(w, agent_of(w.agents, agent).clock, t)


@leaf
def _serves(w: Record, agent: int, number: int) -> bool:
    """Whether the agent is one of the queue's."""
    a = agent_of(w.agents, agent)
    found = False
    for i in range(a.queue, a.queue + a.queues):
        if int_at(w.agent_queues, i) == number:
            found = True
    return found


@part
def pick(w: Record, number: int, slot: int, t: float) -> int:
    """An agent for the item among those who serve the line; -1: nobody can take it."""
    if number >= w.n_queues:
        agent = number - w.n_queues
        return agent if can_take(w, agent, t) else -1
    line = line_of(w.lines, number)
    if line.idle == 0 or t < line.dry:
        return -1
    queue = queue_of(w.queues, number)
    if queue.agents == 1:
        agent = int_at(w.queue_agents, queue.agent)
        return agent if can_take(w, agent, t) else -1
    item = item_of(w.items, slot)
    known = recorded(w, item.order, item.node, item.visit)
    if known >= 0:
        agent = int(recorded_of(w.recorded, known).agent)
        if agent >= 0 and _serves(w, agent, number) and can_take(w, agent, t):
            return agent
    tries = 1 if queue.agents <= SMALL else TRIES
    if line.idle > 1:
        for k in range(tries):
            u = uniform(w, item.order, item.node, item.visit, _AGENT + _REDRAW * k)
            seat = queue.agent + int_at(w.seat_guides, line.guide + int(u * line.parts))
            while u >= float_at(w.queue_cumulative, seat):
                seat += 1
            agent = int_at(w.queue_agents, seat)
            if can_take(w, agent, t):
                return agent
    return _pick_among(w, number, slot, tries, t)


@part
def _pick_among(w: Record, number: int, slot: int, tries: int, t: float) -> int:
    """One of those who can, by their weights: the first one whose running sum passes the draw."""
    line, queue = line_of(w.lines, number), queue_of(w.queues, number)
    words = (queue.agents + 63) >> 6
    able, last = 0, -1
    total, until = 0.0, INFINITE
    for k in range(words):
        word = long_at(w.idle_bits, line.bits + k)
        while word != 0:
            seat = queue.agent + 64 * k + lowest_bit(word)
            word &= word - 1
            agent = int_at(w.queue_agents, seat)
            clock = agent_of(w.agents, agent).clock
            if on_shift(w, clock, t):
                able += 1
                last = agent
                total += float_at(w.queue_weights, seat)
            else:
                until = min(until, clock_of(w.clocks, clock).until)
    if able == 0:
        line.dry = until
    if able <= 1:
        return last
    item = item_of(w.items, slot)
    u = uniform(w, item.order, item.node, item.visit, _AGENT + _REDRAW * tries)
    even = total <= 0.0
    if even:
        total = float(able)
    limit, running = u * total, 0.0
    for k in range(words):
        word = long_at(w.idle_bits, line.bits + k)
        while word != 0:
            seat = queue.agent + 64 * k + lowest_bit(word)
            word &= word - 1
            agent = int_at(w.queue_agents, seat)
            if on_shift(w, agent_of(w.agents, agent).clock, t):
                running += 1.0 if even else float_at(w.queue_weights, seat)
                if running > limit:
                    return agent
    return last


@part
def wake_line(w: Record, number: int, t: float) -> None:
    """Something waits in the line: those who serve it and are off shift are told when they come on."""
    if number >= w.n_queues:
        wake(w, agent_of(w.agents, number - w.n_queues).clock, t)
        return
    line = line_of(w.lines, number)
    if t < line.calm:
        return
    calm = INFINITE
    for i in range(line.clock, line.clock + line.clocks):
        number = int_at(w.queue_clocks, i)
        wake(w, number, t)
        calm = min(calm, clock_of(w.clocks, number).until)
    line.calm = calm
