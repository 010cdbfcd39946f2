"""Hours at which work can end: those of the agents who do it, by their calendars."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from metagraph.calendars import WEEK_S, Calendar, merge, week_intervals
from metagraph.distributions import Constant
from metagraph.model import Metagraph
from metagraph.nodes import Task
from twin.words import serving

Floats = NDArray[np.float64]
_BEYOND = 8
"""Weeks after the last instant for which hours are known: holidays may close some."""


@dataclass(frozen=True, slots=True, eq=False)
class OpenHours:
    """Intervals at which somebody may work; seconds since the origin, ascending, apart."""

    starts: Floats
    ends: Floats

    def open_at(self, t: Floats) -> NDArray[np.bool_]:
        """Whether work can end then; both ends of an interval count."""
        at = np.searchsorted(self.starts, t, side="right") - 1
        inside: NDArray[np.bool_] = (at >= 0) & (t <= self.ends[np.maximum(at, 0)])
        return inside

    def next_open(self, t: Floats) -> Floats:
        """The first instant from each on at which work can end; itself beyond what is known."""
        after = np.searchsorted(self.starts, t, side="right")
        next_s = np.append(self.starts, np.nan)[after]
        return np.where(self.open_at(t) | np.isnan(next_s), t, next_s)

    def spread(self, t: Floats, soonest_s: float) -> Floats:
        """Ascending instants with none in closed hours, or before `soonest_s`, which is open.

        Those in the first half of closed hours go to the open ones before, the others to those after, and lie
        there as evenly, over as much time if there is: at the instant of opening nothing piles up.
        """
        at = np.searchsorted(self.starts, t, side="right") - 1
        shut = ~self.open_at(t) & (at + 1 < len(self.starts))
        if not shut.any():
            return t
        moved, i = t.copy(), at[shut]
        before, some = np.maximum(i, 0), t[shut]
        low, high = np.where(i >= 0, self.ends[before], some.min()), self.starts[i + 1]
        first, last = np.maximum(self.starts[before], soonest_s), self.ends[i + 1]
        # Into hours that are over nothing goes back.
        free = (i >= 0) & (low > first)
        half = (high - low) / 2
        back = free & (some < low + half)
        since = np.where(back | ~free, low, low + half)
        share = (some - since) / np.where(free, half, high - low)
        room = np.minimum(np.where(back, low - first, last - high), half)
        moved[shut] = np.where(back, low - room, high) + np.clip(share, 0.0, 1.0) * room
        found: Floats = np.sort(moved)
        return found


def end_hours(metagraph: Metagraph, origin: datetime, from_s: float, to_s: float) -> OpenHours | None:
    """When orders can end: when somebody may do a task after which nothing is left; None: at any time."""
    return task_hours(metagraph, list(_last(metagraph)), origin, from_s, to_s)


def task_hours(
    metagraph: Metagraph, tasks: Collection[Task], origin: datetime, from_s: float, to_s: float
) -> OpenHours | None:
    """When one of these tasks can end; None: at any time, as with tasks that need nobody."""
    of = {agent.id: agent.calendar for agent in metagraph.agents}
    ids = {of[agent] for task in tasks for agent in serving(metagraph, task)}
    calendars = [calendar for calendar in metagraph.calendars if calendar.id in ids]
    if not tasks or not all(task.queues for task in tasks) or any(one.always_open for one in calendars):
        return None
    weeks = range(math.floor(from_s / WEEK_S), math.ceil(to_s / WEEK_S) + _BEYOND)
    spans = merge([span for one in calendars for week in weeks for span in _week(one, origin, week)])
    if not spans:
        return None
    return OpenHours(*np.array(spans, np.float64).T)


def _week(calendar: Calendar, origin: datetime, week: int) -> list[tuple[float, float]]:
    # Shifts are drawn from the hours: any of these may be worked.
    whole = replace(calendar, shifts=())
    return week_intervals(whole, origin, ZoneInfo(calendar.time_zone), week)


def _last(metagraph: Metagraph) -> Iterator[Task]:
    """Tasks after which nothing may be left; what takes no time and nobody is looked through."""
    nodes = {node.id: node for node in metagraph.nodes}
    todo = [node.id for node in metagraph.nodes if node.kind == "end"]
    seen = set(todo)
    while todo:
        here = todo.pop()
        for source in {flow.source for flow in metagraph.flows if flow.target == here} - seen:
            seen.add(source)
            node = nodes[source]
            if isinstance(node, Task) and not _nothing(node):
                yield node
            else:
                todo.append(source)


def _nothing(task: Task) -> bool:
    return (
        not task.queues
        and task.delay is None
        and all(row.fitted.law == Constant(0.0) for row in task.durations.rows)
    )
