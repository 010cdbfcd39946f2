"""Work that one agent does on several orders at once, as one piece: read from starts and ends alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.local_time import Floats
from eventlogs.snapshot import NO_RESOURCE, Snapshot

NO_BATCH = -1
GRAINS_S = (86400.0, 3600.0, 900.0, 300.0, 60.0, 1.0)
"""To what logs round their times."""
ROUNDED = 0.95
"""A log is rounded to a grain that this share of its times are multiples of."""
GRAINS = 3.0
"""Executions must last so many grains: shorter ones may coincide by rounding."""
LEAST_S = 2.0
FEWEST = 10
"""Batches of two or more that must have been seen."""
SHARE = 0.25
"""Of the executions, in batches of two or more."""
PARTLY = 0.1
"""So many executions may overlap others without coinciding, over those that coincide: whoever works on
several things at once, but not as one, begins and ends them at different instants."""
SAME_LENGTH = 0.3
"""Where nobody is named, so many pairs of executions at most may last equally long."""

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """Simultaneous batches."""

    of_row: Rows
    """Per row of the snapshot the number of its batch, singles included, or NO_BATCH."""
    follows: NDArray[np.bool_]
    """Rows that are part of a batch of which another row comes before."""
    activities: frozenset[int]
    """Those whose work is done in such batches."""


def no_batches(snapshot: Snapshot) -> Together:
    """Nothing is done together; the columns are views of one value."""
    n = snapshot.n_events
    return Together(np.broadcast_to(np.int64(NO_BATCH), n), np.broadcast_to(np.False_, n), frozenset())


def find_together(snapshot: Snapshot) -> Together:
    """Executions of one activity by one agent with one start and one end, to the second.

    That is simultaneous batching in the sense of Martin, Swennen, Depaire, Jans, Caris and Vanhoof, "Batch
    processing: definition and event log identification" (SIMPDA 2015). It is believed of an activity only if
    its executions hardly ever overlap in any other way, and last longer than what their times are rounded to:
    instantaneous executions say nothing.
    """
    if snapshot.single_timestamp or not snapshot.n_events:
        return no_batches(snapshot)
    of_row = np.full(snapshot.n_events, NO_BATCH, np.int64)
    follows = np.zeros(snapshot.n_events, np.bool_)
    ended = np.flatnonzero(~np.isnan(snapshot.end_s))
    least_s = max(GRAINS * grain_s(np.concatenate((snapshot.start_s[ended], snapshot.end_s[ended]))), LEAST_S)
    lasts = snapshot.end_s - snapshot.start_s >= least_s
    case = snapshot.case_of_row()
    activities = []
    count = 0
    for a in range(len(snapshot.activities)):
        rows = ended[snapshot.activity[ended] == a]
        lasting = rows[lasts[rows]]
        if not _believed(snapshot, lasting, _units(snapshot, lasting, case)):
            continue
        activities.append(a)
        unit = _units(snapshot, rows, case)
        of_row[rows] = unit + count
        count += int(unit.max()) + 1
        first = np.zeros(len(rows), np.bool_)
        first[np.unique(unit, return_index=True)[1]] = True
        follows[rows[~first]] = True
    return Together(of_row, follows, frozenset(activities)) if activities else no_batches(snapshot)


def grain_s(times: Floats) -> float:
    """What times are rounded to, in seconds; 0: to less than one."""
    for grain in GRAINS_S:
        rest = np.mod(times + 0.0005, grain)
        if len(times) and (rest < 0.001).mean() >= ROUNDED:
            return grain
    return 0.0


def _units(snapshot: Snapshot, rows: Rows, case: NDArray[np.int32] | Rows) -> Rows:
    """Per row the number of its group of coinciding executions; those of one case never coincide."""
    keys = np.column_stack(
        (snapshot.resource[rows], np.floor(snapshot.start_s[rows]), np.floor(snapshot.end_s[rows]))
    )
    _, unit = np.unique(keys, axis=0, return_inverse=True)
    unit = unit.reshape(-1).astype(np.int64)
    pairs, times = np.unique(np.column_stack((unit, case[rows])), axis=0, return_counts=True)
    twice = np.unique(pairs[times > 1, 0])
    alone = np.isin(unit, twice)
    unit[alone] = np.arange(int(alone.sum())) + (int(unit.max()) + 1 if len(unit) else 0)
    return np.unique(unit, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _believed(snapshot: Snapshot, rows: Rows, unit: Rows) -> bool:
    """Whether enough of an activity's executions coincide, and hardly any overlap otherwise."""
    if len(rows) < 2 * FEWEST:
        return False
    sizes = np.bincount(unit)
    together = int(sizes[sizes > 1].sum())
    if (sizes > 1).sum() < FEWEST or together < SHARE * len(rows):
        return False
    nobody = snapshot.resource[rows] == NO_RESOURCE
    if nobody.mean() > 0.5:
        return _starts_mean_ends(snapshot.start_s[rows], snapshot.end_s[rows])
    first = np.unique(unit, return_index=True)[1]
    first = first[snapshot.resource[rows[first]] != NO_RESOURCE]
    who = snapshot.resource[rows[first]].astype(np.float64)
    start, end = snapshot.start_s[rows[first]], snapshot.end_s[rows[first]]
    order = np.lexsort((end, start, who))
    who, start, end = who[order], start[order], end[order]
    apart = (snapshot.until_s - float(start.min()) + float(end.max()) + 1.0) * who
    latest = np.concatenate(([-np.inf], np.maximum.accumulate(end + apart)[:-1]))
    partly = int((start + apart < latest - 1.0).sum())
    return partly <= PARTLY * (together - int((sizes > 1).sum()))


def _starts_mean_ends(start: Floats, end: Floats) -> bool:
    """Whether executions that begin together end together, and others last differently."""
    begin = np.floor(start)
    length = np.round(end - start)
    _, group = np.unique(begin, return_inverse=True)
    pairs = _pairs(group.reshape(-1))
    both = np.unique(np.column_stack((begin, np.floor(end))), axis=0, return_inverse=True)[1]
    lengths = np.unique(length, return_inverse=True)[1].reshape(-1)
    alike = _pairs(lengths) / max(len(start) * (len(start) - 1) / 2, 1)
    return bool(pairs > 0 and _pairs(both.reshape(-1)) >= (1 - PARTLY) * pairs and alike <= SAME_LENGTH)


def _pairs(group: Rows) -> float:
    n = np.bincount(group).astype(np.float64)
    return float((n * (n - 1) / 2).sum())
