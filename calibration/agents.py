"""Agents, their roles and capacities, and the queues through which work reaches them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.calendars import Timetable, fit_calendars
from calibration.extra_hours import with_extra_hours
from calibration.hands import TOLD, Hands, Slowing, fit_capacity, fit_sharing, hands
from calibration.holidays import Holidays, find_holidays
from calibration.local_time import Floats, WeekClock, local_time
from calibration.settings import Settings
from calibration.shifts import draw_shifts, open_hours, with_enough, with_holidays
from calibration.together import Together, find_together, no_batches
from calibration.window import Window
from eventlogs.snapshot import NO_RESOURCE, Snapshot
from metagraph.agents import UNLIMITED, Agent, Queue
from metagraph.calendars import Calendar
from metagraph.model import Default

MISSING = 0.5
"""A task with a larger share of executions without a resource needs nobody."""
RARE = 5
"""An agent with fewer executions takes the role whose tasks include its own."""
MAIN = 0.1
"""Tasks that make up at least this share of an agent's work define its role."""


@dataclass(frozen=True, slots=True, eq=False)
class Resources:
    """Everything about who works."""

    agents: tuple[Agent, ...]
    queues: tuple[Queue, ...]
    calendars: tuple[Calendar, ...]
    queue_of: Mapping[str, str]
    """Queue id of each activity that needs somebody."""
    agentless: NDArray[np.bool_]
    """Per activity."""
    capacity: NDArray[np.int64]
    """Per resource of the snapshot."""
    timetable: Timetable
    hands: Hands
    together: Together
    """What is done on several orders at once, if anybody asks for it."""
    shared: NDArray[np.bool_]
    """Per resource: what it has in hand goes on at a rate that shrinks with the number."""
    defaults: tuple[Default, ...]
    facts: Mapping[str, str]
    """What was found, in words."""

    def clock(self, activity: int, resource: int) -> WeekClock:
        """The clock by which an execution's work runs."""
        if resource == NO_RESOURCE or self.agentless[activity]:
            return self.timetable.always
        return self.timetable.clocks[resource]


def fit_resources(window: Window, settings: Settings) -> Resources:
    """Agents, queues and calendars of the window's rows."""
    snapshot = window.snapshot
    ends = np.fmax(snapshot.end_s, snapshot.start_s)
    last = max(float(np.max(ends, initial=0.0)), snapshot.until_s)
    local = local_time(
        snapshot.origin, float(np.min(snapshot.start_s, initial=last)), last, settings.time_zone
    )
    work = _work_counts(window)
    roles, role_names = fit_roles(work, snapshot.activities)
    timetable = fit_calendars(window, local, roles, settings)
    off = find_holidays(snapshot, local, settings.holidays) if settings.use_calendars else Holidays()
    free = off.days(snapshot.origin)
    if settings.drawn_shifts:
