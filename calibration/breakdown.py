"""Where the time of an order went: each execution from the moment it could start to its end, by cause.

After Lashkevich, Milani, Chapela-Campa, Suvorau and Dumas, "Why am I waiting? Data-driven analysis of waiting
times in business processes" (CAiSE 2023). It is what happened in the log, whatever the model uses of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.agents import Resources, fit_resources
from calibration.batches import fit_batches
from calibration.durations import work_seconds
from calibration.later import before_and_above
from calibration.local_time import Floats, WeekClock
from calibration.settings import Settings
from calibration.unnamed import Unnamed
from calibration.window import Window, open_window
from discovery.replayed import Replayed
from eventlogs.snapshot import NO_RESOURCE, Snapshot
from metagraph.nodes import WaitBreakdown

NAMED = 5
"""So many tasks that kept the agents busy are told; the rest is their difference from all of it."""
LEAST_S = 0.5
"""A task that kept them busy for less, per execution, is not told."""


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Seconds of each execution's wait, by cause; the parts add up to the wait. Rows are the snapshot's."""

    wait: Floats
    """From enabled to start; 0 for one that started before it was enabled, NaN where the replay found no
    place."""
    batching: Floats
    """Until its batch was released."""
    off_shift: Floats
    """Then: its agent was off shift."""
    busy: Floats
    """Its agent was at work, and at capacity, with what had been ready before."""
    prioritised: Floats
    """Its agent was at capacity with what was ready only later, but taken first."""
    remaining: Floats
    """Nothing of that: the customer, other systems, and whatever the log doesn't show."""
    busy_with: NDArray[np.float64]
    """Activity that waited x activity that kept its agents busy: seconds, over all executions."""


def break_down(
    snapshot: Snapshot, replayed: Replayed, settings: Settings, unnamed: Unnamed | None = None
) -> dict[str, WaitBreakdown]:
    """Means per activity over all executions of the log that the replay found a place for.

    Shifts, capacities, batches and work are those of the whole log, with weekly hours for every agent,
    whatever the model uses of them. `unnamed`: what `attribute` finds in this log, where it is known.
    """
    seen = replace(settings, use_calendars=True, use_contention=True, drawn_shifts=False, use_batching=True)
    window = open_window(snapshot, 1.0, unnamed=unnamed)
    resources = fit_resources(window, seen)
    release = fit_batches(window, replayed, resources, seen).release_s
    return means(window, resources, wait_parts(window.snapshot, replayed.enabled_s, resources, release))


def means(window: Window, resources: Resources, parts: Parts) -> dict[str, WaitBreakdown]:
    """The parts as means per activity, with the time from start to end."""
    snapshot = window.snapshot
    work, _ = work_seconds(window, resources)
    elapsed = np.maximum(snapshot.end_s - snapshot.start_s, 0.0)
    ended = ~np.isnan(elapsed)
    usable = ~np.isnan(parts.wait)
    found: dict[str, WaitBreakdown] = {}
    for a, label in enumerate(snapshot.activities):
        rows = np.flatnonzero(usable & (snapshot.activity == a))
        if not len(rows):
            continue
        done = rows[ended[rows]]
        found[label] = WaitBreakdown(
            n=len(rows),
            off_shift_s=_mean(parts.off_shift[rows]),
            busy_s=_mean(parts.busy[rows]),
            remaining_s=_mean(parts.remaining[rows]),
            prioritised_s=_mean(parts.prioritised[rows]),
            batching_s=_mean(parts.batching[rows]),
            work_s=_mean(work[done]),
            stopped_s=_mean(elapsed[done] - work[done]),
            busy_with=_busy_with(parts.busy_with[a] / len(rows), snapshot.activities),
        )
    return found


def wait_parts(
    snapshot: Snapshot, enabled: Floats, resources: Resources, release: Floats | None = None
) -> Parts:
    """Every wait, cut into its causes in the order in which the paper cuts it: batching first, then by what
    the agent did: off shift, at capacity with what was ready earlier or later, or none of that.

    The paper's batch is complete when its last execution is enabled; here it waits for its release, which
    may come later, as at four o'clock. `release`: per row, NaN for one that was in no batch.

    Of an agent that works on several items at once each is taken to keep it busy by an equal part.
    """
    start = snapshot.start_s
    begin = np.minimum(enabled, start)
    ready = begin if release is None else np.clip(np.fmax(begin, release), begin, start)
    off, busy, later = (np.zeros(snapshot.n_events) for _ in range(3))
    busy_with = np.zeros((len(snapshot.activities),) * 2)
    steps = _Steps.of(snapshot, ready)
    who = np.where(resources.agentless[snapshot.activity], NO_RESOURCE, snapshot.resource)
    waiting = np.flatnonzero((who != NO_RESOURCE) & (start > ready))
    waiting = waiting[np.argsort(who[waiting], kind="stable")]
    for agent in np.unique(who[waiting]).tolist():
        rows = waiting[slice(*np.searchsorted(who[waiting], [agent, agent + 1]))]
        t0, t1, waited = ready[rows], start[rows], snapshot.activity[rows]
        clock = resources.timetable.clocks[agent]
        off[rows] = t1 - t0 - clock.between(t0, t1)
        hands = _Hands(steps.of_agent(agent), clock, int(resources.capacity[agent]))
        full = hands.between(hands.full, t0, t1)
        later[rows] = np.minimum(hands.later(t0, t1), full)
        busy[rows] = full - later[rows]
        for activity in np.unique(hands.steps.activity).tolist():
            spent = hands.between(hands.rate_of(activity), t0, t1)
            busy_with[:, activity] += np.bincount(waited, spent, minlength=len(busy_with))
    remaining = np.maximum(start - ready - off - busy - later, 0.0)
    return Parts(start - begin, ready - begin, off, busy, later, remaining, busy_with)


@dataclass(frozen=True, slots=True, eq=False)
class _Steps:
    """When agents took something in hand (change 1) or out of it (-1), sorted by agent and time."""

    who: NDArray[np.int32]
    t: Floats
    change: NDArray[np.int64]
    activity: NDArray[np.int32]
    ready: Floats
    """When the execution could have started; -inf where that isn't known: it counts as earlier."""

    @staticmethod
    def of(snapshot: Snapshot, ready: Floats) -> _Steps:
        """Executions that last and have an agent; running ones last until the end of the log, and suspended
        ones are in nobody's hand."""
        end = np.where(np.isnan(snapshot.end_s), snapshot.until_s, snapshot.end_s)
        held = (snapshot.resource != NO_RESOURCE) & (end > snapshot.start_s)
        rows, pauses = np.flatnonzero(held), snapshot.pauses
        paused = held[pauses.row]
        row = np.concatenate((rows, rows, pauses.row[paused], pauses.row[paused]))
        t = np.concatenate((snapshot.start_s[rows], end[rows], pauses.start_s[paused], pauses.end_s[paused]))
        signs = np.repeat([1, -1, -1, 1], [len(rows)] * 2 + [int(paused.sum())] * 2)
        who = snapshot.resource[row]
        order = np.lexsort((t, who))
        row = row[order]
        known = np.where(np.isnan(ready), -np.inf, ready)
        return _Steps(who[order], t[order], signs[order], snapshot.activity[row], known[row])

    def of_agent(self, agent: int) -> _Steps:
        mine = slice(*np.searchsorted(self.who, [agent, agent + 1]))
        return _Steps(self.who[mine], self.t[mine], self.change[mine], self.activity[mine], self.ready[mine])


class _Hands:
    """One agent's time at capacity, as functions of time that grow while it is on shift."""

    def __init__(self, steps: _Steps, clock: WeekClock, capacity: int) -> None:
        self.steps = steps
        self._clock = clock
        self._worked = clock.worked(steps.t)
        self._length = np.diff(self._worked, append=self._worked[-1:])
        level = np.cumsum(steps.change)
        self.full = (level >= capacity).astype(np.float64)
        """1 from each step on while at capacity, else 0."""
        self._each = self.full / np.maximum(level, 1)

    def until(self, rate: Floats, t: Floats) -> Floats:
        """The integral up to each instant, in working seconds, of what is `rate` from each step on."""
        if not len(rate):
            return np.zeros(len(t))
        before = np.concatenate(([0.0], np.cumsum(rate * self._length)))
        i = np.searchsorted(self.steps.t, t, side="right") - 1
        k = np.maximum(i, 0)
        return np.where(i >= 0, before[k] + rate[k] * (self._clock.worked(t) - self._worked[k]), 0.0)

    def between(self, rate: Floats, t0: Floats, t1: Floats) -> Floats:
        """The integral from one instant to another."""
        return self.until(rate, t1) - self.until(rate, t0)

    def rate_of(self, activity: int) -> Floats:
        """The part of the agent's time at capacity that one activity takes."""
        mine = np.cumsum(np.where(self.steps.activity == activity, self.steps.change, 0))
        return np.asarray(self._each * mine, np.float64)

    def later(self, ready: Floats, start: Floats) -> Floats:
        """Seconds up to each start at capacity with what was ready only after `ready`.

        What was ready later was also begun later. An item's share of the agent's time from when it was taken
        until it was done, or until `start` if that comes first, is a difference of the integral at these two
        instants: a sum over the steps before `start` whose items were ready later.
        """
        passed = self.until(self._each, self.steps.t)
        weights = np.array((self.steps.change, self.steps.change * passed), np.float64)
        held, begun = before_and_above(self.steps.t, self.steps.ready, weights, start, ready)
        return np.asarray(np.maximum(self.until(self._each, start) * held - begun, 0.0), np.float64)


def _busy_with(seconds: Floats, activities: tuple[str, ...]) -> Mapping[str, float]:
    """The tasks that took most of it, the longest first."""
    longest = [a for a in np.argsort(-seconds, kind="stable")[:NAMED].tolist() if seconds[a] >= LEAST_S]
    return {activities[a]: round(float(seconds[a]), 3) for a in longest}


def _mean(seconds: Floats) -> float:
    return round(float(seconds.mean()), 3) if len(seconds) else 0.0
