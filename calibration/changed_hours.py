"""Agents whose hours changed while the log went on: another shift, or other weekdays.

Days count as independent, stamps of one day don't. At each split of an agent's days the first and the last
stamps before and after it are compared (two-sample Kolmogorov-Smirnov test), and how often each weekday was
worked (chi-squared test). The split with the smallest p-value is a change if that, times the splits and the
agents tried, is below CHANCE, and if the first and the last stamps moved the same way by MOVED_S, or the
share WEEKDAYS of the days went to other weekdays. Who merely has less to do in the afternoon doesn't come
later in the morning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from calibration.calendars import OWN_STAMPS, Timetable
from calibration.day_clock import DayClock
from calibration.fitting import two_sample_distance
from calibration.local_time import Floats, LocalTime, Mask
from calibration.presence import SeenDays
from calibration.seen_days import day_cuts, seen_days
from calibration.spans import Spans
from calibration.window import Window
from eventlogs.snapshot import Snapshot

CHANCE = 1e-3
"""Probability of finding any change by mistake in a log whose days are independent."""
MOVED_S = 3600.0
"""The medians of the first and the last stamps must move by so much."""
WEEKDAYS = 0.25
"""Or so many of the days must be on other weekdays."""
SIDE_DAYS, SIDE_WEEKS = 10, 3
"""On each side of a change there must be so many days with stamps, over so many weeks."""
SPLITS = 20
"""About so many splits are tried."""
MOST = 3
"""Changes of one agent that are looked for: the last of them counts."""


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """Since when agents have had the hours that they have at the end, by resource; seconds since the log's
    origin."""

    since_s: Mapping[int, float]

    def newest(self, window: Window) -> Window:
        """The window without what changed agents did before."""
        return replace(window, rows=window.rows & ~self._before(window.snapshot))

    def earlier(self, window: Window) -> Window:
        """The window with what changed agents did before, and not what they did since; of the whole log."""
        changed = np.isin(window.snapshot.resource, list(self.since_s))
        before = self._before(window.snapshot)
        return replace(window, rows=(window.rows & ~changed) | before)

    def since(self, agents: int) -> Floats:
        """Of each agent; -inf for those without a change."""
        found = np.full(agents, -np.inf)
        for agent, at in self.since_s.items():
            found[agent] = at
        return found

    def words(self, snapshot: Snapshot) -> dict[str, str]:
        """The fact, for the report."""
        if not self.since_s:
            return {}
        named = ", ".join(
            f"{snapshot.resources[i]} (on {snapshot.origin + timedelta(seconds=at):%Y-%m-%d})"
            for i, at in sorted(self.since_s.items(), key=lambda pair: pair[1])
        )
        return {"hours that changed": f"{named}: they have those since then"}

    def _before(self, snapshot: Snapshot) -> Mask:
        since = np.append(self.since(len(snapshot.resources)), -np.inf)  # nobody's code is -1
        return np.asarray(snapshot.start_s < since[snapshot.resource], np.bool_)


def find_changes(window: Window, local: LocalTime, timetable: Timetable) -> Changes:
    """Of agents with hours, in the whole log; their `timetable` is the one that knows of no changes."""
    snapshot = window.snapshot
    weeks = np.array([clock.week > 0 for clock in timetable.clocks], np.bool_)
    if not len(weeks):
        return Changes({})
    working = np.array([not clock.week.all() for clock in timetable.clocks], np.bool_)
    seen = seen_days(window, local, day_cuts(weeks), working)
    agents = np.unique(seen.agent)
    stamps = np.bincount(seen.agent, seen.stamps, minlength=len(weeks))
    tried = [a for a in agents.tolist() if stamps[a] >= 2 * OWN_STAMPS]
    found: dict[int, float] = {}
    for agent in tried:
        mine = seen.of(seen.agent == agent)
        for _ in range(MOST):
            at = _change(mine, len(tried))
            if at is None:
                break
            found[agent] = float(mine.day[at])
            mine = mine.of(np.arange(len(mine.day)) >= at)
    since = {a: float(day * 86400.0 - local.offset_s[local.part(day * 86400.0)]) for a, day in found.items()}
    return Changes({a: at for a, at in since.items() if at < snapshot.until_s})


def _change(days: SeenDays, tried: int) -> int | None:
    """The first day after the clearest change, if there is any."""
    day, stamps = days.day, days.stamps
    splits = [
        k
        for k in range(SIDE_DAYS, len(day) - SIDE_DAYS + 1)
        if min(day[k] - day[0], day[-1] - day[k]) >= 7 * SIDE_WEEKS
        and min(stamps[:k].sum(), stamps[k:].sum()) >= OWN_STAMPS
    ]
    step = max(len(splits) // SPLITS, 1)
    asked = splits[::step]
    found = {k: _chance(days, k) for k in asked}
    best = min(asked, key=lambda k: found[k], default=None)
    if best is None or found[best] * len(asked) * tried >= CHANCE:
        return None
    return min((k for k in splits if abs(k - best) < step), key=lambda k: found.get(k) or _chance(days, k))


def _chance(days: SeenDays, k: int) -> float:
    """The p-value of a difference between the days before the k-th and the others; 1 if there is little."""
    from scipy.stats import chi2

    day, sides = days.day, (days.first_s, days.last_s)
    moved = [float(np.median(x[k:]) - np.median(x[:k])) for x in sides]
    p = 1.0
    if min(moved) >= MOVED_S or max(moved) <= -MOVED_S:
        size = k * (len(day) - k) / len(day)
        apart = min(two_sample_distance(np.sort(x[:k]), np.sort(x[k:])) for x in sides)
        p = min(2 * float(np.exp(-2 * size * apart**2)), 1.0)
    counts = np.stack([np.bincount(part % 7, minlength=7) for part in (day[:k], day[k:])]).astype(float)
    shares = counts / counts.sum(axis=1, keepdims=True)
    if np.abs(shares[0] - shares[1]).sum() / 2 >= WEEKDAYS:
        weeks = np.array([max((day[k] - day[0]) / 7, 1.0), max((day[-1] + 1 - day[k]) / 7, 1.0)])
        came = np.minimum(counts / weeks[:, None], 1.0)
        level = counts.sum(axis=0) / weeks.sum()
        told = (level > 0) & (level < 1)
        spread = (level * (1 - level))[told] * (1 / weeks).sum()
        p = min(p, float(chi2.sf(((came[0] - came[1])[told] ** 2 / spread).sum(), int(told.sum()))))
    return p


def with_changes(timetable: Timetable, earlier: Timetable, changes: Changes, local: LocalTime) -> Timetable:
    """The timetable of the newest hours; what changed agents did before their change is measured by those
    that they had then."""
    clocks = list(timetable.clocks)
    for agent, at in changes.since_s.items():
        old, new = Spans(*earlier.clocks[agent].spans()), Spans(*timetable.clocks[agent].spans())
        start = np.concatenate((old.start[old.start < at], np.maximum(new.start[new.end > at], at)))
        end = np.concatenate((np.minimum(old.end[old.start < at], at), new.end[new.end > at]))
        clocks[agent] = DayClock(local, timetable.clocks[agent].week, Spans(start, end))
    return replace(timetable, clocks=tuple(clocks))
