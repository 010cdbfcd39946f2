"""The days on which agents were seen, and from when to when they were there."""

from __future__ import annotations

import numpy as np

from calibration.local_time import QUARTER_S, WEEK_QUARTERS, Floats, LocalTime, Mask
from calibration.presence import Ints, SeenDays
from calibration.window import Window
from eventlogs.snapshot import NO_RESOURCE
from metagraph.shifts import DAY_S

STEP_S = 300.0
"""Shifts begin and end on such steps of the clock."""
LOOK_IN_S = 900.0
"""Where nobody usually works, a shift reaches no further beyond its stamps than this."""
CHANCE = 2.0
"""A day's stamps may begin or end by so many mean gaps within the usual hours by chance: e^-2 = 14 % do."""

DAY_QUARTERS = 96


def day_cuts(weeks: Mask) -> Ints:
    """The quarter of the day, 0 to 95, at which each agent's day begins: the middle of its longest rest.

    `weeks` are the quarters worked, [agent, 672]. Shifts that begin before midnight and end after it belong
    to the day before, for one who works at night; midnight is the cut for one without any rest.
    """
    busy = np.asarray(weeks.reshape(len(weeks), 7, DAY_QUARTERS).any(axis=1))
    cuts = np.zeros(len(weeks), np.int64)
    for agent in range(len(weeks)):
        day = busy[agent]
        if day.all() or not day.any():
            continue
        on = np.flatnonzero(day)
        rest = np.diff(np.append(on, on[0] + DAY_QUARTERS))
        longest = int(np.argmax(rest))
        # The nearer to midnight, the more shifts are called by the day on which they are worked.
        low, high = on[longest] + 1, on[longest] + rest[longest]
        cuts[agent] = DAY_QUARTERS if low <= DAY_QUARTERS <= high else (low + high) // 2
    return cuts % DAY_QUARTERS


def seen_days(window: Window, local: LocalTime, cut: Ints, working: Mask) -> SeenDays:
    """The days on which each agent who is `working` by hours left stamps, in the whole log."""
    snapshot = window.snapshot
    used = np.flatnonzero(snapshot.resource != NO_RESOURCE)
    used = used[working[snapshot.resource[used]]]
    who = snapshot.resource[used].astype(np.int64)
    start, end = snapshot.start_s[used], snapshot.end_s[used]
    ends = ~np.isnan(end) & (end > start)
    shift = cut * float(QUARTER_S)
    began, ended = local.of(start), local.of(end[ends] - 1e-3)
    began_on = np.floor((began - shift[who]) / DAY_S).astype(np.int64)
    ended_on = np.floor((ended - shift[who[ends]]) / DAY_S).astype(np.int64)
    agent = np.concatenate((who, who[ends]))
    day = np.concatenate((began_on, ended_on))
    at = np.concatenate((began, ended)) - day * DAY_S
    new = np.concatenate((np.ones(len(who)), ended_on != began_on[ends])).astype(np.int64)
    order = np.lexsort((at, day, agent))
    agent, day, at, new = agent[order], day[order], at[order], new[order]
    begin = np.flatnonzero(np.append(True, (np.diff(agent) != 0) | (np.diff(day) != 0))[: len(agent)])
    if not len(begin):
        return SeenDays(agent, day, new, new, at, at)
    stop = np.append(begin[1:], len(agent)) - 1
    executions = np.add.reduceat(new, begin)
    return SeenDays(agent[begin], day[begin], executions, stop - begin + 1, at[begin], at[stop])


def widened(seen: SeenDays, hull: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """From when to when somebody was there who left these stamps on a day.

    k stamps scattered evenly over the T hours of a usual day leave T / (k + 1) uncovered on either side. What
    is missing of those hours is taken for chance up to CHANCE times as much, and then the shift goes to their
    end; else it goes so far beyond its stamps. On other days it goes the mean gap of its stamps, at most
    LOOK_IN_S, beyond them.
    """
    weekday = seen.day % 7
    low, high = (edge[seen.agent, weekday] for edge in hull)
    usual = high > low
    gap = (seen.last_s - seen.first_s) / np.maximum(seen.stamps - 1, 1)
    gap = np.where(usual, (high - low) / (seen.stamps + 1), np.clip(gap, STEP_S, LOOK_IN_S))
    start = seen.first_s - gap
    end = seen.last_s + gap
    start = np.where(usual & (seen.first_s - low <= CHANCE * gap), low, start)
    end = np.where(usual & (high - seen.last_s <= CHANCE * gap), high, end)
    start, end = np.minimum(start, seen.first_s), np.maximum(end, seen.last_s)
    start = np.clip(np.floor(start / STEP_S) * STEP_S, 0.0, DAY_S - STEP_S)
    end = np.minimum(np.ceil(end / STEP_S) * STEP_S, 2 * DAY_S)
    return start, np.maximum(end, start + STEP_S)


def usual_hull(weeks: Mask, cut: Ints) -> tuple[Floats, Floats]:
    """First and last working instant of each agent's days, [agent, 7], in seconds since midnight; 0 and 0
    where none is worked."""
    slots = (np.arange(7)[:, None] * DAY_QUARTERS + np.arange(DAY_QUARTERS)[None, :]).ravel()
    turned = np.stack([week[(slots + c) % WEEK_QUARTERS] for week, c in zip(weeks, cut, strict=True)])
    days = turned.reshape(len(weeks), 7, DAY_QUARTERS)
    any_ = days.any(axis=2)
    first = np.argmax(days, axis=2) + cut[:, None]
    last = DAY_QUARTERS - np.argmax(days[:, :, ::-1], axis=2) + cut[:, None]
    # A shift begins in its day, though the agent's day, cut where it rests, may begin with the next one.
    first = np.minimum(first, DAY_QUARTERS - 1)
    return np.where(any_, first, 0) * float(QUARTER_S), np.where(any_, last, 0) * float(QUARTER_S)
