"""What happens: each event's consequences."""

from __future__ import annotations

from simulation.kernel_agenda import item_place, remove
from simulation.kernel_batches import dissolve, leave_batch
from simulation.kernel_choice import anyone_for
from simulation.kernel_crew import set_idle, vacate
from simulation.kernel_jit import Record, int_at, part, put_int
from simulation.kernel_lines import put, take, value
from simulation.kernel_notes import note, note_line, noted
from simulation.kernel_queues import enter, free, match, serves_waiting
from simulation.kernel_records import (
    agent_of,
    clock_of,
    crew_of,
    item_of,
    journey_of,
    line_of,
    node_of,
    presence_of,
)
from simulation.kernel_tokens import close, end_item, move, new_journey
from simulation.kernel_working import interrupt, let_go
from simulation.session import COLLECTED, FOLLOWING, WAITING, WORKING

_COLLECTED, _FOLLOWING = int(COLLECTED), int(FOLLOWING)
_WAITING, _WORKING = int(WAITING), int(WORKING)


@part
def on_shift_begin(w: Record, number: int, t: float) -> bool:
    """A clock starts to run: its agents look at all their lines. False if nothing waits there."""
    clock = clock_of(w.clocks, number)
    clock.awake = 0
    waits = False
    for i in range(clock.n_lines):
        line = int_at(w.clock_lines, clock.line + i)
        put_int(w.line_scratch, i, line)
        if line_of(w.lines, line).root >= 0:
            waits = True
    if waits:
        w.now = t
        match(w, clock.n_lines, t)
    return waits


@part
def on_finish(w: Record, slot: int, t: float) -> None:
    """Work on an item ends; its token moves on."""
    item = item_of(w.items, slot)
    agent, queue, node, at = int(item.agent), int(item.queue), int(item.node), int(item.journey)
    following = item.status == _FOLLOWING
    if agent >= 0:
        crew_of(w.crew, agent).finished += 1
    if not following:
        if agent >= 0:
            let_go(w, slot, t, True)
        if item.follow >= 0:
            dissolve(w, slot, t)
    record, journey = node_of(w.nodes, node), journey_of(w.journeys, at)
    journey.history = (journey.history * w.code_base + record.code) % w.span
    if queue >= 0 and not following:
        line_of(w.lines, queue).load -= 1
    w.executions += 1
    end_item(w, slot, t)
    target = int_at(w.targets, record.target)
    if following:  # whoever it goes by has freed the agent
        agent = -1
    # What the order goes on to must not pass those who wait for this agent.
    waits = agent >= 0 and serves_waiting(w, agent)
    if agent >= 0 and not waits:
        vacate(w, agent)
    move(w, at, target, t)
    if waits:
        free(w, agent, t)


@part
def on_release(w: Record, order: int, t: float) -> None:
    """An order comes."""
    slot = new_journey(w, order, t)
    move(w, slot, w.begin_node, t)


@part
def on_loss(w: Record, at: int, t: float) -> None:
    """An order is lost: nothing of it waits or is worked on any more."""
    journey = journey_of(w.journeys, at)
    slot = int(journey.head)
    n = 0
    while slot >= 0:
        item = item_of(w.items, slot)
        following = int(item.peer_next)
        if item.status in (_COLLECTED, _FOLLOWING) or item.follow >= 0:
            leave_batch(w, slot, t)
        elif item.status == _WAITING:
            take(w, slot, t)
            line_of(w.lines, item.queue).load -= 1
        else:
            if item.status == _WORKING and item.queue >= 0:
                line_of(w.lines, item.queue).load -= 1
            if item.status == _WORKING and item.agent >= 0:
                let_go(w, slot, t, False)
                note(w, n, item.agent)
                n += 1
            else:
                remove(w, item_place(w, slot))
        end_item(w, slot, t)
        slot = following
    close(w, at, t, w.lost)
    for i in range(n):
        free(w, noted(w, i), t)


@part
def on_presence(w: Record, i: int, t: float) -> None:
    """An agent comes or leaves."""
    record = presence_of(w.presence, i)
    agent = int(record.agent)
    a, crew = agent_of(w.agents, agent), crew_of(w.crew, agent)
    if crew.present == record.present:
        return
    if record.present != 0:
        crew.present = 1
        if crew.room > 0:
            set_idle(w, agent, True)
        for k in range(a.queue, a.queue + a.queues):
            line_of(w.lines, int_at(w.agent_queues, k)).present += 1
        _come(w, agent, t)
        return
    if crew.room > 0:
        set_idle(w, agent, False)
    crew.present = 0
    for k in range(a.queue, a.queue + a.queues):
        line_of(w.lines, int_at(w.agent_queues, k)).present -= 1
    _leave(w, agent, t)


@part
def _come(w: Record, agent: int, t: float) -> None:
    """Items that wait in queues without anybody choose again; then the agent's lines are matched."""
    n = 0
    for number in range(w.n_queues):
        line = line_of(w.lines, number)
        if line.present == 0 and line.root >= 0:
            start = n
            stop = note_line(w, number, n)
            for i in range(start, stop):
                slot = noted(w, i)
                if anyone_for(w, item_of(w.items, slot).node):
                    note(w, n, slot)
                    n += 1
    for i in range(n):
        slot = noted(w, i)
        take(w, slot, t)
        line_of(w.lines, item_of(w.items, slot).queue).load -= 1
    for i in range(n):
        enter(w, noted(w, i), t)
    a = agent_of(w.agents, agent)
    for k in range(a.queues):
        put_int(w.line_scratch, k, int_at(w.agent_queues, a.queue + k))
    n = int(a.queues)
    if w.own_lines != 0:
        put_int(w.line_scratch, n, w.n_queues + agent)
        n += 1
    match(w, n, t)


@part
def _leave(w: Record, agent: int, t: float) -> None:
    """What the agent works on, and what waits where nobody is now, goes to others."""
    a, crew = agent_of(w.agents, agent), crew_of(w.crew, agent)
    n = 0
    while crew.head >= 0:
        slot = int(crew.head)
        interrupt(w, slot, t, False)
        note(w, n, slot)
        n += 1
    taken = n
    if w.own_lines != 0:
        n = note_line(w, w.n_queues + agent, n)
    for k in range(a.queue, a.queue + a.queues):
        number = int_at(w.agent_queues, k)
        if line_of(w.lines, number).present == 0:
            n = note_line(w, number, n)
    for i in range(n):
        slot = noted(w, i)
        if i >= taken:
            take(w, slot, t)
        line_of(w.lines, item_of(w.items, slot).queue).load -= 1
    for i in range(n):
        slot = noted(w, i)
        item = item_of(w.items, slot)
        if anyone_for(w, item.node):
            enter(w, slot, t)
        else:
            line_of(w.lines, item.queue).load += 1
            value(w, slot, t)
            put(w, slot, item.queue, t)
