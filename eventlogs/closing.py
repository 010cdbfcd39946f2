"""Which cases are over, for a log that doesn't say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from eventlogs.snapshot import Snapshot

_SETTLED_QUANTILE = 0.99
_SETTLED_FACTOR = 2.0
_ENOUGH_SETTLED = 30
_ENOUGH_GAPS = 20
_MATERIAL = 0.1
LONGEST = 3
"""Activities that a rule looks back at most."""


@dataclass(frozen=True, slots=True)
class ClosingRule:
    """A case is over when nothing runs and its last activity usually ends cases, or it idles too long."""

    end_activities: Mapping[str, float]
    """Activity -> share of its executions that were the last of their case."""
    idle_s: float
    """A case that idles for longer is over, after activities that have no limit of their own."""
    min_share: float = 0.5
    idle_after_s: Mapping[str, float] = field(default_factory=dict)
    """Activity -> the limit after it, for activities seen often enough."""
    endings: Mapping[tuple[str, ...], float] = field(default_factory=dict)
    """The last two or three activities, in order of completion -> share of the times that the case was over,
    where it differs from what fewer of them say: after parallel branches the last one ends the case only if
    the others are done."""

    def is_open(self, last: Sequence[str], idle_s: float, running: bool) -> bool:
        """Whether a case goes on that finished these activities last, the latest `idle_s` seconds ago."""
        return running or not (self.ends(last) or idle_s > self.limit_s(last))

    def ends(self, last: Sequence[str]) -> bool:
        """Whether a case is taken to be over right after these activities."""
        share = self._ending(last)
        return (self.end_activities.get(last[-1], 0.0) if share is None else share) >= self.min_share

    def limit_s(self, last: Sequence[str]) -> float:
        """How long a case may idle after these activities before it is taken to be over.

        The limit after an activity weighs its gaps against its endings; where more than one activity tells
        whether it was an ending, that weighing says nothing and the limit of all activities is taken.
        """
        return self.idle_s if self._ending(last) is not None else self.idle_after_s.get(last[-1], self.idle_s)

    def _ending(self, last: Sequence[str]) -> float | None:
        for length in range(min(len(last), LONGEST), 1, -1):
            share = self.endings.get(tuple(last[-length:]))
            if share is not None:
                return share
        return None


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

    A case idle for u after activity a is over more likely than not once e(a) > g(a) S(u | a), with e(a) the
    times a ended a case, g(a) the times the case went on, and S the share of those gaps longer than u: the
    limit is the gap's quantile at 1 - e(a) / g(a). Ends are counted in settled cases only, because the last
    event of a case still open ends nothing: those idle, when the log stops, for twice the 99 % quantile of
    all gaps; in all cases without anything running if fewer than 30 are settled so.
    """
    gaps, after = within_case_gaps(snapshot)
    last_row, idle, running = _case_ends(snapshot)
    positive = gaps[gaps > 0]
    long = _SETTLED_FACTOR * np.quantile(positive, _SETTLED_QUANTILE) if len(positive) else 0.0
    settled = ~running & (idle > long)
    if settled.sum() < _ENOUGH_SETTLED:
        settled = ~running
    n = len(snapshot.activities)
    seen = np.bincount(snapshot.activity[np.repeat(settled, np.diff(snapshot.offsets))], minlength=n)
    ended = np.bincount(snapshot.activity[last_row[settled]], minlength=n)
    rule = ClosingRule(
        {name: float(ended[i] / seen[i]) for i, name in enumerate(snapshot.activities) if ended[i]}, 0.0
    )
    lasting = np.array([not rule.ends((name,)) for name in snapshot.activities], dtype=np.bool_)
    limits = {
        name: _limit_s(gaps[after == i], int(ended[i]))
        for i, name in enumerate(snapshot.activities)
        if lasting[i] and np.count_nonzero(after == i) >= _ENOUGH_GAPS
    }
    pooled = _limit_s(gaps[lasting[after]], int(ended[lasting].sum()))
    endings = _endings(snapshot, settled, rule.end_activities)
    return ClosingRule(rule.end_activities, pooled, idle_after_s=limits, endings=endings)


def _endings(
    snapshot: Snapshot, settled: NDArray[np.bool_], shorter: Mapping[str, float]
) -> dict[tuple[str, ...], float]:
    """Shares by the last two and three activities that were seen often enough and differ from the shorter."""
    names, offsets = snapshot.activities, snapshot.offsets.tolist()
    seen: Counter[tuple[str, ...]] = Counter()
    ended: Counter[tuple[str, ...]] = Counter()
    for case in np.flatnonzero(settled):
        trace = [names[a] for a in snapshot.activity[offsets[case] : offsets[case + 1]]]
        for length in range(2, LONGEST + 1):
            seen.update(tuple(trace[i : i + length]) for i in range(len(trace) - length + 1))
            if len(trace) >= length:
                ended[tuple(trace[-length:])] += 1
    shares: dict[tuple[str, ...], float] = {}
    for context in sorted(seen, key=lambda c: (len(c), c)):
        known = shares.get(context[1:], shorter.get(context[-1], 0.0))
        share = ended[context] / seen[context]
        if seen[context] >= _ENOUGH_GAPS and abs(share - known) > _MATERIAL:
            shares[context] = share
    return shares


def apply(rule: ClosingRule, snapshot: Snapshot) -> tuple[NDArray[np.bool_], ClosingCounts]:
    """Per case whether it is open at the snapshot's instant, and how that was decided."""
    _, idle, running = _case_ends(snapshot)
    last = [_last(snapshot, case) for case in range(snapshot.n_cases)]
    ends = np.array([rule.ends(activities) for activities in last], dtype=np.bool_)
    limit = np.array([rule.limit_s(activities) for activities in last], dtype=np.float64)
    ended = ~running & ends
    stale = ~running & ~ended & (idle > limit)
    waiting = ~running & ~ended & ~stale
    counts = ClosingCounts(int(running.sum()), int(waiting.sum()), int(ended.sum()), int(stale.sum()))
    return running | waiting, counts


def _last(snapshot: Snapshot, case: int) -> list[str]:
    begin, end = int(snapshot.offsets[case]), int(snapshot.offsets[case + 1])
    return [snapshot.activities[a] for a in snapshot.activity[max(begin, end - LONGEST) : end]]


def within_case_gaps(snapshot: Snapshot) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Seconds from everything before being finished to the next start, and the activity that finished last.

    One pair for every execution that isn't the first of its case; 0 seconds where executions overlap.
    """
    case = snapshot.case_of_row()
    order = np.lexsort((snapshot.start_s, case))
    case, start = case[order], snapshot.start_s[order]
    end = np.where(np.isnan(snapshot.end_s), snapshot.until_s, snapshot.end_s)[order]
    # A lift per case, higher than any time, lets one running maximum serve all cases.
    lifted = end + case * (snapshot.until_s + 1.0)
    latest = np.maximum.accumulate(np.where(lifted >= np.maximum.accumulate(lifted), np.arange(len(case)), 0))
    same = case[1:] == case[:-1]
    gaps: NDArray[np.float64] = np.maximum(start[1:] - end[latest[:-1]], 0.0)[same]
    return gaps, snapshot.activity[order][latest[:-1]][same]


def _limit_s(gaps: NDArray[np.float64], ended: int) -> float:
    if len(gaps) <= ended:
        return 0.0
    return float(np.quantile(gaps, 1.0 - ended / len(gaps)))


def _case_ends(snapshot: Snapshot) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Per case its last row, seconds since its last event, and whether something runs."""
    last_row = snapshot.offsets[1:] - 1
    running = np.isnan(snapshot.end_s[last_row])
    latest = np.where(running, snapshot.start_s[last_row], snapshot.end_s[last_row])
    return last_row, snapshot.until_s - latest, running
