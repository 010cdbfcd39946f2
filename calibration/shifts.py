"""Days drawn from the past: each agent's shifts by weekday, and how often it comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from calibration.calendars import Timetable, names_of, week_hours
from calibration.holidays import Holidays
from calibration.local_time import QUARTER_S, WEEK_QUARTERS, Floats, LocalTime, Mask
from calibration.presence import (
    PRIOR_DAYS,
    Exposure,
    Ints,
    SeenDays,
    came_and_could,
    exposure,
    work_rate,
)
from calibration.seen_days import DAY_QUARTERS, STEP_S, day_cuts, seen_days, usual_hull, widened
from calibration.settings import Settings
from calibration.window import Window
from metagraph.calendars import Calendar
from metagraph.model import Default
from metagraph.shifts import DAY_S, Shift, Week
from metagraph.shifts import presence as presence_on

OWN_DAYS = 12
"""Days with stamps that an agent needs for shifts of its own."""
SHAPES = 6
"""Different shifts kept for a weekday."""
LEAST_DAYS = 56
"""Shifts are drawn from at least so many days, even if the window is shorter."""
PROFILE_DAYS = 2.0
"""A weekday's presence is drawn towards the agent's level times everybody's profile, as by so many days."""
HALF_LIVES = 3.0
"""The window is so many half-lives of a day's weight long, where the settings don't say."""
BREAK_S = 3 * 3600.0
"""A gap within a day's hours that is longer is no break but lies between two shifts."""
SELDOM = 0.2
"""A rare agent who comes more seldom keeps weekly hours: what it began would take months to be done, though
the log shows that it came when there was something to do."""
WEEKLY = "the same hours every week: when they come can't be told"
OWN_WEEKLY = "their own hours every week, from the whole log"
LEAST_WEIGHT = 1e-4
"""A shift that is drawn more seldom is left out."""


@dataclass(frozen=True, slots=True, eq=False)
class _Crew:
    """What is known of the agents, by index."""

    seen: SeenDays
    exposed: Exposure
    role: Ints
    start_s: Floats
    end_s: Floats
    """The shift of each seen day, in seconds since its midnight."""
    came: Floats
    could: Floats

    def shares(self, agent: int) -> Floats:
        """How often an agent comes on each weekday."""
        profile = self.came.sum(axis=0) / np.maximum(self.could.sum(axis=0), 1e-9)
        came, could = self.came[agent], self.could[agent]
        level = came.sum() / max(float((could * profile).sum()), 1e-9)
        prior = np.minimum(level * profile, 1.0)
        found: Floats = np.minimum((came + PROFILE_DAYS * prior) / (could + PROFILE_DAYS), 1.0)
        return found

    def week(self, rows: NDArray[np.bool_], shares: Floats) -> Week:
        """Shifts from some seen days, with the weekdays' probabilities of coming."""
        weekday, weight = self.seen.day % 7, self.exposed.weight[self.exposed.at(self.seen.day)]
        days = []
        for number in range(7):
            mine = np.flatnonzero(rows & (weekday == number))
            days.append(shapes(self.start_s[mine], self.end_s[mine], weight[mine], float(shares[number])))
        return tuple(days)


def draw_shifts(
    timetable: Timetable,
    window: Window,
    local: LocalTime,
    roles: Ints,
    settings: Settings,
    free: Ints | None = None,
) -> Timetable:
    """The timetable with days drawn from the past in place of weekly hours.

    Who works around the clock, or left too few stamps for any hours, goes on doing so. An agent with OWN_DAYS
    days has its own shifts, by weekday as often as it came (see presence.py); others have their role's, or
    everybody's, and a presence of their own, drawn towards the others' as by PRIOR_DAYS days; but those whose
    hours come from the whole log keep these, as days of others would overrule what was seen. Below a
    presence of SELDOM they keep their weekly hours. Work and waits of the log are still measured by weekly
    hours, so that days off in the middle of work count twice: twins of agents who go home then are too slow
    (see `Settings.drawn_shifts`). `free` days, counted from the date of the log's origin, say nothing.
    """
    working = np.array([not calendar_of(timetable, i).always_open for i in range(len(roles))], np.bool_)
    if not working.any():
        return timetable
    nothing = np.zeros(0, np.int64)
    crew = _crew(timetable, window, local, roles, working, settings, nothing if free is None else free)
    if not len(crew.seen.day):
        return timetable
    return _drawn(crew, timetable, window, working, settings)


def calendar_of(timetable: Timetable, resource: int) -> Calendar:
    """A resource's calendar."""
    return next(c for c in timetable.calendars if c.id == timetable.of_resource[resource])


def _crew(
    timetable: Timetable,
    window: Window,
    local: LocalTime,
    roles: Ints,
    working: Mask,
    settings: Settings,
    free: Ints,
) -> _Crew:
    weeks = np.array([clock.week > 0 for clock in timetable.clocks], np.bool_)
    cut = day_cuts(weeks)
    hull = usual_hull(weeks, cut)
    seen = seen_days(window, local, cut, working, hull)
    first_s, last_s = window.first_s, window.snapshot.until_s
    # The first and the last day are not whole.
    edges = np.floor(local.of([first_s, last_s]) / DAY_S)
    last = int(edges[1]) - 1
    first = max(min(int(edges[0]) + 1, last - LEAST_DAYS + 1), int(seen.day.min(initial=last)) + 1)
    last = max(last, first)
    half_life = (last - first + 1) / HALF_LIVES
    if settings.half_life_weeks is not None:
        half_life = 7 * settings.half_life_weeks
    exposed = exposure(seen, first, last, half_life, free)
    seen = seen.of((seen.day >= first) & (seen.day <= last) & ~np.isin(seen.day, free))
    rate = work_rate(seen, exposed, roles)
    active = np.full(len(roles), first), np.full(len(roles), last)
    came, could = came_and_could(seen, exposed, rate, active)
    start_s, end_s = widened(seen, hull)
    return _Crew(seen, exposed, roles, start_s, end_s, came, could)


def shapes(start: Floats, end: Floats, weight: Floats, share: float) -> tuple[Shift, ...]:
    """At most SHAPES shifts whose weights add up to `share`: means of groups of equal weight by begin."""
    if not len(start) or share < LEAST_WEIGHT:
        return ()
    order = np.lexsort((end, start))
    start, end, weight = start[order], end[order], weight[order] / weight.sum()
    group = np.minimum((np.cumsum(weight) - weight / 2) * SHAPES, SHAPES - 1).astype(np.int64)
    group = np.unique(group, return_inverse=True)[1]
    mass = np.bincount(group, weight)
    # Rounded so that they add up to the share itself, not to a millionth more.
    weights = np.diff(np.round(share * np.cumsum(mass / mass.sum()), 6), prepend=0.0)
    spans = [np.round(np.bincount(group, weight * t) / mass / STEP_S) * STEP_S for t in (start, end)]
    return tuple(
        Shift(a, max(b, a + STEP_S), round(m, 6))
        for a, b, m in zip(spans[0].tolist(), spans[1].tolist(), weights.tolist(), strict=True)
    )


def _drawn(crew: _Crew, timetable: Timetable, window: Window, working: Mask, settings: Settings) -> Timetable:
    """Calendars with shifts: one for each agent who has its own, one for each role that others take."""
    names = window.snapshot.resources
    days = np.bincount(crew.seen.agent, minlength=len(names))
    calendars = list(timetable.calendars)
    of_resource, presence = list(timetable.of_resource), [1.0] * len(names)
    told: dict[str, list[str]] = {}
    pools: dict[int, _Pool] = {}
    for i in np.flatnonzero(working).tolist():
        if days[i] >= OWN_DAYS:
            week = crew.week(crew.seen.agent == i, crew.shares(i))
            note = f"drawn from {days[i]} days with start and end times"
            own = _calendar(f"days of {names[i]}", week, timetable, i, settings, note)
            if own.weekly_hours() > 0:
                calendars.append(own)
                of_resource[i] = own.id
            continue
        if i in timetable.rare:
            told.setdefault(OWN_WEEKLY, []).append(names[i])
            continue
        role = int(crew.role[i])
        if role not in pools:
            pools[role] = _pool(crew, role, days, timetable, i, settings)
        pool = pools[role]
        share = pool.presence(crew.came[i], crew.could[i])
        if share < SELDOM or pool.calendar.weekly_hours() <= 0:
            told.setdefault(WEEKLY, []).append(names[i])
            continue
        if pool.calendar not in calendars:
            calendars.append(pool.calendar)
        of_resource[i], presence[i] = pool.calendar.id, share
        told.setdefault(f"shifts of {pool.whose}, with a presence of their own", []).append(names[i])
    lack = f"fewer than {OWN_DAYS} days with start and end times"
    return replace(
        timetable,
        calendars=tuple(calendars),
        of_resource=tuple(of_resource),
        presence=tuple(presence),
        defaults=(
            *timetable.defaults,
            *(Default(names_of(found), lack, assumed) for assumed, found in told.items()),
        ),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Pool:
    """The agents from whom rare ones take their shifts."""

    calendar: Calendar
    """With weekdays relative to the best one."""
    rate: Floats
    """How often they come on each weekday."""
    whose: str

    def presence(self, came: Floats, could: Floats) -> float:
        """How often a rare agent comes on the best weekday, drawn towards the pool."""
        best = max(float(self.rate.max()), 1e-9)
        days = float((could * self.rate).sum()) / best
        return round(min((float(came.sum()) + PRIOR_DAYS * best) / (days + PRIOR_DAYS), 1.0), 4)


def _pool(crew: _Crew, role: int, days: Ints, timetable: Timetable, agent: int, settings: Settings) -> _Pool:
    """Those of a role, or everybody if they have few days, too."""
    members, whose, name = crew.role == role, "their role", f"days of role {role + 1}"
    if days[members].sum() < 2 * OWN_DAYS:
        members, whose, name = np.ones(len(crew.role), np.bool_), "everybody", "days of everybody"
    rate = crew.came[members].sum(axis=0) / np.maximum(crew.could[members].sum(axis=0), 1e-9)
    rate = np.minimum(rate, 1.0)
    week = crew.week(members[crew.seen.agent], rate / max(float(rate.max()), 1e-9))
    note = f"drawn from {int(days[members].sum())} days of {int(members.sum())} agents"
    return _Pool(_calendar(name, week, timetable, agent, settings, note), rate, whose)


def _calendar(
    name: str, week: Week, timetable: Timetable, agent: int, settings: Settings, note: str
) -> Calendar:
    hours = week_hours(~breaks(timetable.clocks[agent].week > 0))
    return Calendar(name, hours, settings.time_zone, note=note, shifts=week)


def breaks(week: Mask) -> Mask:
    """The quarters of a weekly mask's gaps, up to BREAK_S long, within a day."""
    found = np.zeros(WEEK_QUARTERS, np.bool_)
    for day in range(7):
        on = np.flatnonzero(week[day * DAY_QUARTERS : (day + 1) * DAY_QUARTERS])
        for a, b in pairwise(on.tolist()):
            if 1 < b - a <= BREAK_S / QUARTER_S:
                found[day * DAY_QUARTERS + a + 1 : day * DAY_QUARTERS + b] = True
    return found


def open_hours(
    calendars: Sequence[Calendar], of_resource: Sequence[str], presence: Sequence[float]
) -> Floats:
    """Expected hours a week of each resource; nothing where days aren't drawn."""
    weekly = {calendar.id: calendar.weekly_hours() for calendar in calendars}
    return np.array([weekly[name] * p for name, p in zip(of_resource, presence, strict=False)])


def with_enough(timetable: Timetable, work: NDArray[np.int64]) -> Timetable:
    """The timetable with more presence where few are there for a task, `work` being the executions of each
    agent and task: who came seldom may have come just when there was something to do.

    On the best weekday at least one of a task's agents is expected.
    """
    best = {c.id: max(map(presence_on, c.shifts), default=1.0) for c in timetable.calendars}
    there = np.array(timetable.presence) * [best[name] for name in timetable.of_resource]
    factor = np.ones(len(there))
    for task in range(work.shape[1]):
        members = np.flatnonzero(work[:, task])
        expected = float(there[members].sum())
        if 0.0 < expected < 1.0:
            factor[members] = np.maximum(factor[members], 1.0 / expected)
    presence = np.round(np.minimum(np.array(timetable.presence) * factor, 1.0), 4)
    return replace(timetable, presence=tuple(presence.tolist()))


def with_holidays(timetable: Timetable, off: Holidays) -> Timetable:
    """The timetable with the holidays to come in all calendars but those of who never rests."""
    if off.assumed is None:
        return timetable
    calendars = tuple(
        calendar if calendar.always_open else replace(calendar, holidays=off.coming)
        for calendar in timetable.calendars
    )
    if calendars == timetable.calendars:
        return timetable
    return replace(timetable, calendars=calendars, defaults=(*timetable.defaults, off.assumed))
