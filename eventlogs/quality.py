"""How good a log is as evidence: counts of what makes a twin doubtful."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eventlogs.snapshot import NO_RESOURCE, Snapshot

_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Quality:
    """Counts over the executions of a snapshot."""

    cases: int
    open_cases: int
    executions: int
    running: int
    duplicates: int
    """Executions equal to an earlier one in case, activity, resource, start and end."""
    missing_resources: int
    instant: int
    """Executions that took no time."""
    overlapping: int
    """Executions during which their resource was at work on another one (touching doesn't count)."""
    midnight_stamps: int
    """Starts or ends exactly at 00:00:00 UTC: often dates without a time of day."""

    def share(self, count: int) -> float:
        """A count as a share of the executions, 0 when there are none."""
        return count / self.executions if self.executions else 0.0


def quality(snapshot: Snapshot) -> Quality:
    """Count what is doubtful in a snapshot; running executions are taken to last until its instant."""
    running = np.isnan(snapshot.end_s)
    end = np.where(running, snapshot.until_s, snapshot.end_s)
    stamps = np.concatenate([snapshot.start_s, snapshot.end_s[~running]])
    rows = np.column_stack(
        [snapshot.case_of_row(), snapshot.activity, snapshot.resource, snapshot.start_s, end]
    )
    return Quality(
        cases=snapshot.n_cases,
        open_cases=int(snapshot.is_open.sum()),
        executions=snapshot.n_events,
        running=int(running.sum()),
        duplicates=snapshot.n_events - len(np.unique(rows, axis=0)),
        missing_resources=int((snapshot.resource == NO_RESOURCE).sum()),
        instant=int((snapshot.end_s == snapshot.start_s).sum()),
        overlapping=int(_overlaps(snapshot, end).sum()),
        midnight_stamps=int((stamps % _DAY_S == 0).sum()),
    )


def _overlaps(snapshot: Snapshot, end: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Per execution that takes time: whether another one of its resource shares an instant with it."""
    lasting = (snapshot.resource != NO_RESOURCE) & (end > snapshot.start_s)
    resource, start, end = snapshot.resource[lasting], snapshot.start_s[lasting], end[lasting]
    order = np.lexsort((start, resource))
    lift = resource[order].astype(np.float64) * (snapshot.until_s + 1.0)
    start, end = start[order] + lift, end[order] + lift
    before: NDArray[np.bool_] = np.concatenate([[-np.inf], np.maximum.accumulate(end)[:-1]]) > start
    after: NDArray[np.bool_] = np.concatenate([start[1:], [np.inf]]) < end
    return before | after
