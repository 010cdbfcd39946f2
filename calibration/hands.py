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
CLEAR = 2.0
"""Standard errors by which one of two stories must be likelier: of an agent alone, else with its role, else
of all agents together."""
TOLD = 30
"""Executions beside others from which anything is told."""
FEWEST = 5
"""Executions of a cell that its typical length is told from."""

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

    def before(self) -> Counts:
        """The level just before the instant of each step."""
        first = np.append(True, (self.who[1:] != self.who[:-1]) | (self.times[1:] != self.times[:-1]))
        at = np.flatnonzero(first[: len(self.who)])
        here = at[np.searchsorted(at, np.arange(len(self.who)), side="right") - 1]
        return np.where(here > 0, self.level[here - 1], 0)

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


@dataclass(frozen=True, slots=True)
class Slowing:
    """Whether executions take longer the more is in hand: two stories held against each other."""

    beside: int
    """Executions that ended while others were in hand."""
    ratio: float
    """Log-likelihood of 'they share their agent' over that of 'each goes on at full rate'."""
    z: float
    """The same in standard errors (Vuong 1989)."""

    @property
    def is_clear(self) -> bool:
        return self.beside >= TOLD and abs(self.z) > CLEAR


def fit_sharing(
    snapshot: Snapshot, held: Hands, clocks: Sequence[WeekClock], rows: NDArray[np.bool_], roles: Counts
) -> tuple[NDArray[np.bool_], Slowing | None]:
    """Which resources work on all that they have in hand at a rate that shrinks with it, and what all of them
    together show (None without executions that ended beside others).

    Looks at the ended executions among `rows` of the log. At full rate the working time of an execution comes
    from the law of its task and agent; shared, the time divided by the items in hand does, and at the end
    the remaining work runs out at the rate of that instant. What else happens (when work begins and how much
    then is in hand) is as likely in both stories, so that the ratio of these likelihoods is that of the log.
    """
    work, divided = held.work(clocks), held.divided(clocks)
    in_hand = np.maximum(held.before()[held.end], 1)
    usable = rows[held.rows] & ~np.isnan(snapshot.end_s[held.rows]) & (work > ZERO_S) & (divided > ZERO_S)
    who = snapshot.resource[held.rows].astype(np.int64)
    cell = who * len(snapshot.activities) + snapshot.activity[held.rows]
    n = len(snapshot.resources)
    beside = np.bincount(who[usable & (in_hand > 1)], minlength=n)
    if not beside.any():
        return np.zeros(n, np.bool_), None

    def judge(members: NDArray[np.bool_]) -> Slowing:
        return _slowing(work[members], divided[members], in_hand[members], cell[members])

    everyone = judge(usable)
    shared = np.zeros(n, np.bool_)
    by_role: dict[int, Slowing] = {}
    for i in np.flatnonzero(beside):
        role = int(roles[i])
        found = judge(usable & (who == i))
        if not found.is_clear:
            if role not in by_role:
                by_role[role] = judge(usable & (roles[who] == role))
            found = by_role[role] if by_role[role].is_clear else everyone
        shared[i] = found.is_clear and found.ratio > 0
    return shared, everyone


def _slowing(work: Floats, divided: Floats, in_hand: Counts, cell: Counts) -> Slowing:
    """Laws are told from the executions themselves: logarithms around the mean of their cell, all cells
    together, by spacings of the ordered sample."""
    _, code, count = np.unique(cell, return_inverse=True, return_counts=True)
    told = count[code] >= FEWEST
    _, code = np.unique(code[told], return_inverse=True)
    work, divided, in_hand = work[told], divided[told], in_hand[told]
    if len(work) < 2:
        return Slowing(0, 0.0, 0.0)
    full = _log_density(work, code, np.ones(len(work)))
    slowed = _log_density(divided, code, 1.0 / in_hand) - np.log(in_hand)
    gain = slowed - full
    error = float(gain.std()) * float(np.sqrt(len(gain)))
    ratio = float(gain.sum())
    return Slowing(int((in_hand > 1).sum()), ratio, ratio / error if error else 0.0)


def _log_density(seconds: Floats, group: Counts, grain_s: Floats) -> Floats:
    """Of each value (up to a constant for all of a group); a value is known to its grain."""
    n, logs = len(seconds), np.log(seconds)
    logs -= (np.bincount(group, logs) / np.bincount(group))[group]
    order = np.argsort(logs, kind="stable")
    m, at = max(int(np.sqrt(n) / 2), 1), np.arange(n)
    low, high = np.maximum(at - m, 0), np.minimum(at + m, n - 1)
    spacing = np.maximum(logs[order][high] - logs[order][low], (grain_s / seconds)[order])
    found = np.empty(n)
    found[order] = np.log((high - low) / (n * spacing))
    return np.asarray(found - np.log(seconds), np.float64)
