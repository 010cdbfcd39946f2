"""Averages of rules: items of a set scored against the best of it."""

from __future__ import annotations

from metagraph import rules
from simulation.kernel_clocks import INFINITE, on_shift
from simulation.kernel_jit import Record, int_at, leaf, part
from simulation.kernel_lines import placed_earlier
from simulation.kernel_records import (
    agent_of,
    crew_of,
    item_of,
    line_of,
    node_of,
    order_of,
    policy_of,
    queue_of,
)
from simulation.kernel_working import rest_now
from simulation.program import Part

gain_score = leaf(rules.gain_score)
urgency_score = leaf(rules.urgency_score)
quickness_score = leaf(rules.quickness_score)
_HP, _SDD, _SERPT, _HPCS = int(Part.HP), int(Part.SDD), int(Part.SERPT), int(Part.HPCS)


@leaf
def _forget_bests(w: Record) -> None:
    """A set begins: nothing is in it."""
    w.best_profit = w.best_importance = -INFINITE
    w.first_release = w.least_time = w.least_work = INFINITE


@leaf
def _regard(w: Record, slot: int, again: bool, rest: float) -> None:
    """The item, with so much expected work left, is in the set; `again` once its first release is known."""
    item = item_of(w.items, slot)
    order = order_of(w.orders, item.order)
    if again:
        time = order.due_s - w.first_release
        if time > 0.0:
            w.least_time = min(w.least_time, time)
        return
    w.best_profit = max(w.best_profit, item.profit)
    w.best_importance = max(w.best_importance, order.importance)
    w.first_release = min(w.first_release, order.release_s)
    w.least_work = min(w.least_work, rest)


@part
def score(w: Record, slot: int, rest: float) -> float:
    """The mean of the item's scores in the set that was regarded."""
    item = item_of(w.items, slot)
    order = order_of(w.orders, item.order)
    parts = policy_of(w.policies, 0).parts
    total, n = 0.0, 0
    if parts & _HP:
        total += gain_score(item.profit, w.best_profit)
        n += 1
    if parts & _SDD:
        total += urgency_score(order.due_s - w.first_release, w.least_time)
        n += 1
    if parts & _SERPT:
        total += quickness_score(rest, w.least_work)
        n += 1
    if parts & _HPCS:
        total += gain_score(order.importance, w.best_importance)
        n += 1
    return total / n


@leaf
def _regard_line(w: Record, number: int, again: bool) -> None:
    slot = line_of(w.lines, number).root
    while slot >= 0:
        _regard(w, slot, again, item_of(w.items, slot).rest)
        slot = item_of(w.items, slot).sibling


@leaf
def _looks(w: Record) -> int:
    """How often a set must be gone through: due dates need its first release first."""
    return 2 if policy_of(w.policies, 0).parts & _SDD else 1


@leaf
def _alone(w: Record, at: int, first: int, n: int, own: int) -> int:
    """The one item in these lines if there is one only; -1: none, -2: several."""
    found = -1
    for i in range(first, first + n + (1 if own >= 0 else 0)):
        line = line_of(w.lines, own if i == first + n else int_at(at, i))
        root = line.root
        if root >= 0 and (line.left_out == 0 or i == first + n):
            if found != -1 or item_of(w.items, root).sibling >= 0:
                return -2
            found = root
    return found


@part
def highest(w: Record, at: int, first: int, n: int, own: int) -> int:
    """The item with the highest score among all that waits in these lines, `own` too; -1: nothing does."""
    best = _alone(w, at, first, n, own)
    if best > -2:
        return best
    stop = first + n + (1 if own >= 0 else 0)
    _forget_bests(w)
    for k in range(_looks(w)):
        for i in range(first, stop):
            number = own if i == first + n else int_at(at, i)
            if line_of(w.lines, number).left_out == 0 or i == first + n:
                _regard_line(w, number, k == 1)
    best, most = -1, -1.0
    for i in range(first, stop):
        line = line_of(w.lines, own if i == first + n else int_at(at, i))
        slot = -1 if line.left_out != 0 and i < first + n else line.root
        while slot >= 0:
            mine = score(w, slot, item_of(w.items, slot).rest)
            if mine > most or (mine == most and placed_earlier(w, slot, best)):
                best, most = slot, mine
            slot = item_of(w.items, slot).sibling
    return best


@leaf
def may_stop(w: Record, slot: int) -> bool:
    """Whether work on the item can be interrupted by something more urgent."""
    item = item_of(w.items, slot)
    return node_of(w.nodes, item.node).preemptible != 0 and item.preemptions < policy_of(w.policies, 0).cap


@leaf
def _any_may_stop(w: Record, number: int, first: int, n: int, t: float) -> bool:
    for i in range(first, first + n):
        agent = int_at(w.queue_agents, i) if number < w.n_queues else number - w.n_queues
        other = crew_of(w.crew, agent).head
        while other >= 0:
            if may_stop(w, other):
                return True
            other = item_of(w.items, other).mate_next
    return False


@part
def lowest(w: Record, number: int, slot: int, t: float) -> int:
    """What those who serve the line work on and has the lowest score, if the item's is higher; or -1."""
    first, n = 0, 1
    if number < w.n_queues:
        queue = queue_of(w.queues, number)
        first, n = queue.agent, queue.agents
    if not _any_may_stop(w, number, first, n, t):
        return -1
    _forget_bests(w)
    for k in range(_looks(w)):
        _regard_line(w, number, k == 1)
        for i in range(first, first + n):
            agent = int_at(w.queue_agents, i) if number < w.n_queues else number - w.n_queues
            other = crew_of(w.crew, agent).head
            while other >= 0:
                _regard(w, other, k == 1, 0.0 if k == 1 else rest_now(w, other, t))
                other = item_of(w.items, other).mate_next
    victim, least = -1, INFINITE
    for i in range(first, first + n):
        agent = int_at(w.queue_agents, i) if number < w.n_queues else number - w.n_queues
        other = crew_of(w.crew, agent).head
        if other >= 0 and not on_shift(w, agent_of(w.agents, agent).clock, t):
            other = -1
        while other >= 0:
            if may_stop(w, other):
                mine = score(w, other, rest_now(w, other, t))
                if mine < least or (mine == least and placed_earlier(w, victim, other)):
                    victim, least = other, mine
            other = item_of(w.items, other).mate_next
    if victim >= 0 and score(w, slot, item_of(w.items, slot).rest) > least:
        return victim
    return -1
