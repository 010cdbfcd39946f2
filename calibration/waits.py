"""The delay before work that neither shifts nor other work explain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from calibration.agents import Resources
from calibration.availability import Availability, find_availability
from calibration.censored import place
from calibration.fitting import differs, fit_law
from calibration.inclusion import evened
from calibration.local_time import Floats, OpenDays
from calibration.paces import STARTS, fit_pace
from calibration.settings import Settings
from calibration.timeouts import Timeout, ages, find_timeouts
from calibration.window import ENOUGH, Window
from discovery.replayed import Replayed
from eventlogs.bounds import case_bounds
from metagraph.distributions import Fitted
from metagraph.nodes import DelaySince, DelayTable
from metagraph.paces import Pace

DELAYED_S = 1.0
"""A task whose executions are delayed by less on average has no delay."""


@dataclass(frozen=True, slots=True, eq=False)
class Waits:
    """Per activity."""

    delays: Mapping[str, DelayTable]
    """Only where there is any delay to speak of."""
    paces: tuple[Pace, ...]
    """At which the delays run, if not by the wall clock."""
    timeouts: Mapping[str, Timeout] = field(default_factory=dict)
    """Of the delays that are counted from the release."""

    @property
    def facts(self) -> dict[str, str]:
        """For the report."""
        told = "; ".join(f"{label} {found.words()}" for label, found in self.timeouts.items())
        return {"timeouts": told} if told else {}


def fit_waits(
    window: Window,
    replayed: Replayed,
    resources: Resources,
    settings: Settings,
    release_s: Floats | None = None,
) -> Waits:
    """The delays of the executions that the replay found a place for.

    The delay of an execution runs from enabled to ready; shifts and other work explain the rest. It is at
    least the time until the last instant before its start at which somebody who does this task was on shift
    and had a hand free, which is what the extraneous-delay method of Chapela-Campa and Dumas (2024) takes;
    here with the task's pool in place of the agent, as in the simulation any of the pool would have taken the
    work, and as a bound only. What the very agent did meanwhile, `calibration/breakdown.py` tells.

    An execution that was collected waited for others up to `release_s` (NaN for others): only what comes
    later counts.
    """
    if not settings.use_delay:
        return Waits({}, ())
    snapshot = window.snapshot
    availability = find_availability(snapshot, resources)
    index = {name: i for i, name in enumerate(snapshot.resources)}
    pools = {q.id: tuple(index[name] for name in q.agents) for q in resources.queues}
    cases = snapshot.case_of_row()
    usable = window.rows & ~np.isnan(replayed.enabled_s)
    since_s = replayed.enabled_s
    if release_s is not None:
        since_s = np.where(np.isnan(release_s), since_s, release_s)
    timeouts: dict[str, Timeout] = {}
    if settings.use_timeouts:
        timeouts = find_timeouts(snapshot, usable, replayed.enabled_s, since_s)
    held = [a for a, label in enumerate(snapshot.activities) if label in timeouts]
    waited = usable & ~np.isin(snapshot.activity, held) & (snapshot.start_s > since_s + DELAYED_S)
    common: tuple[Pace, OpenDays] | tuple[None, None] = None, None
    if settings.use_pace:
        common = fit_pace(snapshot.start_s[waited], snapshot, settings)
    delays: dict[str, DelayTable] = {}
    paces: dict[str, Pace] = {}
    for a, label in enumerate(snapshot.activities):
        rows = np.flatnonzero(usable & (snapshot.activity == a))
        if not len(rows):
            continue
        enabled, start = since_s[rows], snapshot.start_s[rows]
        pace, clock = common
        after = np.array([*snapshot.activities, ""], dtype=object)[replayed.previous[rows]]
        if label in timeouts:
            ready = ready_seconds(enabled, start, pools.get(label), availability)
            delay = place(*ages(case_bounds(snapshot)[0][cases[rows]], enabled, ready, start))
            pace = None
        else:
            if settings.own_hours and label not in pools and waited[rows].sum() >= ENOUGH:
                pace, clock = fit_pace(start[waited[rows]], snapshot, settings, f"{STARTS}: {label}")
            delay = delay_seconds(enabled, start, pools.get(label), availability, clock)
        table = delay_table(delay, after, window.weights[cases[rows]])
        if table is not None:
            since: DelaySince = "release" if label in timeouts else "ready"
            delays[label] = replace(table, pace=pace.id if pace else None, since=since)
            paces |= {pace.id: pace} if pace else {}
    return Waits(delays, tuple(paces.values()), timeouts)


def delay_seconds(
    enabled: Floats,
    start: Floats,
    pool: tuple[int, ...] | None,
    availability: Availability,
    pace: OpenDays | None = None,
) -> Floats:
    """Seconds from enabled to ready, by wall clock or pace; all of the wait for a task that needs nobody.

    An execution that starts while somebody is free was ready just then. One that starts the moment somebody
    comes on shift or gets free was ready at some instant after the last one at which anybody could have taken
    it, or at once: where, is judged by the others.
    """
    start = np.maximum(start, enabled)
    ready = ready_seconds(enabled, start, pool, availability)
    if pace is None:
        return place(ready - enabled, start - enabled)
    return place(pace.between(enabled, ready), pace.between(enabled, start))


def ready_seconds(
    enabled: Floats, start: Floats, pool: tuple[int, ...] | None, availability: Availability
) -> Floats:
    """The first instant at which each execution can have been ready, as far as the log tells."""
    start = np.maximum(start, enabled)
    return start if pool is None else np.clip(availability.pool(pool).last_before(start), enabled, start)


def delay_table(delay: Floats, after: NDArray[np.object_], weights: Floats) -> DelayTable | None:
    """Laws of the delay, with a row for every activity it follows that differs from the rest; None if there
    is no delay to speak of. `weights` are those of the executions' cases."""
    if delay.mean() < DELAYED_S:
        return None
    rows: dict[str, Fitted] = {}
    for name in sorted(set(after.tolist())):
        members = after == name
        mine, others = delay[members], delay[~members]
        # A case's first task is enabled when it starts: it has no delay by construction.
        first = name == "" and not mine.any()
        if first or (len(mine) >= ENOUGH and len(others) and _differ(mine, others)):
            rows[name] = fit_law(evened(mine, weights[members]), "task", fast=True, pictured=41)
    return DelayTable(fit_law(evened(delay, weights), "task", fast=True), rows)


def _differ(mine: Floats, others: Floats) -> bool:
    return differs(np.sort(mine), np.sort(others))
