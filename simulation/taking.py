"""What a session shows of itself: the log, and everything that lives."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

import numpy as np

from simulation.items import Item
from simulation.program import Records
from simulation.run import Log, floats, frozen, ints
from simulation.session import COLLECTED, DELAYED, FOLLOWING, JOURNEY, LIVE, WORKING
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
    rows = [_row(item, at_s, worked_s) for item, worked_s in zip(items, progress, strict=True)]
    return frozen(np.array(rows, LIVE))


def journeys_of(journeys: Sequence[Journey]) -> Records:
    """JOURNEY records."""
    return frozen(np.array([(j.order, j.tokens, j.steps, j.history) for j in journeys], JOURNEY))


def _row(item: Item, at_s: float, worked_s: float) -> tuple[float, ...]:
    """A LIVE record; what follows another one is shown as that one is."""
    shown = item.leader or item
    status = WORKING if shown.status == FOLLOWING else shown.status
    working, early = status == WORKING, status in (DELAYED, COLLECTED)
    return (
        item.serial,
        item.journey.order,
        item.task.node,
        item.visit,
        status,
        shown.agent,
        shown.queue,
        item.after,
        shown.again,
        shown.preemptions,
        item.enabled,
        shown.ready,
        nan if early else shown.place,
        shown.start,
        item.since if status == COLLECTED else at_s if working else nan,
        shown.done + worked_s,
        max(shown.left - worked_s, 0.0),
        shown.finish if working else nan,
        shown.scale,
        -1 if item.leader is None else item.leader.serial,
    )
