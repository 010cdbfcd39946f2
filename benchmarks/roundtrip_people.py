"""What a twin found of the people of a known process: hours, work at once, who does what, what goes first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metagraph.calendars import Calendar
from metagraph.model import Metagraph
from metagraph.nodes import Task

if TYPE_CHECKING:
    import pandas as pd

FULL = 0.1
"""Share of an agent's beginnings that must fill its hands for its capacity to be compared."""
QUARTERS = 672
"""Quarter hours of a week."""
DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Check:
    """One parameter."""

    kind: str
    where: str
    known: float
    found: float
    allowed: float
    """Largest difference that the interval allows."""

    @property
    def inside(self) -> bool:
        return abs(self.found - self.known) <= self.allowed


def people(known: Metagraph, found: Metagraph, log: pd.DataFrame) -> Iterator[Check]:
    """Of each agent: weekly hours, items at once and at which rate; who does each task.

    An hour in which there never was work can't be told from one in which the agent wasn't there. So the found
    hours have to lie within the known ones, and nearly all of the agent's stamps in the found ones. How many
    items an agent works on at once shows only where its hands are full now and then.
    """
    theirs = {agent.id: agent for agent in found.agents}
    ours_at, theirs_at = _hours(known), _hours(found)
    used, full = _used_hours(log), _full(log, {agent.id: agent.capacity for agent in known.agents})
    for agent in known.agents:
        if agent.id not in theirs:
            continue
        a, b = ours_at[agent.calendar], theirs_at[theirs[agent.id].calendar]
        stamps = used.get(agent.id, Counter())
        covered = sum(n for q, n in stamps.items() if b[q] > 0) / max(sum(stamps.values()), 1)
        yield Check("hours not theirs", agent.id, 0.0, float(b[a == 0].sum() / max(b.sum(), 1.0)), 0.1)
        yield Check("stamps in hours", agent.id, 1.0, covered, 0.05)
        if agent.capacity > 1:
            yield Check("sharing", agent.id, 1.0, float(agent.sharing == theirs[agent.id].sharing), 0.0)
        if full.get(agent.id, 0.0) >= FULL:
            yield Check("capacity", agent.id, agent.capacity, theirs[agent.id].capacity, 0.0)
    for label, task in tasks_of(found).items():
        mine = tasks_of(known).get(label)
        if mine is not None:
            who, them = who_does(known, mine), who_does(found, task)
            share = len(who & them) / len(who | them) if who | them else 1.0
            yield Check("who", label, 1.0, share, 0.0)


def _used_hours(log: pd.DataFrame) -> dict[str, Counter[int]]:
    """By agent: stamps in each quarter hour of the week (UTC). Ends on its edge belong to the one before."""
    found: dict[str, Counter[int]] = {}
    for column in ("start_time", "end_time"):
        known = log[log[column].notna() & (log["resource"] != "")]
        at = known[column] - timedelta(seconds=column == "end_time")
        quarter = at.dt.dayofweek * 96 + at.dt.hour * 4 + at.dt.minute // 15
        for agent, q in zip(known["resource"], quarter, strict=True):
            found.setdefault(agent, Counter())[int(q)] += 1
    return found


def _full(log: pd.DataFrame, capacity: Mapping[str, int]) -> dict[str, float]:
    """By agent: the share of its executions that lasted and began with all that it can have in hand."""
    found = {}
    lasting = log[log["end_time"].isna() | (log["end_time"] > log["start_time"])]
    for agent, rows in lasting.groupby("resource"):
        starts = np.sort(rows["start_time"].astype("int64").to_numpy())
        ends = np.sort(rows["end_time"].dropna().astype("int64").to_numpy())
        in_hand = np.searchsorted(starts, starts, side="right") - np.searchsorted(ends, starts, side="right")
        found[str(agent)] = float((in_hand >= capacity.get(str(agent), 1)).mean())
    return found


def orders_of_work(known: Metagraph, found: Metagraph) -> Iterator[Check]:
    """What goes first in the queues that aren't first come, first served."""
    ours, theirs = ({queue.id: queue.priority for queue in model.queues} for model in (known, found))
    mine = tasks_of(found)
    for label, task in tasks_of(known).items():
        wanted = {ours[queue] for queue in task.queues} - {"FIFO"}
        if wanted and label in mine:
            same = {theirs[queue] for queue in mine[label].queues} == wanted
            yield Check("order of work", label, 1.0, float(same), 0.0)


def tasks_of(model: Metagraph) -> dict[str, Task]:
    return {task.label: task for task in model.tasks()}


def who_does(model: Metagraph, task: Task) -> set[str]:
    return {agent for queue in model.queues if queue.id in task.queues for agent in queue.agents}


def _hours(model: Metagraph) -> dict[str, NDArray[np.float64]]:
    """By calendar: the share of the weeks in which each quarter hour is worked, where days are drawn; else 1
    where it is at least half open."""
    return {calendar.id: _open(calendar) for calendar in model.calendars}


def _open(calendar: Calendar) -> NDArray[np.float64]:
    at = (np.arange(QUARTERS) + 0.5) * 900.0
    hours = np.zeros(QUARTERS)
    for begin, end in calendar.hours:
        hours[(begin <= at) & (at <= end)] = 1.0
    if not calendar.shifts:
        return hours
    drawn = np.zeros(QUARTERS)
    for day, shifts in enumerate(calendar.shifts):
        for shift in shifts:
            since = (at - day * DAY_S) % (7 * DAY_S)
            drawn[(shift.start_s <= since) & (since <= shift.end_s)] += shift.weight
    return hours * np.minimum(drawn, 1.0)
