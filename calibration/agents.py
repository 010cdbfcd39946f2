"""Agents, their roles and capacities, and the queues through which work reaches them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.calendars import Timetable, fit_calendars
from calibration.local_time import Floats, WeekClock, local_time
from calibration.settings import Settings
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
BUSY = 0.95
"""Capacity is this quantile of the items in hand, over the time in which there is any."""


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
    defaults: tuple[Default, ...]

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
    capacity = fit_capacity(snapshot) if settings.use_contention else _unlimited(snapshot)
    agentless, defaults = _agentless(window)
    work[:, agentless] = 0
    present = np.flatnonzero(work.sum(axis=1))
    agents = tuple(
        Agent(
            snapshot.resources[i],
            timetable.of_resource[i],
            role=role_names[roles[i]],
            capacity=int(capacity[i]),
            note="" if work[i].sum() >= RARE else f"seen {int(work[i].sum())} times",
        )
        for i in present
    )
    queues = _queues(work, snapshot)
    used = {agent.calendar for agent in agents}
    calendars = tuple(c for c in timetable.calendars if c.id in used)
    named = {q.id for q in queues}
    queue_of = {a: a for a in snapshot.activities if a in named}
    return Resources(
        agents,
        queues,
        calendars,
        queue_of,
        agentless,
        capacity,
        timetable,
        (*timetable.defaults, *defaults),
    )


def _work_counts(window: Window) -> NDArray[np.int64]:
    """Executions per resource and activity."""
    snapshot = window.snapshot
    rows = window.rows & (snapshot.resource != NO_RESOURCE)
    n, m = len(snapshot.resources), len(snapshot.activities)
    cell = snapshot.resource[rows].astype(np.int64) * m + snapshot.activity[rows]
    return np.bincount(cell, minlength=n * m).reshape(n, m)


def fit_roles(
    work: NDArray[np.int64], activities: tuple[str, ...]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Role index of each resource and the roles' names, from executions per resource and activity.

    Agents with the same main tasks share a role; a rare agent takes the largest role whose tasks include its
    own. A role is named after its tasks, the most frequent first.
    """
    share = work / np.maximum(work.sum(axis=1, keepdims=True), 1)
    profiles = [frozenset(np.flatnonzero(row >= MAIN).tolist()) for row in share]
    totals = work.sum(axis=1)
    sizes = Counter(p for p, n in zip(profiles, totals, strict=True) if n >= RARE)
    ranked = sorted(sizes, key=lambda p: (-sizes[p], sorted(p)))
    for i, profile in enumerate(profiles):
        if totals[i] < RARE and profile not in sizes:
            profiles[i] = next((role for role in ranked if profile <= role), profile)
    order = sorted(set(profiles), key=lambda p: (-sizes[p], sorted(p)))
    index = {profile: k for k, profile in enumerate(order)}
    popular = work.sum(axis=0)
    names = tuple(_role_name(sorted(p, key=lambda a: (-popular[a], a)), activities) for p in order)
    return np.array([index[p] for p in profiles], np.int64), names


def _role_name(tasks: list[int], activities: tuple[str, ...]) -> str:
    shown = ", ".join(activities[a] for a in tasks[:2])
    return shown + (f" +{len(tasks) - 2}" if len(tasks) > 2 else "")


def fit_capacity(snapshot: Snapshot) -> NDArray[np.int64]:
    """Items that each resource works on at once: the BUSY quantile, over the time it works at all, of the
    number in hand; at least 1. Executions without length don't count; running ones last until the end."""
    who, times, level = load(snapshot)
    n = len(snapshot.resources)
    capacity = np.ones(n, np.int64)
    held = np.diff(times, append=times[-1:])
    same = np.append(who[1:] == who[:-1], False)
    counted = same & (level > 0) & (held > 0)
    who, level, held = who[counted], level[counted], held[counted]
    order = np.lexsort((level, who))
    who, level, held = who[order], level[order], held[order]
    for agent in np.unique(who):
        begin, end = np.searchsorted(who, [agent, agent + 1])
        busy = np.cumsum(held[begin:end])
        at = int(np.searchsorted(busy, BUSY * busy[-1]))
        capacity[agent] = level[begin + min(at, end - begin - 1)]
    return capacity


def load(snapshot: Snapshot) -> tuple[NDArray[np.int64], Floats, NDArray[np.int64]]:
    """How many items each resource has in hand, as steps: (resource, instant, items from then on), sorted by
    resource and time. A suspended item is in nobody's hand."""
    end = np.where(np.isnan(snapshot.end_s), snapshot.until_s, snapshot.end_s)
    rows = (snapshot.resource != NO_RESOURCE) & (end > snapshot.start_s)
    pauses = snapshot.pauses
    held = rows[pauses.row]
    held_by = snapshot.resource[pauses.row[held]]
    who = np.concatenate((np.tile(snapshot.resource[rows], 2), np.tile(held_by, 2))).astype(np.int64)
    times = np.concatenate((snapshot.start_s[rows], end[rows], pauses.end_s[held], pauses.start_s[held]))
    change = np.concatenate(
        [np.repeat(np.array([1, -1], np.int64), n) for n in (int(rows.sum()), int(held.sum()))]
    )
    order = np.lexsort((times, who))
    return who[order], times[order], np.cumsum(change[order])


def _unlimited(snapshot: Snapshot) -> NDArray[np.int64]:
    return np.full(len(snapshot.resources), UNLIMITED, np.int64)


def _agentless(window: Window) -> tuple[NDArray[np.bool_], list[Default]]:
    """Activities that need nobody, and what is said about missing resources."""
    snapshot = window.snapshot
    m = len(snapshot.activities)
    seen = np.bincount(snapshot.activity[window.rows], minlength=m)
    nobody = window.rows & (snapshot.resource == NO_RESOURCE)
    missing = np.bincount(snapshot.activity[nobody], minlength=m) / np.maximum(seen, 1)
    agentless = (missing > MISSING) | (seen == 0)
    defaults = []
    for a in np.flatnonzero((missing > 0) & (seen > 0)):
        lack = f"resource of {missing[a]:.0%} of its executions"
        what = "it needs nobody and runs around the clock" if agentless[a] else "done by those seen at it"
        defaults.append(Default(f"task {snapshot.activities[a]}", lack, what))
    return agentless, defaults


def _queues(work: NDArray[np.int64], snapshot: Snapshot) -> tuple[Queue, ...]:
    """One queue a task, named like it, weighted by how often each agent did it."""
    queues = []
    for a, label in enumerate(snapshot.activities):
        members = np.flatnonzero(work[:, a])
        if len(members):
            weights = work[members, a] / work[members, a].sum()
            names = tuple(snapshot.resources[i] for i in members)
            queues.append(Queue(label, names, tuple(weights.tolist())))
    return tuple(queues)
