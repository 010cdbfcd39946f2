"""Parts of a snapshot: by time, by case. Cases and rows are renumbered; times and names stay as they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from eventlogs.bounds import case_bounds
from eventlogs.snapshot import Pauses, Snapshot, sealed
from metagraph.errors import DataError


def subset(snapshot: Snapshot, case_mask: NDArray[np.bool_]) -> Snapshot:
    """The cases that the mask (one flag per case) keeps, with the same origin, activities and resources."""
    sizes = np.diff(snapshot.offsets)
    rows = np.repeat(case_mask, sizes)
    kept = np.flatnonzero(case_mask)
    pauses = snapshot.pauses
    paused = rows[pauses.row]
    return sealed(
        replace(
            snapshot,
            cases=tuple(snapshot.cases[i] for i in kept),
            offsets=np.concatenate([[0], np.cumsum(sizes[kept])]).astype(np.int64),
            activity=snapshot.activity[rows],
            resource=snapshot.resource[rows],
            start_s=snapshot.start_s[rows],
            end_s=snapshot.end_s[rows],
            is_open=snapshot.is_open[kept],
            attributes={name: tuple(v[i] for i in kept) for name, v in snapshot.attributes.items()},
            pauses=Pauses(
                (np.cumsum(rows) - 1)[pauses.row[paused]], pauses.start_s[paused], pauses.end_s[paused]
            ),
        )
    )


def closed_cases(snapshot: Snapshot) -> Snapshot:
    """The cases that are over."""
    return subset(snapshot, ~snapshot.is_open)


def known_at(snapshot: Snapshot, t: float) -> Snapshot:
    """The log as it was at instant t (seconds): what began later is left out, what ended later was running,
    and cases of which more was to come were open."""
    rows = np.flatnonzero(snapshot.start_s <= t)
    case = snapshot.case_of_row()
    last = case_bounds(snapshot)[1]
    end = np.where(snapshot.end_s[rows] <= t, snapshot.end_s[rows], np.nan)
    running_last = np.where(np.isnan(end), np.inf, end)
    order = np.lexsort((snapshot.start_s[rows], running_last, case[rows]))
    rows, end = rows[order], end[order]
    kept, sizes = np.unique(case[rows], return_counts=True)
    place = np.full(snapshot.n_events, -1, np.int64)
    place[rows] = np.arange(len(rows))
    pauses = snapshot.pauses
    held = (place[pauses.row] >= 0) & (pauses.start_s < t)
    by_row = np.argsort(place[pauses.row[held]], kind="stable")
    return sealed(
        replace(
            snapshot,
            until_s=t,
            cases=tuple(snapshot.cases[i] for i in kept),
            offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            activity=snapshot.activity[rows],
            resource=snapshot.resource[rows],
            start_s=snapshot.start_s[rows],
            end_s=end,
            is_open=(snapshot.is_open | (last > t))[kept],
            attributes={name: tuple(v[i] for i in kept) for name, v in snapshot.attributes.items()},
            pauses=Pauses(
                place[pauses.row[held]][by_row],
                pauses.start_s[held][by_row],
                np.minimum(pauses.end_s[held][by_row], t),
            ),
        )
    )


def first_finished(snapshot: Snapshot, n: int) -> Snapshot:
    """The n closed cases that ended first (all of them if there are fewer): the log as it would be if it had
    been cut at an instant."""
    closed = np.flatnonzero(~snapshot.is_open)
    ends = np.fmax.reduceat(snapshot.end_s, snapshot.offsets[:-1])[closed]
    chosen = np.zeros(snapshot.n_cases, dtype=np.bool_)
    chosen[closed[np.argsort(ends, kind="stable")[:n]]] = True
    return subset(snapshot, chosen)


def split_snapshot(snapshot: Snapshot, share: float = 0.8) -> tuple[Snapshot, Snapshot]:
    """Train and test as in the accuracy protocol: events by end time, cut after `share` of them.

    Cases with events on both sides of the cut are dropped. The train part is recorded up to the cut, its last
    event's end; running executions count as ending last. Raises DataError when a side stays without cases.
    """
    ends = np.where(np.isnan(snapshot.end_s), np.inf, snapshot.end_s)
    cut_s = np.sort(ends)[max(0, int(share * len(ends)) - 1)]
    first_end = np.minimum.reduceat(ends, snapshot.offsets[:-1])
    last_end = np.maximum.reduceat(ends, snapshot.offsets[:-1])
    early, late = last_end <= cut_s, first_end > cut_s
    if not (early.any() and late.any()):
        raise DataError(
            f"log {snapshot.name!r} can't be cut at {share:.0%} of its events, as no case lies wholly on one "
            "side; give a log with more finished cases"
        )
    return subset(replace(snapshot, until_s=float(cut_s)), early), subset(snapshot, late)
