"""What orders wait for before each activity, cut into causes in one and the same way for logs and runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metagraph.model import Metagraph

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot
    from simulation.run import Run

Floats = NDArray[np.float64]
PARTS = {
    "off shift": "off_shift",
    "agents busy": "busy",
    "others went first": "prioritised",
    "batching": "batching",
    "remaining": "remaining",
}
"""Names as in time_spent.PARTS, and the columns of calibration's Parts."""


@dataclass(frozen=True, slots=True, eq=False)
class Waits:
    """Waits of one log, by activity."""

    activities: tuple[str, ...]
    n: NDArray[np.int64]
    parts_s: Floats
    """[activity, part]: means per execution, in the order of PARTS."""
    window_s: Floats
    """[activity, window]: mean wait of what began in the window; NaN without any."""
    of_lead: Floats
    """Per activity: all waits over all lead times."""
    lead_s: Floats
    """Per window: mean lead time of the cases that began in it; NaN without any."""


def waits_of(metagraph: Metagraph, snapshot: Snapshot, edges: Floats) -> Waits:
    """Waits of a log in the twin's words, as calibration cuts them; the replay on the twin's structure tells
    when each execution could have begun."""
    from calibration.agents import fit_resources
    from calibration.batches import fit_batches
    from calibration.breakdown import wait_parts
    from calibration.settings import Settings
    from calibration.window import open_window
    from discovery.inclusive import as_optional
    from discovery.replay_log import replay_log
    from eventlogs.bounds import case_bounds
    from metagraph.parse_blocks import parse_blocks

    replayed = replay_log(snapshot, as_optional(parse_blocks(metagraph)))
    settings = Settings(use_batching=True)
    window = open_window(snapshot, 1.0)
    resources = fit_resources(window, settings)
    release = fit_batches(window, replayed, resources, settings).release_s
    parts = wait_parts(window.snapshot, replayed.enabled_s, resources, release)
    first, last = case_bounds(snapshot)
    closed = ~snapshot.is_open
    lead = np.where(closed, last - first, np.nan)
    usable = np.flatnonzero(~np.isnan(parts.wait))
    label = snapshot.activity[usable]
    m, windows = len(snapshot.activities), len(edges) - 1
    n = np.bincount(label, minlength=m)
    at = np.clip(np.searchsorted(edges, snapshot.start_s[usable], "right") - 1, 0, windows - 1)
    sums = np.array(
        [np.bincount(label, getattr(parts, column)[usable], minlength=m) for column in PARTS.values()]
    ).T
    cells = np.bincount(label * windows + at, minlength=m * windows)
    waited = np.bincount(label * windows + at, parts.wait[usable], minlength=m * windows)
    begun = np.clip(np.searchsorted(edges, first, "right") - 1, 0, windows - 1)
    counted = np.flatnonzero(closed)
    return Waits(
        activities=snapshot.activities,
        n=n,
        parts_s=_ratio(sums, n[:, None]),
        window_s=_ratio(waited, cells).reshape(m, windows),
        of_lead=_ratio(sums.sum(axis=1), np.full(m, float(np.nansum(lead)))),
        lead_s=_ratio(
            np.bincount(begun[counted], lead[counted], minlength=windows),
            np.bincount(begun[counted], minlength=windows),
        ),
    )


def _ratio(value: NDArray[np.generic], of: NDArray[np.generic]) -> Floats:
    top, low = np.asarray(value, np.float64), np.broadcast_to(np.asarray(of, np.float64), value.shape)
    found: Floats = np.divide(top, low, out=np.full(top.shape, np.nan), where=low > 0)
    return found


def snapshot_of_run(run: Run) -> Snapshot:
    """A run's log as if it had been read: orders that have ended, whole."""
    from eventlogs.snapshot import Snapshot, sealed

    log = run.executions
    gone = ~np.isnan(np.fmin(run.completed_s, run.lost_s))
    rows = np.flatnonzero(gone[log.order] & ~np.isnan(log.end_s))
    first = np.full(len(run.order_ids), np.inf)
    np.minimum.at(first, log.order[rows], log.start_s[rows])
    cases = np.argsort(first, kind="stable")[: int(np.isfinite(first).sum())]
    place = np.zeros(len(first), np.int64)
    place[cases] = np.arange(len(cases))
    case = place[log.order[rows]]
    rows = rows[np.lexsort((log.start_s[rows], log.end_s[rows], case))]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(case, minlength=len(cases)))])
    return sealed(
        Snapshot(
            name="simulated",
            origin=run.origin,
            until_s=run.until_s,
            cases=tuple(run.order_ids[i] for i in cases.tolist()),
            activities=run.labels,
            resources=run.agents,
            offsets=offsets.astype(np.int64),
            activity=run.task[rows].astype(np.int32),
            resource=log.agent[rows].astype(np.int32),
            start_s=log.start_s[rows].copy(),
            end_s=log.end_s[rows].copy(),
            is_open=np.zeros(len(cases), np.bool_),
            attributes={},
            single_timestamp=False,
            content_hash="",
        )
    )
