"""Open orders as rows of numbers: what was known of each at an instant, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eventlogs.bounds import case_bounds
from eventlogs.snapshot import Snapshot

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COLUMNS = (
    *("age", "since the last event", "since what runs began", "since the last end", "executions done"),
    *("executions running", "work done", "last activity", "activity before the last", "activity that runs"),
    *("agent", "half hour of the day", "day of the week", "orders open"),
    *("events of the last day", "distinct activities"),
)
"""What is known of an order, times in seconds; then its groups, and how often it finished each of the most
frequent activities."""
AGE, IDLE = COLUMNS.index("age"), COLUMNS.index("since the last event")
"""Columns that go on counting while an order is followed."""
CODED = tuple(
    COLUMNS.index(name)
    for name in ("last activity", "activity before the last", "activity that runs", "agent")
)
"""Columns that hold codes: names, not amounts."""
MOST_COUNTED = 60
"""Activities whose executions are counted in columns of their own: the most frequent ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Open orders at instants; times in seconds."""

    x: Floats
    """[row, feature]"""
    left_s: Floats
    """From the instant to the order's end; infinite where it hasn't ended when the log stops."""
    seen_s: Floats
    """From the instant to where the log stops."""
    case: Ints
    at_s: Floats

    def __len__(self) -> int:
        return len(self.left_s)

    def some(self, rows: NDArray[np.int64]) -> Rows:
        """Those rows."""
        return Rows(self.x[rows], self.left_s[rows], self.seen_s[rows], self.case[rows], self.at_s[rows])


def instants(snapshot: Snapshot, n: int, first: float = 0.1) -> Floats:
    """About n instants in the log at equal numbers of events, from the share `first` of them on: times at
    which nobody works are as rare among them as events are then."""
    marks = np.sort(np.concatenate([snapshot.start_s, snapshot.end_s[~np.isnan(snapshot.end_s)]]))
    shares = first + (1 - first) * (np.arange(n) + 0.5) / n
    found = np.unique(np.quantile(marks, shares, method="lower")) + 1.0
    return np.asarray(found[found < snapshot.until_s], np.float64)


def last_s(snapshot: Snapshot) -> Floats:
    """Per case the end; infinite for open ones."""
    return np.where(snapshot.is_open, np.inf, case_bounds(snapshot)[1])


def past_instants(snapshot: Snapshot, rows: float, fewest: int, most: int) -> Floats:
    """Instants in the log, at which together about so many orders were open."""
    times, first, last = instants(snapshot, most), case_bounds(snapshot)[0], last_s(snapshot)
    some = times[:: max(len(times) // 30, 1)]
    here = float(np.mean([((first <= t) & (last > t)).sum() for t in some])) if len(some) else 0.0
    return instants(snapshot, int(np.clip(rows / max(here, 1.0), fewest, most)))


def counted(snapshot: Snapshot) -> Ints:
    """The activities whose executions are counted."""
    often = np.bincount(snapshot.activity, minlength=len(snapshot.activities))
    return np.argsort(-often, kind="stable")[:MOST_COUNTED].astype(np.int64)


def rows_at(
    snapshot: Snapshot,
    at_s: Sequence[float] | Floats,
    groups: Ints | None = None,
    activities: Ints | None = None,
) -> Rows:
    """Rows of the orders that were open at each instant, with features from what was known by then.

    `groups`: codes of each case that are known from its beginning, [case, code]. `activities`: those that are
    counted, if they aren't to be the most frequent of this log.
    """
    first, last = case_bounds(snapshot)[0], last_s(snapshot)
    groups = np.zeros((snapshot.n_cases, 0), np.int64) if groups is None else groups
    reader = _Reader(snapshot, first, groups, counted(snapshot) if activities is None else activities)
    parts = []
    for t in at_s:
        cases = np.flatnonzero((first <= t) & (last > t))
        if len(cases):
            n = len(cases)
            seen = np.full(n, max(snapshot.until_s - t, 0.0))
            parts.append(Rows(reader.read(float(t), cases), last[cases] - t, seen, cases, np.full(n, t)))
    if not parts:
        width = reader.width
        nothing = np.zeros(0)
        return Rows(np.zeros((0, width)), nothing, nothing, np.zeros(0, np.int64), nothing)
    return Rows(
        np.vstack([p.x for p in parts]),
        np.concatenate([p.left_s for p in parts]),
        np.concatenate([p.seen_s for p in parts]),
        np.concatenate([p.case for p in parts]),
        np.concatenate([p.at_s for p in parts]),
    )


class _Reader:
    """Features of cases at instants."""

    def __init__(self, snapshot: Snapshot, first: Floats, groups: Ints, activities: Ints) -> None:
        self.snapshot, self.first, self.groups = snapshot, first, groups
        self.case = snapshot.case_of_row()
        self.column = np.full(len(snapshot.activities), -1, np.int64)
        self.column[activities] = np.arange(len(activities))
        self.counted = len(activities)
        self.width = len(COLUMNS) + groups.shape[1] + self.counted
        self.marks = np.sort(np.concatenate([snapshot.start_s, snapshot.end_s[~np.isnan(snapshot.end_s)]]))

    def read(self, t: float, cases: Ints) -> Floats:
        """[case, feature]; -1 where a time isn't defined."""
        snapshot, n = self.snapshot, self.snapshot.n_cases
        begun = snapshot.start_s <= t
        # A running execution has no end yet, and NaN <= t is false.
        over = begun & (snapshot.end_s <= t)
        done, running = np.flatnonzero(over), np.flatnonzero(begun & ~over)
        # Rows of a case are sorted by their ends, so the last to be assigned ended last.
        newest = np.full(n, -1)
        newest[self.case[done]] = done
        before = np.full(n, -1)
        some = np.flatnonzero(newest > 0)
        some = some[self.case[newest[some] - 1] == some]
        before[some] = newest[some] - 1
        going = np.full(n, -1)
        by_start = running[np.argsort(snapshot.start_s[running], kind="stable")]
        going[self.case[by_start]] = by_start
        ended = np.where(newest >= 0, snapshot.end_s[newest], np.nan)
        started = np.where(going >= 0, snapshot.start_s[going], np.nan)
        counts = np.zeros((n, self.counted))
        column = self.column[snapshot.activity[done]]
        np.add.at(counts, (self.case[done][column >= 0], column[column >= 0]), 1)
        lately = np.subtract(*np.searchsorted(self.marks, [t, t - 86400.0], side="right"))
        work = np.bincount(self.case[done], (snapshot.end_s - snapshot.start_s)[done], minlength=n)
        agent = np.where(going >= 0, snapshot.resource[going], snapshot.resource[newest])
        columns = [
            t - self.first,
            t - np.fmax(ended, started),
            t - started,
            t - ended,
            np.bincount(self.case[done], minlength=n),
            np.bincount(self.case[running], minlength=n),
            work,
            np.where(newest >= 0, snapshot.activity[newest], -1),
            np.where(before >= 0, snapshot.activity[before], -1),
            np.where(going >= 0, snapshot.activity[going], -1),
            np.where((going >= 0) | (newest >= 0), agent, -1),
            np.full(n, t % 86400 // 1800),
            np.full(n, t // 86400 % 7),
            np.full(n, len(cases)),
            np.full(n, lately),
            (counts > 0).sum(axis=1),
        ]
        table = np.column_stack([*columns, self.groups, counts])[cases]
        return np.nan_to_num(table.astype(np.float64), nan=-1.0)
