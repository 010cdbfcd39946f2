"""Which queue of its task an item joins."""

from __future__ import annotations

from simulation.kernel_clocks import INFINITE
from simulation.kernel_jit import Record, byte_at, float_at, int_at, leaf, part, put_float
from simulation.kernel_lines import first_agent
from simulation.kernel_numbers import beyond, law_number, recorded, uniform
from simulation.kernel_records import (
    crew_of,
    item_of,
    journey_of,
    line_of,
    node_of,
    policy_of,
    queue_of,
    recorded_of,
)
from simulation.kernel_working import rest_now
from simulation.program import Assign
from simulation.streams import Purpose

_QUEUE = int(Purpose.QUEUE)
_JFQ, _JAQ, _JDQ = int(Assign.JFQ), int(Assign.JAQ), int(Assign.JDQ)


@part
def _response(w: Record, slot: int, number: int, t: float) -> float:
    """Expected seconds until the item is done if it joins the queue."""
    line, queue = line_of(w.lines, number), queue_of(w.queues, number)
    total = line.micros * 1e-6
    for i in range(queue.agent, queue.agent + queue.agents):
        other = int(crew_of(w.crew, int_at(w.queue_agents, i)).head)
        while other >= 0:
            total += rest_now(w, other, t)
            other = int(item_of(w.items, other).mate_next)
    item = item_of(w.items, slot)
    journey = journey_of(w.journeys, item.journey)
    agent = int(item.agent)
    if item.start != item.start:
        agent = first_agent(w, number)
    law = law_number(w, item.node, journey.cls, journey.segment, agent)
    return total / max(line.present, 1) + item.scale * beyond(w, law, item.done / item.scale)


@part
def choose(w: Record, slot: int, t: float) -> None:
    """The item gets a queue of its task."""
    item = item_of(w.items, slot)
    node = node_of(w.nodes, item.node)
    if node.queues == 1:
        item.queue = int_at(w.task_queues, node.queue)
    else:
        item.queue = _choice(w, slot, t)


@part
def _choice(w: Record, slot: int, t: float) -> int:
    """The queue of several that the item joins: a schedule's, or by the assignment rule, ties by lot."""
    item = item_of(w.items, slot)
    node = node_of(w.nodes, item.node)
    first, n = node.queue, node.queues
    anyone = anyone_for(w, item.node)
    named = _named(w, slot, anyone)
    if named >= 0:
        return named
    meant = _any_meant(w, slot, anyone)
    least, ties = INFINITE, 0
    for i in range(n):
        number = int_at(w.task_queues, first + i)
        mine = INFINITE
        if (line_of(w.lines, number).present > 0 or not anyone) and (not meant or _meant(w, slot, number)):
            mine = _rating(w, slot, number, t)
        put_float(w.scratch, i, mine)
        if mine < least:
            least, ties = mine, 1
        elif mine == least:
            ties += 1
    skip = 0
    if ties > 1:
        known = recorded(w, item.order, item.node, item.visit)
        if known >= 0:
            for i in range(n):
                if (
                    float_at(w.scratch, i) == least
                    and int_at(w.task_queues, first + i) == recorded_of(w.recorded, known).queue
                ):
                    return int_at(w.task_queues, first + i)
        skip = int(uniform(w, item.order, item.node, item.visit, _QUEUE) * ties)
    for i in range(n):
        if float_at(w.scratch, i) == least:
            if skip == 0:
                return int_at(w.task_queues, first + i)
            skip -= 1
    return int_at(w.task_queues, first)


@leaf
def _rating(w: Record, slot: int, number: int, t: float) -> float:
    """What of several queues the one joined has least of."""
    assign = policy_of(w.policies, 0).assign
    if assign == _JFQ:
        return _response(w, slot, number, t)
    return 0.0 if assign == _JAQ else float(line_of(w.lines, number).load)


@leaf
def _named(w: Record, slot: int, anyone: bool) -> int:
    """The queue that a schedule names, if it is the task's and attended as far as any is; else -1."""
    item = item_of(w.items, slot)
    node = node_of(w.nodes, item.node)
    found = -1
    if w.assigned != 0:
        named = int_at(w.assigned, item.order * w.n_tasks + node.task)
        for i in range(node.queue, node.queue + node.queues):
            if int_at(w.task_queues, i) == named and (line_of(w.lines, named).present > 0 or not anyone):
                found = named
    return found


@leaf
def _meant(w: Record, slot: int, number: int) -> bool:
    """Whether the queue is designated for the item's order."""
    return byte_at(w.designated, item_of(w.items, slot).order * w.n_queues + number) != 0


@leaf
def _any_meant(w: Record, slot: int, anyone: bool) -> bool:
    """Whether only queues that are designated for the order are chosen among: under JDQ, if there is one."""
    found = False
    if policy_of(w.policies, 0).assign == _JDQ and w.designated != 0:
        node = node_of(w.nodes, item_of(w.items, slot).node)
        for i in range(node.queue, node.queue + node.queues):
            number = int_at(w.task_queues, i)
            if (line_of(w.lines, number).present > 0 or not anyone) and _meant(w, slot, number):
                found = True
    return found


@leaf
def anyone_for(w: Record, number: int) -> bool:
    """Whether a queue of the task has an agent present."""
    node = node_of(w.nodes, number)
    anyone = False
    for i in range(node.queue, node.queue + node.queues):
        if line_of(w.lines, int_at(w.task_queues, i)).present > 0:
            anyone = True
    return anyone
