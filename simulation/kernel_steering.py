"""What a session asks for between events: new ranks, and announced ends."""

from __future__ import annotations

from simulation.kernel_agenda import (
    FINISH,
    READY,
    item_place,
    remove,
)
from simulation.kernel_choice import choose
from simulation.kernel_jit import Record, int_at, leaf, part, put_int
from simulation.kernel_layout import Status
from simulation.kernel_lines import enter_line, find_key, put, take, value
from simulation.kernel_notes import note, note_line, noted
from simulation.kernel_numbers import material_of
from simulation.kernel_queues import join, match, own_line
from simulation.kernel_records import (
    crew_of,
    item_of,
    journey_of,
    line_of,
    node_of,
)
from simulation.kernel_working import progress, schedule_item
from simulation.session import DELAYED, WAITING, WORKING

_DELAYED, _WAITING, _WORKING = int(DELAYED), int(WAITING), int(WORKING)
_DONE, _REFUSED = int(Status.DONE), int(Status.REFUSED)


@leaf
def match_all(w: Record, t: float) -> None:
    for number in range(w.n_lines):
        put_int(w.line_scratch, number, number)
    match(w, w.n_lines, t)


@part
def reschedule(w: Record) -> None:
    """Ranks and named queues are others now."""
    t = w.now
    for agent in range(w.n_agents):
        slot = int(crew_of(w.crew, agent).head)
        while slot >= 0:
            find_key(w, slot, t)
            slot = int(item_of(w.items, slot).mate_next)
    for number in range(w.n_lines):
        n = note_line(w, number, 0)
        line_of(w.lines, number).root = -1
        for i in range(n):
            find_key(w, noted(w, i), t)
            enter_line(w, noted(w, i), number)
    n = 0
    for number in range(w.n_queues):
        stop = note_line(w, number, n)
        for i in range(n, stop):
            slot = noted(w, i)
            item = item_of(w.items, slot)
            named = int_at(w.assigned, item.order * w.n_tasks + node_of(w.nodes, item.node).task)
            if named >= 0 and named != item.queue:
                note(w, n, slot)
                n += 1
    for i in range(n):
        slot = noted(w, i)
        take(w, slot, t)
        line_of(w.lines, item_of(w.items, slot).queue).load -= 1
    for i in range(n):
        slot = noted(w, i)
        choose(w, slot, t)
        queue = int(item_of(w.items, slot).queue)
        line_of(w.lines, queue).load += 1
        line = own_line(w, slot)
        value(w, slot, t)
        put(w, slot, line if line >= 0 else queue, t)
    match_all(w, t)


@part
def announce(w: Record) -> int:
    """An item of the order at the node ends, or isn't ready before, the instant that is given."""
    at = int_at(w.slots, w.arg0)
    found = -1
    if at >= 0:
        slot = int(journey_of(w.journeys, at).head)
        while slot >= 0 and found < 0:
            item = item_of(w.items, slot)
            if item.node == w.arg1 and (item.status != _WORKING or item.queue < 0):
                found = slot
            slot = int(item.peer_next)
    if found < 0:
        return _REFUSED
    t = w.now
    item = item_of(w.items, found)
    eta = max(w.arg_s, t)
    if item.start != item.start:
        eta = max(eta, material_of(w, item.order, item.node))
    if node_of(w.nodes, item.node).queues == 0:
        remove(w, item_place(w, found))
        if item.status != _WORKING:
            join(w, found, t)
            remove(w, item_place(w, found))
        moved = progress(w, found, t)
        item.done += moved
        item.since = t
        item.left = eta - t
        schedule_item(w, found, eta, FINISH)
        return _DONE
    if item.status == _WAITING:
        if eta <= t:
            return _DONE
        take(w, found, t)
        line_of(w.lines, item.queue).load -= 1
        item.queue = -1
        item.again = 0
    remove(w, item_place(w, found))
    item.status = _DELAYED
    item.ready = eta
    schedule_item(w, found, eta, READY)
    return _DONE
