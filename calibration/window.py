"""The part of a log that a calibration looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from calibration.inclusion import case_weights
from calibration.unnamed import MISSING, Unnamed, attribute, missing_shares
from eventlogs.bounds import case_bounds
from eventlogs.snapshot import Snapshot
from metagraph.distributions import ENOUGH

__all__ = ["ENOUGH", "Window", "open_window"]


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The last share of a log's cases, with the whole log for what they say too little about."""

    snapshot: Snapshot
    """The log; where a task mostly has a resource, each of its executions has one (see unnamed.py)."""
    first_case: int
    """Cases from this index on are in the window."""
    rows: NDArray[np.bool_]
    """Rows used: those of the window's cases, and all rows of activities with fewer than ENOUGH there."""
    widened: tuple[str, ...]
    """Activities for which the whole log is used."""
    weights: NDArray[np.float64]
    """Per case of the snapshot: for how many cases of the process it stands; see inclusion.py."""
    unnamed: Unnamed
    """Executions whose resource the log doesn't name."""
    agentless: NDArray[np.bool_]
    """Per activity: most of its rows name nobody, or there are none."""
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The log's resources that each merged one stands for."""

    @property
    def pools(self) -> NDArray[np.bool_]:
        """Per resource: whether it stands for several people."""
        return np.isin(self.snapshot.resources, list(self.members))

    @property
    def first_s(self) -> float:
        """The window's first arrival."""
        snapshot = self.snapshot
        start = snapshot.offsets[self.first_case]
        return float(np.min(snapshot.start_s[start:])) if start < snapshot.n_events else snapshot.until_s


def open_window(
    snapshot: Snapshot, share: float, unfinished_missing: bool = False, unnamed: Unnamed | None = None
) -> Window:
    """The window of the last `share` of the cases (by first start), at least one case.

    `unfinished_missing`: cases that were unfinished at the end were left out of the log, so that the window's
    cases have weights. `unnamed`: what `attribute` finds in this log, where it is known.
    """
    first = min(int(np.floor((1 - share) * snapshot.n_cases + 1e-9)), max(snapshot.n_cases - 1, 0))
    rows = snapshot.case_of_row() >= first
    counts = np.bincount(snapshot.activity[rows], minlength=len(snapshot.activities))
    widened = (counts < ENOUGH) & (first > 0)
    rows |= widened[snapshot.activity]
    weights = np.ones(snapshot.n_cases)
    if unfinished_missing:
        release, last = case_bounds(snapshot)
        mine = np.arange(snapshot.n_cases) >= first
        weights[mine] = case_weights(release[mine], (last - release)[mine], snapshot.until_s)
    unnamed = unnamed or attribute(snapshot)
    seen = np.bincount(snapshot.activity[rows], minlength=len(snapshot.activities))
    agentless = (missing_shares(snapshot, rows) > MISSING) | (seen == 0)
    resource = np.where(agentless[snapshot.activity], snapshot.resource, unnamed.resource)
    named = np.array_equal(resource, snapshot.resource)
    return Window(
        snapshot if named else replace(snapshot, resource=resource),
        first,
        rows,
        tuple(np.array(snapshot.activities, dtype=object)[widened]),
        weights,
        unnamed,
        agentless,
    )
