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

AGE, IDLE = 0, 1
"""Columns that go on counting while an order is followed."""
CODED = (7, 8, 9, 10)
"""Columns that hold codes: last and last but one finished activity, the running one, the agent."""
MOST_COUNTED = 60
"""Activities whose executions are counted in columns of their own."""


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


def rows_at(snapshot: Snapshot, at_s: Sequence[float] | Floats, groups: Ints | None = None) -> Rows:
    """Rows of the orders that were open at each instant, with features from what was known by then.

    `groups`: codes of each case that are known from its beginning, [case, code].
    """
    first, last = case_bounds(snapshot)[0], last_s(snapshot)
    reader = _Reader(snapshot, first, np.zeros((snapshot.n_cases, 0), np.int64) if groups is None else groups)
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

    def __init__(self, snapshot: Snapshot, first: Floats, groups: Ints) -> None:
        self.snapshot, self.first, self.groups = snapshot, first, groups
        self.case = snapshot.case_of_row()
        self.counted = min(len(snapshot.activities), MOST_COUNTED)
        self.width = 14 + groups.shape[1] + self.counted

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
        few = done[snapshot.activity[done] < self.counted]
        np.add.at(counts, (self.case[few], snapshot.activity[few]), 1)
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
        ]
        table = np.column_stack([*columns, self.groups, counts])[cases]
        return np.nan_to_num(table.astype(np.float64), nan=-1.0)
