"""The one compiled entry: work off events, or do what a session asks for between them."""

from __future__ import annotations

from simulation.kernel_agenda import (
    BATCH,
    FINISH,
    PRESENCE,
    RANK,
    READY,
    RELEASE,
    SHIFT,
    item_place,
    pop,
    remove,
)
from simulation.kernel_batches import arrive, collect, release, set_alarm
from simulation.kernel_choice import choose
from simulation.kernel_clocks import INFINITE, UNKNOWN, after, paced_after, wake
from simulation.kernel_events import on_finish, on_loss, on_presence, on_release, on_shift_begin
from simulation.kernel_jit import Record, int_at, leaf, part, put_int
from simulation.kernel_layout import MARGIN, Command, Status
from simulation.kernel_lines import put, value
from simulation.kernel_notes import noted
from simulation.kernel_numbers import material_of, philox
from simulation.kernel_queues import own_line
from simulation.kernel_records import (
    agent_of,
    clock_of,
    collector_of,
    crew_of,
    event_of,
    item_of,
    journey_of,
    line_of,
    log_of,
    node_of,
    order_of,
    presence_of,
)
from simulation.kernel_steering import announce, match_all, reschedule
from simulation.kernel_tokens import attach, mark_open
from simulation.kernel_working import begin, hold, schedule_item
from simulation.session import DELAYED, WORKING

_DELAYED, _WORKING = int(DELAYED), int(WORKING)
_RUN, _OPEN, _CLOCKS = int(Command.RUN), int(Command.OPEN), int(Command.CLOCKS)
_RESCHEDULE, _ANNOUNCE, _BITS = int(Command.RESCHEDULE), int(Command.ANNOUNCE), int(Command.BITS)
_DONE, _PAUSED, _SHORT = int(Status.DONE), int(Status.PAUSED), int(Status.CLOCKS)
_ITEMS, _JOURNEYS, _ROWS = int(Status.ITEMS), int(Status.JOURNEYS), int(Status.ROWS)
_EXECUTIONS, _OPEN_ORDERS = int(Status.EXECUTIONS), int(Status.OPEN_ORDERS)
_ENDLESS = int(Status.ENDLESS)


@leaf
def _release_s(w: Record, order: int) -> float:
    return max(order_of(w.orders, order).release_s, w.begin_s)


@leaf
def _room(w: Record) -> int:
    """What must grow before anything can happen; -1: nothing."""
    if w.used_items + MARGIN > w.n_items:
        return _ITEMS
    if w.free_journey < 0 and w.fresh_journey >= w.n_journeys:
        return _JOURNEYS
    if w.keep_log != 0 and w.serial + MARGIN > w.n_log:
        return _ROWS
    return -1


@part
def _next(w: Record) -> int:
    """Find the next event: 0 in the heap, 1 a release, 2 a presence, -1 none; its time goes to `found_s`."""
    source, code = -1, 0
    w.found_s = INFINITE
    if w.released == w.n_releases and w.open == 0:
        return -1
    if w.n_events > 0:
        event = event_of(w.events, 0)
        source, code = 0, int(event.code)
        w.found_s = event.t
    if w.released < w.n_releases:
        order = int_at(w.releases, w.released)
        t = _release_s(w, order)
        mine = RELEASE << RANK | order
        if source < 0 or t < w.found_s or (t == w.found_s and mine < code):
            source, code = 1, mine
            w.found_s = t
    if w.shown < w.n_presence:
        t = presence_of(w.presence, w.shown).t
        mine = PRESENCE << RANK | w.shown
        if source < 0 or t < w.found_s or (t == w.found_s and mine < code):
            source = 2
            w.found_s = t
    return source


@leaf
def _halt(w: Record, source: int, t: float) -> int:
    """Why the next event isn't worked off; -1: it is."""
    if source < 0:
        return _DONE
    if t > w.until:
        return _PAUSED
    if t >= w.reach:
        return _SHORT
    if w.executions >= w.most_executions:
        return _EXECUTIONS
    if w.open > w.most_open:
        return _OPEN_ORDERS
    return _room(w)


@part
def _run(w: Record) -> int:
    """Work off events up to and including `until`."""
    while True:
        if w.failed_order >= 0:
            return _ENDLESS
        if w.short != 0:
            return _SHORT
        source = _next(w)
        t = w.found_s
        why = _halt(w, source, t)
        if why >= 0:
            return why
        if source == 0:
            _happen(w, t)
            continue
        w.now = t
        if source == 1:
            order = int_at(w.releases, w.released)
            w.released += 1
            if w.pause != 0:
                w.until = min(w.until, t)
            on_release(w, order, t)
        else:
            w.shown += 1
            on_presence(w, w.shown - 1, t)


@leaf
def _happen(w: Record, t: float) -> None:
    """The first event of the heap."""
    event = event_of(w.events, 0)
    who, rank = event.who, event.code >> RANK
    pop(w)
    if rank == SHIFT:
        on_shift_begin(w, who, t)
        return
    w.now = t
    slot = (who - w.n_clocks) >> 1
    if rank == FINISH:
        on_finish(w, slot, t)
    elif rank == READY:
        arrive(w, slot, t)
    elif rank == BATCH:
        release(w, who - (w.n_clocks - w.n_collectors), t)
    else:
        on_loss(w, slot, t)


@part
def _open(w: Record) -> None:
    """Put a state's orders in their places; its items are in the first slots, by serial."""
    t = w.begin_s
    for slot in range(w.fresh_journey):
        if journey_of(w.journeys, slot).tokens > 0:
            mark_open(w, slot, t)
    for slot in range(w.fresh_item):
        put_int(w.places, item_place(w, slot), -1)
        attach(w, slot)
        if w.keep_log != 0:
            log_of(w.log, item_of(w.items, slot).serial).begun = 0
        _go_on(w, slot, t)
    for i in range(w.arg0):  # those that wait, by (ready, order, serial)
        _wait_on(w, noted(w, i), t)
    match_all(w, t)
    for i in range(w.arg0, w.arg0 + w.arg1):  # those that are collected, by (since, order, serial)
        collect(w, noted(w, i), item_of(w.items, noted(w, i)).since, t)


@leaf
def _go_on(w: Record, slot: int, t: float) -> None:
    """An item of a state that is worked on, or delayed."""
    item = item_of(w.items, slot)
    if item.status == _WORKING:
        if item.queue >= 0:
            line_of(w.lines, item.queue).load += 1
        finish = item.finish
        hold(w, slot, item.agent, t)
        if finish == finish:
            remove(w, item_place(w, slot))
            schedule_item(w, slot, finish, FINISH)
    elif item.status == _DELAYED:
        schedule_item(w, slot, item.ready, READY)


@leaf
def _wait_on(w: Record, slot: int, t: float) -> None:
    """An item of a state that waits."""
    item = item_of(w.items, slot)
    if node_of(w.nodes, item.node).queues == 0:
        begin(w, slot, -1, t)
        return
    line = own_line(w, slot)
    if item.queue < 0:
        choose(w, slot, t)
    if line < 0:
        line = int(item.queue)
    line_of(w.lines, item.queue).load += 1
    value(w, slot, t)
    put(w, slot, line, t)


@part
def _lengthened(w: Record) -> None:
    """Clocks have grown: find what lay beyond them."""
    w.short = 0
    for slot in range(w.fresh_item):
        item = item_of(w.items, slot)
        if item.unknown == 0:
            continue
        if item.status == _WORKING:
            a = agent_of(w.agents, item.agent)
            left = item.left * crew_of(w.crew, item.agent).k if a.shared != 0 else item.left
            schedule_item(w, slot, after(w, a.clock, item.since, left), FINISH)
        elif item.status == _DELAYED:
            pace = node_of(w.nodes, item.node).pace
            item.ready = paced_after(w, pace, item.since, item.left)
            if item.ready != UNKNOWN:
                item.ready = max(item.ready, material_of(w, item.order, item.node))
            schedule_item(w, slot, item.ready, READY)
            if item.unknown == 0:
                item.left = 0.0
    for number in range(w.n_collectors):
        if collector_of(w.collectors, number).unknown != 0:
            set_alarm(w, number, w.now)
    for number in range(w.n_clocks):
        clock = clock_of(w.clocks, number)
        if clock.awake == 2:
            clock.awake = 0
            wake(w, number, w.now)


def act(w: Record, command: int) -> int:
    """Do the command in the world; the status."""
    if command == _RUN:
        return _run(w)
    if command == _OPEN:
        _open(w)
    elif command == _CLOCKS:
        _lengthened(w)
    elif command == _RESCHEDULE:
        reschedule(w)
    elif command == _ANNOUNCE:
        return announce(w)
    elif command == _BITS:
        return philox(w.key0, w.key1, w.arg0, w.arg1, w.arg2, w.arg3)
    else:
        _next(w)
    return _DONE
