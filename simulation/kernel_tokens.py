"""The token game: orders come, tokens move in no time, items begin their lives, orders end."""

from __future__ import annotations

import math

from simulation.kernel_agenda import LOSS, RANK, item_place, journey_place, push, remove
from simulation.kernel_batches import arrive
from simulation.kernel_clocks import INFINITE, UNKNOWN, paced_after
from simulation.kernel_jit import (
    Record,
    int_at,
    leaf,
    part,
    put_float,
    put_int,
)
from simulation.kernel_layout import GONE
from simulation.kernel_numbers import draw, material_of, recorded, right_of, uniform
from simulation.kernel_records import (
    item_of,
    journey_of,
    level_of,
    log_of,
    node_of,
    order_of,
    recorded_of,
    row_of,
)
from simulation.kernel_working import schedule_item
from simulation.program import Kind
from simulation.session import DELAYED
from simulation.streams import Purpose

MAX_STEPS = 10_000
"""Nodes that one order may pass; a loop that is never left ends here."""
MAX_VISIT = 5
"""Later visits are all alike to routing."""
READY = 3
_PASS, _TASK, _END, _ROUTE = int(Kind.PASS), int(Kind.TASK), int(Kind.END), int(Kind.ROUTE)
_SPLIT, _SOME, _JOIN = int(Kind.SPLIT), int(Kind.SOME), int(Kind.JOIN)
_ROUTE_DRAW, _DELAY = int(Purpose.ROUTE), int(Purpose.DELAY)
_DELAYED, _GONE = int(DELAYED), int(GONE)
_NAN = float("nan")


@leaf
def count_open(w: Record, change: int, t: float) -> None:
    """More or fewer orders are open from t on."""
    if t > w.wip_since:
        w.wip_s += w.open * (t - w.wip_since)
        w.wip_most = max(w.wip_most, w.open)
        w.wip_since = t
    w.open += change


@part
def new_journey(w: Record, order: int, t: float) -> int:
    """An order comes, with one token."""
    slot = int(w.free_journey)
    if slot >= 0:
        w.free_journey = journey_of(w.journeys, slot).head
    else:
        slot = int(w.fresh_journey)
        w.fresh_journey = slot + 1
    journey, o = journey_of(w.journeys, slot), order_of(w.orders, order)
    journey.order = order
    journey.cls, journey.segment = o.cls, o.segment
    journey.tokens = 1
    journey.steps = 0
    journey.head = journey.tail = -1
    journey.open = 1
    journey.history = 0
    for i in range(w.n_visits):
        put_int(w.visits, slot * w.n_visits + i, 0)
    for i in range(w.n_merges):
        put_int(w.merged, slot * w.n_merges + i, 0)
    mark_open(w, slot, t)
    return slot


@leaf
def mark_open(w: Record, slot: int, t: float) -> None:
    """The order is open from t on, and can be lost."""
    journey = journey_of(w.journeys, slot)
    put_int(w.slots, journey.order, slot)
    put_int(w.places, journey_place(w, slot), -1)
    lost_s = order_of(w.orders, journey.order).lost_s
    if lost_s < INFINITE:
        push(w, max(lost_s, t), LOSS << RANK | journey.order, journey_place(w, slot))
    count_open(w, 1, t)


@part
def close(w: Record, slot: int, t: float, ends: int) -> None:
    """The order ends at t, which `ends` notes; nothing of it lives any more."""
    journey = journey_of(w.journeys, slot)
    put_float(ends, journey.order, t)
    remove(w, journey_place(w, slot))
    put_int(w.slots, journey.order, -1)
    count_open(w, -1, t)
    journey.open = 0
    journey.head = w.free_journey
    w.free_journey = slot


@leaf
def _visit(w: Record, slot: int, column: int) -> int:
    """The order comes to a task or route once more: the how-manieth time it is."""
    at = slot * w.n_visits + column
    visit = int_at(w.visits, at) + 1
    put_int(w.visits, at, visit)
    return visit


@part
def move(w: Record, slot: int, node: int, t: float) -> None:
    """A token reaches the node, and moves on with all that follows from it until it rests."""
    journey = journey_of(w.journeys, slot)
    put_int(w.stack, 0, node)
    n = 1
    while n > 0:
        n -= 1
        here = int_at(w.stack, n)
        record = node_of(w.nodes, here)
        journey.steps += 1
        if journey.steps > MAX_STEPS:
            w.failed_order = journey.order
            w.failed_node = here
            return
        kind = record.kind
        following = -1
        if kind == _TASK:
            _enable(w, slot, here, _visit(w, slot, record.visit), t)
        elif kind == _ROUTE:
            drawn = _drawn(w, slot, here, record.targets, _visit(w, slot, record.visit))
            following = int_at(w.targets, record.target + drawn)
        elif kind == _END:
            journey.tokens -= 1
        elif kind == _SPLIT:
            journey.tokens += record.targets - 1
            for i in range(record.targets - 1, -1, -1):
                put_int(w.stack, n, int_at(w.targets, record.target + i))
                n += 1
        elif kind == _SOME:
            n = _some(w, slot, here, _visit(w, slot, record.visit), n)
        elif kind == _PASS or _goes_on(w, slot, here):
            following = int_at(w.targets, record.target)
        if following >= 0:
            put_int(w.stack, n, following)
            n += 1
    if journey.tokens == 0:
        close(w, slot, t, w.completed)


@part
def _some(w: Record, slot: int, node: int, visit: int, n: int) -> int:
    """Put what lies behind the branches that an or_split takes on the stack of n, the last one first; its
    or_merge if it takes none. The or_merge is told how many tokens to wait for."""
    record = node_of(w.nodes, node)
    mask = int_at(w.outcomes, record.outcome + _drawn(w, slot, node, record.outcomes, visit))
    taken = 0
    for i in range(record.targets - 1, -1, -1):
        if (mask >> i) & 1 != 0:
            put_int(w.stack, n + taken, int_at(w.targets, record.target + i))
            taken += 1
    if taken == 0:
        put_int(w.stack, n, record.join)
        taken = 1
    journey_of(w.journeys, slot).tokens += taken - 1
    put_int(w.merged, slot * w.n_merges + node_of(w.nodes, record.join).merge, taken)
    return n + taken


@part
def _goes_on(w: Record, slot: int, node: int) -> bool:
    """Whether a token that comes to a merge is the last one. Those before it wait at an and_merge, and end at
    an or_merge."""
    record, journey = node_of(w.nodes, node), journey_of(w.journeys, slot)
    at = slot * w.n_merges + record.merge
    if record.kind == _JOIN:
        left = max(int_at(w.merged, at) - 1, 0)
        put_int(w.merged, at, left)
        if left > 0:
            journey.tokens -= 1
        return left == 0
    came = int_at(w.merged, at) + 1
    last = came == record.need
    if last:
        came = 0
        journey.tokens -= record.need - 1
    put_int(w.merged, at, came)
    return last


@part
def _drawn(w: Record, slot: int, node: int, n: int, visit: int) -> int:
    """Which of n ways on is drawn, by the first level that has a row for the context."""
    record, journey = node_of(w.nodes, node), journey_of(w.journeys, slot)
    if n == 1:
        return 0
    known = recorded(w, journey.order, node, visit)
    if known >= 0:
        way = recorded_of(w.recorded, known).way
        if way >= 0:
            return way
    weight = 0
    for i in range(record.level, record.level + record.levels):
        level = level_of(w.levels, i)
        context = 0
        if level.cls != 0:
            context = int(journey.cls) + 1
        if level.segment != 0:
            context = context << 24 | (int(journey.segment) + 1)
        if level.visit != 0:
            context = context << 4 | min(visit, MAX_VISIT)
        if level.rule != 0:
            context = context << 8
            if record.ruled >= 0:
                context |= int_at(w.ruled, int(journey.order) * w.n_ruled + record.ruled)
        found = _row(w, level.row, level.row + level.rows, context, journey.history % level.span)
        if found >= 0:
            weight = int(row_of(w.rows, found).weight)
            break
    u = uniform(w, journey.order, node, visit, _ROUTE_DRAW)
    return right_of(w.cumulative, weight, n, u)


@leaf
def _row(w: Record, lo: int, hi: int, context: int, history: int) -> int:
    """The row of a level for a context and history; -1: it has none."""
    stop = hi
    while lo < hi:
        middle = (lo + hi) >> 1
        row = row_of(w.rows, middle)
        if row.context < context or (row.context == context and row.history < history):
            lo = middle + 1
        else:
            hi = middle
    if lo < stop:
        row = row_of(w.rows, lo)
        if row.context == context and row.history == history:
            return lo
    return -1


@part
def _enable(w: Record, journey_slot: int, node: int, visit: int, t: float) -> None:
    """A token comes to a task: an item begins its life, delayed or joining a queue."""
    journey = journey_of(w.journeys, journey_slot)
    slot = new_item(w)
    item = item_of(w.items, slot)
    item.serial = w.serial
    w.serial += 1
    item.order = journey.order
    item.journey = journey_slot
    item.node = node
    item.visit = visit
    item.after = journey.history % w.code_base
    item.enabled = t
    attach(w, slot)
    if w.keep_log != 0:
        log_of(w.log, item.serial).begun = 0
    ready = _ready(w, slot, t)
    if ready > t or ready == UNKNOWN:
        item.status = _DELAYED
        item.ready = ready
        schedule_item(w, slot, ready, READY)
        return
    arrive(w, slot, t)


@leaf
def _ready(w: Record, slot: int, t: float) -> float:
    """When the delay of an item that is enabled now is over and its material is there; UNKNOWN: beyond what
    its pace knows."""
    item = item_of(w.items, slot)
    record = node_of(w.nodes, item.node)
    ready = t
    if record.delay >= 0:
        law = int_at(w.delays, record.delay + item.after * record.delay_after)
        amount = _NAN
        known = recorded(w, item.order, item.node, item.visit)
        if known >= 0:
            amount = recorded_of(w.recorded, known).delay_s
        if math.isnan(amount):
            amount = draw(w, law, item.order, item.node, item.visit, _DELAY)
        since = t
        if record.aged != 0:
            since = order_of(w.orders, item.order).release_s
        ready = since + amount
        if record.pace >= 0:
            ready = paced_after(w, record.pace, t, amount)
            if ready == UNKNOWN:
                item.since = t
                item.left = amount
    if ready != UNKNOWN:
        ready = max(ready, material_of(w, item.order, item.node))
    return ready


@leaf
def new_item(w: Record) -> int:
    """A slot for an item."""
    slot = int(w.free_item)
    if slot >= 0:
        w.free_item = item_of(w.items, slot).child
    else:
        slot = int(w.fresh_item)
        w.fresh_item = slot + 1
    w.used_items += 1
    item = item_of(w.items, slot)
    item.agent = item.queue = item.line = item.leader = item.follow = -1
    item.again = item.preemptions = item.unknown = 0
    item.micros = 0
    item.key = item.profit = item.rest = 0.0
    item.ready = item.place = item.start = _NAN
    item.done = item.left = 0.0
    item.halted = -INFINITE
    item.scale = 1.0
    put_int(w.places, item_place(w, slot), -1)
    return slot


@leaf
def attach(w: Record, slot: int) -> None:
    """The item is the last of its order's."""
    item = item_of(w.items, slot)
    journey = journey_of(w.journeys, item.journey)
    item.peer_next = -1
    item.peer_before = journey.tail
    if journey.tail >= 0:
        item_of(w.items, journey.tail).peer_next = slot
    else:
        journey.head = slot
    journey.tail = slot


@part
def end_item(w: Record, slot: int, t: float) -> None:
    """The item ends its life: its row is written if it was begun, and its slot can be used again."""
    item = item_of(w.items, slot)
    journey = journey_of(w.journeys, item.journey)
    if w.keep_log != 0 and not math.isnan(item.start):
        row = log_of(w.log, item.serial)
        row.order, row.node, row.agent, row.queue = item.order, item.node, item.agent, item.queue
        row.preemptions = item.preemptions
        row.enabled_s, row.ready_s, row.start_s, row.end_s = item.enabled, item.ready, item.start, t
        row.begun = 1
    if item.peer_before >= 0:
        item_of(w.items, item.peer_before).peer_next = item.peer_next
    else:
        journey.head = item.peer_next
    if item.peer_next >= 0:
        item_of(w.items, item.peer_next).peer_before = item.peer_before
    else:
        journey.tail = item.peer_before
    item.status = _GONE
    item.child = w.free_item
    w.free_item = slot
    w.used_items -= 1
