"""The agenda: a binary heap of what is to happen, by (time, rank, id); nothing has two events in it."""

from __future__ import annotations

from simulation.kernel_jit import Record, int_at, leaf, part, put_int
from simulation.kernel_records import event_of

SHIFT, FINISH, PRESENCE, READY, RELEASE, BATCH, LOSS = 0, 1, 2, 3, 4, 5, 6
RANK = 60
_ORDER = 32
"""Bits of an event's code below its rank, and below the order of an item's event."""


@leaf
def item_place(w: Record, slot: int) -> int:
    """Where the place of an item's event in the heap is noted."""
    return w.n_clocks + 2 * slot


@leaf
def journey_place(w: Record, slot: int) -> int:
    """Where that of an order's lost-sale date is."""
    return w.n_clocks + 2 * slot + 1


@leaf
def item_code(rank: int, order: int, serial: int) -> int:
    """The code of an item's event."""
    return rank << RANK | int(order) << _ORDER | serial


@leaf
def _put(w: Record, i: int, t: float, code: int, who: int) -> None:
    event = event_of(w.events, i)
    event.t = t
    event.code = code
    event.who = who
    put_int(w.places, who, i)


@leaf
def _rise(w: Record, i: int, t: float, code: int, who: int) -> None:
    while i > 0:
        above = (i - 1) >> 1
        other = event_of(w.events, above)
        if other.t < t or (other.t == t and other.code < code):
            break
        _put(w, i, other.t, other.code, other.who)
        i = above
    _put(w, i, t, code, who)


@leaf
def _sink(w: Record, i: int, t: float, code: int, who: int) -> None:
    n = w.n_events
    while True:
        below = 2 * i + 1
        if below >= n:
            break
        other = event_of(w.events, below)
        if below + 1 < n:
            second = event_of(w.events, below + 1)
            if second.t < other.t or (second.t == other.t and second.code < other.code):
                other = second
                below += 1
        if t < other.t or (t == other.t and code < other.code):
            break
        _put(w, i, other.t, other.code, other.who)
        i = below
    _put(w, i, t, code, who)


@part
def push(w: Record, t: float, code: int, who: int) -> None:
    """Something new is to happen at t."""
    i = w.n_events
    w.n_events = i + 1
    _rise(w, i, t, code, who)


@part
def remove(w: Record, who: int) -> None:
    """What was to happen to `who`, if anything, won't."""
    i = int_at(w.places, who)
    if i < 0:
        return
    put_int(w.places, who, -1)
    n = w.n_events - 1
    w.n_events = n
    if i == n:
        return
    last = event_of(w.events, n)
    t, code, other = last.t, last.code, last.who
    above = event_of(w.events, (i - 1) >> 1) if i > 0 else last
    if i > 0 and (t < above.t or (t == above.t and code < above.code)):
        _rise(w, i, t, code, other)
    else:
        _sink(w, i, t, code, other)


@leaf
def pop(w: Record) -> None:
    """The first event is taken away."""
    put_int(w.places, event_of(w.events, 0).who, -1)
    n = w.n_events - 1
    w.n_events = n
    if n > 0:
        last = event_of(w.events, n)
        _sink(w, 0, last.t, last.code, last.who)
