"""What a session shows of itself: the log, and everything that lives."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

import numpy as np

from simulation.items import Item
from simulation.program import Records
from simulation.run import Log, floats, frozen, ints
from simulation.session import DELAYED, JOURNEY, LIVE, WORKING
from simulation.tokens import Journey


def log_of(items: Sequence[Item]) -> Log:
    """A row for each item that was begun, by serial."""
    begun = sorted(items, key=lambda item: item.serial)
    return Log(
        order=ints([i.journey.order for i in begun]),
        node=ints([i.task.node for i in begun]),
        agent=ints([i.agent for i in begun]),
        queue=ints([i.queue for i in begun]),
        enabled_s=floats([i.enabled for i in begun]),
        ready_s=floats([i.ready for i in begun]),
        start_s=floats([i.start for i in begun]),
        end_s=floats([i.end for i in begun]),
        preemptions=ints([i.preemptions for i in begun]),
    )


def live_of(items: Sequence[Item], at_s: float, progress: Sequence[float]) -> Records:
    """LIVE records of items by serial; `progress` is the work done on each since it was counted last."""
    rows = [
        (
            item.serial,
            item.journey.order,
            item.task.node,
            item.visit,
            item.status,
            item.agent,
            item.queue,
            item.after,
            item.again,
            item.preemptions,
            item.enabled,
            item.ready,
            nan if item.status == DELAYED else item.place,
            item.start,
            at_s if item.status == WORKING else nan,
            item.done + worked_s,
            max(item.left - worked_s, 0.0),
            item.finish if item.status == WORKING else nan,
        )
        for item, worked_s in zip(items, progress, strict=True)
    ]
    return frozen(np.array(rows, LIVE))


def journeys_of(journeys: Sequence[Journey]) -> Records:
    """JOURNEY records."""
    return frozen(np.array([(j.order, j.tokens, j.steps, j.history) for j in journeys], JOURNEY))
