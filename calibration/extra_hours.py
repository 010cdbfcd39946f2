"""Hours outside the usual ones: the same hours every week, and now and then a Sunday or an evening more.

A weekly calendar leaves some stamps of an agent outside. The days that have such stamps are kept as they were
seen: on a weekday that isn't usually worked from a little before the first stamp to a little after the last
one, on others from before the usual hours or until after them. In simulations each weekday draws one of them
as often as the window shows such days, else the usual hours; nobody is ever absent. Work of the log that was
done in them is measured with them, so that nothing is counted twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from calibration.calendars import Timetable, week_hours
from calibration.changed_hours import Changes
from calibration.day_clock import DayClock, instants
from calibration.local_time import QUARTER_S, WEEK_QUARTERS, Floats, LocalTime, Mask, WeekClock
from calibration.presence import Ints
from calibration.seen_days import DAY_QUARTERS, LOOK_IN_S, STEP_S, day_cuts, usual_hull
from calibration.settings import Settings
from calibration.shifts import calendar_of, shapes
from calibration.spans import Spans, both, union
from calibration.window import Window
from eventlogs.snapshot import NO_RESOURCE
from metagraph.calendars import Calendar
from metagraph.shifts import DAY_S, Shift


@dataclass(frozen=True, slots=True, eq=False)
class _Extras:
    """Days with stamps outside the usual hours, as equally long columns sorted by agent and day."""

    agent: Ints
    day: Ints
    """Local dates, counted from that of the log's origin."""
    start_s: Floats
    """From when to when the agent was there, the usual hours of the day included; seconds since midnight."""
    end_s: Floats
    windowed: Mask
    """Whether the calibration window has one of the stamps."""


def with_extra_hours(
    timetable: Timetable, window: Window, local: LocalTime, settings: Settings, free: Ints, changes: Changes
) -> Timetable:
    """The timetable with shifts for agents seen outside their weekly hours, which they keep besides; those
    whose days are drawn have such days among them.

    `free` days, counted from the date of the log's origin, say nothing, nor do those before an agent's hours
    changed.
    """
    kept = [calendar_of(timetable, i) for i in range(len(timetable.clocks))]
    working = np.array([not (calendar.always_open or calendar.shifts) for calendar in kept], np.bool_)
    if not working.any():
        return timetable
    weeks = np.array([clock.week > 0 for clock in timetable.clocks], np.bool_)
    cut = day_cuts(weeks)
    hull = usual_hull(weeks, cut)
    extras = _extras(window, local, cut, hull, working, changes)
    first, last = (int(d // DAY_S) for d in local.of([window.first_s, window.snapshot.until_s]))
    days = np.setdiff1d(np.arange(first, last + 1), free)
    calendars, of_resource, clocks = (
        list(timetable.calendars),
        list(timetable.of_resource),
        list(timetable.clocks),
    )
    for agent in np.unique(extras.agent).tolist():
        mine = extras.agent == agent
        begin, end = (
            instants(local, extras.day[mine] * DAY_S + at[mine]) for at in (extras.start_s, extras.end_s)
        )
        # A night may reach into the next date's hours, but not into those of the one after it.
        seen = [Spans(begin[k::2], end[k::2]) for k in (0, 1)]
        gaps = _gaps(weeks[agent], hull[0][agent], hull[1][agent])
        clocks[agent] = _clock(local, clocks[agent], gaps, seen)
        drawn = mine & extras.windowed & np.isin(extras.day, days)
        if drawn.any():
            name = f"hours of {window.snapshot.resources[agent]}"
            own = _calendar(name, extras, drawn, days, (hull[0][agent], hull[1][agent]), gaps, settings)
            calendars.append(own)
            of_resource[agent] = own.id
    return replace(
        timetable, calendars=tuple(calendars), of_resource=tuple(of_resource), clocks=tuple(clocks)
    )


def _extras(
    window: Window,
    local: LocalTime,
    cut: Ints,
    hull: tuple[Floats, Floats],
    working: Mask,
    changes: Changes,
) -> _Extras:
    """The days on which agents who are `working` by hours left stamps outside of them.

    A gap within the usual hours of a day is no time outside, nor is the quarter hour before and
    after them, in which things are finished: what is stamped there is left out.
    """
    snapshot = window.snapshot
    used = np.flatnonzero(snapshot.resource != NO_RESOURCE)
    since = changes.since(len(working))
    used = used[working[snapshot.resource[used]] & (snapshot.start_s >= since[snapshot.resource])[used]]
    start, end = snapshot.start_s[used], snapshot.end_s[used]
    ends = ~np.isnan(end) & (end > start)
    who = snapshot.resource[used].astype(np.int64)
    agent = np.concatenate((who, who[ends]))
    windowed = np.concatenate((window.rows[used], window.rows[used][ends]))
    at = local.of(np.concatenate((start, end[ends] - 1e-3)))
    day = np.floor((at - cut[agent] * float(QUARTER_S)) / DAY_S).astype(np.int64)
    at -= day * DAY_S
    low, high = (edge[agent, day % 7] for edge in hull)
    edge_s = np.where(high > low, LOOK_IN_S, 0.0)
    off = (at < low - edge_s) | (at >= high + edge_s)
    order = np.flatnonzero(off)[np.lexsort((at[off], day[off], agent[off]))]
    agent, day, windowed = agent[order], day[order], windowed[order]
    at, low, high = at[order], low[order], high[order]
    new = np.append(True, (np.diff(agent) != 0) | (np.diff(day) != 0))[: len(agent)]
    begin = np.flatnonzero(new)
    if not len(begin):
        return _Extras(agent, day, at, at, windowed)
    stop = np.append(begin[1:], len(agent)) - 1
    gap = np.clip((at[stop] - at[begin]) / np.maximum(stop - begin, 1), STEP_S, LOOK_IN_S)
    low, high = low[begin], high[begin]
    usual = high > low
    first, last = at[begin] - gap, at[stop] + gap
    first = np.where(usual, np.minimum(first, low), first)
    last = np.where(usual, np.maximum(last, high), last)
    # Stamps on one side of the usual hours say nothing of the other.
    first = np.where(usual & (at[begin] >= low), low, first)
    last = np.where(usual & (at[stop] < high), high, last)
    # A shift begins in its day, though the agent's day, cut where it rests, may go on after midnight.
    first = np.clip(np.floor(first / STEP_S) * STEP_S, 0.0, DAY_S - STEP_S)
    last = np.minimum(np.ceil(last / STEP_S) * STEP_S, 2 * DAY_S)
    return _Extras(agent[begin], day[begin], first, last, np.logical_or.reduceat(windowed, begin))


def _gaps(week: Mask, low: Floats, high: Floats) -> Mask:
    """The quarters of the week between an agent's usual hours of a day that aren't worked."""
    inside = np.zeros(WEEK_QUARTERS, np.bool_)
    for number in range(7):
        first, last = (int(at[number] // QUARTER_S) for at in (low, high))
        inside[(number * DAY_QUARTERS + np.arange(first, last)) % WEEK_QUARTERS] = True
    return np.asarray(inside & ~week)


def _clock(local: LocalTime, usual: WeekClock, gaps: Mask, seen: Sequence[Spans]) -> DayClock:
    """The usual hours of the whole log and those seen besides."""
    more = union(seen)
    if gaps.any():
        more = both(more, Spans(*WeekClock(local, ~gaps).spans()))
    return DayClock(local, usual.week, union([Spans(*usual.spans()), more]))


def _calendar(
    name: str,
    extras: _Extras,
    drawn: Mask,
    days: Ints,
    hull: tuple[Floats, Floats],
    gaps: Mask,
    settings: Settings,
) -> Calendar:
    """The usual hours as a shift of every weekday that has any, and the days that were `drawn` as others."""
    week = []
    for number in range(7):
        mine = np.flatnonzero(drawn & (extras.day % 7 == number))
        share = min(len(mine) / max(int((days % 7 == number).sum()), 1), 1.0)
        more = shapes(extras.start_s[mine], extras.end_s[mine], np.ones(len(mine)), share)
        low, high = float(hull[0][number]), float(hull[1][number])
        rest = round(1.0 - sum(shift.weight for shift in more), 6)
        usual = (Shift(low, high, rest),) if high > low and rest > 0 else ()
        week.append(more + usual)
    note = f"the usual hours every week; on {int(drawn.sum())} of {len(days)} days seen outside of them, too"
    return Calendar(name, week_hours(~gaps), settings.time_zone, note=note, shifts=tuple(week))
