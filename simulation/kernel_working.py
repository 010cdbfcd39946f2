"""Work on items: beginning, interrupting, sharing an agent's time, and leaving its hands."""

from __future__ import annotations

import math

from simulation.kernel_agenda import FINISH, item_code, item_place, push, remove
from simulation.kernel_clocks import INFINITE, UNKNOWN, after, between
from simulation.kernel_crew import occupy, vacate
from simulation.kernel_jit import Record, float_at, leaf, long_at, part, put_float, put_long
from simulation.kernel_lines import value
from simulation.kernel_numbers import beyond, draw, law_number, quantile, recorded
from simulation.kernel_records import (
    agent_of,
    crew_of,
    item_of,
    journey_of,
    law_of,
    policy_of,
    recorded_of,
)
from simulation.session import WORKING
from simulation.streams import Purpose

_WORK = int(Purpose.WORK)
_WORKING = int(WORKING)


@leaf
def schedule_item(w: Record, slot: int, t: float, event: int) -> None:
    """The item's work or delay ends at t; where t lies beyond what its clock knows, that is found later."""
    item = item_of(w.items, slot)
    item.finish = t
    item.unknown = 0
    if t == UNKNOWN:
        item.unknown = 1
        item.finish = INFINITE
    elif t < INFINITE:
        push(w, t, item_code(event, item.order, item.serial), item_place(w, slot))


@part
def _work(w: Record, slot: int, number: int) -> float:
    """The work of an item under a law: as it was, at the level it was, or drawn."""
    item = item_of(w.items, slot)
    known = recorded(w, item.order, item.node, item.visit)
    if known >= 0:
        row = recorded_of(w.recorded, known)
        if not math.isnan(row.work_s) and (row.law < 0 or row.law == number):
            return row.work_s
        if row.level > 0.0 and law_of(w.laws, number).fixed == 0:
            return quantile(w, number, row.level)
    return draw(w, number, item.order, item.node, item.visit, _WORK)


@part
def begin(w: Record, slot: int, agent: int, t: float) -> None:
    """The agent (-1: nobody) begins work on the item, or resumes it."""
    item = item_of(w.items, slot)
    journey = journey_of(w.journeys, item.journey)
    if item.start != item.start:
        number = law_number(w, item.node, journey.cls, journey.segment, agent)
        item.left = item.scale * _work(w, slot, number)
        item.done = 0.0
        item.start = t
        put_long(w.started, item.node, long_at(w.started, item.node) + 1)
        put_float(w.wait_s, item.node, float_at(w.wait_s, item.node) + (t - item.enabled))
    else:
        if agent != item.agent:
            number = law_number(w, item.node, journey.cls, journey.segment, agent)
            total = item.scale * _work(w, slot, number)
            whole = item.done + item.left
            share = item.done / whole if whole > 0.0 else 0.0
            item.done = share * total
            item.left = total - item.done
        item.left += policy_of(w.policies, 0).penalty_s
    if item.follow >= 0:
        _begin_others(w, slot, agent, t)
    hold(w, slot, agent, t)


@part
def _begin_others(w: Record, slot: int, agent: int, t: float) -> None:
    """Work on all that follow the item begins with it."""
    leader = item_of(w.items, slot)
    other = int(leader.follow)
    while other >= 0:
        item = item_of(w.items, other)
        item.agent, item.queue = agent, leader.queue
        if item.start != item.start:
            item.start = t
            put_long(w.started, item.node, long_at(w.started, item.node) + 1)
            put_float(w.wait_s, item.node, float_at(w.wait_s, item.node) + (t - item.enabled))
        other = int(item.sibling)


@part
def hold(w: Record, slot: int, agent: int, t: float) -> None:
    """The item is in the agent's hands from t on, with what is done and left of it."""
    item = item_of(w.items, slot)
    item.status = _WORKING
    item.agent = agent
    item.since = t
    if agent < 0:
        schedule_item(w, slot, t + item.left, FINISH)
        return
    a, crew = agent_of(w.agents, agent), crew_of(w.crew, agent)
    if a.shared != 0:
        settle(w, agent, t)
    occupy(w, agent)
    item.mate_next = -1
    item.mate_before = crew.tail
    if crew.tail >= 0:
        item_of(w.items, crew.tail).mate_next = slot
    else:
        crew.head = slot
    crew.tail = slot
    crew.k += 1
    if a.shared != 0:
        _finish_anew(w, agent, t)
    else:
        schedule_item(w, slot, after(w, a.clock, t, item.left), FINISH)


@part
def settle(w: Record, agent: int, t: float) -> None:
    """What an agent did since it was counted last is counted."""
    a, crew = agent_of(w.agents, agent), crew_of(w.crew, agent)
    slot = int(crew.head)
    while slot >= 0:
        item = item_of(w.items, slot)
        if item.since < t:
            moved = between(w, a.clock, item.since, t)
            if a.shared != 0:
                moved /= crew.k
            item.done += moved
            item.left = max(item.left - moved, 0.0)
            item.since = t
            crew.busy_s += moved
        slot = int(item.mate_next)


@part
def _finish_anew(w: Record, agent: int, t: float) -> None:
    a, crew = agent_of(w.agents, agent), crew_of(w.crew, agent)
    slot = int(crew.head)
    while slot >= 0:
        item = item_of(w.items, slot)
        remove(w, item_place(w, slot))
        schedule_item(w, slot, after(w, a.clock, t, item.left * crew.k), FINISH)
        slot = int(item.mate_next)


@part
def progress(w: Record, slot: int, t: float) -> float:
    """Seconds of work done on the item since it was counted last."""
    item = item_of(w.items, slot)
    if item.agent < 0:
        return t - item.since
    a = agent_of(w.agents, item.agent)
    moved = between(w, a.clock, item.since, t)
    if a.shared != 0:
        moved /= crew_of(w.crew, item.agent).k
    return moved


@part
def rest_now(w: Record, slot: int, t: float) -> float:
    """Expected remaining work of an item that is worked on."""
    item = item_of(w.items, slot)
    journey = journey_of(w.journeys, item.journey)
    number = law_number(w, item.node, journey.cls, journey.segment, item.agent)
    return item.scale * beyond(w, number, (item.done + progress(w, slot, t)) / item.scale)


@part
def let_go(w: Record, slot: int, t: float, finished: bool) -> None:
    """The item leaves its agent's hands; the agent's place stays taken."""
    item = item_of(w.items, slot)
    agent = int(item.agent)
    a, crew = agent_of(w.agents, agent), crew_of(w.crew, agent)
    if finished:
        crew.busy_s += item.left
        item.done += item.left
        item.left = 0.0
        item.since = t
        if a.shared != 0:
            settle(w, agent, t)
    elif a.shared != 0:
        settle(w, agent, t)
    else:
        moved = between(w, a.clock, item.since, t)
        item.done += moved
        item.left = max(item.left - moved, 0.0)
        item.since = t
        crew.busy_s += moved
    remove(w, item_place(w, slot))
    item.unknown = 0
    item.finish = INFINITE
    if item.mate_before >= 0:
        item_of(w.items, item.mate_before).mate_next = item.mate_next
    else:
        crew.head = item.mate_next
    if item.mate_next >= 0:
        item_of(w.items, item.mate_next).mate_before = item.mate_before
    else:
        crew.tail = item.mate_before
    crew.k -= 1
    if a.shared != 0:
        _finish_anew(w, agent, t)


@part
def interrupt(w: Record, slot: int, t: float, counted: bool) -> None:
    """Work on the item stops, and its agent has a place more; the item must be put into a line then."""
    item = item_of(w.items, slot)
    agent = int(item.agent)
    let_go(w, slot, t, False)
    vacate(w, agent)
    if policy_of(w.policies, 0).back != 0:
        item.place = t
        item.again = 1
    if counted:
        item.halted = t
        item.preemptions += 1
        crew_of(w.crew, agent).preempted += 1
    value(w, slot, t)
