"""Weekly calendars of agents, read from the hours in which their work starts and ends."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.local_time import QUARTER_S, WEEK_QUARTERS, WEEK_S, LocalTime, Mask, WeekClock
from calibration.settings import Settings
from calibration.window import Window
from eventlogs.snapshot import NO_RESOURCE, Snapshot
from metagraph.calendars import ALWAYS, Calendar
from metagraph.model import Default

OWN_STAMPS = 100
"""Start and end stamps that an agent needs for a calendar of its own."""
FEWEST = 30
"""Stamps below which nothing is said of hours."""
SUPPORT = 0.2
"""An hour is worked if it shows stamps in at least this share of the weeks in which the agent's typical hour
does, and at least this share of the typical hour's stamps."""
UNUSUAL = 0.5
"""The support that an hour needs in which hardly anybody else works: one agent who looked in early twice
would otherwise take on, in every simulated week, all that has come in overnight."""
UNUSUAL_WEEKS = 3.0
"""And the weeks in which it shows stamps."""
OUTSIDE = 0.05
"""Stamps that a calendar may leave uncovered."""
CLEAR = 4.0
"""Weeks in which a typical hour must show stamps before an hour without any counts as a break: if work were
going on, e^-4 = 2 % of such hours would be empty by chance."""
REST_H = 8
"""Hours of the day without work that are taken for somebody's rest, wherever in the day they lie."""
TRIM_STAMPS = 40
"""Stamps in an edge hour before its empty quarters are cut off."""

CHANCE = 0.001
"""An agent has hours of its own if chance makes its stamps differ as much from its role's less often."""

NO_OTHERS = "their role's calendar, too"
THEIR_OWN = "their own hours, from all start and end times of the whole log"

_ALL_WEEK = np.ones(WEEK_QUARTERS, dtype=np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class Timetable:
    """Who works when."""

    calendars: tuple[Calendar, ...]
    of_resource: tuple[str, ...]
    """Calendar id of each of the snapshot's resources."""
    clocks: tuple[WeekClock, ...]
    """Of each resource; equal calendars share one clock."""
    always: WeekClock
    """For work that needs nobody."""
    defaults: tuple[Default, ...]
    rare: frozenset[int] = frozenset()
    """Resources with hours of their own from the whole log, as the window says too little of them."""


@dataclass(frozen=True, slots=True, eq=False)
class _Stamps:
    """Counts per resource: stamps by quarter hour of the week, and weeks with a stamp by hour of the week."""

    quarters: NDArray[np.int64]
    weeks: NDArray[np.int64]

    def totals(self) -> NDArray[np.int64]:
        found: NDArray[np.int64] = self.quarters.sum(axis=1)
        return found

    def pooled(self, members: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return self.quarters[members].sum(axis=0), self.weeks[members].sum(axis=0)


def fit_calendars(
    window: Window, local: LocalTime, roles: NDArray[np.int64], settings: Settings
) -> Timetable:
    """A calendar for each resource: its own if it left enough stamps, else its role's, else everybody's.

    Where the window's stamps are too few but the whole log's are enough, these give its own.
    `roles` gives each resource's role as an index.
    """
    n = len(window.snapshot.resources)
    always = WeekClock(local, _ALL_WEEK)
    if not settings.use_calendars or n == 0:
        calendars = (Calendar("always", ALWAYS, settings.time_zone, note="not used"),) if n else ()
        return Timetable(calendars, ("always",) * n, (always,) * n, always, ())
    stamps = _count(window.snapshot, window.rows, local, n)
    whole = _count(window.snapshot, np.ones_like(window.rows), local, n)
    few = (stamps.totals() < OWN_STAMPS) & (whole.totals() >= OWN_STAMPS)
    rare = frozenset(np.flatnonzero(few).tolist())
    weeks, notes, defaults = _choose(window, stamps, whole, rare, roles)
    return replace(_timetable(weeks, notes, defaults, local, always, settings), rare=rare)


def _count(snapshot: Snapshot, rows: Mask, local: LocalTime, n: int) -> _Stamps:
    """Stamps of some rows; an end on a quarter's edge belongs to the quarter that it closes."""
    used = rows & (snapshot.resource != NO_RESOURCE)
    who, start, end = snapshot.resource[used], snapshot.start_s[used], snapshot.end_s[used]
    ends = ~np.isnan(end) & (end > start)
    agents = np.concatenate((who, who[ends])).astype(np.int64)
    stamps = local.of(np.concatenate((start, end[ends] - 1e-3)))
    slot = np.floor(stamps / QUARTER_S).astype(np.int64) % WEEK_QUARTERS
    quarters = np.bincount(agents * WEEK_QUARTERS + slot, minlength=n * WEEK_QUARTERS)
    week_no = np.floor(stamps / WEEK_S).astype(np.int64)
    week_no -= week_no.min(initial=0)
    seen = np.unique((agents * (week_no.max(initial=0) + 1) + week_no) * 168 + slot // 4)
    cell = seen // 168 // (week_no.max(initial=0) + 1) * 168 + seen % 168
    weeks = np.bincount(cell, minlength=n * 168)
    return _Stamps(quarters.reshape(n, WEEK_QUARTERS), weeks.reshape(n, 168))


def worked_week(quarters: NDArray[np.int64], weeks: NDArray[np.int64], usual: Mask = _ALL_WEEK) -> Mask:
    """Which quarter hours of the week are worked.

    `quarters` counts stamps by quarter hour (672), `weeks` the weeks with a stamp by hour (168). An hour is
    worked if its support is at least SUPPORT of the typical hour's (UNUSUAL outside the `usual` quarters, in
    which others work, too); then the best supported of the usual others are taken in until at most OUTSIDE of
    the stamps lie outside. Breaks within a day are believed only where a typical hour is well supported.
    Empty quarters at the edges of well filled hours are cut off.
    """
    stamps = quarters.reshape(168, 4).sum(axis=1)
    total = stamps.sum()
    order = np.argsort(-weeks, kind="stable")
    half = np.searchsorted(np.cumsum(stamps[order]), total / 2)
    typical = float(weeks[order[min(half, 167)]])
    common: Mask = usual.reshape(168, 4).max(axis=1)
    if stamps[common].sum() < total / 2:  # somebody who works when the others don't
        common = np.ones(168, dtype=np.bool_)
    needed = np.where(
        common, np.maximum(SUPPORT * typical, 1.0), np.maximum(UNUSUAL * typical, UNUSUAL_WEEKS)
    )
    on = (weeks >= needed) & (stamps > 0)
    on &= stamps >= SUPPORT * float(np.median(stamps[on])) if on.any() else False
    outside = total - stamps[on].sum()
    for hour in order:
        if outside <= OUTSIDE * total:
            break
        if not on[hour] and common[hour]:
            on[hour] = True
            outside -= stamps[hour]
    if typical < CLEAR:
        _fill_days(on)
    return _trim(on, quarters, stamps)


def _fill_days(on: Mask) -> None:
    """Work from a day's first hour to its last; a night worker's day begins in the rest, not at midnight."""
    seen: Mask = on.reshape(7, 24).max(axis=0)
    begin = _rest(seen)
    days = np.roll(on, -begin).reshape(7, 24)
    for day in days:
        hours = np.flatnonzero(day)
        if len(hours):
            day[hours[0] : hours[-1] + 1] = True
    on[:] = np.roll(days.ravel(), begin)


def _rest(seen: Mask) -> int:
    """The hour in which the longest part of the day without work begins, where that is clear; else 0.

    `seen` tells of each hour of the day whether it is worked on some weekday.
    """
    hours = np.flatnonzero(seen)
    if len(hours) == 0:
        return 0
    gaps = np.diff(hours, append=hours[0] + 24) - 1
    longest = int(gaps.argmax())
    return int(hours[longest] + 1) % 24 if gaps[longest] >= REST_H else 0


def _trim(on: Mask, quarters: NDArray[np.int64], stamps: NDArray[np.int64]) -> Mask:
    week = np.repeat(on, 4)
    for hour in np.flatnonzero(on & (stamps >= TRIM_STAMPS)):
        seen = np.flatnonzero(quarters[hour * 4 : hour * 4 + 4])
        if not on[hour - 1]:
            week[hour * 4 : hour * 4 + seen[0]] = False
        if not on[(hour + 1) % 168]:
            week[hour * 4 + seen[-1] + 1 : hour * 4 + 4] = False
    return week


def _choose(
    window: Window, stamps: _Stamps, whole: _Stamps, rare: frozenset[int], roles: NDArray[np.int64]
) -> tuple[list[Mask], list[str], list[Default]]:
    """The worked week of each resource, with how it was found; of `rare` ones from the whole log's stamps."""
    resources = window.snapshot.resources
    totals = stamps.totals()
    everyone, everyone_note = _week_of(*stamps.pooled(np.arange(len(resources))), "everybody's")
    role_weeks: dict[int, tuple[Mask, str]] = {}
    for role in np.unique(roles):
        quarters, weeks = stamps.pooled(np.flatnonzero(roles == role))
        if quarters.sum() >= OWN_STAMPS:
            role_weeks[int(role)] = _week_of(quarters, weeks, "the role's")
    chosen: list[Mask] = []
    notes: list[str] = []
    borrowed: dict[str, list[str]] = {}
    for i, name in enumerate(resources):
        if totals[i] >= OWN_STAMPS or i in rare:
            usual = everyone | role_weeks.get(int(roles[i]), (everyone, ""))[0]
            mine = whole if i in rare else stamps
            week, note = _week_of(mine.quarters[i], mine.weeks[i], "own", usual)
            shared = role_weeks.get(int(roles[i]))
            if i not in rare and shared and _as_others(week, shared[0], stamps, i, roles == roles[i]):
                week, note = shared
                borrowed.setdefault(NO_OTHERS, []).append(name)
            if i in rare:
                note += ", of the whole log"
                borrowed.setdefault(THEIR_OWN, []).append(name)
        else:
            week, note = role_weeks.get(int(roles[i]), (everyone, everyone_note))
            source = "their role's calendar" if int(roles[i]) in role_weeks else "everybody's calendar"
            borrowed.setdefault(source, []).append(name)
        chosen.append(week)
        notes.append(note)
    defaults = [Default(names_of(names), _lack(window, source), source) for source, names in borrowed.items()]
    if totals.sum() < FEWEST:
        defaults = [Default("calendars", f"only {totals.sum()} start and end times", "work around the clock")]
    return chosen, notes, defaults


def _as_others(own: Mask, theirs: Mask, stamps: _Stamps, agent: int, role: Mask) -> bool:
    """Whether an agent's stamps go by the role's hours as far as chance lets one tell.

    Hardly any lie outside of them, and neither their weekdays nor their hours of the day differ from the
    other members' by a chi-squared test. It counts weeks with a stamp, as stamps of one hour come together.
    """
    quarters = stamps.quarters[agent]
    if (own == theirs).all() or quarters[~theirs].sum() > OUTSIDE * quarters.sum():
        return False
    mine = stamps.weeks[agent].reshape(7, 24)
    others = stamps.weeks[role].sum(axis=0).reshape(7, 24) - mine
    return bool(others.any()) and not any(
        _differ(mine.sum(axis=axis), others.sum(axis=axis)) for axis in (0, 1)
    )


def _differ(mine: NDArray[np.int64], others: NDArray[np.int64]) -> bool:
    """Whether two rows of counts have different shares, by a chi-squared test of homogeneity."""
    from scipy.stats import chi2

    seen = np.flatnonzero(mine + others)
    table = np.stack((mine[seen], others[seen])).astype(np.float64)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return bool(chi2.sf(float(((table - expected) ** 2 / expected).sum()), len(seen) - 1) < CHANCE)


def _lack(window: Window, source: str) -> str:
    """What agents have too little of for a calendar of their own, and in which part of the log."""
    if source == NO_OTHERS:
        return "hours that differ from their role's by more than chance"
    where = " in the whole log" if source != THEIR_OWN else " in the calibration window"
    return f"fewer than {OWN_STAMPS} start and end times{where if window.first_case else ''}"


def _week_of(
    quarters: NDArray[np.int64], weeks: NDArray[np.int64], whose: str, usual: Mask = _ALL_WEEK
) -> tuple[Mask, str]:
    total = int(quarters.sum())
    if total < FEWEST:
        return _ALL_WEEK, f"always: {total} start and end times say nothing about hours"
    week = worked_week(quarters, weeks, usual)
    if week.sum() >= 0.9 * WEEK_QUARTERS:
        return _ALL_WEEK, f"always: {total} start and end times all over the week"
    outside = 1 - quarters[week].sum() / total
    return week, f"hours of {whose} {total} start and end times; {outside:.1%} lie outside"


def _timetable(
    weeks: list[Mask],
    notes: list[str],
    defaults: list[Default],
    local: LocalTime,
    always: WeekClock,
    settings: Settings,
) -> Timetable:
    """Equal weeks become one calendar; the most used comes first."""
    keys = [week.tobytes() for week in weeks]
    users = {key: keys.count(key) for key in keys}
    calendars: list[Calendar] = []
    ids: dict[bytes, str] = {}
    clocks: dict[bytes, WeekClock] = {}
    for key in sorted(users, key=lambda k: (-users[k], keys.index(k))):
        i = keys.index(key)
        everywhen = bool(weeks[i].all())
        ids[key] = "always" if everywhen else f"cal{len(calendars) + 1}"
        clocks[key] = always if everywhen else WeekClock(local, weeks[i])
        note = notes[i] if users[key] == 1 else f"{notes[i]} (shared by {users[key]} agents)"
        calendars.append(Calendar(ids[key], week_hours(weeks[i]), settings.time_zone, note=note))
    return Timetable(
        tuple(calendars),
        tuple(ids[k] for k in keys),
        tuple(clocks[k] for k in keys),
        always,
        tuple(defaults),
    )


def week_hours(week: Mask) -> tuple[tuple[float, float], ...]:
    """A calendar's open intervals in seconds since Monday 00:00 from its 672 quarter hours."""
    edges = np.diff(week.astype(np.int8), prepend=0, append=0)
    starts, ends = np.flatnonzero(edges == 1) * 900.0, np.flatnonzero(edges == -1) * 900.0
    return tuple(zip(starts.tolist(), ends.tolist(), strict=True))


def names_of(names: list[str]) -> str:
    """'agents ann, bob, eve and 4 more'."""
    shown = ", ".join(names[:3])
    return f"agents {shown}" + (f" and {len(names) - 3} more" if len(names) > 3 else "")
