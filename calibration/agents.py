"""Agents, their roles and capacities, and the queues through which work reaches them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.calendars import Timetable, fit_calendars
from calibration.changed_hours import Changes, find_changes, with_changes
from calibration.crews import crew_words, work_counts
from calibration.extra_hours import with_extra_hours
from calibration.hands import TOLD, Hands, Slowing, fit_capacity, fit_sharing, hands
from calibration.holidays import Holidays, find_holidays
from calibration.local_time import Floats, LocalTime, WeekClock, local_time
from calibration.roles import fit_roles
from calibration.settings import Settings
from calibration.shifts import draw_shifts, open_hours, with_holidays
from calibration.together import Together, find_together, no_batches
from calibration.turnover import find_turnover, nobody, without_left
from calibration.window import Window
from eventlogs.snapshot import NO_RESOURCE, Snapshot
from metagraph.agents import UNLIMITED, Agent, Queue
from metagraph.calendars import Calendar
from metagraph.model import Default

RARE = 5
"""An agent with fewer executions is said to be seen so often."""


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


@dataclass(frozen=True, slots=True, eq=False)
class InHand:
    """What resources had in hand, and what of it as one piece: of the whole log, whatever the window."""

    together: Together
    hands: Hands


def in_hand(snapshot: Snapshot, batching: bool) -> InHand:
    """`batching`: work on several orders as one piece counts once."""
    together = find_together(snapshot) if batching else no_batches(snapshot)
    return InHand(together, hands(snapshot, together.follows))


def fit_resources(window: Window, settings: Settings, held: InHand | None = None) -> Resources:
    """Agents, queues and calendars of the window's rows. `held`: as from `in_hand`, if known already."""
    snapshot = window.snapshot
    held = held or in_hand(snapshot, settings.use_batching)
    ends = np.fmax(snapshot.end_s, snapshot.start_s)
    last = max(float(np.max(ends, initial=0.0)), snapshot.until_s)
    local = local_time(
        snapshot.origin, float(np.min(snapshot.start_s, initial=last)), last, settings.time_zone
    )
    work = work_counts(window)
    roles, role_names = fit_roles(work, snapshot.activities)
    timetable, changes = _timetable(window, local, roles, settings)
    off = find_holidays(snapshot, local, settings.holidays) if settings.use_calendars else Holidays()
    free = off.days(snapshot.origin)
    turnover = find_turnover(window, local, roles) if settings.turnover else nobody(len(roles))
    if settings.drawn_shifts:
        timetable = draw_shifts(timetable, window, local, roles, settings, free, turnover, changes)
    if settings.extra_hours:
        timetable = with_extra_hours(timetable, window, local, settings, free, changes)
    timetable = with_holidays(timetable, off)
    shared, slowing = fit_sharing(snapshot, held.hands, timetable.clocks, window.rows, roles)
    shared &= settings.use_contention
    pools = np.isin(snapshot.resources, list(window.members))
    shared &= ~pools  # of several people nobody is slowed down by what the others have in hand
    capacity = np.minimum(fit_capacity(held.hands, timetable.clocks, pools), window.unnamed.most)
    capacity[shared] = np.maximum(capacity[shared], 2)  # who shares has two at hand, however seldom
    if not settings.use_contention:
        capacity = np.full(len(snapshot.resources), UNLIMITED, np.int64)
    agentless, (defaults, unnamed) = window.agentless, _unnamed(window)
    merged, crews = crew_words(window.members, settings.resources)
    work[:, agentless] = 0
    present = np.flatnonzero(work.sum(axis=1))
    agents = tuple(
        Agent(
            snapshot.resources[i],
            timetable.of_resource[i],
            role=role_names[roles[i]],
            capacity=int(capacity[i]),
            sharing="shared" if shared[i] else "parallel",
            note="" if work[i].sum() >= RARE else f"seen {int(work[i].sum())} times",
            members=window.members.get(snapshot.resources[i], ()),
        )
        for i in present
    )
    weighed = work / open_hours(timetable)[:, None] if settings.drawn_shifts else work.astype(np.float64)
    queues = _queues(weighed / turnover.share[:, None], snapshot)
    agents = without_left(agents, queues, turnover, snapshot)
    used = {agent.calendar for agent in agents}
    calendars = tuple(c for c in timetable.calendars if c.id in used)
    shared_by = tuple(snapshot.resources[i] for i in present if shared[i])
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
        held.hands,
        held.together,
        shared,
        (*timetable.defaults, *defaults, *merged),
        {
            **unnamed,
            **crews,
            **turnover.words(snapshot),
            **changes.words(snapshot),
            **_overlaps(slowing, shared_by, len(held.hands.rows)),
            **({"holidays": f"hardly anybody worked on {off.words}"} if off.free else {}),
        },
    )


def _timetable(
    window: Window, local: LocalTime, roles: NDArray[np.int64], settings: Settings
) -> tuple[Timetable, Changes]:
    """Weekly hours, and whose have changed."""
    timetable = fit_calendars(window, local, roles, settings)
    if not (settings.changed_hours and settings.use_calendars):
        return timetable, Changes({})
    changes = find_changes(window, local, timetable)
    if not changes.since_s:
        return timetable, changes
    newest = fit_calendars(changes.newest(window), local, roles, settings)
    earlier = fit_calendars(changes.earlier(window), local, roles, settings)
    return with_changes(newest, earlier, changes, local), changes


def _overlaps(slowing: Slowing | None, shared: tuple[str, ...], executions: int) -> Mapping[str, str]:
    """How much was done side by side, and what that did to the work."""
    if slowing is None:
        return {}
    ended = f"{slowing.beside} of {executions} executions that lasted ended while others were in hand"
    if slowing.beside < TOLD:
        rates = "too few to tell whether that makes them longer; each is taken to go on at full rate"
    elif shared:
        names = ", ".join(shared[:3]) + (f" and {len(shared) - 3} more" if len(shared) > 3 else "")
        rates = f"{names} divide their time among what they have in hand"
    elif slowing.is_clear:
        rates = "each goes on at full rate"
    else:
        rates = "their times don't tell whether that makes them longer; each is taken to go on at full rate"
    likelier = (
        "" if slowing.beside < TOLD else f" (log-likelihood of shared over full rate {slowing.ratio:+.0f})"
    )
    return {"items side by side": f"{ended}; {rates}{likelier}"}


def _unnamed(window: Window) -> tuple[list[Default], Mapping[str, str]]:
    """What is assumed of executions without a resource, by task and in all."""
    snapshot, unnamed = window.snapshot, window.unnamed
    m = len(snapshot.activities)
    nobody = np.bincount(snapshot.activity[window.rows & unnamed.rows], minlength=m)
    given = window.rows & unnamed.rows & (snapshot.resource != NO_RESOURCE)
    alone = np.bincount(snapshot.activity[given & unnamed.alone], minlength=m)
    seen = np.bincount(snapshot.activity[window.rows], minlength=m)
    defaults = []
    for a in np.flatnonzero(nobody):
        lack = f"resource of {nobody[a]} of its {seen[a]} executions ({nobody[a] / seen[a]:.0%})"
        what = "it needs nobody and runs around the clock"
        if not window.agentless[a]:
            what = "each done by one of those seen at it, likely by what they did around then"
            what += f"; {alone[a]} when none of them was seen at work" if alone[a] else ""
        defaults.append(Default(f"task {snapshot.activities[a]}", lack, what))
    if not nobody.any():
        return defaults, {}
    told = (
        f"{int(nobody.sum())} of {int(seen.sum())} executions; {int(given.sum())} of them are at tasks that "
        "mostly have one, and count as work of those who do these tasks"
    )
    return defaults, {"without a resource": told}


def _queues(work: Floats, snapshot: Snapshot) -> tuple[Queue, ...]:
    """One queue a task, named like it, weighted by how often each agent did it, while it was there."""
    queues = []
    for a, label in enumerate(snapshot.activities):
        members = np.flatnonzero(work[:, a])
        if len(members):
            weights = work[members, a] / work[members, a].sum()
            names = tuple(snapshot.resources[i] for i in members)
            queues.append(Queue(label, names, tuple(weights.tolist())))
    return tuple(queues)
