"""Batches: items are collected, released together, and perhaps worked on as one."""

from __future__ import annotations

from simulation.kernel_agenda import BATCH, FINISH, RANK, item_place, push, remove
from simulation.kernel_clocks import INFINITE, UNKNOWN
from simulation.kernel_jit import Record, float_at, leaf, part, put_float
from simulation.kernel_lines import put, take, value
from simulation.kernel_numbers import draw, left_of
from simulation.kernel_queues import join, own_line
from simulation.kernel_records import clock_of, collector_of, crew_of, item_of, node_of
from simulation.kernel_working import schedule_item
from simulation.session import COLLECTED, FOLLOWING, WAITING, WORKING
from simulation.streams import Purpose

_COLLECTED, _FOLLOWING = int(COLLECTED), int(FOLLOWING)
_WAITING, _WORKING = int(WAITING), int(WORKING)
_SIZE = int(Purpose.SIZE)


@part
def arrive(w: Record, slot: int, t: float) -> None:
    """The item's delay is over."""
    if node_of(w.nodes, item_of(w.items, slot).node).batch < 0:
        join(w, slot, t)
    else:
        collect(w, slot, t, t)


@part
def collect(w: Record, slot: int, since: float, t: float) -> None:
    """The item waits for others, since an instant not later than now; enough of them are released."""
    item = item_of(w.items, slot)
    number = int(node_of(w.nodes, item.node).batch)
    c = collector_of(w.collectors, number)
    item.status = _COLLECTED
    item.since = since
    item.sibling = -1
    item.before = c.tail
    if c.tail >= 0:
        item_of(w.items, c.tail).sibling = slot
    else:
        c.head = slot
    c.tail = slot
    c.n += 1
    if c.n == 1:
        c.needed = 1 << 62
        if c.law >= 0:
            size = draw(w, c.law, 0, c.node, c.released + 1, _SIZE)
            c.needed = max(int(size + 0.5), 1)
        set_alarm(w, number, t)
    if c.n >= c.needed:
        release(w, number, t)


@part
def set_alarm(w: Record, number: int, t: float) -> None:
    """The batch is released when its first item has waited long enough, or at a time of the week."""
    c = collector_of(w.collectors, number)
    clock = clock_of(w.clocks, c.clock)
    remove(w, c.clock)
    c.unknown = 0
    latest = max(item_of(w.items, c.head).since + c.wait_s, t)
    if clock.always == 0:
        i = left_of(clock.starts, 0, clock.n, t)
        if i < clock.n:
            latest = min(latest, float_at(clock.starts, i))
        elif clock.over == 0 and latest >= clock.reach:
            c.unknown = 1
            w.short = 1
            return
    if latest < INFINITE:
        push(w, latest, BATCH << RANK | number, c.clock)


@part
def release(w: Record, number: int, t: float) -> None:
    """All that was collected is ready."""
    c = collector_of(w.collectors, number)
    remove(w, c.clock)
    c.unknown = 0
    c.released += 1
    first, n = int(c.head), int(c.n)
    c.head = c.tail = -1
    c.n = 0
    slot = first
    while slot >= 0:
        item = item_of(w.items, slot)
        put_float(w.collected_s, c.node, float_at(w.collected_s, c.node) + (t - item.since))
        slot = int(item.sibling)
    if c.simultaneous != 0:
        _lead(w, first, n, c.per_item, t)
        return
    while first >= 0:
        slot = first
        first = int(item_of(w.items, slot).sibling)
        join(w, slot, t)


@leaf
def _lead(w: Record, slot: int, n: int, per_item: float, t: float) -> None:
    """A batch goes by its first item."""
    leader = item_of(w.items, slot)
    leader.scale = 1.0 + per_item * (n - 1)
    leader.follow = leader.sibling
    other = int(leader.follow)
    if other >= 0:
        item_of(w.items, other).before = -1
    while other >= 0:
        item = item_of(w.items, other)
        item.status = _FOLLOWING
        item.leader = slot
        item.ready = item.place = t
        other = int(item.sibling)
    join(w, slot, t)


@part
def dissolve(w: Record, slot: int, t: float) -> None:
    """The batch that goes by the item is done: each of the others ends at this instant, by itself."""
    leader = item_of(w.items, slot)
    other = int(leader.follow)
    while other >= 0:
        item = item_of(w.items, other)
        item.leader = -1
        item.place, item.again = leader.place, leader.again
        item.since, item.done, item.left = t, leader.done, leader.left
        schedule_item(w, other, t, FINISH)
        other = int(item.sibling)
    leader.follow = -1


@part
def leave_batch(w: Record, slot: int, t: float) -> None:
    """The order of an item that is collected, or part of a simultaneous batch, is lost."""
    item = item_of(w.items, slot)
    if item.status == _COLLECTED:
        _uncollect(w, slot, t)
    elif item.status == _FOLLOWING:
        if item.before < 0:
            item_of(w.items, item.leader).follow = item.sibling
        else:
            item_of(w.items, item.before).sibling = item.sibling
        if item.sibling >= 0:
            item_of(w.items, item.sibling).before = item.before
    else:
        _succeed(w, slot, t)


@leaf
def _uncollect(w: Record, slot: int, t: float) -> None:
    item = item_of(w.items, slot)
    number = int(node_of(w.nodes, item.node).batch)
    c = collector_of(w.collectors, number)
    first = item.before < 0
    if first:
        c.head = item.sibling
    else:
        item_of(w.items, item.before).sibling = item.sibling
    if item.sibling >= 0:
        item_of(w.items, item.sibling).before = item.before
    else:
        c.tail = item.before
    c.n -= 1
    if c.n == 0:
        remove(w, c.clock)
        c.unknown = 0
    elif first:
        set_alarm(w, number, t)


@leaf
def _succeed(w: Record, slot: int, t: float) -> None:
    """The batch goes by the next of its items from now on, where it is; nothing else changes for it."""
    item = item_of(w.items, slot)
    next_one = int(item.follow)
    heir = item_of(w.items, next_one)
    heir.follow = heir.sibling
    heir.leader = -1
    item.follow = -1
    other = int(heir.follow)
    if other >= 0:
        item_of(w.items, other).before = -1
    while other >= 0:
        item_of(w.items, other).leader = next_one
        other = int(item_of(w.items, other).sibling)
    heir.queue, heir.agent = item.queue, item.agent
    heir.ready, heir.place, heir.again = item.ready, item.place, item.again
    heir.halted, heir.preemptions, heir.scale = item.halted, item.preemptions, item.scale
    heir.done, heir.left, heir.since = item.done, item.left, item.since
    if item.status == _WAITING:
        take(w, slot, t)
        value(w, next_one, t)
        line = own_line(w, next_one)
        put(w, next_one, line if line >= 0 else int(heir.queue), t)
        return
    heir.status = _WORKING
    if item.agent >= 0:
        crew = crew_of(w.crew, item.agent)
        heir.mate_next, heir.mate_before = item.mate_next, item.mate_before
        if item.mate_next >= 0:
            item_of(w.items, item.mate_next).mate_before = next_one
        else:
            crew.tail = next_one
        if item.mate_before >= 0:
            item_of(w.items, item.mate_before).mate_next = next_one
        else:
            crew.head = next_one
    remove(w, item_place(w, slot))
    schedule_item(w, next_one, UNKNOWN if item.unknown != 0 else item.finish, FINISH)
    item.unknown = 0
