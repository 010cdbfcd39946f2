"""Lines: what waits, by (key, place, again, serial) in a pairing heap each; under averages a mere chain."""

from __future__ import annotations

import numpy as np

from metagraph import rules
from simulation.kernel_jit import Record, float_at, int_at, leaf, long_at, part
from simulation.kernel_numbers import beyond, law_number
from simulation.kernel_records import item_of, journey_of, line_of, node_of, order_of, policy_of, queue_of
from simulation.program import Rule
from simulation.session import WAITING

profit_at = leaf(rules.profit)
_FIFO, _HP, _SDD, _SERPT = int(Rule.FIFO), int(Rule.HP), int(Rule.SDD), int(Rule.SERPT)
_HPCS, _RULE, _RANK, _AVERAGE = int(Rule.HPCS), int(Rule.RULE), int(Rule.RANK), int(Rule.AVERAGE)
_LIFO = int(Rule.LIFO)
_WAITING = int(WAITING)
INFINITE = float("inf")


@leaf
def earlier(w: Record, one: int, two: int) -> bool:
    """Whether one item goes before another."""
    a, b = item_of(w.items, one), item_of(w.items, two)
    if a.key != b.key:
        return a.key < b.key
    if a.place != b.place:
        return a.place < b.place
    if a.again != b.again:
        return a.again < b.again
    return a.serial < b.serial


@leaf
def placed_earlier(w: Record, one: int, two: int) -> bool:
    """The same among items of one key."""
    a, b = item_of(w.items, one), item_of(w.items, two)
    if a.place != b.place:
        return a.place < b.place
    if a.again != b.again:
        return a.again < b.again
    return a.serial < b.serial


@leaf
def _tabulated(w: Record, first: int, stop: int, t: float) -> float:
    """metagraph.orders.tabulated of the points from first on."""
    i = first
    while i < stop and float_at(w.points, 2 * i) < t:
        i += 1
    if i == stop:
        return float_at(w.points, 2 * stop - 1)
    if i == first:
        return float_at(w.points, 2 * i + 1)
    t0, y0 = float_at(w.points, 2 * i - 2), float_at(w.points, 2 * i - 1)
    t1, y1 = float_at(w.points, 2 * i), float_at(w.points, 2 * i + 1)
    return y0 + (y1 - y0) * (t - t0) / (t1 - t0)


@part
def _profit(w: Record, order: int, t: float) -> float:
    if w.points != 0:
        first, stop = long_at(w.points_first, order), long_at(w.points_first, order + 1)
        if first < stop:
            return _tabulated(w, first, stop, t)
    o, p = order_of(w.orders, order), policy_of(w.policies, 0)
    early, due, late, final, lost = p.early, p.due, p.late, p.final, p.lost
    if w.curves != 0:
        at = 5 * order
        early, due, late = float_at(w.curves, at), float_at(w.curves, at + 1), float_at(w.curves, at + 2)
        final, lost = float_at(w.curves, at + 3), float_at(w.curves, at + 4)
    return profit_at(t, o.value, o.early_s, o.due_s, o.lost_s, early, due, late, final, lost)


@leaf
def working_law(w: Record, slot: int, queue: int) -> int:
    """The law of an item: of who worked on it, else of the first agent of the queue."""
    item = item_of(w.items, slot)
    journey = journey_of(w.journeys, item.journey)
    agent = item.agent
    if item.start != item.start:
        agent = first_agent(w, queue)
    return law_number(w, item.node, journey.cls, journey.segment, agent)


@leaf
def first_agent(w: Record, queue: int) -> int:
    """The first agent of a queue."""
    return int_at(w.queue_agents, queue_of(w.queues, queue).agent)


@part
def value(w: Record, slot: int, t: float) -> None:
    """Find what decides how urgent the item is, as of t."""
    item = item_of(w.items, slot)
    if w.needs_profit != 0:
        item.profit = _profit(w, item.order, t)
    if w.needs_rest != 0:
        item.rest = item.scale * beyond(w, working_law(w, slot, item.queue), item.done / item.scale)
        item.micros = int(np.rint(item.rest * 1e6))
    find_key(w, slot, t)


@part
def find_key(w: Record, slot: int, t: float) -> None:
    """Find by what the item is ordered in the lines of its queue."""
    item = item_of(w.items, slot)
    rule = queue_of(w.queues, item.queue).rule
    if rule in (_FIFO, _AVERAGE):
        item.key = 0.0
    elif rule == _HP:
        item.key = -item.profit
    elif rule == _SERPT:
        item.key = item.rest
    elif rule == _LIFO:
        item.key = -item.place
    else:
        order = order_of(w.orders, item.order)
        if rule == _SDD:
            item.key = order.due_s
        elif rule == _HPCS:
            item.key = -order.importance
        elif rule == _RULE:
            item.key = -order.rule
        else:
            item.key = rank(w, item.order, item.node)


@leaf
def rank(w: Record, order: int, node: int) -> float:
    """The schedule's rank of an order's task; infinite where it has none."""
    if w.ranks == 0:
        return INFINITE
    return float_at(w.ranks, order * w.n_tasks + node_of(w.nodes, node).task)


@leaf
def count(w: Record, queue: int, change: int, t: float) -> None:
    """More or fewer items of the queue wait from t on."""
    line = line_of(w.lines, queue)
    if t > line.changed:
        line.waiting_s += line.waiting * (t - line.changed)
        line.longest = max(line.longest, line.waiting)
        line.changed = t
    line.waiting += change


@leaf
def _meld(w: Record, one: int, two: int) -> int:
    """Of two heaps the one whose root is later goes under the other."""
    if earlier(w, two, one):
        one, two = two, one
    a, b = item_of(w.items, one), item_of(w.items, two)
    b.before = one
    b.sibling = a.child
    if a.child >= 0:
        item_of(w.items, a.child).before = two
    a.child = two
    return one


@part
def _meld_all(w: Record, first: int) -> int:
    """One heap out of a chain of siblings: by pairs from the left, then all from the right."""
    done = -1
    while first >= 0:
        second = int(item_of(w.items, first).sibling)
        following = -1
        both = first
        if second >= 0:
            following = int(item_of(w.items, second).sibling)
            both = _meld(w, first, second)
        item_of(w.items, both).sibling = done
        done = both
        first = following
    root = done
    if done >= 0:
        done = int(item_of(w.items, done).sibling)
    while done >= 0:
        following = int(item_of(w.items, done).sibling)
        root = _meld(w, root, done)
        done = following
    if root >= 0:
        item_of(w.items, root).sibling = -1
        item_of(w.items, root).before = -1
    return root


@part
def put(w: Record, slot: int, number: int, t: float) -> None:
    """The item waits in a line, as urgent as it was found."""
    item = item_of(w.items, slot)
    item.status = _WAITING
    enter_line(w, slot, number)
    line_of(w.lines, item.queue).micros += item.micros
    count(w, item.queue, 1, t)


@leaf
def enter_line(w: Record, slot: int, number: int) -> None:
    """The item stands in a line, at its place there."""
    item, line = item_of(w.items, slot), line_of(w.lines, number)
    item.line = number
    item.child = item.sibling = item.before = -1
    root = int(line.root)
    if root < 0:
        line.root = slot
    elif w.average != 0:
        item.sibling = root
        item_of(w.items, root).before = slot
        line.root = slot
    else:
        line.root = _meld(w, root, slot)


@part
def take(w: Record, slot: int, t: float) -> None:
    """The item waits no longer."""
    item = item_of(w.items, slot)
    line = line_of(w.lines, item.line)
    if w.average != 0:
        _unchain(w, slot, line)
    elif line.root == slot:
        line.root = -1 if item.child < 0 else _meld_all(w, item.child)
    else:
        before = item_of(w.items, item.before)
        if before.child == slot:
            before.child = item.sibling
        else:
            before.sibling = item.sibling
        if item.sibling >= 0:
            item_of(w.items, item.sibling).before = item.before
        if item.child >= 0:
            line.root = _meld(w, line.root, _meld_all(w, item.child))
    item.line = -1
    line_of(w.lines, item.queue).micros -= item.micros
    count(w, item.queue, -1, t)


@leaf
def _unchain(w: Record, slot: int, line: Record) -> None:
    item = item_of(w.items, slot)
    if item.before >= 0:
        item_of(w.items, item.before).sibling = item.sibling
    else:
        line.root = item.sibling
    if item.sibling >= 0:
        item_of(w.items, item.sibling).before = item.before
