"""Which cases are over, for a log that doesn't say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eventlogs.snapshot import Snapshot

GAP_QUANTILE = 0.95
SAFETY = 2.0
_ENOUGH_SETTLED = 30


@dataclass(frozen=True, slots=True)
class ClosingRule:
    """A case is over when nothing runs and its last activity usually ends cases, or it idles too long."""

    end_activities: Mapping[str, float]
    """Activity -> share of its executions that were the last of their case."""
    idle_s: float
    """A case without anything running for longer is over."""
    min_share: float = 0.5

    def is_open(self, last_activity: str, idle_s: float, running: bool) -> bool:
        """Whether a case goes on whose last finished activity lies `idle_s` seconds back."""
        return running or not (self.ends(last_activity) or idle_s > self.idle_s)

    def ends(self, activity: str) -> bool:
        """Whether a case is taken to be over right after this activity."""
        return self.end_activities.get(activity, 0.0) >= self.min_share


@dataclass(frozen=True, slots=True)
class ClosingCounts:
    """How many cases each part of the rule decided."""

    running: int
    """Open: something is being worked on."""
    waiting: int
    """Open: nothing runs, and neither part of the rule closed it."""
    ended: int
    """Closed by their last activity."""
    idle: int
    """Closed by idleness alone."""


def fit(snapshot: Snapshot) -> ClosingRule:
    """Learn the rule from a log that may hold unfinished cases.

    Idle limit: SAFETY times the 95 % quantile of the gaps inside cases. End shares: from the cases idle for
    longer than that at the log's end, because the last event of a case still open ends nothing; from all
    cases if fewer than 30 are settled so.
    """
    gaps = within_case_gaps_s(snapshot)
    idle_s = SAFETY * float(np.quantile(gaps, GAP_QUANTILE)) if len(gaps) else 0.0
    last_row, idle, running = _case_ends(snapshot)
    settled = ~running & (idle > idle_s)
    if settled.sum() < _ENOUGH_SETTLED:
        settled = ~running if (~running).any() else np.ones(snapshot.n_cases, dtype=np.bool_)
    n = len(snapshot.activities)
    seen = np.bincount(snapshot.activity[np.repeat(settled, np.diff(snapshot.offsets))], minlength=n)
    last = np.bincount(snapshot.activity[last_row[settled]], minlength=n)
    shares = {name: float(last[i] / seen[i]) for i, name in enumerate(snapshot.activities) if last[i]}
    return ClosingRule(shares, idle_s)


def apply(rule: ClosingRule, snapshot: Snapshot) -> tuple[NDArray[np.bool_], ClosingCounts]:
    """Per case whether it is open at the snapshot's instant, and how that was decided."""
    last_row, idle, running = _case_ends(snapshot)
    ends = np.array([rule.ends(name) for name in snapshot.activities], dtype=np.bool_)
    ended = ~running & ends[snapshot.activity[last_row]]
    stale = ~running & ~ended & (idle > rule.idle_s)
    waiting = ~running & ~ended & ~stale
    counts = ClosingCounts(int(running.sum()), int(waiting.sum()), int(ended.sum()), int(stale.sum()))
    return running | waiting, counts


def within_case_gaps_s(snapshot: Snapshot) -> NDArray[np.float64]:
    """Seconds from everything before being finished to the next start, 0 where executions overlap."""
    case = snapshot.case_of_row()
    order = np.lexsort((snapshot.start_s, case))
    case, start = case[order], snapshot.start_s[order]
    end = np.where(np.isnan(snapshot.end_s), snapshot.until_s, snapshot.end_s)[order]
    # A lift per case, higher than any time, lets one running maximum serve all cases.
    lift = case * (snapshot.until_s + 1.0)
    busy_until: NDArray[np.float64] = np.maximum.accumulate(end + lift) - lift
    same = case[1:] == case[:-1]
    gaps: NDArray[np.float64] = np.maximum(start[1:] - busy_until[:-1], 0.0)[same]
    return gaps


def _case_ends(snapshot: Snapshot) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Per case its last row, seconds since its last event, and whether something runs."""
    last_row = snapshot.offsets[1:] - 1
    running = np.isnan(snapshot.end_s[last_row])
    latest = np.where(running, snapshot.start_s[last_row], snapshot.end_s[last_row])
    return last_row, snapshot.until_s - latest, running
