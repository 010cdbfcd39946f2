"""Agents, their roles and capacities, and the queues through which work reaches them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.calendars import Timetable, fit_calendars
from calibration.changed_hours import Changes, find_changes, with_changes
from calibration.crews import crew_words, work_counts
from calibration.extra_hours import with_extra_hours
from calibration.hands import TOLD, Hands, Slowing, fit_capacity, fit_sharing, hands
from calibration.holidays import Holidays, find_holidays
from calibration.local_time import Floats, LocalTime, WeekClock, log_time
from calibration.roles import fit_roles
from calibration.settings import Settings
from calibration.shifts import draw_shifts, open_hours, with_holidays
from calibration.together import Together, find_together, no_batches
from calibration.turnover import Turnover, find_turnover, nobody, without_left
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
    work = work_counts(window)
    roles, role_names = fit_roles(work, snapshot.activities)
    hours = _hours(window, roles, settings)
    clocks = hours.timetable.clocks
    able = _able(window, held.hands, clocks, roles, settings)
    work[:, window.agentless] = 0
    present = np.flatnonzero(work.sum(axis=1))
    agents = tuple(
        Agent(
            snapshot.resources[i],
            hours.timetable.of_resource[i],
            role=role_names[roles[i]],
            capacity=int(able.capacity[i]),
            sharing="shared" if able.shared[i] else "parallel",
            note="" if work[i].sum() >= RARE else f"seen {int(work[i].sum())} times",
            members=window.members.get(snapshot.resources[i], ()),
        )
        for i in present
    )
    weighed = (
        work / open_hours(hours.timetable)[:, None] if settings.drawn_shifts else work.astype(np.float64)
    )
    queues = _queues(weighed / hours.turnover.share[:, None], snapshot)
    agents = without_left(agents, queues, hours.turnover, snapshot)
    used = {agent.calendar for agent in agents}
    named = {q.id for q in queues}
    defaults, unnamed = _unnamed(window)
    merged, crews = crew_words(window.members, settings.resources)
    sharing = tuple(snapshot.resources[i] for i in present if able.shared[i])
    return Resources(
        agents,
        queues,
        tuple(c for c in hours.timetable.calendars if c.id in used),
        {a: a for a in snapshot.activities if a in named},
        window.agentless,
        able.capacity,
        hours.timetable,
        held.hands,
        held.together,
        able.shared,
        (*hours.timetable.defaults, *defaults, *merged),
        {
            **unnamed,
            **crews,
            **hours.words(snapshot),
            **_overlaps(able.slowing, sharing, len(held.hands.rows)),
        },
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Hours:
    """When agents are there, and what is known of it."""

    timetable: Timetable
    changes: Changes
    turnover: Turnover
    off: Holidays

    def words(self, snapshot: Snapshot) -> Mapping[str, str]:
        """The facts, for the report."""
        off = {"holidays": f"hardly anybody worked on {self.off.words}"} if self.off.free else {}
        return {**self.turnover.words(snapshot), **self.changes.words(snapshot), **off}


def _hours(window: Window, roles: NDArray[np.int64], settings: Settings) -> _Hours:
    """Weekly hours, then what the settings ask for: drawn days, hours besides, holidays, who left or came."""
    snapshot = window.snapshot
    local = log_time(snapshot, settings.time_zone)
    timetable, changes = _timetable(window, local, roles, settings)
    off = find_holidays(snapshot, local, settings.holidays) if settings.use_calendars else Holidays()
    free = off.days(snapshot.origin)
    turnover = find_turnover(window, local, roles) if settings.turnover else nobody(len(roles))
    if settings.drawn_shifts:
        timetable = draw_shifts(timetable, window, local, roles, settings, free, turnover, changes)
    if settings.extra_hours:
        timetable = with_extra_hours(timetable, window, local, settings, free, changes)
    return _Hours(with_holidays(timetable, off), changes, turnover, off)


@dataclass(frozen=True, slots=True, eq=False)
class _Able:
    """How many items each resource takes at once, and what that does to them."""

    capacity: NDArray[np.int64]
    shared: NDArray[np.bool_]
    slowing: Slowing | None


def _able(
    window: Window, held: Hands, clocks: Sequence[WeekClock], roles: NDArray[np.int64], settings: Settings
) -> _Able:
    shared, slowing = fit_sharing(window.snapshot, held, clocks, window.rows, roles)
    shared &= settings.use_contention
    pools = window.pools
    shared &= ~pools  # of several people nobody is slowed down by what the others have in hand
    capacity = np.minimum(fit_capacity(held, clocks, pools), window.unnamed.most)
    capacity[shared] = np.maximum(capacity[shared], 2)  # who shares has two at hand, however seldom
    if not settings.use_contention:
        capacity = np.full(len(capacity), UNLIMITED, np.int64)
    return _Able(capacity, shared, slowing)


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
