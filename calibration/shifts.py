"""Days drawn from the past: each agent's shifts by weekday, and how often it comes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from calibration.calendars import Timetable, names_of, week_hours
from calibration.changed_hours import Changes
from calibration.day_clock import DayClock, instants
from calibration.filled_days import Days, filled_days
from calibration.holidays import Holidays
from calibration.local_time import QUARTER_S, Floats, LocalTime, Mask, WeekClock
from calibration.others import find_others
from calibration.presence import Exposure, Ints, came_and_could, exposure, work_rate
from calibration.seen_days import CHANCE, DAY_QUARTERS, STEP_S, day_cuts, seen_days, usual_hull
from calibration.settings import Settings
from calibration.spans import Spans, both, union
from calibration.turnover import Turnover, nobody
from calibration.window import Window
from metagraph.calendars import Calendar
from metagraph.model import Default
from metagraph.shifts import DAY_S, Shift, Week

OWN_DAYS = 12
"""Days with stamps that an agent needs for shifts of its own."""
EXACT = 12
"""Different shifts kept for a weekday, if there are no more."""
SHAPES = 6
"""Means of so many groups of them, if there are."""
LEAST_DAYS = 56
"""Shifts are drawn from at least so many days, even if the window is shorter."""
PROFILE_DAYS = 2.0
"""A weekday's presence is drawn towards the agent's level times everybody's profile, as by so many days."""
HALF_LIVES = 3.0
"""The window is so many half-lives of a day's weight long, where the settings don't say."""
BREAK_S = 3 * 3600.0
"""A gap within a day's hours that is longer is no break but lies between two shifts."""
WHOLE = 0.95
"""Who comes on at least this share of its days, for at least this share of its weekly hours, keeps them."""
WEEKLY = "the same hours every week: when they are away can't be told"
LEAST_WEIGHT = 1e-4
"""A shift that is drawn more seldom is left out."""


@dataclass(frozen=True, slots=True, eq=False)
class _Crew:
    """What is known of the agents, by index."""

    days: Days
    """Of the whole log."""
    drawn: Mask
    """Which of them shifts are drawn from."""
    exposed: Exposure
    told: Mask
    """Whose days without a stamp are mostly days off."""
    rate: Floats
    """Executions on a day of presence."""
    came: Floats
    could: Floats
    hull: tuple[Floats, Floats]

    def shares(self, agent: int) -> Floats:
        """How often an agent comes on each weekday: as seen, drawn towards its level times everybody's
        profile by as much as chance alone would make weekdays differ (James and Stein, 1961)."""
        profile = self.came[self.told].sum(axis=0) / np.maximum(self.could[self.told].sum(axis=0), 1e-9)
        came, could = self.came[agent], self.could[agent]
        level = came.sum() / max(float((could * profile).sum()), 1e-9)
        prior = np.minimum(level * profile, 1.0)
        own = np.minimum((came + PROFILE_DAYS * prior) / (could + PROFILE_DAYS), 1.0)
        worked = (could > 0) & (prior > 0)
        spread = np.maximum(prior * (1 - prior), 0.01) / np.maximum(could, 1e-9) * self.exposed.weight.mean()
        beyond = float(((own - prior)[worked] ** 2 / spread[worked]).sum())
        drawn = min(max(int(worked.sum()) - 1, 0) / max(beyond, 1e-9), 1.0)
        return np.asarray(own + drawn * (prior - own), np.float64)

    def level(self, agent: int) -> float:
        """How often an agent comes on days that it usually works."""
        usual = (self.hull[1] > self.hull[0])[agent]
        return float(self.came[agent][usual].sum() / max(float(self.could[agent][usual].sum()), 1e-9))

    def week(self, agent: int) -> Week:
        """An agent's shifts, with the weekdays' probabilities of coming."""
        rows = self.drawn & (self.days.agent == agent)
        weekday, weight = self.days.day % 7, self.exposed.weight[self.exposed.at(self.days.day)]
        usual = (self.hull[1] > self.hull[0])[agent]
        shares, week = self.shares(agent), []
        for number in range(7):
            like = usual[weekday] if self.days.alike[agent] and usual[number] else weekday == number
            mine = np.flatnonzero(rows & like)
            start, end = self.days.start_s[mine], self.days.end_s[mine]
            week.append(shapes(start, end, weight[mine], float(shares[number])))
        return tuple(week)


def draw_shifts(
    timetable: Timetable,
    window: Window,
    local: LocalTime,
    roles: Ints,
    settings: Settings,
    free: Ints | None = None,
    turnover: Turnover | None = None,
    changes: Changes | None = None,
) -> Timetable:
    """The timetable with days drawn from the past in place of weekly hours, for those whom the log tells.

    These are agents who work by hours, with OWN_DAYS days, and so many executions a day that few days of
    presence leave none (CHANCE, a chance of e^-2). They have shifts of their own, by weekday as often as they
    came (see presence.py), and the log's work and waits are measured by the very days on which they were
    there (see filled_days.py): days off would else count as work and be drawn on top. All others, and those
    who are hardly ever away, keep their weekly hours. `free` days, counted from the date of the log's origin,
    say nothing, nor do those before an agent came and after it left.
    """
    n = len(roles)
    working = np.array([not calendar_of(timetable, i).always_open for i in range(n)], np.bool_)
    if not working.any():
        return timetable
    weeks = np.array([clock.week > 0 for clock in timetable.clocks], np.bool_)
    free = np.zeros(0, np.int64) if free is None else free
    crew = _crew(timetable, window, local, roles, working, settings, free, turnover or nobody(n))
    crew.told[list(changes.since_s if changes else ())] = False  # their days are of two kinds
    calendars, of_resource = list(timetable.calendars), list(timetable.of_resource)
    clocks, names = list(timetable.clocks), window.snapshot.resources
    for i in np.flatnonzero(crew.told).tolist():
        week = crew.week(i)
        hours = week_hours(~breaks(weeks[i]))
        note = f"drawn from {int((crew.drawn & (crew.days.agent == i)).sum())} days with start and end times"
        own = Calendar(f"days of {names[i]}", hours, settings.time_zone, note=note, shifts=week)
        share = own.weekly_hours() / calendar_of(timetable, i).weekly_hours()
        if 0 < share < WHOLE or (share > 0 and crew.level(i) < WHOLE):
            calendars.append(own)
            of_resource[i] = own.id
            clocks[i] = _clock(crew, i, weeks[i], local, free)
    kept = [names[i] for i in np.flatnonzero(working & ~crew.told) if i not in timetable.rare]
    lack = f"{OWN_DAYS} days with start and end times, and {CHANCE:g} executions on each"
    return replace(
        timetable,
        calendars=tuple(calendars),
        of_resource=tuple(of_resource),
        clocks=tuple(clocks),
        defaults=(*timetable.defaults, *([Default(names_of(kept), lack, WEEKLY)] if kept else [])),
    )


def _clock(crew: _Crew, agent: int, week: Mask, local: LocalTime, free: Ints) -> DayClock:
    """The agent's days, without the breaks of its usual hours, and some of those days without stamps on which
    nothing was in hand: as often as presence leaves none."""
    mine = crew.days.agent == agent
    day, start, end = crew.days.day[mine], crew.days.start_s[mine], crew.days.end_s[mine]
    low, high = (edge[agent] for edge in crew.hull)
    whole = np.arange(day[0], day[-1] + 1)
    idle = whole[(high > low)[whole % 7] & ~np.isin(whole, np.concatenate((day, free)))]
    idle = idle[~np.isin(idle, crew.days.told_day[crew.days.told_agent == agent])]
    share = crew.shares(agent)[idle % 7]
    unseen = np.exp(-crew.rate[agent] * crew.exposed.complete[crew.exposed.at(idle)])
    there = share * unseen / np.maximum(1 - share + share * unseen, 1e-9)
    idle = idle[np.random.default_rng(agent).random(len(idle)) < there]
    day = np.concatenate((day, idle))
    order = np.argsort(day)
    start = np.concatenate((start, low[idle % 7]))[order]
    end = np.concatenate((end, high[idle % 7]))[order]
    begin, stop = (instants(local, day[order] * DAY_S + at) for at in (start, end))
    # A night may reach into the next date's shift, but not into the one after it.
    spans = union([Spans(begin[k::2], stop[k::2]) for k in (0, 1)])
    off = breaks(week)
    if off.any():
        spans = both(spans, Spans(*WeekClock(local, ~off).spans()))
    return DayClock(local, week, spans)


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
    turnover: Turnover,
) -> _Crew:
    weeks = np.array([clock.week > 0 for clock in timetable.clocks], np.bool_)
    cut = day_cuts(weeks)
    hull = usual_hull(weeks, cut)
    seen = seen_days(window, local, cut, working)
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

    def inside(day: Ints) -> Mask:
        return (day >= first) & (day <= last) & ~np.isin(day, free)

    counted = seen.of(inside(seen.day))
    rate = work_rate(counted, exposed, roles)
    number = np.bincount(counted.agent, minlength=len(roles))
    told = working & (rate >= CHANCE) & (number >= OWN_DAYS)
    told[list(timetable.rare)] = False
    told &= ~window.pools  # of several people somebody is there
    active = np.full(len(roles), first), np.full(len(roles), last)
    # The days before somebody came and after somebody left are no days off.
    for edge, ones in zip(active, (turnover.came_s, turnover.left_s), strict=True):
        for i, instant in ones.items():
            edge[i] = int(local.of([instant])[0] // DAY_S)
    came, could = came_and_could(counted, exposed, rate, active)
    chance = np.clip(came.sum(axis=1) / np.maximum(could.sum(axis=1), 1e-9), 0.02, 0.99)
    others = find_others(window, local, roles)
    days = filled_days(seen.of(told[seen.agent]), window, local, cut, hull, chance, free, others)
    drawn = inside(days.day)
    # Days over which something was in hand are told by that, though they have no stamp.
    for agent, day, total, unseen in (
        (days.agent[drawn & days.held], days.day[drawn & days.held], came, False),
        (days.told_agent[inside(days.told_day)], days.told_day[inside(days.told_day)], could, True),
    ):
        at = exposed.at(day)
        weight = exposed.weight[at] * (np.exp(-rate[agent] * exposed.complete[at]) if unseen else 1.0)
        np.add.at(total, (agent, day % 7), weight)
    return _Crew(days, drawn, exposed, told, rate, came, could, hull)


def shapes(start: Floats, end: Floats, weight: Floats, share: float) -> tuple[Shift, ...]:
    """Shifts whose weights add up to `share`: all that there are, if not above EXACT, else means of SHAPES
    groups of equal weight by begin."""
    if not len(start) or share < LEAST_WEIGHT:
        return ()
    order = np.lexsort((end, start))
    start, end, weight = start[order], end[order], weight[order] / weight.sum()
    group = np.unique(np.stack((start, end)), axis=1, return_inverse=True)[1].ravel()
    if group.max() >= EXACT:
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


def breaks(week: Mask) -> Mask:
    """The quarters of a weekly mask's gaps, up to BREAK_S long, within a day; only those that most of the
    days have that are worked, as others are hours in which there happened to be nothing to do."""
    found = np.zeros((7, DAY_QUARTERS), np.bool_)
    days = week.reshape(7, DAY_QUARTERS)
    for day in range(7):
        for a, b in pairwise(np.flatnonzero(days[day]).tolist()):
            if 1 < b - a <= BREAK_S / QUARTER_S:
                found[day, a + 1 : b] = True
    return np.asarray((found & (found.sum(axis=0) > days.any(axis=1).sum() / 2)).ravel())


def open_hours(timetable: Timetable) -> Floats:
    """Expected hours a week of each resource."""
    weekly = {calendar.id: calendar.weekly_hours() for calendar in timetable.calendars}
    return np.array([weekly[name] for name in timetable.of_resource])


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
