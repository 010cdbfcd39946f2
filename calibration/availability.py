"""When agents could have taken work, and when they had their hands full."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calibration.agents import Resources
from calibration.spans import Spans, both, spans_where, union, without
from eventlogs.snapshot import Snapshot

GAP_S = 60.0
"""A pause between two executions that is shorter counts as work."""

_EMPTY = Spans(np.empty(0), np.empty(0))


@dataclass(frozen=True, slots=True, eq=False)
class Availability:
    """The time of every resource of a snapshot."""

    busy: tuple[Spans, ...]
    """On shift and at capacity."""
    free: tuple[Spans, ...]
    """On shift and below capacity, for at least GAP_S."""

    def pool(self, members: tuple[int, ...]) -> Spans:
        """When at least one of them was free."""
        return union([self.free[i] for i in members])


def find_availability(snapshot: Snapshot, resources: Resources) -> Availability:
    """From calendars, capacities and all executions of the log that have a length."""
    held = resources.hands
    times, level = held.times, held.level
    bounds = np.searchsorted(held.who, np.arange(len(snapshot.resources) + 1))
    shifts = {clock: Spans(*clock.spans()) for clock in resources.timetable.clocks}
    busy, free = [], []
    for i, clock in enumerate(resources.timetable.clocks):
        mine = slice(bounds[i], bounds[i + 1])
        full = spans_where(times[mine], level[mine] >= resources.capacity[i])
        busy.append(both(shifts[clock], full) if len(full.start) else _EMPTY)
        free.append(without(shifts[clock], full).longer_than(GAP_S) if len(full.start) else shifts[clock])
    return Availability(tuple(busy), tuple(free))
