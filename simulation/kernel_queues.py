"""Queues: who takes what waits, and what interrupts what."""

from __future__ import annotations

from simulation.kernel_choice import choose
from simulation.kernel_clocks import INFINITE, on_shift, wake
from simulation.kernel_crew import can_take, pick, vacate, wake_line
from simulation.kernel_jit import Record, int_at, leaf, part
from simulation.kernel_lines import earlier, placed_earlier, put, take, value
from simulation.kernel_records import (
    agent_of,
    crew_of,
    item_of,
    line_of,
    node_of,
    queue_of,
)
from simulation.kernel_scores import highest, lowest, may_stop
from simulation.kernel_working import begin, interrupt, rest_now
from simulation.program import Rule

_FIFO, _SERPT = int(Rule.FIFO), int(Rule.SERPT)


@part
def join(w: Record, slot: int, t: float) -> None:
    """The item is ready: it begins, or waits in a line whose first is offered."""
    item = item_of(w.items, slot)
    item.ready = t
    item.place = t
    item.again = 0
    if node_of(w.nodes, item.node).queues == 0:
        begin(w, slot, -1, t)
    else:
        enter(w, slot, t)


@part
def enter(w: Record, slot: int, t: float) -> None:
    """The item gets a queue, and is offered there."""
    line = settle_in(w, slot, t)
    value(w, slot, t)
    first = slot
    if line_of(w.lines, item_of(w.items, slot).queue).waiting > 0:
        put(w, slot, line, t)
        first = first_in(w, line)
        if hand(w, line, first, t):
            return
    else:  # it is first, and need not be put in to be taken out again
        agent = pick(w, line, slot, t)
        if agent >= 0:
            begin(w, slot, agent, t)
            return
        put(w, slot, line, t)
    if not challenge(w, line, first, t):
        wake_line(w, line, t)


@leaf
def settle_in(w: Record, slot: int, t: float) -> int:
    """The line for an item that joins: of its queue, or of the one agent who may resume it."""
    item = item_of(w.items, slot)
    line = own_line(w, slot)
    if line < 0 or item.queue < 0:
        choose(w, slot, t)
    if line < 0:
        line = int(item.queue)
    line_of(w.lines, item.queue).load += 1
    return line


@leaf
def own_line(w: Record, slot: int) -> int:
    """The line of the agent who alone may resume the item; -1: there is none, or the agent has left."""
    item = item_of(w.items, slot)
    if w.own_lines == 0 or item.agent < 0 or item.start != item.start:
        return -1
    if crew_of(w.crew, item.agent).present == 0:
        return -1
    return int(w.n_queues + item.agent)


@leaf
def first_of(w: Record, at: int, first: int, n: int, own: int) -> int:
    """What goes first of all that waits in these lines and isn't left out; -1: nothing waits."""
    if w.average != 0:
        return highest(w, at, first, n, own)
    best = -1
    for i in range(first, first + n):
        line = line_of(w.lines, int_at(at, i))
        root = int(line.root)
        if root >= 0 and line.left_out == 0 and (best < 0 or earlier(w, root, best)):
            best = root
    if own >= 0:
        line = line_of(w.lines, own)
        root = int(line.root)
        if root >= 0 and line.left_out == 0 and (best < 0 or earlier(w, root, best)):
            best = root
    return best


@part
def first_in(w: Record, number: int) -> int:
    """What goes first in one line."""
    if w.average == 0:
        return int(line_of(w.lines, number).root)
    return highest(w, w.line_scratch, 0, 0, number)


@part
def hand(w: Record, number: int, slot: int, t: float) -> bool:
    """Give what is first in a line to an agent who can take it; whether there is one."""
    agent = pick(w, number, slot, t)
    if agent < 0:
        return False
    take(w, slot, t)
    begin(w, slot, agent, t)
    return True


@part
def challenge(w: Record, number: int, slot: int, t: float) -> bool:
    """Let what is first in a line interrupt less urgent work; whether there is any."""
    victim = contest(w, number, slot, t)
    if victim < 0:
        return False
    agent = int(item_of(w.items, victim).agent)
    interrupt(w, victim, t, True)
    back = int(item_of(w.items, victim).queue)
    if w.own_lines != 0:
        back = int(w.n_queues + agent)
    put(w, victim, back, t)
    take(w, slot, t)
    begin(w, slot, agent, t)
    # The interrupted item may be in the line of others, who are idle or off.
    if not hand(w, back, first_in(w, back), t):
        wake_line(w, back, t)
    return True


@part
def contest(w: Record, number: int, slot: int, t: float) -> int:
    """The least urgent item worked on by those who serve the line, if this one is more urgent; else -1."""
    item = item_of(w.items, slot)
    if w.contests == 0 or item.halted == t:
        return -1
    if w.average != 0:
        return lowest(w, number, slot, t)
    rule = queue_of(w.queues, item.queue).rule
    if rule == _FIFO:
        return -1
    first, n = 0, 1
    if number < w.n_queues:
        queue = queue_of(w.queues, number)
        first, n = queue.agent, queue.agents
    victim, most = -1, -INFINITE
    for i in range(first, first + n):
        agent = int_at(w.queue_agents, i) if number < w.n_queues else int(number - w.n_queues)
        other = int(crew_of(w.crew, agent).head)
        if other >= 0 and not on_shift(w, agent_of(w.agents, agent).clock, t):
            other = -1
        while other >= 0:
            candidate = item_of(w.items, other)
            if may_stop(w, other):
                key = rest_now(w, other, t) if rule == _SERPT else candidate.key
                if key > most or victim < 0 or (key == most and placed_earlier(w, victim, other)):
                    victim, most = other, key
            other = int(candidate.mate_next)
    return victim if victim >= 0 and item.key < most else -1


@part
def match(w: Record, n: int, t: float) -> None:
    """Give what waits in the lines of line_scratch to whoever can take it, item by item."""
    while True:
        slot = first_of(w, w.line_scratch, 0, n, -1)
        if slot < 0:
            break
        number = int(item_of(w.items, slot).line)
        if not hand(w, number, slot, t) and not challenge(w, number, slot, t):
            line_of(w.lines, number).left_out = 1
            wake_line(w, number, t)
    for i in range(n):
        line_of(w.lines, int_at(w.line_scratch, i)).left_out = 0


@part
def free(w: Record, agent: int, t: float) -> None:
    """The agent has a place more, and takes what goes first in its lines."""
    vacate(w, agent)
    a, crew = agent_of(w.agents, agent), crew_of(w.crew, agent)
    own = int(w.n_queues + agent) if w.own_lines != 0 else -1
    while crew.room > 0 and crew.present != 0:
        slot = first_of(w, w.agent_queues, a.queue, a.queues, own)
        if slot < 0:
            return
        if not can_take(w, agent, t):
            wake(w, a.clock, t)
            return
        take(w, slot, t)
        begin(w, slot, agent, t)


@leaf
def serves_waiting(w: Record, agent: int) -> bool:
    """Whether anything waits in the agent's lines."""
    a = agent_of(w.agents, agent)
    found = w.own_lines != 0 and line_of(w.lines, w.n_queues + agent).root >= 0
    for i in range(a.queue, a.queue + a.queues):
        if line_of(w.lines, int_at(w.agent_queues, i)).root >= 0:
            found = True
    return found
