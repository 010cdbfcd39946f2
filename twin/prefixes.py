"""What was known of every open case at past instants: the rows that forecasts are learnt from.

Cases are looked at as at an instant, not event by event: whoever asks for a forecast finds cases as time
finds them, long waits more often than short ones. A case that is still open when the log stops has only a
lower bound of its remaining time: it is kept with that bound, or only short cases would be learnt from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_COUNTED = 30
"""Activities whose executions are counted: the most frequent ones."""
FEATURES = (
    *("last activity", "activity that runs", "activities done", "hours since the beginning"),
    *("hours since the last event", "hours since what runs began", "hour of the day", "day of the week"),
    *("cases open", "events of the last day", "activity before the last", "distinct activities"),
)
CATEGORIES = tuple(
    FEATURES.index(name) for name in ("last activity", "activity that runs", "activity before the last")
)
"""Features that are names, not amounts."""


@dataclass(frozen=True, slots=True, eq=False)
class Prefixes:
    """One row a case and instant."""

    case: Ints
    """Index of the case."""
    at_s: Floats
    last: Ints
    """Index of the activity that was finished last, the number of activities if none was."""
    idle_s: Floats
    """Since the last event, be it a start or an end."""
    age_s: Floats
    """Since the case's first start."""
    x: Floats
    """[row, feature]: FEATURES, then how often each of the most frequent activities was finished."""
    left_s: Floats
    """Until the case ended; where it hasn't, until the log stopped."""
    over: NDArray[np.bool_]
    """The case's end is known."""


def instants(snapshot: Snapshot, rows: int) -> Floats:
    """Past instants, evenly among the log's events, at which together about so many open cases are found."""
    from eventlogs.bounds import case_bounds

    stamps = np.concatenate([snapshot.start_s, snapshot.end_s[~np.isnan(snapshot.end_s)]])
    stamps = np.sort(stamps)
    stamps = stamps[stamps < snapshot.until_s]
    if not len(stamps):
        return np.zeros(0)
    first, last = case_bounds(snapshot)
    last = np.where(snapshot.is_open, np.inf, last)
    at = np.unique(stamps[np.linspace(0, len(stamps) - 1, min(len(stamps), 2000)).astype(np.int64)])
    opened, closed = np.searchsorted(np.sort(first), at), np.searchsorted(np.sort(last), at, side="right")
    found = float((opened - closed).mean())
    n = int(min(max(rows / max(found, 1e-9), 20), len(at)))
    chosen: Floats = at[np.linspace(0, len(at) - 1, n).astype(np.int64)]
    return chosen


def prefixes(snapshot: Snapshot, at_s: Floats) -> Prefixes:
    """What was known at those instants (ascending) of the cases open then, and what came of them by now."""
    from eventlogs.bounds import case_bounds

    first, last = case_bounds(snapshot)
    last = np.where(snapshot.is_open, np.inf, last)
    tables = _Tables(snapshot)
    parts = []
    for t in at_s.tolist():
        open_then = np.flatnonzero((first < t) & (t < last))
        parts.append((np.full(len(open_then), t), open_then, *tables.at(t, open_then, first)))
    if not parts:
        empty = np.zeros(0)
        width = len(FEATURES) + tables.counted
        none = np.zeros(0, np.int64)
        return Prefixes(none, empty, none, empty, empty, np.zeros((0, width)), empty, np.zeros(0, np.bool_))
    at, case, after, idle, x = (np.concatenate(column) for column in zip(*parts, strict=True))
    over = ~snapshot.is_open[case]
    left = np.where(over, last[case], snapshot.until_s) - at
    return Prefixes(case, at, after, idle, at - first[case], x, left, over)


class _Tables:
    """The log in the orders in which the features are read."""

    def __init__(self, snapshot: Snapshot) -> None:
        case = snapshot.case_of_row()
        n = len(snapshot.activities)
        self._n, self._cases = n, snapshot.n_cases
        self._origin = snapshot.origin
        self._start, self._end = snapshot.start_s, np.where(np.isnan(snapshot.end_s), np.inf, snapshot.end_s)
        self._case, self._activity = case, snapshot.activity.astype(np.int64)
        common = np.argsort(-np.bincount(self._activity, minlength=n), kind="stable")[:MOST_COUNTED]
        self.counted = len(common)
        self._column = np.full(n + 1, -1, np.int64)
        self._column[common] = np.arange(len(common))
        ends = np.lexsort((self._start, self._end))
        self._by_end = ends[np.isfinite(self._end[ends])]
        self._stamps = np.sort(np.concatenate([self._start, self._end[np.isfinite(self._end)]]))

    def at(self, t: float, cases: Ints, first: Floats) -> tuple[Ints, Floats, Floats]:
        """Last activity, idle seconds and features of those cases at t."""
        where = np.full(self._cases, -1, np.int64)
        where[cases] = np.arange(len(cases))
        done = self._by_end[self._end[self._by_end] <= t]
        done = done[where[self._case[done]] >= 0]
        row, activity = where[self._case[done]], self._activity[done]
        last, before = np.full(len(cases), self._n), np.full(len(cases), self._n)
        last_s = np.full(len(cases), -np.inf)
        # Of equal indices the last assignment stands, and rows are sorted by end.
        last[row] = activity
        last_s[row] = self._end[done]
        earlier = np.ones(len(done), np.bool_)
        newest = np.full(len(cases), -1, np.int64)
        newest[row] = np.arange(len(done))
        earlier[newest[newest >= 0]] = False
        before[row[earlier]] = activity[earlier]
        runs = np.flatnonzero((self._start <= t) & (self._end > t))
        runs = runs[where[self._case[runs]] >= 0]
        running, since = np.full(len(cases), self._n), np.full(len(cases), np.nan)
        running[where[self._case[runs]]] = self._activity[runs]
        since[where[self._case[runs]]] = t - self._start[runs]
        idle = t - np.fmax(last_s, np.where(np.isnan(since), first[cases], t - since))
        counts = np.zeros((len(cases), self.counted))
        column = self._column[activity]
        np.add.at(counts, (row[column >= 0], column[column >= 0]), 1.0)
        done_n = np.bincount(row, minlength=len(cases)).astype(np.float64)
        recent = np.searchsorted(self._stamps, [t - 86400.0, t], side="right")
        clock = self._origin.timestamp() + t
        x = np.column_stack(
            [
                *(last, running, done_n, (t - first[cases]) / 3600, idle / 3600),
                *(since / 3600, np.full(len(cases), clock % 86400 / 3600)),
                *(np.full(len(cases), t // 86400 % 7), np.full(len(cases), float(len(cases)))),
                *(
                    np.full(len(cases), float(recent[1] - recent[0])),
                    before,
                    (counts > 0).sum(axis=1),
                    counts,
                ),
            ]
        )
        return last.astype(np.int64), idle, x
