"""What agents have in hand at once: how much of it, and whether it slows them down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.fitting import ZERO_S
from calibration.local_time import Floats, WeekClock
from eventlogs.snapshot import NO_RESOURCE, Snapshot

BUSY = 0.95
"""Capacity is this quantile of the items in hand."""
ALL_BUSY = 0.999
"""The capacity of an agent who stands for several is this quantile of the items in hand just after each
beginning: all of them are seldom busy at once, and that never shows how many more could have been."""
SLOWED = 3.0
"""Standard errors by which work must take longer the more is in hand (by chance: 1 in 700)."""
TOLD = 30
"""Executions begun beside others from which an agent is judged alone, else with its role, else with all."""
WINSOR = 0.02
"""Share of the logarithms on either side that counts as the quantile there."""

Rows = NDArray[np.int64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Hands:
    """How many items each resource has in hand, as steps sorted by resource and time.

    Executions without length or resource don't count, running ones last until the end, and a suspended item
    is in nobody's hand.
    """

    who: Counts
    times: Floats
    level: Counts
    """Items from each step on. Steps at one instant come in any order; only the last one's level lasts."""
    rows: Rows
    """Executions that count."""
    begin: Counts
    """The step that begins each of them."""
    end: Counts
    pause_begin: Counts
    """The steps at which those of `pauses` begin."""
    pause_end: Counts
    pauses: Counts
    """Suspensions that count."""

    def after(self) -> Counts:
        """The level once all is done that happens at the instant of each step."""
        last = np.append((self.who[1:] != self.who[:-1]) | (self.times[1:] != self.times[:-1]), True)
        at = np.flatnonzero(last)
        return self.level[at[np.searchsorted(at, np.arange(len(self.who)))]]

    def worked(self, clocks: Sequence[WeekClock]) -> Floats:
        """Working seconds of the resource's clock up to each step."""
        done = np.empty(len(self.times))
        ids = np.array([id(clock) for clock in clocks] or [0], np.int64)[self.who]
        for clock in {id(clock): clock for clock in clocks}.values():
            mine = ids == id(clock)
            done[mine] = clock.worked(self.times[mine])
        return done

    def work(self, clocks: Sequence[WeekClock]) -> Floats:
        """Working seconds of each counted execution."""
        return self._within(self.worked(clocks))

    def divided(self, clocks: Sequence[WeekClock]) -> Floats:
        """The same, every instant divided by the items in hand at it."""
        done = self.worked(clocks)
        step = np.diff(done, prepend=done[:1]) / np.maximum(np.append(0, self.level[:-1]), 1)
        return self._within(np.cumsum(np.where(self._goes_on(), step, 0.0)))

    def _goes_on(self) -> NDArray[np.bool_]:
        """Whether the step before is of the same resource."""
        return np.asarray(np.diff(self.who, prepend=-1) == 0, np.bool_)

    def _within(self, total: Floats) -> Floats:
        """From the begin to the end of each execution, its suspensions left out."""
        found = total[self.end] - total[self.begin]
        place = np.searchsorted(self.rows, self.pauses)
        np.subtract.at(found, place, total[self.pause_end] - total[self.pause_begin])
        return np.maximum(found, 0.0)


def hands(snapshot: Snapshot, follows: NDArray[np.bool_] | None = None) -> Hands:
    """Of all resources of the log; rows that follow another one in a simultaneous batch don't count."""
    end = np.where(np.isnan(snapshot.end_s), snapshot.until_s, snapshot.end_s)
    counted = (snapshot.resource != NO_RESOURCE) & (end > snapshot.start_s)
    if follows is not None:
        counted &= ~follows
    rows = np.flatnonzero(counted)
    pauses = snapshot.pauses
    held = np.flatnonzero(counted[pauses.row])
    of_pause = pauses.row[held]
    kinds = (
        (rows, snapshot.start_s[rows], 1),
        (rows, end[rows], -1),
        (of_pause, pauses.end_s[held], 1),
        (of_pause, pauses.start_s[held], -1),
    )
    who = np.concatenate([snapshot.resource[of] for of, _, _ in kinds]).astype(np.int64)
    times = np.concatenate([t for _, t, _ in kinds])
    change = np.concatenate([np.full(len(of), sign, np.int64) for of, _, sign in kinds])
    order = np.lexsort((times, who))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    n, m = len(rows), len(held)
    begin, stop, again, paused = np.split(place, [n, 2 * n, 2 * n + m])
    return Hands(
        who[order], times[order], np.cumsum(change[order]), rows, begin, stop, paused, again, of_pause
    )


def fit_capacity(held: Hands, clocks: Sequence[WeekClock], pools: NDArray[np.bool_] | None = None) -> Counts:
    """Items that each resource works on at once, at least 1: the BUSY quantile of the number in hand just
    after each beginning, or over the working time if that is less; of `pools` see ALL_BUSY.

    The first is what decides in a simulation whether an agent takes another item; the second keeps items
    that are begun together and left open from counting as work on all of them. What is left open over night
    counts in working hours only.
    """
    n = len(clocks)
    after, each = held.after()[held.begin], np.ones(len(held.begin))
    begun = _quantiles(held.who[held.begin], after, each, n, BUSY)
    worked = held.worked(clocks)
    last = np.append(held.who[1:] != held.who[:-1], True)
    time = np.where(last, 0.0, np.diff(worked, append=worked[-1:]))
    wall = np.where(last, 0.0, np.diff(held.times, append=held.times[-1:]))
    some = held.level > 0
    on_shift = np.bincount(held.who[some], time[some], minlength=n)
    time = np.where(on_shift[held.who] > 0, time, wall)
    lasting = _quantiles(held.who[some], held.level[some], time[some], n, BUSY)
    found = np.minimum(begun, lasting)
    if pools is not None and pools.any():
        found = np.where(pools, _quantiles(held.who[held.begin], after, each, n, ALL_BUSY), found)
    return np.maximum(found, 1)


def _quantiles(who: Counts, level: Counts, weight: Floats, n: int, quantile: float) -> Counts:
    """The quantile of each resource's weighted levels; 0 without any."""
    kept = weight > 0
    who, level, weight = who[kept], level[kept], weight[kept]
    order = np.lexsort((level, who))
    who, level, total = who[order], level[order], np.cumsum(weight[order])
    bounds = np.searchsorted(who, np.arange(n + 1))
    before = np.append(0.0, total)[bounds]
    wanted = before[:-1] + quantile * (before[1:] - before[:-1])
    # Rounded sums must not push an exact quantile to the next level.
    at = np.searchsorted(total, wanted - 1e-9 * np.maximum(wanted, 1.0), side="left")
    at = np.minimum(at, bounds[1:] - 1)
    return np.where(bounds[1:] > bounds[:-1], level[np.maximum(at, 0)] if len(level) else 0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Slowing:
    """By which power of the number in hand at its beginning an execution takes longer."""

    beside: int
    """Executions begun while others were in hand."""
    parallel: float
    """The slope of log working time on log items in hand: 0 if each item goes on at full rate."""
    error: float
    shared: float
    """The same of the time divided by the items in hand: 0 if they share their agent."""

    @property
    def is_clear(self) -> bool:
        """Whether work is shared: it takes longer beyond chance, and sharing explains it better."""
        return self.parallel > SLOWED * self.error > 0 and abs(self.shared) < abs(self.parallel)


def fit_sharing(
    snapshot: Snapshot, held: Hands, clocks: Sequence[WeekClock], rows: NDArray[np.bool_], roles: Counts
) -> tuple[NDArray[np.bool_], Slowing | None]:
    """Which resources work on all that they have in hand at a rate that shrinks with it, and what all of them
    together show (None without executions begun beside others).

    Looks at the ended executions among `rows` of the log. What is in hand just after a beginning doesn't
    depend on the work that begins: without sharing the logarithms of working time and number in hand are
    unrelated (within a task and agent), with it they are related, however long items stay open.
    """
    after = held.after()[held.begin]
    work, divided = held.work(clocks), held.divided(clocks)
    usable = rows[held.rows] & ~np.isnan(snapshot.end_s[held.rows]) & (work > ZERO_S) & (divided > ZERO_S)
    who = snapshot.resource[held.rows].astype(np.int64)
    cell = who * len(snapshot.activities) + snapshot.activity[held.rows]
    n = len(snapshot.resources)
    beside = np.bincount(who[usable & (after > 1)], minlength=n)
    if not beside.any():
        return np.zeros(n, np.bool_), None

    def judge(members: NDArray[np.bool_]) -> Slowing:
        x, group = np.log(after[members]), cell[members]
        slope, error = _slope(x, np.log(work[members]), group)
        return Slowing(
            int((after[members] > 1).sum()), slope, error, _slope(x, np.log(divided[members]), group)[0]
        )

    everyone = judge(usable)
    shared = np.zeros(n, np.bool_)
    by_role: dict[int, Slowing] = {}
    for i in np.flatnonzero(beside):
        role = int(roles[i])
        if beside[i] >= TOLD:
            found = judge(usable & (who == i))
        else:
            if role not in by_role:
                by_role[role] = judge(usable & (roles[who] == role))
            found = by_role[role] if by_role[role].beside >= TOLD else everyone
        shared[i] = found.beside >= TOLD and found.is_clear
    return shared, everyone


def _slope(x: Floats, y: Floats, group: Counts) -> tuple[float, float]:
    """Slope within groups by least squares, and its standard error (White, 1980)."""
    _, code = np.unique(group, return_inverse=True)
    n = np.bincount(code)

    def centred(values: Floats) -> Floats:
        return np.asarray(values - (np.bincount(code, values) / n)[code], np.float64)

    y = centred(y)
    x, y = centred(x), centred(np.clip(y, *np.quantile(y, (WINSOR, 1 - WINSOR))))
    square = float(x @ x)
    if square <= 0:
        return 0.0, 0.0
    slope = float(x @ y) / square
    rest = y - slope * x
    return slope, float(np.sqrt((x * x) @ (rest * rest))) / square
