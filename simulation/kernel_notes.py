"""A scratch list of items, for what has to be done to several of them in an order."""

from __future__ import annotations

from simulation.kernel_jit import Record, int_at, leaf, part, put_int
from simulation.kernel_lines import earlier
from simulation.kernel_records import item_of, line_of


@leaf
def noted(w: Record, i: int) -> int:
    """The i-th item of the list."""
    return int_at(w.slot_scratch, i)


@leaf
def note(w: Record, i: int, slot: int) -> None:
    """Make the item the i-th of the list."""
    put_int(w.slot_scratch, i, slot)


@part
def note_line(w: Record, number: int, start: int) -> int:
    """Note what waits in a line, in its order, from place `start` on; gives the place behind the last."""
    slot = line_of(w.lines, number).root
    if slot < 0:
        return start
    note(w, start, slot)
    at, n = start, start + 1
    while at < n:
        item = item_of(w.items, noted(w, at))
        if item.child >= 0:
            note(w, n, item.child)
            n += 1
        if item.sibling >= 0:
            note(w, n, item.sibling)
            n += 1
        at += 1
    _sort(w, start, n)
    return n


@leaf
def _sort(w: Record, start: int, stop: int) -> None:
    """Heap sort by `earlier`."""
    n = stop - start
    for root in range(n // 2 - 1, -1, -1):
        _sink(w, start, root, n)
    for last in range(n - 1, 0, -1):
        slot = noted(w, start + last)
        note(w, start + last, noted(w, start))
        note(w, start, slot)
        _sink(w, start, 0, last)


@part
def _sink(w: Record, start: int, i: int, n: int) -> None:
    slot = noted(w, start + i)
    while True:
        below = 2 * i + 1
        if below >= n:
            break
        if below + 1 < n and earlier(w, noted(w, start + below), noted(w, start + below + 1)):
            below += 1
        if not earlier(w, slot, noted(w, start + below)):
            break
        note(w, start + i, noted(w, start + below))
        i = below
    note(w, start + i, slot)
