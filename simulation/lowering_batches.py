"""Batches of a metagraph as arrays, and their times of the week as clocks."""

from __future__ import annotations

from datetime import datetime
from math import inf

import numpy as np

from metagraph.batches import Batch
from metagraph.calendars import Calendar
from metagraph.errors import DataError
from metagraph.model import Metagraph
from metagraph.nodes import Task
from simulation.clocks import ClockPlan
from simulation.lowering_laws import Laws
from simulation.program import BATCH, Records

_INSTANT_S = 0.5
"""How long an interval is whose beginning is one of a batch's times, which are whole seconds apart."""


def lower_batches(metagraph: Metagraph, nodes: Records, laws: Laws, clocks: int) -> Records:
    """BATCH of each task that has one, numbered in `nodes`; their clocks come after those of agents.

    Raises DataError for a batch that could hold an order for ever.
    """
    found = _batches(metagraph)
    records = np.zeros(len(found), BATCH)
    for number, (record, (i, task, batch)) in enumerate(zip(records, found, strict=True)):
        if batch.wait_s is None and not batch.times:
            raise DataError(f"the batch of task {task.id!r} could hold an order for ever: give it wait_s")
        if batch.kind == "simultaneous" and task.preemptible:
            raise DataError(
                f"task {task.id!r} is done for several orders at once and can be interrupted: both can't be; "
                "forbid one of them"
            )
        nodes[i]["batch"] = number
        record["node"] = i
        record["simultaneous"] = batch.kind == "simultaneous"
        record["law"] = -1 if batch.size is None else laws.number(batch.size)
        record["clock"] = clocks + number
        record["wait_s"] = inf if batch.wait_s is None else batch.wait_s
        record["per_item"] = batch.per_item
    return records


def batch_clocks(metagraph: Metagraph, origin: datetime, earliest_s: float) -> tuple[ClockPlan | None, ...]:
    """One for each batch, in the order of nodes; None: it has no times of the week."""
    found: list[ClockPlan | None] = []
    for _, task, batch in _batches(metagraph):
        hours = tuple((t, t + _INSTANT_S) for t in batch.times)
        calendar = Calendar(f"times of {task.id}", hours, batch.time_zone)
        found.append(ClockPlan(calendar, origin, earliest_s) if hours else None)
    return tuple(found)


def _batches(metagraph: Metagraph) -> list[tuple[int, Task, Batch]]:
    """Nodes that collect, with their numbers."""
    return [
        (i, node, node.batch)
        for i, node in enumerate(metagraph.nodes)
        if isinstance(node, Task) and node.batch is not None
    ]
